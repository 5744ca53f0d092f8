//! The stored form of an order request, and the parts that its event has in common with it.
//!
//! Side, type, time in force, flags and self-trade rule fill one byte exactly, so every style byte
//! is a style. What is optional is announced by one byte of bits. See `docs/formats/command.md`.

use alloc::vec::Vec;

use units::Side;

use crate::wire::{
    DecodeError, Reader, write_amount, write_id, write_label, write_time, write_u64,
};
use crate::{
    OrderRequest, OrderType, PositionSide, SelfTrade, SymbolRef, TimeInForce, Trigger, TriggerKind,
    TriggerSource,
};

/// Side, type, time in force and flags of an order in one byte.
#[inline]
pub(crate) fn order_style(request: &OrderStyle) -> u8 {
    u8::from(request.side == Side::Sell)
        | request.order_type.number() << 1
        | request.time_in_force.number() << 2
        | u8::from(request.post_only) << 4
        | u8::from(request.reduce_only) << 5
        | request.self_trade.number() << 6
}

/// The style byte of a request.
#[inline]
pub(crate) fn request_style(request: &OrderRequest) -> u8 {
    order_style(&OrderStyle {
        side: request.side,
        order_type: request.order_type,
        time_in_force: request.time_in_force,
        post_only: request.post_only,
        reduce_only: request.reduce_only,
        self_trade: request.self_trade,
    })
}

/// What `order_style` packs.
pub(crate) struct OrderStyle {
    pub(crate) side: Side,
    pub(crate) order_type: OrderType,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) post_only: bool,
    pub(crate) reduce_only: bool,
    pub(crate) self_trade: SelfTrade,
}

/// What a style byte says. Every byte is a style: each field fills its bits.
#[inline]
pub(crate) fn read_style(style: u8) -> Result<OrderStyle, DecodeError> {
    Ok(OrderStyle {
        side: if style & 1 == 0 { Side::Buy } else { Side::Sell },
        order_type: OrderType::from_number(style >> 1 & 1).ok_or(DecodeError::BadTag)?,
        time_in_force: TimeInForce::from_number(style >> 2 & 3).ok_or(DecodeError::BadTag)?,
        post_only: style >> 4 & 1 == 1,
        reduce_only: style >> 5 & 1 == 1,
        self_trade: SelfTrade::from_number(style >> 6).ok_or(DecodeError::BadTag)?,
    })
}

const HAS_PRICE: u8 = 1;
const HAS_CLIENT_ID: u8 = 1 << 1;
const HAS_EXPIRY: u8 = 1 << 2;
const HAS_TRIGGER: u8 = 1 << 3;
const HAS_OCO: u8 = 1 << 4;
const HAS_POSITION_SIDE: u8 = 1 << 5;
const SYMBOL_UNKNOWN: u8 = 1 << 6;
const BY_QUOTE: u8 = 1 << 7;

#[inline]
pub(crate) fn write_order(out: &mut Vec<u8>, request: &OrderRequest) {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    out.push(request_style(request));
    out.push(
        flag(request.price.is_some(), HAS_PRICE)
            | flag(request.client_order_id.is_some(), HAS_CLIENT_ID)
            | flag(request.expire_at.is_some(), HAS_EXPIRY)
            | flag(request.trigger.is_some(), HAS_TRIGGER)
            | flag(request.oco_with.is_some(), HAS_OCO)
            | flag(request.position_side.is_some(), HAS_POSITION_SIDE)
            | flag(matches!(request.symbol, SymbolRef::Unknown(_)), SYMBOL_UNKNOWN)
            | flag(request.by_quote, BY_QUOTE),
    );
    write_id(out, request.account);
    match &request.symbol {
        SymbolRef::Listed(number) => write_u64(out, u64::from(*number)),
        SymbolRef::Unknown(text) => write_label(out, text),
    }
    write_amount(out, request.quantity);
    if let Some(price) = request.price {
        write_amount(out, price);
    }
    if let Some(id) = &request.client_order_id {
        write_label(out, id);
    }
    if let Some(time) = request.expire_at {
        write_time(out, time);
    }
    if let Some(trigger) = &request.trigger {
        write_trigger(out, trigger);
    }
    if let Some(other) = request.oco_with {
        write_id(out, other);
    }
    if let Some(side) = request.position_side {
        out.push(side.number());
    }
}

pub(crate) fn write_trigger(out: &mut Vec<u8>, trigger: &Trigger) {
    out.extend_from_slice(&[trigger.kind.number(), trigger.source.number()]);
    write_amount(out, trigger.price);
}

pub(crate) fn read_trigger(reader: &mut Reader<'_>) -> Result<Trigger, DecodeError> {
    Ok(Trigger {
        kind: reader.tag(TriggerKind::from_number)?,
        source: reader.tag(TriggerSource::from_number)?,
        price: reader.amount()?,
    })
}

#[inline]
pub(crate) fn read_order(reader: &mut Reader<'_>) -> Result<OrderRequest, DecodeError> {
    let [style, has] = reader.array()?;
    let style = read_style(style)?;
    let account = reader.id()?;
    let symbol = if has & SYMBOL_UNKNOWN != 0 {
        SymbolRef::Unknown(reader.label()?)
    } else {
        SymbolRef::Listed(reader.u32()?)
    };
    let quantity = reader.amount()?;
    Ok(OrderRequest {
        account,
        symbol,
        quantity,
        by_quote: has & BY_QUOTE != 0,
        side: style.side,
        order_type: style.order_type,
        time_in_force: style.time_in_force,
        post_only: style.post_only,
        reduce_only: style.reduce_only,
        self_trade: style.self_trade,
        price: reader.present(has & HAS_PRICE, Reader::amount)?,
        client_order_id: reader.present(has & HAS_CLIENT_ID, Reader::label)?,
        expire_at: reader.present(has & HAS_EXPIRY, Reader::time)?,
        trigger: reader.present(has & HAS_TRIGGER, read_trigger)?,
        oco_with: reader.present(has & HAS_OCO, Reader::id)?,
        position_side: reader
            .present(has & HAS_POSITION_SIDE, |reader| reader.tag(PositionSide::from_number))?,
    })
}
