//! Listwise: a window of documents sorted at once, windows sliding from the bottom to the top, or
//! all documents in one.
//!
//! Sun et al. 2023 (RankGPT, arXiv:2304.09542); passes with frozen places, top-only answers and the
//! full list: Liu et al. 2025 (arXiv:2412.14574), where a model that was not trained for it ranks a
//! full list worse than windows. Cost: 1 + ceil((n - size) / step) judgements a pass, 1 in full.

use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::prune::at_least_1;
use super::question::Question;
use super::session::{Answer, Session, Verdict};
use super::windows::windows;
use crate::error::Error;

/// Sorting by windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listwise {
    /// How the list is cut.
    pub windows: ListWindows,
    /// How often the windows climb, from 1. As the other options: `passes`.
    pub passes: usize,
    /// Places at the top that each pass leaves alone for the passes after it.
    pub freeze: usize,
    /// Documents of each window that an answer must name, from 1; those it need not name keep
    /// their order. All when `None`.
    pub top: Option<usize>,
}

/// How a list is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListWindows {
    /// Not at all: one question about all documents.
    Full,
    /// Into windows.
    Sliding {
        /// Documents of a window, from 2.
        size: usize,
        /// How far the next window is above, from 1 and less than `size`.
        step: usize,
    },
}

impl Listwise {
    /// ListWindows of 20, 10 apart, one pass.
    #[must_use]
    pub const fn sliding() -> Self {
        Self {
            windows: ListWindows::Sliding { size: 20, step: 10 },
            passes: 1,
            freeze: 0,
            top: None,
        }
    }

    /// All documents at once.
    #[must_use]
    pub const fn full() -> Self {
        Self {
            windows: ListWindows::Full,
            ..Self::sliding()
        }
    }

    fn ranges(&self, n: usize, pass: usize) -> Vec<core::ops::Range<usize>> {
        let floor = pass.saturating_mul(self.freeze);
        match self.windows {
            ListWindows::Full => windows(n, floor, n, 1),
            ListWindows::Sliding { size, step } => windows(n, floor, size, step),
        }
    }
}

impl Plan for Listwise {
    fn describe(&self) -> Description {
        let (name, summary, cost, options): (_, _, _, &[&str]) = match self.windows {
            ListWindows::Full => (
                "listwise-full",
                "sorts all documents in one question",
                "1 judgement a pass",
                &["passes", "freeze", "top"],
            ),
            ListWindows::Sliding { .. } => (
                "listwise-windows",
                "sorts windows that climb from the bottom to the top",
                "1 + ceil((n - size) / step) judgements a pass",
                &["size", "step", "passes", "freeze", "top"],
            ),
        };
        Description {
            name,
            family: Family::Listwise,
            summary,
            cost,
            needs: &[Need::Listwise],
            options,
            paper: "arXiv:2304.09542; passes, top only, full list arXiv:2412.14574",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        let windows = (0..self.passes).map(|pass| self.ranges(n, pass).len());
        Bound::judgements(windows.sum())
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match (option, &mut self.windows) {
            ("size", ListWindows::Sliding { size, .. }) => assign(size, option, value),
            ("step", ListWindows::Sliding { step, .. }) => assign(step, option, value),
            ("passes", _) => assign(&mut self.passes, option, value),
            ("freeze", _) => assign(&mut self.freeze, option, value),
            ("top", _) => assign(self.top.get_or_insert_default(), option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        at_least_1("strategy.passes", self.passes)?;
        at_least_1("strategy.top", self.top.unwrap_or(1))?;
        match self.windows {
            ListWindows::Sliding { size, step } => check_windows(size, step),
            ListWindows::Full => Ok(()),
        }
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let top = self.top.unwrap_or(usize::MAX);
        let mut order: Vec<usize> = (0..session.len()).collect();
        for pass in 0..self.passes {
            for range in self.ranges(order.len(), pass) {
                let group = order[range.clone()].to_vec();
                let asked = [group];
                let answers = session.ask(Question::Order { top }, &asked).await?;
                match answers.first() {
                    None | Some(Answer::Spent) => return Ok(Verdict::Order(order)),
                    Some(answer) => order[range].copy_from_slice(&answer.order(&asked[0])),
                }
            }
        }
        Ok(Verdict::Order(order))
    }
}

/// # Errors
/// `invalid_argument` for windows that cannot climb.
pub(super) fn check_windows(size: usize, step: usize) -> Result<(), Error> {
    if size < 2 {
        return Err(Error::argument("strategy.size", "at least 2", size));
    }
    if !(1..size).contains(&step) {
        let expected = format!("1 to {}, so that windows overlap", size - 1);
        return Err(Error::argument("strategy.step", expected, step));
    }
    Ok(())
}
