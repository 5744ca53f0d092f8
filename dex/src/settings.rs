//! Settings of a running exchange: defaults, then a file, then the environment, then flags.
//!
//! One library reads all four, the later over the earlier. A name that is not below is refused wherever
//! it stands, so that a misspelt setting is never silently a default. In the environment a name is
//! written `DEX_NAME`; `DEX_DATA` and `DEX_DATA_REQUIRED` are not settings but tell the tests where
//! recorded markets lie.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use serde::{Deserialize, Serialize};

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The data folder.
    pub(crate) data_dir: PathBuf,
    /// Address of the door.
    pub(crate) listen: SocketAddr,
    /// Form of log lines.
    pub(crate) log: LogForm,
    /// Least level of log lines.
    pub(crate) log_level: LogLevel,
    /// Threads of the door.
    pub(crate) workers: usize,
    /// Commands that may wait for the sequencer.
    pub(crate) queue_count_max: usize,
    /// Orders that may wait for their result at the most.
    pub(crate) orders_in_flight_max: u64,
    /// Milliseconds that an order may wait for others before fewer are let in.
    pub(crate) order_wait_ms: u64,
    /// Batches that are kept for readers of books and trades.
    pub(crate) feed_batch_count: usize,
    /// Ended orders that can still be asked for.
    pub(crate) ended_order_count: usize,
    /// Events from one snapshot to the next at the most.
    pub(crate) snapshot_events: u64,
    /// Seconds from one snapshot to the next at the most, if there was an event.
    pub(crate) snapshot_seconds: u64,
    /// Snapshots that are kept.
    pub(crate) snapshot_count: usize,
    /// Seconds between two checkpoints.
    pub(crate) checkpoint_seconds: u64,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogForm {
    /// For people.
    Text,
    /// For programs, one object a line.
    Json,
}

/// Least level of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    /// A person must look.
    Error,
    /// Something was refused or slow.
    Warn,
    /// Starts, stops and the like.
    Info,
    /// For whoever looks for a fault.
    Debug,
}

/// Where settings come from besides flags.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Source {
    /// Data folder; made if it is not there [default: ./dex-data]
    #[arg(long = "data", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Settings file in TOML [default: ./dex.toml if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Read from the working folder if it is there and no other is named.
const DEFAULT_FILE: &str = "dex.toml";

impl Default for Settings {
    fn default() -> Self {
        let snapshots = engine::SnapshotPolicy::default();
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            data_dir: PathBuf::from("./dex-data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            log: LogForm::Text,
            log_level: LogLevel::Info,
            workers: cores,
            queue_count_max: engine::QUEUE_COUNT_DEFAULT,
            orders_in_flight_max: gateway::limits::ORDERS_IN_FLIGHT_MAX,
            order_wait_ms: gateway::limits::ORDER_WAIT_TARGET_MS,
            feed_batch_count: engine::FEED_BATCH_COUNT_DEFAULT,
            ended_order_count: engine::ENDED_ORDER_COUNT_DEFAULT,
            snapshot_events: snapshots.events,
            snapshot_seconds: snapshots.interval.as_secs(),
            snapshot_count: snapshots.count,
            checkpoint_seconds: snapshots.checkpoint.as_secs(),
        }
    }
}

/// Flags of a command as settings; what is `None` was not given.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Flags {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_dir: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listen: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<LogForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_level: Option<LogLevel>,
}

impl Settings {
    /// The settings of this process.
    ///
    /// # Errors
    /// Which name or value in which place is wrong.
    pub(crate) fn load(source: &Source, flags: &Flags) -> anyhow::Result<Self> {
        let flags = Flags { data_dir: source.data_dir.clone(), ..flags.clone() };
        let environment = Env::prefixed("DEX_").ignore(&["data", "data_required"]);
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        match &source.config {
            Some(file) if !file.is_file() => anyhow::bail!(
                "there is no settings file {}: name another with --config, or leave it out",
                file.display()
            ),
            Some(file) => figment = figment.merge(Toml::file_exact(file)),
            None if Path::new(DEFAULT_FILE).is_file() => {
                figment = figment.merge(Toml::file_exact(DEFAULT_FILE));
            }
            None => {}
        }
        let figment = figment.merge(environment).merge(Serialized::defaults(flags));
        figment.extract().context("a setting is wrong (`dex help run` lists them)")
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str, flags: &Flags) -> anyhow::Result<Settings> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("dex.toml");
        std::fs::write(&file, toml).expect("written");
        Settings::load(&Source { data_dir: None, config: Some(file) }, flags)
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let toml = "listen = \"0.0.0.0:9000\"\nlog = \"json\"\nqueue_count_max = 7\n";
        let flags = Flags { log: Some(LogForm::Text), ..Flags::default() };
        let settings = load(toml, &flags).expect("sound");
        assert_eq!(settings.listen, SocketAddr::from(([0, 0, 0, 0], 9000)));
        assert_eq!((settings.log, settings.queue_count_max), (LogForm::Text, 7));
        assert_eq!(settings.data_dir, Settings::default().data_dir);
    }

    #[test]
    fn unknown_names_and_bad_values_are_refused_by_name() {
        for (toml, named) in [
            ("lisen = \"127.0.0.1:1\"", "lisen"),
            ("listen = \"nowhere\"", "listen"),
            ("log = \"xml\"", "log"),
            ("queue_count_max = -1", "queue_count_max"),
            ("not toml", "dex.toml"),
        ] {
            let fault = format!("{:#}", load(toml, &Flags::default()).expect_err(toml));
            assert!(fault.contains(named), "{fault}");
        }
        let missing = Source { data_dir: None, config: Some("no-such-file.toml".into()) };
        assert!(Settings::load(&missing, &Flags::default()).is_err());
    }
}
