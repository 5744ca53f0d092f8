//! `Kernel`: the state, and the frame of every command.
//!
//! A command passes the frame in this order: key, due work, handler (check, then commit), end. The
//! handler emits events through `emit`, which numbers, times and encodes one, and then applies it;
//! nothing else changes state. Event times are the later of the stamp and the last event's plus 1 ns, and rise by
//! 1 ns inside a command (D-9).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use ledger::Ledger;
use schema::limits::{CLIENT_KEY_LIFE, GATEWAY_KEY_LIFE};
use schema::{
    CancelAllOrders, Code, Command, CommandCompleted, CommandRejected, CountdownCancel,
    EventBuffer, EventHead, EventKind, FeeRefund, Genesis, GroupHead, Idempotency, Key, KeyOrigin,
    Label, Outcome, Party, Payload, ProfileChange, RatesChange, Refusal, Reply, Small, Stamped,
    StatusChange, Why,
};
use units::{Id, Timestamp};

use crate::asset::Assets;
use crate::due::DueQueue;
use crate::halting::Halt;
use crate::keys::Keys;
use crate::market::Markets;
use crate::order::{Orders, Slot};
use crate::rates::{AccountFees, OpenTrade, Schedule};
use crate::refund::Refunds;
use crate::{Entity, Unwatched, Watch};

/// Where a kernel stands in its two logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Last command executed, or last command whose events were applied.
    pub command_sequence: u64,
    /// Last event.
    pub event_sequence: u64,
    /// Time of the last event.
    pub last_timestamp: Timestamp,
    /// Stamp of the last command executed; replay of events alone does not know it.
    pub last_stamp: Timestamp,
    /// Epoch of the last LeaderChanged.
    pub epoch: u64,
}

/// What was recorded of the shard itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// The configuration and its hash.
    pub(crate) genesis: Option<(Box<Genesis>, [u8; 32])>,
    /// Name of the leader.
    pub(crate) leader: Option<Label>,
    /// The last state hash and the event it was taken at.
    pub(crate) state_hash: Option<(u64, [u8; 32])>,
    /// The last snapshot: its sequence, time and checksum.
    pub(crate) snapshot: Option<(u64, Timestamp, [u8; 32])>,
    /// The clock's source.
    pub(crate) clock: Option<schema::ClockStatus>,
}

/// The state of a shard and the one function that changes it.
#[derive(Clone, Debug)]
pub struct Kernel<W: Watch = Unwatched> {
    pub(crate) position: Position,
    pub(crate) recorded: Recorded,
    /// The halt of trading that lasts; boxed, since there hardly ever is one.
    pub(crate) halt: Option<Box<Halt>>,
    pub(crate) assets: Assets,
    pub(crate) markets: Markets,
    pub(crate) ledger: Ledger,
    pub(crate) orders: Orders,
    pub(crate) keys: Keys,
    /// Fee rates and volumes by account number.
    pub(crate) fees: Vec<AccountFees>,
    pub(crate) schedule: Schedule,
    /// Fees of which something was given back.
    pub(crate) refunds: Refunds,
    /// Deadlines of the countdown cancels that are armed, by account number.
    pub(crate) countdowns: BTreeMap<u32, Timestamp>,
    pub(crate) due: DueQueue,
    /// Time of this command, which is that of its first event (D-92).
    pub(crate) command_time: Timestamp,
    /// Fills of this command so far (D-76).
    pub(crate) fills: u32,
    /// The UTC day of the last counted trade, and the midnight that ends it.
    pub(crate) today: u32,
    pub(crate) tomorrow: Timestamp,
    /// The trade that was executed and is not settled yet.
    pub(crate) open_trade: Option<OpenTrade>,
    /// Time of the next event of this command.
    pub(crate) next_time: Timestamp,
    /// The key that the next event enters into state.
    entering: Option<Idempotency>,
    /// The order that is accepted, crosses the book and is not done matching.
    pub(crate) incoming: Option<Slot>,
    /// An order that was submitted and will be rejected, and its account, in replay.
    pub(crate) rejecting: Option<(u64, Id)>,
    /// Orders that ended in this command.
    pub(crate) ended: Vec<Slot>,
    pub(crate) watch: W,
}

/// What the key of a command decides.
enum Gate {
    /// Run, and enter this key with the first event.
    Run(Idempotency),
    /// Answer as the first time.
    Repeat(u64),
    /// Refuse and enter nothing.
    Refuse(Refusal),
}

