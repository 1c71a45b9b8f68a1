//! Download progress on standard error: one living line on a terminal, a line every quarter elsewhere.

use std::io::{IsTerminal, stderr};
use std::path::Path;

const MIB: f64 = 1_048_576.0;

/// Progress of one file.
pub(crate) struct Progress {
    name: String,
    done: u64,
    total: Option<u64>,
    shown: u64,
}

impl Progress {
    /// `done` bytes are there already; `total` where the server says.
    pub(crate) fn new(path: &Path, done: u64, total: Option<u64>) -> Self {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Self {
            name,
            done,
            total,
            shown: 0,
        }
    }

    /// Counts more bytes.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        let Some(total) = self.total.filter(|&total| total > 0) else {
            return;
        };
        let living = stderr().is_terminal();
        let percent = self.done * 100 / total;
        let step = if living { 1 } else { 25 };
        if percent / step > self.shown / step {
            self.shown = percent;
            let (start, end) = if living {
                ("\r", if percent == 100 { "\n" } else { "" })
            } else {
                ("", "\n")
            };
            let (done, total) = (self.done as f64 / MIB, total as f64 / MIB);
            eprint!(
                "{start}  {}: {percent} % of {total:.1} MiB ({done:.1}){end}",
                self.name
            );
        }
    }
}
