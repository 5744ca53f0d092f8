//! `dex admin`: what an operator changes on a running exchange.
//!
//! Each action is one request to the door with an operator's token, made with the key in the data
//! folder; the exchange signs it (D-75). What it answers is printed as one line of JSON. What is not
//! here is one `curl` away (docs/api.md).

use anyhow::{Context as _, bail};
use clap::{ArgGroup, Args as Arguments, Subcommand};
use hyper::Method;
use serde_json::{Map, Value, json};
use units::Id;

use crate::session::{Session, refusal};
use crate::settings::{Flags, Settings, Source};

/// Change markets, fees and accounts of a running exchange.
///
/// Needs the exchange's data folder for an operator's token. The answer is printed as one line of JSON;
/// its `sequence` is the event of the change.
#[derive(Debug, Arguments)]
#[command(after_help = "Examples:\n  \
    dex admin pause BTC/USDT --reason \"incident 12\"\n  \
    dex admin resume BTC/USDT --reason \"incident 12 is over\"\n  \
    dex admin halt --reason TECHNICAL\n  \
    dex admin confirm-clock\n  \
    dex admin resume-trading\n  \
    dex admin parameters BTC/USDT --price-band 0.1 --open-orders-max 300\n  \
    dex admin rates maker-1 --maker 0 --taker 0.0005\n  \
    dex admin rates maker-1 --waiver PROMOTION --ends-at 2027-01-01T00:00:00Z\n  \
    dex admin rates maker-1 --volume\n  \
    dex admin fees 0:0.0002:0.001 100000:0.0001:0.0008 --effective-at 2027-03-01T00:00:00Z\n  \
    dex admin refund maker-1 019a5c2b-70c0-7000-8000-0000000000c9 --reason MALFUNCTION\n\n\
    Raising a fee needs 30 days of notice by --effective-at, moving tiers 60.")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// Where the exchange is [default: http:// and its `listen` setting]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Stop a market from taking orders; cancels go on.
    Pause(Reason),
    /// Let a paused market take orders again.
    Resume(Reason),
    /// Stop orders on every market; cancels and withdrawals go on.
    Halt(Halt),
    /// End a halt: the markets that it stopped take orders again.
    ResumeTrading,
    /// Say that the machine's clock is right as it is; trading stays halted until it is resumed.
    ConfirmClock,
    /// Change parameters of a market; what is not given stays.
    Parameters(Parameters),
    /// Give an account rates of its own or a waiver, or take them back.
    Rates(Rates),
    /// Set the fee tiers of everyone.
    Fees(Fees),
    /// Give an account the fee of a trade back, in whole or in part.
    Refund(Refund),
}

#[derive(Debug, Arguments)]
struct Reason {
    /// Symbol of the market.
    symbol: String,
    /// Why, for the record.
    #[arg(long, value_name = "WORDS")]
    reason: String,
}

#[derive(Debug, Arguments)]
struct Halt {
    /// Why: MANIPULATION, TECHNICAL, REGULATORY or LIQUIDATIONS.
    #[arg(long, value_name = "REASON")]
    reason: String,
}

#[derive(Debug, Arguments)]
struct Parameters {
    /// Symbol of the market.
    symbol: String,
    /// Lowest price.
    #[arg(long, value_name = "PRICE")]
    min_price: Option<String>,
    /// Highest price.
    #[arg(long, value_name = "PRICE")]
    max_price: Option<String>,
    /// Smallest quantity.
    #[arg(long, value_name = "QUANTITY")]
    min_quantity: Option<String>,
    /// Largest quantity.
    #[arg(long, value_name = "QUANTITY")]
    max_quantity: Option<String>,
    /// How far a market order may go from the best price.
    #[arg(long, value_name = "RATIO")]
    protection_bound: Option<String>,
    /// How far a limit price may lie from the last trade's, or `none`.
    #[arg(long, value_name = "RATIO")]
    price_band: Option<String>,
    /// Open orders of one account.
    #[arg(long, value_name = "COUNT")]
    open_orders_max: Option<u32>,
}

