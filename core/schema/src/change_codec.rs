//! The stored form of what changes: orders that shrink or are replaced, markets paused and set anew,
//! rates, profiles, transfers, countdowns; the commands that ask for it and the events that tell it.
//! See `docs/formats/command.md` and `docs/formats/event.md`.

use alloc::vec::Vec;

use crate::event_codec::Payload;
use crate::order_codec::{read_order, write_order};
use crate::terms_codec::{read_tiers, write_tiers};
use crate::trading_codec::{read_back, write_back};
use crate::wire::{
    DecodeError, Reader, write_amount, write_i64, write_id, write_label, write_option, write_time,
    write_u64,
};
use crate::{
    AccountProfileChanged, AccountRates, AccountTransferred, ApiClass, AssetRef, CancelAllOrders,
    CancelOrder, CountdownCancel, CountdownCancelChanged, FeeKind, FeeSchedule, FeeScheduleChanged,
    FeeTierChanged, MarketChange, MarketParameters, MarketParametersChanged, OrderReduced,
    OrderTier, OrderTriggered, ParameterChange, ProfileChange, RatesChange, ReduceOrder,
    ReduceReason, ReplaceOrder, RiskTier, SymbolRef, Transfer, WaiverReason,
};

pub(crate) fn write_asset_ref(out: &mut Vec<u8>, asset: &AssetRef) {
    match asset {
        AssetRef::Listed(number) => {
            out.push(0);
            write_u64(out, u64::from(*number));
        }
        AssetRef::Unknown(text) => {
            out.push(1);
            write_label(out, text);
        }
    }
}

pub(crate) fn read_asset_ref(reader: &mut Reader<'_>) -> Result<AssetRef, DecodeError> {
    Ok(if reader.flag()? {
        AssetRef::Unknown(reader.label()?)
    } else {
        AssetRef::Listed(reader.u32()?)
    })
}

fn write_symbol(out: &mut Vec<u8>, symbol: &SymbolRef) {
    match symbol {
        SymbolRef::Listed(number) => {
            out.push(0);
            write_u64(out, u64::from(*number));
        }
        SymbolRef::Unknown(text) => {
            out.push(1);
            write_label(out, text);
        }
    }
}

fn read_symbol(reader: &mut Reader<'_>) -> Result<SymbolRef, DecodeError> {
    Ok(if reader.flag()? {
        SymbolRef::Unknown(reader.label()?)
    } else {
        SymbolRef::Listed(reader.u32()?)
    })
}

pub(crate) fn write_cancel(out: &mut Vec<u8>, cancel: &CancelOrder) {
    write_id(out, cancel.account);
    write_id(out, cancel.order);
    write_option(out, cancel.state_seq, write_u64);
}

pub(crate) fn read_cancel(reader: &mut Reader<'_>) -> Result<CancelOrder, DecodeError> {
    Ok(CancelOrder {
        account: reader.id()?,
        order: reader.id()?,
        state_seq: reader.option(Reader::u64)?,
    })
}

pub(crate) fn write_reduce(out: &mut Vec<u8>, reduce: &ReduceOrder) {
    write_id(out, reduce.account);
    write_id(out, reduce.order);
    write_amount(out, reduce.quantity);
    write_option(out, reduce.state_seq, write_u64);
}

pub(crate) fn read_reduce(reader: &mut Reader<'_>) -> Result<ReduceOrder, DecodeError> {
    Ok(ReduceOrder {
        account: reader.id()?,
        order: reader.id()?,
        quantity: reader.amount()?,
        state_seq: reader.option(Reader::u64)?,
    })
}

pub(crate) fn write_replace(out: &mut Vec<u8>, replace: &ReplaceOrder) {
    write_id(out, replace.order);
    write_option(out, replace.state_seq, write_u64);
    write_order(out, &replace.request);
}

pub(crate) fn read_replace(reader: &mut Reader<'_>) -> Result<ReplaceOrder, DecodeError> {
    Ok(ReplaceOrder {
        order: reader.id()?,
        state_seq: reader.option(Reader::u64)?,
        request: read_order(reader)?,
    })
}

