//! Counters and one histogram in the text format of Prometheus. The twin of www/edge/metrics.ts, and the number of batches.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

const BUCKETS: [f64; 11] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

#[derive(Debug, Default)]
pub(super) struct Metrics {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: BTreeMap<(&'static str, u16), u64>,
    seconds: BTreeMap<&'static str, Times>,
    documents: usize,
    tokens: usize,
    batches: u64,
}

#[derive(Debug, Default)]
struct Times {
    counts: [u64; BUCKETS.len()],
    sum: f64,
    count: u64,
}

/// How many requests are where at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) working: usize,
    pub(super) waiting: usize,
}

impl Metrics {
    /// A request that was answered; `route` is one of a few, never what the client wrote.
    pub(super) fn answered(&self, route: &'static str, status: u16, seconds: f64) {
        let mut counts = self.counts();
        *counts.requests.entry((route, status)).or_default() += 1;
        let times = counts.seconds.entry(route).or_default();
        for (count, bound) in times.counts.iter_mut().zip(BUCKETS) {
            *count += u64::from(seconds <= bound);
        }
        times.sum += seconds;
        times.count += 1;
    }

    pub(super) fn scored(&self, documents: usize, tokens: usize) {
        let mut counts = self.counts();
        counts.documents += documents;
        counts.tokens += tokens;
    }

    pub(super) fn batch(&self) {
        self.counts().batches += 1;
    }

    pub(super) fn text(&self, Load { working, waiting }: Load) -> String {
        let counts = self.counts();
        let mut text = String::new();
        let mut line = |line: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "{line}");
        };
        line(format_args!(
            "# HELP foliorank_requests_total Requests answered.\n# TYPE foliorank_requests_total counter"
        ));
        for ((route, status), count) in &counts.requests {
            line(format_args!(
                "foliorank_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}"
            ));
        }
        line(format_args!(
            "# HELP foliorank_request_seconds Time from request to answer.\n# TYPE foliorank_request_seconds histogram"
        ));
        for (route, times) in &counts.seconds {
            let name = "foliorank_request_seconds";
            for (bound, count) in BUCKETS.iter().zip(times.counts) {
                line(format_args!(
                    "{name}_bucket{{route=\"{route}\",le=\"{bound}\"}} {count}"
                ));
            }
            let Times { sum, count, .. } = times;
            line(format_args!(
                "{name}_bucket{{route=\"{route}\",le=\"+Inf\"}} {count}"
            ));
            line(format_args!("{name}_sum{{route=\"{route}\"}} {sum}"));
            line(format_args!("{name}_count{{route=\"{route}\"}} {count}"));
        }
        for (name, kind, help, value) in [
            (
                "documents_total",
                "counter",
                "Documents and texts scored or embedded.",
                counts.documents as u64,
            ),
            (
                "tokens_total",
                "counter",
                "Tokens computed.",
                counts.tokens as u64,
            ),
            (
                "batches_total",
                "counter",
                "Batches scored, of one request or several.",
                counts.batches,
            ),
            (
                "working",
                "gauge",
                "Requests being worked on.",
                working as u64,
            ),
            ("waiting", "gauge", "Requests waiting.", waiting as u64),
        ] {
            line(format_args!(
                "# HELP foliorank_{name} {help}\n# TYPE foliorank_{name} {kind}\nfoliorank_{name} {value}"
            ));
        }
        text
    }

    /// The counts are whole after every change: a panic elsewhere does not spoil them.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
