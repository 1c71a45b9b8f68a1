//! Setwise heapsort: the best of a few documents in one question, in a heap with as many children.
//!
//! Zhuang et al. 2024 (arXiv:2310.09497); with 19 children as in Rank-R1 (arXiv:2503.06034). Cost:
//! at most n + (k-1) log_c((c-1) n + 1) judgements for c children; a flatter heap asks less, of more
//! at once.

use super::heap;
use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::prune::at_least_1;
use super::question::Question;
use super::session::{Answer, Session, Verdict};
use crate::error::Error;

/// Heapsort with picks of the best. A tie goes to the first stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setwise {
    /// Children of a node, from 2: one less than the documents of a question.
    pub children: usize,
    /// Places to settle, from 1, fewer when the task returns fewer; the rest stays in first-stage
    /// order.
    pub k: usize,
}

impl Default for Setwise {
    fn default() -> Self {
        Self { children: 3, k: 10 }
    }
}

impl Plan for Setwise {
    fn describe(&self) -> Description {
        Description {
            name: "setwise-heapsort",
            family: Family::Setwise,
            summary: "sorts the top k with a heap, picking the best of c + 1 at a time",
            cost: "at most n + (k-1) log_c((c-1) n + 1) judgements for c children",
            needs: &[Need::Listwise],
            options: &["children", "k"],
            paper: "arXiv:2310.09497",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        Bound::judgements(heap::most_picks(n, self.children, self.k))
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match option {
            "children" => assign(&mut self.children, option, value),
            "k" => assign(&mut self.k, option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        if self.children < 2 {
            let expected = "at least 2, or prp-heapsort for pairs";
            return Err(Error::argument(
                "strategy.children",
                expected,
                self.children,
            ));
        }
        at_least_1("strategy.k", self.k)
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let (n, k) = (session.len(), session.places(self.k));
        let best = async |items: &[usize]| {
            let answers = session.ask(Question::Best, &[items.to_vec()]).await?;
            let Some(answer) = answers.first().filter(|answer| **answer != Answer::Spent) else {
                return Ok(None);
            };
            let best = match answer {
                Answer::Numbers(_) => answer.order(items).first().copied(),
                // Undecided: the first stage's best.
                Answer::Unusable | Answer::Spent => items.iter().min().copied(),
            };
            Ok(items.iter().position(|&item| Some(item) == best))
        };
        let top = heap::top(n, self.children, k, best).await?;
        Ok(Verdict::Order(top))
    }
}
