//! The stored form of the events of trading: balances, reservations, orders, trades.
//!
//! Most of these are written millions of times a second by the live kernel, which `small.rs` is for. A reference to an order or a trade is the distance back from the
//! event's own sequence, which is small for what is young. See `docs/formats/event.md`.

use alloc::vec::Vec;

use units::{Amount, Lots, Ticks};

use crate::event_codec::{Payload, read_detail, write_detail};
use crate::order_codec::{
    OrderStyle, order_style, read_style, read_trigger, request_style, write_trigger,
};
use crate::small::{Cursor, Small, write_small};
use crate::wire::{
    DecodeError, Reader, write_amount, write_id, write_label, write_time, write_u64,
};
use crate::{
    BalanceUpdated, Bucket, Code, ExpiryReason, Fill, HoldReason, MarginMoved, OrderAccepted,
    OrderEnded, OrderRejected, OrderRequest, OrderSubmitted, OrderTerms, PositionSide, Posting,
    Reference, ReleaseReason, SymbolRef, TradeExecuted, TradeSettled, UpdateReason,
};

/// How far back `target` lies: an event refers to itself or to an earlier one, from 1.
#[inline]
pub(crate) fn write_back(out: &mut Vec<u8>, sequence: u64, target: u64) {
    let distance = sequence.wrapping_sub(target);
    assert!(distance < sequence, "a reference goes back to an event");
    write_u64(out, distance);
}

#[inline]
pub(crate) fn read_back(reader: &mut Reader<'_>, sequence: u64) -> Result<u64, DecodeError> {
    let target = sequence.checked_sub(reader.u64()?).ok_or(DecodeError::BadNumber)?;
    if target == 0 { Err(DecodeError::BadNumber) } else { Ok(target) }
}

const EVENT_REFERENCE: u8 = 0x80;

impl Small for BalanceUpdated {
    #[inline]
    fn put(&self, at: &mut Cursor<'_>, sequence: u64) {
        match self.reference {
            Reference::Event(event) => {
                at.byte(self.reason.number() | EVENT_REFERENCE);
                at.back(sequence, event);
            }
            Reference::Outside(id) => {
                at.byte(self.reason.number());
                at.id(id);
            }
        }
        at.u64(self.postings().len() as u64);
        for posting in self.postings() {
            at.u64(u64::from(posting.account));
            at.u64(u64::from(posting.asset) << 1 | u64::from(posting.bucket.number()));
            at.amount(posting.delta);
        }
    }
}