pub(crate) fn write_cancel_all(out: &mut Vec<u8>, cancel: &CancelAllOrders) {
    write_id(out, cancel.account);
    write_option(out, cancel.symbol.as_ref(), write_symbol);
}

pub(crate) fn read_cancel_all(reader: &mut Reader<'_>) -> Result<CancelAllOrders, DecodeError> {
    Ok(CancelAllOrders { account: reader.id()?, symbol: reader.option(read_symbol)? })
}

pub(crate) fn write_countdown(out: &mut Vec<u8>, countdown: &CountdownCancel) {
    write_id(out, countdown.account);
    write_u64(out, countdown.timeout);
}

pub(crate) fn read_countdown(reader: &mut Reader<'_>) -> Result<CountdownCancel, DecodeError> {
    Ok(CountdownCancel { account: reader.id()?, timeout: reader.u64()? })
}

pub(crate) fn write_transfer(out: &mut Vec<u8>, transfer: &Transfer) {
    write_id(out, transfer.from);
    write_id(out, transfer.to);
    write_asset_ref(out, &transfer.asset);
    write_amount(out, transfer.amount);
}

pub(crate) fn read_transfer(reader: &mut Reader<'_>) -> Result<Transfer, DecodeError> {
    Ok(Transfer {
        from: reader.id()?,
        to: reader.id()?,
        asset: read_asset_ref(reader)?,
        amount: reader.amount()?,
    })
}

pub(crate) fn write_market_change(out: &mut Vec<u8>, change: &MarketChange) {
    write_symbol(out, &change.symbol);
    write_label(out, &change.reason);
    write_label(out, &change.actor);
}

pub(crate) fn read_market_change(reader: &mut Reader<'_>) -> Result<MarketChange, DecodeError> {
    Ok(MarketChange {
        symbol: read_symbol(reader)?,
        reason: reader.label()?,
        actor: reader.label()?,
    })
}

const MIN_PRICE: u8 = 1;
const MAX_PRICE: u8 = 1 << 1;
const MIN_QUANTITY: u8 = 1 << 2;
const MAX_QUANTITY: u8 = 1 << 3;
const PROTECTION_BOUND: u8 = 1 << 4;
const PRICE_BAND: u8 = 1 << 5;
const OPEN_ORDERS_MAX: u8 = 1 << 6;
const PARAMETERS_END: u8 = 1 << 7;

fn write_parameters(out: &mut Vec<u8>, new: &MarketParameters) {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    out.push(
        flag(new.min_price.is_some(), MIN_PRICE)
            | flag(new.max_price.is_some(), MAX_PRICE)
            | flag(new.min_quantity.is_some(), MIN_QUANTITY)
            | flag(new.max_quantity.is_some(), MAX_QUANTITY)
            | flag(new.protection_bound.is_some(), PROTECTION_BOUND)
            | flag(new.price_band.is_some(), PRICE_BAND)
            | flag(new.open_orders_max.is_some(), OPEN_ORDERS_MAX),
    );
    let steps = [
        new.min_price.map(|price| price.0),
        new.max_price.map(|price| price.0),
        new.min_quantity.map(|lots| lots.0),
        new.max_quantity.map(|lots| lots.0),
    ];
    for step in steps.into_iter().flatten() {
        write_u64(out, step);
    }
    if let Some(bound) = new.protection_bound {
        write_i64(out, bound.0);
    }
    if let Some(band) = new.price_band {
        write_option(out, band, |out, band| write_i64(out, band.0));
    }
    if let Some(count) = new.open_orders_max {
        write_u64(out, u64::from(count));
    }
}

fn read_parameters(reader: &mut Reader<'_>) -> Result<MarketParameters, DecodeError> {
    let has = reader.u8()?;
    if has >= PARAMETERS_END {
        return Err(DecodeError::BadTag);
    }
    Ok(MarketParameters {
        min_price: reader.present(has & MIN_PRICE, Reader::ticks)?,
        max_price: reader.present(has & MAX_PRICE, Reader::ticks)?,
        min_quantity: reader.present(has & MIN_QUANTITY, Reader::lots)?,
        max_quantity: reader.present(has & MAX_QUANTITY, Reader::lots)?,
        protection_bound: reader.present(has & PROTECTION_BOUND, Reader::rate)?,
        price_band: reader.present(has & PRICE_BAND, |reader| reader.option(Reader::rate))?,
        open_orders_max: reader.present(has & OPEN_ORDERS_MAX, Reader::u32)?,
    })
}

