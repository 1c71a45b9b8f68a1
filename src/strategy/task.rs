//! What is to be ranked, and how much may be spent on it: the same for every strategy.

use super::prune::Prune;
use crate::error::Error;

/// A query, its candidates and the limits of the work. Nothing is copied from the texts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Task<'a> {
    /// Query text.
    pub query: &'a str,
    /// Document texts, in first-stage order unless [`Self::first_stage`] says otherwise.
    pub documents: &'a [&'a str],
    /// The first stage's scores of the documents; their order is the first-stage order then (ties
    /// in input order).
    pub first_stage: Option<&'a [f32]>,
    /// Results to return; all when `None`.
    pub top_n: Option<usize>,
    /// Candidates to leave out beforehand; none when `None`. Needs first-stage scores.
    pub prune: Option<Prune>,
    /// Characters of each document that a prompt shows, from its start; all when `None`.
    pub excerpt: Option<usize>,
    /// How much may be spent.
    pub limits: Limits,
}

/// Limits of the work. At a limit the questions stop, the rest stays in first-stage order, and
/// [`Warning::Budget`](super::Warning::Budget) says so; a limit is never an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Judgements and passes, as [`Cost`](super::Cost) counts them.
    pub judgements: Option<usize>,
    /// LLM calls, repairs included.
    pub calls: Option<usize>,
    /// Tokens read and written by the LLM. A call is not made when what it would read goes over;
    /// what it writes may, by one answer for each call under way.
    pub tokens: Option<u64>,
    /// Tokens of one LLM answer; the provider's limit when `None`.
    pub answer_tokens: Option<u32>,
    /// LLM calls under way at once; one when `None`.
    pub parallel: Option<usize>,
}

impl Task<'_> {
    /// Indexes of the documents, best of the first stage first.
    pub(super) fn first_stage_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.documents.len()).collect();
        if let Some(scores) = self.first_stage {
            order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        }
        order
    }

    /// # Errors
    /// `invalid_argument`.
    pub(super) fn check(&self) -> Result<(), Error> {
        for (argument, value) in [
            ("topN", self.top_n),
            ("excerpt", self.excerpt),
            ("limits.parallel", self.limits.parallel),
        ] {
            if value == Some(0) {
                return Err(Error::argument(argument, "at least 1", 0));
            }
        }
        if let Some(prune) = self.prune {
            prune.check()?;
            self.scores()?;
        }
        let Some(scores) = self.first_stage else {
            return Ok(());
        };
        if scores.len() != self.documents.len() {
            let expected = format!("a score for each of {} documents", self.documents.len());
            return Err(Error::argument("firstStage", expected, scores.len()));
        }
        if let Some(index) = scores.iter().position(|score| !score.is_finite()) {
            let found = format!("{} for document {index}", scores[index]);
            return Err(Error::argument("firstStage", "finite scores", found));
        }
        Ok(())
    }

    /// The first stage's scores, where a strategy cannot do without.
    ///
    /// # Errors
    /// `invalid_argument` when the task has none.
    pub(super) fn scores(&self) -> Result<&[f32], Error> {
        (self.first_stage)
            .ok_or_else(|| Error::argument("firstStage", "the first stage's scores", "none"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stage_order_follows_its_scores_and_else_the_input() {
        let mut task = Task {
            documents: &["a", "b", "c", "d"],
            ..Task::default()
        };
        assert_eq!(task.first_stage_order(), [0, 1, 2, 3]);
        task.first_stage = Some(&[1.0, 3.0, 1.0, 2.0]);
        assert_eq!(task.first_stage_order(), [1, 3, 0, 2]);
    }

    #[test]
    fn a_task_that_makes_no_sense_is_refused_by_name() {
        let task = Task {
            documents: &["a", "b"],
            ..Task::default()
        };
        let prune = Some(Prune { k: 1, alpha: 0.1 });
        let refused = [
            (
                "topN",
                Task {
                    top_n: Some(0),
                    ..task
                },
            ),
            (
                "excerpt",
                Task {
                    excerpt: Some(0),
                    ..task
                },
            ),
            (
                "firstStage",
                Task {
                    first_stage: Some(&[1.0]),
                    ..task
                },
            ),
            (
                "firstStage",
                Task {
                    first_stage: Some(&[1.0, f32::NAN]),
                    ..task
                },
            ),
            ("firstStage", Task { prune, ..task }),
        ];
        for (name, task) in refused {
            let error = task.check().unwrap_err();
            assert_eq!(error.code(), "invalid_argument");
            assert!(error.to_string().starts_with(name), "{error}");
        }
        task.check().unwrap();
    }
}
