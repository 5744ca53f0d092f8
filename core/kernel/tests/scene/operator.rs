//! What the operator does in a scene: markets, fees, accounts.

use schema::{AccountStatus, FeeTier, HaltReason, MarketParameters, WaiverReason};
use units::{Amount, Lots, Rate, Ticks};

use super::parse::Fault;
use super::setup::read_tiers;
use super::words::Words;

#[derive(Clone, Debug)]
pub(crate) enum OperatorAct {
    Pause { symbol: String },
    Resume { symbol: String },
    Halt { reason: HaltReason },
    ResumeTrading,
    ConfirmClock,
    Set { symbol: String, parameters: MarketParameters },
    Status { account: String, to: AccountStatus },
    Fees { tiers: Vec<FeeTier>, from: Option<i64> },
    Rates { account: String, rates: RatesWords, from: Option<i64> },
    Profile { account: String, kyc_tier: u8 },
    Refund { amount: Amount, fee: Amount, asset: String, account: String, order: String },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum RatesWords {
    Volume,
    Own { maker: Rate, taker: Rate },
    Waiver { reason: WaiverReason, until: Option<i64> },
}

/// Reads what the operator does.
pub(crate) fn read(words: &mut Words) -> Result<OperatorAct, Fault> {
    let verb = words.word("what the operator does")?;
    let name = |words: &mut Words, what| words.word(what).map(str::to_owned);
    let status = |words: &mut Words, to| {
        name(words, "the account").map(|account| OperatorAct::Status { account, to })
    };
    match verb {
        "pause" => Ok(OperatorAct::Pause { symbol: name(words, "the symbol")? }),
        "resume" => Ok(OperatorAct::Resume { symbol: name(words, "the symbol")? }),
        "halt" => Ok(OperatorAct::Halt { reason: read_reason(words)? }),
        "resume-trading" => Ok(OperatorAct::ResumeTrading),
        "confirm-clock" => Ok(OperatorAct::ConfirmClock),
        "set" => {
            let symbol = name(words, "the symbol")?;
            Ok(OperatorAct::Set { symbol, parameters: read_parameters(words)? })
        }
        "suspend" => status(words, AccountStatus::Suspended),
        "activate" => status(words, AccountStatus::Active),
        "close" => status(words, AccountStatus::Closed),
        "fees" => {
            let tiers = read_tiers(words)?;
            Ok(OperatorAct::Fees { tiers, from: read_from(words)? })
        }
        "rates" => {
            let account = name(words, "the account")?;
            let rates = read_rates(words)?;
            Ok(OperatorAct::Rates { account, rates, from: read_from(words)? })
        }
        "profile" => {
            let account = name(words, "the account")?;
            words.expect("kyc")?;
            let kyc_tier = u8::try_from(words.count("the tier")?).unwrap_or(u8::MAX);
            Ok(OperatorAct::Profile { account, kyc_tier })
        }
        "refund" => {
            let amount = words.amount("what goes back")?;
            words.expect("of")?;
            let fee = words.amount("the fee")?;
            let asset = name(words, "the asset")?;
            words.expect("to")?;
            let account = name(words, "the account")?;
            words.expect("for")?;
            let order = name(words, "the order")?;
            Ok(OperatorAct::Refund { amount, fee, asset, account, order })
        }
        other => words.fault(format!("unknown word `{other}`")),
    }
}

pub(crate) fn read_reason(words: &mut Words) -> Result<HaltReason, Fault> {
    let word = words.word("the reason")?;
    match HaltReason::from_name(word) {
        Some(reason) => Ok(reason),
        None => words.fault(format!("unknown word `{word}`")),
    }
}

fn read_from(words: &mut Words) -> Result<Option<i64>, Fault> {
    words.take("from").then(|| words.time("the beginning")).transpose()
}

/// `by-volume`, `waiver REASON [until T]`, or two rates.
fn read_rates(words: &mut Words) -> Result<RatesWords, Fault> {
    if words.take("by-volume") {
        return Ok(RatesWords::Volume);
    }
    if words.take("waiver") {
        let reason = words.word("the reason")?;
        let Some(reason) = WaiverReason::from_name(reason) else {
            return words.fault(format!("unknown word `{reason}`"));
        };
        let until = words.take("until").then(|| words.time("the end")).transpose()?;
        return Ok(RatesWords::Waiver { reason, until });
    }
    let (maker, taker) = (words.rate("the maker rate")?, words.rate("the taker rate")?);
    Ok(RatesWords::Own { maker, taker })
}

fn read_parameters(words: &mut Words) -> Result<MarketParameters, Fault> {
    let mut parameters = MarketParameters::default();
    while let Some(word) = words.next() {
        match word {
            "min-price" => parameters.min_price = Some(Ticks(words.count(word)?.into())),
            "max-price" => parameters.max_price = Some(Ticks(words.count(word)?.into())),
            "min-quantity" => parameters.min_quantity = Some(Lots(words.count(word)?.into())),
            "max-quantity" => parameters.max_quantity = Some(Lots(words.count(word)?.into())),
            "bound" => parameters.protection_bound = Some(words.rate(word)?),
            "band" if words.take("none") => parameters.price_band = Some(None),
            "band" => parameters.price_band = Some(Some(words.rate(word)?)),
            "open-orders" => parameters.open_orders_max = Some(words.count(word)?),
            other => return words.fault(format!("unknown word `{other}`")),
        }
    }
    Ok(parameters)
}
