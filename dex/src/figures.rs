//! The engine's figures in Prometheus text (SEQ-44), appended to the door's.

use std::fmt::Write as _;
use std::sync::Arc;

use engine::{Counter, Metrics};

/// Name, kind, what it says, and where it stands.
type Figure<'a> = (&'a str, &'a str, &'a str, &'a Counter);

/// Appends the figures of a shard.
pub(crate) fn write(out: &mut String, metrics: &Arc<Metrics>) {
    let figures: [Figure<'_>; 11] = [
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
    write_counters(out, &figures);
    write_disk(out, metrics);
    write_archive(out, metrics);
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

/// Appends the figures of snapshots and the archive, and how far that and the view are behind.
fn write_archive(out: &mut String, metrics: &Metrics) {
    let figures: [Figure<'_>; 8] = [
        (
            "dex_repeated_scans_total",
            "counter",
            "Those of them that were read from the event log.",
            &metrics.repeated_scan_count,
        ),
        (
            "dex_snapshot_sequence",
            "gauge",
            "Event of the newest snapshot.",
            &metrics.snapshot_sequence,
        ),
        ("dex_snapshot_bytes", "gauge", "Bytes of it.", &metrics.snapshot_bytes),
        (
            "dex_snapshot_faults_total",
            "counter",
            "Snapshots that could not be stored.",
            &metrics.snapshot_fault_count,
        ),
        (
            "dex_archive_sequence",
            "gauge",
            "Last event that the archive shows.",
            &metrics.archive_sequence,
        ),
        ("dex_archive_bytes", "gauge", "Bytes of the archive on the disk.", &metrics.archive_bytes),
        (
            "dex_archive_rebuilds_total",
            "counter",
            "Times the archive was made anew.",
            &metrics.archive_rebuild_count,
        ),
        (
            "dex_archive_overflows_total",
            "counter",
            "Times the archive fell so far behind that it read the log again.",
            &metrics.archive_overflow_count,
        ),
    ];
    write_counters(out, &figures);
    let lags = [
        ("dex_view_lag_events", "Events that the view is behind the core.", metrics.shadow_lag()),
        (
            "dex_archive_lag_events",
            "Events that the archive is behind the view.",
            metrics.archive_lag(),
        ),
    ];
    for (name, help, lag) in lags {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
        let _ = writeln!(out, "{name}{{role=\"core\"}} {lag}");
    }
}

/// Appends the figures of the disk and of what is done to it beside trading.
fn write_disk(out: &mut String, metrics: &Metrics) {
    let figures: [Figure<'_>; 4] = [
        (
            "dex_refused_room_total",
            "counter",
            "Commands refused because the disk is nearly full.",
            &metrics.refused_room,
        ),
        (
            "dex_disk_used_hundredths_of_percent",
            "gauge",
            "What of the disk is in use.",
            &metrics.disk_used,
        ),
        (
            "dex_state_checkpoint_sequence",
            "gauge",
            "Event of the newest checkpoint since the start.",
            &metrics.state_checkpoint,
        ),
        (
            "dex_compressed_segments_total",
            "counter",
            "Segments of the event log that were compressed.",
            &metrics.compressed_count,
        ),
    ];
    write_counters(out, &figures);
}

fn write_counters(out: &mut String, figures: &[Figure<'_>]) {
    for (name, kind, help, counter) in figures {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        let _ = writeln!(out, "{name}{{role=\"core\"}} {}", counter.value());
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
