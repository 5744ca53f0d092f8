//! What stops trading on a shard and lets it go on: the quarantine of a command and the two events in its place (D-49,
//! D-109), a halt and its end (D-119).
//!
//! Owns the stored form of all of them.

use alloc::vec::Vec;

use units::Timestamp;

use crate::event_codec::Payload;
use crate::wire::{DecodeError, Reader, write_label, write_option, write_time, write_u64};
use crate::{HaltReason, HaltScope, Label, Quarantine, TradingHalt};

/// A command broke an invariant and was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvariantViolated {
    /// The command, which is the one that this event stands in the place of.
    pub command: u64,
    /// The invariant.
    pub invariant: Label,
    /// What one side of it was; empty when it has no sides.
    pub left: Label,
    /// What the other side was.
    pub right: Label,
    /// The last state hash on record; zeros before the first.
    pub state_hash: [u8; 32],
    /// Who left the command out.
    pub quarantined_by: Label,
}

/// Trading stopped; MarketPaused of each open market follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradingHalted {
    /// How far it reaches.
    pub scope: HaltScope,
    /// Why.
    pub reason: HaltReason,
    /// Who, for the record.
    pub actor: Label,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// Trading goes on; MarketResumed of each market that the halt paused follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradingResumed {
    /// How far it reaches: as far as the halt.
    pub scope: HaltScope,
    /// Who, for the record.
    pub actor: Label,
}

impl HaltReason {
    /// Those that people halt for (GOV-33); the others are found by the exchange itself.
    pub const BY_PEOPLE: &'static [Self] =
        &[Self::Manipulation, Self::Technical, Self::Regulatory, Self::Liquidations];
}

pub(crate) fn write_halt(out: &mut Vec<u8>, halt: &TradingHalt) {
    out.push(halt.reason.number());
    write_label(out, &halt.actor);
}

pub(crate) fn read_halt(reader: &mut Reader<'_>) -> Result<TradingHalt, DecodeError> {
    Ok(TradingHalt { reason: reader.tag(HaltReason::from_number)?, actor: reader.label()? })
}

pub(crate) fn write_quarantine(out: &mut Vec<u8>, quarantine: &Quarantine) {
    write_u64(out, quarantine.command);
    for text in [&quarantine.invariant, &quarantine.left, &quarantine.right, &quarantine.actor] {
        write_label(out, text);
    }
}

pub(crate) fn read_quarantine(reader: &mut Reader<'_>) -> Result<Quarantine, DecodeError> {
    Ok(Quarantine {
        command: reader.u64()?,
        invariant: reader.label()?,
        left: reader.label()?,
        right: reader.label()?,
        actor: reader.label()?,
    })
}

impl Payload for InvariantViolated {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        write_u64(out, self.command);
        for text in [&self.invariant, &self.left, &self.right] {
            write_label(out, text);
        }
        out.extend_from_slice(&self.state_hash);
        write_label(out, &self.quarantined_by);
    }
}

pub(crate) fn read_violated(reader: &mut Reader<'_>) -> Result<InvariantViolated, DecodeError> {
    Ok(InvariantViolated {
        command: reader.u64()?,
        invariant: reader.label()?,
        left: reader.label()?,
        right: reader.label()?,
        state_hash: reader.array()?,
        quarantined_by: reader.label()?,
    })
}

impl Payload for TradingHalted {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        out.extend_from_slice(&[self.scope.number(), self.reason.number()]);
        write_label(out, &self.actor);
        write_option(out, self.expires_at, write_time);
    }
}

pub(crate) fn read_halted(reader: &mut Reader<'_>) -> Result<TradingHalted, DecodeError> {
    Ok(TradingHalted {
        scope: reader.tag(HaltScope::from_number)?,
        reason: reader.tag(HaltReason::from_number)?,
        actor: reader.label()?,
        expires_at: reader.option(Reader::time)?,
    })
}

impl Payload for TradingResumed {
    fn write(&self, out: &mut Vec<u8>, _: u64) {
        out.push(self.scope.number());
        write_label(out, &self.actor);
    }
}

pub(crate) fn read_resumed(reader: &mut Reader<'_>) -> Result<TradingResumed, DecodeError> {
    Ok(TradingResumed { scope: reader.tag(HaltScope::from_number)?, actor: reader.label()? })
}
