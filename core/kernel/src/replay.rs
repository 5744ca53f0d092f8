//! Applying events from a log: the same functions as live, with the slots looked up.
//!
//! A log is checked for what could not have been written: a gap, an order that is not open, postings
//! that do not balance. Those are answers, so that a tool can say where a log is damaged; what is
//! sound in form and still breaks an invariant panics like live (RPL-47, STATE-31).

use core::fmt;

use ledger::LedgerError;
use schema::wire::DecodeError;
use schema::{Event, EventGroup, EventHead, OrderState, OrderSubmitted, OrderTerms};
use units::Amount;

use crate::order::Slot;
use crate::{Kernel, Watch};

/// Why a log cannot be applied. `at` is the sequence of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyError {
    /// The bytes of the group are no events.
    Undecodable {
        /// First event that could not be read.
        at: u64,
        /// What is wrong with it.
        cause: DecodeError,
    },
    /// Not the next event: one is missing, or comes twice with another content.
    Gap {
        /// What the log gives.
        at: u64,
        /// What comes next.
        expected: u64,
    },
    /// An event's time is not later than the one before (TIME-36).
    NotLater {
        /// The event.
        at: u64,
    },
    /// It names an entity that is not there, or not in the state that the event needs.
    Impossible {
        /// The event.
        at: u64,
    },
    /// Its postings cannot be made.
    Unbalanced {
        /// The event.
        at: u64,
        /// Why.
        cause: LedgerError,
    },
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undecodable { at, cause } => write!(f, "event {at} cannot be read: {cause}"),
            Self::Gap { at, expected } => {
                write!(f, "event {at} stands where event {expected} must come next")
            }
            Self::NotLater { at } => write!(f, "event {at} is not later than the one before"),
            Self::Impossible { at } => {
                write!(f, "event {at} names an entity that is not there or not in that state")
            }
            Self::Unbalanced { at, cause } => write!(f, "event {at} cannot be posted: {cause}"),
        }
    }
}

impl core::error::Error for ApplyError {}

impl<W: Watch> Kernel<W> {
    /// Applies all the events of one command. A group at or below the state's sequence is ignored
    /// (RPL-75).
    ///
    /// # Errors
    /// What is wrong with the log. State is then undefined: the kernel must be dropped.
    ///
    /// # Panics
    /// When an event breaks an invariant.
    pub fn apply_group(&mut self, group: &EventGroup<'_>) -> Result<(), ApplyError> {
        let expected = self.position.event_sequence + 1;
        let first = group.head.first_sequence;
        if first.saturating_add(u64::from(group.count)) <= expected {
            return Ok(());
        }
        // A group that begins in the past and ends in the future is no group of this log.
        if first != expected {
            return Err(ApplyError::Gap { at: first, expected });
        }
        if group.head.command_sequence <= self.position.command_sequence {
            return Err(ApplyError::Impossible { at: first });
        }
        self.begin_replay(&group.head);
        for event in group.events() {
            let at = self.position.event_sequence + 1;
            let (head, event) = event.map_err(|cause| ApplyError::Undecodable { at, cause })?;
            if head.timestamp <= self.position.last_timestamp {
                return Err(ApplyError::NotLater { at });
            }
            self.pass_event(head);
            self.apply_event(head, &event)?;
        }
        // Match and settlement are one command (TRADE-33).
        if self.open_trade.is_some() {
            return Err(ApplyError::Impossible { at: self.position.event_sequence });
        }
        self.end_command();
        Ok(())
    }

    fn apply_event(&mut self, at: EventHead, event: &Event) -> Result<(), ApplyError> {
        let possible = match event {
            Event::OrderSubmitted(submitted) => match submitted.terms {
                OrderTerms::Checked { account, market, .. } => {
                    let known = self.ledger.account(account).is_some()
                        && self.markets.market(market).is_some()
                        && self.is_submittable(submitted, account, market);
                    known.then(|| {
                        let submission = self.submission_of(submitted);
                        self.apply_submitted(at, &submission);
                    })
                }
                OrderTerms::Requested { account, .. } => {
                    self.rejecting = Some((at.sequence, account));
                    self.apply_requested(at, account);
                    Some(())
                }
            },
            Event::OrderRejected(rejected) => {
                let of = self.rejecting.take().filter(|(order, _)| *order == rejected.order);
                of.map(|(_, account)| self.apply_requested(at, account))
            }
            Event::OrderAccepted(accepted) => {
                self.orders.slot(accepted.order).map(|slot| self.apply_accepted(at, slot))
            }
            Event::MarginReserved(event) => self
                .order_with(event.order, event.amount)
                .map(|slot| self.apply_reserved(at, event, slot)),
            Event::MarginReleased(event) => self
                .order_with(event.order, event.amount)
                .map(|slot| self.apply_released(at, event, slot)),
            Event::OrderPartiallyFilled(fill) => {
                let slot = self.open_slot(fill.order);
                let fits = slot.filter(|&slot| fill.lots < self.orders.at(slot).remaining());
                fits.map(|slot| self.apply_fill(at, fill, slot))
            }
            Event::OrderFilled(fill) => {
                let slot = self.open_slot(fill.order);
                let fits = slot.filter(|&slot| fill.lots == self.orders.at(slot).remaining());
                fits.map(|slot| self.apply_fill(at, fill, slot))
            }
            Event::OrderCanceled(ended) => self
                .open_slot(ended.order)
                .map(|slot| self.apply_ended(at, slot, OrderState::Canceled)),
            Event::OrderExpired(ended) => self
                .open_slot(ended.order)
                .map(|slot| self.apply_ended(at, slot, OrderState::Expired)),
            // One trade is settled before the next is made.
            Event::TradeExecuted(_) if self.open_trade.is_some() => None,
            Event::TradeExecuted(trade) => {
                let slots = self.open_slot(trade.maker).zip(self.open_slot(trade.taker));
                slots.map(|slots| self.apply_executed(at, (trade.ticks, trade.lots), slots))
            }
            Event::TradeSettled(settled) => self.apply_settled(at, settled).then_some(()),
            Event::BalanceUpdated(event) => {
                let sound = self.ledger.check(event);
                sound.map_err(|cause| ApplyError::Unbalanced { at: at.sequence, cause })?;
                // A balance takes memory up to its asset's number, so the asset must be there.
                let mut legs = event.postings().iter();
                let listed = legs.all(|leg| self.assets.terms(leg.asset).is_some());
                listed.then(|| self.apply_balances(at, event))
            }
            other => self.apply_registry(at, other),
        };
        possible.ok_or(ApplyError::Impossible { at: at.sequence })
    }

