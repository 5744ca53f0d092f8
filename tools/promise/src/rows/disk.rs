//! A full disk: a shard on an image of 8 MiB, written to until nothing more fits.
//!
//! The shard is the one that `dex run` starts, with small segments, since the binary's own are larger than the
//! image. What is acknowledged fits; the first write that does not fit stops the shard, reads go on, and with
//! room again the next start has everything and takes writes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bench::venue;
use engine::{Config, Engine, Storage, SystemClock};
use journal::{DataFolder, Preparation, SegmentOptions};
use port::{Port, PortFault, Query, Request, View};
use schema::{AssetRef, Command, Key, LedgerEntry, Outcome as Told, Reply};
use tokio::runtime::{Builder, Runtime};
use units::{Amount, Id};

use crate::image::Image;
use crate::row::{Outcome, Size};

pub(super) fn run(size: Size) -> Outcome {
    if let Some(why) = Image::why_not() {
        return Outcome::not_run(why);
    }
    let runs = size.pick(1, 10);
    let mut outcome = Outcome::default();
    let mut tally = Tally::default();
    for _ in 0..runs {
        fill(&mut tally);
    }
    outcome.done(format!(
        "{runs} images of {IMAGE_MEBIBYTES} MiB filled: {} deposits acknowledged before, {} after there was room",
        tally.before, tally.after
    ));
    outcome.exactly("disks that became full under the shard", tally.full, runs);
    outcome.exactly("deposits acknowledged behind the first that was not", tally.late, 0);
    outcome.exactly("reads answered while the disk was full", tally.reads, runs);
    outcome.exactly(
        "accounts that lack an acknowledged deposit after the next start",
        tally.lost,
        0,
    );
    outcome.at_least("deposits acknowledged once there was room", tally.after, runs);
    outcome.waits(
        "cancels while the disk is full, and writing that resumes without a start, wait for the disk's thresholds \
         (90 and 95 %) and for segments of a size that can be set",
    );
    outcome
}

#[derive(Debug, Default)]
struct Tally {
    before: u64,
    after: u64,
    full: u64,
    late: u64,
    reads: u64,
    lost: u64,
}

fn fill(tally: &mut Tally) {
    let folder = tempfile::tempdir().expect("a folder");
    let image = Image::make(folder.path(), "image", IMAGE_MEBIBYTES).expect("an image");
    let filler = image.path().join("filler");
    fs::write(&filler, vec![1; FILLER_SIZE]).expect("there is room");
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let data = image.path().join("data");
    let mut shard = Shard { engine: start(&data), runtime, number: 0 };
    let account = shard.open();
    let acknowledged = shard.deposit_until_full(account);
    tally.before += acknowledged;
    tally.full += u64::from(shard.engine.stop_reason().is_some());
    tally.late += (0..LATE_COUNT).filter(|_| shard.deposit(account).is_ok()).count() as u64;
    tally.reads += u64::from(shard.total(account).is_some());
    drop(shard.engine);
    fs::remove_file(filler).expect("it is there");
    let runtime = shard.runtime;
    let mut shard = Shard { engine: start(&data), runtime, number: shard.number };
    let total = shard.total(account).expect("it was opened");
    tally.lost += u64::from(total < Amount(Amount::ONE.0 * i128::from(acknowledged)));
    tally.after += (0..LATE_COUNT).filter(|_| shard.deposit(account).is_ok()).count() as u64;
    let _ = shard.engine.stop();
}

fn start(data: &Path) -> Engine {
    let folder = DataFolder::open(data).expect("a data folder");
    let options = SegmentOptions { size: SEGMENT_SIZE, preparation: Preparation::Background };
    let mut storage = Storage::open(folder, options).expect("logs");
    storage.archive = None;
    let config = Config { genesis: Some(venue::genesis()), ..Config::default() };
    Engine::start_with(config, storage, Arc::new(SystemClock::new())).expect("it starts")
}

struct Shard {
    engine: Engine,
    runtime: Runtime,
    number: u64,
}

impl Shard {
    fn submit(&self, command: Command, key: Option<Key>) -> Result<Reply, PortFault> {
        let request = Request { correlation: Id([9; 16]), key, command, account_version: None };
        self.runtime.block_on(self.engine.port().submit(request))
    }

    /// Lists an asset and opens an account.
    fn open(&self) -> Id {
        let now = self.engine.port().clock().now();
        let (command, key) =
            venue::signed(now, 1, |operator| Command::ListAsset(venue::asset("BTC", 8), operator));
        self.submit(command, Some(key)).expect("there is room");
        let opened = self.submit(Command::CreateAccount(venue::opening("one")), None);
        match opened.expect("there is room").outcome {
            Told::Done { created: Some(id) } => id,
            outcome => panic!("{outcome:?}"),
        }
    }

    fn deposit(&mut self, account: Id) -> Result<Reply, PortFault> {
        self.number += 1;
        let mut reference = [1; 16];
        reference[..8].copy_from_slice(&self.number.to_le_bytes());
        let reference = Id(reference);
        let entry =
            LedgerEntry { account, asset: AssetRef::Listed(1), amount: Amount::ONE, reference };
        let reply = self.submit(Command::Deposit(entry), None)?;
        assert!(matches!(reply.outcome, Told::Done { .. }), "{reply:?}");
        Ok(reply)
    }

    /// Answers how many were acknowledged.
    fn deposit_until_full(&mut self, account: Id) -> u64 {
        let count = (0..DEPOSIT_COUNT_MAX).take_while(|_| self.deposit(account).is_ok()).count();
        count as u64
    }

    /// What the account has, as a read tells.
    fn total(&self, account: Id) -> Option<Amount> {
        let query = self.engine.port().query(Query::Account(account), 0, std::time::Duration::ZERO);
        let seen = self.runtime.block_on(query).ok()?;
        let View::Account(Some(account)) = seen.view else { return None };
        Some(account.balances.first()?.total)
    }
}

const IMAGE_MEBIBYTES: u64 = 8;
const SEGMENT_SIZE: u64 = 256 << 10;
/// What is removed so that there is room again.
const FILLER_SIZE: usize = 2 << 20;
/// Deposits behind the first that failed.
const LATE_COUNT: u64 = 20;
/// More than fit.
const DEPOSIT_COUNT_MAX: u64 = 1_000_000;
