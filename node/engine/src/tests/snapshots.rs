//! Snapshots of a running shard: taken, put on record, begun from, and refused.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use journal::CommandLog as _;
use journal::disk::{Disk, RealDisk, SegmentFile};
use kernel::CORE_VERSION;
use port::{Query, View as Answer};
use schema::{Command, Event, GroupIter};
use snapshot::{Kind, SnapshotStore};
use tempfile::TempDir;
use units::{Id, Side};

use super::mix::Mix;
use crate::config::Config;
use crate::engine::{Engine, RecoveryReport};
use crate::fault::{ReplayFault, StartFault};
use crate::recovery::replay;
use crate::snapshots::{SnapshotPolicy, load};
use crate::stored::{Missing, StoredEvents};
use crate::testing::{
    Disks, ask, clock, config, created, deposit, label, open_venue, order, request, submit,
};
use crate::view::{Changes, View};

/// The disks of a node, with a folder of snapshots of this machine's.
struct Node {
    disks: Disks,
    folder: TempDir,
    policy: SnapshotPolicy,
}

impl Node {
    fn new(seed: u64, events: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hour = Duration::from_secs(3_600);
        let policy = SnapshotPolicy { events, interval: hour, checkpoint: hour, count: 3 };
        Self { disks: Disks::without_archive(seed), folder, policy }
    }

    fn store(&self) -> SnapshotStore {
        SnapshotStore::open(Arc::new(RealDisk), self.folder.path()).expect("opened")
    }

    fn try_start(&self, with_snapshots: bool) -> Result<Engine, StartFault> {
        let mut storage = self.disks.storage();
        storage.snapshots = with_snapshots.then(|| self.store());
        let config = Config { snapshots: self.policy, ..config() };
        Engine::start_with(config, storage, clock())
    }

    fn start(&self) -> Engine {
        self.try_start(true).expect("recovers")
    }

    /// What a replay of everything finds; nothing is written by it.
    fn replayed(&self) -> RecoveryReport {
        let events = StoredEvents::new(self.disks.event_log(), Missing::Count);
        let replayed = replay(&self.disks.journal(), events, (None, 8), &mut |_, _| {});
        replayed.expect("sound").report
    }

    fn path(&self, sequence: u64) -> PathBuf {
        self.folder.path().join(format!("{sequence:020}.snapshot"))
    }
}

/// Random commands.
fn run_mix(engine: &Engine, mix: &mut Mix, count: usize) {
    for _ in 0..count {
        let request = mix.next();
        let reply = submit(&engine.port(), request.clone());
        mix.learn(&request, &reply);
    }
}

/// Runs random commands until there are so many snapshots, some more, and stops.
fn run(node: &Node, seed: u64, wanted: usize) -> Mix {
    let engine = node.start();
    let mut mix = Mix::new(seed, open_venue(&engine.port(), 5));
    let until = Instant::now() + Duration::from_secs(60);
    while node.store().list().expect("listed").len() < wanted {
        assert!(Instant::now() < until, "too few were taken");
        run_mix(&engine, &mut mix, 20);
    }
    run_mix(&engine, &mut mix, 60);
    let _ = engine.stop();
    mix
}

/// A start from a snapshot replays what follows it and nothing else, and comes to the state, the events and the
/// answers that a start from nothing comes to.
/// covers: REC-42, REC-43, REC-45, RPL-36, RPL-41
#[test]
fn a_start_begins_from_the_latest_snapshot() {
    let node = Node::new(61, 500);
    let mut mix = run(&node, 1, 2);
    let latest = node.store().list().expect("listed")[0];
    let whole = node.replayed();
    let engine = node.start();
    let report = *engine.recovery();
    assert_eq!(report.snapshot_sequence, latest);
    assert_eq!(
        (report.command_sequence, report.event_sequence, report.state_hash),
        (whole.command_sequence, whole.event_sequence, whole.state_hash)
    );
    assert!(report.record_count < whole.record_count, "{report:?} {whole:?}");
    assert!(report.compared_block_count < whole.compared_block_count);
    // It goes on as any other: what it then makes is what a replay from nothing makes.
    run_mix(&engine, &mut mix, 300);
    let stopped = engine.stop();
    let again = node.replayed();
    assert_eq!(again.event_sequence, stopped.event_sequence);
    // Each that was stored is on record, with the checksum that its file ends with.
    let mut of_latest = None;
    for block in node.disks.stored_blocks() {
        for group in GroupIter::new(block.payload()) {
            for event in group.expect("sound").events() {
                match event.expect("sound").1 {
                    Event::SnapshotTaken(taken) if taken.snapshot_sequence == latest => {
                        of_latest = Some(taken);
                    }
                    _ => {}
                }
            }
        }
    }
    let (stored, sum) = node.store().read(latest).expect("whole");
    let taken = of_latest.expect("on record");
    assert_eq!((taken.checksum, taken.snapshot_timestamp.0), (sum, stored.header.timestamp));
}