    /// Events of the registry, of accounts and of the log itself.
    fn apply_registry(&mut self, at: EventHead, event: &Event) -> Option<()> {
        match event {
            Event::CommandRejected(rejected) => self.apply_party(at, &rejected.party),
            Event::CommandCompleted(completed) => self.apply_party(at, &completed.party),
            Event::GenesisRecorded(event) => {
                self.recorded.genesis.is_none().then(|| self.apply_genesis(at, event))?;
            }
            Event::LeaderChanged(event) => self.apply_leader(at, event),
            Event::StateHashRecorded(event) => self.apply_state_hash(at, event),
            Event::SnapshotTaken(event) => self.apply_snapshot(at, event),
            Event::ClockStatusChanged(event) => self.apply_clock(at, event),
            // A record; what it says of markets is in the events behind it (D-109).
            Event::InvariantViolated(_) => {}
            Event::TradingHalted(event) => {
                self.may_halt(event).then(|| self.apply_halted(at, event))?;
            }
            Event::TradingResumed(event) => {
                self.halt.is_some().then(|| self.apply_resumed(at, event))?;
            }
            Event::AssetListed(event) => self.apply_asset_listed(at, event),
            Event::MarketListed(event) => {
                self.pair_of(event)?;
                self.apply_market_listed(at, event);
            }
            Event::MarketPaused(event) => {
                self.may_set_market(event.market, false).then_some(())?;
                self.apply_market_state(at, event.market, false);
            }
            Event::MarketResumed(event) => {
                self.may_set_market(event.market, true).then_some(())?;
                self.apply_market_state(at, event.market, true);
            }
            Event::AccountCreated(event) => {
                self.apply_account_created(at, event);
            }
            Event::AccountStatusChanged(event) => {
                self.ledger.account(event.account)?;
                self.apply_status(at, event);
            }
            other => self.apply_change(at, other)?,
        }
        Some(())
    }

    /// Changes of orders, markets, fees and accounts.
    fn apply_change(&mut self, at: EventHead, event: &Event) -> Option<()> {
        match event {
            Event::MarketParametersChanged(event) => {
                self.markets.market(event.market)?;
                self.apply_parameters(at, event);
            }
            Event::FeeScheduleChanged(event) => {
                (!event.tiers.is_empty()).then_some(())?;
                self.apply_schedule(at, event);
            }
            Event::FeeTierChanged(event) => {
                self.ledger.account(event.account)?;
                let is_waiver = event.kind == schema::FeeKind::Waiver;
                let sound =
                    event.reason.is_some() == is_waiver && (is_waiver || event.ends_at.is_none());
                sound.then_some(())?;
                self.apply_rates(at, event);
            }
            Event::AccountProfileChanged(event) => {
                self.ledger.account(event.account)?;
                self.apply_profile(at, event);
            }
            Event::AccountTransferred(event) => {
                self.ledger.account(event.from)?;
                self.ledger.account(event.to)?;
                self.assets.terms(event.asset)?;
                (event.from != event.to && event.amount > Amount::ZERO).then_some(())?;
                self.apply_transferred(at, event);
            }
            Event::FeeRefunded(event) => {
                self.is_refundable(event).then(|| self.apply_refunded(at, event))?;
            }
            Event::CountdownCancelChanged(event) => {
                self.ledger.account(event.account)?;
                self.apply_countdown(at, event);
            }
            Event::OrderReduced(reduced) => {
                let slot = self.open_slot(reduced.order).filter(|&slot| {
                    let order = self.orders.at(slot);
                    reduced.total < order.total && reduced.total > order.filled
                })?;
                self.apply_reduced(at, reduced, slot);
            }
            Event::OrderTriggered(triggered) => {
                let slot = self.open_slot(triggered.order)?;
                let met = self.orders.at(slot).waiting().and_then(|waiting| waiting.met);
                met.filter(|(_, price)| *price == triggered.observed)?;
                self.apply_triggered(at, slot);
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether the trigger of an order lies on the market's ticks, and its pair is one order of this
    /// account and market that has none.
    fn is_submittable(&self, event: &OrderSubmitted, account: u32, market: u32) -> bool {
        let trigger = event
            .trigger
            .is_none_or(|trigger| self.markets.at(market).tick.count(trigger.price).is_some());
        let pair = event.oco_with.is_none_or(|id| {
            let other = self.open_slot(id.sequence()).map(|slot| self.orders.at(slot));
            other.is_some_and(|other| {
                (other.account, other.market()) == (account, market) && other.pair().is_none()
            })
        });
        trigger && pair
    }

    fn open_slot(&self, order: u64) -> Option<Slot> {
        self.orders.slot(order).filter(|&slot| self.orders.at(slot).is_open())
    }

    fn order_with(&self, order: u64, amount: Amount) -> Option<Slot> {
        self.orders.slot(order).filter(|_| amount > Amount::ZERO)
    }
}
