//! A running shard for a benchmark: a journal on this disk, the market listed, accounts on demand.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine::{Config, Engine, Following, InProcess, SnapshotPolicy, Storage, SystemClock};
use journal::{DataFolder, SegmentOptions};
use port::{Port, Request};
use schema::{Command, Key, Outcome};
use tempfile::TempDir;
use units::Id;

use crate::venue;

/// An engine on a data folder that goes when this does.
pub(crate) struct Shard {
    pub(crate) engine: Engine,
    _folder: TempDir,
}

impl Shard {
    /// A shard without the archive: what an order waits for, and the shadow beside it.
    pub(crate) fn start() -> Self {
        Self::start_on(Following::Everything, |storage| storage.archive = None)
    }

    /// A shard with everything that `dex run` has.
    pub(crate) fn start_archived() -> Self {
        Self::start_on(Following::Everything, |_| {})
    }

    /// The executor with its journal and nothing beside it.
    pub(crate) fn start_alone() -> Self {
        Self::start_on(Following::Nothing, |storage| storage.archive = None)
    }

    fn start_on(following: Following, change: impl FnOnce(&mut Storage)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = DataFolder::open(folder.path()).expect("a data folder");
        let config = Config { genesis: Some(venue::genesis()), following, ..Config::default() };
        let mut storage = Storage::open(data, SegmentOptions::default()).expect("logs");
        change(&mut storage);
        let clock = Arc::new(SystemClock::new());
        let engine = Engine::start_with(config, storage, clock).expect("a shard");
        Self { engine, _folder: folder }
    }
}

/// A shard without the archive in a folder that stays, with a checkpoint every so often and no snapshots.
pub(crate) fn start_in(path: &Path, options: SegmentOptions, checkpoint: Duration) -> Engine {
    let data = DataFolder::open(path).expect("a data folder");
    let snapshots =
        SnapshotPolicy { events: u64::MAX, interval: NEVER, checkpoint, ..Default::default() };
    let config = Config { genesis: Some(venue::genesis()), snapshots, ..Config::default() };
    let mut storage = Storage::open(data, options).expect("logs");
    storage.archive = None;
    Engine::start_with(config, storage, Arc::new(SystemClock::new())).expect("a shard")
}

/// Longer than any row runs.
pub(crate) const NEVER: Duration = Duration::from_secs(24 * 3_600);

async fn done(port: &InProcess, command: Command, key: Option<Key>) -> Outcome {
    let request = Request { correlation: Id([9; 16]), key, command, account_version: None };
    port.submit(request).await.expect("an answer").outcome
}

/// Opens and funds an account.
pub(crate) async fn account(port: &InProcess, name: String) -> Id {
    let outcome = done(port, Command::CreateAccount(venue::opening(&name)), None).await;
    let Outcome::Done { created: Some(id) } = outcome else { panic!("{outcome:?}") };
    for asset in [1, 2] {
        done(port, Command::Deposit(venue::funding(id, asset)), None).await;
    }
    id
}

/// Lists both assets and the market.
pub(crate) async fn list(port: &InProcess) {
    for number in 1..=3 {
        let (command, key) = venue::signed(port.clock().now(), number, |operator| match number {
            1 => Command::ListAsset(venue::asset("BTC", 8), operator),
            2 => Command::ListAsset(venue::asset("USDT", 6), operator),
            _ => Command::ListMarket(venue::market(), operator),
        });
        let outcome = done(port, command, Some(key)).await;
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    }
}