/// What the kernel does not keep of open orders is in a snapshot too.
#[test]
fn an_order_shows_what_it_was_sent_with() {
    let node = Node::new(62, 100);
    let engine = node.start();
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    let mut ids: Vec<Id> = Vec::new();
    for number in 0..40 {
        let mut order = order(account, Side::Buy, 5, 6);
        order.client_order_id = Some(label(&format!("order-{number}")));
        ids.push(created(&submit(&port, request(Command::PlaceOrder(order)))));
    }
    let until = Instant::now() + Duration::from_secs(60);
    while node.store().list().expect("listed").is_empty() {
        assert!(Instant::now() < until, "none was taken");
        let _ = submit(&port, request(deposit(account, 2, 1)));
    }
    let _ = engine.stop();
    let again = node.start();
    assert!(again.recovery().snapshot_sequence > 0);
    for (number, id) in ids.iter().enumerate() {
        let Answer::Order(Some(order)) = ask(&again.port(), Query::Order(*id), 0).view else {
            panic!("order {number} is there")
        };
        assert_eq!(order.client_order_id, Some(label(&format!("order-{number}"))));
    }
}

/// A damaged snapshot is put aside and the one before it used, down to none; a start never fails for it.
/// covers: REC-46
#[test]
fn a_damaged_snapshot_is_refused_and_the_one_before_it_used() {
    let node = Node::new(63, 400);
    run(&node, 2, 3);
    let whole = node.replayed();
    let mut left = node.store().list().expect("listed");
    assert_eq!(left.len(), 3);
    while !left.is_empty() {
        let latest = left.remove(0);
        let mut bytes = std::fs::read(node.path(latest)).expect("there");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 16;
        std::fs::write(node.path(latest), &bytes).expect("written");
        let quiet = SnapshotPolicy { events: u64::MAX, ..node.policy };
        let mut storage = node.disks.storage();
        storage.snapshots = Some(node.store());
        let config = Config { snapshots: quiet, ..config() };
        let engine = Engine::start_with(config, storage, clock()).expect("recovers");
        let report = engine.recovery();
        assert_eq!(report.snapshot_sequence, left.first().copied().unwrap_or(0));
        assert!(report.event_sequence >= whole.event_sequence);
        drop(engine);
        let aside = node.folder.path().join(format!("{latest:020}.damaged"));
        assert_eq!(std::fs::read(aside).expect("kept"), bytes);
        assert_eq!(node.store().list().expect("listed"), left);
    }
}

/// A snapshot of commands that the log does not hold stops the start: they were lost.
/// covers: SEQ-22
#[test]
fn a_snapshot_ahead_of_the_command_log_stops_the_start() {
    let node = Node::new(64, 300);
    run(&node, 3, 1);
    let other = Node { disks: Disks::without_archive(65), ..node };
    let fault = other.try_start(true).expect_err("its log is empty");
    let StartFault::Replay(ReplayFault::SnapshotAhead { commands, .. }) = fault else {
        panic!("{fault}")
    };
    assert_eq!(commands, 0);
}

/// The snapshot of a shard that began from another snapshot is that of one that began from nothing, byte for
/// byte.
/// covers: RPL-39, RPL-42
#[test]
fn a_snapshot_by_way_of_another_is_the_same() {
    let node = Node::new(66, 300);
    run(&node, 4, 1);
    let first = node.store().list().expect("listed")[0];
    let loaded = load(&node.store(), first, 8).expect("whole");
    let mut saved = Vec::new();
    loaded.view.save(&mut saved);
    let (stored, _) = node.store().read(first).expect("whole");
    assert!(stored.body.starts_with(&saved), "loaded and saved again");
    // The state of the stored events up to there, from nothing.
    let mut view = View::new(8);
    let mut changes = Changes::default();
    for block in node.disks.stored_blocks() {
        if block.header().last_event() > first {
            break;
        }
        for group in GroupIter::new(block.payload()) {
            view.apply(&group.expect("sound"), &mut changes).expect("applies");
        }
    }
    let mut from_nothing = Vec::new();
    view.save(&mut from_nothing);
    assert!(from_nothing == saved);
}

/// What lies in the folder and is no snapshot of this log is left alone.
#[test]
fn strange_files_are_no_snapshots() {
    let node = Node::new(67, 300);
    for name in ["notes.txt", "1.snapshot", "0000000000000000001x.snapshot"] {
        std::fs::write(Path::new(node.folder.path()).join(name), b"x").expect("written");
    }
    run(&node, 5, 1);
    assert!(node.folder.path().join("notes.txt").exists());
}

