//! The same log gives the same state wherever and however often it runs, and the watcher is told of
//! every entity that changes.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use common::Venue;
use common::random::Random;
use kernel::{Entity, Kernel, Watch};
use schema::{EventBuffer, GroupIter, Stamped};

fn commands(seed: u64, count: usize) -> (Vec<Stamped>, Vec<u8>) {
    let mut random = Random::new(seed);
    for _ in 0..count {
        random.step();
    }
    (random.venue.commands, random.venue.log)
}

fn saved(kernel: &Kernel) -> Vec<u8> {
    let mut bytes = Vec::new();
    kernel.save(&mut bytes);
    bytes
}

/// Ten replays of one log at the same time, five of its commands and five of its events.
/// covers: DET-54, DET-65, DET-2, FEE-45
#[test]
fn ten_replays_at_once_are_equal() {
    let (commands, log) = commands(81, 3_000);
    let by_commands = || {
        let (mut kernel, mut out) = (Kernel::new(), EventBuffer::new());
        for stamped in &commands {
            kernel.execute(stamped, &mut out);
        }
        assert!(out.bytes() == log);
        (Venue::state(&kernel), saved(&kernel))
    };
    let by_events = || {
        let mut kernel = Kernel::new();
        for group in GroupIter::new(&log) {
            kernel.apply_group(&group.expect("a group")).expect("it applies");
        }
        (Venue::state(&kernel), saved(&kernel))
    };
    let (executed, applied) = thread::scope(|scope| {
        let executed: Vec<_> = (0..5).map(|_| scope.spawn(by_commands)).collect();
        let applied: Vec<_> = (0..5).map(|_| scope.spawn(by_events)).collect();
        let join = |all: Vec<thread::ScopedJoinHandle<'_, (Vec<u8>, Vec<u8>)>>| {
            all.into_iter().map(|one| one.join().expect("it ran")).collect::<Vec<_>>()
        };
        (join(executed), join(applied))
    });
    assert!(executed.iter().chain(&applied).all(|(state, _)| *state == executed[0].0));
    // The stamps of commands without events are known to the first five only (D-88).
    assert!(executed.iter().all(|one| *one == executed[0]));
    assert!(applied.iter().all(|one| *one == applied[0]));
}

/// Commands may be handed over one by one or many to one buffer: the bytes are the same.
#[test]
fn how_many_commands_share_a_buffer_is_no_matter() {
    let (commands, log) = commands(82, 1_000);
    for size in [1, 7, 100] {
        let (mut kernel, mut all) = (Kernel::new(), Vec::new());
        for chunk in commands.chunks(size) {
            let mut out = EventBuffer::new();
            for stamped in chunk {
                kernel.execute(stamped, &mut out);
            }
            all.extend_from_slice(&out.take());
        }
        assert!(all == log);
    }
}

/// What a watcher was told.
#[derive(Debug, Default)]
struct Told(BTreeSet<Entity>);

impl Watch for Told {
    fn touched(&mut self, entity: Entity) {
        self.0.insert(entity);
    }
}

fn encoded<W: Watch>(kernel: &Kernel<W>) -> BTreeMap<Entity, Vec<u8>> {
    let bytes = |entity| {
        let mut out = Vec::new();
        assert!(kernel.encode_entity(entity, &mut out));
        (entity, out)
    };
    kernel.entities().map(bytes).collect()
}

/// Every entity that a command changes, adds or removes was told, by execution and by replay alike; so
/// a shadow that hashes what it was told of misses nothing (DET-47).
/// covers: DET-47
#[test]
fn the_watcher_is_told_of_every_change() {
    let (commands, _) = commands(83, 1_500);
    let mut live = Kernel::watched(Told::default());
    let mut replayed = Kernel::watched(Told::default());
    let mut before = encoded(&live);
    let mut out = EventBuffer::new();
    for stamped in &commands {
        out.clear();
        live.execute(stamped, &mut out);
        for group in GroupIter::new(out.bytes()) {
            replayed.apply_group(&group.expect("a group")).expect("it applies");
        }
        let after = encoded(&live);
        for told in [&live.watch().0, &replayed.watch().0] {
            for (entity, bytes) in &after {
                let same = before.get(entity) == Some(bytes);
                assert!(same || told.contains(entity), "{entity:?} changed");
            }
            for entity in before.keys() {
                assert!(after.contains_key(entity) || told.contains(entity), "{entity:?} left");
            }
        }
        // What was told and is not there has left: its encoding says so.
        for entity in &live.watch().0 {
            let mut bytes = Vec::new();
            assert_eq!(live.encode_entity(*entity, &mut bytes), after.contains_key(entity));
        }
        live.watch_mut().0.clear();
        replayed.watch_mut().0.clear();
        before = after;
    }
}
