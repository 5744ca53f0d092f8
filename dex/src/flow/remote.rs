//! A running exchange over HTTP as the exchange.
//!
//! Everything goes through the door as any client's would: an operator lists a market of this run's own,
//! opens and funds the accounts; then every order is placed by its account, one command in flight, and
//! answered when it is durable. Trades with both orders, and levels with their number of orders, come
//! from the operator's routes. Tokens are made with the key in the exchange's data folder (`session.rs`).
//! Other traffic on the exchange does not disturb: it trades other markets.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use gateway::random_id;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use units::{Amount, Id, Rounding, Side};

use super::MarketName;
use super::plan::{KYC_TIER, Place, Plan, QUOTE_DECIMALS, base_decimals};
use super::rows::{Action, Depth, LEVEL_COUNT, Level, OrderRow, TradeRow, index};
use super::venue::{Best, Canceled, Placed, Venue};
use crate::client::Answer;
use crate::session::{Session, refusal};

/// Where an exchange is, and the folder with its keys.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    /// `http://HOST:PORT`.
    pub(super) url: &'a str,
    /// Its data folder.
    pub(super) data_dir: &'a Path,
    /// Symbol of the market to list, or none for one of this run's own.
    pub(super) symbol: Option<&'a str>,
    /// What one of this run's own is called.
    pub(super) name: &'a MarketName,
}

/// The exchange and what the recording calls its orders.
pub(super) struct RemoteVenue {
    session: Session,
    symbol: String,
    accounts: [Vec<Id>; 2],
    /// Id and account by recorded id.
    orders: HashMap<u64, (Id, Id)>,
    /// Command and recorded id by number of OrderSubmitted.
    recorded: HashMap<u64, (u64, u64)>,
    trades: Vec<TradeRow>,
    /// Last event that an answer told of.
    told: u64,
    /// Last event up to which trades were read.
    read: u64,
    unread_count: u32,
}

impl RemoteVenue {
    /// Lists a market on a running exchange and makes the plan's accounts.
    ///
    /// # Errors
    /// The exchange is not there, the keys are not its own, or it refuses something.
    pub(super) fn new(plan: &Plan, target: Target<'_>) -> anyhow::Result<Self> {
        let run = random_id().to_string()[..8].to_uppercase();
        let MarketName { base, quote } = target.name;
        let mut venue = Self {
            session: Session::new(target.url, target.data_dir)?,
            symbol: target.symbol.map_or(format!("{base}{run}/{quote}"), str::to_owned),
            accounts: [Vec::new(), Vec::new()],
            orders: HashMap::new(),
            recorded: HashMap::new(),
            trades: Vec::new(),
            told: 0,
            read: 0,
            unread_count: 0,
        };
        let (base, quote) = venue.symbol.split_once('/').context("a symbol is BASE/QUOTE")?;
        let sides = [(Side::Buy, quote.to_owned()), (Side::Sell, base.to_owned())];
        let own_decimals = [QUOTE_DECIMALS, base_decimals(plan.lot_size)];
        for ((side, asset), decimals) in sides.iter().zip(own_decimals) {
            let decimals = venue.list_asset(asset, decimals)?;
            for (number, &funds) in plan.funds[index(*side)].iter().enumerate() {
                let name = format!("flow-{run}-{}-{number}", side.name());
                let funds = funds.round(decimals, Rounding::Up).unwrap_or(funds);
                let account = venue.open(&name, asset, funds);
                let account = account.with_context(|| format!("cannot open account {name}"))?;
                venue.accounts[index(*side)].push(account);
            }
        }
        venue.list_market(plan)?;
        venue.read = venue.told;
        Ok(venue)
    }

    /// Symbol of the market.
    pub(super) fn symbol(&self) -> &str {
        &self.symbol
    }

