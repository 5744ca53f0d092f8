//! One-cancels-other pairs (LIFE-38, D-67, D-97).
//!
//! The earlier order of a pair holds its own need; the later one holds what its need exceeds that by,
//! when both reserve one asset. So a pair holds the larger of its two amounts, and each order can be
//! ended alone: what the other then lacks is taken up again from what was released.

use schema::{Code, EventBuffer, EventKind, HoldReason, MarginMoved};
use units::Amount;

use crate::order::Slot;
use crate::{Kernel, Watch};

impl<W: Watch> Kernel<W> {
    /// The other order of an order's pair.
    pub(crate) fn partner_of(&self, slot: Slot) -> Option<Slot> {
        let partner = self.orders.at(slot).pair()?;
        Some(self.orders.slot(partner).expect("a pair is two open orders"))
    }

    /// What the rest of an order needs by itself.
    pub(crate) fn need_of(&self, slot: Slot) -> Amount {
        let order = self.orders.at(slot);
        let market = self.markets.at(order.market());
        let rest = (order.ticks, order.remaining());
        let need = market.requirement(order.side, rest, order.reserve_rate());
        need.expect("less than what was reserved")
    }

    /// What an order must hold: its need, less what the earlier order of its pair holds already.
    pub(crate) fn hold_of(&self, slot: Slot) -> Amount {
        let need = self.need_of(slot);
        let order = self.orders.at(slot);
        let shared = self.partner_of(slot).filter(|&partner| {
            let partner = self.orders.at(partner);
            partner.sequence < order.sequence && partner.side == order.side
        });
        match shared {
            Some(earlier) => beyond(need, self.need_of(earlier)),
            None => need,
        }
    }

    /// What would become available if an order ended: what it holds, less what the later order of its
    /// pair then has to hold itself.
    pub(crate) fn freed_by(&self, slot: Slot) -> Amount {
        let order = self.orders.at(slot);
        let later = self.partner_of(slot).filter(|&partner| {
            let partner = self.orders.at(partner);
            partner.sequence > order.sequence && partner.side == order.side
        });
        match later {
            Some(later) => {
                order.reserved() - (self.need_of(later) - self.orders.at(later).reserved())
            }
            None => order.reserved(),
        }
    }

    /// Cancels the other order of a pair; whether there was one.
    #[inline]
    pub(crate) fn cancel_partner(&mut self, slot: Slot, out: &mut EventBuffer) -> bool {
        if self.orders.at(slot).conditions.is_none() {
            return false;
        }
        let Some(partner) = self.partner_of(slot) else { return false };
        self.cancel_open(partner, Code::OcoCanceled, out);
        true
    }

    /// Takes up what an order holds less than it must, after the other of its pair ended or shrank.
    pub(crate) fn take_up(&mut self, slot: Slot, out: &mut EventBuffer) {
        let amount = self.hold_of(slot) - self.orders.at(slot).reserved();
        if amount > Amount::ZERO {
            let order = self.orders.at(slot).sequence;
            let event = MarginMoved { order, amount, reason: HoldReason::OrderPlacement };
            let at = self.emit_small(out, EventKind::MarginReserved, &event);
            self.apply_reserved(at, &event, slot);
        }
    }
}

/// By how much `need` exceeds what is held.
pub(crate) fn beyond(need: Amount, held: Amount) -> Amount {
    if need > held { need - held } else { Amount::ZERO }
}
