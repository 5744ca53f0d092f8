//! A command that people left out, since it breaks an invariant (D-49, D-109).
//!
//! In its place InvariantViolated and TradingHalted go on record, and each open market is paused: from then on
//! orders are refused, while cancels, reductions, ends and money out go on, until people resume the markets one
//! by one. Nothing of the command itself is done: no check, no key, no due work, any of which may be what breaks.

use schema::{
    Command, EventBuffer, EventKind, HaltReason, HaltScope, InvariantViolated, Outcome, Quarantine,
    Reply, Stamped, TradingHalted,
};
use units::Timestamp;

use crate::{Kernel, Watch};

impl<W: Watch> Kernel<W> {
    /// Whether a quarantine holds: the operator signed it, and it names a command before itself.
    #[must_use]
    pub fn is_quarantine(&self, stamped: &Stamped) -> bool {
        let Command::Quarantine(quarantine, operator) = &stamped.command else { return false };
        quarantine.command < stamped.sequence
            && self.check_signature(stamped, operator, stamped.stamp).is_ok()
    }

    /// Passes the next command of the log, which is in quarantine, without executing it.
    ///
    /// # Panics
    /// When the command is not the next one, its stamp is older than the last one's, or an invariant breaks.
    pub fn pass_quarantined(
        &mut self,
        stamped: &Stamped,
        quarantine: &Quarantine,
        out: &mut EventBuffer,
    ) -> Reply {
        assert_eq!(stamped.sequence, self.position.command_sequence + 1, "commands come in order");
        assert!(stamped.stamp >= self.position.last_stamp, "stamps never go back (TIME-22)");
        self.position.command_sequence = stamped.sequence;
        self.position.last_stamp = stamped.stamp;
        self.next_time = stamped.stamp.max(Timestamp(self.position.last_timestamp.0 + 1));
        self.command_time = self.next_time;
        self.begin(stamped, out, None);
        let state_hash = self.recorded.state_hash.map_or([0; 32], |(_, hash)| hash);
        let violated = InvariantViolated {
            command: stamped.sequence,
            invariant: quarantine.invariant,
            left: quarantine.left,
            right: quarantine.right,
            state_hash,
            quarantined_by: quarantine.actor,
        };
        self.emit(out, EventKind::InvariantViolated, &violated);
        let halted = TradingHalted {
            scope: HaltScope::Shard,
            reason: HaltReason::Invariant,
            actor: quarantine.actor,
            expires_at: None,
        };
        self.emit(out, EventKind::TradingHalted, &halted);
        self.pause_all(HaltReason::Invariant, quarantine.actor, out);
        out.end();
        self.end_command();
        let last_event = self.position.event_sequence;
        Reply { command: stamped.sequence, last_event, outcome: Outcome::Done { created: None } }
    }
}