pub(crate) fn read_balance_updated(
    reader: &mut Reader<'_>,
    sequence: u64,
) -> Result<BalanceUpdated, DecodeError> {
    let head = reader.u8()?;
    let reason = UpdateReason::from_number(head & !EVENT_REFERENCE).ok_or(DecodeError::BadTag)?;
    let reference = if head & EVENT_REFERENCE == 0 {
        Reference::Outside(reader.id()?)
    } else {
        Reference::Event(read_back(reader, sequence)?)
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

impl Small for MarginMoved<HoldReason> {
    #[inline]
    fn put(&self, at: &mut Cursor<'_>, sequence: u64) {
        at.byte(self.reason.number());
        at.back(sequence, self.order);
        at.amount(self.amount);
    }
}

impl Small for MarginMoved<ReleaseReason> {
    #[inline]
    fn put(&self, at: &mut Cursor<'_>, sequence: u64) {
        at.byte(self.reason.number());
        at.back(sequence, self.order);
        at.amount(self.amount);
    }
}

/// What is optional is announced by a varint of bits; those of an order that passed fit one byte.
const REQUESTED: u64 = 1;
const HAS_CLIENT_ID: u64 = 1 << 1;
const HAS_EXPIRY: u64 = 1 << 2;
const HAS_TRIGGER: u64 = 1 << 3;
const HAS_OCO: u64 = 1 << 4;
const HAS_POSITION_SIDE: u64 = 1 << 5;
const HAS_REPLACED: u64 = 1 << 6;
const SYMBOL_UNKNOWN: u64 = 1 << 7;
const HAS_PRICE: u64 = 1 << 8;
const BY_QUOTE: u64 = 1 << 9;
const HAS_END: u64 = 1 << 10;
/// What only a request carries.
const OF_REQUEST: u64 = SYMBOL_UNKNOWN | HAS_PRICE | BY_QUOTE;

/// OrderSubmitted of an order that passed its checks and has nothing that is optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainSubmitted {
    style: u8,
    account: u32,
    market: u32,
    ticks: Ticks,
    lots: Lots,
}

impl PlainSubmitted {
    /// The event of a request with these terms; `None` when the request has more to say than they do.
    #[must_use]
    #[inline]
    pub fn of(
        request: &OrderRequest,
        (account, market, ticks, lots): (u32, u32, Ticks, Lots),
    ) -> Option<Self> {
        let has_more = request.client_order_id.is_some()
            || request.expire_at.is_some()
            || request.trigger.is_some()
            || request.oco_with.is_some()
            || request.position_side.is_some();
        let style = request_style(request);
        (!has_more).then_some(Self { style, account, market, ticks, lots })
    }
}

impl Small for PlainSubmitted {
    #[inline]
    fn put(&self, at: &mut Cursor<'_>, _: u64) {
        at.byte(self.style);
        at.byte(0);
        at.u64(u64::from(self.account));
        at.u64(u64::from(self.market));
        at.u64(self.ticks.0);
        at.u64(self.lots.0);
    }
}

impl Payload for OrderSubmitted {
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        let flag = |set: bool, bit: u64| if set { bit } else { 0 };
        let mut has = flag(self.client_order_id.is_some(), HAS_CLIENT_ID)
            | flag(self.expire_at.is_some(), HAS_EXPIRY)
            | flag(self.trigger.is_some(), HAS_TRIGGER)
            | flag(self.oco_with.is_some(), HAS_OCO)
            | flag(self.position_side.is_some(), HAS_POSITION_SIDE)
            | flag(self.replaces.is_some(), HAS_REPLACED);
        if let OrderTerms::Requested { symbol, price, by_quote, .. } = &self.terms {
            has |= REQUESTED
                | flag(*by_quote, BY_QUOTE)
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
        out.push(style);
        write_u64(out, has);
        self.terms.write(out);
        if has & !(REQUESTED | OF_REQUEST) != 0 {
            self.write_extras(out, sequence);
        }
    }
}

impl OrderSubmitted {
    fn write_extras(&self, out: &mut Vec<u8>, sequence: u64) {
        if let Some(id) = &self.client_order_id {
            write_label(out, id);
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
        if let Some(replaced) = self.replaces {
            write_back(out, sequence, replaced);
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
            Self::Requested { account, symbol, price, quantity, by_quote: _ } => {
                write_id(out, *account);
                match symbol {
                    SymbolRef::Listed(number) => write_u64(out, u64::from(*number)),
                    SymbolRef::Unknown(text) => write_label(out, text),
                }
                if let Some(price) = price {
                    write_amount(out, *price);
                }
                write_amount(out, *quantity);
            }
        }
    }

    fn read(reader: &mut Reader<'_>, has: u64) -> Result<Self, DecodeError> {
        if has & REQUESTED == 0 {
            if has & OF_REQUEST != 0 {
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
        let price = if has & HAS_PRICE != 0 { Some(reader.amount()?) } else { None };
        let by_quote = has & BY_QUOTE != 0;
        Ok(Self::Requested { account, symbol, price, quantity: reader.amount()?, by_quote })
    }
}

pub(crate) fn read_submitted(
    reader: &mut Reader<'_>,
    sequence: u64,
) -> Result<OrderSubmitted, DecodeError> {
    let style = read_style(reader.u8()?)?;
    let has = reader.u64()?;
    if has >= HAS_END {
        return Err(DecodeError::BadTag);
    }
    let bit = |flag: u64| u8::from(has & flag != 0);
    Ok(OrderSubmitted {
        terms: OrderTerms::read(reader, has)?,
        side: style.side,
        order_type: style.order_type,
        time_in_force: style.time_in_force,
        post_only: style.post_only,
        reduce_only: style.reduce_only,
        self_trade: style.self_trade,
        client_order_id: reader.present(bit(HAS_CLIENT_ID), Reader::label)?,
        expire_at: reader.present(bit(HAS_EXPIRY), Reader::time)?,
        trigger: reader.present(bit(HAS_TRIGGER), read_trigger)?,
        oco_with: reader.present(bit(HAS_OCO), Reader::id)?,
        position_side: reader
            .present(bit(HAS_POSITION_SIDE), |reader| reader.tag(PositionSide::from_number))?,
        replaces: reader.present(bit(HAS_REPLACED), |reader| read_back(reader, sequence))?,
    })
}

impl Small for OrderAccepted {
    #[inline]
    fn put(&self, at: &mut Cursor<'_>, sequence: u64) {
        at.back(sequence, self.order);
    }
}

impl Payload for OrderRejected {
    /// # Panics
    /// On a reason that is not marked R (EVT-18).
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        assert!(self.reason.uses().rejects, "a code marked R (EVT-77)");
        write_back(out, sequence, self.order);
        out.push(self.reason.number());
        write_detail(out, &self.detail);
    }
}

pub(crate) fn read_rejected(
    reader: &mut Reader<'_>,
    sequence: u64,
) -> Result<OrderRejected, DecodeError> {
    let order = read_back(reader, sequence)?;
    let rejecting = |code: &Code| code.uses().rejects;
    let reason = reader.tag(|number| Code::from_number(number).filter(rejecting))?;
    Ok(OrderRejected { order, reason, detail: read_detail(reader)? })
}

impl Small for Fill {
    #[inline]
    fn put(&self, at: &mut Cursor<'_>, sequence: u64) {
        at.back(sequence, self.order);
        at.u64(self.ticks.0);
        at.u64(self.lots.0);
        at.amount(self.fee);
    }
}

pub(crate) fn read_fill(reader: &mut Reader<'_>, sequence: u64) -> Result<Fill, DecodeError> {
    let order = read_back(reader, sequence)?;
    Ok(Fill { order, ticks: reader.ticks()?, lots: reader.lots()?, fee: reader.amount()? })
}

/// The code of a number, if it is one marked C (EVT-19).
pub(crate) fn cancel_reason(number: u8) -> Option<Code> {
    Code::from_number(number).filter(|code| code.uses().cancels)
}

impl Small for OrderEnded<Code> {
    /// # Panics
    /// On a reason that is not marked C (EVT-19).
    #[inline]
    fn put(&self, at: &mut Cursor<'_>, sequence: u64) {
        assert!(self.reason.uses().cancels, "a code marked C (EVT-77)");
        at.back(sequence, self.order);
        at.byte(self.reason.number());
    }
}

impl Small for OrderEnded<ExpiryReason> {
    #[inline]
    fn put(&self, at: &mut Cursor<'_>, sequence: u64) {
        at.back(sequence, self.order);
        at.byte(self.reason.number());
    }
}

pub(crate) fn read_ended<R>(
    reader: &mut Reader<'_>,
    sequence: u64,
    from_number: impl FnOnce(u8) -> Option<R>,
) -> Result<OrderEnded<R>, DecodeError> {
    Ok(OrderEnded { order: read_back(reader, sequence)?, reason: reader.tag(from_number)? })
}

impl Small for TradeExecuted {
    #[inline]
    fn put(&self, at: &mut Cursor<'_>, sequence: u64) {
        at.back(sequence, self.maker);
        at.back(sequence, self.taker);
        at.u64(self.ticks.0);
        at.u64(self.lots.0);
    }
}

impl Small for TradeSettled {
    #[inline]
    fn put(&self, at: &mut Cursor<'_>, sequence: u64) {
        at.back(sequence, self.trade);
        at.amount(self.maker_fee);
        at.amount(self.taker_fee);
    }
}

/// A small payload is written the same way wherever it goes.
macro_rules! payload_of_small {
    ($($name:ty),+) => {
        $(impl Payload for $name {
            fn write(&self, out: &mut Vec<u8>, sequence: u64) {
                write_small(out, self, sequence);
            }
        })+
    };
}

payload_of_small!(
    BalanceUpdated,
    MarginMoved<HoldReason>,
    MarginMoved<ReleaseReason>,
    OrderAccepted,
    Fill,
    OrderEnded<Code>,
    OrderEnded<ExpiryReason>,
    TradeExecuted,
    TradeSettled
);

pub(crate) fn read_margin<R>(
    reader: &mut Reader<'_>,
    sequence: u64,
    from_number: impl FnOnce(u8) -> Option<R>,
) -> Result<MarginMoved<R>, DecodeError> {
    let reason = reader.tag(from_number)?;
    Ok(MarginMoved { reason, order: read_back(reader, sequence)?, amount: reader.amount()? })
}
