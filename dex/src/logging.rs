//! Log lines: to standard error, as text or JSON, with both forms of the time (TIME-7).

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::time::{SystemTime, UNIX_EPOCH};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use units::Timestamp;

use crate::settings::{LogForm, LogLevel};

/// Begins to log. Once a process.
pub(crate) fn start(form: LogForm, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_timer(BothForms)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match form {
        LogForm::Text => lines.init(),
        LogForm::Json => lines.json().init(),
    }
}

/// `1708123456789012345 (2024-02-16T22:44:16.789012Z)`.
struct BothForms;

impl FormatTime for BothForms {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        write_time(writer, Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)))
    }
}

fn write_time(writer: &mut dyn fmt::Write, time: Timestamp) -> fmt::Result {
    write!(writer, "{} ({time})", time.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// covers: TIME-7
    #[test]
    fn a_line_begins_with_both_forms() {
        let mut line = String::new();
        write_time(&mut line, Timestamp(1_708_123_456_789_012_345)).expect("a text takes all");
        assert_eq!(line, "1708123456789012345 (2024-02-16T22:44:16.789012Z)");
    }
}
