//! `dex state`: balances, open orders and books as they were.
//!
//! The events are applied from the latest snapshot before the moment on, or from the first one, and stopped at the last command whose events all lie
//! at or before the moment that is asked for: there is no state inside a command. Nothing is
//! written. Read `moment.rs` for how that command is found, `entity.rs` for the fields of the state's parts.

mod entity;
mod hash;
mod moment;
mod show;

use std::path::PathBuf;

use anyhow::bail;
use kernel::Kernel;
use schema::Label;
use units::Id;

pub(crate) use entity::{describe, hex, name_of};
pub(crate) use hash::state_hash;
pub(crate) use moment::{Groups, Moment, apply, one_group, replay};

use crate::log::{Source, is_closed_pipe};
use crate::replay::begin_at;

/// Print balances, open orders and books as they were at a moment.
///
/// The state is that behind the last command whose events all lie at or before the moment. The exchange
/// must be stopped; of a running one, read a copy.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dex state ./dex-data                                   at the end of the event log
  dex state ./dex-data --at 5000                         behind event 5000
  dex state ./dex-data --at 2026-11-24T12:00:00Z         at a time
  dex state ./dex-data --at 5000 --account alice         one account, by the name or the id that it has
  dex state ./dex-data --at 5000 --symbol BTC/USDT       one market: its orders and its book
  dex state ./dex-data --at 5000 --json | jq .books      for programs")]
pub(crate) struct Args {
    /// The data folder.
    data: PathBuf,
    /// The number of an event, or a time in ISO 8601.
    #[arg(long, value_name = "SEQUENCE|TIME", value_parser = Moment::parse)]
    at: Option<Moment>,
    /// Only this account: its external id, or its id.
    #[arg(long, value_name = "NAME|ID")]
    account: Option<String>,
    /// Only this market.
    #[arg(long, value_name = "SYMBOL")]
    symbol: Option<String>,
    /// Levels of a book, each side.
    #[arg(long, value_name = "N", default_value_t = 10)]
    depth: usize,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What of a state is asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Chosen {
    /// Number of the one account.
    account: Option<u32>,
    /// Number of the one market.
    market: Option<u32>,
    /// Levels of a book, each side.
    depth: usize,
}

/// Prints a state.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let source = Source::open(&args.data)?;
    let at = args.at.unwrap_or(Moment::Sequence(u64::MAX));
    let begun = begin_at(&source, &args.data, Some(at))?.kernel;
    let kernel = moment::replay_from(begun, &source, at)?;
    let chosen = choose(args, &kernel)?;
    let mut out = std::io::stdout().lock();
    let shown = if args.json {
        show::json(&mut out, &kernel, chosen)
    } else {
        show::table(&mut out, &kernel, chosen)
    };
    match shown {
        Err(fault) if is_closed_pipe(&fault) => Ok(()),
        shown => shown,
    }
}

fn choose(args: &Args, kernel: &Kernel) -> anyhow::Result<Chosen> {
    let mut chosen = Chosen { depth: args.depth, ..Chosen::default() };
    if let Some(text) = &args.account {
        let by_id = text.parse::<Id>().ok().and_then(|id| kernel.account_number(id));
        let by_name = || kernel.account_number_of(&Label::new(text).ok()?);
        chosen.account = by_id.or_else(by_name);
        if chosen.account.is_none() {
            bail!("no account had the name or the id {text:?} then");
        }
    }
    if let Some(text) = &args.symbol {
        let label = Label::new(&text.replacen('-', "/", 1)).ok();
        chosen.market = label.and_then(|label| kernel.market_number(&label));
        if chosen.market.is_none() {
            bail!("no market {text:?} was listed then");
        }
    }
    Ok(chosen)
}
