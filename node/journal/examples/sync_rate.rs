//! Measures the journal on this machine's disk: syncs and records a second, by records per sync.
//!
//! `cargo run --release -p journal --example sync_rate -- [FOLDER] [SECONDS]`; the folder must be
//! on the disk in question and new: what is in it already would be read first.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::disk::RealDisk;
use journal::{CommandLog, Journal, RecordBuilder, SegmentOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(|| PathBuf::from("sync-rate"), PathBuf::from);
    let seconds = arguments.next().map_or(Ok(3), |text| text.parse())?;
    println!(
        "records/sync commands/record  syncs/s  records/s  commands/s  p50 us  p99 us  max us"
    );
    for (index, (group, commands)) in [(1, 1), (1, 100), (10, 100), (100, 100)].iter().enumerate() {
        let folder = folder.join(index.to_string());
        run(&folder, *group, *commands, Duration::from_secs(seconds))?;
    }
    println!("read back: {:.0} commands/s", read_back(&folder.join("3"))?);
    Ok(())
}

/// Appends `group` records of `commands` commands of 120 bytes a sync, until the time is over.
fn run(
    folder: &Path,
    group: u64,
    commands: u64,
    duration: Duration,
) -> Result<(), Box<dyn std::error::Error>> {
    let (mut log, _) = Journal::open(Arc::new(RealDisk), folder, SegmentOptions::default())?;
    // The first segment of all is made before the clock starts.
    let mut first = RecordBuilder::begin(1, 1, log.end().hash);
    first.push(|bytes| bytes.push(1))?;
    log.append(&first.seal())?;
    log.sync()?;
    let mut times = Vec::new();
    let mut buffer = Vec::new();
    let start = Instant::now();
    while start.elapsed() < duration {
        let began = Instant::now();
        for _ in 0..group {
            let end = log.end();
            let mut builder = RecordBuilder::begin_in(buffer, 1, end.sequence + 1, end.hash);
            for _ in 0..commands {
                builder.push(|bytes| bytes.extend_from_slice(&[0x5A; 120]))?;
            }
            let sealed = builder.seal();
            log.append(&sealed)?;
            buffer = sealed.into_bytes();
        }
        log.sync()?;
        times.push(began.elapsed());
    }
    report((group, commands), start.elapsed(), times);
    Ok(())
}

fn report(shape: (u64, u64), elapsed: Duration, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (group, commands) = shape;
    let syncs = times.len() as f64 / elapsed.as_secs_f64();
    let records = syncs * group as f64;
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_micros();
    println!(
        "{group:>12} {commands:>15} {syncs:>8.0} {records:>10.0} {:>11.0} {:>7} {:>7} {:>7}",
        records * commands as f64,
        at(50),
        at(99),
        at(100),
    );
}

fn read_back(folder: &Path) -> Result<f64, Box<dyn std::error::Error>> {
    let start = Instant::now();
    let (log, opened) = Journal::open(Arc::new(RealDisk), folder, SegmentOptions::default())?;
    println!("opened {} commands in {:?}", opened.end.sequence, start.elapsed());
    let start = Instant::now();
    let mut count = 0;
    for record in log.read(1)? {
        count += record?.record().commands().count();
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}
