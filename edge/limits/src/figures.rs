//! What is counted for monitoring (RATE-60).

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use schema::OrderTier;

use crate::limiter::{Asking, Decision, Verdict};
use crate::tables::Category;

/// Counters of a limiter.
#[derive(Debug, Default)]
pub struct Figures {
    /// Refusals by category and tier; the last column is of those without an account.
    hits: [[AtomicU64; TIERS + 1]; Category::ALL.len()],
    warnings: [AtomicU64; Category::ALL.len()],
    /// Tokens left after each decision, summed, and how many decisions.
    left: [(AtomicU64, AtomicU64); Category::ALL.len()],
    bans: AtomicU64,
    strangers: AtomicU64,
}

const TIERS: usize = OrderTier::ALL.len();

impl Figures {
    pub(crate) fn on_decision(&self, asking: &Asking, decision: &Decision) {
        let tier = usize::from(asking.profile.tier.number());
        self.count(asking.demand.category, tier.min(TIERS), decision);
    }

    pub(crate) fn on_host(&self, category: Category, decision: &Decision) {
        self.count(category, TIERS, decision);
    }

    pub(crate) fn on_stranger(&self, decision: &Decision) {
        if matches!(decision.verdict, Verdict::Refused(_)) {
            self.strangers.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn count(&self, category: Category, tier: usize, decision: &Decision) {
        let index = category.index();
        let (sum, count) = &self.left[index];
        sum.fetch_add(decision.standing.remaining, Ordering::Relaxed);
        count.fetch_add(1, Ordering::Relaxed);
        match decision.verdict {
            Verdict::Admitted => {}
            Verdict::Warned => {
                self.warnings[index].fetch_add(1, Ordering::Relaxed);
            }
            Verdict::Refused(_) => {
                self.hits[index][tier].fetch_add(1, Ordering::Relaxed);
            }
            Verdict::Banned(_) => {
                self.hits[index][tier].fetch_add(1, Ordering::Relaxed);
                self.bans.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Appends all of them as Prometheus text.
    pub fn write(&self, out: &mut String) {
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        let mut name = |name: &str, kind: &str, help: &str, rows: &[(String, u64)]| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in rows {
                let _ = writeln!(out, "{name}{{role=\"gateway\"{labels}}} {value}");
            }
        };
        let mut hits = Vec::new();
        let (mut warnings, mut sums, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for category in Category::ALL {
            let (index, endpoint) = (category.index(), category.key());
            for tier in 0..=TIERS {
                let tier_name = OrderTier::ALL.get(tier).map_or("NONE", |tier| tier.name());
                let labels = format!(",endpoint=\"{endpoint}\",tier=\"{tier_name}\"");
                hits.push((labels, read(&self.hits[index][tier])));
            }
            let labels = format!(",endpoint=\"{endpoint}\"");
            warnings.push((labels.clone(), read(&self.warnings[index])));
            sums.push((labels.clone(), read(&self.left[index].0)));
            counts.push((labels, read(&self.left[index].1)));
        }
        name("dex_rate_limit_hits_total", "counter", "Requests over a limit.", &hits);
        name("dex_rate_limit_warnings_total", "counter", "Requests warned of.", &warnings);
        let help = "Tokens left after each decision, summed; over the count it is the average.";
        name("dex_rate_limit_tokens_left_sum", "counter", help, &sums);
        name("dex_rate_limit_tokens_left_count", "counter", "Decisions.", &counts);
        let none = String::new;
        name(
            "dex_rate_limit_banned_total",
            "counter",
            "Requests during a ban.",
            &[(none(), read(&self.bans))],
        );
        let help = "Requests without valid credentials over the limit of their address.";
        name(
            "dex_rate_limit_address_hits_total",
            "counter",
            help,
            &[(none(), read(&self.strangers))],
        );
    }
}
