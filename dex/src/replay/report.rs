//! What a replay found, for people and for programs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use journal::LogFault;
use journal::disk::RealDisk;
use serde_json::{Value, json};
use units::Timestamp;

use crate::bisect::Field;
use crate::log::is_closed_pipe;
use crate::state::hex;

/// What a replay found.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Event behind which it began.
    pub(super) begun: u64,
    /// Event of the snapshot that it began from; 0 for none.
    pub(super) snapshot: u64,
    pub(super) event_sequence: u64,
    pub(super) command_sequence: u64,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) trades: u64,
    /// Recorded hashes that were compared.
    pub(super) hashes: u64,
    pub(super) state_hash: Option<[u8; 32]>,
    pub(super) took: Duration,
    /// What the check of the log found.
    pub(super) findings: Vec<String>,
    /// What stopped the replay.
    pub(super) wrong: Option<Wrong>,
    pub(super) compared: bool,
    pub(super) differences: Vec<Field>,
    /// Likely cause of the differences.
    pub(super) cause: Option<Cause>,
    /// The folder that was made, and its last event.
    pub(super) target: Option<(PathBuf, u64)>,
    /// The one entity of a partial replay.
    pub(super) rebuilt: Option<Value>,
}

/// What stopped a replay.
#[derive(Debug)]
pub(super) struct Wrong {
    /// The last event that was applied.
    pub(super) event: u64,
    /// The part of the state that was touched last.
    pub(super) entity: Option<String>,
    pub(super) cause: Cause,
    pub(super) what: String,
}

/// The likely cause (RPL-49).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Events are missing or damaged.
    Log,
    /// The log is sound, and the state is not what it should be.
    Logic,
}

impl Cause {
    const fn says(self) -> &'static str {
        match self {
            Self::Log => "missing or damaged events: the check of the log failed",
            Self::Logic => {
                "a fault of logic or determinism: the log is sound, and the states differ"
            }
        }
    }
}

impl Report {
    /// Whether nothing is wrong.
    pub(super) fn is_equal(&self) -> bool {
        self.findings.is_empty() && self.wrong.is_none() && self.differences.is_empty()
    }

    /// What a difference comes from: the log, if its check failed.
    pub(super) fn likely_cause(&self) -> Cause {
        if self.findings.is_empty() { Cause::Logic } else { Cause::Log }
    }

    fn cause(&self) -> Option<Cause> {
        if self.is_equal() {
            return None;
        }
        let of_wrong = self.wrong.as_ref().map(|wrong| wrong.cause);
        let damaged = !self.findings.is_empty();
        Some(if damaged { Cause::Log } else { of_wrong.or(self.cause).unwrap_or(Cause::Logic) })
    }

    /// Writes the report to a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = format!("{:#}\n", self.json());
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Prints it, and the rate to standard error.
    ///
    /// # Errors
    /// The output does not take it.
    pub(super) fn print(&self, as_json: bool) -> anyhow::Result<()> {
        let count = self.event_sequence.saturating_sub(self.begun);
        let seconds = self.took.as_secs_f64();
        if count > 0 {
            eprintln!("{count} events in {seconds:.3} s, {:.0} events/s", self.rate());
        }
        let mut out = std::io::stdout().lock();
        let text = if as_json { format!("{:#}\n", self.json()) } else { self.text() };
        match out.write_all(text.as_bytes()).map_err(anyhow::Error::from) {
            Err(fault) if is_closed_pipe(&fault) => Ok(()),
            done => done,
        }
    }

    fn rate(&self) -> f64 {
        let count = self.event_sequence.saturating_sub(self.begun);
        count as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }

    fn json(&self) -> Value {
        let wrong = self
            .wrong
            .as_ref()
            .map(|it| json!({"behind_event": it.event, "entity": it.entity, "what": it.what}));
        json!({
            "equal": self.is_equal(),
            "behind_event": self.begun,
            "snapshot": self.snapshot,
            "event_sequence": self.event_sequence,
            "command_sequence": self.command_sequence,
            "timestamp": self.timestamp.map(|time| time.to_string()),
            "timestamp_nanos": self.timestamp.map(|time| time.0),
            "trades": self.trades,
            "recorded_hashes_compared": self.hashes,
            "state_hash": self.state_hash.map(|hash| hex(&hash)),
            "events_per_second": self.rate().round(),
            "log_findings": self.findings,
            "stopped": wrong,
            "compared": self.compared,
            "differences": self.differences.iter().map(Field::json).collect::<Vec<_>>(),
            "likely_cause": self.cause().map(Cause::says),
            "target": self.target.as_ref().map(|(path, event)| {
                json!({"folder": path.display().to_string(), "event_sequence": event})
            }),
            "rebuilt": self.rebuilt,
        })
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        if self.snapshot > 0 {
            lines.push(format!("begun from the snapshot of event {}", self.snapshot));
        }
        if let Some(hash) = self.state_hash {
            let (first, last) = (self.begun + 1, self.event_sequence);
            let command = self.command_sequence;
            lines.push(format!("events {first} to {last} applied, up to command {command}"));
            lines.extend(self.timestamp.map(|time| format!("at {time}")));
            lines.push(format!("state hash {}", hex(&hash)));
            let (trades, hashes) = (self.trades, self.hashes);
            lines.push(format!("trades {trades}, recorded hashes compared {hashes}"));
        }
        if let Some((folder, event)) = &self.target {
            lines.push(format!("{} holds both logs up to event {event}", folder.display()));
        }
        if let Some(rebuilt) = &self.rebuilt {
            lines.push(format!("{rebuilt:#}"));
        }
        lines.extend(self.findings.iter().map(|finding| format!("the log: {finding}")));
        if let Some(wrong) = &self.wrong {
            let entity = wrong.entity.as_deref().unwrap_or("nothing");
            lines
                .push(format!("stopped behind event {}, at {entity}: {}", wrong.event, wrong.what));
        }
        lines.extend(self.differences.iter().map(Field::line));
        if self.compared && self.differences.is_empty() {
            lines.push("the other state is the same in every field".to_owned());
        }
        lines.push(match self.cause() {
            Some(cause) => format!("NOT EQUAL; likely {}", cause.says()),
            None => "EQUAL".to_owned(),
        });
        lines.join("\n") + "\n"
    }
}

/// The report on a folder whose logs cannot be opened because of damage; `None` for another reason.
///
/// # Errors
/// Not even the check can read it.
pub(super) fn damage(data: &Path, fault: &anyhow::Error) -> anyhow::Result<Option<Report>> {
    let log = fault.downcast_ref::<LogFault>();
    if !log.is_some_and(|fault| matches!(fault, LogFault::Damaged(_))) {
        return Ok(None);
    }
    let commands = journal::verify::commands(&RealDisk, &data.join("commands"))?;
    let events = journal::verify::events(&RealDisk, &data.join("events"))?;
    let findings = commands.faults.iter().chain(&events.faults).map(ToString::to_string).collect();
    let wrong = Wrong { event: 0, entity: None, cause: Cause::Log, what: format!("{fault:#}") };
    Ok(Some(Report { findings, wrong: Some(wrong), ..Report::default() }))
}
