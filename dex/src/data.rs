//! The data folder at start: opened, its keys read, its shard recovered.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use engine::{Config, Engine, SnapshotPolicy, StartFault, Storage, SystemClock};
use gateway::TokenSigner;
use journal::{DataFolder, SegmentOptions};
use schema::limits::KEY_COUNT_DEFAULT;
use schema::{Genesis, Label};

use crate::keys::{self, Missing, OperatorKey};
use crate::settings::Settings;

/// A recovered shard with the keys of its venue.
pub(crate) struct Opened {
    /// The shard, running.
    pub(crate) engine: Engine,
    /// The operator's key.
    pub(crate) operator: OperatorKey,
    /// The key of access tokens.
    pub(crate) tokens: TokenSigner,
}

/// Opens the data folder of the settings and starts its shard; a new folder gets keys and a genesis.
///
/// # Errors
/// What is wrong and what to do about it. A folder that is refused is not changed.
pub(crate) fn open(settings: &Settings) -> anyhow::Result<Opened> {
    let folder = DataFolder::open(&settings.data_dir)?;
    let keys = folder.keys();
    let storage = Storage::open(folder, SegmentOptions::default())?;
    let is_new = storage.commands.end().sequence == 0;
    // Keys are made with the first command: keys without one mean that the logs are gone.
    if is_new && keys.join("operator.key").exists() {
        bail!(
            "{} has an operator key and an empty command log: the logs are missing. Restore them; to \
             begin anew, remove the folder",
            settings.data_dir.display()
        );
    }
    let missing = if is_new { Missing::Make } else { Missing::Refuse };
    let operator = OperatorKey::load(&keys, missing)?;
    let tokens = keys::token_signer(&keys, Missing::Make)?;
    let config = Config {
        genesis: Some(genesis(&operator)),
        leader: Label::new("local").unwrap_or_else(|_| unreachable!("a short constant")),
        queue_count_max: settings.queue_count_max,
        feed_batch_count: settings.feed_batch_count,
        ended_order_count: settings.ended_order_count,
        snapshots: SnapshotPolicy {
            events: settings.snapshot_events.max(1),
            interval: Duration::from_secs(settings.snapshot_seconds.max(1)),
            checkpoint: Duration::from_secs(settings.checkpoint_seconds.max(1)),
            count: settings.snapshot_count.max(1),
        },
        ..Config::default()
    };
    let engine = Engine::start_with(config, storage, Arc::new(SystemClock::new()));
    let engine = engine.map_err(explain).context("the exchange cannot start")?;
    Ok(Opened { engine, operator, tokens })
}

/// The genesis of a new venue, and what an old one is compared with.
fn genesis(operator: &OperatorKey) -> Genesis {
    Genesis {
        venue_id: operator.venue_id(),
        shard: 0,
        operator_key: operator.public_key(),
        key_count_max: KEY_COUNT_DEFAULT,
        fee_tiers: fees::default_tiers(),
    }
}

/// Adds what to do to a fault that does not say it.
fn explain(fault: StartFault) -> anyhow::Error {
    let advice = match &fault {
        StartFault::OtherVenue { .. } => {
            Some("keys/operator.key is not the key that this log was begun with: restore that key")
        }
        StartFault::Replay(_) => Some(
            "the logs were left as they are: restore the data folder from a backup or a replica",
        ),
        _ => None,
    };
    let fault = anyhow::Error::new(fault);
    match advice {
        Some(advice) => fault.context(advice),
        None => fault,
    }
}