pub(crate) fn write_parameter_change(out: &mut Vec<u8>, change: &ParameterChange) {
    write_symbol(out, &change.symbol);
    write_parameters(out, &change.parameters);
}

pub(crate) fn read_parameter_change(
    reader: &mut Reader<'_>,
) -> Result<ParameterChange, DecodeError> {
    Ok(ParameterChange { symbol: read_symbol(reader)?, parameters: read_parameters(reader)? })
}

pub(crate) fn write_schedule(out: &mut Vec<u8>, schedule: &FeeSchedule) {
    write_tiers(out, &schedule.tiers);
    write_option(out, schedule.effective_at, write_time);
}

pub(crate) fn read_schedule(reader: &mut Reader<'_>) -> Result<FeeSchedule, DecodeError> {
    Ok(FeeSchedule { tiers: read_tiers(reader)?, effective_at: reader.option(Reader::time)? })
}

pub(crate) fn write_rates_change(out: &mut Vec<u8>, change: &RatesChange) {
    write_id(out, change.account);
    match change.rates {
        AccountRates::Volume => out.push(FeeKind::Volume.number()),
        AccountRates::Own { maker, taker } => {
            out.push(FeeKind::Vip.number());
            write_i64(out, maker.0);
            write_i64(out, taker.0);
        }
        AccountRates::Waiver { reason, ends_at } => {
            out.extend_from_slice(&[FeeKind::Waiver.number(), reason.number()]);
            write_option(out, ends_at, write_time);
        }
    }
    write_option(out, change.effective_at, write_time);
}

pub(crate) fn read_rates_change(reader: &mut Reader<'_>) -> Result<RatesChange, DecodeError> {
    Ok(RatesChange {
        account: reader.id()?,
        rates: match reader.tag(FeeKind::from_number)? {
            FeeKind::Volume => AccountRates::Volume,
            FeeKind::Vip => AccountRates::Own { maker: reader.rate()?, taker: reader.rate()? },
            FeeKind::Waiver => AccountRates::Waiver {
                reason: reader.tag(WaiverReason::from_number)?,
                ends_at: reader.option(Reader::time)?,
            },
        },
        effective_at: reader.option(Reader::time)?,
    })
}

pub(crate) fn write_profile_change(out: &mut Vec<u8>, change: &ProfileChange) {
    write_id(out, change.account);
    out.push(change.kyc_tier);
    write_label(out, &change.jurisdiction);
    out.extend_from_slice(&[
        change.risk_tier.number(),
        change.order_tier.number(),
        change.api_class.number(),
        u8::from(change.fee_in_token),
    ]);
}

pub(crate) fn read_profile_change(reader: &mut Reader<'_>) -> Result<ProfileChange, DecodeError> {
    Ok(ProfileChange {
        account: reader.id()?,
        kyc_tier: reader.u8()?,
        jurisdiction: reader.label()?,
        risk_tier: reader.tag(RiskTier::from_number)?,
        order_tier: reader.tag(OrderTier::from_number)?,
        api_class: reader.tag(ApiClass::from_number)?,
        fee_in_token: reader.flag()?,
    })
}

impl Payload for MarketParametersChanged {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_u64(out, u64::from(self.market));
        write_parameters(out, &self.parameters);
    }
}

pub(crate) fn read_parameters_changed(
    reader: &mut Reader<'_>,
) -> Result<MarketParametersChanged, DecodeError> {
    Ok(MarketParametersChanged { market: reader.u32()?, parameters: read_parameters(reader)? })
}

impl Payload for FeeScheduleChanged {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_tiers(out, &self.tiers);
        write_time(out, self.effective_at);
    }
}

