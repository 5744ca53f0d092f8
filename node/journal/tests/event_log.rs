//! The event log: chaining, comparing what is made again, crashes and damage.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::fake_disk::FakeDisk;
use journal::{
    BlockBuilder, BlockNumbers, DamageReason, EventEnd, EventLog, EventsOpened, LogFault,
    OwnedBlock, Placed, Preparation, Refusal, SegmentOptions, compress_closed, verify,
};

const OPTIONS: SegmentOptions = SegmentOptions { size: 4096, preparation: Preparation::Inline };

fn folder() -> &'static Path {
    Path::new("/events")
}

fn open(disk: &FakeDisk) -> Result<(EventLog, EventsOpened), LogFault> {
    EventLog::open(Arc::new(disk.clone()), folder(), OPTIONS)
}

fn block(end: &EventEnd, first_command: u64, event_count: u32, payload: &str) -> OwnedBlock {
    let mut builder = BlockBuilder::begin(end.hash);
    builder.payload().extend_from_slice(payload.as_bytes());
    let numbers = BlockNumbers {
        first_command,
        last_command: first_command + 1,
        first_event: end.event_sequence + 1,
        event_count,
    };
    builder.seal(numbers).expect("sound numbers")
}

fn end_of(block: &OwnedBlock) -> EventEnd {
    EventEnd {
        command_sequence: block.header().last_command,
        event_sequence: block.header().last_event(),
        hash: block.hash(),
    }
}

/// Blocks with one to four events; some commands between them made none.
fn chain(count: usize) -> Vec<OwnedBlock> {
    let mut end = EventEnd::EMPTY;
    let make_next = |index: usize| {
        let events = 1 + u32::try_from(index % 4).expect("small");
        let first_command = end.command_sequence + 1 + u64::from(events / 3);
        let made = block(&end, first_command, events, &format!("events of block {index}"));
        end = end_of(&made);
        made
    };
    (0..count).map(make_next).collect()
}

fn append_all(log: &mut EventLog, blocks: &[OwnedBlock]) {
    for block in blocks {
        assert_eq!(log.append(block).expect("extends"), Placed::Appended);
        log.sync().expect("sound disk");
    }
}

fn written(blocks: &[OwnedBlock]) -> FakeDisk {
    let disk = FakeDisk::new(3);
    append_all(&mut open(&disk).expect("an empty disk").0, blocks);
    disk
}

fn read(log: &EventLog, from: u64) -> Vec<OwnedBlock> {
    log.read(from).expect("readable").map(|block| block.expect("sound")).collect()
}

fn segments(disk: &FakeDisk) -> Vec<PathBuf> {
    let is_segment = |path: &PathBuf| path.extension().is_some_and(|name| name == "segment");
    disk.paths().into_iter().filter(is_segment).collect()
}

#[test]
fn blocks_read_back_from_any_event() {
    let blocks = chain(80);
    let disk = written(&blocks);
    let (log, opened) = open(&disk).expect("sound");
    assert_eq!((opened.end, opened.block_count), (end_of(&blocks[79]), 80));
    assert!(opened.segment_count > 1);
    let last = opened.end.event_sequence;
    for from in 0..=last {
        let expected = blocks.partition_point(|block| block.header().last_event() < from);
        assert_eq!(read(&log, from), blocks[expected..], "from {from}");
    }
    assert_eq!(read(&log, last + 1), []);
    assert!(matches!(log.read(last + 2).map(|_| ()), Err(LogFault::AheadOfLog { .. })));
}

