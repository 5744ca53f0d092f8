//! Bit rot: single flipped bits in logs and snapshots, each of which must be told of.
//!
//! A flip is told of if the file is refused, or if an unfinished tail is reported as cut off; it is silent if
//! the file opens as if nothing were wrong. Half of the flips of a log lie in what was written, half anywhere in
//! the segment, with its header and the zeros behind its end.

use std::fs;
use std::sync::Arc;

use fuzz::{Tape, Venue};
use journal::disk::RealDisk;
use snapshot::{Header, LogPlace, Snapshot, SnapshotFault, SnapshotStore};
use testkit::rng::SplitMix64;

use super::torn::{Log, Stored};
use crate::row::{Outcome, Size};

pub(super) fn run(size: Size) -> Outcome {
    let flips = size.pick(3_000, 100_000);
    let mut outcome = Outcome::default();
    let mut rng = SplitMix64::new(SEED);
    let mut tally = Tally::default();
    let logs = [Log::Commands, Log::Events].map(Stored::make);
    let third = flips / 3;
    for log in &logs {
        for flip in 0..third {
            flip_log(log, (&mut rng, flip % 2 == 0), &mut tally);
        }
    }
    flip_snapshots(&mut rng, flips - 2 * third, &mut tally);
    outcome.done(format!(
        "{flips} single-bit flips (seed {SEED}): {third} in each log, {} in snapshots; {} refused, {} reported as \
         a cut tail",
        flips - 2 * third,
        tally.refused,
        tally.cut
    ));
    outcome.exactly("flips told of", tally.refused + tally.cut, flips);
    outcome.exactly("flips accepted in silence", tally.silent, 0);
    outcome.exactly("flips that cut off what had been synced", tally.lost, 0);
    outcome
}

#[derive(Debug, Default)]
struct Tally {
    refused: u64,
    cut: u64,
    silent: u64,
    /// Told of as a cut, and something that was whole is gone with it.
    lost: u64,
}

fn flip_log(log: &Stored, (rng, in_written): (&mut SplitMix64, bool), tally: &mut Tally) {
    let mut bytes = log.bytes.clone();
    let written = bytes.iter().rposition(|byte| *byte != 0).expect("not empty") + 1;
    flip(rng, &mut bytes[..], if in_written { written } else { log.bytes.len() });
    match log.open(&bytes) {
        Err(journal::LogFault::Damaged(_)) => tally.refused += 1,
        Err(fault) => panic!("neither damage nor sound: {fault}"),
        Ok((last, true)) => {
            tally.cut += 1;
            tally.lost += u64::from(last != log.last());
        }
        Ok((_, false)) => tally.silent += 1,
    }
}

fn flip_snapshots(rng: &mut SplitMix64, flips: u64, tally: &mut Tally) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SnapshotStore::open(Arc::new(RealDisk), folder.path()).expect("a folder");
    for venue in Tape::corpus(1, 4_000) {
        let position = venue.live.position();
        let header = Header {
            venue_id: [7; 16],
            shard: 3,
            epoch: position.epoch,
            command_sequence: position.command_sequence,
            event_sequence: position.event_sequence,
            timestamp: position.last_timestamp.0,
            event_hash: [8; 32],
            state_hash: [9; 32],
            log: Some(LogPlace { command_hash: [7; 32], last_stamp: 12 }),
            core_version: 1,
        };
        let snapshot = Snapshot { header, body: Venue::save(&venue.live) };
        store.write(&snapshot).expect("written");
        let sequence = header.event_sequence;
        let path = folder.path().join(format!("{sequence:020}.snapshot"));
        let sound = fs::read(&path).expect("it was written");
        for _ in 0..flips {
            let mut bytes = sound.clone();
            flip(rng, &mut bytes, sound.len());
            fs::write(&path, &bytes).expect("written");
            match store.read(sequence) {
                Err(SnapshotFault::Damaged { .. }) => tally.refused += 1,
                Err(fault) => panic!("neither damage nor sound: {fault}"),
                Ok(_) => tally.silent += 1,
            }
        }
    }
}

/// Flips a bit below a place.
fn flip(rng: &mut SplitMix64, bytes: &mut [u8], below: usize) {
    let place = usize::try_from(rng.below(below as u64)).expect("small");
    bytes[place] ^= 1 << rng.below(8);
}

const SEED: u64 = 20_262;
