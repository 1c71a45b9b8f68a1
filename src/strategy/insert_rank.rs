//! InsertRank: a listwise question that shows each document's lexical score beside it.
//!
//! InsertRank (arXiv:2506.14086). Scores are shown from 0 to 100, the task's lowest
//! and highest. Cost: 1 judgement, or as many as windows.

use super::listwise::check_windows;
use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::question::Question;
use super::session::{Answer, Session, Verdict};
use super::windows::windows;
use crate::error::Error;

/// A listwise question to an LLM with the first stage's scores in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InsertRank {
    /// Documents of a question, from 2; more are sorted in windows.
    pub size: usize,
    /// How far the next window is above, from 1 and less than `size`.
    pub step: usize,
}

impl Default for InsertRank {
    fn default() -> Self {
        let (size, step) = (100, 50);
        Self { size, step }
    }
}

impl Plan for InsertRank {
    fn describe(&self) -> Description {
        Description {
            name: "insert-rank",
            family: Family::Listwise,
            summary: "sorts all documents in one question that shows their lexical scores",
            cost: "1 judgement up to size, else 1 + ceil((n - size) / step)",
            needs: &[Need::Llm, Need::FirstStage],
            options: &["size", "step"],
            paper: "arXiv:2506.14086",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        Bound::judgements(windows(n, 0, self.size, self.step).len())
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match option {
            "size" => assign(&mut self.size, option, value),
            "step" => assign(&mut self.step, option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        check_windows(self.size, self.step)
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let query = session.task.query;
        let question = Question::OrderScored { top: usize::MAX };
        let mut order: Vec<usize> = (0..session.len()).collect();
        for range in windows(order.len(), 0, self.size, self.step) {
            let asked = [order[range.clone()].to_vec()];
            let answers = session.ask_llm(query, question, &asked).await?;
            match answers.first() {
                None | Some(Answer::Spent) => break,
                Some(answer) => order[range].copy_from_slice(&answer.order(&asked[0])),
            }
        }
        Ok(Verdict::Order(order))
    }
}
