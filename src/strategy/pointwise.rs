//! Pointwise: every document is judged alone, once. Cost: n judgements for n documents, fewer with
//! early exit (at least k + beta, when there are as many).
//!
//! Nogueira & Cho 2019 (arXiv:1901.04085). The function hands all n over in one call, so that a
//! judge can batch them as it likes; the strategy goes in batches, with limits and an observer.

use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::prune::{EarlyExit, Walk};
use super::session::{Session, Verdict};
use super::{Group, Judge, Ranked, rank};
use crate::error::Error;

/// One judgement a document. An LLM in the judge's place says yes or no; ties keep first-stage
/// order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pointwise {
    /// When to stop walking down the first stage; never when `None`. As options: `k` and `beta`.
    pub exit: Option<EarlyExit>,
}

impl Plan for Pointwise {
    fn describe(&self) -> Description {
        Description {
            name: "pointwise",
            family: Family::Pointwise,
            summary: "judges every document alone",
            cost: "n judgements; with early exit k + beta to n",
            needs: &[Need::Pointwise],
            options: &["k", "beta"],
            paper: "arXiv:1901.04085; early exit arXiv:2601.05200",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        Bound::judgements(n)
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        let exit = self.exit.get_or_insert_default();
        match option {
            "k" => assign(&mut exit.k, option, value),
            "beta" => assign(&mut exit.beta, option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        self.exit.map_or(Ok(()), |exit| exit.check())
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let walk = self.exit.map(Walk::new);
        let scores = session.score_alone(session.task.query, walk).await?;
        Ok(Verdict::Scores(scores))
    }
}

/// Ranks `documents` by their own numbers.
///
/// # Errors
/// The judge's, and `internal` when it answers with NaN or another count than asked.
pub async fn pointwise(
    judge: &impl Judge,
    query: &str,
    documents: &[&str],
    top_n: Option<usize>,
) -> Result<Vec<Ranked>, Error> {
    let groups: Vec<Group<'_>> = documents
        .chunks(1)
        .map(|documents| Group { query, documents })
        .collect();
    let answers = judge.judge(&groups).await?;
    if answers.len() != groups.len() || answers.iter().any(|answer| answer.len() != 1) {
        return Err(Error::Internal {
            what: format!("asked for {} scores of one document each", groups.len()),
        });
    }
    rank(&answers.concat(), top_n)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Scores a document by its length in bytes and counts what it is asked.
    #[derive(Default)]
    struct Length {
        calls: Cell<usize>,
        judged: Cell<usize>,
    }

    impl Judge for Length {
        fn max_group(&self) -> usize {
            1
        }

        async fn judge(&self, groups: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
            self.calls.set(self.calls.get() + 1);
            self.judged.set(self.judged.get() + groups.len());
            let score = |document: &&str| document.len() as f32;
            Ok((groups.iter())
                .map(|group| group.documents.iter().map(score).collect())
                .collect())
        }
    }

    #[test]
    fn each_document_is_judged_once_whatever_their_number() {
        for n in [0, 1, 2, 50] {
            let judge = Length::default();
            let texts: Vec<String> = (0..n).map(|i| "x".repeat((i * 7) % 13)).collect();
            let documents: Vec<&str> = texts.iter().map(String::as_str).collect();
            let ranked = pollster::block_on(pointwise(&judge, "q", &documents, None)).unwrap();
            assert_eq!((ranked.len(), judge.judged.get()), (n, n));
            assert_eq!(judge.calls.get(), 1);
            assert!(ranked.windows(2).all(|p| p[0].score >= p[1].score));
        }
    }
}
