//! The executor: the live kernel and the panic that ends it.
//!
//! Owns the kernel. A panic in it is a broken invariant or a bug (D-49): it is caught here, nothing of
//! the record's results leaves, the kernel is never used again, and the caller stops the shard. The
//! process goes on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use kernel::Kernel;
use schema::{EventBuffer, Reply, Stamped};

/// The live kernel, until it fails.
pub(crate) struct Executor {
    kernel: Kernel,
    out: EventBuffer,
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
            #[cfg(test)]
            panic_at: None,
        }
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
            #[cfg(test)]
            assert_ne!(Some(command.sequence), self.panic_at, "an invariant that a test breaks");
            replies.push(self.kernel.execute(command, &mut self.out));
        }
        let last_event = self.kernel.position().event_sequence;
        Results { replies, groups: self.out.take(), last_event }
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