impl Kernel {
    /// A kernel before its first command.
    #[must_use]
    pub fn new() -> Self {
        Self::watched(Unwatched)
    }
}

impl Default for Kernel {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Watch> Kernel<W> {
    /// A kernel before its first command whose changes `watch` is told of.
    #[must_use]
    pub fn watched(watch: W) -> Self {
        Self {
            position: Position::default(),
            recorded: Recorded::default(),
            halt: None,
            assets: Assets::default(),
            markets: Markets::default(),
            ledger: Ledger::new(),
            orders: Orders::default(),
            keys: Keys::default(),
            fees: Vec::new(),
            schedule: Schedule::default(),
            refunds: Refunds::new(),
            countdowns: BTreeMap::new(),
            due: DueQueue::default(),
            command_time: Timestamp(0),
            fills: 0,
            today: 0,
            tomorrow: Timestamp(0),
            open_trade: None,
            next_time: Timestamp(0),
            entering: None,
            incoming: None,
            rejecting: None,
            ended: Vec::new(),
            watch,
        }
    }

    /// Executes the next command of the log and appends its events to `out`.
    ///
    /// Total: whatever the command asks, it is done, rejected or refused.
    ///
    /// # Panics
    /// When the command is not the next one, its stamp is older than the last one's, or an invariant
    /// breaks. Each is a bug of the code around or inside the kernel; the kernel must be dropped then.
    pub fn execute(&mut self, stamped: &Stamped, out: &mut EventBuffer) -> Reply {
        assert_eq!(stamped.sequence, self.position.command_sequence + 1, "commands come in order");
        assert!(stamped.stamp >= self.position.last_stamp, "stamps never go back (TIME-22)");
        self.position.command_sequence = stamped.sequence;
        self.position.last_stamp = stamped.stamp;
        self.next_time = stamped.stamp.max(Timestamp(self.position.last_timestamp.0 + 1));
        self.command_time = self.next_time;
        self.fills = 0;
        let outcome = Outcome::Done { created: None };
        let mut reply = Reply { command: stamped.sequence, last_event: 0, outcome };
        if self.recorded.genesis.is_none() {
            reply.outcome = self.execute_first(stamped, out);
        } else {
            self.execute_keyed(stamped, out, &mut reply.outcome);
        }
        self.end_command();
        reply.last_event = self.position.event_sequence;
        reply
    }

    /// Before the genesis nothing else is taken, and a refusal leaves no event (EVT-86).
    fn execute_first(&mut self, stamped: &Stamped, out: &mut EventBuffer) -> Outcome {
        let first = stamped.sequence == 1;
        let Some(genesis) = genesis_of(&stamped.command).filter(|_| first) else {
            return Outcome::Refused(Refusal::new(Code::InvalidSchema, Why::GenesisFirst));
        };
        if let Err(refusal) = self.check_genesis(genesis) {
            return Outcome::Refused(refusal);
        }
        self.begin(stamped, out, None);
        let outcome = self.commit_genesis(genesis, out);
        out.end();
        outcome
    }

    /// Writes the outcome where the caller wants it: it is large, and moving it shows.
    #[inline]
    fn execute_keyed(&mut self, stamped: &Stamped, out: &mut EventBuffer, outcome: &mut Outcome) {
        if let Some(key) = &stamped.key {
            return self.execute_behind_gate(stamped, key, out, outcome);
        }
        self.begin(stamped, out, None);
        self.take_due(out);
        self.dispatch(stamped, out, outcome);
        out.end();
    }

    /// A command with a key: run, answered as the first time, or refused.
    fn execute_behind_gate(
        &mut self,
        stamped: &Stamped,
        key: &Key,
        out: &mut EventBuffer,
        outcome: &mut Outcome,
    ) {
        match self.check_key(key, stamped) {
            Gate::Run(key) => {
                self.begin(stamped, out, Some(key));
                self.take_due(out);
                let first = self.position.event_sequence;
                self.dispatch(stamped, out, outcome);
                if self.position.event_sequence == first {
                    self.complete(stamped, out);
                }
            }
            Gate::Repeat(first) => {
                self.begin(stamped, out, None);
                self.take_due(out);
                *outcome = Outcome::Repeated { first };
            }
            Gate::Refuse(refusal) => {
                self.begin(stamped, out, None);
                self.take_due(out);
                *outcome = self.refuse_gate(stamped, refusal, out);
            }
        }
        out.end();
    }