/// covers: SEQ-36
#[test]
fn a_block_that_does_not_extend_the_chain_is_refused() {
    let blocks = chain(3);
    let disk = FakeDisk::new(3);
    let (mut log, _) = open(&disk).expect("an empty disk");
    append_all(&mut log, &blocks[..1]);
    let end = log.end();
    let ahead = EventEnd { event_sequence: end.event_sequence + 1, ..end };
    let offered = [
        block(&ahead, 9, 1, "a gap"),
        block(&EventEnd { hash: [1; 32], ..end }, 9, 1, "another past"),
        block(&end, end.command_sequence, 1, "a command twice"),
    ];
    let refusals = offered.map(|block| match log.append(&block) {
        Err(LogFault::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    });
    let expected = [
        Refusal::NotNext { expected: 2, found: 3 },
        Refusal::WrongPrevious { sequence: 2 },
        Refusal::CommandsBackwards { last: 2, found: 2 },
    ];
    assert_eq!(refusals, expected);
    append_all(&mut log, &blocks[1..]);
    assert_eq!(read(&log, 1), blocks);
}

/// covers: EVT-85, EVT-76
#[test]
fn a_tail_made_again_is_compared_and_then_goes_on() {
    let blocks = chain(120);
    let disk = written(&blocks[..90]);
    disk.crash();
    let (mut log, opened) = open(&disk).expect("sound");
    assert_eq!(opened.end, end_of(&blocks[89]));
    for (index, block) in blocks.iter().enumerate().skip(40) {
        let expected = if index < 90 { Placed::Same } else { Placed::Appended };
        assert_eq!(log.append(block).expect("the same bytes"), expected, "block {index}");
    }
    assert_eq!(log.append(&blocks[119]).expect("the same"), Placed::Same, "not yet durable");
    log.sync().expect("sound disk");
    assert_eq!(read(&log, 1), blocks);
}

/// covers: EVT-85
#[test]
fn existing_bytes_that_differ_are_a_critical_fault() {
    let blocks = chain(10);
    let disk = written(&blocks);
    let (mut log, _) = open(&disk).expect("sound");
    let before = end_of(&blocks[4]);
    let stored = &blocks[5];
    let header = stored.header();
    let differing = [
        (block(&before, header.first_command, header.event_count, "events of block X"), 68),
        (block(&before, header.first_command, header.event_count + 1, "events of block 5"), 32),
        (block(&before, header.first_command, header.event_count, "events"), 4),
        (
            block(
                &EventEnd { hash: [1; 32], ..before },
                header.first_command,
                2,
                "events of block 5",
            ),
            36,
        ),
        (block(&EventEnd { event_sequence: before.event_sequence + 1, ..before }, 9, 1, "x"), 4),
    ];
    for (other, expected) in differing {
        let fault = log.append(&other).expect_err("the block differs");
        assert!(fault.is_critical());
        let LogFault::Differs { event_sequence, offset } = fault else { panic!("{fault}") };
        assert_eq!((event_sequence, offset), (other.header().first_event, expected));
    }
    assert_eq!(log.append(stored).expect("the stored one"), Placed::Same);
    assert_eq!(read(&log, 1), blocks, "nothing was changed");
}

/// covers: EVT-76, REC-28
#[test]
fn a_torn_tail_is_cut_reported_and_made_again() {
    let blocks = chain(12);
    let disk = written(&blocks[..10]);
    let (mut log, _) = open(&disk).expect("sound");
    log.append(&blocks[10]).expect("extends");
    disk.fail_write_after(0);
    log.sync().expect_err("the write fails half done");
    assert!(matches!(log.append(&blocks[11]), Err(LogFault::Poisoned)));
    drop(log);
    let (mut log, opened) = open(&disk).expect("a torn tail is no damage");
    assert!(opened.cut.is_some());
    assert_eq!(opened.end, end_of(&blocks[9]));
    append_all(&mut log, &blocks[10..]);
    assert_eq!(read(&log, 1), blocks);
}

/// covers: EVT-85, RPL-62
#[test]
fn a_changed_block_is_found_with_its_position() {
    let blocks = chain(100);
    let disk = written(&blocks);
    let report = verify::events(&disk, folder()).expect("readable");
    let last = blocks[99].header().last_event();
    assert_eq!((report.item_count, report.number_count), (100, last));
    assert_eq!((report.end, report.faults), (Some(end_of(&blocks[99])), vec![]));
    let path = segments(&disk)[1].clone();
    disk.tamper(&path, |bytes| bytes[600] ^= 16);
    let report = verify::events(&disk, folder()).expect("readable");
    let [fault] = &report.faults[..] else { panic!("{:?}", report.faults) };
    assert_eq!((&fault.segment, fault.offset), (&path, 512));
    let refused = open(&disk).expect_err("damage is refused");
    assert!(matches!(refused, LogFault::Damaged(damage) if damage == *fault));
}

fn compressed(disk: &FakeDisk) -> Vec<PathBuf> {
    let is_compressed = |path: &PathBuf| path.extension().is_some_and(|name| name == "zst");
    disk.paths().into_iter().filter(is_compressed).collect()
}

/// Full segments are smaller and read as before: by a reader that was made before, by the log that is open, by
/// one that is opened, and by the check.
/// covers: EVT-57
#[test]
fn full_segments_are_compressed_and_read_as_before() {
    let blocks = chain(300);
    let disk = written(&blocks);
    let (mut log, opened) = open(&disk).expect("sound");
    let early = log.read(1).expect("readable");
    let done = compress_closed(&disk, folder(), 2).expect("sound disk");
    assert_eq!(done.len(), opened.segment_count - 2, "the last two stay as they are");
    assert!(done.iter().all(|it| it.size < it.size_before / 2 && it.size_before == 4096));
    assert_eq!((compressed(&disk).len(), segments(&disk).len()), (done.len(), 2));
    assert_eq!(early.map(|block| block.expect("sound")).collect::<Vec<_>>(), blocks);
    assert_eq!(read(&log, 1), blocks);
    assert_eq!(compress_closed(&disk, folder(), 2).expect("sound disk"), [], "once");
    append_all(&mut log, &[block(&end_of(&blocks[299]), 9_000, 1, "one more")]);
    drop(log);
    disk.crash();
    let from_end = EventLog::open_end(Arc::new(disk.clone()), folder(), OPTIONS).expect("sound");
    assert_eq!(read(&from_end.0, 1)[..300], blocks);
    let (log, reopened) = open(&disk).expect("sound");
    assert_eq!(reopened.block_count, 301);
    assert_eq!((from_end.1.end, from_end.1.segment_count), (reopened.end, reopened.segment_count));
    assert!(from_end.1.block_count < 60, "{from_end:?}");
    assert_eq!(read(&log, 1)[..300], blocks);
    assert_eq!(verify::events(&disk, folder()).expect("readable").faults, []);
}

/// The original goes only once its compressed form is whole: a crash or a failing disk at any moment leaves a
/// log that reads as before.
#[test]
fn nothing_is_lost_while_a_segment_is_compressed() {
    let blocks = chain(200);
    for seed in 0..200 {
        let disk = FakeDisk::new(seed);
        append_all(&mut open(&disk).expect("an empty disk").0, &blocks);
        match seed % 3 {
            0 => disk.fail_write_after(seed % 5),
            1 => disk.fail_sync_after(seed % 7),
            _ => {}
        }
        let _ = compress_closed(&disk, folder(), 1);
        disk.crash();
        let (log, _) = open(&disk).unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
        assert_eq!(read(&log, 1), blocks, "seed {seed}");
    }
}

/// covers: REC-55
#[test]
fn a_damaged_compressed_segment_is_refused() {
    let blocks = chain(100);
    let disk = written(&blocks);
    compress_closed(&disk, folder(), 1).expect("sound disk");
    let path = compressed(&disk)[0].clone();
    let size = disk.contents(&path).len();
    for at in (0..size).step_by(7) {
        disk.tamper(&path, |bytes| bytes[at] ^= 1);
        let fault = open(&disk).expect_err("damage is refused");
        assert!(matches!(fault, LogFault::Damaged(damage) if damage.segment == path), "{at}");
        let from_end = EventLog::open_end(Arc::new(disk.clone()), folder(), OPTIONS);
        let found = from_end.and_then(|(log, _)| log.read(1)?.collect::<Result<Vec<_>, _>>());
        assert!(matches!(found, Err(LogFault::Damaged(damage)) if damage.segment == path), "{at}");
        disk.tamper(&path, |bytes| bytes[at] ^= 1);
    }
    assert_eq!(read(&open(&disk).expect("sound again").0, 1), blocks);
}

#[test]
fn a_folder_of_the_other_log_is_refused() {
    let disk = written(&chain(2));
    let opened = journal::Journal::open(Arc::new(disk), folder(), OPTIONS);
    let fault = opened.expect_err("these are no commands");
    assert!(matches!(fault, LogFault::Damaged(damage)
        if damage.reason == DamageReason::SegmentHeader));
}

#[test]
fn the_end_at_a_snapshot_is_found() {
    let blocks = chain(30);
    let (log, _) = open(&written(&blocks)).expect("sound");
    assert_eq!(log.end_at(0).expect("readable"), Some(EventEnd::EMPTY));
    for block in &blocks {
        let last = block.header().last_event();
        assert_eq!(log.end_at(last).expect("readable"), Some(end_of(block)));
        if block.header().event_count > 1 {
            assert_eq!(log.end_at(last - 1).expect("readable"), None, "no block ends there");
        }
    }
}

/// Names of the public functions in the block that begins with `head`.
fn calls<'a>(source: &'a str, head: &str, begin: &str) -> Vec<&'a str> {
    let (_, rest) = source.split_once(head).expect("the block");
    let (block, _) = rest.split_once("\n}\n").expect("its end");
    let lines = block.lines().filter_map(|line| line.strip_prefix(begin));
    lines.map(|line| line.split('(').next().expect("a name")).collect()
}

