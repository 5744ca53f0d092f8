//! What must hold after every command, whatever it was (D-77).
//!
//! Owns the invariants of 01, 02, 04 and 19 that concern spot, checked over the whole state: the
//! oracle is judged by them before it judges the kernel.

use std::collections::BTreeMap;

use units::Side;

use super::Oracle;
use super::state::EXTERNAL;

impl Oracle {
    /// Walks the whole state.
    ///
    /// # Panics
    /// Where an invariant does not hold.
    pub fn check(&self) {
        self.check_money();
        self.check_orders();
        self.check_books();
    }

    /// INV-1, INV-4, INV-8: sums of zero, nothing below zero, locked is what open orders hold.
    fn check_money(&self) {
        let mut sums: BTreeMap<u32, i128> = BTreeMap::new();
        let mut held: BTreeMap<(u32, u32), i128> = BTreeMap::new();
        for order in self.orders.values() {
            *held.entry((order.account, self.hold_asset(order.number))).or_default() += order.hold;
        }
        for account in &self.accounts {
            for (&asset, balance) in &account.balances {
                *sums.entry(asset).or_default() += balance.available + balance.locked;
                assert!(account.number == EXTERNAL || balance.available >= 0, "ACCT-66");
                let held = held.get(&(account.number, asset)).copied().unwrap_or_default();
                assert_eq!(balance.locked, held, "INV-8");
            }
        }
        assert!(sums.values().all(|&sum| sum == 0), "INV-1");
    }

    /// STATE-48, LIFE-70: quantities fit, and every order holds what it needs.
    fn check_orders(&self) {
        for account in &self.accounts {
            let counted: usize = account.open_counts.values().sum();
            assert_eq!(counted, account.orders.len(), "every open order is counted");
        }
        for (&number, order) in &self.orders {
            assert!(order.filled < order.lots, "an open order has something left");
            assert_eq!(order.hold, self.hold_needed(number), "LIFE-70");
            assert!(
                self.accounts[order.account as usize].orders.contains(&number),
                "its account's"
            );
            if let Some(other) = order.pair {
                let other = &self.orders[&other];
                assert_eq!(other.pair, Some(number), "a pair is mutual");
                assert_eq!((other.account, other.market), (order.account, order.market), "LIFE-7");
                assert!(order.filled == 0 || other.number > number, "the filled one came first");
            }
        }
    }

    /// STATE-33: what is open is in the book, or waits; books do not cross.
    fn check_books(&self) {
        let mut listed = 0;
        for market in &self.markets {
            let (bid, ask) = (market.best(Side::Buy), market.best(Side::Sell));
            assert!(bid.zip(ask).is_none_or(|(bid, ask)| bid < ask), "a book does not cross");
            for (side, levels) in [(Side::Buy, &market.buys), (Side::Sell, &market.sells)] {
                for (&ticks, level) in levels {
                    for number in level {
                        let it = &self.orders[number];
                        assert_eq!((it.side, it.ticks), (side, ticks), "in its own level");
                        assert!(it.waiting.is_none(), "what waits is not in the book");
                        listed += 1;
                    }
                }
            }
            listed += market.waiting.len();
        }
        assert_eq!(listed, self.orders.len(), "an open order rests or waits");
    }
}
