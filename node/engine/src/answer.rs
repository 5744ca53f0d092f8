//! From the events of a command to the answer its caller got.
//!
//! A reply says nothing that the events do not (EVT-81), so the first answer of a repeated command is
//! rebuilt from them (D-74). Due work comes before a command's own (D-52): expiries and releases of
//! other orders at the front of a group say nothing about the answer, so what decides is the first
//! event that only a command's own work makes.

use schema::wire::DecodeError;
use schema::{Event, EventGroup, EventHead, Outcome, Refusal, Reply};
use units::Id;

/// The answer that the command of this group got.
///
/// # Errors
/// The events cannot be read.
pub(crate) fn answer_of(group: &EventGroup<'_>, shard: u16) -> Result<Reply, DecodeError> {
    let mut outcome = Outcome::Done { created: None };
    for event in group.events() {
        let (head, event) = event?;
        if let Event::GenesisRecorded(recorded) = &event {
            // The accounts that follow are the exchange's own.
            outcome = Outcome::Done { created: Some(recorded.genesis.venue_id) };
            break;
        }
        if let Some(decided) = decide(&event, head, shard, outcome)? {
            outcome = decided;
        }
    }
    let last_event = group.head.first_sequence + u64::from(group.count) - 1;
    Ok(Reply { command: group.head.command_sequence, last_event, outcome })
}

/// What an event says about the answer, if it says anything. `so_far` is what the ones before said.
fn decide(
    event: &Event,
    head: EventHead,
    shard: u16,
    so_far: Outcome,
) -> Result<Option<Outcome>, DecodeError> {
    let id =
        || Id::derive(head.timestamp, shard, head.sequence).map_err(|_| DecodeError::BadNumber);
    Ok(match event {
        Event::OrderSubmitted(_) => Some(Outcome::Accepted { order: id()? }),
        Event::OrderRejected(rejected) => match so_far {
            Outcome::Accepted { order } => {
                let refusal = Refusal { code: rejected.reason, detail: rejected.detail };
                Some(Outcome::Rejected { order, refusal })
            }
            _ => return Err(DecodeError::BadTag),
        },
        Event::CommandRejected(rejected) => {
            Some(Outcome::Refused(Refusal { code: rejected.code, detail: rejected.detail }))
        }
        Event::AssetListed(_)
        | Event::MarketListed(_)
        | Event::AccountCreated(_)
        | Event::AccountTransferred(_) => Some(Outcome::Done { created: Some(id()?) }),
        _ => None,
    })
}
