//! Moves the view: applies events, hashes each window, compares what is on record.
//!
//! Owns the state hash beside the view and the list of hashes that fell due and are not on record yet.
//! At the end of the command that holds a multiple of 1000 the entities changed since the last such end
//! are hashed once (EVT-43, DET-47). A StateHashRecorded that passes must be the oldest of the list, to
//! the byte: a node whose hash differs stops at once (DET-49). Live, follower and replay are this one
//! path.

use std::collections::VecDeque;

use schema::limits::HASH_WINDOW;
use schema::{Command, EventGroup, GroupIter};

use crate::fault::ReplayFault;
use crate::view::{Changes, RecordedHash, StateHash, View};

/// The state hash of a view, and which hashes are to be recorded.
#[derive(Debug, Default)]
pub(crate) struct Shadow {
    hash: StateHash,
    /// Hashes that fell due, oldest first.
    due: VecDeque<RecordedHash>,
    /// Due hashes that were handed out as commands.
    submitted_count: usize,
    compared_count: u64,
    last_event: u64,
}

impl Shadow {
    /// The shadow of a view that was loaded, with the hashes that had fallen due and were not on record.
    pub(crate) fn of(view: &View, due: VecDeque<RecordedHash>) -> Self {
        Self {
            hash: StateHash::of(view.kernel()),
            due,
            last_event: view.kernel().position().event_sequence,
            ..Self::default()
        }
    }

    /// The hash of the state at the last window's end, or as it was loaded.
    pub(crate) fn hash(&self) -> [u8; 32] {
        self.hash.value()
    }

    /// Hashes that fell due and are not on record.
    pub(crate) fn due(&self) -> impl ExactSizeIterator<Item = &RecordedHash> {
        self.due.iter()
    }

    /// Applies the events of a record.
    pub(crate) fn apply(
        &mut self,
        view: &mut View,
        groups: &[u8],
        changes: &mut Changes,
    ) -> Result<(), ReplayFault> {
        for group in GroupIter::new(groups) {
            let after = self.last_event;
            let group = group.map_err(|source| ReplayFault::Events { after, source })?;
            self.apply_group(view, &group, changes)?;
        }
        Ok(())
    }

    fn apply_group(
        &mut self,
        view: &mut View,
        group: &EventGroup<'_>,
        changes: &mut Changes,
    ) -> Result<(), ReplayFault> {
        let command = group.head.command_sequence;
        let recorded = view
            .apply(group, changes)
            .map_err(|message| ReplayFault::Apply { command, message })?;
        if let Some(recorded) = recorded {
            self.compare(recorded)?;
        }
        let last_event = view.kernel().position().event_sequence;
        if last_event / HASH_WINDOW > self.last_event / HASH_WINDOW {
            let value = self.settle(view);
            self.due.push_back((last_event, value));
        }
        self.last_event = last_event;
        Ok(())
    }

    fn compare(&mut self, recorded: RecordedHash) -> Result<(), ReplayFault> {
        if self.due.pop_front() != Some(recorded) {
            return Err(ReplayFault::HashDiffers { at_sequence: recorded.0 });
        }
        self.submitted_count = self.submitted_count.saturating_sub(1);
        self.compared_count += 1;
        Ok(())
    }

    /// The hash of the state now.
    pub(crate) fn settle(&mut self, view: &mut View) -> [u8; 32] {
        view.hash_into(&mut self.hash);
        self.hash.value()
    }

    /// Commands that put on record what fell due since the last call.
    pub(crate) fn take_due(&mut self) -> Vec<Command> {
        let fresh = self.due.iter().skip(self.submitted_count);
        let commands = fresh
            .map(|&(at_sequence, state_hash)| Command::RecordStateHash { at_sequence, state_hash })
            .collect();
        self.submitted_count = self.due.len();
        commands
    }

    /// Recorded hashes that were compared.
    pub(crate) const fn compared_count(&self) -> u64 {
        self.compared_count
    }
}
