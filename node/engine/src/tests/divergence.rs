//! Nodes that part: what differs is found by the hash of its window, and when a log is replayed is no matter.

use std::sync::Arc;

use journal::{CommandLog as _, OwnedBlock};
use schema::limits::{HASH_WINDOW, SHADOW_LAG_WINDOW_MAX};
use schema::{BalanceUpdated, Event, EventBuffer, EventGroup, GroupIter, Posting, UpdateReason};
use units::Amount;

use super::mix::Mix;
use crate::shadow::Shadow;
use crate::testing::{Disks, NOON, clock, config, open_venue, submit};
use crate::view::{Changes, View};
use crate::{Engine, ManualClock, ReplayFault};

/// The disks of a shard that took a mix.
fn played(seed: u64, commands: usize) -> Disks {
    let disks = Disks::new(seed);
    let engine = disks.start(&clock()).expect("sound");
    let port = engine.port();
    let mut mix = Mix::new(seed, open_venue(&port, 5));
    for _ in 0..commands {
        let request = mix.next();
        let reply = submit(&port, request.clone());
        mix.learn(&request, &reply);
    }
    let _ = engine.stop();
    disks
}

/// One node: a state and its hash.
struct Node {
    view: View,
    shadow: Shadow,
    changes: Changes,
}

impl Node {
    fn new() -> Self {
        Self { view: View::new(10), shadow: Shadow::default(), changes: Changes::default() }
    }

    fn apply(&mut self, groups: &[u8]) -> Result<(), ReplayFault> {
        self.shadow.apply(&mut self.view, groups, &mut self.changes)
    }
}

/// The group of a deposit with one smallest unit more on both its sides, or nothing for any other.
fn with_one_more(group: &EventGroup<'_>) -> Option<Vec<u8>> {
    let mut out = EventBuffer::new();
    out.begin(&group.head);
    let mut is_deposit = false;
    for event in group.events() {
        let (head, mut event) = event.expect("sound");
        if let Event::BalanceUpdated(posted) = &event
            && posted.reason == UpdateReason::Deposit
        {
            let mut more = BalanceUpdated::new(posted.reason, posted.reference);
            for leg in posted.postings() {
                more.post(Posting { delta: leg.delta + Amount(leg.delta.0.signum()), ..*leg });
            }
            event = Event::BalanceUpdated(more);
            is_deposit = true;
        }
        out.push(event.kind(), head, &event);
    }
    out.end();
    is_deposit.then(|| out.take())
}

/// One of three nodes books 10⁻¹⁸ more at one deposit: it stops at the hash that the leader recorded for the window
/// in which that happened, and the two others agree with every hash.
/// covers: DET-51
#[test]
fn a_node_that_differs_is_found_by_the_hash_of_its_window() {
    let disks = played(70, 4_000);
    let blocks = disks.stored_blocks();
    let groups: Vec<EventGroup<'_>> = blocks
        .iter()
        .flat_map(|block| GroupIter::new(block.payload()).map(|group| group.expect("sound")))
        .collect();
    let ends = |group: &EventGroup<'_>| group.head.first_sequence + u64::from(group.count) - 1;
    let last = groups.last().map(ends).expect("some");
    // Not in the last windows, whose hashes may not be on record yet.
    let is_settled = |at: &usize| ends(&groups[*at]) + 3 * HASH_WINDOW < last;
    let is_planted = |at: &usize| with_one_more(&groups[*at]).is_some();
    let places: Vec<usize> = (0..groups.len()).filter(is_settled).filter(is_planted).collect();
    assert!(places.len() > 30, "{} deposits", places.len());
    for &place in places.iter().step_by(places.len() / 5) {
        // The window is hashed at the end of the command that holds its last event.
        let window = ((groups[place].head.first_sequence - 1) / HASH_WINDOW + 1) * HASH_WINDOW;
        let end = groups.iter().map(ends).find(|&end| end >= window).expect("settled");
        let mut nodes = [Node::new(), Node::new(), Node::new()];
        let mut found = None;
        for (at, group) in groups.iter().enumerate() {
            for (number, node) in nodes.iter_mut().enumerate() {
                let changed = (number == 2 && at == place).then(|| with_one_more(group)).flatten();
                if number == 2 && found.is_some() {
                    continue;
                }
                let bytes = changed.unwrap_or_else(|| bytes_of(group));
                match node.apply(&bytes) {
                    Ok(()) => {}
                    Err(ReplayFault::HashDiffers { at_sequence }) if number == 2 => {
                        found = Some((at_sequence, ends(group)));
                    }
                    Err(fault) => panic!("node {number}: {fault}"),
                }
            }
        }
        let (at_sequence, seen_at) = found.expect("it is found");
        assert_eq!(at_sequence, end, "planted in the events up to {}", ends(&groups[place]));
        assert!(seen_at - at_sequence <= SHADOW_LAG_WINDOW_MAX * HASH_WINDOW);
        let [one, two, _] = nodes;
        assert!(one.shadow.compared_count() > 5);
        assert_eq!(one.shadow.compared_count(), two.shadow.compared_count());
    }
}

/// A group as it is stored.
fn bytes_of(group: &EventGroup<'_>) -> Vec<u8> {
    let mut out = EventBuffer::new();
    out.begin(&group.head);
    for event in group.events() {
        let (head, event) = event.expect("sound");
        out.push(event.kind(), head, &event);
    }
    out.end();
    out.take()
}

/// The same logs on another disk.
fn copied(disks: &Disks, blocks: &[OwnedBlock]) -> Disks {
    let copy = Disks::new(1);
    let mut journal = copy.journal();
    for record in disks.journal().read(1).expect("sound") {
        journal.append(&record.expect("sound")).expect("extends");
    }
    journal.sync().expect("durable");
    let mut events = copy.event_log();
    for block in blocks {
        events.append(block).expect("extends");
    }
    events.sync().expect("durable");
    copy
}

/// A log that is replayed years before or after it was written, with or without its events, leads to the same
/// hashes and the same bytes. (That no time zone reaches it is shown on the program, `dex/tests/logs.rs`.)
/// covers: DET-58
#[test]
fn the_clock_of_a_replay_is_no_matter() {
    let disks = played(71, 3_000);
    let blocks = disks.stored_blocks();
    const YEAR: i64 = 365 * 86_400_000_000_000;
    let mut hashes = Vec::new();
    for moved in [0, -10 * YEAR, -1, 1, 40 * YEAR] {
        for kept in [0, blocks.len()] {
            let copy = copied(&disks, &blocks[..kept]);
            let clock = Arc::new(ManualClock::new(NOON + moved));
            let engine = Engine::start_with(config(), copy.storage(), clock).expect("sound");
            let report = *engine.recovery();
            hashes.push((report.state_hash, report.hash_count));
            let _ = engine.stop();
            assert_eq!(copy.stored_blocks()[..blocks.len()], blocks, "{moved} ns away");
        }
    }
    assert!(hashes[0].1 > 2 && hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
}
