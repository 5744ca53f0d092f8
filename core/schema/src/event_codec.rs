//! The stored form of each event's payload (`docs/formats/event.md`).
//!
//! A reference to an order or a trade is written as the distance back from the event's own sequence,
//! which is small for what is young. `write` is called by the live kernel for a payload whose type it
//! knows; `read` by replay, which knows only the number. The two are inverse, and a test holds them
//! to it for every kind.

use alloc::vec::Vec;

use units::Amount;

use crate::command_codec::{
    OrderStyle, order_style, present, read_asset, read_genesis, read_market, read_opening,
    read_style, read_trigger, tag, write_asset, write_genesis, write_market, write_opening,
    write_trigger,
};
use crate::event::{OrderAccepted, Reference};
use crate::wire::{
    DecodeError, Reader, write_amount, write_id, write_option, write_text, write_time, write_u64,
};
use crate::{
    AccountCreated, AccountStatus, AccountStatusChanged, AssetListed, BalanceUpdated, Bucket,
    ClockStatus, ClockStatusChanged, Code, CommandCompleted, CommandKind, CommandRejected, Detail,
    Event, EventKind, ExpiryReason, Fill, GenesisRecorded, HoldReason, LeaderChanged, MarginMoved,
    MarketListed, MarketStateChanged, OrderEnded, OrderRejected, OrderSubmitted, OrderTerms, Party,
    PositionSide, Posting, ReleaseReason, SnapshotTaken, StateHashRecorded, SymbolRef,
    TradeExecuted, TradeSettled, UpdateReason, Why,
};

/// Something that an event carries. `sequence` is the event's own.
pub trait Payload {
    /// Appends the stored form.
    fn write(&self, out: &mut Vec<u8>, sequence: u64);
}

/// How far back `target` lies. Targets are never later than the event, so nothing is lost.
#[inline]
fn write_back(out: &mut Vec<u8>, sequence: u64, target: u64) {
    write_u64(out, sequence.wrapping_sub(target));
}

#[inline]
fn read_back(reader: &mut Reader<'_>, sequence: u64) -> Result<u64, DecodeError> {
    let target = sequence.checked_sub(reader.u64()?).ok_or(DecodeError::BadNumber)?;
    if target == 0 { Err(DecodeError::BadNumber) } else { Ok(target) }
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
        write_text(out, self.leader.as_str());
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
        write_text(out, self.reason.as_str());
        write_text(out, self.actor.as_str());
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
        write_text(out, self.reason.as_str());
        write_text(out, self.actor.as_str());
    }
}

const TRADE_REFERENCE: u8 = 0x80;

impl Payload for BalanceUpdated {
    #[inline]
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        match self.reference {
            Reference::Trade(trade) => {
                out.push(self.reason.number() | TRADE_REFERENCE);
                write_back(out, sequence, trade);
            }
            Reference::Outside(id) => {
                out.push(self.reason.number());
                write_id(out, id);
            }
        }
        write_u64(out, self.postings().len() as u64);
        for posting in self.postings() {
            write_u64(out, u64::from(posting.account));
            write_u64(out, u64::from(posting.asset) << 1 | u64::from(posting.bucket.number()));
            write_amount(out, posting.delta);
        }
    }
}

fn read_balance_updated(
    reader: &mut Reader<'_>,
    sequence: u64,
) -> Result<BalanceUpdated, DecodeError> {
    let head = reader.u8()?;
    let reason = UpdateReason::from_number(head & !TRADE_REFERENCE).ok_or(DecodeError::BadTag)?;
    let reference = if head & TRADE_REFERENCE == 0 {
        Reference::Outside(reader.id()?)
    } else {
        Reference::Trade(read_back(reader, sequence)?)
    };
    let mut event = BalanceUpdated::new(reason, reference);
    let count = reader.u64()?;
    if count > BalanceUpdated::POSTING_COUNT_MAX as u64 {
        return Err(DecodeError::TooMany);
    }
    for _ in 0..count {
        let account = reader.u32()?;
        let place = reader.u64()?;
        let asset = u32::try_from(place >> 1).map_err(|_| DecodeError::BadNumber)?;
        let bucket = if place & 1 == 0 { Bucket::Available } else { Bucket::Locked };
        let delta = reader.amount()?;
        if delta == Amount::ZERO {
            return Err(DecodeError::BadNumber);
        }
        event.post(Posting { account, asset, bucket, delta });
    }
    Ok(event)
}

impl Payload for MarginMoved<HoldReason> {
    #[inline]
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        out.push(self.reason.number());
        write_back(out, sequence, self.order);
        write_amount(out, self.amount);
    }
}

impl Payload for MarginMoved<ReleaseReason> {
    #[inline]
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        out.push(self.reason.number());
        write_back(out, sequence, self.order);
        write_amount(out, self.amount);
    }
}