    #[inline]
    pub(crate) fn begin(
        &mut self,
        stamped: &Stamped,
        out: &mut EventBuffer,
        key: Option<Idempotency>,
    ) {
        if key.is_some() {
            self.entering = key;
        }
        out.begin(&GroupHead {
            command_sequence: stamped.sequence,
            first_sequence: self.position.event_sequence + 1,
            first_timestamp: self.next_time,
            correlation: stamped.correlation,
            idempotency: key,
        });
    }

    /// Step 2 of LIFE-8, the same for every command.
    #[inline]
    fn check_key(&self, key: &Key, stamped: &Stamped) -> Gate {
        let now = self.next_time;
        if let Some(kept) = self.keys.kept_at(&key.key_hash, now) {
            return if kept.body_hash == key.body_hash {
                Gate::Repeat(kept.first_command)
            } else {
                Gate::Refuse(Refusal::new(Code::IdempotencyConflict, Why::KeyReused))
            };
        }
        let life = match key.origin {
            KeyOrigin::Client => CLIENT_KEY_LIFE,
            KeyOrigin::Gateway { valid_until } if now > valid_until => {
                return Gate::Refuse(Refusal::new(Code::InvalidExpiry, Why::KeyTooLate));
            }
            // A later end would outlive the key, and a late repeat would run again (LIFE-76).
            KeyOrigin::Gateway { valid_until }
                if valid_until.0 - stamped.stamp.0 >= GATEWAY_KEY_LIFE =>
            {
                return Gate::Refuse(Refusal::new(Code::InvalidExpiry, Why::EndTooFar));
            }
            KeyOrigin::Gateway { .. } => GATEWAY_KEY_LIFE,
        };
        let full = self.keys.is_full(self.key_bound(&stamped.command), now);
        if full && self.keys.any(&key.key_hash).is_none() {
            return Gate::Refuse(Refusal::new(Code::RiskLimitBreach, Why::TooManyKeys));
        }
        Gate::Run(Idempotency {
            key_hash: key.key_hash,
            body_hash: key.body_hash,
            expires_at: Timestamp(now.0 + life),
        })
    }

    /// A refusal by the key makes no order, but a request that no order could come of is that first
    /// (LIFE-8, step 1 before step 2).
    #[cold]
    fn refuse_gate(
        &mut self,
        stamped: &Stamped,
        refusal: Refusal,
        out: &mut EventBuffer,
    ) -> Outcome {
        if let Command::PlaceOrder(request) = &stamped.command
            && let Err(schema) = self.check_schema(request, None)
        {
            return self.reject_order(request, schema, out);
        }
        self.refuse(stamped, refusal, out)
    }

    #[inline]
    fn dispatch(&mut self, stamped: &Stamped, out: &mut EventBuffer, outcome: &mut Outcome) {
        if let Some(version) = stamped.account_version
            && let Err(refusal) = self.check_version(stamped, version)
        {
            *outcome = self.refuse_gate(stamped, refusal, out);
            return;
        }
        match &stamped.command {
            Command::PlaceOrder(request) => self.place_order(request, out, outcome),
            Command::CancelOrder(cancel) => {
                *outcome = Outcome::Done { created: None };
                if let Err(refusal) = self.cancel_order(cancel, out) {
                    *outcome = self.refuse(stamped, refusal, out);
                }
            }
            _ => {
                let result = self.dispatch_rest(stamped, out);
                *outcome = result.unwrap_or_else(|refusal| self.refuse(stamped, refusal, out));
            }
        }
    }

