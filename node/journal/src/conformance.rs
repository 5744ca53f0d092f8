//! The suite that every [`CommandLog`] passes.
//!
//! Owns the contract as assertions: an implementation's test calls [`conformance`] with a function
//! that makes an empty log. [`chain`] builds records that extend each other, for other tests too.
//!
//! What a crash leaves is each implementation's own test: the trait has no crash.

use crate::checksum::Hash;
use crate::command_log::CommandLog;
use crate::fault::{LogFault, Refusal};
use crate::fence::{End, Fence};
use crate::record_builder::{RecordBuilder, Sealed};

/// Asserts the whole contract; `make` answers a new, empty log at each call.
///
/// # Panics
/// If the log breaks the contract.
pub fn conformance<L: CommandLog>(make: impl Fn() -> L) {
    an_empty_log(&make());
    appended_then_durable(&mut make());
    one_sync_for_many(&mut make());
    refuses_what_does_not_extend(&mut make());
    a_repeat_is_done_already(&mut make());
    other_content_is_a_conflict(&mut make());
    a_deposed_leader_changes_nothing(&mut make());
    reads_from_any_number(&mut make());
    a_reader_keeps_its_end(&mut make());
}

/// `count` records behind `end`, with one to three commands each.
#[must_use]
pub fn chain(end: End, count: usize) -> Vec<Sealed> {
    let mut fence = Fence::new(end);
    let make_next = |index: usize| {
        let commands = 1 + u64::try_from(index % 3).unwrap_or(0);
        let sealed = record_behind(fence.end(), fence.end().epoch.max(1), commands);
        assert_eq!(fence.pass_sealed(&sealed), Ok(()), "it was built to extend");
        sealed
    };
    (0..count).map(make_next).collect()
}

/// A record of `commands` commands that extends `end` in the given epoch.
#[must_use]
pub fn record_behind(end: End, epoch: u64, commands: u64) -> Sealed {
    record_at(epoch, end.sequence + 1, end.hash, commands)
}

fn record_at(epoch: u64, first: u64, previous: Hash, commands: u64) -> Sealed {
    let mut builder = RecordBuilder::begin(epoch, first, previous);
    for sequence in first..first + commands {
        let pushed = builder.push(|buffer| {
            buffer.extend_from_slice(format!("command {sequence} of epoch {epoch}").as_bytes());
        });
        assert_eq!(pushed, Ok(sequence));
    }
    builder.seal()
}

fn an_empty_log<L: CommandLog>(log: &L) {
    assert_eq!(log.end(), End::EMPTY);
    assert_eq!(log.end().next_sequence(None).ok(), Some(1), "the first number is 1");
    assert_eq!(read(log, 0), []);
    assert_eq!(read(log, 1), []);
    assert!(matches!(log.read(2), Err(LogFault::AheadOfLog { from: 2, end: 0 })));
}

fn appended_then_durable<L: CommandLog>(log: &mut L) {
    let records = chain(End::EMPTY, 2);
    append(log, &records[0]);
    assert_eq!(log.end(), records[0].end());
    assert_eq!(read(log, 1), [], "what is not synced is not read");
    assert_eq!(sync(log), records[0].end());
    append(log, &records[1]);
    assert_eq!(read(log, 1), records[..1]);
    assert_eq!(sync(log), records[1].end());
    assert_eq!(sync(log), records[1].end(), "a sync of nothing changes nothing");
    assert_eq!(read(log, 1), records);
}

fn one_sync_for_many<L: CommandLog>(log: &mut L) {
    let records = chain(End::EMPTY, 200);
    for record in &records {
        append(log, record);
    }
    assert_eq!(sync(log), records[199].end());
    assert_eq!(read(log, 1), records);
}