const REQUESTED: u8 = 1;
const HAS_CLIENT_ID: u8 = 1 << 1;
const HAS_EXPIRY: u8 = 1 << 2;
const HAS_TRIGGER: u8 = 1 << 3;
const HAS_OCO: u8 = 1 << 4;
const HAS_POSITION_SIDE: u8 = 1 << 5;
const SYMBOL_UNKNOWN: u8 = 1 << 6;
const HAS_PRICE: u8 = 1 << 7;

impl Payload for OrderSubmitted {
    #[inline]
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let mut has = flag(self.client_order_id.is_some(), HAS_CLIENT_ID)
            | flag(self.expire_at.is_some(), HAS_EXPIRY)
            | flag(self.trigger.is_some(), HAS_TRIGGER)
            | flag(self.oco_with.is_some(), HAS_OCO)
            | flag(self.position_side.is_some(), HAS_POSITION_SIDE);
        if let OrderTerms::Requested { symbol, price, .. } = &self.terms {
            has |= REQUESTED
                | flag(price.is_some(), HAS_PRICE)
                | flag(matches!(symbol, SymbolRef::Unknown(_)), SYMBOL_UNKNOWN);
        }
        let style = order_style(&OrderStyle {
            side: self.side,
            order_type: self.order_type,
            time_in_force: self.time_in_force,
            post_only: self.post_only,
            reduce_only: self.reduce_only,
            self_trade: self.self_trade,
        });
        out.extend_from_slice(&[style, has]);
        self.terms.write(out);
        if has & !(REQUESTED | HAS_PRICE | SYMBOL_UNKNOWN) != 0 {
            self.write_extras(out);
        }
    }
}

impl OrderSubmitted {
    fn write_extras(&self, out: &mut Vec<u8>) {
        if let Some(id) = &self.client_order_id {
            write_text(out, id.as_str());
        }
        if let Some(time) = self.expire_at {
            write_time(out, time);
        }
        if let Some(trigger) = &self.trigger {
            write_trigger(out, trigger);
        }
        if let Some(other) = self.oco_with {
            write_id(out, other);
        }
        if let Some(side) = self.position_side {
            out.push(side.number());
        }
    }
}

impl OrderTerms {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Checked { account, market, ticks, lots } => {
                write_u64(out, u64::from(*account));
                write_u64(out, u64::from(*market));
                write_u64(out, ticks.0);
                write_u64(out, lots.0);
            }
            Self::Requested { account, symbol, price, quantity } => {
                write_id(out, *account);
                match symbol {
                    SymbolRef::Listed(number) => write_u64(out, u64::from(*number)),
                    SymbolRef::Unknown(text) => write_text(out, text.as_str()),
                }
                if let Some(price) = price {
                    write_amount(out, *price);
                }
                write_amount(out, *quantity);
            }
        }
    }

    fn read(reader: &mut Reader<'_>, has: u8) -> Result<Self, DecodeError> {
        if has & REQUESTED == 0 {
            if has & (HAS_PRICE | SYMBOL_UNKNOWN) != 0 {
                return Err(DecodeError::BadTag);
            }
            let (account, market) = (reader.u32()?, reader.u32()?);
            return Ok(Self::Checked {
                account,
                market,
                ticks: reader.ticks()?,
                lots: reader.lots()?,
            });
        }
        let account = reader.id()?;
        let symbol = if has & SYMBOL_UNKNOWN != 0 {
            SymbolRef::Unknown(reader.label()?)
        } else {
            SymbolRef::Listed(reader.u32()?)
        };
        let price = present(reader, has & HAS_PRICE, Reader::amount)?;
        Ok(Self::Requested { account, symbol, price, quantity: reader.amount()? })
    }
}

fn read_submitted(reader: &mut Reader<'_>) -> Result<OrderSubmitted, DecodeError> {
    let [style, has] = reader.array()?;
    let style = read_style(style)?;
    Ok(OrderSubmitted {
        terms: OrderTerms::read(reader, has)?,
        side: style.side,
        order_type: style.order_type,
        time_in_force: style.time_in_force,
        post_only: style.post_only,
        reduce_only: style.reduce_only,
        self_trade: style.self_trade,
        client_order_id: present(reader, has & HAS_CLIENT_ID, Reader::label)?,
        expire_at: present(reader, has & HAS_EXPIRY, Reader::time)?,
        trigger: present(reader, has & HAS_TRIGGER, read_trigger)?,
        oco_with: present(reader, has & HAS_OCO, Reader::id)?,
        position_side: present(reader, has & HAS_POSITION_SIDE, |reader| {
            tag(reader, PositionSide::from_number)
        })?,
    })
}

impl Payload for OrderAccepted {
    #[inline]
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        write_back(out, sequence, self.order);
    }
}

impl Payload for OrderRejected {
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        write_back(out, sequence, self.order);
        out.push(self.reason.number());
        write_detail(out, &self.detail);
    }
}

const BALANCE_DETAIL: u8 = 0xff;

fn write_detail(out: &mut Vec<u8>, detail: &Detail) {
    match detail {
        Detail::Why(why) => out.push(why.number()),
        Detail::Balance { available, required, asset } => {
            out.push(BALANCE_DETAIL);
            write_amount(out, *available);
            write_amount(out, *required);
            write_text(out, asset.as_str());
        }
    }
}

