//! Payloads of orders, trades, balances and refused commands (docs/spec/08, sections 3 to 5).
//!
//! Each is written from the scene behind the event, in the order of the catalogue.

use schema::{
    BalanceUpdated, CanceledBy, Code, CommandCompleted, CommandRejected, EventHead, ExpiryReason,
    Fill, MarginMoved, OrderEnded, OrderRejected, OrderState, OrderSubmitted, OrderTerms,
    OrderType, Party, Reference, TradeExecuted, TradeSettled,
};
use units::{Id, Ticks};

use super::fields::Fields;
use super::scene::{Scene, reserved_asset};

/// A payload, and the orders that it is about.
pub(super) type Payload = (Fields, Vec<Id>);

pub(super) fn order_submitted(
    scene: &mut Scene<'_>,
    at: EventHead,
    event: &OrderSubmitted,
) -> anyhow::Result<Payload> {
    let id = scene.id(at)?;
    let replaced = event.replaces.map(|order| scene.order(order).map(|order| order.id));
    let replaced = replaced.transpose()?;
    let is_market = event.order_type == OrderType::Market;
    // A waiting sell gets its bound when it triggers (D-97).
    let is_bound = event.trigger.is_none() || event.side == units::Side::Buy;
    let (account, symbol, price, bound, quantity) = match event.terms {
        OrderTerms::Checked { account, market, ticks, lots } => {
            let market = scene.market(market)?;
            let price = Some(market.price(ticks));
            // A market order that nobody stood opposite has no bound (D-15).
            let (price, bound) = match (is_market, ticks) {
                (false, _) => (price, None),
                (true, Ticks(0)) => (None, None),
                (true, _) => (None, price.filter(|_| is_bound)),
            };
            let symbol = market.terms.symbol.to_string();
            (scene.account(account)?, symbol, price, bound, (Some(market.quantity(lots)), None))
        }
        OrderTerms::Requested { account, symbol, price, quantity, by_quote } => {
            let quantity = if by_quote { (None, Some(quantity)) } else { (Some(quantity), None) };
            (account, scene.requested_symbol(&symbol), price, None, quantity)
        }
    };
    let fields = Fields::new()
        .text("order_id", id)
        .text("account_id", account)
        .text("symbol", symbol)
        .text("side", event.side.name())
        .text("type", event.order_type.name())
        .maybe("price", price)
        .maybe("quantity", quantity.0)
        .text("time_in_force", event.time_in_force.name())
        .maybe("client_order_id", event.client_order_id)
        .maybe_time("expire_at", event.expire_at)
        .flag("post_only", event.post_only)
        .flag("reduce_only", event.reduce_only)
        .text("self_trade", event.self_trade.name());
    let fields = match event.trigger {
        None => fields.null("trigger"),
        Some(trigger) => fields.object(
            "trigger",
            Fields::new()
                .text("kind", trigger.kind.name())
                .text("price", trigger.price)
                .text("source", trigger.source.name()),
        ),
    };
    let fields = fields
        .maybe("oco_with", event.oco_with)
        .maybe("position_side", event.position_side.map(schema::PositionSide::name))
        .maybe("replaces_order_id", replaced)
        .maybe("protection_price", bound)
        .maybe("quote_quantity", quantity.1);
    Ok((fields, std::iter::once(id).chain(replaced).collect()))
}

pub(super) fn order_accepted(scene: &mut Scene<'_>, order: u64) -> anyhow::Result<Payload> {
    let (_, market) = scene.place(order)?;
    let order = scene.order(order)?;
    let (id, reserved, side) = (order.id, order.reserved, order.side);
    let fields = Fields::new()
        .text("order_id", id)
        .text("state", OrderState::Pending.name())
        .text("margin_reserved", reserved)
        .text("margin_asset", scene.asset(reserved_asset(side, market))?);
    Ok((fields, vec![id]))
}

pub(super) fn order_rejected(
    scene: &mut Scene<'_>,
    event: &OrderRejected,
) -> anyhow::Result<Payload> {
    let id = scene.order(event.order)?.id;
    let fields = Fields::new()
        .text("order_id", id)
        .text("reason", event.reason.name())
        .text("message", event.detail);
    Ok((fields, vec![id]))
}

pub(super) fn order_partially_filled(
    scene: &mut Scene<'_>,
    fill: &Fill,
) -> anyhow::Result<Payload> {
    let (_, market) = scene.place(fill.order)?;
    let trade = scene.trade_now()?.id;
    let order = scene.order(fill.order)?;
    let fields = Fields::new()
        .text("order_id", order.id)
        .text("filled_quantity", market.quantity(order.filled))
        .text("remaining_quantity", market.quantity(order.remaining()))
        .maybe("average_price", order.average_price(market))
        .text("trade_id", trade)
        .text("margin_remaining", order.reserved);
    Ok((fields, vec![order.id]))
}

pub(super) fn order_filled(scene: &mut Scene<'_>, fill: &Fill) -> anyhow::Result<Payload> {
    let (_, market) = scene.place(fill.order)?;
    let trade = scene.trade_now()?.id;
    let order = scene.order(fill.order)?;
    let fields = Fields::new()
        .text("order_id", order.id)
        .text("filled_quantity", market.quantity(order.filled))
        .maybe("average_price", order.average_price(market))
        .maybe("total_value", market.value(order.units))
        .text("total_fee", order.fees)
        .text("trade_id", trade);
    Ok((fields, vec![order.id]))
}

