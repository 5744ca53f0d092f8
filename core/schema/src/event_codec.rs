//! The stored form of each event's payload (`docs/formats/event.md`), and the one list that leads from
//! a type number to its reader.
//!
//! `write` is called by the live kernel for a payload whose type it knows; `read_event` by replay,
//! which knows only the number. The two are inverse, and a test holds them to it for every kind. The
//! payloads of trading are in `trading_codec.rs`, what they share with commands in `terms_codec.rs`.

use alloc::vec::Vec;

use crate::change_codec::{
    read_countdown_changed, read_parameters_changed, read_profile_changed, read_reduced,
    read_schedule_changed, read_tier_changed, read_transferred, read_triggered,
};
use crate::halt::{read_halted, read_resumed, read_violated};
use crate::refund::read_refunded;
use crate::terms_codec::{
    read_asset, read_genesis, read_market, read_opening, write_asset, write_genesis, write_market,
    write_opening,
};
use crate::trading_codec::{
    cancel_reason, read_back, read_balance_updated, read_ended, read_fill, read_margin,
    read_rejected, read_submitted,
};
use crate::wire::{
    DecodeError, Reader, write_amount, write_id, write_label, write_option, write_time, write_u64,
};
use crate::{
    AccountCreated, AccountStatus, AccountStatusChanged, AssetListed, ClockStatus,
    ClockStatusChanged, Code, CommandCompleted, CommandKind, CommandRejected, Detail, Event,
    EventKind, ExpiryReason, GenesisRecorded, HoldReason, LeaderChanged, MarketListed,
    MarketStateChanged, OrderAccepted, Party, ReleaseReason, SnapshotTaken, StateHashRecorded,
    TradeExecuted, TradeSettled, Why,
};

/// Something that an event carries. `sequence` is the event's own.
pub trait Payload {
    /// Appends the stored form.
    fn write(&self, out: &mut Vec<u8>, sequence: u64);
}

impl Payload for GenesisRecorded {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_genesis(out, &self.genesis);
        out.extend_from_slice(&self.configuration_hash);
    }
}

impl Payload for LeaderChanged {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_u64(out, self.term);
        write_label(out, &self.leader);
    }
}

impl Payload for StateHashRecorded {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_u64(out, self.at_sequence);
        out.extend_from_slice(&self.state_hash);
    }
}

impl Payload for SnapshotTaken {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_u64(out, self.snapshot_sequence);
        write_time(out, self.snapshot_timestamp);
        out.extend_from_slice(&self.checksum);
    }
}

impl Payload for ClockStatusChanged {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        out.extend_from_slice(&[self.from.number(), self.to.number()]);
        write_amount(out, self.skew);
    }
}

impl Payload for AssetListed {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_asset(out, &self.terms);
    }
}

impl Payload for MarketListed {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_market(out, &self.terms);
    }
}

impl Payload for MarketStateChanged {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_u64(out, u64::from(self.market));
        write_label(out, &self.reason);
        write_label(out, &self.actor);
    }
}

impl Payload for AccountCreated {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_opening(out, &self.opening);
    }
}

impl Payload for AccountStatusChanged {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_u64(out, u64::from(self.account));
        out.extend_from_slice(&[self.from.number(), self.to.number()]);
        write_label(out, &self.reason);
        write_label(out, &self.actor);
    }
}

const BALANCE_DETAIL: u8 = 0xff;

pub(crate) fn write_detail(out: &mut Vec<u8>, detail: &Detail) {
    match detail {
        Detail::Why(why) => out.push(why.number()),
        Detail::Balance { available, required, asset } => {
            out.push(BALANCE_DETAIL);
            write_amount(out, *available);
            write_amount(out, *required);
            write_label(out, asset);
        }
    }
}

pub(crate) fn read_detail(reader: &mut Reader<'_>) -> Result<Detail, DecodeError> {
    match reader.u8()? {
        BALANCE_DETAIL => Ok(Detail::Balance {
            available: reader.amount()?,
            required: reader.amount()?,
            asset: reader.label()?,
        }),
        number => Why::from_number(number).map(Detail::Why).ok_or(DecodeError::BadTag),
    }
}

fn write_party(out: &mut Vec<u8>, party: &Party) {
    write_option(out, party.account, write_id);
    write_option(out, party.target, write_id);
    write_option(out, party.idempotency_key.as_ref(), write_label);
}

