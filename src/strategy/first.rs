//! FIRST: the order of a window from one pass, by the logits of the letters that name its
//! documents, at the place where a causal model would begin its answer.
//!
//! Reddy et al. 2024 (arXiv:2406.15657). No text is generated, so no answer can be out of form.
//! Cost: 1 pass for up to `size` documents, else as many as listwise windows.

use super::listwise::check_windows;
use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::prompt::{Labels, Listing};
use super::session::{Answer, Session, Verdict};
use super::windows::windows;
use crate::error::Error;

/// One pass a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct First {
    /// Documents of a window, 2 to 26.
    pub size: usize,
    /// How far the next window is above, from 1 and less than `size`.
    pub step: usize,
}

impl Default for First {
    fn default() -> Self {
        Self { size: 20, step: 10 }
    }
}

impl Plan for First {
    fn describe(&self) -> Description {
        Description {
            name: "first",
            family: Family::Internals,
            summary: "sorts a window by the logits of its letters, in one pass",
            cost: "1 + ceil((n - size) / step) passes, 1 up to size",
            needs: &[Need::Letters],
            options: &["size", "step"],
            paper: "arXiv:2406.15657",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        Bound::passes(windows(n, 0, self.size, self.step).len())
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match option {
            "size" => assign(&mut self.size, option, value),
            "step" => assign(&mut self.step, option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        if self.size > 26 {
            let expected = "at most 26, the letters there are";
            return Err(Error::argument("strategy.size", expected, self.size));
        }
        check_windows(self.size, self.step)
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let mut order: Vec<usize> = (0..session.len()).collect();
        for range in windows(order.len(), 0, self.size, self.step) {
            let group = order[range.clone()].to_vec();
            let prompt = Listing {
                query: session.task.query,
                documents: session.excerpts(&group),
                scores: Vec::new(),
                labels: Labels::Letters,
            }
            .fill(include_str!("prompts/first.txt").trim_end(), &[]);
            let Some(logits) = session.letters(&prompt, &group).await? else {
                break;
            };
            let answer = Answer::Numbers(logits.into_iter().map(Some).collect());
            order[range].copy_from_slice(&answer.order(&group));
        }
        Ok(Verdict::Order(order))
    }
}
