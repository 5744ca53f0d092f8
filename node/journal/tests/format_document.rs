//! `docs/formats/record.md` against the code: its examples decode, and encode to the same bytes.
//!
//! After a change of format, the failing test prints the bytes that the code makes.

use journal::{
    Block, BlockBuilder, BlockNumbers, CHAIN_START, CommandLog, EventEnd, EventLog, Journal,
    Preparation, Record, RecordBuilder, Sealed, SegmentOptions,
};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

const DOCUMENT: &str = include_str!("../../../docs/formats/record.md");

/// The bytes of the block of code that follows the line `Example: {name}`.
fn example(name: &str) -> Vec<u8> {
    let title = format!("Example: {name}\n");
    let (_, after) = DOCUMENT.split_once(&title).expect("the document has the example");
    let code = after.split("```").nth(1).expect("a block of code follows");
    let lines = code.lines().skip(1);
    let digits: String =
        lines.flat_map(|line| line.split_once('|').map_or(line, |(hex, _)| hex).chars()).collect();
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex"))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.chunks(16).fold(String::new(), |mut text, line| {
        for byte in line {
            write!(text, "{byte:02x} ").expect("a string takes all");
        }
        text.push('\n');
        text
    })
}

fn record() -> Sealed {
    let mut builder = RecordBuilder::begin(2, 1, CHAIN_START);
    for command in [&b"deposit"[..], b"order"] {
        builder.push(|buffer| buffer.extend_from_slice(command)).expect("small");
    }
    builder.seal()
}

/// covers: SEQ-14
#[test]
fn the_record_in_the_document() {
    let sealed = record();
    let bytes = example("record");
    assert_eq!(hex(&bytes), hex(sealed.bytes()));
    let record = Record::decode(&bytes).expect("the example is a record");
    let commands: Vec<_> = record.commands().collect();
    assert_eq!(commands, [(1, &b"deposit"[..]), (2, b"order")]);
    assert_eq!(hex(&example("hash of the record")), hex(&record.hash()));
}

#[test]
fn the_block_in_the_document() {
    let mut builder = BlockBuilder::begin(EventEnd::EMPTY.hash);
    builder.payload().extend_from_slice(b"deposited ordered");
    let numbers =
        BlockNumbers { first_command: 1, last_command: 2, first_event: 1, event_count: 2 };
    let sealed = builder.seal(numbers).expect("sound numbers");
    let bytes = example("block");
    assert_eq!(hex(&bytes), hex(sealed.bytes()));
    assert_eq!(Block::decode(&bytes).expect("the example is a block").payload(), sealed.payload());
    let (mut log, _) = EventLog::open(disk(), Path::new("/log"), options()).expect("empty");
    log.append(&sealed).expect("the first block");
}

/// The segment header and the flush, as the journal writes them.
#[test]
fn the_segment_in_the_document() {
    let disk = disk();
    let folder = Path::new("/log");
    let (mut log, _) = Journal::open(disk.clone(), folder, options()).expect("empty");
    log.append(&record()).expect("the first record");
    log.sync().expect("sound disk");
    let segment = disk.contents(&folder.join("00000000000000000001.segment"));
    assert_eq!(hex(&example("segment header")), hex(&segment[..36]));
    assert!(segment[36..512].iter().all(|byte| *byte == 0));
    let flush = example("flush");
    assert_eq!(hex(&flush), hex(&segment[512..512 + flush.len()]));
    assert_eq!(flush.len() % 32, 0);
    assert!(segment[512 + flush.len()..].iter().all(|byte| *byte == 0));
}

fn disk() -> Arc<journal::fake_disk::FakeDisk> {
    Arc::new(journal::fake_disk::FakeDisk::new(1))
}

fn options() -> SegmentOptions {
    SegmentOptions { size: 4096, preparation: Preparation::Inline }
}
