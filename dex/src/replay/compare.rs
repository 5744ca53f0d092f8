//! Two states, field by field.

use std::path::Path;

use anyhow::bail;
use kernel::Kernel;

use super::begin;
use super::digest::Changed;
use crate::bisect::{Field, differences};
use crate::log::Source;
use crate::state::{Moment, replay};

/// The state that another one is held against.
pub(super) struct Other {
    /// The event behind which it stands; absent for a log, which is replayed to where the first one ends.
    pub(super) at: Option<u64>,
    state: State,
}

enum State {
    Log(Box<Source>),
    Snapshot(Box<Kernel<Changed>>),
}

impl Other {
    /// A data folder or a snapshot.
    ///
    /// # Errors
    /// It is none, or damaged.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        if path.is_dir() {
            return Ok(Self { at: None, state: State::Log(Box::new(Source::open(path)?)) });
        }
        let snapshot = begin::file(path)?;
        let kernel = begin::load(&snapshot)?;
        let at = Some(snapshot.header.event_sequence);
        Ok(Self { at, state: State::Snapshot(Box::new(kernel)) })
    }

    /// Every field that differs from a state behind an event (RPL-48).
    ///
    /// # Errors
    /// The other one cannot be had there.
    pub(super) fn differences(&self, kernel: &Kernel<Changed>) -> anyhow::Result<Vec<Field>> {
        let event = kernel.position().event_sequence;
        match &self.state {
            State::Snapshot(other) => Ok(differences(kernel, other)),
            State::Log(source) if source.event_end() < event => {
                bail!("the other log ends at event {}, before {event}", source.event_end())
            }
            State::Log(source) => {
                Ok(differences(kernel, &replay(source, Moment::Sequence(event))?))
            }
        }
    }
}
