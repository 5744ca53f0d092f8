//! Who places the recorded orders, and with what.
//!
//! Accounts are not recorded. Buyers and sellers come from two pools, so that no order can meet one of
//! its own account, and each pool is so large that no account ever has more open orders than a market
//! allows. The k-th order of a side belongs to the account k modulo the pool's size. Every account is
//! funded before the first order for all that it will ever place, so that no order can fail for money.

use anyhow::Context as _;
use units::{Amount, Lots, Rounding, Side, Ticks};

use super::rows::{Action, OrderRow, index};

/// The market and the accounts of a replay.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Smallest step of the price.
    pub(super) tick_size: Amount,
    /// Smallest step of the quantity.
    pub(super) lot_size: Amount,
    /// Highest price of the recording, in ticks.
    pub(super) max_price: Ticks,
    /// Largest quantity of the recording, in lots.
    pub(super) max_quantity: Lots,
    /// What each buyer needs of the quote asset, and each seller of the base asset.
    pub(super) funds: [Vec<Amount>; 2],
}

/// One account of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Which pool.
    pub(super) side: Side,
    /// Which account of it, from 0.
    pub(super) account: usize,
}

/// Gives each order its account.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoundRobin {
    sizes: [usize; 2],
    next: [usize; 2],
}

impl Plan {
    /// The plan for a stream of orders.
    ///
    /// # Errors
    /// The orders of one account are worth more than an amount can be.
    pub(super) fn new<'a>(
        orders: impl Iterator<Item = &'a OrderRow> + Clone,
        steps: (Amount, Amount),
    ) -> anyhow::Result<Self> {
        let (tick_size, lot_size) = steps;
        let mut counts = [0usize; 2];
        let mut highest = (Amount::ZERO, Amount::ZERO);
        for (side, price, quantity) in placements(orders.clone()) {
            counts[index(side)] += 1;
            highest = (highest.0.max(price), highest.1.max(quantity));
        }
        let funds = counts.map(|count| vec![Amount::ZERO; count.div_ceil(ORDERS_PER_ACCOUNT)]);
        let mut plan = Self {
            tick_size,
            lot_size,
            max_price: Ticks(steps_of(highest.0, tick_size)?),
            max_quantity: Lots(steps_of(highest.1, lot_size)?),
            funds,
        };
        plan.fund(orders).context("the orders of one account are worth 10^18 units or more")?;
        Ok(plan)
    }

    /// Who comes next.
    pub(super) fn round_robin(&self) -> RoundRobin {
        RoundRobin { sizes: [self.funds[0].len(), self.funds[1].len()], next: [0; 2] }
    }

    /// How many accounts there are.
    pub(super) fn account_count(&self) -> usize {
        self.funds.iter().map(Vec::len).sum()
    }

    fn fund<'a>(&mut self, orders: impl Iterator<Item = &'a OrderRow>) -> Option<()> {
        let mut accounts = self.round_robin();
        for (side, price, quantity) in placements(orders) {
            let need = match side {
                // Twice the value: no fee is higher than the value itself (D-29 caps it at 2 %).
                Side::Buy => {
                    let value = price.checked_mul(quantity, Rounding::Up)?;
                    value.checked_add(value)?
                }
                Side::Sell => quantity,
            };
            let funds = &mut self.funds[index(side)][accounts.next(side).account];
            *funds = funds.checked_add(need)?;
        }
        let decimals = [QUOTE_DECIMALS, base_decimals(self.lot_size)];
        for (pool, decimals) in self.funds.iter_mut().zip(decimals) {
            for funds in pool {
                *funds = funds.round(decimals, Rounding::Up)?;
            }
        }
        let all = self.funds.iter().flatten();
        all.copied().all(|funds| funds < Amount::COMMAND_END).then_some(())
    }
}

impl RoundRobin {
    /// The account of the next order of a side.
    pub(super) const fn next(&mut self, side: Side) -> Place {
        let side_index = index(side);
        let account = self.next[side_index];
        self.next[side_index] = (account + 1) % self.sizes[side_index];
        Place { side, account }
    }
}

fn placements<'a>(
    orders: impl Iterator<Item = &'a OrderRow>,
) -> impl Iterator<Item = (Side, Amount, Amount)> {
    orders.filter_map(|order| match order.action {
        Action::Place { price, quantity } => Some((order.side, price, quantity)),
        Action::Cancel => None,
    })
}

/// How many steps an amount is, the last one begun counting whole.
fn steps_of(amount: Amount, step: Amount) -> anyhow::Result<u64> {
    let steps = (amount.0 + step.0 - 1) / step.0;
    u64::try_from(steps.max(1)).with_context(|| format!("{amount} is too many steps of {step}"))
}

/// Decimals of the base asset: those of the lot.
pub(super) fn base_decimals(lot_size: Amount) -> u8 {
    (0..Amount::DECIMALS)
        .find(|&decimals| lot_size.fits_decimals(decimals))
        .unwrap_or(Amount::DECIMALS)
}

/// Decimals of the quote asset.
pub(super) const QUOTE_DECIMALS: u8 = 8;
/// KYC tier of the accounts: the highest, so that no daily limit stands in the way (D-37).
pub(super) const KYC_TIER: u8 = 3;
/// Orders that one account places in all: half of what it may have open at one time (LIFE-13).
const ORDERS_PER_ACCOUNT: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn order(side: Side, price: &str) -> OrderRow {
        let amount = |text: &str| text.parse().expect("a decimal");
        let action = Action::Place { price: amount(price), quantity: amount("3") };
        OrderRow { line: 2, seq: 1, time: 0, order_id: 1, side, action }
    }

    fn plan(orders: &[OrderRow]) -> anyhow::Result<Plan> {
        Plan::new(orders.iter(), (Amount::from_units(1), Amount::from_units(1)))
    }

    #[test]
    fn pools_are_disjoint_and_large_enough() {
        let orders: Vec<OrderRow> =
            (0..450).map(|at| order(if at < 250 { Side::Buy } else { Side::Sell }, "7")).collect();
        let plan = plan(&orders).expect("sound");
        assert_eq!((plan.funds[0].len(), plan.funds[1].len(), plan.account_count()), (3, 2, 5));
        let mut accounts = plan.round_robin();
        let given: Vec<usize> = (0..4).map(|_| accounts.next(Side::Buy).account).collect();
        assert_eq!(given, [0, 1, 2, 0]);
        // 84 buys of 3 for 7 with as much again for fees; 100 sells of 3.
        assert_eq!(plan.funds[0][0], Amount::from_units(84 * 42));
        assert_eq!(plan.funds[1], [Amount::from_units(300); 2]);
        assert_eq!((plan.max_price, plan.max_quantity), (Ticks(7), Lots(3)));
    }

    #[test]
    fn what_no_account_can_hold_is_refused() {
        assert!(plan(&[order(Side::Buy, "999999999999999999")]).is_err());
    }

    #[test]
    fn the_base_asset_has_the_decimals_of_the_lot() {
        for (lot, decimals) in [("1", 0), ("100", 0), ("0.001", 3), ("0.000000000000000001", 18)] {
            assert_eq!(base_decimals(lot.parse().expect("a decimal")), decimals, "{lot}");
        }
    }
}
