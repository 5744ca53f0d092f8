//! What the door counts, in Prometheus text (SVC-7). Read at the moment of the request, so no figure is
//! old. A handful of counters needs no library.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::admission::Admission;

/// Counters of the door.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    responses: [AtomicU64; STATUSES.len() + 1],
    /// Time of accepted and rejected placements, from the whole body to the answer.
    pub(crate) placements: Histogram,
    /// Open connections.
    pub(crate) connections: Gauge,
    /// Open WebSocket connections.
    pub(crate) streams: Gauge,
    /// Readers dropped because they fell behind.
    pub(crate) slow_readers: AtomicU64,
}

/// A number that rises and falls.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicU64);

/// Adds one to a gauge as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted<'a>(&'a Gauge);

/// Counts of durations under bounds.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    counts: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// Statuses with a counter of their own; all others share one.
const STATUSES: [u16; 16] =
    [101, 200, 201, 400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 500, 503, 426];
/// Upper bounds of the histogram in microseconds.
const BOUNDS_US: [u64; 11] =
    [250, 500, 1_000, 2_000, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000];

impl Metrics {
    /// Counts a response.
    pub(crate) fn on_response(&self, status: u16) {
        let index = STATUSES.iter().position(|&it| it == status).unwrap_or(STATUSES.len());
        self.responses[index].fetch_add(1, Ordering::Relaxed);
    }

    /// Appends all figures.
    pub(crate) fn write(&self, out: &mut String, admission: &Admission) {
        out.push_str("# HELP dex_http_responses_total Answers of the door by status.\n");
        out.push_str("# TYPE dex_http_responses_total counter\n");
        for (index, count) in self.responses.iter().enumerate() {
            let count = count.load(Ordering::Relaxed);
            let status = STATUSES.get(index).map_or_else(|| "other".to_owned(), u16::to_string);
            if count > 0 {
                let labels = format!("role=\"gateway\",status=\"{status}\"");
                let _ = writeln!(out, "dex_http_responses_total{{{labels}}} {count}");
            }
        }
        self.placements.write(out, "dex_order_placement_seconds", "Placing an order at the door.");
        let gauges = [
            ("dex_http_connections", "Open connections.", self.connections.value()),
            ("dex_ws_connections", "Open WebSocket connections.", self.streams.value()),
            ("dex_orders_in_flight", "Orders that wait for their result.", admission.in_flight()),
            ("dex_orders_in_flight_bound", "How many of them may wait now.", admission.bound()),
        ];
        for (name, help, value) in gauges {
            write_figure(out, (name, help), "gateway", ("gauge", value));
        }
        let refused = admission.refused();
        let name = ("dex_orders_refused_busy_total", "Orders refused because too many waited.");
        write_figure(out, name, "gateway", ("counter", refused));
        let slow = self.slow_readers.load(Ordering::Relaxed);
        let name = ("dex_ws_slow_readers_total", "WebSocket readers dropped for falling behind.");
        write_figure(out, name, "gateway", ("counter", slow));
    }
}

/// Appends one figure with its help, type and role.
pub(crate) fn write_figure(
    out: &mut String,
    (name, help): (&str, &str),
    role: &str,
    (kind, value): (&str, u64),
) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
    let _ = writeln!(out, "{name}{{role=\"{role}\"}} {value}");
}

impl Gauge {
    /// One more, until the answer is dropped.
    pub(crate) fn count(&self) -> Counted<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(self)
    }

    /// How many there are.
    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Histogram {
    /// Counts a duration.
    pub(crate) fn record(&self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let index = BOUNDS_US.iter().position(|&bound| us <= bound).unwrap_or(BOUNDS_US.len());
        self.counts[index].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    fn write(&self, out: &mut String, name: &str, help: &str) {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} histogram");
        let mut sum = 0;
        for (index, count) in self.counts.iter().enumerate() {
            sum += count.load(Ordering::Relaxed);
            let bound = BOUNDS_US.get(index).map_or_else(|| "+Inf".to_owned(), |&us| seconds(us));
            let _ = writeln!(out, "{name}_bucket{{role=\"gateway\",le=\"{bound}\"}} {sum}");
        }
        let total = seconds(self.sum_us.load(Ordering::Relaxed));
        let _ = writeln!(out, "{name}_sum{{role=\"gateway\"}} {total}");
        let _ = writeln!(out, "{name}_count{{role=\"gateway\"}} {sum}");
    }
}

/// Microseconds as seconds with six decimals.
fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_role_and_type() {
        let metrics = Metrics::default();
        metrics.on_response(201);
        metrics.on_response(299);
        metrics.placements.record(Duration::from_micros(300));
        let _open = metrics.connections.count();
        let mut out = String::new();
        metrics.write(&mut out, &Admission::new(4, Duration::from_millis(2)));
        for line in out.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.contains("role=\"gateway\""), "{line}");
            let name = line.split('{').next().expect("a name");
            let name = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end))
                .unwrap_or(name);
            assert!(out.contains(&format!("# TYPE {name} ")), "{line}");
        }
        assert!(out.contains("status=\"201\"} 1\n") && out.contains("status=\"other\"} 1\n"));
        assert!(out.contains("le=\"0.000500\"} 1\n") && out.contains("le=\"0.000250\"} 0\n"));
        assert!(out.contains("dex_http_connections{role=\"gateway\"} 1\n"));
    }
}
