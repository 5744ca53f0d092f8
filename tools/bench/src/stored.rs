//! Commands as the command log keeps them, and a kernel that executes them.
//!
//! Owns how a kernel is timed: it is handed batches that were decoded just before, as the executor is, and
//! the clock runs while it executes, not while they are decoded. A stream of millions so takes the room of
//! its bytes. It deliberately keeps no reply: what a run did is told by the size of its events.

use std::ops::Range;
use std::time::{Duration, Instant};

use kernel::Kernel;
use schema::{EventBuffer, Stamped, decode_command, encode_command};

/// Commands in their stored form, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    bytes: Vec<u8>,
    /// Sequence of the first command.
    first: u64,
    /// Where each command ends.
    ends: Vec<usize>,
}

/// What an execution took and made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timed {
    /// While the kernel worked.
    pub(crate) elapsed: Duration,
    /// Bytes of events.
    pub(crate) event_size: usize,
}

impl Stored {
    pub(crate) fn new(stream: &[Stamped]) -> Self {
        let mut stored = Self::default();
        for stamped in stream {
            stored.push(stamped);
        }
        stored
    }

    /// Adds the next command.
    pub(crate) fn push(&mut self, stamped: &Stamped) {
        if self.ends.is_empty() {
            self.first = stamped.sequence;
        }
        encode_command(&mut self.bytes, stamped);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(crate) fn decode(&self, index: usize) -> Stamped {
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let sequence = self.first + index as u64;
        decode_command(&self.bytes[begin..self.ends[index]], sequence).expect("a command")
    }

    /// Has the kernel execute some of the commands, batch by batch.
    pub(crate) fn execute(&self, kernel: &mut Kernel, range: Range<usize>) -> Timed {
        let mut buffer = EventBuffer::new();
        let mut batch = Vec::with_capacity(BATCH);
        let mut timed = Timed::default();
        for begin in range.clone().step_by(BATCH) {
            batch.clear();
            batch.extend((begin..range.end.min(begin + BATCH)).map(|index| self.decode(index)));
            buffer.clear();
            let begin = Instant::now();
            kernel.look_ahead(&batch);
            for stamped in &batch {
                kernel.execute(stamped, &mut buffer);
            }
            timed.elapsed += begin.elapsed();
            timed.event_size += buffer.bytes().len();
        }
        timed
    }
}

/// Commands between two empties of the buffer, as a batch of the executor has.
const BATCH: usize = 100;
