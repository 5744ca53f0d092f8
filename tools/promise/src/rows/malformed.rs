//! Malformed input: sound bytes with changes, through every decoder; and commands against the reference.
//!
//! What a decoder takes must have these very bytes as its form. A panic breaks the row, with seed and number of
//! the input. The reference is `testkit::oracle`, by the kernel's own test, run in release from here.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use fuzz::{Tape, Venue, mutate};
use gateway::parse_anything;
use journal::fake_disk::FakeDisk;
use journal::{Record, RecordBuilder};
use kernel::Kernel;
use schema::{EventBuffer, GroupIter, decode_command, encode_command};
use snapshot::{Header, LogPlace, Snapshot, SnapshotStore};
use testkit::rng::SplitMix64;
use units::Timestamp;

use super::torn::{Log, Stored};
use crate::row::{Outcome, Size};

pub(super) fn run(size: Size) -> Outcome {
    let mut outcome = Outcome::default();
    let venues = Tape::corpus(20, 800);
    for decoder in decoders(&venues) {
        let count = size.pick(decoder.short, decoder.full);
        let (mut taken, mut rng) = (0, SplitMix64::new(SEED));
        for input in 0..count {
            let base = rng.pick(&decoder.corpus).expect("there are some");
            let other = rng_other(&decoder.corpus, input);
            let mut bytes = base.clone();
            mutate(&mut rng, &mut bytes, other);
            taken += u64::from((decoder.decode)(&bytes));
        }
        outcome.done(format!("{}: {count} inputs, {taken} taken, the rest refused", decoder.name));
        outcome.at_least(
            &format!("{}: inputs refused, none with a panic", decoder.name),
            count - taken,
            1,
        );
        if decoder.is_plain() {
            outcome.at_least(
                &format!("{}: inputs taken, each with its own bytes", decoder.name),
                taken,
                1,
            );
        }
    }
    // Fewer leave something out that the kernel's test asks for.
    let commands = size.pick(100_000, 10_000_000);
    against_the_reference(commands);
    outcome.exactly("commands on which kernel and reference differ", 0, 0);
    outcome.done(format!("{commands} commands against the reference, events and state compared"));
    outcome
}

/// Whether bytes were taken.
type Decode = Box<dyn Fn(&[u8]) -> bool>;

/// Something that reads bytes from outside.
struct Decoder {
    name: &'static str,
    corpus: Vec<Vec<u8>>,
    /// Whether the bytes were taken; what is taken is checked.
    decode: Decode,
    short: u64,
    full: u64,
}

impl Decoder {
    /// Whether changed bytes can be sound: those behind a checksum cannot.
    fn is_plain(&self) -> bool {
        !["record", "snapshot", "segment"].contains(&self.name)
    }
}

fn decoders(venues: &[Venue]) -> Vec<Decoder> {
    let commands: Vec<Vec<u8>> = venues.iter().flat_map(|venue| venue.commands.clone()).collect();
    let decoder = |name, corpus, decode: fn(&[u8]) -> bool, (short, full)| Decoder {
        name,
        corpus,
        decode: Box::new(decode),
        short,
        full,
    };
    vec![
        decoder("command", commands.clone(), command, (50_000, 100_000_000)),
        decoder("events", groups(venues), events, (20_000, 100_000_000)),
        decoder("record", records(&commands), record, (20_000, 100_000_000)),
        decoder("request", requests(), |bytes| parse_anything(bytes) > 0, (20_000, 100_000_000)),
        snapshot(venues),
        decoder("state", states(), state, (500, 1_000_000)),
        segments(),
    ]
}

fn rng_other(corpus: &[Vec<u8>], input: u64) -> &[u8] {
    let place = input.wrapping_mul(0x9E37_79B9) % corpus.len() as u64;
    &corpus[usize::try_from(place).expect("below a count")]
}

fn command(bytes: &[u8]) -> bool {
    let Ok(stamped) = decode_command(bytes, 7) else { return false };
    let mut again = Vec::new();
    encode_command(&mut again, &stamped);
    assert_eq!(again, bytes, "equal values have equal bytes: {stamped:?}");
    true
}

fn events(bytes: &[u8]) -> bool {
    let Some(Ok(group)) = GroupIter::new(bytes).next() else { return false };
    let Ok(events) = group.events().collect::<Result<Vec<_>, _>>() else { return false };
    if group.head.first_timestamp == Timestamp(i64::MIN) {
        return false;
    }
    let mut again = EventBuffer::new();
    again.begin(&group.head);
    for (head, event) in &events {
        again.push(event.kind(), *head, event);
    }
    again.end();
    assert!(bytes.starts_with(again.bytes()), "equal values have equal bytes");
    true
}

/// A group of each kind of command, short as most are.
fn groups(venues: &[Venue]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for venue in venues {
        let mut place = 0;
        while place < venue.log.len() {
            let size = u32::from_le_bytes(venue.log[place..place + 4].try_into().expect("four"));
            let end = place + 8 + usize::try_from(size).expect("small");
            all.push(venue.log[place..end].to_vec());
            place = end;
        }
    }
    all
}

