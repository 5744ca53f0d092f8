//! The executor: the live kernel and the panic that ends it.
//!
//! Owns the kernel. A panic in it is a broken invariant or a bug (D-49): it is caught here, nothing of
//! the record's results leaves, the kernel is never used again, and the caller stops the shard. The
//! process goes on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use kernel::Kernel;
use schema::{Command, EventBuffer, Reply, Stamped};

use crate::quarantine::Quarantines;

/// The live kernel, until it fails.
pub(crate) struct Executor {
    kernel: Kernel,
    out: EventBuffer,
    /// Commands that are passed and not executed.
    quarantines: Quarantines,
    /// A test's broken invariant: the command at which there is one.
    #[cfg(test)]
    pub(crate) panic_at: Option<u64>,
}

/// What a record came to.
#[derive(Debug)]
pub(crate) struct Results {
    /// Replies in the order of the commands.
    pub(crate) replies: Vec<Reply>,
    /// Events in their stored form.
    pub(crate) groups: Vec<u8>,
    /// The last event after the record.
    pub(crate) last_event: u64,
}

impl Executor {
    /// An executor that goes on where the kernel is.
    pub(crate) fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            out: EventBuffer::new(),
            quarantines: Quarantines::default(),
            #[cfg(test)]
            panic_at: crate::quarantine::breaking(),
        }
    }

    /// Passes these from now on (D-49).
    pub(crate) fn keep_out(&mut self, quarantines: Quarantines) {
        self.quarantines = quarantines;
    }

    /// Executes the commands of a record, in order; what the assertion says if one broke.
    pub(crate) fn execute(&mut self, commands: &[Stamped]) -> Result<Results, String> {
        catch_unwind(AssertUnwindSafe(|| self.execute_all(commands)))
            .map_err(|panic| message(&*panic))
    }

    fn execute_all(&mut self, commands: &[Stamped]) -> Results {
        let mut replies = Vec::with_capacity(commands.len());
        self.kernel.look_ahead(commands);
        for command in commands {
            if let Some(reply) = self.pass_quarantined(command) {
                replies.push(reply);
                continue;
            }
            replies.push(self.kernel.execute(command, &mut self.out));
            #[cfg(test)]
            assert_ne!(Some(command.sequence), self.panic_at, "an invariant that a test breaks");
        }
        let last_event = self.kernel.position().event_sequence;
        Results { replies, groups: self.out.take(), last_event }
    }

    /// The reply to a command that is in quarantine: none was given, and its caller has gone.
    fn pass_quarantined(&mut self, command: &Stamped) -> Option<Reply> {
        let stamped = self.quarantines.of(command.sequence, &self.kernel)?;
        let Command::Quarantine(quarantine, _) = stamped.command else { return None };
        Some(self.kernel.pass_quarantined(command, &quarantine, &mut self.out))
    }

    /// The kernel, to look at.
    pub(crate) fn kernel(&self) -> &Kernel {
        &self.kernel
    }
}

/// What a panic says.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}
