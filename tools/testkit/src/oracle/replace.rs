//! Cancel-and-replace: one command, both or neither (D-16, LIFE-43, LIFE-44, EVT-22).
//!
//! While the new order is checked, the old one is off its level: so what would be met is what will be
//! met; its reservation and its place in the limit of open orders count as free.

use schema::{Code, Outcome, Refusal, ReplaceOrder, Why};

use super::Oracle;
use super::place::check_fields;

impl Oracle {
    pub(super) fn replace(&mut self, replace: &ReplaceOrder) -> Result<Outcome, Refusal> {
        // D-97: the schema of the new order, the old order, its market, then the new one like a create.
        let request = &replace.request;
        check_fields(request)?;
        let old = self.find_order(request.account, replace.order, replace.state_seq)?;
        let market = self.orders[&old].market;
        if self.find_market(request.symbol)? != market {
            return Err(Refusal::new(Code::InvalidSchema, Why::ReplacesElsewhere));
        }
        // Its pair needs the state, and the order that goes is no other order of a pair.
        if request.oco_with == Some(replace.order) {
            return Err(Refusal::new(Code::InvalidSchema, Why::OcoNotOpen));
        }
        self.check_pair(request, Some(old))?;
        let hidden = self.hide(old);
        let checked = self.check_order(request, Some(old));
        self.unhide(old, hidden);
        let plan = checked?;
        self.cancel_order(old, Code::UserRequested);
        let order = self.accept(request, plan, Some(old));
        Ok(Outcome::Accepted { order })
    }

    /// Takes an order off its level for the length of a check; answers its place in it.
    fn hide(&mut self, order: u64) -> Option<usize> {
        let it = &self.orders[&order];
        let (market, side, ticks) = (it.market, it.side, it.ticks);
        let levels = self.market_mut(market).levels_mut(side);
        let level = levels.get_mut(&ticks)?;
        let place = level.iter().position(|&number| number == order)?;
        level.remove(place);
        if level.is_empty() {
            levels.remove(&ticks);
        }
        Some(place)
    }

    fn unhide(&mut self, order: u64, place: Option<usize>) {
        let it = &self.orders[&order];
        let (market, side, ticks) = (it.market, it.side, it.ticks);
        if let Some(place) = place {
            let levels = self.market_mut(market).levels_mut(side);
            levels.entry(ticks).or_default().insert(place, order);
        }
    }

    /// What of an asset is free when an order has gone: what it holds, less what the later order of
    /// its pair takes up then (D-97).
    pub(super) fn freed_by(&self, order: u64, asset: u32) -> i128 {
        if self.hold_asset(order) != asset {
            return 0;
        }
        let it = &self.orders[&order];
        let taken_up = it.pair.filter(|&other| other > order).map_or(0, |other| {
            if self.hold_asset(other) != asset {
                return 0;
            }
            self.need_of(other) - self.orders[&other].hold
        });
        it.hold - taken_up
    }
}
