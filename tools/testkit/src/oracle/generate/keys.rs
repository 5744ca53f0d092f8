//! Keys and signatures: new ones, late ones, used ones, foreign ones.

use ed25519_dalek::{Signer, SigningKey};
use schema::{Command, HaltReason, Key, KeyOrigin, Operator, TradingHalt, limits, signed_bytes};
use units::{Id, Timestamp};

use super::{Generator, label, setup};
use crate::oracle::Oracle;
use crate::oracle::keys::operator_of;
use crate::rng::SplitMix64;

impl Generator {
    /// Puts a key on a command, takes an old one again, or leaves it without; signs the operator's.
    /// What was prepared gets only the keys that it must have.
    pub(super) fn keyed(
        &mut self,
        oracle: &Oracle,
        command: Command,
        is_prepared: bool,
    ) -> (Option<Key>, Command) {
        if let Some(repeat) = self.repeat(&command).filter(|_| !is_prepared) {
            return repeat;
        }
        let is_operator = operator_of(&command).is_some();
        if is_sequencers(&command) || (!is_operator && (is_prepared || self.rng.below(10) < 4)) {
            return (None, command);
        }
        let key = self.new_key(is_operator, &command);
        if !is_operator {
            self.remember(key, &command);
            return (Some(key), command);
        }
        let (key, command) = self.signed(oracle, key, command);
        if let Some(key) = key {
            self.remember(key, &command);
        }
        (key, command)
    }

    fn new_key(&mut self, is_operator: bool, command: &Command) -> Key {
        let key_hash = self.random_id().0;
        let body_hash = body_hash(command);
        let ahead = match self.rng.below(40) {
            0 => -1,
            1 => 0,
            2 => limits::GATEWAY_KEY_LIFE,
            3 => limits::GATEWAY_KEY_LIFE - 1,
            4 => -5_000_000_000,
            _ => 5_000_000_000,
        };
        let gateway = KeyOrigin::Gateway { valid_until: Timestamp(self.now + ahead) };
        let is_gateway = !is_operator && self.rng.below(10) < 6;
        let origin = if is_gateway { gateway } else { KeyOrigin::Client };
        let text = self.rng.coin().then(|| label(&format!("key-{}", self.sequence)));
        Key { key_hash, body_hash, origin, text }
    }

    fn remember(&mut self, key: Key, command: &Command) {
        self.used.push_back((key, command.clone()));
        if self.used.len() > 300 {
            self.used.pop_front();
        }
    }

    /// A key again: with the same body, or with another one.
    fn repeat(&mut self, command: &Command) -> Option<(Option<Key>, Command)> {
        if self.used.is_empty() || !self.chance(25) {
            return None;
        }
        let near = self.used.len().min(if self.rng.coin() { 5 } else { 300 });
        let back = 1 + usize::try_from(self.rng.below(near as u64)).expect("small");
        let (mut key, old) = self.used[self.used.len() - back].clone();
        match self.rng.below(4) {
            0 => {
                key.body_hash[0] ^= 1;
                Some((Some(key), old))
            }
            1 if !is_sequencers(command) => {
                key.body_hash = body_hash(command);
                Some((Some(key), command.clone()))
            }
            _ => Some((Some(key), old)),
        }
    }

    /// The approval of an administrative command, mostly a good one.
    fn signed(
        &mut self,
        oracle: &Oracle,
        mut key: Key,
        mut command: Command,
    ) -> (Option<Key>, Command) {
        let fault = if self.is_setup(oracle) || !self.prepared.is_empty() {
            99
        } else {
            self.rng.below(100)
        };
        let ahead = match fault {
            0 => -1_000_000_000,
            1 => limits::CLIENT_KEY_LIFE,
            2 => limits::CLIENT_KEY_LIFE + 1_000,
            _ => 3_600_000_000_000,
        };
        let valid_until = Timestamp(self.now + ahead);
        if fault == 3 {
            key.origin = KeyOrigin::Gateway { valid_until: Timestamp(self.now + 1_000_000_000) };
        }
        let bytes = signed_bytes(setup::VENUE, &key, valid_until, &command);
        let foreign = SigningKey::from_bytes(&[8; 32]);
        let signer = if fault == 4 { &foreign } else { &self.operator };
        let mut signature = signer.sign(&bytes).to_bytes();
        if fault == 5 {
            signature = [0; 64];
        }
        if fault == 6 {
            key.key_hash[0] ^= 1;
        }
        *approval(&mut command) = Operator { valid_until, signature };
        ((fault != 7).then_some(key), command)
    }
}

/// The sequencer's own commands have no key.
fn is_sequencers(command: &Command) -> bool {
    match command {
        Command::Genesis(_)
        | Command::Tick
        | Command::LeaderChanged { .. }
        | Command::RecordSnapshot { .. }
        | Command::RecordClockStatus { .. } => true,
        Command::HaltTrading(halt, _) => is_sequencers_halt(halt),
        _ => false,
    }
}

/// Of halts for the clock most are the sequencer's; the operator's is refused.
pub(super) fn is_sequencers_halt(halt: &TradingHalt) -> bool {
    halt.reason == HaltReason::Clock && halt.actor == label(SEQUENCER)
}

/// Who halts by itself.
pub(super) const SEQUENCER: &str = "sequencer";

/// Any 16 bytes that follow from the body.
fn body_hash(command: &Command) -> [u8; 16] {
    let key = Key { key_hash: [0; 16], body_hash: [0; 16], origin: KeyOrigin::Client, text: None };
    let bytes = signed_bytes(Id::default(), &key, Timestamp(0), command);
    let (mut low, mut high) = (1, 2);
    for byte in bytes {
        low = SplitMix64::new(low ^ u64::from(byte)).next();
        high = SplitMix64::new(high ^ low).next();
    }
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}

/// The approval of an administrative command, to fill in.
fn approval(command: &mut Command) -> &mut Operator {
    match command {
        Command::Quarantine(_, operator)
        | Command::HaltTrading(_, operator)
        | Command::ResumeTrading(_, operator)
        | Command::ConfirmClock(_, operator)
        | Command::ListAsset(_, operator)
        | Command::ListMarket(_, operator)
        | Command::SetAccountStatus(_, operator)
        | Command::PauseMarket(_, operator)
        | Command::ResumeMarket(_, operator)
        | Command::SetMarketParameters(_, operator)
        | Command::SetFeeSchedule(_, operator)
        | Command::SetAccountRates(_, operator)
        | Command::RefundFee(_, operator)
        | Command::SetAccountProfile(_, operator) => operator,
        _ => unreachable!("only the operator's commands are signed"),
    }
}
