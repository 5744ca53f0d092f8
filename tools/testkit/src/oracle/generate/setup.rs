//! The beginning of every run: genesis, assets, markets, accounts, money.
//!
//! Owns the terms of the markets: other decimals, pro rata, a quote that is not USDT, a table of its
//! own, a price band, a phase for post-only orders, values below one unit of a fee, prices near the end
//! of the format.

use schema::{
    AccountOpening, AccountType, ApiClass, AssetRef, AssetTerms, Command, FeeTier, Genesis, Label,
    LedgerEntry, MarketKind, MarketTerms, Matching, NetworkTerms, Operator, OrderTier, RiskTier,
};
use units::{Amount, Id, Lots, Rate, Ticks, Timestamp};

use super::{Generator, START, label};
use crate::oracle::Oracle;

/// The venue that the operator signs for.
pub(super) const VENUE: Id = Id([0x5a; 16]);
/// Number of the asset of giant deposits.
pub(super) const HUGE: u32 = 7;
/// Number of the market whose values may not fit the number format.
pub(super) const HUGE_MARKET: u32 = 8;
/// Number of the market for floods.
pub(super) const FLOOD_MARKET: u32 = 9;
/// Customers of the beginning.
const CUSTOMER_COUNT: u32 = 30;

/// A field that the signer fills in.
pub(super) const UNSIGNED: Operator = Operator { valid_until: Timestamp(0), signature: [0; 64] };

impl Generator {
    pub(super) fn prepare_setup(&mut self) {
        let genesis = self.genesis();
        self.prepare(Command::Genesis(genesis));
        for (symbol, decimals) in ASSETS {
            self.prepare(Command::ListAsset(asset(symbol, decimals), UNSIGNED));
        }
        for (terms, middle) in markets() {
            self.middles.push(middle);
            self.prepare(Command::ListMarket(terms, UNSIGNED));
        }
        for number in 0..CUSTOMER_COUNT {
            let opening = self.opening(number);
            self.prepare(Command::CreateAccount(opening));
        }
    }

    pub(super) fn prepare(&mut self, command: Command) {
        self.prepared.push_back((1_000, command));
    }

    /// Whether the beginning is not over.
    pub(super) fn is_setup(&self, oracle: &Oracle) -> bool {
        oracle.accounts().len() < 8 + CUSTOMER_COUNT as usize
    }

    pub(super) fn genesis(&mut self) -> Genesis {
        Genesis {
            venue_id: VENUE,
            shard: 3,
            operator_key: self.operator.verifying_key().to_bytes(),
            key_count_max: 400,
            fee_tiers: tiers(&[
                (0, 20_000, 100_000),
                (20_000, 10_000, 80_000),
                (300_000, 0, 60_000),
                (2_000_000, -10_000, 40_000),
                (9_000_000, -20_000, 20_000),
            ]),
        }
    }

    /// Three accounts belong to one owner; some have no owner, are of another type or unknown.
    pub(super) fn opening(&mut self, number: u32) -> AccountOpening {
        let account_type = match number % 15 {
            13 => AccountType::Margin,
            14 => AccountType::Futures,
            _ => AccountType::Spot,
        };
        let owner = u8::try_from(number / 3 % 250).expect("small");
        AccountOpening {
            account_type,
            external_id: label(&format!("customer-{number}")),
            owner_id: (number % 7 != 6).then_some(Id([owner; 16])),
            jurisdiction: label("DE"),
            kyc_tier: if number % 12 == 11 { 0 } else { 2 },
            risk_tier: RiskTier::Standard,
            order_tier: OrderTier::Retail,
            api_class: ApiClass::Standard,
            metadata: vec![(label("a"), label("1")), (label("b"), label(""))],
        }
    }