#[derive(Debug, Arguments)]
#[command(group(ArgGroup::new("what").required(true).args(["volume", "maker", "waiver"])))]
struct Rates {
    /// The account: its id, or the number that its user sees.
    account: String,
    /// Those of its 30-day volume, as for everyone.
    #[arg(long)]
    volume: bool,
    /// Rate of the side that rests.
    #[arg(long, value_name = "RATE", requires = "taker", allow_negative_numbers = true)]
    maker: Option<String>,
    /// Rate of the side that comes in.
    #[arg(long, value_name = "RATE", requires = "maker", allow_negative_numbers = true)]
    taker: Option<String>,
    /// No fee: VIP_LEVEL, MARKET_MAKER, PROMOTION or BUG_BOUNTY.
    #[arg(long, value_name = "REASON")]
    waiver: Option<String>,
    /// When the waiver ends.
    #[arg(long, value_name = "TIME", conflicts_with_all = ["volume", "maker"])]
    ends_at: Option<String>,
    /// From when on.
    #[arg(long, value_name = "TIME")]
    effective_at: Option<String>,
}

#[derive(Debug, Arguments)]
struct Fees {
    /// A row of the table as ABOVE:MAKER:TAKER; the first is above 0.
    #[arg(required = true, value_name = "ROW")]
    rows: Vec<String>,
    /// From when on.
    #[arg(long, value_name = "TIME")]
    effective_at: Option<String>,
}

#[derive(Debug, Arguments)]
struct Refund {
    /// The account: its id, or the number that its user sees.
    account: String,
    /// The id of the trade.
    trade: String,
    /// How much of its fee [default: all of it]
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<String>,
    /// Why: EXCHANGE_ERROR, MALFUNCTION or COMPENSATION.
    #[arg(long, value_name = "REASON")]
    reason: String,
}

/// Does one thing and prints what the exchange says.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let settings = Settings::load(&args.source, &Flags::default())?;
    let url = args.url.clone().unwrap_or_else(|| format!("http://{}", settings.listen));
    let mut session = Session::new(&url, &settings.data_dir)?;
    let (path, body) = match &args.action {
        Action::Pause(change) => market_request(&change.symbol, "pause", change.body()),
        Action::Resume(change) => market_request(&change.symbol, "resume", change.body()),
        Action::Halt(halt) => ("/v1/admin/trading/halt".to_owned(), halt.body()),
        Action::ResumeTrading => ("/v1/admin/trading/resume".to_owned(), json!({})),
        Action::ConfirmClock => ("/v1/admin/clock/confirm".to_owned(), json!({})),
        Action::Parameters(change) => market_request(&change.symbol, "parameters", change.body()),
        Action::Rates(rates) => {
            let account = account_id(&mut session, &rates.account)?;
            (format!("/v1/admin/accounts/{account}/rates"), rates.body())
        }
        Action::Fees(fees) => ("/v1/admin/fees".to_owned(), fees.body()?),
        Action::Refund(refund) => {
            let account = account_id(&mut session, &refund.account)?;
            (format!("/v1/admin/accounts/{account}/refunds"), refund.body())
        }
    };
    let answer = session.operate((Method::POST, &path), Some(&body))?;
    if !answer.status.is_success() {
        bail!("{}", refusal(&answer));
    }
    println!("{}", answer.body);
    Ok(())
}

impl Reason {
    fn body(&self) -> Value {
        json!({"reason": self.reason})
    }
}

impl Halt {
    fn body(&self) -> Value {
        json!({"reason": self.reason})
    }
}

impl Parameters {
    fn body(&self) -> Value {
        let mut body = given([
            ("min_price", &self.min_price),
            ("max_price", &self.max_price),
            ("min_quantity", &self.min_quantity),
            ("max_quantity", &self.max_quantity),
            ("protection_bound", &self.protection_bound),
            ("price_band", &self.price_band),
        ]);
        if self.price_band.as_deref() == Some("none") {
            body.insert("price_band".to_owned(), Value::Null);
        }
        if let Some(count) = self.open_orders_max {
            body.insert("open_orders_max".to_owned(), count.into());
        }
        body.into()
    }
}

impl Rates {
    fn body(&self) -> Value {
        let mut body = given([
            ("maker", &self.maker),
            ("taker", &self.taker),
            ("reason", &self.waiver),
            ("ends_at", &self.ends_at),
            ("effective_at", &self.effective_at),
        ]);
        let kind = match (&self.waiver, &self.maker) {
            (Some(_), _) => "WAIVER",
            (None, Some(_)) => "VIP",
            (None, None) => "VOLUME",
        };
        body.insert("kind".to_owned(), kind.into());
        body.into()
    }
}

impl Fees {
    fn body(&self) -> anyhow::Result<Value> {
        let row = |text: &String| {
            let parts: Vec<&str> = text.split(':').collect();
            let [above, maker, taker] = parts.as_slice() else {
                bail!("{text} is no row of a fee table: write ABOVE:MAKER:TAKER");
            };
            Ok(json!({"above": above, "maker": maker, "taker": taker}))
        };
        let tiers = self.rows.iter().map(row).collect::<anyhow::Result<Vec<_>>>()?;
        let mut body = given([("effective_at", &self.effective_at)]);
        body.insert("tiers".to_owned(), tiers.into());
        Ok(body.into())
    }
}

