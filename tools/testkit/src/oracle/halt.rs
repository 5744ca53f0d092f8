//! The halt of trading on the shard and its end, and who vouches for the clock (17, 13, D-119).
//!
//! Owns which markets a halt holds closed. It deliberately knows no clock: what the sequencer records of its source
//! is all there is.

use std::collections::BTreeSet;

use schema::{
    ClockStatus, Code, Event, HaltReason, HaltScope, Label, MarketStateChanged, Outcome, Refusal,
    Stamped, TradingHalt, TradingHalted, TradingResumed, Why,
};

use super::listing::label;
use super::{DONE, Oracle};

/// A halt that lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halt {
    /// Why.
    pub reason: HaltReason,
    /// The markets that open again with it.
    pub markets: BTreeSet<u32>,
}

impl Oracle {
    /// GOV-33: new orders stop at once. By the operator for four reasons, by the sequencer, which has neither key
    /// nor signature, for the clock (TIME-34, TIME-35, TIME-39).
    pub(super) fn halt_trading(
        &mut self,
        stamped: &Stamped,
        halt: &TradingHalt,
    ) -> Result<Outcome, Refusal> {
        let &TradingHalt { reason, actor } = halt;
        let by_sequencer = reason == HaltReason::Clock && stamped.key.is_none();
        if !by_sequencer {
            self.check_operator(stamped)?;
            let reasons = ["MANIPULATION", "TECHNICAL", "REGULATORY", "LIQUIDATIONS"];
            if !reasons.contains(&reason.name()) {
                return Err(Refusal::new(Code::InvalidSchema, Why::FieldInvalid));
            }
        }
        if self.halt.is_some() {
            return Err(Refusal::new(Code::InvalidStateTransition, Why::TradingHalted));
        }
        let scope = HaltScope::Shard;
        self.emit(
            Event::TradingHalted(TradingHalted { scope, reason, actor, expires_at: None }),
            &[],
        );
        // Those that are paused already stay as they are, also behind the halt.
        let open = self.markets.iter().filter(|market| !market.paused);
        let markets: BTreeSet<u32> = open.map(|market| market.number).collect();
        for &market in &markets {
            self.market_mut(market).paused = true;
            let event = MarketStateChanged { market, reason: label(reason.name()), actor };
            self.emit(Event::MarketPaused(event), &[]);
        }
        self.halt = Some(Halt { reason, markets });
        Ok(DONE)
    }

    /// GOV-35: only this ends a halt; TIME-34: not before somebody vouches for the clock.
    pub(super) fn resume_trading(&mut self, actor: Label) -> Result<Outcome, Refusal> {
        let refuse = |why| Err(Refusal::new(Code::InvalidStateTransition, why));
        if self.halt.is_none() {
            return refuse(Why::NotHalted);
        }
        if self.clock == Some(ClockStatus::Fallback) {
            return refuse(Why::ClockUnconfirmed);
        }
        let Halt { reason, markets } = self.halt.take().expect("it lasts");
        let scope = HaltScope::Shard;
        self.emit(Event::TradingResumed(TradingResumed { scope, actor }), &[]);
        for market in markets {
            self.market_mut(market).paused = false;
            let event = MarketStateChanged { market, reason: label(reason.name()), actor };
            self.emit(Event::MarketResumed(event), &[]);
        }
        Ok(DONE)
    }

    /// TIME-34: the sequencer is told; it then records its source itself (EVT-88).
    pub(super) fn confirm_clock(&mut self, stamped: &Stamped) -> Result<Outcome, Refusal> {
        if self.clock == Some(ClockStatus::Fallback) {
            return Ok(self.complete(stamped));
        }
        Err(Refusal::new(Code::InvalidStateTransition, Why::ClockTrusted))
    }

    /// The halt that lasts.
    #[must_use]
    pub const fn halt(&self) -> Option<&Halt> {
        self.halt.as_ref()
    }

    /// Whether the clock's source on record is one that nobody vouches for.
    #[must_use]
    pub fn is_clock_unconfirmed(&self) -> bool {
        self.clock == Some(ClockStatus::Fallback)
    }
}