pub(super) fn order_canceled(
    scene: &mut Scene<'_>,
    event: &OrderEnded<Code>,
) -> anyhow::Result<Payload> {
    let (_, market) = scene.place(event.order)?;
    let order = scene.order(event.order)?;
    let fields = Fields::new()
        .text("order_id", order.id)
        .text("canceled_by", CanceledBy::of(event.reason).name())
        .text("reason", event.reason.name())
        .text("filled_quantity", market.quantity(order.filled))
        .text("unfilled_quantity", market.quantity(order.remaining()));
    Ok((fields, vec![order.id]))
}

pub(super) fn order_expired(
    scene: &mut Scene<'_>,
    at: EventHead,
    event: &OrderEnded<ExpiryReason>,
) -> anyhow::Result<Payload> {
    let (_, market) = scene.place(event.order)?;
    let order = scene.order(event.order)?;
    let fields = Fields::new()
        .text("order_id", order.id)
        .time("expiry_time", at.timestamp)
        .text("filled_quantity", market.quantity(order.filled))
        .text("reason", event.reason.name())
        .text("unfilled_quantity", market.quantity(order.remaining()));
    Ok((fields, vec![order.id]))
}

/// MarginReserved and MarginReleased; the reason comes by name.
pub(super) fn margin_moved<R>(
    scene: &mut Scene<'_>,
    event: &MarginMoved<R>,
    reason: &str,
) -> anyhow::Result<Payload> {
    let (account, market) = scene.place(event.order)?;
    let order = scene.order(event.order)?;
    let (id, side) = (order.id, order.side);
    let fields = Fields::new()
        .text("account_id", scene.account(account)?)
        .text("amount", event.amount)
        .text("reason", reason)
        .text("order_id", id)
        .text("asset", scene.asset(reserved_asset(side, market))?)
        .null("position_id");
    Ok((fields, vec![id]))
}

pub(super) fn trade_executed(
    scene: &mut Scene<'_>,
    at: EventHead,
    event: &TradeExecuted,
) -> anyhow::Result<Payload> {
    let trade = *scene.trade_now()?;
    let (maker_account, _) = scene.place(event.maker)?;
    let (taker_account, market) = scene.place(event.taker)?;
    let side = scene.order(event.taker)?.side;
    let [maker, taker] = trade.orders;
    let fields = Fields::new()
        .text("trade_id", trade.id)
        .text("symbol", market.terms.symbol)
        .text("maker_order_id", maker)
        .text("taker_order_id", taker)
        .text("maker_account_id", scene.account(maker_account)?)
        .text("taker_account_id", scene.account(taker_account)?)
        .text("price", market.price(event.ticks))
        .text("quantity", market.quantity(event.lots))
        .text("side", side.name())
        .time("executed_at", at.timestamp);
    Ok((fields, trade.orders.to_vec()))
}

pub(super) fn trade_settled(
    scene: &Scene<'_>,
    at: EventHead,
    event: &TradeSettled,
) -> anyhow::Result<Payload> {
    let trade = scene.trade_now()?;
    anyhow::ensure!(trade.sequence == event.trade, "another trade is being settled");
    let asset = scene.asset(scene.market(trade.market)?.quote)?;
    let fields = Fields::new()
        .text("trade_id", trade.id)
        .text("maker_fee", event.maker_fee)
        .text("taker_fee", event.taker_fee)
        .time("settled_at", at.timestamp)
        .text("maker_fee_asset", asset)
        .text("taker_fee_asset", asset);
    Ok((fields, trade.orders.to_vec()))
}

/// Each posting shows the part of the balance that it moved, behind the event.
pub(super) fn balance_updated(
    scene: &mut Scene<'_>,
    event: &BalanceUpdated,
) -> anyhow::Result<Payload> {
    let (reference, orders) = match event.reference {
        Reference::Outside(id) => (id, Vec::new()),
        Reference::Event(sequence) => scene.referred(sequence)?,
    };
    let mut postings = Vec::with_capacity(event.postings().len());
    for posting in event.postings() {
        let fields = Fields::new()
            .text("account_id", scene.account(posting.account)?)
            .text("asset", scene.asset(posting.asset)?)
            .text("delta", posting.delta)
            .text("balance_after", scene.balance(posting))
            .text("bucket", posting.bucket.name());
        postings.push(fields);
    }
    let fields = Fields::new()
        .text("update_reason", event.reason.name())
        .text("reference_id", reference)
        .list("postings", postings);
    Ok((fields, orders))
}

pub(super) fn command_rejected(event: &CommandRejected) -> Fields {
    party(Fields::new().text("command_type", event.command.name()), &event.party)
        .text("code", event.code.name())
        .text("message", event.detail)
        .maybe("idempotency_key", event.party.idempotency_key)
}

pub(super) fn command_completed(event: &CommandCompleted) -> Fields {
    party(Fields::new().text("command_type", event.command.name()), &event.party)
        .maybe("idempotency_key", event.party.idempotency_key)
}

fn party(fields: Fields, party: &Party) -> Fields {
    fields.maybe("account_id", party.account).maybe("target_id", party.target)
}