    /// Every command but the two that are nearly all; apart, so that those stay short.
    #[inline(never)]
    fn dispatch_rest(
        &mut self,
        stamped: &Stamped,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        match &stamped.command {
            Command::PlaceOrder(_) | Command::CancelOrder(_) => {
                unreachable!("dispatched before")
            }
            Command::Tick => Ok(Outcome::Done { created: None }),
            Command::Deposit(entry) => self.deposit(entry, out),
            Command::Withdraw(entry) => self.withdraw(entry, out),
            Command::CreateAccount(opening) => self.create_account(opening, out),
            Command::SetAccountStatus(change, operator) => self
                .check_operator(stamped, operator)
                .and_then(|()| self.set_account_status(change, out)),
            Command::ListAsset(terms, operator) => {
                self.check_operator(stamped, operator).and_then(|()| self.list_asset(terms, out))
            }
            Command::ListMarket(terms, operator) => {
                self.check_operator(stamped, operator).and_then(|()| self.list_market(terms, out))
            }
            Command::ReduceOrder(reduce) => self.reduce_order(reduce, out),
            Command::ReplaceOrder(replace) => self.replace_order(replace, out),
            Command::CancelAllOrders(cancel) => self.cancel_all(cancel, out),
            Command::SetCountdownCancel(countdown) => self.set_countdown(countdown, out),
            Command::Transfer(transfer) => self.transfer(transfer, out),
            Command::PauseMarket(change, operator) => self
                .check_operator(stamped, operator)
                .and_then(|()| self.set_market_state(change, false, out)),
            Command::ResumeMarket(change, operator) => self
                .check_operator(stamped, operator)
                .and_then(|()| self.set_market_state(change, true, out)),
            Command::SetMarketParameters(change, operator) => self
                .check_operator(stamped, operator)
                .and_then(|()| self.set_parameters(change, out)),
            Command::SetFeeSchedule(schedule, operator) => self
                .check_operator(stamped, operator)
                .and_then(|()| self.set_schedule(schedule, out)),
            Command::SetAccountRates(change, operator) => {
                self.check_operator(stamped, operator).and_then(|()| self.set_rates(change, out))
            }
            Command::RefundFee(refund, operator) => {
                self.check_operator(stamped, operator).and_then(|()| self.refund_fee(refund, out))
            }
            Command::SetAccountProfile(change, operator) => {
                self.check_operator(stamped, operator).and_then(|()| self.set_profile(change, out))
            }
            Command::Genesis(_) => Err(Refusal::new(Code::InvalidSchema, Why::GenesisFirst)),
            Command::LeaderChanged { term, leader } => self.change_leader(*term, *leader, out),
            Command::RecordStateHash { at_sequence, state_hash } => {
                self.record_state_hash(*at_sequence, *state_hash, out)
            }
            Command::RecordSnapshot { snapshot_sequence, snapshot_timestamp, checksum } => {
                self.record_snapshot((*snapshot_sequence, *snapshot_timestamp), *checksum, out)
            }
            Command::RecordClockStatus { from, to, skew } => {
                self.record_clock_status(*from, *to, *skew, out)
            }
            Command::HaltTrading(halt, operator) => {
                self.halt_trading(stamped, (halt, operator), out)
            }
            Command::ResumeTrading(actor, operator) => self
                .check_operator(stamped, operator)
                .and_then(|()| self.resume_trading(*actor, out)),
            Command::ConfirmClock(_, operator) => {
                self.check_operator(stamped, operator).and_then(|()| self.confirm_clock())
            }
            // Where the command that it names stood, it has acted already.
            Command::Quarantine(_, operator) => {
                self.check_operator(stamped, operator).map(|()| Outcome::Done { created: None })
            }
        }
    }

    /// CommandRejected: nothing was made.
    #[inline(never)]
    fn refuse(&mut self, stamped: &Stamped, refusal: Refusal, out: &mut EventBuffer) -> Outcome {
        let event = CommandRejected {
            command: stamped.command.kind(),
            party: party_of(stamped),
            code: refusal.code,
            detail: refusal.detail,
        };
        let at = self.emit(out, EventKind::CommandRejected, &event);
        self.apply_party(at, &event.party);
        Outcome::Refused(refusal)
    }

    /// CommandCompleted: a keyed command had nothing to do (EVT-11).
    fn complete(&mut self, stamped: &Stamped, out: &mut EventBuffer) {
        let event = CommandCompleted { command: stamped.command.kind(), party: party_of(stamped) };
        let at = self.emit(out, EventKind::CommandCompleted, &event);
        self.apply_party(at, &event.party);
    }

    /// Numbers, times and encodes an event. The caller applies it at once.
    #[inline]
    pub(crate) fn emit<P: Payload>(
        &mut self,
        out: &mut EventBuffer,
        kind: EventKind,
        payload: &P,
    ) -> EventHead {
        let head =
            EventHead { sequence: self.position.event_sequence + 1, timestamp: self.next_time };
        out.push(kind, head, payload);
        self.pass_event(head);
        head
    }