impl Refund {
    fn body(&self) -> Value {
        let mut body = given([("amount", &self.amount)]);
        body.insert("trade_id".to_owned(), self.trade.as_str().into());
        body.insert("reason".to_owned(), self.reason.as_str().into());
        body.into()
    }
}

fn market_request(symbol: &str, action: &str, body: Value) -> (String, Value) {
    (format!("/v1/admin/markets/{}/{action}", symbol.replacen('/', "-", 1)), body)
}

/// The account as it was named: by id, or by the number that its user sees.
fn account_id(session: &mut Session, name: &str) -> anyhow::Result<String> {
    if name.parse::<Id>().is_ok() {
        return Ok(name.to_owned());
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || !name.bytes().all(plain) {
        bail!("{name} is no account: give its id, or its number without other signs than - _ .");
    }
    let path = format!("/v1/admin/accounts?external_id={name}");
    let answer = session.operate((Method::GET, &path), None)?;
    let found = answer.text("account_id").map(str::to_owned);
    found.with_context(|| refusal(&answer))
}

/// The fields that were given.
fn given<'a>(
    fields: impl IntoIterator<Item = (&'a str, &'a Option<String>)>,
) -> Map<String, Value> {
    let fields = fields.into_iter();
    let given = fields.filter_map(|(name, text)| Some((name.to_owned(), text.as_deref()?.into())));
    given.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        action: Action,
    }

    fn body(line: &str) -> Result<Value, String> {
        let words = std::iter::once("admin").chain(line.split(' '));
        match Line::try_parse_from(words).map_err(|fault| fault.to_string())?.action {
            Action::Pause(change) | Action::Resume(change) => Ok(change.body()),
            Action::Halt(halt) => Ok(halt.body()),
            Action::ResumeTrading | Action::ConfirmClock => Ok(json!({})),
            Action::Parameters(change) => Ok(change.body()),
            Action::Rates(rates) => Ok(rates.body()),
            Action::Fees(fees) => fees.body().map_err(|fault| fault.to_string()),
            Action::Refund(refund) => Ok(refund.body()),
        }
    }

    #[test]
    fn a_line_becomes_the_body_of_its_request() {
        assert_eq!(body("pause BTC/USDT --reason late"), Ok(json!({"reason": "late"})));
        assert_eq!(body("halt --reason TECHNICAL"), Ok(json!({"reason": "TECHNICAL"})));
        assert_eq!(body("resume-trading"), Ok(json!({})));
        assert_eq!(body("confirm-clock"), Ok(json!({})));
        let band = json!({"price_band": null, "open_orders_max": 3});
        assert_eq!(body("parameters A/B --price-band none --open-orders-max 3"), Ok(band));
        let own = json!({"kind": "VIP", "maker": "-0.0001", "taker": "0.0002"});
        assert_eq!(body("rates a --maker -0.0001 --taker 0.0002"), Ok(own));
        let waiver = json!({"kind": "WAIVER", "reason": "BUG_BOUNTY"});
        assert_eq!(body("rates a --waiver BUG_BOUNTY"), Ok(waiver));
        assert_eq!(body("rates a --volume"), Ok(json!({"kind": "VOLUME"})));
        let fees = json!({"tiers": [{"above": "0", "maker": "-0.1", "taker": "0.2"}]});
        assert_eq!(body("fees 0:-0.1:0.2"), Ok(fees));
        let whole = json!({"trade_id": "t", "reason": "MALFUNCTION"});
        assert_eq!(body("refund a t --reason MALFUNCTION"), Ok(whole));
        let part = json!({"trade_id": "t", "reason": "COMPENSATION", "amount": "1.5"});
        assert_eq!(body("refund a t --reason COMPENSATION --amount 1.5"), Ok(part));
    }

    #[test]
    fn a_line_that_says_two_things_or_nothing_is_refused() {
        for wrong in [
            "pause BTC/USDT",
            "halt",
            "resume-trading BTC/USDT",
            "rates a",
            "rates a --maker 0",
            "rates a --volume --waiver PROMOTION",
            "rates a --volume --ends-at 2030-01-01T00:00:00Z",
            "fees",
            "fees 0:0",
            "refund a t",
            "refund a --reason MALFUNCTION",
        ] {
            assert!(body(wrong).is_err(), "{wrong}");
        }
    }
}
