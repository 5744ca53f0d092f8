//! Stored forms that must be read for ever: a command log, its events and a saved state of each version.
//!
//! Owns `tests/golden/NUMBER`, one folder a version of the forms, in which lie `commands` (each behind its size
//! in 4 bytes, least first), `events` (the groups, as a block holds them), `state` (what `save` wrote behind
//! command `MIDDLE`) and `hashes` (what a run came to). A folder is never changed. The test also runs in the
//! release build (`cargo xtask test`), which must come to the same hashes. When a version of a form is added,
//! `GOLDEN_WRITE=NUMBER cargo test -p kernel --test golden written_now` writes its folder; one that is there stays.
//!
//! The record, the block and the snapshot file around these forms are the node's, `node/engine/golden`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kernel::Kernel;
use schema::{
    CommandKind, Event, EventBuffer, EventKind, GroupIter, Stamped, decode_command, encode_command,
};
use sha2::{Digest as _, Sha256};
use testkit::oracle::Oracle;
use testkit::oracle::coverage::asked;
use testkit::oracle::generate::Generator;

/// Commands of a log that is written now, the one behind which its state is saved, and its seed.
const COUNT: u64 = 520;
const MIDDLE: u64 = 400;
const SEED: u64 = 633;

/// A version's folder.
struct Golden {
    commands: Vec<Stamped>,
    encoded: Vec<Vec<u8>>,
    events: Vec<u8>,
    state: Vec<u8>,
    hashes: String,
}

impl Golden {
    fn read(folder: &Path) -> Self {
        let file = |name: &str| fs::read(folder.join(name)).expect("a file of the version");
        let mut encoded = Vec::new();
        let (bytes, mut at) = (file("commands"), 0);
        while at < bytes.len() {
            let size = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
            let end = at + 4 + size as usize;
            encoded.push(bytes[at + 4..end].to_vec());
            at = end;
        }
        let decode = |(sequence, bytes): (u64, &Vec<u8>)| {
            decode_command(bytes, sequence).expect("a command of an old version is read")
        };
        let commands = (1..).zip(&encoded).map(decode).collect();
        let hashes = String::from_utf8(file("hashes")).expect("text");
        Self { commands, encoded, events: file("events"), state: file("state"), hashes }
    }

    /// A log of every type, made now.
    fn make() -> Self {
        let (mut generator, mut oracle) = (Generator::new(SEED), Oracle::new());
        let (mut kernel, mut out) = (Kernel::new(), EventBuffer::new());
        let (mut commands, mut encoded, mut state) = (Vec::new(), Vec::new(), Vec::new());
        for number in 1..=COUNT {
            let stamped = generator.next(&oracle);
            oracle.execute(&stamped);
            kernel.execute(&stamped, &mut out);
            let mut bytes = Vec::new();
            encode_command(&mut bytes, &stamped);
            encoded.push(bytes);
            commands.push(stamped);
            if number == MIDDLE {
                kernel.save(&mut state);
            }
        }
        Self { commands, encoded, events: out.take(), state, hashes: hashes_of(&kernel) }
    }

    fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("a folder");
        let mut commands = Vec::new();
        for bytes in &self.encoded {
            let size = u32::try_from(bytes.len()).expect("a command is small");
            commands.extend_from_slice(&size.to_le_bytes());
            commands.extend_from_slice(bytes);
        }
        for (name, bytes) in [
            ("commands", &commands[..]),
            ("events", &self.events[..]),
            ("state", &self.state[..]),
            ("hashes", self.hashes.as_bytes()),
        ] {
            fs::write(folder.join(name), bytes).expect("written");
        }
    }
}

