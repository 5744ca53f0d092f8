//! Idempotency keys and the operator's signature (D-74, D-86, D-87).
//!
//! Owns which keys are kept and what a command with one may do. Invariant: `keys` holds no key that
//! has ended at the time of the command at work. It deliberately forgets all ended keys at once: D-87
//! makes the slices in which the kernel forgets them invisible.

use ed25519_dalek::{Signature, VerifyingKey};
use schema::{
    Code, Command, Idempotency, Key, KeyOrigin, Operator, Refusal, Stamped, Why, limits,
    signed_bytes,
};
use units::Timestamp;

use super::Oracle;
use super::state::Kept;

impl Oracle {
    /// D-87: an ended key counts as free before it is taken away.
    pub(super) fn forget_keys(&mut self) {
        while let Some(&(end, hash)) = self.key_ends.first() {
            if end > self.now {
                return;
            }
            self.key_ends.pop_first();
            self.keys.remove(&hash);
        }
    }

    /// LIFE-14: the first command with this key and this body, if it is kept.
    pub(super) fn repeats(&self, stamped: &Stamped) -> Option<u64> {
        let key = stamped.key?;
        let kept = self.keys.get(&key.key_hash)?;
        (kept.body_hash == key.body_hash).then_some(kept.first)
    }

    /// LIFE-8, step 2: another body, then an end that has passed or lies too far, then the bound.
    pub(super) fn check_key(&self, stamped: &Stamped) -> Result<(), Refusal> {
        let Some(key) = &stamped.key else { return Ok(()) };
        if self.keys.contains_key(&key.key_hash) {
            return Err(Refusal::new(Code::IdempotencyConflict, Why::KeyReused));
        }
        if let KeyOrigin::Gateway { valid_until } = key.origin {
            // LIFE-76, D-87: a gateway's end has not passed, and its key outlives it.
            self.check_end(stamped, valid_until, limits::GATEWAY_KEY_LIFE)?;
        }
        let genesis = self.genesis.as_ref().expect("a venue");
        let reserve = if goes_on(&stamped.command) { limits::KEY_COUNT_RESERVE } else { 0 };
        if self.keys.len() as u64 >= genesis.key_count_max + reserve {
            return Err(Refusal::new(Code::RiskLimitBreach, Why::TooManyKeys));
        }
        Ok(())
    }

    /// An end has passed when the time of the command is later (D-92); how far it lies ahead counts from
    /// the stamp (D-86, D-87).
    fn check_end(
        &self,
        stamped: &Stamped,
        valid_until: Timestamp,
        life: i64,
    ) -> Result<(), Refusal> {
        if self.now > valid_until.0 {
            return Err(Refusal::new(Code::InvalidExpiry, Why::KeyTooLate));
        }
        if valid_until.0 >= stamped.stamp.0 + life {
            return Err(Refusal::new(Code::InvalidExpiry, Why::EndTooFar));
        }
        Ok(())
    }

    /// EVT-80: the first event of the command enters its key.
    pub(super) fn enter_key(&mut self, stamped: &Stamped) {
        let Some(key) = &stamped.key else { return };
        let life = match key.origin {
            KeyOrigin::Client => limits::CLIENT_KEY_LIFE,
            KeyOrigin::Gateway { .. } => limits::GATEWAY_KEY_LIFE,
        };
        let expires_at = self.now + life;
        let Key { key_hash, body_hash, .. } = *key;
        self.keys.insert(key_hash, Kept { body_hash, expires_at, first: stamped.sequence });
        self.key_ends.insert((expires_at, key_hash));
        self.idempotency =
            Some(Idempotency { key_hash, body_hash, expires_at: Timestamp(expires_at) });
    }

    /// D-86: the operator's approval of an administrative command.
    pub(super) fn check_operator(&self, stamped: &Stamped) -> Result<(), Refusal> {
        let missing = Refusal::new(Code::ApprovalMissing, Why::SignatureMissing);
        let Some(key) = stamped.key.filter(|key| key.origin == KeyOrigin::Client) else {
            return Err(missing);
        };
        let operator = operator_of(&stamped.command).expect("an administrative command");
        self.check_end(stamped, operator.valid_until, limits::CLIENT_KEY_LIFE)?;
        let genesis = self.genesis.as_ref().expect("a venue");
        let bytes = signed_bytes(genesis.venue_id, &key, operator.valid_until, &stamped.command);
        let signature = Signature::from_bytes(&operator.signature);
        let verified = VerifyingKey::from_bytes(&genesis.operator_key)
            .is_ok_and(|public| public.verify_strict(&bytes, &signature).is_ok());
        if verified { Ok(()) } else { Err(missing) }
    }
}

/// The approval that an administrative command carries.
#[must_use]
pub(super) const fn operator_of(command: &Command) -> Option<&Operator> {
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
        | Command::SetAccountProfile(_, operator) => Some(operator),
        _ => None,
    }
}

/// D-87: cancels, withdrawals and the operator's commands go on past the bound; a reduction is a cancel
/// of a part, a countdown one that comes later (D-96).
const fn goes_on(command: &Command) -> bool {
    matches!(
        command,
        Command::CancelOrder(_)
            | Command::ReduceOrder(_)
            | Command::CancelAllOrders(_)
            | Command::SetCountdownCancel(_)
            | Command::Withdraw(_)
    ) || operator_of(command).is_some()
}
