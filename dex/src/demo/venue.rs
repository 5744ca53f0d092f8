//! What the demonstration trades, and who: assets, markets and accounts that are made if they are not
//! there, and filled up at every start.

use anyhow::{Context as _, bail};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use units::{Amount, Id};

use super::session::Session;
use crate::client::Answer;

/// A market of the demonstration.
pub(super) struct DemoMarket {
    pub(super) symbol: &'static str,
    /// Price in quote per base, where nothing was traded yet.
    pub(super) first_price: i64,
    /// Lots of an ordinary order.
    pub(super) usual_lots: u64,
    lot_size: &'static str,
    max_price: &'static str,
    max_quantity: &'static str,
}

/// Accounts, and the markets' present prices.
#[derive(Clone, Debug)]
pub(super) struct Venue {
    pub(super) makers: Vec<Id>,
    pub(super) takers: Vec<Id>,
    /// The account of whoever looks.
    pub(super) visitor: Id,
    /// As `MARKETS`: last price, tick and lot.
    pub(super) markets: Vec<Listed>,
}

/// What the door says of a market.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) last_price: Amount,
    pub(super) tick_size: Amount,
    pub(super) lot_size: Amount,
}

pub(super) const MARKETS: [DemoMarket; 2] = [
    DemoMarket {
        symbol: "BTC/USDT",
        first_price: 65_000,
        usual_lots: 5_000,
        lot_size: "0.00001",
        max_price: "10000000",
        max_quantity: "10000",
    },
    DemoMarket {
        symbol: "ETH/USDT",
        first_price: 3_200,
        usual_lots: 10_000,
        lot_size: "0.0001",
        max_price: "1000000",
        max_quantity: "100000",
    },
];

const ASSETS: [(&str, &str, u8); 3] =
    [("BTC", "Bitcoin", 8), ("ETH", "Ether", 8), ("USDT", "Tether USD", 6)];
/// What an account of a trader is filled up to, and that of a visitor.
const FUNDS: [(&str, i64, i64); 3] =
    [("BTC", 1_000, 1), ("ETH", 20_000, 10), ("USDT", 100_000_000, 100_000)];
const MAKER_COUNT: usize = 3;
const TAKER_COUNT: usize = 3;

/// Makes what is not there.
pub(super) async fn set_up(session: &mut Session<'_>) -> anyhow::Result<Venue> {
    list_assets(session).await?;
    list_markets(session).await?;
    let mut makers = Vec::new();
    for number in 1..=MAKER_COUNT {
        makers.push(open(session, &format!("demo-maker-{number}")).await?);
    }
    let mut takers = Vec::new();
    for number in 1..=TAKER_COUNT {
        takers.push(open(session, &format!("demo-taker-{number}")).await?);
    }
    let visitor = open(session, "demo-visitor").await?;
    let mut all: Vec<Id> = makers.iter().chain(&takers).copied().collect();
    all.push(visitor);
    session.trade_for(all.clone());
    for account in all {
        fund(session, account, account == visitor).await?;
    }
    let markets = listed(session).await?;
    Ok(Venue { makers, takers, visitor, markets })
}

async fn list_assets(session: &mut Session<'_>) -> anyhow::Result<()> {
    let known = session.operate((Method::GET, "/v1/market/assets"), None).await?;
    for (symbol, name, decimals) in ASSETS {
        if find(&known, "assets", symbol).is_none() {
            let body = json!({"symbol": symbol, "name": name, "decimals": decimals});
            made(session, "/v1/admin/assets", &body).await?;
        }
    }
    Ok(())
}

async fn list_markets(session: &mut Session<'_>) -> anyhow::Result<()> {
    let known = session.operate((Method::GET, "/v1/market/markets"), None).await?;
    for market in &MARKETS {
        if find(&known, "markets", market.symbol).is_none() {
            let body = json!({
                "symbol": market.symbol,
                "tick_size": "0.01",
                "lot_size": market.lot_size,
                "max_price": market.max_price,
                "max_quantity": market.max_quantity,
            });
            made(session, "/v1/admin/markets", &body).await?;
        }
    }
    Ok(())
}

/// The account with this number, opened if nobody has it.
async fn open(session: &mut Session<'_>, external_id: &str) -> anyhow::Result<Id> {
    let path = format!("/v1/admin/accounts?external_id={external_id}");
    let mut answer = session.operate((Method::GET, &path), None).await?;
    if answer.status == StatusCode::NOT_FOUND {
        let body = json!({"external_id": external_id, "kyc_tier": 1, "order_tier": "MARKET_MAKER"});
        answer = made(session, "/v1/admin/accounts", &body).await?;
    }
    let id = answer.text("account_id").context("an account has an id")?;
    id.parse().map_err(|_| anyhow::anyhow!("{id} is no id"))
}

/// Fills an account up.
pub(super) async fn fund(
    session: &mut Session<'_>,
    account: Id,
    is_visitor: bool,
) -> anyhow::Result<()> {
    let path = format!("/v1/accounts/{account}/balances");
    let answer = session.trade((Method::GET, &path), None).await?;
    for (asset, trader, visitor) in FUNDS {
        let wanted = Amount::from_units(if is_visitor { visitor } else { trader });
        let balances = answer.body["balances"].as_array();
        let total = balances.and_then(|all| all.iter().find(|it| it["asset"] == asset));
        let total = total.map_or(Ok(Amount::ZERO), |balance| amount(&balance["total"]))?;
        // Half is enough: what a trader wins or loses is left alone.
        if total.checked_add(total).is_some_and(|double| double < wanted) {
            let body = json!({
                "account_id": account.to_string(),
                "asset": asset,
                "amount": (wanted - total).to_string(),
            });
            made(session, "/v1/admin/deposits", &body).await?;
        }
    }
    Ok(())
}

async fn listed(session: &mut Session<'_>) -> anyhow::Result<Vec<Listed>> {
    let known = session.operate((Method::GET, "/v1/market/markets"), None).await?;
    let listed = |market: &DemoMarket| {
        let found = find(&known, "markets", market.symbol).context("just listed")?;
        let first = Amount::from_units(market.first_price);
        let last = &found["last_price"];
        anyhow::Ok(Listed {
            last_price: if last.is_null() { first } else { amount(last)? },
            tick_size: amount(&found["tick_size"])?,
            lot_size: amount(&found["lot_size"])?,
        })
    };
    MARKETS.iter().map(listed).collect()
}

/// Posts as an operator what must be taken.
async fn made(session: &mut Session<'_>, path: &str, body: &Value) -> anyhow::Result<Answer> {
    let answer = session.operate((Method::POST, path), Some(body)).await?;
    if answer.status != StatusCode::CREATED {
        bail!("POST {path} got {}: {}", answer.status, answer.body);
    }
    Ok(answer)
}

fn find<'a>(answer: &'a Answer, list: &str, symbol: &str) -> Option<&'a Value> {
    answer.body.get(list)?.as_array()?.iter().find(|it| it["symbol"] == symbol)
}

fn amount(value: &Value) -> anyhow::Result<Amount> {
    let text = value.as_str().context("a decimal is a text")?;
    text.parse().map_err(|fault| anyhow::anyhow!("{text}: {fault}"))
}