    /// Money for a customer, so that most can trade and a few cannot.
    pub(super) fn prepare_funding(&mut self, account: Id, poor: bool) {
        for asset in 1..=6 {
            let units = if poor { 3 } else { 2_000_000 };
            let (asset, amount) = (AssetRef::Listed(asset), Amount::from_units(units));
            let reference = self.random_id();
            self.prepare(Command::Deposit(LedgerEntry { account, asset, amount, reference }));
        }
    }
}

pub(super) fn tiers(rows: &[(i64, i64, i64)]) -> Vec<FeeTier> {
    let row = |&(above, maker, taker): &(i64, i64, i64)| FeeTier {
        above: Amount::from_units(above),
        maker: Rate(maker),
        taker: Rate(taker),
    };
    rows.iter().map(row).collect()
}

pub(super) fn asset(symbol: &str, decimals: u8) -> AssetTerms {
    let network = NetworkTerms {
        network: label("MAIN"),
        min_withdrawal: Amount::from_units(1),
        withdrawal_fee: Amount(5),
        confirmations: 3,
        deposits_open: true,
        withdrawals_open: true,
    };
    AssetTerms {
        symbol: label(symbol),
        name: label(symbol),
        decimals,
        is_collateral: true,
        collateral_weight: Rate(95_000_000),
        networks: vec![network],
    }
}

/// A spot market with the plainest terms.
pub(super) fn market(base: &str, quote: &str, (tick, lot): (&str, &str)) -> MarketTerms {
    MarketTerms {
        symbol: Label::new(&format!("{base}/{quote}")).expect("a short symbol"),
        kind: MarketKind::Spot,
        base: label(base),
        quote: label(quote),
        tick_size: tick.parse().expect("a decimal"),
        lot_size: lot.parse().expect("a decimal"),
        min_price: Ticks(1),
        max_price: Ticks(1_000_000),
        min_quantity: Lots(1),
        max_quantity: Lots(2_000),
        matching: Matching::PriceTime,
        protection_bound: Rate(5_000_000),
        price_band: None,
        open_orders_max: 60,
        fee_tiers: Vec::new(),
        post_only_until: None,
    }
}

/// The markets and the ticks around which they trade.
fn markets() -> Vec<(MarketTerms, u64)> {
    let pro_rata = Matching::ProRata;
    let own_table = tiers(&[(0, 30_000, 70_000), (50_000, -5_000, 40_000)]);
    let huge = MarketTerms {
        max_price: Ticks(1 << 40),
        max_quantity: Lots(1 << 40),
        ..market("HUGE", "BTC", ("1", "1"))
    };
    let phase = Some(Timestamp(START + 40_000_000_000_000));
    vec![
        (market("BTC", "USDT", ("0.5", "0.001")), 400),
        (MarketTerms { matching: pro_rata, ..market("ETH", "USDT", ("0.01", "0.01")) }, 3_000),
        (MarketTerms { fee_tiers: own_table, ..market("ETH", "BTC", ("0.00001", "0.1")) }, 700),
        (
            MarketTerms {
                price_band: Some(Rate(3_000_000)),
                open_orders_max: 8,
                min_quantity: Lots(5),
                ..market("DOGE", "USDT", ("0.0001", "1"))
            },
            2_000,
        ),
        (MarketTerms { matching: pro_rata, ..market("BTC", "EUR", ("0.003", "0.0007")) }, 90_000),
        (market("DUST", "USDT", ("0.00000001", "0.0001")), 100),
        (
            MarketTerms {
                post_only_until: phase,
                protection_bound: Rate(100_000),
                ..market("DOGE", "BTC", ("0.0000001", "1"))
            },
            5_000,
        ),
        (huge, 1 << 20),
        (
            MarketTerms { open_orders_max: 10_000, ..market("DOGE", "EUR", ("0.001", "0.01")) },
            1_000,
        ),
    ]
}

/// Assets in the order of their numbers.
const ASSETS: [(&str, u8); 7] =
    [("BTC", 8), ("USDT", 6), ("ETH", 18), ("DOGE", 3), ("EUR", 2), ("DUST", 4), ("HUGE", 0)];
