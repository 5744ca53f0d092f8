//! Market data over HTTP: books, markets, assets. Public (INV-11).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use port::{AssetView, LevelView, MarketView, Query, View};
use schema::{FeeTier, NetworkTerms};
use units::Amount;

use crate::answer::{Object, json, push_level};
use crate::door::Door;
use crate::error::ApiError;
use crate::limits::{DEPTH_DEFAULT, DEPTH_MAX};
use crate::params::Params;
use crate::text::parse_symbol;

/// GET /v1/market/book?symbol=&depth=.
pub(crate) async fn book(
    State(door): State<Arc<Door>>,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["symbol", "depth", "min_sequence"])?;
    let symbol = parse_symbol("symbol", params.needed("symbol")?)?;
    let depth = match params.count("depth")? {
        None => DEPTH_DEFAULT,
        Some(depth) => usize::try_from(depth)
            .ok()
            .filter(|depth| (1..=DEPTH_MAX).contains(depth))
            .ok_or_else(|| ApiError::schema(format!("depth is 1 to {DEPTH_MAX}")))?,
    };
    let listing = door.listing(symbol).await?.ok_or_else(ApiError::no_market)?;
    let seen = door.query(Query::Book(listing.number, depth), &params).await?;
    let View::Book(Some(book)) = seen.view else { return Err(ApiError::no_market()) };
    let body = Object::new()
        .text("symbol", book.symbol.as_str())
        .count("sequence", book.sequence)
        .list("bids", &book.bids, push_view_level)
        .list("asks", &book.asks, push_view_level)
        .count("event_sequence", seen.sequence)
        .time("timestamp", seen.timestamp);
    Ok(json(StatusCode::OK, body))
}

/// GET /v1/market/markets: every market with its parameters.
pub(crate) async fn markets(
    State(door): State<Arc<Door>>,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["min_sequence"])?;
    let seen = door.query(Query::Markets, &params).await?;
    let View::Markets(markets) = seen.view else { return Err(ApiError::no_market()) };
    let body = Object::new()
        .list("markets", &markets, |out, market| out.push_str(&market_object(market).end()));
    Ok(json(StatusCode::OK, body.count("sequence", seen.sequence)))
}

/// GET /v1/market/assets: every asset with its parameters.
pub(crate) async fn assets(
    State(door): State<Arc<Door>>,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&["min_sequence"])?;
    let seen = door.query(Query::Assets, &params).await?;
    let View::Assets(assets) = seen.view else { return Err(ApiError::no_market()) };
    let body = Object::new()
        .list("assets", &assets, |out, asset| out.push_str(&asset_object(asset).end()));
    Ok(json(StatusCode::OK, body.count("sequence", seen.sequence)))
}

/// Appends a level as `[price, quantity]`.
pub(crate) fn push_view_level(out: &mut String, level: &LevelView) {
    push_level(out, level.price, level.quantity);
}

fn market_object(market: &MarketView) -> Object {
    let terms = &market.terms;
    let steps = |count: u64, step: Amount| Amount(i128::from(count).saturating_mul(step.0));
    Object::new()
        .text("symbol", terms.symbol.as_str())
        .count("number", market.number)
        .shown("kind", terms.kind.name())
        .text("base", terms.base.as_str())
        .text("quote", terms.quote.as_str())
        .flag("open", market.open)
        .shown("tick_size", terms.tick_size)
        .shown("lot_size", terms.lot_size)
        .shown("min_price", steps(terms.min_price.0, terms.tick_size))
        .shown("max_price", steps(terms.max_price.0, terms.tick_size))
        .shown("min_quantity", steps(terms.min_quantity.0, terms.lot_size))
        .shown("max_quantity", steps(terms.max_quantity.0, terms.lot_size))
        .shown("matching", terms.matching.name())
        .shown("protection_bound", terms.protection_bound)
        .maybe("price_band", terms.price_band)
        .count("open_orders_max", terms.open_orders_max)
        .list("fee_tiers", &terms.fee_tiers, push_tier)
        .maybe_time("post_only_until", terms.post_only_until)
        .maybe("last_price", market.last_price)
        .count("market_sequence", market.sequence)
}

/// Appends a row of a fee table.
pub(crate) fn push_tier(out: &mut String, tier: &FeeTier) {
    let object = Object::new()
        .shown("above", tier.above)
        .shown("maker", tier.maker)
        .shown("taker", tier.taker);
    out.push_str(&object.end());
}

fn asset_object(asset: &AssetView) -> Object {
    let terms = &asset.terms;
    Object::new()
        .text("symbol", terms.symbol.as_str())
        .count("number", asset.number)
        .text("name", terms.name.as_str())
        .count("decimals", terms.decimals)
        .flag("is_collateral", terms.is_collateral)
        .shown("collateral_weight", terms.collateral_weight)
        .list("networks", &terms.networks, push_network)
}

fn push_network(out: &mut String, network: &NetworkTerms) {
    let object = Object::new()
        .text("network", network.network.as_str())
        .shown("min_withdrawal", network.min_withdrawal)
        .shown("withdrawal_fee", network.withdrawal_fee)
        .count("confirmations", network.confirmations)
        .flag("deposits_open", network.deposits_open)
        .flag("withdrawals_open", network.withdrawals_open);
    out.push_str(&object.end());
}
