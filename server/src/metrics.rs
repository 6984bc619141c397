//! Figures of operation, as text for Prometheus.
//!
//! Invariant: the labels are few and fixed (route, status class); nothing that was asked for
//! reaches a label.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the bins of durations, in seconds.
const BINS: [f64; 9] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// What was counted since the server began.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    running: AtomicI64,
    requests: Mutex<BTreeMap<(String, u16), u64>>,
    durations: Mutex<Durations>,
}

#[derive(Debug, Default)]
struct Durations {
    /// Requests that took no longer than each bin's end.
    within: [u64; BINS.len()],
    count: u64,
    seconds: f64,
}

/// Counts a request as running until it is dropped.
pub(crate) struct Running<'a>(&'a Metrics);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A figure that is read when it is asked for.
pub(crate) struct Gauge {
    pub(crate) name: &'static str,
    /// Whether it only ever rises.
    pub(crate) rises: bool,
    pub(crate) help: &'static str,
    /// A label and its value, or nothing.
    pub(crate) values: Vec<(String, u64)>,
}

impl Metrics {
    /// Counts a request as running.
    pub(crate) fn begin(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }

    /// Counts a request that was answered.
    pub(crate) fn answered(&self, route: &str, status: u16, took: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((route.to_owned(), status)).or_default() += 1;
        drop(requests);
        let mut durations = self.durations.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = took.as_secs_f64();
        for (count, end) in durations.within.iter_mut().zip(BINS) {
            *count += u64::from(seconds <= end);
        }
        durations.count += 1;
        durations.seconds += seconds;
    }

    /// Everything as text; `gauges` are figures kept elsewhere.
    pub(crate) fn text(&self, gauges: &[Gauge]) -> String {
        let mut text = String::new();
        head(&mut text, "yiku_requests_total", "counter", "Requests answered.");
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for ((route, status), count) in requests.iter() {
            let labels = format!("route=\"{route}\",status=\"{status}\"");
            line(&mut text, "yiku_requests_total", &labels, count);
        }
        drop(requests);
        self.durations_text(&mut text);
        head(&mut text, "yiku_requests_running", "gauge", "Requests being answered.");
        line(&mut text, "yiku_requests_running", "", self.running.load(Ordering::Relaxed));
        for gauge in gauges {
            let kind = if gauge.rises { "counter" } else { "gauge" };
            head(&mut text, gauge.name, kind, gauge.help);
            for (labels, value) in &gauge.values {
                line(&mut text, gauge.name, labels, value);
            }
        }
        text
    }

    fn durations_text(&self, text: &mut String) {
        let durations = self.durations.lock().unwrap_or_else(PoisonError::into_inner);
        let name = "yiku_request_seconds";
        head(text, name, "histogram", "How long answers took.");
        for (count, end) in durations.within.iter().zip(BINS) {
            line(text, &format!("{name}_bucket"), &format!("le=\"{end}\""), count);
        }
        line(text, &format!("{name}_bucket"), "le=\"+Inf\"", durations.count);
        line(text, &format!("{name}_sum"), "", durations.seconds);
        line(text, &format!("{name}_count"), "", durations.count);
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a text does not fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = if labels.is_empty() {
        writeln!(text, "{name} {value}")
    } else {
        writeln!(text, "{name}{{{labels}}} {value}")
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_and_status() {
        let metrics = Metrics::default();
        let running = metrics.begin();
        metrics.answered("/a", 200, Duration::from_millis(3));
        metrics.answered("/a", 200, Duration::from_secs(60));
        metrics.answered("/a", 404, Duration::ZERO);
        let text = metrics.text(&[Gauge {
            name: "yiku_rows",
            rises: false,
            help: "Rows.",
            values: vec![("table=\"t\"".to_owned(), 7)],
        }]);
        drop(running);
        for expected in [
            "yiku_requests_total{route=\"/a\",status=\"200\"} 2\n",
            "yiku_requests_total{route=\"/a\",status=\"404\"} 1\n",
            "yiku_request_seconds_bucket{le=\"0.005\"} 2\n",
            "yiku_request_seconds_bucket{le=\"10\"} 2\n",
            "yiku_request_seconds_bucket{le=\"+Inf\"} 3\n",
            "yiku_request_seconds_count 3\n",
            "yiku_requests_running 1\n",
            "# TYPE yiku_rows gauge\nyiku_rows{table=\"t\"} 7\n",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(metrics.text(&[]).contains("yiku_requests_running 0\n"));
    }
}