fn read_party(reader: &mut Reader<'_>) -> Result<Party, DecodeError> {
    Ok(Party {
        account: reader.option(Reader::id)?,
        target: reader.option(Reader::id)?,
        idempotency_key: reader.option(Reader::label)?,
    })
}

/// The code, if it may refuse the command: one marked X, or for a replacement one marked R (EVT-77).
fn refusing(command: CommandKind, code: Code) -> Option<Code> {
    let uses = code.uses();
    let fits = uses.refuses || (command == CommandKind::ReplaceOrder && uses.rejects);
    fits.then_some(code)
}

impl Payload for CommandRejected {
    /// # Panics
    /// On a code that may not refuse the command.
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        assert!(refusing(self.command, self.code).is_some(), "a code marked X (EVT-77)");
        out.extend_from_slice(&[self.command.number(), self.code.number()]);
        write_detail(out, &self.detail);
        write_party(out, &self.party);
    }
}

impl Payload for CommandCompleted {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        out.push(self.command.number());
        write_party(out, &self.party);
    }
}

impl Payload for Event {
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        let payload: &dyn Payload = match self {
            Self::GenesisRecorded(event) => event,
            Self::LeaderChanged(event) => event,
            Self::StateHashRecorded(event) => event,
            Self::SnapshotTaken(event) => event,
            Self::ClockStatusChanged(event) => event,
            Self::InvariantViolated(event) => event,
            Self::TradingHalted(event) => event,
            Self::TradingResumed(event) => event,
            Self::AssetListed(event) => event,
            Self::MarketListed(event) => event,
            Self::MarketPaused(event) | Self::MarketResumed(event) => event,
            Self::AccountCreated(event) => event,
            Self::AccountStatusChanged(event) => event,
            Self::BalanceUpdated(event) => event,
            Self::MarginReserved(event) => event,
            Self::MarginReleased(event) => event,
            Self::OrderSubmitted(event) => event,
            Self::OrderAccepted(event) => event,
            Self::OrderRejected(event) => event,
            Self::OrderPartiallyFilled(event) | Self::OrderFilled(event) => event,
            Self::OrderCanceled(event) => event,
            Self::OrderExpired(event) => event,
            Self::TradeExecuted(event) => event,
            Self::TradeSettled(event) => event,
            Self::CommandRejected(event) => event,
            Self::CommandCompleted(event) => event,
            Self::MarketParametersChanged(event) => event,
            Self::FeeScheduleChanged(event) => event,
            Self::FeeTierChanged(event) => event,
            Self::AccountProfileChanged(event) => event,
            Self::AccountTransferred(event) => event,
            Self::CountdownCancelChanged(event) => event,
            Self::FeeRefunded(event) => event,
            Self::OrderReduced(event) => event,
            Self::OrderTriggered(event) => event,
        };
        payload.write(out, sequence);
    }
}

/// Reads the payload of an event of `kind` with number `sequence`, as a snapshot holds one.
///
/// # Errors
/// What is wrong with the bytes, or `Unknown` for a kind that this version does not open.
pub fn decode_payload(
    reader: &mut Reader<'_>,
    kind: EventKind,
    sequence: u64,
) -> Result<Event, DecodeError> {
    read_event(reader, kind, sequence)
}

