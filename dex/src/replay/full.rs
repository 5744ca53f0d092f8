//! The whole state again, from the first event or a snapshot to a moment.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use anyhow::bail;
use kernel::{ApplyError, Kernel};
use schema::limits::HASH_WINDOW;
use schema::{Event, EventGroup, EventHead};

use super::begin::{Begin, begin_at};
use super::check::Check;
use super::compare::Other;
use super::digest::{Changed, Sums};
use super::report::{Cause, Report, Wrong};
use super::{Args, target};
use crate::flow::bar;
use crate::log::Source;
use crate::state::{Groups, Moment, name_of, one_group};

/// Replays what the command line asks for.
///
/// # Errors
/// Something cannot be read or written; what is wrong with the log is in the report.
pub(super) fn replay(source: &Source, args: &Args) -> anyhow::Result<Report> {
    let other = args.compare.as_deref().map(Other::open).transpose()?;
    let to = match (args.to, other.as_ref().and_then(|other| other.at)) {
        (None, Some(at)) => Moment::Sequence(at),
        (Some(_), Some(at)) => bail!("the snapshot is of event {at}: leave out --to"),
        (to, None) => to.unwrap_or(Moment::Sequence(u64::MAX)),
    };
    let begin = begin_at(source, &args.data, args.from)?;
    let mut replay = Replay::begin(begin);
    let began = Instant::now();
    let stopped = replay.run(source, to)?;
    let took = began.elapsed();
    let mut report = replay.report(took);
    if report.event_sequence == 0 {
        bail!("no command was whole by then");
    }
    if let Some(wrong) = stopped {
        report.wrong = Some(wrong);
        return Ok(report);
    }
    if let Some(other) = &other {
        report.compared = true;
        report.differences = other.differences(&replay.kernel)?;
        if !report.differences.is_empty() {
            report.cause = Some(report.likely_cause());
        }
    }
    if let Some(folder) = &args.target {
        report.target = Some(target::make(source, folder, report.event_sequence)?);
    }
    Ok(report)
}

/// A replay as far as it is.
struct Replay {
    kernel: Kernel<Changed>,
    check: Check,
    sums: Sums,
    /// Hashes of windows that are not on record yet.
    due: VecDeque<(u64, [u8; 32])>,
    begun: u64,
    snapshot: u64,
    trades: u64,
    hashes: u64,
}

impl Replay {
    fn begin(begin: Begin<Changed>) -> Self {
        let Begin { mut kernel, snapshot } = begin;
        let begun = kernel.position().event_sequence;
        let sums = Sums::of(&mut kernel);
        let accounts = 0..kernel.account_count();
        let open = accounts.flat_map(|it| kernel.orders_of(it)).map(|order| order.sequence);
        let check = Check::behind(begun, open.collect::<Vec<_>>());
        Self { kernel, check, sums, due: VecDeque::new(), begun, snapshot, trades: 0, hashes: 0 }
    }

    /// Applies everything up to a moment; what stopped it before, if something did.
    fn run(&mut self, source: &Source, to: Moment) -> anyhow::Result<Option<Wrong>> {
        let end = match to {
            Moment::Sequence(last) => source.event_end().min(last),
            Moment::Time(_) => source.event_end(),
        };
        let bar = bar("applying events", end);
        bar.set_position(self.begun);
        let mut groups = Groups::behind(source, self.begun)?;
        let stopped = loop {
            let bytes = match groups.next_bytes() {
                Ok(Some(bytes)) => bytes,
                Ok(None) => break None,
                Err(fault) => break Some(self.wrong(Cause::Log, format!("{fault:#}"))),
            };
            let group = one_group(bytes)?;
            let last = group.head.first_sequence + u64::from(group.count) - 1;
            if !self.is_wanted(&group, to)? {
                break None;
            }
            if let Some(wrong) = self.add(&group)? {
                break Some(wrong);
            }
            bar.set_position(last);
        };
        bar.finish_and_clear();
        Ok(stopped)
    }

    fn is_wanted(&self, group: &EventGroup<'_>, to: Moment) -> anyhow::Result<bool> {
        let mut last = (group.head.first_sequence, group.head.first_timestamp);
        for event in group.events() {
            let (head, _) = event?;
            last = (head.sequence, head.timestamp);
        }
        Ok(to.includes(last.0, last.1))
    }

    /// Applies a command's events, then compares the hashes that they put on record.
    fn add(&mut self, group: &EventGroup<'_>) -> anyhow::Result<Option<Wrong>> {
        let before = self.kernel.position().event_sequence;
        let mut events: Vec<(EventHead, Event)> = Vec::new();
        for event in group.events() {
            let (at, event) = event?;
            self.check.read(at, &event);
            self.trades += u64::from(matches!(event, Event::TradeExecuted(_)));
            events.push((at, event));
        }
        if let Some(wrong) = self.apply(group) {
            return Ok(Some(wrong));
        }
        let after = self.kernel.position().event_sequence;
        for (_, event) in &events {
            if let Event::StateHashRecorded(recorded) = event
                && let Some(wrong) = self.compare(recorded.at_sequence, recorded.state_hash)
            {
                return Ok(Some(wrong));
            }
        }
        if before / HASH_WINDOW < after / HASH_WINDOW {
            self.due.push_back((after, self.sums.hash(&mut self.kernel)));
        }
        Ok(None)
    }

    fn apply(&mut self, group: &EventGroup<'_>) -> Option<Wrong> {
        let applied = catch_unwind(AssertUnwindSafe(|| self.kernel.apply_group(group)));
        match applied {
            Ok(Ok(())) => None,
            Ok(Err(fault)) => {
                let cause = match fault {
                    ApplyError::Gap { .. } | ApplyError::Undecodable { .. } => Cause::Log,
                    _ => Cause::Logic,
                };
                Some(self.wrong(cause, fault.to_string()))
            }
            Err(_) => {
                let command = group.head.command_sequence;
                let what = format!("the core stopped in the events of command {command}");
                Some(self.wrong(Cause::Logic, what))
            }
        }
    }

    /// Compares a recorded hash with that of the state then, if the replay has passed it.
    fn compare(&mut self, at: u64, recorded: [u8; 32]) -> Option<Wrong> {
        while self.due.front().is_some_and(|(event, _)| *event < at) {
            self.due.pop_front();
        }
        let (_, computed) = self.due.pop_front_if(|(event, _)| *event == at)?;
        self.hashes += 1;
        (computed != recorded).then(|| {
            let what = format!("the state at event {at} has another hash than the recorded one");
            self.wrong(Cause::Logic, what)
        })
    }

    /// What stopped the replay, with the entity that was touched last (RPL-47).
    fn wrong(&self, cause: Cause, what: String) -> Wrong {
        let entity = self.kernel.watch().last().map(|entity| name_of(&self.kernel, entity));
        let event = self.kernel.position().event_sequence;
        Wrong { event, entity, cause, what }
    }

    fn report(&mut self, took: std::time::Duration) -> Report {
        let position = self.kernel.position();
        let check = std::mem::take(&mut self.check);
        Report {
            begun: self.begun,
            snapshot: self.snapshot,
            event_sequence: position.event_sequence,
            command_sequence: position.command_sequence,
            timestamp: Some(position.last_timestamp),
            trades: self.trades,
            hashes: self.hashes,
            state_hash: Some(self.sums.hash(&mut self.kernel)),
            took,
            findings: check.findings().iter().map(ToString::to_string).collect(),
            ..Report::default()
        }
    }
}