/// Where a run stands and what its state is: the hash of each kind of entity and of all.
fn hashes_of(kernel: &Kernel) -> String {
    let position = kernel.position();
    let (mut text, mut all) = (String::new(), Sha256::new());
    let _ = writeln!(text, "events {}", position.event_sequence);
    let _ = writeln!(text, "time {}", position.last_timestamp.0);
    for kind in 0..kernel::Entity::KIND_COUNT {
        let mut bytes = Vec::new();
        for entity in kernel.entities().filter(|entity| usize::from(entity.kind()) == kind) {
            assert!(kernel.encode_entity(entity, &mut bytes), "a listed entity is there");
        }
        let _ = writeln!(text, "kind {kind} {}", hex(&Sha256::digest(&bytes)));
        all.update(&bytes);
    }
    let _ = writeln!(text, "state {}", hex(&all.finalize()));
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Every version, in order; the first is there, and none between is missing.
fn versions() -> Vec<Golden> {
    let names = fs::read_dir(root()).expect("the folder of versions");
    let number = |entry: fs::DirEntry| entry.file_name().to_str().and_then(|it| it.parse().ok());
    let mut numbers: Vec<u32> =
        names.map(|entry| number(entry.expect("readable")).expect("a number")).collect();
    numbers.sort_unstable();
    assert!(!numbers.is_empty() && numbers.iter().copied().eq(1..=numbers[numbers.len() - 1]));
    numbers.iter().map(|number| Golden::read(&root().join(number.to_string()))).collect()
}

/// By events: the stored events alone, and the saved state with what follows it, come to the recorded hashes.
/// A later version reads the events of an earlier one, with the numbers that they were given.
/// covers: DET-56, RPL-23
#[test]
fn stored_events_replay_to_their_recorded_hashes() {
    for golden in versions() {
        let mut kernel = Kernel::new();
        let mut loaded = Kernel::load(&golden.state).expect("a state of an old version is read");
        let mut expected = 1;
        let mut kinds = BTreeSet::new();
        for group in GroupIter::new(&golden.events) {
            let group = group.expect("a group of an old version is read");
            assert_eq!(group.head.first_sequence, expected, "a number once given stays");
            for event in group.events() {
                let (head, event): (_, Event) = event.expect("an event of an old version is read");
                assert_eq!(head.sequence, expected);
                kinds.insert(event.kind());
                expected += 1;
            }
            kernel.apply_group(&group).expect("it applies");
            loaded.apply_group(&group).expect("it applies, or lies behind the state");
        }
        assert_eq!(hashes_of(&kernel), golden.hashes);
        assert_eq!(hashes_of(&loaded), golden.hashes);
        assert!(kinds.len() >= 30, "nearly every type is in it: {kinds:?}");
        assert!(
            kinds.contains(&EventKind::FeeRefunded) && kinds.contains(&EventKind::OrderReduced)
        );
    }
}

/// By commands: those of the stored log, and those behind the saved state, give the stored events byte for byte
/// and the recorded hashes. The release build runs this too.
/// covers: DET-56, RPL-23
#[test]
fn stored_commands_replay_to_their_recorded_hashes() {
    for golden in versions() {
        let (mut kernel, mut out) = (Kernel::new(), EventBuffer::new());
        for stamped in &golden.commands {
            kernel.execute(stamped, &mut out);
        }
        assert!(out.bytes() == golden.events, "the same bytes");
        assert_eq!(hashes_of(&kernel), golden.hashes);
        let mut loaded = Kernel::load(&golden.state).expect("a state of an old version is read");
        let mut tail = EventBuffer::new();
        let done = usize::try_from(loaded.position().command_sequence).expect("few");
        for stamped in &golden.commands[done..] {
            loaded.execute(stamped, &mut tail);
        }
        assert!(golden.events.ends_with(tail.bytes()) && !tail.bytes().is_empty());
        assert_eq!(hashes_of(&loaded), golden.hashes);
        let kinds: BTreeSet<CommandKind> =
            golden.commands.iter().map(|stamped| stamped.command.kind()).collect();
        assert!(kinds.len() >= 24, "nearly every type is in it: {kinds:?}");
    }
}

/// What this version writes is the newest folder's, byte for byte. A test that fails here has changed a stored
/// form or a rule: that is a new version, and the old folder stays.
#[test]
fn what_is_written_now_is_the_newest_version() {
    let made = Golden::make();
    if let Some(number) = asked("GOLDEN_WRITE") {
        let folder = root().join(number.to_string());
        assert!(!folder.exists(), "{} is there and stays as it is", folder.display());
        made.write(&folder);
    }
    let newest = versions().pop().expect("a version");
    // The log is the stored one: its maker may change what it asks, but not how that is written.
    for (stamped, bytes) in newest.commands.iter().zip(&newest.encoded) {
        let mut again = Vec::new();
        encode_command(&mut again, stamped);
        assert!(again == *bytes, "command {}", stamped.sequence);
    }
    let mut kernel = Kernel::new();
    let (mut out, mut state) = (EventBuffer::new(), Vec::new());
    let middle = Kernel::load(&newest.state).expect("loaded").position().command_sequence;
    for stamped in &newest.commands[..usize::try_from(middle).expect("few")] {
        kernel.execute(stamped, &mut out);
    }
    kernel.save(&mut state);
    assert!(state == newest.state, "the saved state");
}

/// A log of which a byte is another one comes to other hashes, or cannot be read: the comparison sees it.
#[test]
fn another_log_has_other_hashes() {
    let golden = versions().remove(0);
    let mut other = golden.commands.clone();
    other.pop();
    while let Some(last) = other.last() {
        let (mut kernel, mut out) = (Kernel::new(), EventBuffer::new());
        for stamped in &other {
            kernel.execute(stamped, &mut out);
        }
        if out.bytes() == golden.events {
            // The commands that were left out made no event.
            assert!(last.sequence > 1);
            other.pop();
            continue;
        }
        assert_ne!(hashes_of(&kernel), golden.hashes);
        return;
    }
    panic!("the log makes events");
}
