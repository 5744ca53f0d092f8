//! How fast events become rows, on one thread, and what they weigh on the disk.
//!
//! Measures what decides in this crate: a rebuild from the event log in commits as large as the node's,
//! and following in small ones. Events are made first, by a kernel, and are not measured.
//! `cargo run --release -p archive --example index_rate -- COMMANDS ACCOUNTS`

#[path = "../tests/index/venue.rs"]
mod venue;

use std::time::{Duration, Instant};

use archive::Archive;
use venue::{Record, Venue, answer_of};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|it| it.parse().expect("a count"));
    let commands = arguments.next().unwrap_or(1_000_000);
    let accounts = arguments.next().unwrap_or(1_000);
    let mut venue = Venue::new(1, accounts);
    venue.trade(commands);
    let bytes: usize = venue.records.iter().map(|(groups, _)| groups.len()).sum();
    println!("{commands} commands, {} events, {bytes} bytes of events", venue.last_event());
    for events_per_commit in [10_000, 1_000] {
        measure(&venue, events_per_commit);
    }
}

fn measure(venue: &Venue, events_per_commit: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = Archive::open(folder.path(), answer_of).expect("opened");
    let mut indexer = opened.indexer;
    let (begin, mut longest) = (Instant::now(), Duration::ZERO);
    let ran_before = ran();
    for (groups, end) in &venue.records {
        indexer.add(groups, *end).expect("sound");
        if indexer.pending_count() >= events_per_commit {
            let at = Instant::now();
            indexer.commit().expect("committed");
            longest = longest.max(at.elapsed());
        }
    }
    indexer.commit().expect("committed");
    let (took, ran) = (begin.elapsed(), ran().saturating_sub(ran_before));
    let events = venue.last_event() as f64;
    let size = opened.archive.size() as f64;
    if !ran.is_zero() {
        let rate = events / ran.as_secs_f64();
        println!(
            "{events_per_commit} events a commit: {rate:.0} events per second that the thread ran"
        );
    }
    println!(
        "{events_per_commit} events a commit: {:.0} events/s, {:.1} bytes an event, longest commit {longest:?}",
        events / took.as_secs_f64(),
        size / events
    );
    let last: &Record = venue.records.last().expect("some");
    let reader = opened.archive.reader().expect("open");
    assert_eq!(reader.position().end, last.1);
}

/// How long this thread has run, which a busy machine does not change much; zero where nothing tells.
fn ran() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = told.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
