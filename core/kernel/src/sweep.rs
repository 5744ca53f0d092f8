//! A full sweep: everything that a state must keep at a command's end, looked at entity by entity.
//!
//! Owns the statement of it (REC-57, INV-1 and following): money sums to zero per asset; nobody but the accounts
//! that stand for the outside is below zero; what an account has locked is what its open orders reserve; an order is
//! filled in part at most; a book holds the resting orders of its market, each once, with what is left of them, and
//! is not crossed. It computes all of it anew from the entities and takes no running figure for true. It changes
//! nothing and costs time in proportion to the state, so no command calls it: snapshots do (REC-58).

use alloc::collections::BTreeMap;
use core::fmt;

use ledger::SystemAccount;
use units::{Amount, Lots, Side};

use crate::{Entity, Kernel, Market, Watch};

/// What a sweep found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsound {
    /// What is not so.
    pub rule: &'static str,
    /// Of what.
    pub entity: Entity,
}

impl fmt::Display for Unsound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}: {}", self.entity, self.rule)
    }
}

impl core::error::Error for Unsound {}

fn hold(is_so: bool, rule: &'static str, entity: Entity) -> Result<(), Unsound> {
    if is_so { Ok(()) } else { Err(Unsound { rule, entity }) }
}

impl<W: Watch> Kernel<W> {
    /// Looks at everything, in order of accounts, assets and markets.
    ///
    /// # Errors
    ///
    /// [`Unsound`]: the first that is not as it must be. The state is wrong then and must not be built upon (D-49).
    pub fn sweep(&self) -> Result<(), Unsound> {
        let mut sums: BTreeMap<u32, Amount> = BTreeMap::new();
        let mut resting: BTreeMap<u32, usize> = BTreeMap::new();
        let mut open_count = 0;
        for account in 0..self.account_count() {
            open_count += self.sweep_account(account, &mut sums, &mut resting)?;
        }
        let entity = Entity::System;
        hold(open_count == self.order_count(), "each open order is one account's", entity)?;
        for asset in 1..=self.asset_count() {
            let entity = Entity::Asset(asset);
            let sum = sums.get(&asset).copied().unwrap_or(Amount::ZERO);
            hold(sum == Amount::ZERO, "all balances sum to zero", entity)?;
            hold(self.sum(asset) == sum, "its running sum is that of the balances", entity)?;
        }
        for market in self.markets() {
            self.sweep_market(market, resting.get(&market.number).copied().unwrap_or(0))?;
        }
        Ok(())
    }

    /// Balances and orders of an account; how many orders it has open.
    fn sweep_account(
        &self,
        account: u32,
        sums: &mut BTreeMap<u32, Amount>,
        resting: &mut BTreeMap<u32, usize>,
    ) -> Result<usize, Unsound> {
        let mut reserved: BTreeMap<u32, Amount> = BTreeMap::new();
        let mut count = 0;
        for order in self.orders_of(account) {
            let entity = Entity::Order(order.sequence);
            hold(order.account == account, "it is listed with its account", entity)?;
            hold(order.filled < order.total, "an open order is not filled", entity)?;
            hold(order.reserved >= Amount::ZERO, "no reservation is below zero", entity)?;
            let market = self.market(order.market);
            let market = market.ok_or(Unsound { rule: "its market is listed", entity })?;
            let of_asset = reserved.entry(market.reserved_asset(order.side)).or_default();
            *of_asset += order.reserved;
            *resting.entry(order.market).or_default() += usize::from(order.is_resting);
            count += 1;
        }
        for asset in self.assets_of(account) {
            let entity = Entity::Balance { account, asset };
            let balance = self.balance(account, asset);
            let wanted = reserved.remove(&asset).unwrap_or(Amount::ZERO);
            hold(balance.locked == wanted, "locked is what open orders reserve", entity)?;
            let is_outside = SystemAccount::may_be_negative(account);
            let is_covered = balance.available >= Amount::ZERO || is_outside;
            hold(is_covered, "nothing available is below zero", entity)?;
            let sum = sums.entry(asset).or_default();
            *sum += balance.total();
        }
        let without = reserved.into_iter().find(|&(_, amount)| amount != Amount::ZERO);
        without.map_or(Ok(count), |(asset, _)| {
            let entity = Entity::Balance { account, asset };
            Err(Unsound { rule: "what is reserved lies in a balance", entity })
        })
    }