fn read_detail(reader: &mut Reader<'_>) -> Result<Detail, DecodeError> {
    match reader.u8()? {
        BALANCE_DETAIL => Ok(Detail::Balance {
            available: reader.amount()?,
            required: reader.amount()?,
            asset: reader.label()?,
        }),
        number => Why::from_number(number).map(Detail::Why).ok_or(DecodeError::BadTag),
    }
}

impl Payload for Fill {
    #[inline]
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        write_back(out, sequence, self.order);
        write_u64(out, self.ticks.0);
        write_u64(out, self.lots.0);
        write_amount(out, self.fee);
    }
}

fn read_fill(reader: &mut Reader<'_>, sequence: u64) -> Result<Fill, DecodeError> {
    let order = read_back(reader, sequence)?;
    Ok(Fill { order, ticks: reader.ticks()?, lots: reader.lots()?, fee: reader.amount()? })
}

impl Payload for OrderEnded<Code> {
    #[inline]
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        write_back(out, sequence, self.order);
        out.push(self.reason.number());
    }
}

impl Payload for OrderEnded<ExpiryReason> {
    #[inline]
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        write_back(out, sequence, self.order);
        out.push(self.reason.number());
    }
}

impl Payload for TradeExecuted {
    #[inline]
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        write_back(out, sequence, self.maker);
        write_back(out, sequence, self.taker);
        write_u64(out, self.ticks.0);
        write_u64(out, self.lots.0);
    }
}

impl Payload for TradeSettled {
    #[inline]
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        write_back(out, sequence, self.trade);
        write_amount(out, self.maker_fee);
        write_amount(out, self.taker_fee);
    }
}

fn write_party(out: &mut Vec<u8>, party: &Party) {
    write_option(out, party.account, write_id);
    write_option(out, party.target, write_id);
    write_option(out, party.idempotency_key, |out, key| write_text(out, key.as_str()));
}

fn read_party(reader: &mut Reader<'_>) -> Result<Party, DecodeError> {
    Ok(Party {
        account: reader.option(Reader::id)?,
        target: reader.option(Reader::id)?,
        idempotency_key: reader.option(Reader::label)?,
    })
}

impl Payload for CommandRejected {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
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
        };
        payload.write(out, sequence);
    }
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
            from: tag(reader, ClockStatus::from_number)?,
            to: tag(reader, ClockStatus::from_number)?,
            skew: reader.amount()?,
        }),
        K::AssetListed => Event::AssetListed(AssetListed { terms: read_asset(reader)? }),
        K::MarketListed => Event::MarketListed(MarketListed { terms: read_market(reader)? }),
        K::MarketPaused => Event::MarketPaused(read_market_state(reader)?),
        K::MarketResumed => Event::MarketResumed(read_market_state(reader)?),
        K::AccountCreated => {
            Event::AccountCreated(AccountCreated { opening: read_opening(reader)? })
        }
        K::AccountStatusChanged => Event::AccountStatusChanged(AccountStatusChanged {
            account: reader.u32()?,
            from: tag(reader, AccountStatus::from_number)?,
            to: tag(reader, AccountStatus::from_number)?,
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
        K::OrderSubmitted => Event::OrderSubmitted(read_submitted(reader)?),
        K::OrderAccepted => {
            Event::OrderAccepted(OrderAccepted { order: read_back(reader, sequence)? })
        }
        K::OrderRejected => Event::OrderRejected(OrderRejected {
            order: read_back(reader, sequence)?,
            reason: tag(reader, Code::from_number)?,
            detail: read_detail(reader)?,
        }),
        K::OrderPartiallyFilled => Event::OrderPartiallyFilled(read_fill(reader, sequence)?),
        K::OrderFilled => Event::OrderFilled(read_fill(reader, sequence)?),
        K::OrderCanceled => Event::OrderCanceled(OrderEnded {
            order: read_back(reader, sequence)?,
            reason: tag(reader, Code::from_number)?,
        }),
        K::OrderExpired => Event::OrderExpired(OrderEnded {
            order: read_back(reader, sequence)?,
            reason: tag(reader, ExpiryReason::from_number)?,
        }),
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
            let command = tag(reader, CommandKind::from_number)?;
            let code = tag(reader, Code::from_number)?;
            let detail = read_detail(reader)?;
            let party = read_party(reader)?;
            Event::CommandRejected(CommandRejected { command, party, code, detail })
        }
        K::CommandCompleted => Event::CommandCompleted(CommandCompleted {
            command: tag(reader, CommandKind::from_number)?,
            party: read_party(reader)?,
        }),
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

fn read_margin<R>(
    reader: &mut Reader<'_>,
    sequence: u64,
    from_number: impl FnOnce(u8) -> Option<R>,
) -> Result<MarginMoved<R>, DecodeError> {
    let reason = tag(reader, from_number)?;
    Ok(MarginMoved { reason, order: read_back(reader, sequence)?, amount: reader.amount()? })
}
