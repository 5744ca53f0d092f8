//! Canceling one order (LIFE-39, LIFE-46).

use schema::{CancelOrder, Code, EventBuffer, Outcome, Refusal, Why};

use crate::order::Slot;
use crate::{Kernel, Watch};

impl<W: Watch> Kernel<W> {
    #[inline]
    pub(crate) fn cancel_order(
        &mut self,
        cancel: &CancelOrder,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let slot = self.check_cancel(cancel)?;
        self.cancel_open(slot, Code::UserRequested, out);
        Ok(Outcome::Done { created: None })
    }

    /// The core knows open orders only; another's order is as if it did not exist (D-72). A suspended
    /// account may still cancel (LIFE-47).
    #[inline]
    fn check_cancel(&self, cancel: &CancelOrder) -> Result<Slot, Refusal> {
        let missing = Refusal::new(Code::AccountNotFound, Why::NoSuchAccount);
        let account = self.ledger.number(cancel.account).ok_or(missing)?;
        let missing = Refusal::new(Code::OrderNotFound, Why::NoSuchOrder);
        let slot = self.orders.slot(cancel.order.sequence()).ok_or(missing)?;
        let order = self.orders.at(slot);
        let is_it = self.id_of(order.sequence, order.submitted_at) == cancel.order;
        if !is_it || order.account != account || !order.is_open() {
            return Err(missing);
        }
        if cancel.state_seq.is_some_and(|expected| expected != order.state_seq) {
            return Err(Refusal::new(Code::VersionConflict, Why::StateSeqDiffers));
        }
        Ok(slot)
    }
}