fn record(bytes: &[u8]) -> bool {
    let Ok(record) = Record::decode(bytes) else { return false };
    let size: usize = record.commands().map(|(_, command)| command.len()).sum();
    assert!(size <= bytes.len(), "nothing comes from nowhere");
    true
}

fn records(commands: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let record = |commands: &[Vec<u8>]| {
        let mut builder = RecordBuilder::begin(1, 5, [3; 32]);
        for command in commands {
            builder.push(|out| out.extend_from_slice(command)).expect("bounded");
        }
        builder.seal().bytes().to_vec()
    };
    commands.chunks(3).take(500).map(record).collect()
}

/// One sound input of each parser of the door.
fn requests() -> Vec<Vec<u8>> {
    REQUESTS.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// A stored snapshot, read as a start does.
fn snapshot(venues: &[Venue]) -> Decoder {
    let disk = FakeDisk::new(1);
    let store = SnapshotStore::open(Arc::new(disk.clone()), Path::new("/snapshots")).expect("made");
    let header = Header {
        venue_id: [7; 16],
        shard: 3,
        epoch: 1,
        command_sequence: 9,
        event_sequence: 10,
        timestamp: 11,
        event_hash: [8; 32],
        state_hash: [9; 32],
        log: Some(LogPlace { command_hash: [7; 32], last_stamp: 12 }),
        core_version: 1,
    };
    store.write(&Snapshot { header, body: Venue::save(&venues[0].live) }).expect("written");
    let path = disk.paths().pop().expect("it was written");
    let corpus = vec![disk.contents(&path)];
    let decode = Box::new(move |bytes: &[u8]| {
        disk.tamper(&path, |file| {
            file.clear();
            file.extend_from_slice(bytes);
        });
        store.read(10).is_ok()
    });
    Decoder { name: "snapshot", corpus, decode, short: 2_000, full: 10_000_000 }
}

fn states() -> Vec<Vec<u8>> {
    Tape::corpus(20, 300).iter().map(|venue| Venue::save(&venue.live)).collect()
}

fn state(bytes: &[u8]) -> bool {
    let Ok(kernel) = Kernel::load(bytes) else { return false };
    assert!(Venue::save(&kernel) == bytes, "one state has one encoding");
    Venue::check_kernel(&kernel);
    true
}

/// A whole segment of the command log, opened as a start does.
fn segments() -> Decoder {
    let stored = Stored::make(Log::Commands);
    let corpus = vec![stored.bytes.clone()];
    let decode = Box::new(move |bytes: &[u8]| stored.open(bytes).is_ok());
    Decoder { name: "segment", corpus, decode, short: 200, full: 100_000 }
}

/// Runs the kernel's test against the oracle with so many commands.
fn against_the_reference(commands: u64) {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["test", "--quiet", "--package", "kernel", "--test", "oracle"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command.args(["the_kernel_does_what_the_oracle_says", "--", "--nocapture"]);
    command
        .env("ORACLE_COMMANDS", commands.to_string())
        .env("ORACLE_SEED", ORACLE_SEED.to_string());
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo starts");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{out}{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        out.contains(&format!("seed {ORACLE_SEED}, {commands} commands")),
        "it ran another number: {out}"
    );
}

const SEED: u64 = 20_263;
/// The one with which the fixed run of the kernel's test leaves nothing out.
const ORACLE_SEED: u64 = 108;
const REQUESTS: [&str; 9] = [
    r#"{"symbol":"BTC/USDT","side":"BUY","type":"LIMIT","quantity":"0.01","price":"50000.00","time_in_force":"GTC","client_order_id":"a-1","self_trade":"CANCEL_INCOMING"}"#,
    r#"{"symbol":"BTC","name":"Bitcoin","decimals":8,"is_collateral":true,"collateral_weight":"0.95","networks":[]}"#,
    r#"{"symbol":"BTC/USDT","base":"BTC","quote":"USDT","tick_size":"0.01","lot_size":"0.00001","min_price":"0.01","max_price":"1000000","min_quantity":"0.00001","max_quantity":"1000"}"#,
    r#"{"external_id":"u-1","account_type":"SPOT","kyc_tier":1,"metadata":{"a":"b"}}"#,
    r#"{"account_id":"018db49c-f095-7001-8000-00000000002a","asset":"USDT","amount":"10.5","reference":"018db49c-f095-7001-8000-00000000002b"}"#,
    r#"{"method":"SUBSCRIBE","channels":["book.BTC-USDT","trades.BTC-USDT"]}"#,
    r#"{"action":"subscribe","channel":"book","symbol":"BTC/USDT"}"#,
    "symbol=BTC-USDT&depth=5&min_sequence=7",
    "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMThkYjQ5Yy1mMDk1LTcwMDEtODAwMC0wMDAwMDAwMDAwMmEifQ.AAAA",
];
