//! SQUARE's grid: the first pages as one numbered image, sorted by a model that sees in one question.
//!
//! Wu et al. 2025 (arXiv:2509.26330), who enrich the query's vector by a caption first; that stage
//! is left out, and the first stage is the caller's. What the model answers is validated as for
//! the listwise strategies. Cost: 1 judgement.

use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::question::Question;
use super::session::{Answer, Session, Verdict};
use crate::error::Error;

/// Sorting page images by a grid of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Square {
    /// Pages in the grid, 2..=100: the first of the first stage. The others keep their places.
    pub size: usize,
}

impl Default for Square {
    fn default() -> Self {
        Self { size: 16 }
    }
}

impl Plan for Square {
    fn describe(&self) -> Description {
        Description {
            name: "square",
            family: Family::Listwise,
            summary: "sorts the first pages, shown as one numbered grid of their images",
            cost: "1 judgement",
            needs: &[Need::Llm, Need::Pages],
            options: &["size"],
            paper: "arXiv:2509.26330",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        Bound::judgements(usize::from(n > 1))
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match option {
            "size" => assign(&mut self.size, option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        match self.size {
            2..=100 => Ok(()),
            size => Err(Error::argument("strategy.size", "2 to 100", size)),
        }
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let group: Vec<usize> = (0..session.len().min(self.size)).collect();
        if group.len() < 2 {
            return Ok(Verdict::Order(group));
        }
        let query = session.task.query;
        let asked = [group];
        let answers = session.ask_llm(query, Question::Grid, &asked).await?;
        let order = answers
            .first()
            .map(|answer: &Answer| answer.order(&asked[0]));
        Ok(Verdict::Order(order.unwrap_or_default()))
    }
}
