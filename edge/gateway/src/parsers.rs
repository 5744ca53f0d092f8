//! Every parser of the door behind one function, for fuzzing: whatever the bytes are, nothing panics,
//! and what is refused is refused with a code.

use schema::{AssetRef, Code, SymbolRef};
use units::{Amount, Id};

use crate::admin::{
    AccountForm, AssetForm, EntryForm, MarketForm, ParametersForm, ProfileForm, RatesForm,
    ReasonForm, ScheduleForm, StatusForm, StepSize,
};
use crate::batch::{BatchForm, CancelBatchForm};
use crate::body::parse_json;
use crate::forms::OrderForm;
use crate::order_changes::{CountdownForm, ReduceForm};
use crate::params::Params;
use crate::text;
use crate::token;
use crate::transfers::TransferForm;
use crate::ws::parse_frame;

/// Feeds `bytes` to every parser of requests, tokens and frames, and counts those that took them.
#[must_use]
pub fn parse_anything(bytes: &[u8]) -> usize {
    let account = Id([1; 16]);
    let order = parse_json::<OrderForm>(bytes).and_then(|form| {
        form.symbol()?;
        form.order(account, SymbolRef::Listed(1))
    });
    let mut taken = usize::from(order.is_ok());
    taken += usize::from(parse_json(bytes).and_then(|form: AssetForm| form.terms()).is_ok());
    taken += usize::from(parse_json(bytes).and_then(|form: MarketForm| form.terms()).is_ok());
    taken += usize::from(parse_json(bytes).and_then(|form: AccountForm| form.opening()).is_ok());
    let status = parse_json(bytes).and_then(|form: StatusForm| form.change(account, account));
    taken += usize::from(status.is_ok());
    let asset = AssetRef::Listed(1);
    let entry = parse_json(bytes).and_then(|form: EntryForm| form.entry(asset, account));
    taken += usize::from(entry.is_ok());
    taken += administrative(bytes, account) + changes(bytes, account);
    let Ok(words) = core::str::from_utf8(bytes) else { return taken };
    taken += usize::from(parse_frame(words).is_ok());
    taken += usize::from(Params::parse(words).is_ok());
    taken += usize::from(text::parse_key("key", words).is_ok());
    taken += usize::from(text::parse_words("words", words).is_ok());
    taken += usize::from(text::parse_id("id", words).is_ok());
    taken += usize::from(text::parse_time("time", words).is_ok());
    taken += usize::from(text::parse_rate("rate", words).is_ok());
    let key = ed25519_dalek::VerifyingKey::default();
    taken + usize::from(token::verify(&key, words, 0).is_ok())
}

/// The forms of an operator's changes.
fn administrative(bytes: &[u8], account: Id) -> usize {
    let step = || StepSize { size: Amount::ONE, code: Code::InvalidPrice };
    let parameters =
        parse_json(bytes).and_then(|form: ParametersForm| form.parameters(&step(), &step()));
    let taken = [
        parameters.is_ok(),
        parse_json(bytes).and_then(|form: ReasonForm| form.reason()).is_ok(),
        parse_json(bytes).and_then(|form: ScheduleForm| form.schedule()).is_ok(),
        parse_json(bytes).and_then(|form: RatesForm| form.change(account)).is_ok(),
        parse_json(bytes).and_then(|form: ProfileForm| form.change(account)).is_ok(),
    ];
    taken.into_iter().filter(|taken| *taken).count()
}

/// The forms of a trader's changes.
fn changes(bytes: &[u8], account: Id) -> usize {
    let transfer = parse_json(bytes)
        .and_then(|form: TransferForm| form.transfer(form.accounts()?, AssetRef::Listed(1)));
    let countdown = parse_json(bytes).map(|form: CountdownForm| form.countdown(account));
    let taken = [
        parse_json(bytes).and_then(|form: ReduceForm| form.quantity()).is_ok(),
        countdown.is_ok(),
        transfer.is_ok(),
        parse_json::<BatchForm>(bytes).is_ok(),
        parse_json::<CancelBatchForm>(bytes).is_ok(),
    ];
    taken.into_iter().filter(|taken| *taken).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_parsers_take_their_own() {
        let order = br#"{"symbol":"BTC/USDT","side":"BUY","type":"LIMIT","quantity":"1",
            "price":"5","time_in_force":"GTC"}"#;
        assert!(parse_anything(order) >= 1);
        assert_eq!(parse_anything(b"{\"symbol\":7}"), 1, "a query without a value");
        assert_eq!(parse_anything(&[0xff, 0xfe]), 0);
    }
}