    /// As `emit`, for the small payloads of trading.
    #[inline]
    pub(crate) fn emit_small<P: Small>(
        &mut self,
        out: &mut EventBuffer,
        kind: EventKind,
        payload: &P,
    ) -> EventHead {
        let head =
            EventHead { sequence: self.position.event_sequence + 1, timestamp: self.next_time };
        out.push_small(kind, head, payload);
        self.pass_event(head);
        head
    }

    /// What every event does to state, live and in replay.
    #[inline]
    pub(crate) fn pass_event(&mut self, head: EventHead) {
        self.position.event_sequence = head.sequence;
        self.position.last_timestamp = head.timestamp;
        self.next_time = Timestamp(head.timestamp.0 + 1);
        self.watch.touched(Entity::System);
        let watch = &mut self.watch;
        self.keys.forget(head.timestamp, |key_hash| watch.touched(Entity::Key(key_hash)));
        if self.entering.is_some() {
            self.enter_key(head);
        }
    }

    /// The key of a command enters state with its first event.
    #[inline(never)]
    fn enter_key(&mut self, head: EventHead) {
        let Some(key) = self.entering.take() else { return };
        self.keys.keep(&key, head.timestamp, self.position.command_sequence);
        self.watch.touched(Entity::Key(key.key_hash));
    }

    /// The group whose events are applied next, in replay.
    pub(crate) fn begin_replay(&mut self, head: &GroupHead) {
        self.command_time = head.first_timestamp;
        self.position.command_sequence = head.command_sequence;
        self.entering = head.idempotency;
    }

    /// What the end of a command does, live and in replay: orders that ended leave state (D-73).
    #[inline]
    pub(crate) fn end_command(&mut self) {
        self.rest_incoming();
        self.entering = None;
        self.rejecting = None;
        self.open_trade = None;
        while let Some(slot) = self.ended.pop() {
            self.orders.remove(slot);
        }
    }

    /// The id of the event with this head.
    ///
    /// # Panics
    /// Past the year 10889 or 2^62 events, which no log reaches.
    #[must_use]
    pub(crate) fn id_of(&self, sequence: u64, timestamp: Timestamp) -> Id {
        Id::derive(timestamp, self.shard(), sequence).expect("times and sequences fit an id")
    }
}

fn genesis_of(command: &Command) -> Option<&Genesis> {
    if let Command::Genesis(genesis) = command { Some(genesis) } else { None }
}

/// Whom a command is about, for CommandRejected and CommandCompleted.
pub(crate) fn party_of(stamped: &Stamped) -> Party {
    let text = stamped.key.and_then(|key| key.text);
    match &stamped.command {
        Command::PlaceOrder(request) => Party {
            account: Some(request.account),
            target: None,
            idempotency_key: request.client_order_id.or(text),
        },
        Command::CancelOrder(cancel) => Party {
            account: Some(cancel.account),
            target: Some(cancel.order),
            idempotency_key: text,
        },
        Command::Deposit(entry) | Command::Withdraw(entry) => Party {
            account: Some(entry.account),
            target: Some(entry.reference),
            idempotency_key: text,
        },
        Command::ReduceOrder(reduce) => Party {
            account: Some(reduce.account),
            target: Some(reduce.order),
            idempotency_key: text,
        },
        Command::ReplaceOrder(replace) => Party {
            account: Some(replace.request.account),
            target: Some(replace.order),
            idempotency_key: replace.request.client_order_id.or(text),
        },
        Command::Transfer(transfer) => {
            Party { account: Some(transfer.from), target: Some(transfer.to), idempotency_key: text }
        }
        Command::RefundFee(FeeRefund { account, trade, .. }, _) => {
            Party { account: Some(*account), target: Some(*trade), idempotency_key: text }
        }
        Command::SetAccountStatus(StatusChange { account, .. }, _)
        | Command::CancelAllOrders(CancelAllOrders { account, .. })
        | Command::SetCountdownCancel(CountdownCancel { account, .. })
        | Command::SetAccountRates(RatesChange { account, .. }, _)
        | Command::SetAccountProfile(ProfileChange { account, .. }, _) => {
            Party { account: Some(*account), target: None, idempotency_key: text }
        }
        _ => Party { account: None, target: None, idempotency_key: text },
    }
}
