//! `dex explain`: the life of one order, each step with the rule behind it.
//!
//! The answer is made from the event log and a replay up to each step (RPL-64, D-73): what happened, the
//! requirement that asked for it, and where something was refused the balance and the limits of that moment,
//! each figure with the event that it comes from. Nothing is written. Read `life.rs` for how the steps are
//! found, `rules.rs` for which rule stands behind which event, `moment.rs` for the figures.

mod life;
mod moment;
mod names;
mod rules;
mod show;

use std::path::PathBuf;

use anyhow::bail;
use schema::Label;

use crate::log::{Source, is_closed_pipe};
use life::{Account, Wanted};

/// Tell the life of one order, each step with the rule behind it.
///
/// Shows every event of the order and every refused command that named it, with the requirement of the
/// specification behind each. A refusal shows the balance and the limits of its moment, each with the event
/// that it comes from. The exchange must be stopped; of a running one, read a copy.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dex explain 0193b2d1-8c00-7000-8000-00000000002a ./dex-data    by the order's id
  dex explain bid-17 ./dex-data --account alice                  by the client's own id
  dex explain bid-17 ./dex-data --account alice --json | jq .steps

A client's id may be used again after a day: the last order with it is told.")]
pub(crate) struct Args {
    /// The order's id, or with --account the client order id.
    order: String,
    /// The data folder.
    data: PathBuf,
    /// The account of the order: its external id, or its id.
    #[arg(long, value_name = "NAME|ID")]
    account: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Finds the order and tells its life.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let wanted = wanted(args)?;
    let source = Source::open(&args.data)?;
    let life = life::of(&source, &wanted)?;
    let mut out = std::io::stdout().lock();
    let shown = if args.json { show::json(&mut out, &life) } else { show::text(&mut out, &life) };
    match shown {
        Err(fault) if is_closed_pipe(&fault) => Ok(()),
        shown => shown,
    }
}

fn wanted(args: &Args) -> anyhow::Result<Wanted> {
    let Some(account) = &args.account else {
        return match args.order.parse() {
            Ok(id) => Ok(Wanted::Id(id)),
            Err(_) => bail!(
                "{:?} is no id, which is a UUID of 36 characters in lower case; to find an order by the \
                 client's own id, name its account, too (--account)",
                args.order
            ),
        };
    };
    let Ok(name) = Label::new(&args.order) else {
        bail!("a client order id has at most 64 characters");
    };
    let account = match account.parse() {
        Ok(id) => Account::Id(id),
        Err(_) => match Label::new(account) {
            Ok(name) => Account::Name(name),
            Err(_) => bail!("an account's name has at most 64 characters"),
        },
    };
    Ok(Wanted::Client(account, name))
}
