//! Two-prompt verification: each query judged against the page by two differently worded prompts.
//!
//! The rule is asymmetric ([`Votes`]): doubt kills. A query without a verdict from both dies too.

use super::super::answer::Verdicts;
use super::super::desk::{Cache, Question};
use super::super::group::Votes;
use super::super::prompt::{Family, numbered};
use super::{Consistency, Progress, Run, Stage, Step, answer_tokens};
use crate::error::Error;
use crate::llm::Llm;
use crate::strategy::Judge;

impl<G, V, J, K, C, F> Run<'_, G, V, J, K, C, F>
where
    G: Llm,
    V: Llm,
    J: Judge,
    K: Consistency,
    C: Cache,
    F: AsyncFnMut(Progress) -> Result<(), Error>,
{
    /// Votes on each query; `None` where a prompt gave no single verdict.
    pub(super) async fn verify(
        &mut self,
        queries: &[&str],
        stage: Stage,
        step: Step,
    ) -> Result<Vec<Option<Votes>>, Error> {
        let mut votes = Vec::with_capacity(queries.len());
        for batch in queries.chunks(self.settings.verify_at_once) {
            self.progress(stage, step).await?;
            let a = self.ask_verdicts(Family::VerifyA, batch).await?;
            self.progress(stage, step).await?;
            let b = self.ask_verdicts(Family::VerifyB, batch).await?;
            votes.extend(
                a.iter()
                    .zip(&b)
                    .map(|(a, b)| Some(Votes { a: (*a)?, b: (*b)? })),
            );
        }
        Ok(votes)
    }

    async fn ask_verdicts(
        &mut self,
        family: Family,
        batch: &[&str],
    ) -> Result<Vec<Option<bool>>, Error> {
        let page = self.page();
        let queries = numbered("questions", batch.iter().copied());
        let question = Question {
            family,
            values: &[("page", &page), ("queries", &queries)],
            images: self.job.image.as_slice(),
            max_tokens: answer_tokens(batch.len()),
            temperature: 0.0,
        };
        let answer: Option<Verdicts> = self.desk.ask(&self.seams.verifier, &question).await?;
        let verdicts = answer.map(|answer| answer.verdicts).unwrap_or_default();
        let mut read: Vec<Option<bool>> = vec![None; batch.len()];
        let mut contradicted = vec![false; batch.len()];
        for verdict in verdicts {
            let Some(slot) = verdict.number.checked_sub(1).filter(|&i| i < batch.len()) else {
                continue;
            };
            contradicted[slot] |= read[slot].is_some_and(|said| said != verdict.answerable);
            read[slot] = Some(verdict.answerable);
        }
        let sound = |(verdict, against): (Option<bool>, bool)| verdict.filter(|_| !against);
        Ok(read.into_iter().zip(contradicted).map(sound).collect())
    }
}