    /// Lists an asset if it is not there, and answers its decimals.
    fn list_asset(&mut self, symbol: &str, decimals: u8) -> anyhow::Result<u8> {
        let known = self.session.operate((Method::GET, "/v1/market/assets"), None)?;
        let known = items(&known, "assets").find(|asset| asset["symbol"] == symbol);
        if let Some(known) = known {
            return Ok(u8::try_from(count(known, "decimals")?)?);
        }
        let body = json!({"symbol": symbol, "name": symbol, "decimals": decimals});
        self.make("/v1/admin/assets", &body)?;
        Ok(decimals)
    }

    fn list_market(&mut self, plan: &Plan) -> anyhow::Result<()> {
        let steps = |count: u64, step: Amount| Amount(i128::from(count).saturating_mul(step.0));
        let body = json!({
            "symbol": self.symbol,
            "tick_size": plan.tick_size.to_string(),
            "lot_size": plan.lot_size.to_string(),
            "max_price": steps(plan.max_price.0, plan.tick_size).to_string(),
            "max_quantity": steps(plan.max_quantity.0, plan.lot_size).to_string(),
        });
        let listed = self.make("/v1/admin/markets", &body);
        let advice = "the market must be new: leave out --symbol for one of this run's own";
        listed.map(|_| ()).context(advice)
    }

    fn open(&mut self, name: &str, asset: &str, funds: Amount) -> anyhow::Result<Id> {
        let body = json!({
            "external_id": name,
            "kyc_tier": KYC_TIER,
            "order_tier": "MARKET_MAKER",
            "api_class": "INSTITUTIONAL",
        });
        let answer = self.make("/v1/admin/accounts", &body)?;
        let account = id(&answer, "account_id")?;
        let account_id = account.to_string();
        let body = json!({"account_id": account_id, "asset": asset, "amount": funds.to_string()});
        self.make("/v1/admin/deposits", &body)?;
        Ok(account)
    }

    /// Posts as an operator what must be taken.
    fn make(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let answer = self.session.operate((Method::POST, path), Some(body))?;
        ensure!(answer.status == StatusCode::CREATED, "POST {path}: {}", refusal(&answer));
        self.note(&answer)?;
        Ok(answer)
    }

    /// Notes the last event that an answer tells of.
    fn note(&mut self, answer: &Answer) -> anyhow::Result<()> {
        self.told = self.told.max(count(&answer.body, "sequence")?);
        Ok(())
    }

    /// Reads the trades of the commands since the last time, before the exchange forgets them.
    fn read_trades(&mut self) -> anyhow::Result<()> {
        let path = format!("/v1/admin/trades?after={}&until={}", self.read, self.told);
        let answer = self.session.operate((Method::GET, &path), None)?;
        ensure!(answer.status == StatusCode::OK, "GET {path}: {}", refusal(&answer));
        for trade in items(&answer, "trades") {
            // Of a taker that is not ours the trade is of another market.
            if let Some(&(taker_seq, taker_order_id)) =
                self.recorded.get(&count(trade, "taker_order")?)
            {
                let maker = self.recorded.get(&count(trade, "maker_order")?);
                let maker = maker.context("an order of ours met one that is not")?;
                self.trades.push(TradeRow {
                    taker_seq,
                    taker_order_id,
                    maker_order_id: maker.1,
                    price: amount(trade, "price")?,
                    quantity: amount(trade, "quantity")?,
                });
            }
        }
        (self.read, self.unread_count) = (self.told, 0);
        Ok(())
    }

    /// The best levels at the last event that an answer told of.
    fn book(&mut self, levels: usize) -> anyhow::Result<Depth> {
        let symbol = self.symbol.replacen('/', "-", 1);
        let told = self.told;
        let path = format!("/v1/admin/book?symbol={symbol}&depth={levels}&min_sequence={told}");
        let answer = self.session.operate((Method::GET, &path), None)?;
        ensure!(answer.status == StatusCode::OK, "GET {path}: {}", refusal(&answer));
        let side = |name| items(&answer, name).map(level).collect::<anyhow::Result<Vec<_>>>();
        Ok([side("bids")?, side("asks")?])
    }

