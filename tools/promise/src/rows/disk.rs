//! A full disk: a shard on an image of 8 MiB, written to until it takes no more.
//!
//! The shard is the one that `dex run` starts, with small segments and without the archive, since the binary's own
//! segments are larger than the image. Orders are placed until none is taken, then the open ones are canceled, then
//! deposits are made until none is taken; reads go on. Once there is room again the same shard takes orders, and its
//! next start has everything that was acknowledged.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::venue;
use engine::{Config, Engine, Storage, SystemClock};
use journal::{DataFolder, Preparation, SegmentOptions};
use port::{Port, PortFault, Query, Request, View};
use schema::{
    AssetRef, CancelOrder, Command, Key, LedgerEntry, Outcome as Told, Reply, TimeInForce,
};
use tokio::runtime::{Builder, Runtime};
use units::{Amount, Id, Lots, Side, Ticks};

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
    let Tally { orders, cancels, deposits, .. } = tally;
    outcome.done(format!(
        "{runs} images of {IMAGE_MEBIBYTES} MiB filled: {orders} orders, {cancels} cancels and {deposits} deposits \
         acknowledged"
    ));
    outcome.exactly("shards that refused orders and then everything", tally.full, runs);
    outcome.exactly("shards that stopped", tally.stopped, 0);
    outcome.exactly("cancels refused while no order was taken", tally.cancels_refused, 0);
    outcome.exactly("reads answered while nothing was taken", tally.reads, runs);
    outcome.exactly("shards that took orders again once there was room", tally.resumed, runs);
    outcome.exactly(
        "accounts that lack something acknowledged after the next start",
        tally.lost,
        0,
    );
    outcome
}

#[derive(Debug, Default)]
struct Tally {
    orders: u64,
    cancels: u64,
    deposits: u64,
    full: u64,
    stopped: u64,
    cancels_refused: u64,
    reads: u64,
    resumed: u64,
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
    let (orders, resting) = shard.order_until_refused(account);
    for order in &resting {
        let cancel = CancelOrder { account, order: *order, state_seq: None };
        match shard.submit(Command::CancelOrder(cancel), None) {
            Ok(_) => tally.cancels += 1,
            Err(_) => tally.cancels_refused += 1,
        }
    }
    let before = shard.total(account).expect("it is there");
    let (deposits, fault) = shard.deposit_until_refused(account);
    tally.full += u64::from(!resting.is_empty() && fault == PortFault::NoRoom);
    tally.reads += u64::from(shard.total(account).is_some());
    fs::remove_file(filler).expect("it is there");
    tally.resumed += u64::from(shard.takes_orders_again(account));
    tally.stopped += u64::from(shard.engine.stop_reason().is_some());
    let Shard { engine, runtime, number } = shard;
    let _ = engine.stop();
    let shard = Shard { engine: start(&data), runtime, number };
    let total = shard.total(account).expect("it was opened");
    let paid_in = Amount(Amount::ONE.0 * i128::from(deposits));
    tally.lost += u64::from(total != before + paid_in);
    tally.orders += orders;
    tally.deposits += deposits;
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
        // The event log writes what a second brought at once. Of so small a disk that must stay a small part, as it is of
        // a real one.
        std::thread::sleep(PACE);
        let request = Request { correlation: Id([9; 16]), key, command, account_version: None };
        self.runtime.block_on(self.engine.port().submit(request))
    }

    /// Lists the market and opens an account with money.
    fn open(&mut self) -> Id {
        for number in 1..=3 {
            let now = self.engine.port().clock().now();
            let (command, key) = venue::signed(now, number, |operator| match number {
                1 => Command::ListAsset(venue::asset("BTC", 8), operator),
                2 => Command::ListAsset(venue::asset("USDT", 6), operator),
                _ => Command::ListMarket(venue::market(), operator),
            });
            self.submit(command, Some(key)).expect("there is room");
        }
        let opened = self.submit(Command::CreateAccount(venue::opening("one")), None);
        let Told::Done { created: Some(id) } = opened.expect("there is room").outcome else {
            panic!("no account")
        };
        self.submit(Command::Deposit(venue::funding(id, 2)), None).expect("there is room");
        id
    }

    /// Places orders, of which every so many rests; answers how many were taken, and those that rest.
    fn order_until_refused(&self, account: Id) -> (u64, Vec<Id>) {
        let mut resting = Vec::new();
        for count in 0..COMMAND_COUNT_MAX {
            let rests = count % RESTING_EACH == 0;
            match self.order(account, if rests { TimeInForce::Gtc } else { TimeInForce::Ioc }) {
                Ok(reply) => {
                    let Told::Accepted { order } = reply.outcome else { panic!("{reply:?}") };
                    resting.extend(rests.then_some(order));
                }
                Err(_) => return (count, resting),
            }
        }
        panic!("the disk never fills")
    }

    fn order(&self, account: Id, time_in_force: TimeInForce) -> Result<Reply, PortFault> {
        let terms = (Ticks(100), Lots(1));
        self.submit(venue::order(account, Side::Buy, terms, time_in_force), None)
    }

    fn deposit(&mut self, account: Id) -> Result<Reply, PortFault> {
        self.number += 1;
        let mut reference = [1; 16];
        reference[..8].copy_from_slice(&self.number.to_le_bytes());
        let (asset, amount, reference) = (AssetRef::Listed(2), Amount::ONE, Id(reference));
        self.submit(Command::Deposit(LedgerEntry { account, asset, amount, reference }), None)
    }

    /// Answers how many were acknowledged, and why the next was not.
    fn deposit_until_refused(&mut self, account: Id) -> (u64, PortFault) {
        for count in 0..COMMAND_COUNT_MAX {
            if let Err(fault) = self.deposit(account) {
                return (count, fault);
            }
        }
        panic!("the disk never fills")
    }

    fn takes_orders_again(&self, account: Id) -> bool {
        let began = Instant::now();
        while began.elapsed() < RESUME_TIME {
            if self.order(account, TimeInForce::Ioc).is_ok() {
                return true;
            }
        }
        false
    }

    /// What the account has, as a read tells.
    fn total(&self, account: Id) -> Option<Amount> {
        let query = self.engine.port().query(Query::Account(account), 0, Duration::ZERO);
        let seen = self.runtime.block_on(query).ok()?;
        let View::Account(Some(account)) = seen.view else { return None };
        Some(account.balances.first()?.total)
    }
}

const IMAGE_MEBIBYTES: u64 = 8;
const SEGMENT_SIZE: u64 = 64 << 10;
/// What is removed so that there is room again.
const FILLER_SIZE: usize = 2 << 20;
/// One order in so many rests.
const RESTING_EACH: u64 = 100;
/// From one command to the next.
const PACE: Duration = Duration::from_micros(700);
/// More than fit.
const COMMAND_COUNT_MAX: u64 = 1_000_000;
/// A shard that takes nothing so long after there is room does not take up again.
const RESUME_TIME: Duration = Duration::from_secs(10);
