//! Payloads of what changes: orders that shrink or trigger, parameters of markets, rates, profiles,
//! transfers, countdowns (docs/spec/08, sections 3, 5 and 8).
//!
//! Each is written from the scene behind the event, in the order of the catalogue; what was before the
//! event the scene has kept.

use std::fmt::Display;

use super::fields::{Fields, Value};
use super::registry::tier;
use super::scene::{Scene, price_of, quantity_of};
use super::trading::Payload;
use schema::{
    AccountProfileChanged, AccountTransferred, CountdownCancelChanged, EventHead, FeeRefunded,
    FeeScheduleChanged, FeeTierChanged, MarketParameters, MarketParametersChanged, MarketTerms,
    OrderReduced, OrderTriggered,
};

pub(super) fn order_reduced(
    scene: &mut Scene<'_>,
    event: &OrderReduced,
) -> anyhow::Result<Payload> {
    let (_, market) = scene.place(event.order)?;
    let order = scene.order(event.order)?;
    let fields = Fields::new()
        .text("order_id", order.id)
        .text("old_quantity", market.quantity(order.total_before))
        .text("new_quantity", market.quantity(order.total))
        .text("remaining_quantity", market.quantity(order.remaining()))
        .text("reason", event.reason.name());
    Ok((fields, vec![order.id]))
}

pub(super) fn order_triggered(
    scene: &mut Scene<'_>,
    event: &OrderTriggered,
) -> anyhow::Result<Payload> {
    let (_, market) = scene.place(event.order)?;
    let order = scene.order(event.order)?;
    let Some(trigger) = order.trigger else {
        anyhow::bail!("order {} waits for nothing", order.id);
    };
    let fields = Fields::new()
        .text("order_id", order.id)
        .text("trigger_source", trigger.source.name())
        .text("trigger_price", trigger.price)
        .text("observed_price", market.price(event.observed));
    Ok((fields, vec![order.id]))
}

pub(super) fn account_transferred(
    scene: &Scene<'_>,
    at: EventHead,
    event: &AccountTransferred,
) -> anyhow::Result<Fields> {
    Ok(Fields::new()
        .text("transfer_id", scene.id(at)?)
        .text("from_account_id", scene.account(event.from)?)
        .text("to_account_id", scene.account(event.to)?)
        .text("asset", scene.asset(event.asset)?)
        .text("amount", event.amount))
}

pub(super) fn fee_refunded(scene: &Scene<'_>, event: &FeeRefunded) -> anyhow::Result<Fields> {
    Ok(Fields::new()
        .text("trade_id", event.trade)
        .text("account_id", scene.account(event.account)?)
        .text("asset", scene.asset(event.asset)?)
        .text("fee", event.fee)
        .text("amount", event.amount)
        .text("reason", event.reason.name())
        .text("actor", event.actor))
}

pub(super) fn countdown_changed(
    scene: &Scene<'_>,
    event: &CountdownCancelChanged,
) -> anyhow::Result<Fields> {
    Ok(Fields::new()
        .text("account_id", scene.account(event.account)?)
        .maybe_time("deadline", event.deadline))
}

pub(super) fn profile_changed(
    scene: &Scene<'_>,
    event: &AccountProfileChanged,
) -> anyhow::Result<Fields> {
    Ok(Fields::new()
        .text("account_id", scene.account(event.account)?)
        .count("kyc_tier", event.kyc_tier)
        .text("jurisdiction", event.jurisdiction)
        .text("risk_tier", event.risk_tier.name())
        .text("order_tier", event.order_tier.name())
        .text("api_class", event.api_class.name())
        .flag("fee_in_token", event.fee_in_token))
}

pub(super) fn tier_changed(scene: &Scene<'_>, event: &FeeTierChanged) -> anyhow::Result<Fields> {
    Ok(Fields::new()
        .text("account_id", scene.account(event.account)?)
        .text("volume_30d", event.volume_30d)
        .count("old_tier", event.old_tier)
        .count("new_tier", event.new_tier)
        .text("maker_rate", event.maker)
        .text("taker_rate", event.taker)
        .text("kind", event.kind.name())
        .time("effective_at", event.effective_at)
        .maybe_time("ends_at", event.ends_at)
        .maybe("waiver_reason", event.reason.map(schema::WaiverReason::name)))
}

pub(super) fn schedule_changed(event: &FeeScheduleChanged) -> Fields {
    Fields::new()
        .list("tiers", event.tiers.iter().map(tier))
        .null("withdrawal_fees")
        .time("effective_at", event.effective_at)
}

/// Each parameter that the event sets, with the market's value before it and the new one.
pub(super) fn parameters_changed(
    scene: &Scene<'_>,
    at: EventHead,
    event: &MarketParametersChanged,
) -> anyhow::Result<Fields> {
    let before = scene.terms_before(event.market)?;
    let pair = |old, new| Fields::new().with("old", old).with("new", new);
    let changed = set_parameters(before, &event.parameters);
    let changed = changed
        .into_iter()
        .fold(Fields::new(), |fields, (name, old, new)| fields.object(name, pair(old, new)));
    Ok(Fields::new()
        .text("symbol", before.symbol)
        .object("changed", changed)
        .time("effective_at", at.timestamp))
}

/// The parameters that are set: the name, the value that these terms have, and the new one.
pub(super) fn set_parameters(
    terms: &MarketTerms,
    new: &MarketParameters,
) -> Vec<(&'static str, Value, Value)> {
    let is_set = [
        new.min_price.is_some(),
        new.max_price.is_some(),
        new.min_quantity.is_some(),
        new.max_quantity.is_some(),
        new.protection_bound.is_some(),
        new.price_band.is_some(),
        new.open_orders_max.is_some(),
    ];
    let pairs = values_of(terms).into_iter().zip(values_of(&new.applied(terms.clone())));
    let set = pairs.zip(is_set).filter(|(_, is_set)| *is_set);
    set.map(|(((name, old), (_, new)), _)| (name, old, new)).collect()
}

/// The parameters that may change while a market trades, by the names of MarketListed.
fn values_of(terms: &MarketTerms) -> [(&'static str, Value); 7] {
    [
        ("min_price", text(price_of(terms, terms.min_price))),
        ("max_price", text(price_of(terms, terms.max_price))),
        ("min_quantity", text(quantity_of(terms, terms.min_quantity))),
        ("max_quantity", text(quantity_of(terms, terms.max_quantity))),
        ("protection_bound", text(terms.protection_bound)),
        ("price_band", terms.price_band.map_or(Value::Null, text)),
        ("open_orders_max", Value::Count(terms.open_orders_max.into())),
    ]
}

fn text(value: impl Display) -> Value {
    Value::Text(value.to_string())
}
