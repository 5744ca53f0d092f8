//! A moment of a log, and the state behind the last command that was whole by then.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context as _, bail};
use journal::Blocks;
use kernel::Kernel;
use schema::{EventGroup, GroupIter};
use units::Timestamp;

use crate::flow::bar;
use crate::log::Source;

/// A moment of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Behind the event with this number.
    Sequence(u64),
    /// At this time, its last nanosecond included.
    Time(Timestamp),
}

impl Moment {
    /// A number, or a time in ISO 8601.
    ///
    /// # Errors
    /// What is expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(sequence) = text.parse() {
            return Ok(Self::Sequence(sequence));
        }
        let time = text.parse().map_err(|fault| {
            format!("{fault}; a moment is the number of an event or a time in ISO 8601")
        })?;
        Ok(Self::Time(time))
    }

    /// Whether a command whose last event is this one was whole by then.
    pub(crate) const fn includes(self, sequence: u64, time: Timestamp) -> bool {
        match self {
            Self::Sequence(last) => sequence <= last,
            Self::Time(last) => time.0 <= last.0,
        }
    }
}

/// The event groups of a log, one after the other, each with its bytes.
pub(crate) struct Groups {
    /// Absent when nothing is behind the event.
    blocks: Option<Blocks>,
    behind: u64,
    /// What is left of the block at hand.
    payload: Vec<u8>,
    /// Where the next group begins in it.
    next: usize,
}

impl Groups {
    /// Those behind an event, which must be the last one of a command; 0 is before the first.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(crate) fn behind(source: &Source, event: u64) -> anyhow::Result<Self> {
        let blocks = source.blocks_from(event + 1)?;
        Ok(Self { blocks, behind: event, payload: Vec::new(), next: 0 })
    }

    /// The bytes of the next group; absent at the end of the log.
    ///
    /// # Errors
    /// The log cannot be read, or holds no group there.
    pub(crate) fn next_bytes(&mut self) -> anyhow::Result<Option<&[u8]>> {
        loop {
            while self.next == self.payload.len() {
                let Some(block) = self.blocks.as_mut().and_then(Iterator::next) else {
                    return Ok(None);
                };
                self.payload = block?.payload().to_vec();
                self.next = 0;
            }
            let begin = self.next;
            let rest = &self.payload[begin..];
            let mut groups = GroupIter::new(rest);
            let group = groups.next().context("a block holds a group")??;
            let is_behind = group.head.first_sequence > self.behind;
            self.next = self.payload.len() - groups.size_left();
            // The block that holds the first event may begin before it.
            if is_behind {
                return Ok(Some(&self.payload[begin..self.next]));
            }
        }
    }
}

/// The state behind the last command that was whole at a moment.
///
/// # Errors
/// The log cannot be read or applied, or begins later.
pub(crate) fn replay(source: &Source, at: Moment) -> anyhow::Result<Kernel> {
    replay_from(Kernel::new(), source, at)
}

/// As `replay`, from a state at or before the moment on.
///
/// # Errors
/// As `replay`.
pub(super) fn replay_from(
    mut kernel: Kernel,
    source: &Source,
    at: Moment,
) -> anyhow::Result<Kernel> {
    let end = match at {
        Moment::Sequence(last) => source.event_end().min(last),
        Moment::Time(_) => source.event_end(),
    };
    let bar = bar("applying events", end);
    let mut groups = Groups::behind(source, kernel.position().event_sequence)?;
    while let Some(bytes) = groups.next_bytes()? {
        let group = one_group(bytes)?;
        let mut last = (group.head.first_sequence, group.head.first_timestamp);
        for event in group.events() {
            let (head, _) = event?;
            last = (head.sequence, head.timestamp);
        }
        if !at.includes(last.0, last.1) {
            break;
        }
        apply(&mut kernel, &group)?;
        bar.set_position(last.0);
    }
    bar.finish_and_clear();
    if kernel.position().event_sequence == 0 {
        bail!("no command was whole by then");
    }
    Ok(kernel)
}

/// The group that bytes of `Groups` hold.
///
/// # Errors
/// They hold none.
pub(crate) fn one_group(bytes: &[u8]) -> anyhow::Result<EventGroup<'_>> {
    Ok(GroupIter::new(bytes).next().context("bytes of a group")??)
}

/// Applies a group; an invariant that breaks is an answer here, since nothing but the kernel at hand is
/// at stake.
///
/// # Errors
/// The group is not the next one, or the core stops in it.
pub(crate) fn apply(kernel: &mut Kernel, group: &EventGroup<'_>) -> anyhow::Result<()> {
    match catch_unwind(AssertUnwindSafe(|| kernel.apply_group(group))) {
        Ok(applied) => Ok(applied?),
        Err(_) => {
            bail!("the core stopped in the events of command {}", group.head.command_sequence)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_number_or_a_time() {
        assert_eq!(Moment::parse("5000"), Ok(Moment::Sequence(5_000)));
        let noon = Timestamp(1_708_084_800_000_000_000);
        assert_eq!(Moment::parse("2024-02-16T12:00:00Z"), Ok(Moment::Time(noon)));
        for wrong in ["", "-1", "noon", "2024-02-16"] {
            assert!(Moment::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Moment::Sequence(7).includes(7, noon) && !Moment::Sequence(7).includes(8, noon));
        assert!(Moment::Time(noon).includes(9, noon));
        assert!(!Moment::Time(noon).includes(9, Timestamp(noon.0 + 1)));
    }
}
