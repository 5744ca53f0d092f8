//! From an event to its payload: one line for each type.

use schema::{Event, EventHead};

use super::scene::Scene;
use super::trading::{self, Payload};
use super::{changes, registry};

/// The payload of an event that the scene has just passed.
pub(super) fn payload(
    scene: &mut Scene<'_>,
    at: EventHead,
    event: &Event,
) -> anyhow::Result<Payload> {
    match event {
        Event::OrderSubmitted(event) => trading::order_submitted(scene, at, event),
        Event::OrderAccepted(event) => trading::order_accepted(scene, event.order),
        Event::OrderRejected(event) => trading::order_rejected(scene, event),
        Event::OrderPartiallyFilled(fill) => trading::order_partially_filled(scene, fill),
        Event::OrderFilled(fill) => trading::order_filled(scene, fill),
        Event::OrderCanceled(event) => trading::order_canceled(scene, event),
        Event::OrderExpired(event) => trading::order_expired(scene, at, event),
        Event::MarginReserved(event) => trading::margin_moved(scene, event, event.reason.name()),
        Event::MarginReleased(event) => trading::margin_moved(scene, event, event.reason.name()),
        Event::TradeExecuted(event) => trading::trade_executed(scene, at, event),
        Event::TradeSettled(event) => trading::trade_settled(scene, at, event),
        Event::BalanceUpdated(event) => trading::balance_updated(scene, event),
        Event::OrderReduced(event) => changes::order_reduced(scene, event),
        Event::OrderTriggered(event) => changes::order_triggered(scene, event),
        other => Ok((registered(scene, at, other)?, Vec::new())),
    }
}

fn registered(scene: &Scene<'_>, at: EventHead, event: &Event) -> anyhow::Result<super::Fields> {
    Ok(match event {
        Event::GenesisRecorded(event) => registry::genesis_recorded(event),
        Event::LeaderChanged(event) => registry::leader_changed(event),
        Event::StateHashRecorded(event) => registry::state_hash(event),
        Event::SnapshotTaken(event) => registry::snapshot(event),
        Event::ClockStatusChanged(event) => registry::clock_status(event),
        Event::InvariantViolated(event) => registry::invariant_violated(event),
        Event::TradingHalted(event) => registry::trading_halted(event),
        Event::TradingResumed(event) => registry::trading_resumed(event),
        Event::AssetListed(event) => registry::asset_listed(at, event),
        Event::MarketListed(event) => registry::market_listed(scene, event),
        Event::MarketPaused(event) | Event::MarketResumed(event) => {
            registry::market_state(scene, event)?
        }
        Event::AccountCreated(event) => registry::account_created(scene, at, event)?,
        Event::AccountStatusChanged(event) => registry::account_status(scene, event)?,
        Event::CommandRejected(event) => trading::command_rejected(event),
        Event::CommandCompleted(event) => trading::command_completed(event),
        Event::MarketParametersChanged(event) => changes::parameters_changed(scene, at, event)?,
        Event::FeeScheduleChanged(event) => changes::schedule_changed(event),
        Event::FeeTierChanged(event) => changes::tier_changed(scene, event)?,
        Event::AccountProfileChanged(event) => changes::profile_changed(scene, event)?,
        Event::AccountTransferred(event) => changes::account_transferred(scene, at, event)?,
        Event::FeeRefunded(event) => changes::fee_refunded(scene, event)?,
        Event::CountdownCancelChanged(event) => changes::countdown_changed(scene, event)?,
        other => anyhow::bail!("{} is rendered elsewhere", other.kind().name()),
    })
}