pub(crate) fn read_schedule_changed(
    reader: &mut Reader<'_>,
) -> Result<FeeScheduleChanged, DecodeError> {
    Ok(FeeScheduleChanged { tiers: read_tiers(reader)?, effective_at: reader.time()? })
}

impl Payload for FeeTierChanged {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_u64(out, u64::from(self.account));
        write_amount(out, self.volume_30d);
        out.extend_from_slice(&[self.old_tier, self.new_tier]);
        write_i64(out, self.maker.0);
        write_i64(out, self.taker.0);
        out.push(self.kind.number());
        write_time(out, self.effective_at);
        write_option(out, self.ends_at, write_time);
        write_option(out, self.reason, |out, reason| out.push(reason.number()));
    }
}

pub(crate) fn read_tier_changed(reader: &mut Reader<'_>) -> Result<FeeTierChanged, DecodeError> {
    Ok(FeeTierChanged {
        account: reader.u32()?,
        volume_30d: reader.amount()?,
        old_tier: reader.u8()?,
        new_tier: reader.u8()?,
        maker: reader.rate()?,
        taker: reader.rate()?,
        kind: reader.tag(FeeKind::from_number)?,
        effective_at: reader.time()?,
        ends_at: reader.option(Reader::time)?,
        reason: reader.option(|reader| reader.tag(WaiverReason::from_number))?,
    })
}

impl Payload for AccountProfileChanged {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_u64(out, u64::from(self.account));
        out.push(self.kyc_tier);
        write_label(out, &self.jurisdiction);
        out.extend_from_slice(&[
            self.risk_tier.number(),
            self.order_tier.number(),
            self.api_class.number(),
            u8::from(self.fee_in_token),
        ]);
    }
}

pub(crate) fn read_profile_changed(
    reader: &mut Reader<'_>,
) -> Result<AccountProfileChanged, DecodeError> {
    Ok(AccountProfileChanged {
        account: reader.u32()?,
        kyc_tier: reader.u8()?,
        jurisdiction: reader.label()?,
        risk_tier: reader.tag(RiskTier::from_number)?,
        order_tier: reader.tag(OrderTier::from_number)?,
        api_class: reader.tag(ApiClass::from_number)?,
        fee_in_token: reader.flag()?,
    })
}

impl Payload for AccountTransferred {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        for number in [self.from, self.to, self.asset] {
            write_u64(out, u64::from(number));
        }
        write_amount(out, self.amount);
    }
}

pub(crate) fn read_transferred(reader: &mut Reader<'_>) -> Result<AccountTransferred, DecodeError> {
    Ok(AccountTransferred {
        from: reader.u32()?,
        to: reader.u32()?,
        asset: reader.u32()?,
        amount: reader.amount()?,
    })
}

impl Payload for CountdownCancelChanged {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_u64(out, u64::from(self.account));
        write_option(out, self.deadline, write_time);
    }
}

pub(crate) fn read_countdown_changed(
    reader: &mut Reader<'_>,
) -> Result<CountdownCancelChanged, DecodeError> {
    Ok(CountdownCancelChanged { account: reader.u32()?, deadline: reader.option(Reader::time)? })
}

impl Payload for OrderReduced {
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        write_back(out, sequence, self.order);
        write_u64(out, self.total.0);
        out.push(self.reason.number());
    }
}

pub(crate) fn read_reduced(
    reader: &mut Reader<'_>,
    sequence: u64,
) -> Result<OrderReduced, DecodeError> {
    Ok(OrderReduced {
        order: read_back(reader, sequence)?,
        total: reader.lots()?,
        reason: reader.tag(ReduceReason::from_number)?,
    })
}

impl Payload for OrderTriggered {
    fn write(&self, out: &mut Vec<u8>, sequence: u64) {
        write_back(out, sequence, self.order);
        write_u64(out, self.observed.0);
    }
}

pub(crate) fn read_triggered(
    reader: &mut Reader<'_>,
    sequence: u64,
) -> Result<OrderTriggered, DecodeError> {
    Ok(OrderTriggered { order: read_back(reader, sequence)?, observed: reader.ticks()? })
}
