//! The first commands of a new leader: the genesis of an empty log, then the epoch (SEQ-54, SEQ-55).
//!
//! They are written, synced and executed one by one before any thread runs and before anyone can ask,
//! so a start that fails here has told nobody anything.

use journal::{CommandLog, RecordBuilder};
use kernel::Kernel;
use schema::{ClockStatus, Command, EventBuffer, Genesis, Outcome, Stamped, encode_command};

use crate::bounds::is_storable;
use crate::config::Config;
use crate::exchange_clock::ExchangeClock;
use crate::fault::StartFault;
use crate::recovery::Replayed;

/// Writes the first commands of this node's term and answers its epoch.
pub(crate) fn begin_term(
    log: &mut (dyn CommandLog + Send),
    replayed: &mut Replayed,
    clock: &ExchangeClock,
    config: &Config,
) -> Result<u64, StartFault> {
    let epoch = log.end().epoch.max(replayed.executor.kernel().position().epoch) + 1;
    let mut term = Term { log, replayed, clock, epoch };
    match (term.replayed.executor.kernel().genesis(), &config.genesis) {
        (Some(found), Some(named)) => check_venue(found, named)?,
        (Some(_), None) => {}
        (None, None) => return Err(StartFault::GenesisMissing),
        (None, Some(genesis)) => term.write_genesis(genesis)?,
    }
    term.write(Command::LeaderChanged { term: epoch, leader: config.leader })?;
    Ok(epoch)
}

/// A term that begins.
struct Term<'a> {
    log: &'a mut (dyn CommandLog + Send),
    replayed: &'a mut Replayed,
    clock: &'a ExchangeClock,
    epoch: u64,
}

impl Term<'_> {
    /// The core is asked first, since a log that begins with a refused genesis could never go on.
    fn write_genesis(&mut self, genesis: &Genesis) -> Result<(), StartFault> {
        let stamped = self.stamped(Command::Genesis(genesis.clone()));
        if !is_storable(&stamped.command) {
            return Err(StartFault::GenesisRefused("a list is too long".to_owned()));
        }
        let reply = Kernel::new().execute(&stamped, &mut EventBuffer::new());
        if let Outcome::Refused(refusal) = reply.outcome {
            return Err(StartFault::GenesisRefused(refusal.detail.to_string()));
        }
        self.write(stamped.command)
    }

    fn write(&mut self, command: Command) -> Result<(), StartFault> {
        let end = self.log.end();
        let stamped = self.stamped(command);
        let mut builder = RecordBuilder::begin(self.epoch, stamped.sequence, end.hash);
        let pushed = builder.push(|out| encode_command(out, &stamped));
        pushed.map_err(|fault| StartFault::GenesisRefused(fault.to_string()))?;
        self.log.append(&builder.seal())?;
        self.log.sync()?;
        self.replayed.last_stamp = stamped.stamp;
        self.replayed.add_commands(&[stamped]).map_err(StartFault::Replay)
    }

    fn stamped(&self, command: Command) -> Stamped {
        let stamp = self.clock.stamp();
        Stamped {
            sequence: self.log.end().sequence + 1,
            stamp: stamp.time,
            fallback_clock: stamp.source == ClockStatus::Fallback,
            correlation: None,
            key: None,
            command,
            account_version: None,
        }
    }
}

/// The configuration may change what the log does not hold; the venue it is for may not.
fn check_venue(found: &Genesis, named: &Genesis) -> Result<(), StartFault> {
    let same = found.venue_id == named.venue_id
        && found.shard == named.shard
        && found.operator_key == named.operator_key;
    if same {
        Ok(())
    } else {
        Err(StartFault::OtherVenue { found: found.venue_id, found_shard: found.shard })
    }
}
