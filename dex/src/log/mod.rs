//! `dex log`: what is in the logs of a data folder.
//!
//! Commands are executed and events applied from the first one on, since both name entities by numbers
//! that only the state before them explains; what the filter leaves is printed. Nothing is written. Read
//! `source.rs` for how a folder is opened, `crate::render` for how an event is shown.

mod commands;
mod events;
mod filter;
mod print;
mod read_only;
mod source;

use std::io::ErrorKind;
use std::path::PathBuf;

use schema::Label;
use units::{Id, Timestamp};

use filter::Filter;
use print::Printer;
pub(crate) use print::shown;
pub(crate) use source::{Source, check_folder};

/// Print the commands or the events of a data folder.
///
/// Events are shown as every interface shows them: with full ids, symbols, decimals, and times in two
/// forms. Commands are shown with what came of them. The exchange must be stopped; of a running one, read
/// a copy.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dex log ./dex-data                                     every event, one line each
  dex log ./dex-data --type TradeExecuted                the trades
  dex log ./dex-data --account ID --from 5000            what happened to an account since event 5000
  dex log ./dex-data --order ID                          the life of an order
  dex log ./dex-data --symbol BTC/USDT --since 2026-11-24T08:00:00Z --until 2026-11-24T09:00:00Z
  dex log ./dex-data --commands --from 100 --to 120      twenty-one commands, and what came of them
  dex log ./dex-data --json | jq .payload                for programs, one object a line

--account leaves the events that count for the account (SEQ-27), --order those that are about the order,
its trades included, --symbol those that count for the symbol. A time is ISO 8601 in UTC, to the nanosecond.
--type is the name of an event, or of a command with --commands.")]
pub(crate) struct Args {
    /// The data folder.
    data: PathBuf,
    /// Commands, from the command log.
    #[arg(long, conflicts_with = "events")]
    commands: bool,
    /// Events, from the event log; this is the default.
    #[arg(long)]
    events: bool,
    /// First number to print.
    #[arg(long, value_name = "N", default_value_t = 1)]
    from: u64,
    /// Last number to print.
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true)]
    to: u64,
    /// Only what is about this account.
    #[arg(long, value_name = "ID", value_parser = id)]
    account: Option<Id>,
    /// Only what is about this order.
    #[arg(long, value_name = "ID", value_parser = id)]
    order: Option<Id>,
    /// Only events that count for this symbol.
    #[arg(long, value_name = "SYMBOL", value_parser = symbol, conflicts_with = "commands")]
    symbol: Option<Label>,
    /// Only what has this time or a later one.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Only what has an earlier time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// Only events, or commands, of this type.
    #[arg(long = "type", value_name = "NAME")]
    kind: Option<String>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Prints what the filter leaves.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let filter = Filter::new(args)?;
    let source = Source::open(&args.data)?;
    let mut printer = Printer::new(std::io::stdout().lock(), args.json);
    let printed = if args.commands {
        commands::print(&source, &filter, &mut printer)
    } else {
        events::print(&source, &filter, &mut printer)
    };
    match printed.and_then(|()| printer.end()) {
        // Whoever reads has seen enough, as `head` does.
        Err(fault) if is_closed_pipe(&fault) => Ok(()),
        done => done,
    }
}

/// Whether whoever reads the output has gone.
pub(crate) fn is_closed_pipe(fault: &anyhow::Error) -> bool {
    let fault = fault.downcast_ref::<std::io::Error>();
    fault.is_some_and(|fault| fault.kind() == ErrorKind::BrokenPipe)
}

fn symbol(text: &str) -> Result<Label, String> {
    Label::new(text).map_err(|_| "a symbol is at most 64 bytes, such as BTC/USDT".to_owned())
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|fault| format!("{fault}"))
}

fn id(text: &str) -> Result<Id, String> {
    text.parse().map_err(|_| "an id is a UUID of 36 characters in lower case".to_owned())
}
