//! A fee that is given back: the command that asks for it, the event that tells it, and their bytes.
//!
//! The command certifies what was charged, because core state forgets trades (D-73, D-104): the node
//! reads the fee from the archive, and the operator's signature covers it. See
//! `docs/formats/command.md` and `docs/formats/event.md`.

use alloc::vec::Vec;

use units::{Amount, Id};

use crate::change_codec::{read_asset_ref, write_asset_ref};
use crate::event_codec::Payload;
use crate::wire::{DecodeError, Reader, write_amount, write_id, write_label, write_u64};
use crate::{AssetRef, Label, RefundReason};

/// A fee to give back, in whole or in part (FEE-23).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeRefund {
    /// The trade that charged it.
    pub trade: Id,
    /// Who paid it.
    pub account: Id,
    /// In what it was paid.
    pub asset: AssetRef,
    /// The fee as it was charged (FEE-24).
    pub fee: Amount,
    /// How much of it goes back.
    pub amount: Amount,
    /// Why.
    pub reason: RefundReason,
    /// Who, for the record.
    pub actor: Label,
}

/// A fee was given back, in whole or in part; the postings follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeRefunded {
    /// The trade that charged it.
    pub trade: Id,
    /// Number of the account that paid it.
    pub account: u32,
    /// Number of the asset.
    pub asset: u32,
    /// The fee as it was charged.
    pub fee: Amount,
    /// How much of it went back with this event.
    pub amount: Amount,
    /// Why.
    pub reason: RefundReason,
    /// Who, for the record.
    pub actor: Label,
}

pub(crate) fn write_refund(out: &mut Vec<u8>, refund: &FeeRefund) {
    write_id(out, refund.trade);
    write_id(out, refund.account);
    write_asset_ref(out, &refund.asset);
    write_amount(out, refund.fee);
    write_amount(out, refund.amount);
    out.push(refund.reason.number());
    write_label(out, &refund.actor);
}

pub(crate) fn read_refund(reader: &mut Reader<'_>) -> Result<FeeRefund, DecodeError> {
    Ok(FeeRefund {
        trade: reader.id()?,
        account: reader.id()?,
        asset: read_asset_ref(reader)?,
        fee: reader.amount()?,
        amount: reader.amount()?,
        reason: reader.tag(RefundReason::from_number)?,
        actor: reader.label()?,
    })
}

impl Payload for FeeRefunded {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_id(out, self.trade);
        write_u64(out, u64::from(self.account));
        write_u64(out, u64::from(self.asset));
        write_amount(out, self.fee);
        write_amount(out, self.amount);
        out.push(self.reason.number());
        write_label(out, &self.actor);
    }
}

pub(crate) fn read_refunded(reader: &mut Reader<'_>) -> Result<FeeRefunded, DecodeError> {
    Ok(FeeRefunded {
        trade: reader.id()?,
        account: reader.u32()?,
        asset: reader.u32()?,
        fee: reader.amount()?,
        amount: reader.amount()?,
        reason: reader.tag(RefundReason::from_number)?,
        actor: reader.label()?,
    })
}
