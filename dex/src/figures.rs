//! The engine's figures in Prometheus text (SEQ-44), appended to the door's.

use std::fmt::Write as _;
use std::sync::Arc;

use engine::{Counter, Metrics};

/// Appends the figures of a shard.
pub(crate) fn write(out: &mut String, metrics: &Arc<Metrics>) {
    let figures: [(&str, &str, &str, &Counter); 11] = [
        (
            "dex_commands_total",
            "counter",
            "Commands numbered, without the sequencer's own.",
            &metrics.command_count,
        ),
        ("dex_ticks_total", "counter", "Ticks given.", &metrics.tick_count),
        (
            "dex_records_total",
            "counter",
            "Records written to the command log.",
            &metrics.record_count,
        ),
        ("dex_command_bytes_total", "counter", "Bytes of those records.", &metrics.command_bytes),
        ("dex_event_bytes_total", "counter", "Bytes of events made.", &metrics.event_bytes),
        (
            "dex_queue_commands",
            "gauge",
            "Commands that wait for the sequencer.",
            &metrics.queue_count,
        ),
        (
            "dex_refused_full_total",
            "counter",
            "Commands refused because the queue was full.",
            &metrics.refused_full,
        ),
        (
            "dex_refused_lag_total",
            "counter",
            "Commands refused because the view lags.",
            &metrics.refused_lag,
        ),
        ("dex_syncs_total", "counter", "Syncs of the command log.", &metrics.sync_count),
        (
            "dex_clock_steps_total",
            "counter",
            "Steps of the clock of over 1 s.",
            &metrics.clock_step_count,
        ),
        (
            "dex_repeated_total",
            "counter",
            "Answers given again for a kept key.",
            &metrics.repeated_count,
        ),
    ];
    for (name, kind, help, counter) in figures {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        let _ = writeln!(out, "{name}{{role=\"core\"}} {}", counter.value());
    }
    let times = [
        ("dex_sync_seconds_total", "counter", "Time spent in syncs.", &metrics.sync_nanos),
        ("dex_sync_seconds_max", "gauge", "The longest sync.", &metrics.sync_nanos_max),
    ];
    for (name, kind, help, counter) in times {
        let nanos = counter.value();
        let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        let _ = writeln!(out, "{name}{{role=\"core\"}} {seconds}.{rest:09}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_role_and_type() {
        let mut out = String::new();
        write(&mut out, &Arc::new(Metrics::default()));
        for line in out.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split('{').next().expect("a name");
            assert!(line.contains("role=\"core\""), "{line}");
            assert!(out.contains(&format!("# TYPE {name} ")), "{line}");
        }
    }
}