    fn passed(&mut self, answer: &Answer) -> anyhow::Result<()> {
        self.note(answer)?;
        self.unread_count += 1;
        if self.unread_count >= UNREAD_COUNT_MAX { self.read_trades() } else { Ok(()) }
    }
}

impl Venue for RemoteVenue {
    fn place(&mut self, order: &OrderRow, place: Place) -> anyhow::Result<Placed> {
        let Action::Place { price, quantity } = order.action else {
            bail!("a cancel places nothing")
        };
        let account = self.accounts[index(place.side)][place.account];
        let body = json!({
            "symbol": self.symbol,
            "side": order.side.name(),
            "type": "LIMIT",
            "quantity": quantity.to_string(),
            "price": price.to_string(),
            "time_in_force": "GTC",
        });
        let answer = self.session.trade(account, (Method::POST, "/v1/orders"), Some(&body))?;
        if answer.status != StatusCode::CREATED {
            return refused(&answer);
        }
        let id = id(&answer, "order_id")?;
        self.orders.insert(order.order_id, (id, account));
        self.recorded.insert(id.sequence(), (order.seq, order.order_id));
        self.passed(&answer)?;
        Ok(Placed::Accepted)
    }

    fn cancel(&mut self, order: &OrderRow) -> anyhow::Result<Canceled> {
        let placed = self.orders.get(&order.order_id).context("the order was never accepted")?;
        let (id, account) = *placed;
        let path = format!("/v1/orders/{id}");
        let answer = self.session.trade(account, (Method::DELETE, &path), None)?;
        match answer.status {
            StatusCode::OK => {
                self.passed(&answer)?;
                Ok(Canceled::Done)
            }
            StatusCode::CONFLICT => Ok(Canceled::TooLate),
            _ => bail!("{}", refusal(&answer)),
        }
    }

    fn depth(&mut self) -> anyhow::Result<Depth> {
        self.book(LEVEL_COUNT)
    }

    fn best(&mut self) -> anyhow::Result<Best> {
        let depth = self.book(1)?;
        Ok(depth.map(|levels| levels.first().map(|level| level.price)))
    }

    fn trades(&mut self) -> anyhow::Result<Vec<TradeRow>> {
        self.read_trades()?;
        Ok(self.trades.clone())
    }
}

/// A refusal of the exchange; what says nothing of one is an error.
fn refused(answer: &Answer) -> anyhow::Result<Placed> {
    let code = answer.code().with_context(|| refusal(answer))?.to_owned();
    let detail = answer.body["error"]["message"].as_str().unwrap_or_default().to_owned();
    Ok(Placed::Refused { code, detail })
}

fn level(level: &Value) -> anyhow::Result<Level> {
    Ok(Level {
        price: amount(level, "price")?,
        quantity: amount(level, "quantity")?,
        orders: count(level, "orders")?,
    })
}

fn items<'a>(answer: &'a Answer, name: &str) -> impl Iterator<Item = &'a Value> {
    answer.body[name].as_array().into_iter().flatten()
}

fn count(value: &Value, name: &str) -> anyhow::Result<u64> {
    value[name].as_u64().with_context(|| format!("the answer has no {name}: {value}"))
}

fn amount(value: &Value, name: &str) -> anyhow::Result<Amount> {
    let text =
        value[name].as_str().with_context(|| format!("the answer has no {name}: {value}"))?;
    text.parse().map_err(|fault| anyhow!("{name} {text} is {fault}"))
}

fn id(answer: &Answer, name: &str) -> anyhow::Result<Id> {
    let text = answer.text(name).with_context(|| format!("the answer has no {name}"))?;
    text.parse().map_err(|_| anyhow!("{name} {text} is no id"))
}

/// Commands after which trades are read: far fewer batches than an exchange keeps.
const UNREAD_COUNT_MAX: u32 = 256;
