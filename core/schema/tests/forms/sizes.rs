//! The bounds: no command of this version comes near the largest, and no list passes its own.

use std::panic::catch_unwind;

use schema::limits::{
    COMMAND_SIZE_MAX, FEE_TIER_COUNT_MAX, LABEL_SIZE_MAX, METADATA_COUNT_MAX, NETWORK_COUNT_MAX,
};
use schema::wire::DecodeError;
use schema::{
    AccountOpening, AccountType, ApiClass, AssetTerms, Command, CommandKind, FeeSchedule, FeeTier,
    Genesis, Key, KeyOrigin, Label, MarketKind, MarketTerms, Matching, NetworkTerms, Operator,
    OrderTier, RiskTier, Stamped, decode_command, encode_command,
};
use units::{Amount, Id, Lots, Rate, Ticks, Timestamp};

use crate::generate;
use crate::random::Random;

fn encoded(command: Command) -> Vec<u8> {
    let stamped = Stamped {
        sequence: 1,
        stamp: Timestamp(i64::MAX),
        fallback_clock: true,
        correlation: Some(Id([0xff; 16])),
        key: Some(Key {
            key_hash: [0xff; 16],
            body_hash: [0xff; 16],
            origin: KeyOrigin::Gateway { valid_until: Timestamp(i64::MAX) },
            text: Some(full()),
        }),
        command,
        account_version: None,
    };
    let mut out = Vec::new();
    encode_command(&mut out, &stamped);
    out
}

fn full() -> Label {
    Label::new(&"x".repeat(LABEL_SIZE_MAX)).expect("64 bytes")
}

fn operator() -> Operator {
    Operator { valid_until: Timestamp(i64::MAX), signature: [0xff; 64] }
}

fn tiers(count: usize) -> Vec<FeeTier> {
    let tier = FeeTier { above: Amount(i128::MIN), maker: Rate(i64::MIN), taker: Rate(i64::MIN) };
    vec![tier; count]
}

fn genesis(tier_count: usize) -> Command {
    Command::Genesis(Genesis {
        venue_id: Id([0xff; 16]),
        shard: u16::MAX,
        operator_key: [0xff; 32],
        key_count_max: u64::MAX,
        fee_tiers: tiers(tier_count),
    })
}

fn asset(network_count: usize) -> Command {
    let network = NetworkTerms {
        network: full(),
        min_withdrawal: Amount(i128::MIN),
        withdrawal_fee: Amount(i128::MIN),
        confirmations: u32::MAX,
        deposits_open: true,
        withdrawals_open: true,
    };
    let terms = AssetTerms {
        symbol: full(),
        name: full(),
        decimals: u8::MAX,
        is_collateral: true,
        collateral_weight: Rate(i64::MIN),
        networks: vec![network; network_count],
    };
    Command::ListAsset(terms, operator())
}

fn market(tier_count: usize) -> Command {
    let terms = MarketTerms {
        symbol: full(),
        kind: MarketKind::Spot,
        base: full(),
        quote: full(),
        tick_size: Amount(i128::MIN),
        lot_size: Amount(i128::MIN),
        min_price: Ticks(u64::MAX),
        max_price: Ticks(u64::MAX),
        min_quantity: Lots(u64::MAX),
        max_quantity: Lots(u64::MAX),
        matching: Matching::PriceTime,
        protection_bound: Rate(i64::MIN),
        price_band: Some(Rate(i64::MIN)),
        open_orders_max: u32::MAX,
        fee_tiers: tiers(tier_count),
        post_only_until: Some(Timestamp(i64::MAX)),
    };
    Command::ListMarket(terms, operator())
}

fn schedule(tier_count: usize) -> Command {
    let effective_at = Some(Timestamp(i64::MAX));
    Command::SetFeeSchedule(FeeSchedule { tiers: tiers(tier_count), effective_at }, operator())
}

fn account(pair_count: usize) -> Command {
    let key = |index| Label::new(&format!("{index:064}")).expect("64 bytes");
    Command::CreateAccount(AccountOpening {
        account_type: AccountType::Spot,
        external_id: full(),
        owner_id: Some(Id([0xff; 16])),
        jurisdiction: full(),
        kyc_tier: u8::MAX,
        risk_tier: RiskTier::Standard,
        order_tier: OrderTier::Retail,
        api_class: ApiClass::Standard,
        metadata: (0..pair_count).map(|index| (key(index), full())).collect(),
    })
}

/// The five kinds with lists, filled to their bounds; all others have no list and stay far below.
#[test]
fn every_command_is_below_its_bound() {
    let largest = [
        encoded(genesis(FEE_TIER_COUNT_MAX)),
        encoded(asset(NETWORK_COUNT_MAX)),
        encoded(market(FEE_TIER_COUNT_MAX)),
        encoded(account(METADATA_COUNT_MAX)),
        encoded(schedule(FEE_TIER_COUNT_MAX)),
    ];
    for bytes in largest {
        assert!(bytes.len() <= 4_096 && 4_096 < COMMAND_SIZE_MAX, "{} bytes", bytes.len());
        assert!(decode_command(&bytes, 1).is_ok());
    }
    let mut random = Random::new(5);
    for &kind in CommandKind::ALL {
        for _ in 0..1_000 {
            let Some(stamped) = generate::stamped(&mut random, kind) else { break };
            assert!(encoded(stamped.command).len() <= 4_096);
        }
    }
}

/// One item more is neither written nor read.
#[test]
fn lists_keep_their_bounds() {
    type Make = fn(usize) -> Command;
    let lists: [(Make, usize); 5] = [
        (genesis, FEE_TIER_COUNT_MAX),
        (asset, NETWORK_COUNT_MAX),
        (market, FEE_TIER_COUNT_MAX),
        (account, METADATA_COUNT_MAX),
        (schedule, FEE_TIER_COUNT_MAX),
    ];
    for (make, count_max) in lists {
        assert!(catch_unwind(|| encoded(make(count_max + 1))).is_err());
        // The count is the one byte in which the forms of no item and of a full list differ first.
        let (empty, full) = (encoded(make(0)), encoded(make(count_max)));
        let at = empty.iter().zip(&full).position(|(one, other)| one != other).expect("the count");
        let mut longer = full;
        assert_eq!(usize::from(longer[at]), count_max);
        longer[at] += 1;
        assert_eq!(decode_command(&longer, 1), Err(DecodeError::TooMany));
    }
}

/// A text of 65 bytes is no label, nor are bytes that are no UTF-8.
#[test]
fn texts_keep_their_bound() {
    let mut bytes = encoded(Command::LeaderChanged { term: 1, leader: full() });
    let at = bytes.len() - LABEL_SIZE_MAX;
    assert_eq!(usize::from(bytes[at - 1]), LABEL_SIZE_MAX);
    bytes[at] = 0xff;
    assert_eq!(decode_command(&bytes, 1), Err(DecodeError::BadText));
    bytes[at] = b'x';
    bytes[at - 1] += 1;
    bytes.push(b'x');
    assert_eq!(decode_command(&bytes, 1), Err(DecodeError::BadText));
}
