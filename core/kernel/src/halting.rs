//! The halt of trading on the shard, and its end (GOV-33, GOV-35, D-119).
//!
//! Owns what a halt remembers: why, who, since when, and the markets that it closed. Those alone open again with
//! it, so that a market which an operator had paused stays paused. While a halt lasts every market is closed, and
//! none is opened or closed by itself; a market that is listed meanwhile opens with the others. Orders meet a closed
//! market and nothing else, so that all that a paused market lets pass goes on (D-95, D-35). A quarantine's
//! TradingHalted is a record and no halt of this kind (D-109).

use alloc::vec::Vec;

use schema::wire::{DecodeError, Reader, write_label, write_time, write_u64};
use schema::{
    ClockStatus, Code, EventBuffer, EventHead, EventKind, HaltReason, HaltScope, Label,
    MarketStateChanged, Operator, Outcome, Refusal, Stamped, TradingHalt, TradingHalted,
    TradingResumed, Why,
};
use units::Timestamp;

use crate::{Kernel, Watch};

const DONE: Outcome = Outcome::Done { created: None };

/// A halt that lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halt {
    /// Why.
    pub reason: HaltReason,
    /// Who, for the record.
    pub actor: Label,
    /// Time of its TradingHalted.
    pub since: Timestamp,
    /// The markets that it keeps closed, by listing number, rising.
    pub markets: Vec<u32>,
}

impl<W: Watch> Kernel<W> {
    /// TradingHalted, then MarketPaused of each open market, in order of listing.
    pub(crate) fn halt_trading(
        &mut self,
        stamped: &Stamped,
        (halt, operator): (&TradingHalt, &Operator),
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        // The sequencer's own has no key, and what comes from outside with that reason does not reach a log.
        if halt.reason != HaltReason::Clock || stamped.key.is_some() {
            self.check_operator(stamped, operator)?;
            if !HaltReason::BY_PEOPLE.contains(&halt.reason) {
                return Err(Refusal::new(Code::InvalidSchema, Why::FieldInvalid));
            }
        }
        if self.halt.is_some() {
            return Err(Refusal::new(Code::InvalidStateTransition, Why::TradingHalted));
        }
        let event = TradingHalted {
            scope: HaltScope::Shard,
            reason: halt.reason,
            actor: halt.actor,
            expires_at: None,
        };
        let at = self.emit(out, EventKind::TradingHalted, &event);
        self.apply_halted(at, &event);
        self.pause_all(halt.reason, halt.actor, out);
        Ok(DONE)
    }

    /// TradingResumed, then MarketResumed of each market that the halt keeps closed, in order of listing.
    pub(crate) fn resume_trading(
        &mut self,
        actor: Label,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let refuse = |why| Err(Refusal::new(Code::InvalidStateTransition, why));
        let Some(halt) = self.halt.as_deref() else { return refuse(Why::NotHalted) };
        // Nobody trades again by a clock that nobody has confirmed (TIME-34).
        if self.clock_status() == ClockStatus::Fallback {
            return refuse(Why::ClockUnconfirmed);
        }
        let reason = label_of(halt.reason);
        let markets = halt.markets.clone();
        let event = TradingResumed { scope: HaltScope::Shard, actor };
        let at = self.emit(out, EventKind::TradingResumed, &event);
        self.apply_resumed(at, &event);
        for market in markets {
            let event = MarketStateChanged { market, reason, actor };
            let at = self.emit(out, EventKind::MarketResumed, &event);
            self.apply_market_state(at, market, true);
        }
        Ok(DONE)
    }

    /// Of the state nothing changes: the sequencer follows the clock again and puts that on record itself (EVT-88).
    pub(crate) fn confirm_clock(&self) -> Result<Outcome, Refusal> {
        if self.clock_status() != ClockStatus::Fallback {
            return Err(Refusal::new(Code::InvalidStateTransition, Why::ClockTrusted));
        }
        Ok(DONE)
    }

    /// Closes each open market, in order of listing.
    pub(crate) fn pause_all(&mut self, reason: HaltReason, actor: Label, out: &mut EventBuffer) {
        let reason = label_of(reason);
        for market in 1..=self.markets.count() {
            if !self.markets.at(market).open {
                continue;
            }
            let event = MarketStateChanged { market, reason, actor };
            let at = self.emit(out, EventKind::MarketPaused, &event);
            self.apply_market_state(at, market, false);
        }
    }

    pub(crate) fn apply_halted(&mut self, at: EventHead, event: &TradingHalted) {
        if event.reason == HaltReason::Invariant {
            return;
        }
        let halt = Halt {
            reason: event.reason,
            actor: event.actor,
            since: at.timestamp,
            markets: Vec::new(),
        };
        self.halt = Some(alloc::boxed::Box::new(halt));
    }

    pub(crate) fn apply_resumed(&mut self, _at: EventHead, _event: &TradingResumed) {
        self.halt = None;
    }

    /// A market that is closed while a halt lasts is kept closed by it.
    pub(crate) fn note_closed(&mut self, market: u32) {
        if let Some(halt) = &mut self.halt {
            halt.markets.push(market);
        }
    }

    /// In replay: whether a halt can begin here.
    pub(crate) fn may_halt(&self, event: &TradingHalted) -> bool {
        event.reason == HaltReason::Invariant
            || (self.halt.is_none()
                && event.scope == HaltScope::Shard
                && event.expires_at.is_none())
    }

    /// In replay: whether a market may be opened or closed here. A halt closes each open one once, in order.
    pub(crate) fn may_set_market(&self, number: u32, open: bool) -> bool {
        self.markets.market(number).is_some_and(|market| {
            self.halt.as_deref().is_none_or(|halt| {
                !open && market.open && halt.markets.last().is_none_or(|&last| last < number)
            })
        })
    }
}

fn label_of(reason: HaltReason) -> Label {
    Label::new(reason.name()).expect("a short constant")
}

/// A halt as the state holds it.
pub(crate) fn write_halt(halt: &Halt, out: &mut Vec<u8>) {
    out.push(halt.reason.number());
    write_label(out, &halt.actor);
    write_time(out, halt.since);
    write_u64(out, halt.markets.len() as u64);
    for market in &halt.markets {
        write_u64(out, u64::from(*market));
    }
}

pub(crate) fn read_halt(reader: &mut Reader<'_>) -> Result<Halt, DecodeError> {
    let mut halt = Halt {
        reason: reader.tag(HaltReason::from_number)?,
        actor: reader.label()?,
        since: reader.time()?,
        markets: Vec::new(),
    };
    for _ in 0..reader.u64()? {
        halt.markets.push(reader.u32()?);
    }
    Ok(halt)
}
