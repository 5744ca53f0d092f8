//! What the core answers to a command.
//!
//! A reply says what the events say, for a caller who waits: it holds nothing that the events do not,
//! so the first answer of a repeated command can be rebuilt from them (D-74, EVT-81).

use units::Id;

use crate::Refusal;

/// The result of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Sequence of the command.
    pub command: u64,
    /// Sequence of the last event after the command, its own or an earlier one.
    pub last_event: u64,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done; for what created an account, market or asset, its id.
    Done {
        /// Id of what was created.
        created: Option<Id>,
    },
    /// An order was accepted; its later events tell what became of it.
    Accepted {
        /// Id of the order.
        order: Id,
    },
    /// An order was made and rejected (OrderRejected).
    Rejected {
        /// Id of the order, which can be queried (STATE-17).
        order: Id,
        /// Why.
        refusal: Refusal,
    },
    /// The command was refused and made nothing (CommandRejected).
    Refused(Refusal),
    /// The key is kept with the same body: the answer is that of an earlier command (D-74).
    Repeated {
        /// Sequence of the first command with this key.
        first: u64,
    },
}
