//! Replay is identical: what ran live is run again in every way that there is, stage by stage.
//!
//! A stage is a million commands. Its commands and its events are stored compressed, read back, and then: a
//! kernel that began at genesis executes the commands, one that was loaded from the snapshot at the beginning of
//! the stage does the same, and one that began at genesis applies the events. All make the same events to the
//! byte and end in the same state, which is the snapshot of the next stage. Then the files are deleted. A build
//! without optimisation runs the first million and must come to the same digest.

use std::fs;
use std::path::Path;
use std::process::Command as Process;
use std::thread;

use kernel::Kernel;
use schema::{EventBuffer, GroupIter, decode_command};
use sha2::{Digest as _, Sha256};

use self::live::{Live, Stage};
use crate::binary::build;
use crate::row::{Outcome, Size};

mod live;

pub(super) fn run(size: Size) -> Outcome {
    let (stages, commands) = (size.pick(3, 100), size.pick(50_000, 1_000_000));
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir().expect("a folder");
    let mut live = Live::new();
    let mut replayed = Replayed::default();
    let (mut event_bytes, mut stored_bytes) = (0, 0);
    for stage in 0..stages {
        let count = if stage == 0 { commands - live.command_count() } else { commands };
        let made = live.run(count);
        event_bytes += made.events.len() as u64;
        stored_bytes += store(folder.path(), &made);
        let read = read(folder.path());
        assert!(read == made, "what was stored is read");
        replayed.run(&read);
    }
    let total = live.command_count();
    outcome.done(format!(
        "{total} commands in {stages} stages, {} events in {event_bytes} bytes; both logs compressed to \
         {stored_bytes} bytes and deleted stage by stage",
        live.event_count()
    ));
    outcome.exactly("commands run again from genesis, the same events", replayed.genesis, total);
    outcome.exactly("commands run again from each snapshot to the next", replayed.snapshots, total);
    outcome.exactly(
        "events applied from genesis, the same states",
        replayed.applied,
        live.event_count(),
    );
    if !cfg!(debug_assertions) {
        let count = size.pick(100_000, 1_000_000);
        let same = u64::from(digest_of_other_build(count) == digest(count));
        outcome.done(format!("a build without optimisation ran the first {count} commands"));
        outcome.exactly("builds whose events and state are the same", 1 + same, 2);
    }
    outcome
}

/// A digest of the events and of the state after the first so many commands.
#[must_use]
pub fn digest(count: u64) -> String {
    let mut live = Live::new();
    let mut sum = Sha256::new();
    while live.command_count() < count {
        let made = live.run((count - live.command_count()).min(STAGE_MAX));
        sum.update(&made.events);
    }
    sum.update(state(live.kernel()));
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest_of_other_build(count: u64) -> String {
    let output =
        Process::new(build("promise", false)).args(["digest", &count.to_string()]).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Kernels that run behind the live one.
#[derive(Default)]
struct Replayed {
    executing: Kernel,
    applying: Kernel,
    /// Commands executed by the first.
    genesis: u64,
    /// Commands executed from snapshots.
    snapshots: u64,
    /// Events applied by the second.
    applied: u64,
}

impl Replayed {
    fn run(&mut self, stage: &Stage) {
        let from_snapshot = thread::scope(|scope| {
            let loaded = stage.before.as_ref().map(|saved| {
                scope.spawn(move || {
                    let mut kernel = Kernel::load(saved).expect("what was saved is loaded");
                    let count = execute(&mut kernel, stage);
                    assert!(save(&kernel) == stage.after, "the snapshot of the next stage");
                    count
                })
            });
            let applied = scope.spawn(|| apply(&mut self.applying, stage));
            self.genesis += execute(&mut self.executing, stage);
            self.applied += applied.join().expect("its checks hold");
            // The first stage begins with nothing, as a start from genesis does.
            loaded.map(|it| it.join().expect("its checks hold"))
        });
        self.snapshots += from_snapshot.unwrap_or(stage.command_count);
        assert!(save(&self.executing) == stage.after, "the state from genesis");
        assert!(state(&self.applying) == state(&self.executing), "the state from events");
    }
}

/// Executes the commands of a stage and compares each group of events.
fn execute(kernel: &mut Kernel, stage: &Stage) -> u64 {
    let mut buffer = EventBuffer::new();
    let (mut rest, mut place, mut count) = (&stage.commands[..], 0, 0);
    while let Some((size, behind)) = rest.split_first_chunk::<4>() {
        let size = usize::try_from(u32::from_le_bytes(*size)).expect("small");
        let (bytes, next) = behind.split_at(size);
        let sequence = kernel.position().command_sequence + 1;
        let stamped = decode_command(bytes, sequence).expect("what was stored can be read");
        buffer.clear();
        kernel.execute(&stamped, &mut buffer);
        let events = buffer.bytes();
        let expected = stage.events.get(place..place + events.len());
        assert!(
            expected == Some(events),
            "command {sequence} makes other events than it made live"
        );
        place += events.len();
        (rest, count) = (next, count + 1);
    }
    assert_eq!(place, stage.events.len(), "no event is missing");
    count
}

fn apply(kernel: &mut Kernel, stage: &Stage) -> u64 {
    let before = kernel.position().event_sequence;
    for group in GroupIter::new(&stage.events) {
        kernel.apply_group(&group.expect("a group")).expect("it applies");
    }
    kernel.position().event_sequence - before
}

fn save(kernel: &Kernel) -> Vec<u8> {
    let mut bytes = Vec::new();
    kernel.save(&mut bytes);
    bytes
}

/// Every part of the state, encoded as it is hashed.
fn state(kernel: &Kernel) -> Vec<u8> {
    let mut out = Vec::new();
    for entity in kernel.entities() {
        assert!(kernel.encode_entity(entity, &mut out), "a listed entity is there");
    }
    out
}

/// Stores the two logs of a stage compressed; says how many bytes they take.
fn store(folder: &Path, stage: &Stage) -> u64 {
    let store = |name: &str, bytes: &[u8]| {
        let packed = zstd::bulk::compress(bytes, LEVEL).expect("packed");
        fs::write(folder.join(name), &packed).expect("written");
        packed.len() as u64
    };
    let head = [stage.command_count, stage.commands.len() as u64, stage.events.len() as u64];
    let head: Vec<u8> = head.iter().flat_map(|count| count.to_le_bytes()).collect();
    let snapshots = [stage.before.as_deref().unwrap_or_default(), &stage.after];
    store("head", &head);
    store("before", snapshots[0]);
    store("after", snapshots[1]);
    store("commands", &stage.commands) + store("events", &stage.events)
}

/// Reads a stage back and deletes its files.
fn read(folder: &Path) -> Stage {
    let read = |name: &str| {
        let path = folder.join(name);
        let bytes = zstd::stream::decode_all(&fs::read(&path).expect("it is there")[..]);
        fs::remove_file(path).expect("deleted");
        bytes.expect("unpacked")
    };
    let head = read("head");
    let before = read("before");
    Stage {
        command_count: u64::from_le_bytes(head[..8].try_into().expect("eight")),
        commands: read("commands"),
        events: read("events"),
        before: (!before.is_empty()).then_some(before),
        after: read("after"),
    }
}

/// Compression of stored stages: fast.
const LEVEL: i32 = 1;
/// Commands that are held in memory at a time.
const STAGE_MAX: u64 = 1_000_000;
