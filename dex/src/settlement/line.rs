//! A row of the journal as a line of JSON: the fields of SETL-41 and what a dispute asks for (SETL-52).
//!
//! One row has one line, byte for byte, so that kept lines can be hashed and compared (SETL-66). Reading
//! takes what writing gives and nothing else; the fields stand in docs/settlement.md.

use anyhow::{Context as _, bail, ensure};
use port::{PostingView, SettlementView, TradeState, TradeView};
use schema::{Bucket, Label};
use serde::{Deserialize, Serialize};
use units::{Amount, Id, Side, Timestamp};

/// A row; decimals, ids and names are texts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    trade_id: String,
    shard: u16,
    sequence: u64,
    maker_account: String,
    taker_account: String,
    symbol: String,
    quantity: String,
    price: String,
    maker_fee: String,
    taker_fee: String,
    maker_fee_asset: String,
    taker_fee_asset: String,
    settled_at: i64,
    settlement_status: String,
    postings: Vec<PostingLine>,
    executed_at: i64,
    taker_side: String,
    maker_order: String,
    taker_order: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PostingLine {
    account: String,
    asset: String,
    bucket: String,
    delta: String,
    balance_before: String,
    balance_after: String,
}

/// The line of a row, without its end.
pub(super) fn write(row: &SettlementView) -> anyhow::Result<String> {
    let trade = &row.trade;
    let postings = row.postings.iter().map(|posting| PostingLine {
        account: posting.account_id.to_string(),
        asset: posting.asset.to_string(),
        bucket: posting.bucket.name().to_owned(),
        delta: posting.delta.to_string(),
        balance_before: posting.before.to_string(),
        balance_after: posting.after.to_string(),
    });
    let line = Line {
        trade_id: trade.trade_id.to_string(),
        shard: row.shard,
        sequence: row.sequence,
        maker_account: trade.maker_account_id.to_string(),
        taker_account: trade.taker_account_id.to_string(),
        symbol: trade.symbol.to_string(),
        quantity: trade.quantity.to_string(),
        price: trade.price.to_string(),
        maker_fee: trade.maker_fee.to_string(),
        taker_fee: trade.taker_fee.to_string(),
        maker_fee_asset: trade.maker_fee_asset.to_string(),
        taker_fee_asset: trade.taker_fee_asset.to_string(),
        settled_at: trade.settled_at.0,
        settlement_status: trade.state.name().to_owned(),
        postings: postings.collect(),
        executed_at: trade.executed_at.0,
        taker_side: trade.side.name().to_owned(),
        maker_order: trade.maker_order_id.to_string(),
        taker_order: trade.taker_order_id.to_string(),
    };
    Ok(serde_json::to_string(&line)?)
}

/// The row of a line.
///
/// # Errors
/// What is no row in it.
pub(super) fn read(text: &str) -> anyhow::Result<SettlementView> {
    let line: Line = serde_json::from_str(text)?;
    ensure!(line.settlement_status == TradeState::Settled.name(), "a row is SETTLED");
    let trade_id = id(&line.trade_id)?;
    let trade = TradeView {
        trade_id,
        sequence: trade_id.sequence(),
        symbol: label(&line.symbol)?,
        maker_order_id: id(&line.maker_order)?,
        taker_order_id: id(&line.taker_order)?,
        maker_account_id: id(&line.maker_account)?,
        taker_account_id: id(&line.taker_account)?,
        side: side(&line.taker_side)?,
        price: amount(&line.price)?,
        quantity: amount(&line.quantity)?,
        maker_fee: amount(&line.maker_fee)?,
        taker_fee: amount(&line.taker_fee)?,
        maker_fee_asset: label(&line.maker_fee_asset)?,
        taker_fee_asset: label(&line.taker_fee_asset)?,
        executed_at: Timestamp(line.executed_at),
        settled_at: Timestamp(line.settled_at),
        state: TradeState::Settled,
    };
    let postings = line.postings.iter().map(posting).collect::<anyhow::Result<_>>()?;
    Ok(SettlementView { trade, shard: line.shard, sequence: line.sequence, postings })
}

fn posting(line: &PostingLine) -> anyhow::Result<PostingView> {
    Ok(PostingView {
        account_id: id(&line.account)?,
        asset: label(&line.asset)?,
        bucket: Bucket::from_name(&line.bucket).context("a bucket is AVAILABLE or LOCKED")?,
        delta: amount(&line.delta)?,
        before: amount(&line.balance_before)?,
        after: amount(&line.balance_after)?,
    })
}

fn id(text: &str) -> anyhow::Result<Id> {
    text.parse().map_err(|_| anyhow::anyhow!("\"{}\" is no id", text.escape_debug()))
}

fn label(text: &str) -> anyhow::Result<Label> {
    Label::new(text).map_err(|_| anyhow::anyhow!("a name has more than 64 bytes"))
}

fn side(text: &str) -> anyhow::Result<Side> {
    for side in [Side::Buy, Side::Sell] {
        if side.name() == text {
            return Ok(side);
        }
    }
    bail!("a side is BUY or SELL")
}

/// An amount in its canonical text. Balances may lie beyond the bound of commands, so this is not
/// `Amount`'s own reading.
fn amount(text: &str) -> anyhow::Result<Amount> {
    units_of(text)
        .filter(|amount| amount.to_string() == text)
        .with_context(|| format!("\"{}\" is no decimal as it is written here", text.escape_debug()))
}

fn units_of(text: &str) -> Option<Amount> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let decimals = usize::from(Amount::DECIMALS);
    if part.len() > decimals || !digits.starts_with(|sign: char| sign.is_ascii_digit()) {
        return None;
    }
    format!("{sign}{whole}{part:0<decimals$}").parse().ok().map(Amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole range of a balance comes back, and no second text of a number is taken.
    #[test]
    fn an_amount_has_one_text() {
        let one = Amount::ONE.0;
        for units in [0, 1, -1, one, -one, one / 10, Amount::BALANCE_MAX.0, i128::MIN, i128::MAX] {
            let text = Amount(units).to_string();
            assert_eq!(amount(&text).expect(&text), Amount(units));
        }
        for text in ["", "-", "+1", "01", "1.0", "1.", ".5", "-0", "1e3", "--1", "1.-5", " 1"] {
            assert!(amount(text).is_err(), "{text}");
        }
        assert!(amount("0.0000000000000000001").is_err(), "19 decimals");
    }
}