/// Reads the payload of an event of `kind` with number `sequence`.
#[expect(clippy::too_many_lines, reason = "a flat match, one arm a kind")]
pub(crate) fn read_event(
    reader: &mut Reader<'_>,
    kind: EventKind,
    sequence: u64,
) -> Result<Event, DecodeError> {
    use EventKind as K;
    Ok(match kind {
        K::GenesisRecorded => Event::GenesisRecorded(GenesisRecorded {
            genesis: read_genesis(reader)?,
            configuration_hash: reader.array()?,
        }),
        K::LeaderChanged => {
            Event::LeaderChanged(LeaderChanged { term: reader.u64()?, leader: reader.label()? })
        }
        K::StateHashRecorded => Event::StateHashRecorded(StateHashRecorded {
            at_sequence: reader.u64()?,
            state_hash: reader.array()?,
        }),
        K::SnapshotTaken => Event::SnapshotTaken(SnapshotTaken {
            snapshot_sequence: reader.u64()?,
            snapshot_timestamp: reader.time()?,
            checksum: reader.array()?,
        }),
        K::ClockStatusChanged => Event::ClockStatusChanged(ClockStatusChanged {
            from: reader.tag(ClockStatus::from_number)?,
            to: reader.tag(ClockStatus::from_number)?,
            skew: reader.amount()?,
        }),
        K::InvariantViolated => Event::InvariantViolated(read_violated(reader)?),
        K::TradingHalted => Event::TradingHalted(read_halted(reader)?),
        K::TradingResumed => Event::TradingResumed(read_resumed(reader)?),
        K::AssetListed => Event::AssetListed(AssetListed { terms: read_asset(reader)? }),
        K::MarketListed => Event::MarketListed(MarketListed { terms: read_market(reader)? }),
        K::MarketPaused => Event::MarketPaused(read_market_state(reader)?),
        K::MarketResumed => Event::MarketResumed(read_market_state(reader)?),
        K::AccountCreated => {
            Event::AccountCreated(AccountCreated { opening: read_opening(reader)? })
        }
        K::AccountStatusChanged => Event::AccountStatusChanged(AccountStatusChanged {
            account: reader.u32()?,
            from: reader.tag(AccountStatus::from_number)?,
            to: reader.tag(AccountStatus::from_number)?,
            reason: reader.label()?,
            actor: reader.label()?,
        }),
        K::BalanceUpdated => Event::BalanceUpdated(read_balance_updated(reader, sequence)?),
        K::MarginReserved => {
            Event::MarginReserved(read_margin(reader, sequence, HoldReason::from_number)?)
        }
        K::MarginReleased => {
            Event::MarginReleased(read_margin(reader, sequence, ReleaseReason::from_number)?)
        }
        K::OrderSubmitted => Event::OrderSubmitted(read_submitted(reader, sequence)?),
        K::OrderAccepted => {
            Event::OrderAccepted(OrderAccepted { order: read_back(reader, sequence)? })
        }
        K::OrderRejected => Event::OrderRejected(read_rejected(reader, sequence)?),
        K::OrderPartiallyFilled => Event::OrderPartiallyFilled(read_fill(reader, sequence)?),
        K::OrderFilled => Event::OrderFilled(read_fill(reader, sequence)?),
        K::OrderCanceled => Event::OrderCanceled(read_ended(reader, sequence, cancel_reason)?),
        K::OrderExpired => {
            Event::OrderExpired(read_ended(reader, sequence, ExpiryReason::from_number)?)
        }
        K::TradeExecuted => Event::TradeExecuted(TradeExecuted {
            maker: read_back(reader, sequence)?,
            taker: read_back(reader, sequence)?,
            ticks: reader.ticks()?,
            lots: reader.lots()?,
        }),
        K::TradeSettled => Event::TradeSettled(TradeSettled {
            trade: read_back(reader, sequence)?,
            maker_fee: reader.amount()?,
            taker_fee: reader.amount()?,
        }),
        K::CommandRejected => {
            let command = reader.tag(CommandKind::from_number)?;
            let code = reader.tag(|number| refusing(command, Code::from_number(number)?))?;
            let detail = read_detail(reader)?;
            let party = read_party(reader)?;
            Event::CommandRejected(CommandRejected { command, party, code, detail })
        }
        K::CommandCompleted => Event::CommandCompleted(CommandCompleted {
            command: reader.tag(CommandKind::from_number)?,
            party: read_party(reader)?,
        }),
        K::MarketParametersChanged => {
            Event::MarketParametersChanged(read_parameters_changed(reader)?)
        }
        K::FeeScheduleChanged => Event::FeeScheduleChanged(read_schedule_changed(reader)?),
        K::FeeTierChanged => Event::FeeTierChanged(read_tier_changed(reader)?),
        K::AccountProfileChanged => Event::AccountProfileChanged(read_profile_changed(reader)?),
        K::AccountTransferred => Event::AccountTransferred(read_transferred(reader)?),
        K::CountdownCancelChanged => Event::CountdownCancelChanged(read_countdown_changed(reader)?),
        K::FeeRefunded => Event::FeeRefunded(read_refunded(reader)?),
        K::OrderReduced => Event::OrderReduced(read_reduced(reader, sequence)?),
        K::OrderTriggered => Event::OrderTriggered(read_triggered(reader, sequence)?),
        _ => return Err(DecodeError::Unknown),
    })
}

fn read_market_state(reader: &mut Reader<'_>) -> Result<MarketStateChanged, DecodeError> {
    Ok(MarketStateChanged {
        market: reader.u32()?,
        reason: reader.label()?,
        actor: reader.label()?,
    })
}
