//! The operator at a shard whose trading is halted: confirms its clock, and lets trading go on.
//!
//! Owns progress behind a halt: once the faults are over, two signed commands are enough, however often they must be
//! sent again.

use ed25519_dalek::{Signer as _, SigningKey};
use port::Request;
use schema::{Command, Key, KeyOrigin, Label, Operator, signed_bytes};
use testkit::rng::SplitMix64;
use units::{Id, Timestamp};

use super::World;
use super::clients::attempt;
use super::ending::ATTEMPT_MAX;
use super::http::{Message, body_hash};
use crate::violation::{Violation, ensure};

impl World {
    /// The operator confirms the clock and, once the sequencer has said that it follows, resumes trading. Either may
    /// come to nothing.
    pub(super) fn end_halt(&mut self, random: &mut SplitMix64) -> Result<(), Violation> {
        let actor = Label::new("operator").expect("short");
        self.operate(random, &|by| Command::ConfirmClock(actor, by));
        self.settle()?;
        // The sequencer notes the change of its source with whatever comes next.
        self.advance(TICK);
        self.settle()?;
        self.operate(random, &|by| Command::ResumeTrading(actor, by));
        self.settle()
    }

    /// With the faults over, trading goes on once the operator has said so.
    pub(super) fn check_trading(&mut self, random: &mut SplitMix64) -> Result<(), Violation> {
        for _ in 0..ATTEMPT_MAX {
            if self.node.is_none() {
                self.start()?;
            }
            // A step is noticed with the next stamp.
            self.advance(TICK);
            self.settle()?;
            let oracle = self.auditor.oracle();
            if self.node.is_some() && oracle.halt().is_none() && !oracle.is_clock_unconfirmed() {
                return Ok(());
            }
            self.end_halt(random)?;
        }
        let oracle = self.auditor.oracle();
        ensure(oracle.halt().is_none(), || "nobody can end the halt".to_owned())?;
        ensure(!oracle.is_clock_unconfirmed(), || "nobody can confirm the clock".to_owned())
    }

    fn operate(&mut self, random: &mut SplitMix64, make: &dyn Fn(Operator) -> Command) {
        let Some(door) = self.door() else { return };
        let valid_until = Timestamp(door.clock().now().0 + LIFE);
        let unsigned = make(Operator { valid_until, signature: [0; 64] });
        let name: Id = attempt(random.next());
        let key = Key {
            key_hash: name.0,
            body_hash: body_hash(&unsigned),
            origin: KeyOrigin::Client,
            text: None,
        };
        let bytes = signed_bytes(self.genesis.venue_id, &key, valid_until, &unsigned);
        let signature = SigningKey::from_bytes(&[7; 32]).sign(&bytes).to_bytes();
        let command = make(Operator { valid_until, signature });
        let correlation = attempt(random.next());
        let request = Request { correlation, key: Some(key), account_version: None, command };
        self.arrive(Message::plain(request));
    }
}

/// Longer than from one Tick to the next.
const TICK: i64 = 100_000_000;
/// How long an approval holds.
const LIFE: i64 = 3_600_000_000_000;