/// What the two logs offer is to append, to make durable and to read; nothing of it changes or removes what is
/// stored. Other content under a stored number is refused, and whatever is called, what was appended before stays
/// byte for byte.
/// covers: EVT-5
#[test]
fn no_call_changes_or_removes_what_is_appended() {
    let of_events = calls(include_str!("../src/event_log.rs"), "impl EventLog {\n", "    pub fn ");
    assert_eq!(
        of_events,
        ["open", "open_end", "append", "sync", "segment_count", "end", "durable", "read", "end_at"]
    );
    let trait_text = include_str!("../src/command_log.rs");
    let of_commands = calls(trait_text, "pub trait CommandLog {\n", "    fn ");
    assert_eq!(of_commands, ["append", "sync", "end", "read"]);
    let (disk, blocks) = (FakeDisk::new(9), chain(120));
    let stored = |log: &EventLog| -> Vec<Vec<u8>> {
        let all = log.read(1).expect("sound");
        all.map(|block| block.expect("sound").bytes().to_vec()).collect()
    };
    let mut before: Vec<Vec<u8>> = Vec::new();
    for round in 1..=6 {
        let (mut log, _) = open(&disk).expect("sound");
        append_all(&mut log, &blocks[(round - 1) * 20..round * 20]);
        for number in [0, round * 20 - 1, round * 10] {
            assert_eq!(log.append(&blocks[number]).expect("stored"), Placed::Same);
            let header = blocks[number].header();
            let (first, count) = (header.first_command, header.event_count);
            let end = if number == 0 { EventEnd::EMPTY } else { end_of(&blocks[number - 1]) };
            let other = block(&end, first, count, "something else");
            assert!(matches!(log.append(&other), Err(LogFault::Differs { .. })), "{number}");
        }
        let end = end_of(&blocks[round * 20 - 1]);
        let far = EventEnd { event_sequence: end.event_sequence + 7, ..end };
        assert!(log.append(&block(&far, 900, 1, "ahead")).is_err(), "no gap");
        let _ = (log.sync().expect("sound"), log.end_at(3), log.read(7).is_ok());
        let now = stored(&log);
        assert!(now.starts_with(&before) && now.len() == round * 20);
        assert!(now.iter().zip(&blocks).all(|(bytes, block)| bytes == block.bytes()));
        before = now;
    }
}
