//! Which faults met which commands.
//!
//! Owns the table that a run prints, so that what never happens is seen: for each fault that hit, the
//! commands that were on their way through the node at that moment.

use std::collections::BTreeMap;
use std::fmt;

/// Counts of faults × commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<(&'static str, &'static str), u64>,
    /// Answers of the gateway by status.
    statuses: BTreeMap<u16, u64>,
    /// How often a situation came up that a venue must bear.
    situations: BTreeMap<&'static str, u64>,
}

impl Coverage {
    /// A fault hit a command of this kind.
    pub(crate) fn hit(&mut self, fault: &'static str, command: &'static str) {
        *self.counts.entry((fault, command)).or_default() += 1;
    }

    /// The gateway answered.
    pub(crate) fn answered(&mut self, status: u16) {
        *self.statuses.entry(status).or_default() += 1;
    }

    /// A situation came up.
    pub(crate) fn met(&mut self, situation: &'static str, count: u64) {
        *self.situations.entry(situation).or_default() += count;
    }

    /// Takes over what another run has shown.
    pub fn add(&mut self, other: &Self) {
        for (&status, count) in &other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        for (situation, count) in &other.situations {
            *self.situations.entry(situation).or_default() += count;
        }
        for (&at, count) in &other.counts {
            *self.counts.entry(at).or_default() += count;
        }
    }

    /// How often a fault hit commands of a kind.
    #[must_use]
    pub fn count(&self, fault: &str, command: &str) -> u64 {
        let of = |(at, count): (&(&str, &str), &u64)| (*at == (fault, command)).then_some(*count);
        self.counts.iter().find_map(of).unwrap_or(0)
    }

    /// Pairs that never came up, of all faults and commands.
    pub fn missing(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        let pairs = FAULTS.iter().flat_map(|&fault| commands().map(move |it| (fault, it)));
        pairs.filter(|at| !self.counts.contains_key(at))
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statuses: Vec<String> =
            self.statuses.iter().map(|(status, count)| format!("{count} × {status}")).collect();
        writeln!(f, "answers over HTTP: {}", statuses.join(", "))?;
        for situation in SITUATIONS {
            let count = self.situations.get(situation).copied().unwrap_or(0);
            writeln!(f, "{count:>9} {situation}")?;
        }
        writeln!(f, "\nfaults × commands on their way:")?;
        write!(f, "{:22}", "")?;
        for number in 1..=FAULTS.len() {
            write!(f, " {number:>6}")?;
        }
        writeln!(f)?;
        for command in commands() {
            write!(f, "{command:22}")?;
            for fault in FAULTS {
                let count = self.counts.get(&(*fault, command)).copied().unwrap_or(0);
                write!(f, " {count:>6}")?;
            }
            writeln!(f)?;
        }
        let names: Vec<String> =
            FAULTS.iter().enumerate().map(|(at, name)| format!("{} {name}", at + 1)).collect();
        write!(f, "{}", names.join(", "))
    }
}

/// Commands that clients send and this version has.
fn commands() -> impl Iterator<Item = &'static str> {
    schema::CommandKind::ALL.iter().map(|kind| kind.name()).filter(|name| !NOT_SENT.contains(name))
}

/// The sequencer's own commands, and those that are named and not there yet.
const NOT_SENT: &[&str] = &[
    "Genesis",
    "Tick",
    "LeaderChanged",
    "RecordStateHash",
    "RecordSnapshot",
    "RecordClockStatus",
    "DelistMarket",
    "SetAssetParameters",
    "PlaceOrders",
    "Quarantine",
];

/// What a venue must bear without a fault: each must come up.
pub(crate) const SITUATIONS: &[&str] = &[
    "commands with trades",
    "commands with trades at three prices or more",
    "self-trades prevented",
    "triggers met",
    "expiry storms: 20 orders or more ended in one command",
    "repeats of a key",
    "keys that came again with another body",
    "halts by the operator",
    "halts for the clock",
    "halts that ended",
    "one key twice in flight",
];

/// Every fault, in the order of the table.
pub(crate) const FAULTS: &[&str] = &[
    "message lost",
    "message doubled",
    "message overtaken",
    "answer lost",
    "retried with its key",
    "turned away as busy",
    "process killed",
    "power lost at rest",
    "power lost at a write",
    "power lost at a sync",
    "sync failed",
    "write failed",
    "disk full",
    "disk slow",
    "clock jumped",
];
