//! Commands of the sequencer and the genesis: what the log says of itself (D-75, D-80).

use ed25519_dalek::VerifyingKey;
use fees::check_tiers;
use ledger::SystemAccount;
use schema::limits::HASH_WINDOW;
use schema::{
    AccountCreated, AccountOpening, AccountType, ApiClass, ClockStatus, ClockStatusChanged, Code,
    EventBuffer, EventKind, Genesis, GenesisRecorded, Label, LeaderChanged, OrderTier, Outcome,
    Refusal, RiskTier, SnapshotTaken, StateHashRecorded, Why,
};
use sha2::{Digest, Sha256};
use units::{Amount, Id, OUTER_STREAM_FIRST, Timestamp};

use crate::{Kernel, Watch};

impl<W: Watch> Kernel<W> {
    pub(crate) fn check_genesis(&self, genesis: &Genesis) -> Result<(), Refusal> {
        let invalid = Refusal::new(Code::InvalidSchema, Why::FieldInvalid);
        check_tiers(&genesis.fee_tiers).map_err(|why| Refusal::new(Code::InvalidRate, why))?;
        let key = VerifyingKey::from_bytes(&genesis.operator_key).map_err(|_| invalid)?;
        if genesis.shard >= OUTER_STREAM_FIRST || genesis.key_count_max == 0 || key.is_weak() {
            return Err(invalid);
        }
        Ok(())
    }

    /// GenesisRecorded, then AccountCreated for each system account (EVT-86).
    pub(crate) fn commit_genesis(&mut self, genesis: &Genesis, out: &mut EventBuffer) -> Outcome {
        let configuration_hash = Sha256::digest(genesis.configuration()).into();
        let event = GenesisRecorded { genesis: genesis.clone(), configuration_hash };
        let at = self.emit(out, EventKind::GenesisRecorded, &event);
        self.apply_genesis(at, &event);
        for system in SystemAccount::ALL {
            let event = AccountCreated { opening: system_opening(system) };
            let at = self.emit(out, EventKind::AccountCreated, &event);
            self.apply_account_created(at, &event);
        }
        Outcome::Done { created: Some(genesis.venue_id) }
    }

    /// A later epoch begins (SEQ-54).
    pub(crate) fn change_leader(
        &mut self,
        term: u64,
        leader: Label,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        if term <= self.position.epoch {
            return Err(Refusal::new(Code::InvalidSchema, Why::EpochNotNewer));
        }
        let event = LeaderChanged { term, leader };
        let at = self.emit(out, EventKind::LeaderChanged, &event);
        self.apply_leader(at, &event);
        Ok(Outcome::Done { created: None })
    }

    /// The hash of a later window than the last one's (EVT-43).
    pub(crate) fn record_state_hash(
        &mut self,
        at_sequence: u64,
        state_hash: [u8; 32],
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let last = self.recorded.state_hash.map_or(0, |(sequence, _)| sequence);
        let is_next = at_sequence / HASH_WINDOW > last / HASH_WINDOW;
        if !is_next || at_sequence > self.position.event_sequence {
            return Err(Refusal::new(Code::InvalidSchema, Why::HashNotNext));
        }
        let event = StateHashRecorded { at_sequence, state_hash };
        let at = self.emit(out, EventKind::StateHashRecorded, &event);
        self.apply_state_hash(at, &event);
        Ok(Outcome::Done { created: None })
    }

    pub(crate) fn record_snapshot(
        &mut self,
        (snapshot_sequence, snapshot_timestamp): (u64, Timestamp),
        checksum: [u8; 32],
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        let last = self.recorded.snapshot.map_or(0, |(sequence, ..)| sequence);
        if snapshot_sequence <= last || snapshot_sequence > self.position.event_sequence {
            return Err(Refusal::new(Code::InvalidSchema, Why::FieldInvalid));
        }
        let event = SnapshotTaken { snapshot_sequence, snapshot_timestamp, checksum };
        let at = self.emit(out, EventKind::SnapshotTaken, &event);
        self.apply_snapshot(at, &event);
        Ok(Outcome::Done { created: None })
    }

    pub(crate) fn record_clock_status(
        &mut self,
        from: ClockStatus,
        to: ClockStatus,
        skew: Amount,
        out: &mut EventBuffer,
    ) -> Result<Outcome, Refusal> {
        if from == to {
            return Err(Refusal::new(Code::InvalidSchema, Why::FieldInvalid));
        }
        let event = ClockStatusChanged { from, to, skew };
        let at = self.emit(out, EventKind::ClockStatusChanged, &event);
        self.apply_clock(at, &event);
        Ok(Outcome::Done { created: None })
    }
}

fn system_opening(system: SystemAccount) -> AccountOpening {
    let label = |text| Label::new(text).expect("a short constant");
    AccountOpening {
        account_type: AccountType::System,
        external_id: label(system.name()),
        owner_id: None::<Id>,
        jurisdiction: label(""),
        kyc_tier: 0,
        risk_tier: RiskTier::Standard,
        order_tier: OrderTier::Retail,
        api_class: ApiClass::Standard,
        metadata: alloc::vec::Vec::new(),
    }
}
