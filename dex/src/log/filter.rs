//! Which commands or events are wanted.

use anyhow::bail;
use schema::{CommandKind, EventKind, Label};
use units::{Id, Timestamp};

use super::Args;

/// What the flags ask for; all of them must hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filter {
    /// First number.
    pub(super) from: u64,
    /// Last number.
    pub(super) to: u64,
    account: Option<Id>,
    order: Option<Id>,
    symbol: Option<Label>,
    /// Its first moment, and the one behind its last.
    period: (Option<Timestamp>, Option<Timestamp>),
    /// Name of a type.
    kind: Option<&'static str>,
}

/// What is known of a command or an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    /// Its number.
    pub(super) number: u64,
    /// Its stamp or its timestamp.
    pub(super) time: Timestamp,
    /// Its type.
    pub(super) kind: &'a str,
    /// Accounts that it is about.
    pub(super) accounts: &'a [Id],
    /// Orders that it is about.
    pub(super) orders: &'a [Id],
    /// Symbols that count it; none of a command.
    pub(super) symbols: &'a [Label],
}

impl Filter {
    /// The filter of a command line.
    ///
    /// # Errors
    /// A range that is empty, or a type that does not exist.
    pub(super) fn new(args: &Args) -> anyhow::Result<Self> {
        let (from, to) = (args.from, args.to);
        if from > to {
            bail!("--from {from} lies behind --to {to}: nothing is between them");
        }
        let kind = args.kind.as_deref().map(|name| kind(name, args.commands)).transpose()?;
        let period = (args.since, args.until);
        if let (Some(since), Some(until)) = period
            && since > until
        {
            bail!("--since {since} lies behind --until {until}: nothing is between them");
        }
        let Args { account, order, symbol, .. } = *args;
        Ok(Self { from, to, account, order, symbol, period, kind })
    }

    /// Whether it is wanted.
    pub(super) fn takes(&self, found: &Found<'_>) -> bool {
        (self.from..=self.to).contains(&found.number)
            && self.period.0.is_none_or(|since| since <= found.time)
            && self.period.1.is_none_or(|until| found.time < until)
            && self.kind.is_none_or(|wanted| wanted == found.kind)
            && self.account.is_none_or(|wanted| found.accounts.contains(&wanted))
            && self.order.is_none_or(|wanted| found.orders.contains(&wanted))
            && self.symbol.is_none_or(|wanted| found.symbols.contains(&wanted))
    }
}

/// The name of a type that exists.
fn kind(name: &str, of_commands: bool) -> anyhow::Result<&'static str> {
    let (what, names): (_, Vec<_>) = if of_commands {
        ("command", CommandKind::ALL.iter().map(|kind| kind.name()).collect())
    } else {
        ("event", EventKind::ALL.iter().map(|kind| kind.name()).collect())
    };
    match names.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(known) => Ok(known),
        None => bail!("\"{name}\" is no {what}; there are {}", names.join(", ")),
    }
}
