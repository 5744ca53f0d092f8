//! Quarantine: the record that leaves a command out which breaks an invariant (D-49, D-109).
//!
//! Owns both its sides: a start looks the command log through for such records before it executes anything,
//! since they stand behind the commands that they name; and the record is made here, for the tool by which people
//! decide. Who may decide is the kernel's to check, at the command that is left out as at the record itself.

use std::collections::BTreeMap;

use journal::{CommandLog, RecordBuilder};
use kernel::Kernel;
use schema::{Command, CommandKind, Key, KeyOrigin, Operator, Quarantine, Stamped};
use schema::{decode_command, encode_command};
use units::Timestamp;

use crate::fault::ReplayFault;

/// The quarantines of a log, by the command that each leaves out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quarantines(BTreeMap<u64, Vec<Stamped>>);

impl Quarantines {
    /// Those of a command log from a command on.
    pub(crate) fn of_log(log: &dyn CommandLog, from: u64) -> Result<Self, ReplayFault> {
        let mut found: BTreeMap<u64, Vec<Stamped>> = BTreeMap::new();
        if log.end().sequence < from {
            return Ok(Self(found));
        }
        for record in log.read(from)? {
            for (sequence, bytes) in record?.record().commands() {
                if bytes.get(KIND_AT) != Some(&CommandKind::Quarantine.number()) {
                    continue;
                }
                let stamped = decode_command(bytes, sequence)
                    .map_err(|source| ReplayFault::Command { sequence, source })?;
                if let Command::Quarantine(quarantine, _) = &stamped.command {
                    found.entry(quarantine.command).or_default().push(stamped);
                }
            }
        }
        Ok(Self(found))
    }

    /// The first quarantine of a command that the operator of this venue signed.
    pub(crate) fn of(&self, command: u64, kernel: &Kernel) -> Option<Stamped> {
        let named = self.0.get(&command)?;
        named.iter().find(|stamped| kernel.is_quarantine(stamped)).cloned()
    }
}

/// Who signs a quarantine: with a key, an end and the command.
pub type Sign<'a> = &'a dyn Fn(&Key, Timestamp, &Command) -> Operator;

/// Puts a quarantine at the end of a command log, durably, and answers its number. Nothing is executed: the
/// next start leaves the command out.
///
/// # Errors
/// The log cannot be read or written.
pub fn quarantine(
    log: &mut dyn CommandLog,
    what: Quarantine,
    (hashes, now): ([[u8; 16]; 2], Timestamp),
    sign: Sign<'_>,
) -> Result<u64, ReplayFault> {
    let end = log.end();
    let last = log.read(end.sequence)?.next().transpose()?;
    let last = last.and_then(|record| {
        record.record().commands().last().map(|(sequence, bytes)| decode_command(bytes, sequence))
    });
    let sequence = end.sequence + 1;
    let unreadable = |source| ReplayFault::Command { sequence: end.sequence, source };
    let last_stamp = last.transpose().map_err(unreadable)?.map_or(now, |last| last.stamp);
    let stamp = now.max(Timestamp(last_stamp.0 + 1));
    let [key_hash, body_hash] = hashes;
    let key = Key { key_hash, body_hash, origin: KeyOrigin::Client, text: None };
    let unsigned = Operator { valid_until: Timestamp(0), signature: [0; 64] };
    let by = sign(&key, Timestamp(stamp.0 + LIFE), &Command::Quarantine(what, unsigned));
    let stamped = Stamped {
        sequence,
        stamp,
        fallback_clock: false,
        correlation: None,
        key: Some(key),
        command: Command::Quarantine(what, by),
        account_version: None,
    };
    let mut builder = RecordBuilder::begin(end.epoch, sequence, end.hash);
    let pushed = builder.push(|out| encode_command(out, &stamped));
    pushed.expect("a quarantine is short");
    log.append(&builder.seal())?;
    log.sync()?;
    Ok(sequence)
}

/// Where the kind of a command stands in its stored form.
const KIND_AT: usize = 2;
/// How long the signature of a quarantine holds: it is written at once.
const LIFE: i64 = 60_000_000_000;

#[cfg(test)]
thread_local! {
    /// A test's broken invariant, for every executor that its thread makes.
    static BREAKING: std::cell::Cell<Option<u64>> = const { std::cell::Cell::new(None) };
}

/// The command at which executors of this thread break.
#[cfg(test)]
pub(crate) fn breaking() -> Option<u64> {
    BREAKING.get()
}

/// Breaks executors of this thread at a command from now on.
#[cfg(test)]
pub(crate) fn break_at(command: Option<u64>) {
    BREAKING.set(command);
}
