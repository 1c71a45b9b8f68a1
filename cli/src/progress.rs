//! How far an evaluation or a generation is, on standard error: a living line on a terminal, a line
//! every tenth elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::Instant;

/// Counts queries, or something else.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    of: &'static str,
    done: usize,
    total: usize,
    started: Instant,
}

impl Progress {
    pub(crate) fn new(what: String, of: &'static str, total: usize) -> Self {
        let started = Instant::now();
        Self {
            what,
            of,
            done: 0,
            total,
            started,
        }
    }

    pub(crate) fn step(&mut self) {
        self.done += 1;
        let living = stderr().is_terminal();
        let tenth = |done: usize| done * 10 / self.total.max(1);
        if living || tenth(self.done) > tenth(self.done - 1) {
            let end = if !living || self.done == self.total {
                "\n"
            } else {
                ""
            };
            let start = if living { "\r\x1b[2K" } else { "" };
            eprint!(
                "{start}  {}{end}",
                self.line(self.started.elapsed().as_secs_f64())
            );
        }
    }

    fn line(&self, seconds: f64) -> String {
        let (done, total) = (self.done, self.total);
        let left = seconds / done.max(1) as f64 * (total - done) as f64;
        let of = self.of;
        format!("{}: {done} of {total} {of}, {left:.0} s left", self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_counts_and_tells_the_time_left() {
        let mut progress = Progress::new("scifact with model".into(), "queries", 40);
        progress.done = 10;
        let line = progress.line(5.0);
        assert_eq!(line, "scifact with model: 10 of 40 queries, 15 s left");
    }
}