    fn sweep_market(&self, market: &Market, resting: usize) -> Result<(), Unsound> {
        let entity = Entity::Market(market.number);
        let book = market.book();
        for side in [Side::Buy, Side::Sell] {
            for maker in book.iter(side) {
                let order = self.order_in_book(&maker);
                let entity = Entity::Order(order.sequence);
                let is_here = order.is_resting && order.market == market.number;
                hold(
                    is_here && order.side == side,
                    "a maker is a resting order of its book",
                    entity,
                )?;
                hold(order.ticks == maker.ticks, "it rests at its limit", entity)?;
                let left = Lots(order.total.0.saturating_sub(order.filled.0));
                hold(left == maker.lots, "what rests of it is what is not filled", entity)?;
            }
        }
        hold(book.len() == resting, "each resting order is in its book", entity)?;
        let best = book.best(Side::Buy).zip(book.best(Side::Sell));
        hold(best.is_none_or(|(bid, ask)| bid < ask), "the book is not crossed", entity)
    }
}

#[cfg(test)]
mod tests {
    use schema::EventBuffer;
    use testkit::oracle::Oracle;
    use testkit::oracle::generate::Generator;

    use super::*;
    use crate::Order;

    /// A state with orders of every kind.
    fn played() -> Kernel {
        let (mut generator, mut oracle) = (Generator::new(58), Oracle::new());
        let (mut kernel, mut out) = (Kernel::new(), EventBuffer::new());
        for number in 1..=6_000 {
            let stamped = generator.next(&oracle);
            oracle.execute(&stamped);
            out.clear();
            kernel.execute(&stamped, &mut out);
            if number % 500 == 0 {
                assert_eq!(kernel.sweep(), Ok(()), "after command {number}");
            }
        }
        kernel
    }

    fn resting(kernel: &Kernel) -> Order {
        let best = |market: &Market| market.book().iter(Side::Buy).next();
        let maker = kernel.markets().find_map(best).expect("a buyer rests");
        kernel.order_in_book(&maker)
    }

    /// One after the other: money from nowhere, money out of reach, a hold that nothing has, a hold that was lost, an
    /// order that is smaller than what rests of it, and one that rests at another price.
    #[test]
    fn whatever_is_wrong_is_found() {
        let sound = played();
        let order = resting(&sound);
        let asset = sound.market(order.market).expect("its market").quote;
        let account = order.account;
        let slot = |kernel: &Kernel| kernel.orders.slot(order.sequence).expect("open");
        let broken = |change: &dyn Fn(&mut Kernel)| {
            let mut kernel = sound.clone();
            change(&mut kernel);
            kernel.sweep().expect_err("it is found").rule
        };
        let more = |kernel: &mut Kernel, available: i128, locked: i128| {
            let mut balance = kernel.balance(account, asset);
            balance.available += Amount(available);
            balance.locked += Amount(locked);
            kernel.ledger.restore(account, asset, balance);
        };
        assert_eq!(broken(&|it| more(it, 1, 0)), "all balances sum to zero");
        let all = sound.balance(account, asset).available;
        assert_eq!(broken(&|it| more(it, -all.0 - 1, 0)), "nothing available is below zero");
        assert_eq!(broken(&|it| more(it, -1, 1)), "locked is what open orders reserve");
        let unreserved = broken(&|it| {
            let slot = slot(it);
            it.orders.at_mut(slot).set_reserved(Amount::ZERO);
        });
        assert_eq!(unreserved, "locked is what open orders reserve");
        let smaller = broken(&|it| {
            let slot = slot(it);
            it.orders.at_mut(slot).total.0 -= 1;
        });
        assert!(smaller == "what rests of it is what is not filled" || smaller.contains("filled"));
        let elsewhere = broken(&|it| {
            let slot = slot(it);
            it.orders.at_mut(slot).ticks.0 += 1;
        });
        assert_eq!(elsewhere, "it rests at its limit");
        assert_eq!(sound.sweep(), Ok(()));
    }
}
