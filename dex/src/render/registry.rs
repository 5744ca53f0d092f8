//! Payloads of assets, markets, accounts and the log's own events (docs/spec/08, sections 5 and 8).
//!
//! A market's parameters that only derivatives have are not stored yet (`schema::MarketTerms`) and so are
//! null here, or an empty list.

use schema::{
    AccountCreated, AccountOpening, AccountStatusChanged, AssetListed, AssetTerms,
    ClockStatusChanged, EventHead, FeeTier, Genesis, GenesisRecorded, InvariantViolated,
    LeaderChanged, MarketListed, MarketStateChanged, MarketTerms, NetworkTerms, SnapshotTaken,
    StateHashRecorded, TradingHalted, TradingResumed,
};

use super::fields::{Fields, Value};
use super::scene::{Scene, price_of, quantity_of};

pub(super) fn genesis_recorded(event: &GenesisRecorded) -> Fields {
    genesis(Fields::new().hex("configuration_hash", &event.configuration_hash), &event.genesis)
}

/// Adds the configuration of a shard.
pub(super) fn genesis(fields: Fields, genesis: &Genesis) -> Fields {
    let configuration = Fields::new()
        .count("shard", genesis.shard)
        .count("key_count_max", genesis.key_count_max)
        .list("fee_tiers", genesis.fee_tiers.iter().map(tier));
    fields
        .object("configuration", configuration)
        .text("venue_id", genesis.venue_id)
        .hex("operator_key", &genesis.operator_key)
}

pub(super) fn leader_changed(event: &LeaderChanged) -> Fields {
    Fields::new().count("term", event.term).text("leader_id", event.leader)
}

pub(super) fn state_hash(event: &StateHashRecorded) -> Fields {
    Fields::new().count("at_sequence", event.at_sequence).hex("state_hash", &event.state_hash)
}

pub(super) fn snapshot(event: &SnapshotTaken) -> Fields {
    Fields::new()
        .count("snapshot_sequence", event.snapshot_sequence)
        .time("snapshot_timestamp", event.snapshot_timestamp)
        .hex("checksum", &event.checksum)
}

pub(super) fn clock_status(event: &ClockStatusChanged) -> Fields {
    Fields::new()
        .text("from", event.from.name())
        .text("to", event.to.name())
        .text("skew", event.skew)
}

pub(super) fn invariant_violated(event: &InvariantViolated) -> Fields {
    Fields::new()
        .text("invariant", event.invariant)
        .count("violating_command", event.command)
        .text("left", event.left)
        .text("right", event.right)
        .hex("state_hash", &event.state_hash)
        .text("quarantined_by", event.quarantined_by)
}

pub(super) fn trading_halted(event: &TradingHalted) -> Fields {
    Fields::new()
        .text("scope", event.scope.name())
        .text("reason", event.reason.name())
        .text("actor", event.actor)
        .maybe_time("expires_at", event.expires_at)
}

pub(super) fn trading_resumed(event: &TradingResumed) -> Fields {
    Fields::new().text("scope", event.scope.name()).text("actor", event.actor)
}

pub(super) fn asset_listed(at: EventHead, event: &AssetListed) -> Fields {
    asset(&event.terms).time("effective_at", at.timestamp)
}

/// The parameters of an asset.
pub(super) fn asset(terms: &AssetTerms) -> Fields {
    Fields::new()
        .text("asset", terms.symbol)
        .text("name", terms.name)
        .count("decimals", terms.decimals)
        .flag("is_collateral", terms.is_collateral)
        .text("collateral_weight", terms.collateral_weight)
        .list("networks", terms.networks.iter().map(network))
}

/// The event was passed: its market is the last one.
pub(super) fn market_listed(scene: &Scene<'_>, event: &MarketListed) -> Fields {
    let named = Fields::new()
        .text("symbol", event.terms.symbol)
        .count("listing_number", scene.market_count() as u64);
    market(named, &event.terms)
}

/// Adds the parameters of a market to its name.
pub(super) fn market(named: Fields, terms: &MarketTerms) -> Fields {
    let fields = named
        .text("kind", terms.kind.name())
        .text("base", terms.base)
        .text("quote", terms.quote)
        .text("settlement_asset", terms.quote)
        .text("tick_size", terms.tick_size)
        .text("lot_size", terms.lot_size)
        .text("min_price", price_of(terms, terms.min_price))
        .text("max_price", price_of(terms, terms.max_price))
        .text("min_quantity", quantity_of(terms, terms.min_quantity))
        .text("max_quantity", quantity_of(terms, terms.max_quantity))
        .text("matching", terms.matching.name())
        .text("protection_bound", terms.protection_bound)
        .maybe("price_band", terms.price_band)
        .count("open_orders_max", terms.open_orders_max)
        .maybe_time("expiry", None);
    let fields = if terms.fee_tiers.is_empty() {
        fields.null("fee_tiers")
    } else {
        fields.list("fee_tiers", terms.fee_tiers.iter().map(tier))
    };
    derivatives(fields).maybe_time("post_only_until", terms.post_only_until)
}

/// What a spot market does not have.
fn derivatives(fields: Fields) -> Fields {
    fields
        .null("max_leverage")
        .null("leverage_class")
        .list("margin_tiers", [])
        .null("daily_volume_floor")
        .null("position_limit")
        .null("liquidation_delay")
        .null("grace_volatility")
        .null("funding_interval")
        .null("funding_cap")
        .null("mark_band")
        .list("index_sources", [])
}

pub(super) fn market_state(
    scene: &Scene<'_>,
    event: &MarketStateChanged,
) -> anyhow::Result<Fields> {
    Ok(Fields::new()
        .text("symbol", scene.symbol(event.market)?)
        .text("reason", event.reason)
        .text("actor", event.actor))
}

pub(super) fn account_created(
    scene: &Scene<'_>,
    at: EventHead,
    event: &AccountCreated,
) -> anyhow::Result<Fields> {
    Ok(account(Fields::new().text("account_id", scene.id(at)?), &event.opening))
}

/// Adds what is known of an account.
pub(super) fn account(named: Fields, opening: &AccountOpening) -> Fields {
    let metadata = opening.metadata.iter().fold(Fields::new(), |fields, (name, value)| {
        fields.with(name.as_str(), Value::Text(value.to_string()))
    });
    named
        .text("account_type", opening.account_type.name())
        .text("external_id", opening.external_id)
        .maybe("owner_id", opening.owner_id)
        .text("jurisdiction", opening.jurisdiction)
        .count("kyc_tier", opening.kyc_tier)
        .text("risk_tier", opening.risk_tier.name())
        .text("order_tier", opening.order_tier.name())
        .text("api_class", opening.api_class.name())
        .object("metadata", metadata)
}

pub(super) fn account_status(
    scene: &Scene<'_>,
    event: &AccountStatusChanged,
) -> anyhow::Result<Fields> {
    Ok(Fields::new()
        .text("account_id", scene.account(event.account)?)
        .text("from", event.from.name())
        .text("to", event.to.name())
        .text("reason", event.reason)
        .text("actor", event.actor))
}

pub(super) fn tier(tier: &FeeTier) -> Fields {
    Fields::new().text("volume", tier.above).text("maker", tier.maker).text("taker", tier.taker)
}

fn network(network: &NetworkTerms) -> Fields {
    Fields::new()
        .text("network", network.network)
        .text("min_withdrawal", network.min_withdrawal)
        .text("withdrawal_fee", network.withdrawal_fee)
        .count("confirmations", network.confirmations)
        .flag("deposits_open", network.deposits_open)
        .flag("withdrawals_open", network.withdrawals_open)
}
