//! Which commands or events are wanted.

use anyhow::bail;
use schema::{CommandKind, EventKind};
use units::Id;

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
    /// Name of a type.
    kind: Option<&'static str>,
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
        Ok(Self { from, to, account: args.account, order: args.order, kind })
    }

    /// Whether something is wanted that has this number, type, accounts and orders.
    pub(super) fn takes(
        &self,
        (number, kind): (u64, &str),
        accounts: &[Id],
        orders: &[Id],
    ) -> bool {
        (self.from..=self.to).contains(&number)
            && self.kind.is_none_or(|wanted| wanted == kind)
            && self.account.is_none_or(|wanted| accounts.contains(&wanted))
            && self.order.is_none_or(|wanted| orders.contains(&wanted))
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
