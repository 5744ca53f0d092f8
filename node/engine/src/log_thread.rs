//! The log's thread: makes records durable, many with one sync.
//!
//! Whatever waits is appended and synced together: while one sync runs, the next batch collects, so
//! the load itself sets the size of a batch (group commit). After the first failure nothing is
//! written any more; what was not durable by then never will be released.

use std::sync::Arc;
use std::time::Instant;

use journal::{CommandLog, LogFault, Sealed};

use crate::fault::StopReason;
use crate::mailbox::{Mailbox, Taken};
use crate::shard::Shard;

/// Writes records until the sequencer has ended.
pub(crate) fn run(
    shard: &Arc<Shard>,
    mut log: Box<dyn CommandLog + Send>,
    records: &Mailbox<Sealed>,
) {
    let mut batch = Vec::new();
    while records.take(&mut batch, None) != Taken::Closed {
        match write(&mut *log, &mut batch, shard) {
            Ok(sequence) => {
                shard.metrics.durable_sequence.set(sequence);
                shard.durability.publish(sequence);
            }
            Err(fault) => {
                shard.stop(StopReason::CommandLog(fault.to_string()));
                break;
            }
        }
    }
}

fn write(
    log: &mut dyn CommandLog,
    batch: &mut Vec<Sealed>,
    shard: &Shard,
) -> Result<u64, LogFault> {
    for sealed in batch.drain(..) {
        log.append(&sealed)?;
    }
    let began = Instant::now();
    let end = log.sync()?;
    shard.metrics.count_sync(began.elapsed());
    Ok(end.sequence)
}
