//! The log's thread: makes records durable, many with one sync.
//!
//! Whatever waits is appended and synced together: while one sync runs, the next batch collects, so
//! the load itself sets the size of a batch (group commit). After the first failure nothing is
//! written any more; what was not durable by then never will be released.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use journal::{CommandLog, LogFault, Sealed};

use crate::fault::StopReason;
use crate::mailbox::{Mailbox, Taken};
use crate::shard::Shard;
use crate::stage::{Stage, Step};

/// The command log and the records on their way into it.
pub(crate) struct Logging {
    pub(crate) shard: Arc<Shard>,
    pub(crate) log: Box<dyn CommandLog + Send>,
    pub(crate) records: Arc<Mailbox<Sealed>>,
    pub(crate) batch: VecDeque<Sealed>,
}

/// The log takes no more.
struct Failed;

impl Stage for Logging {
    const NAME: &'static str = "log";

    /// Writes records until the sequencer has ended.
    fn run(&mut self) {
        while self.records.take(&mut self.batch, None) != Taken::Closed {
            if self.write().is_err() {
                break;
            }
        }
    }

    fn step(&mut self) -> Step {
        match self.records.try_take(&mut self.batch) {
            Taken::Closed => Step::Ended,
            Taken::Nothing => Step::Idle,
            Taken::Items => self.write().map_or(Step::Ended, |()| Step::Worked),
        }
    }

    fn end(&mut self) {
        self.records.close();
        self.shard.durability.end();
    }
}

impl Logging {
    /// Makes the batch durable and says so, or stops the shard.
    fn write(&mut self) -> Result<(), Failed> {
        match self.append_and_sync() {
            Ok(sequence) => {
                self.shard.metrics.durable_sequence.set(sequence);
                self.shard.durability.publish(sequence);
                Ok(())
            }
            Err(fault) => {
                self.shard.stop(StopReason::CommandLog(fault.to_string()));
                Err(Failed)
            }
        }
    }

    fn append_and_sync(&mut self) -> Result<u64, LogFault> {
        for sealed in self.batch.drain(..) {
            self.log.append(&sealed)?;
        }
        let began = Instant::now();
        let end = self.log.sync()?;
        self.shard.metrics.count_sync(began.elapsed());
        Ok(end.sequence)
    }
}