/// A checkpoint is begun from like a snapshot and is not put on record; the header of each names the record of the
/// command log that it stands behind, its last stamp and the version of the rules.
/// covers: REC-45
#[test]
fn a_checkpoint_is_begun_from_and_names_its_record() {
    let mut node = Node::new(68, u64::MAX);
    node.policy.checkpoint = Duration::ZERO;
    run(&node, 6, 1);
    let latest = node.store().list().expect("listed")[0];
    assert_eq!(node.store().kind_of(latest), Some(Kind::Checkpoint));
    let whole = node.replayed();
    node.policy.checkpoint = Duration::from_secs(3_600);
    let engine = node.start();
    let report = *engine.recovery();
    assert_eq!((report.snapshot_sequence, report.state_hash), (latest, whole.state_hash));
    drop(engine);
    let events = node.disks.stored_blocks();
    let groups = events.iter().flat_map(|block| GroupIter::new(block.payload()));
    let mut all = groups.flat_map(|group| group.expect("sound").events().collect::<Vec<_>>());
    assert!(!all.any(|event| matches!(event.expect("sound").1, Event::SnapshotTaken(_))));
    let header = node.store().read(latest).expect("whole").0.header;
    let log = node.disks.journal();
    let record = log.read(header.command_sequence).expect("there").next().expect("one");
    let record = record.expect("sound");
    assert_eq!(record.last_sequence(), header.command_sequence);
    let place = header.log.expect("named");
    assert_eq!((place.command_hash, header.core_version), (record.hash(), CORE_VERSION));
    let stamps = node.disks.stored_commands();
    let last = stamps.iter().find(|(_, it)| it.sequence == header.command_sequence);
    assert_eq!(last.map(|(_, it)| it.stamp.0), Some(place.last_stamp));
}

/// One that stands on another record than the log has is put aside like a damaged one.
#[test]
fn a_snapshot_of_another_record_is_not_begun_from() {
    let node = Node::new(69, 300);
    run(&node, 7, 1);
    let store = node.store();
    let latest = store.list().expect("listed")[0];
    let (mut forged, _) = store.read(latest).expect("whole");
    forged.header.log.as_mut().expect("named").command_hash[0] ^= 1;
    store.write(&forged).expect("written");
    let whole = node.replayed();
    let engine = node.try_start(true).expect("recovers without it");
    assert_eq!(engine.recovery().state_hash, whole.state_hash);
    assert!(engine.recovery().snapshot_sequence < latest);
    assert!(node.folder.path().join(format!("{latest:020}.damaged")).exists());
}

/// A disk on which nothing can be made while its gate is shut.
#[derive(Debug, Default)]
struct StuckDisk {
    /// Shut, and how many wait at it.
    gate: Mutex<(bool, usize)>,
    moved: Condvar,
}

impl StuckDisk {
    fn set(&self, shut: bool) {
        self.gate.lock().expect("nobody fails with it").0 = shut;
        self.moved.notify_all();
    }

    fn wait_for_somebody(&self) {
        let gate = self.gate.lock().expect("nobody fails with it");
        drop(self.moved.wait_while(gate, |gate| gate.1 == 0).expect("nobody fails with it"));
    }
}

impl Disk for StuckDisk {
    fn create_folder(&self, folder: &Path) -> std::io::Result<()> {
        RealDisk.create_folder(folder)
    }

    fn list(&self, folder: &Path) -> std::io::Result<Vec<String>> {
        RealDisk.list(folder)
    }

    fn create(&self, path: &Path) -> std::io::Result<Box<dyn SegmentFile>> {
        let mut gate = self.gate.lock().expect("nobody fails with it");
        gate.1 += 1;
        self.moved.notify_all();
        let mut gate = self.moved.wait_while(gate, |gate| gate.0).expect("nobody fails with it");
        gate.1 -= 1;
        drop(gate);
        RealDisk.create(path)
    }

    fn open(&self, path: &Path) -> std::io::Result<Box<dyn SegmentFile>> {
        RealDisk.open(path)
    }

    fn open_read(&self, path: &Path) -> std::io::Result<Box<dyn SegmentFile>> {
        RealDisk.open_read(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> std::io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_folder(&self, folder: &Path) -> std::io::Result<()> {
        RealDisk.sync_folder(folder)
    }
}

/// However long the writing of a snapshot takes, and however long the shadow is kept from its state, commands are
/// executed, made durable and answered meanwhile: the executor waits for neither.
#[test]
fn the_executor_waits_for_no_snapshot() {
    let mut node = Node::new(70, 100);
    node.policy.checkpoint = Duration::ZERO;
    let disk = Arc::new(StuckDisk::default());
    disk.set(true);
    let mut storage = node.disks.storage();
    let store = SnapshotStore::open(disk.clone(), node.folder.path());
    storage.snapshots = Some(store.expect("opened"));
    let config = Config { snapshots: node.policy, ..config() };
    let engine = Engine::start_with(config, storage, clock()).expect("recovers");
    let port = engine.port();
    let account = open_venue(&port, 1)[0];
    disk.wait_for_somebody();
    let mut last = 0;
    for _ in 0..300 {
        last = submit(&port, request(deposit(account, 2, 1))).last_event;
    }
    let _ = ask(&port, Query::Account(account), last);
    assert_eq!(node.store().list().expect("listed"), [0u64; 0], "it is still being written");
    let view = port.shard().view.read();
    for _ in 0..300 {
        let reply = submit(&port, request(deposit(account, 2, 1)));
        assert!(reply.last_event > view.kernel().position().event_sequence);
    }
    drop(view);
    disk.set(false);
    let _ = engine.stop();
    assert!(!node.store().list().expect("listed").is_empty());
}
