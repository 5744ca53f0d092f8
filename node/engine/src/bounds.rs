//! What the log could not give back never gets a number.
//!
//! A command that is written and cannot be read again would end the log for ever, so its lists are
//! checked before it is taken in. Every other field has a stored form for every value it can have, which
//! a test here holds it to. What is too large for a record altogether the record itself refuses.

use schema::limits::{FEE_TIER_COUNT_MAX, METADATA_COUNT_MAX, NETWORK_COUNT_MAX};
use schema::{Command, Genesis};

/// Whether the command's lists are within the bounds and the order of their stored form.
pub(crate) fn is_storable(command: &Command) -> bool {
    match command {
        Command::Genesis(Genesis { fee_tiers, .. }) => fee_tiers.len() <= FEE_TIER_COUNT_MAX,
        Command::ListAsset(terms, _) => terms.networks.len() <= NETWORK_COUNT_MAX,
        Command::ListMarket(terms, _) => terms.fee_tiers.len() <= FEE_TIER_COUNT_MAX,
        Command::SetFeeSchedule(schedule, _) => schedule.tiers.len() <= FEE_TIER_COUNT_MAX,
        Command::CreateAccount(opening) => {
            opening.metadata.len() <= METADATA_COUNT_MAX
                && opening.metadata.windows(2).all(|pair| pair[0].0 < pair[1].0)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{asset, deposit, keyed, label, market, opening, order, signed};
    use port::Request;
    use schema::{
        AccountStatus, AssetRef, CancelOrder, FeeSchedule, FeeTier, KeyOrigin, LedgerEntry,
        NetworkTerms, Operator, OrderType, PositionSide, Stamped, StatusChange, SymbolRef,
        TimeInForce, Trigger, TriggerKind, TriggerSource, decode_command, encode_command,
    };
    use units::{Amount, Id, Lots, Rate, Side, Ticks, Timestamp};

    /// Writes the request as the sequencer would and reads it again.
    fn assert_readable(request: &Request) {
        assert!(is_storable(&request.command));
        let stamped = Stamped {
            sequence: 1,
            stamp: Timestamp(0),
            fallback_clock: false,
            correlation: Some(request.correlation),
            key: request.key,
            command: request.command.clone(),
            account_version: None,
        };
        let mut bytes = Vec::new();
        encode_command(&mut bytes, &stamped);
        assert_eq!(decode_command(&bytes, 1), Ok(stamped));
    }

    fn assert_readable_with_any_key(command: Command) {
        let mut request = keyed(u64::MAX, command);
        assert_readable(&request);
        let key = request.key.as_mut().expect("keyed");
        key.origin = KeyOrigin::Gateway { valid_until: Timestamp(i64::MIN) };
        key.text = Some(label(""));
        assert_readable(&request);
    }

    #[test]
    fn orders_and_entries_can_always_be_read_again() {
        let account = Id([0xff; 16]);
        for amount in [i128::MIN, i128::MIN + 1, -1, 0, 1, i128::MAX].map(Amount) {
            let mut placed = order(account, Side::Buy, 1, 1);
            (placed.quantity, placed.price) = (amount, Some(amount));
            placed.expire_at = Some(Timestamp(i64::MIN));
            assert_readable_with_any_key(Command::PlaceOrder(placed));
            placed.client_order_id = Some(label(""));
            placed.symbol = SymbolRef::Listed(u32::MAX);
            placed.expire_at = Some(Timestamp(i64::MAX));
            placed.order_type = OrderType::Market;
            placed.time_in_force = TimeInForce::Gtd;
            (placed.post_only, placed.reduce_only) = (true, true);
            let (kind, source) = (TriggerKind::ALL[0], TriggerSource::ALL[0]);
            placed.trigger = Some(Trigger { kind, price: amount, source });
            placed.oco_with = Some(Id([0; 16]));
            placed.position_side = Some(PositionSide::ALL[0]);
            assert_readable_with_any_key(Command::PlaceOrder(placed));
            placed.symbol = SymbolRef::Unknown(label(""));
            (placed.price, placed.expire_at) = (None, None);
            assert_readable_with_any_key(Command::PlaceOrder(placed));
            let asset = AssetRef::Unknown(label(&"x".repeat(64)));
            let entry = LedgerEntry { account, asset, amount, reference: account };
            assert_readable_with_any_key(Command::Deposit(entry));
            assert_readable_with_any_key(Command::Withdraw(entry));
        }
        let cancel = CancelOrder { account, order: account, state_seq: Some(u64::MAX) };
        assert_readable_with_any_key(Command::CancelOrder(cancel));
        assert_readable_with_any_key(deposit(account, 0, -1));
        let (to, empty) = (AccountStatus::Closed, label(""));
        let change = StatusChange { account, to, reason: empty, actor: empty };
        assert_readable(&signed(1, |by| Command::SetAccountStatus(change, by)));
    }

    #[test]
    fn full_lists_can_be_read_again_and_longer_ones_are_kept_out() {
        let network = NetworkTerms {
            network: label(""),
            min_withdrawal: Amount(i128::MIN),
            withdrawal_fee: Amount(i128::MAX),
            confirmations: u32::MAX,
            deposits_open: true,
            withdrawals_open: false,
        };
        let assets = |count| {
            let mut terms = asset("");
            (terms.decimals, terms.collateral_weight) = (u8::MAX, Rate(i64::MIN));
            terms.networks = vec![network; count];
            move |by| Command::ListAsset(terms.clone(), by)
        };
        assert_readable(&signed(1, assets(NETWORK_COUNT_MAX)));
        let tier = FeeTier { above: Amount(-1), maker: Rate(i64::MAX), taker: Rate(i64::MIN) };
        let markets = |count| {
            let mut terms = market();
            (terms.min_price, terms.max_quantity) = (Ticks(u64::MAX), Lots(u64::MAX));
            terms.fee_tiers = vec![tier; count];
            terms.post_only_until = Some(Timestamp(i64::MIN));
            move |by| Command::ListMarket(terms.clone(), by)
        };
        assert_readable(&signed(1, markets(FEE_TIER_COUNT_MAX)));
        let schedule = |count: usize| {
            let tiers = vec![FeeTier { above: Amount(0), maker: Rate(0), taker: Rate(0) }; count];
            let schedule = FeeSchedule { tiers, effective_at: None };
            move |by| Command::SetFeeSchedule(schedule.clone(), by)
        };
        assert_readable(&signed(1, schedule(FEE_TIER_COUNT_MAX)));
        let accounts = |count| {
            let mut opening = opening("");
            let pair = |number| (label(&format!("{number:03}")), label(""));
            opening.metadata = (0..count).map(pair).collect();
            opening
        };
        assert_readable_with_any_key(Command::CreateAccount(accounts(METADATA_COUNT_MAX)));
        let mut unsorted = accounts(2);
        unsorted.metadata.reverse();
        let by = Operator { valid_until: Timestamp(0), signature: [0; 64] };
        for command in [
            assets(NETWORK_COUNT_MAX + 1)(by),
            markets(FEE_TIER_COUNT_MAX + 1)(by),
            schedule(FEE_TIER_COUNT_MAX + 1)(by),
            Command::CreateAccount(accounts(METADATA_COUNT_MAX + 1)),
            Command::CreateAccount(unsorted),
        ] {
            assert!(!is_storable(&command));
        }
    }
}