fn refuses_what_does_not_extend<L: CommandLog>(log: &mut L) {
    let first = record_at(3, 1, [0; 32], 2);
    append(log, &first);
    let (end, hash) = (first.end(), first.hash());
    let not_next = |expected, found| Refusal::NotNext { expected, found };
    expect_refusal(log, &record_at(3, 4, hash, 1), not_next(3, 4));
    expect_refusal(log, &record_at(3, 3, [7; 32], 1), Refusal::WrongPrevious { sequence: 3 });
    let stale = Refusal::StaleEpoch { last: 3, found: 2 };
    expect_refusal(log, &record_at(2, 3, hash, 1), stale);
    assert_eq!(log.end(), end);
    append(log, &record_at(4, 3, hash, 1)); // a later epoch may follow
    sync(log);
    assert_eq!(read(log, 1).len(), 2, "nothing refused was written");
}

fn a_repeat_is_done_already<L: CommandLog>(log: &mut L) {
    let records = chain(End::EMPTY, 5);
    for record in &records {
        append(log, record);
        append(log, record); // not yet durable
    }
    sync(log);
    append(log, &records[4]);
    append(log, &records[1]); // not the last one
    assert_eq!(log.end(), records[4].end());
    sync(log);
    assert_eq!(read(log, 1), records);
}

fn other_content_is_a_conflict<L: CommandLog>(log: &mut L) {
    let records = chain(End::EMPTY, 4);
    for record in &records {
        append(log, record);
    }
    for stored in [&records[3], &records[1]] {
        let header = stored.header();
        let mut builder =
            RecordBuilder::begin(header.epoch, header.first_sequence, header.previous);
        let pushed = builder.push(|buffer| buffer.extend_from_slice(b"other"));
        assert!(pushed.is_ok());
        let fault = log.append(&builder.seal()).expect_err("other content was accepted");
        assert!(fault.is_critical());
        let expected = header.first_sequence;
        assert!(matches!(fault, LogFault::Conflict { sequence } if sequence == expected));
    }
    sync(log);
    assert_eq!(read(log, 1), records);
}

fn a_deposed_leader_changes_nothing<L: CommandLog>(log: &mut L) {
    let old = chain(End::EMPTY, 3);
    append(log, &old[0]);
    let new = record_behind(old[0].end(), 2, 1);
    append(log, &new);
    sync(log);
    // Epoch 1 still believes that its second and third records are next.
    for stale in &old[1..] {
        let fault = log.append(stale).expect_err("a deposed leader wrote");
        let expected = Refusal::StaleEpoch { last: 2, found: 1 };
        assert!(matches!(fault, LogFault::Refused(refusal) if refusal == expected));
    }
    assert_eq!(sync(log), new.end());
    assert_eq!(read(log, 1), [old[0].clone(), new]);
}

fn reads_from_any_number<L: CommandLog>(log: &mut L) {
    let records = chain(End::EMPTY, 30);
    for record in &records {
        append(log, record);
        sync(log);
    }
    let last = records[29].last_sequence();
    for from in 1..=last {
        let expected = records.partition_point(|record| record.last_sequence() < from);
        assert_eq!(read(log, from), records[expected..], "from {from}");
    }
    assert_eq!(read(log, last + 1), []);
    assert!(matches!(log.read(last + 2), Err(LogFault::AheadOfLog { .. })));
}

fn a_reader_keeps_its_end<L: CommandLog>(log: &mut L) {
    let records = chain(End::EMPTY, 6);
    for record in &records[..3] {
        append(log, record);
    }
    sync(log);
    let reader = log.read(1).expect("the log is readable");
    for record in &records[3..] {
        append(log, record);
    }
    sync(log);
    assert_eq!(reader.count(), 3, "it reads what was durable when it was made");
}

fn expect_refusal<L: CommandLog>(log: &mut L, sealed: &Sealed, expected: Refusal) {
    let fault = log.append(sealed).expect_err("the record does not extend the chain");
    assert!(!fault.is_critical());
    assert!(matches!(fault, LogFault::Refused(refusal) if refusal == expected), "{expected:?}");
}

fn append<L: CommandLog>(log: &mut L, sealed: &Sealed) {
    log.append(sealed).expect("the record extends the chain, or repeats it");
}

fn sync<L: CommandLog>(log: &mut L) -> End {
    log.sync().expect("the log can be synced")
}

fn read<L: CommandLog>(log: &L, from: u64) -> Vec<Sealed> {
    let records = log.read(from).expect("the log is readable");
    records.map(|record| record.expect("the log is sound")).collect()
}
