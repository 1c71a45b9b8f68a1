//! Positives: one question a plan, near duplicates out, verified, consistent, spread over the page.

use super::super::answer::Positives;
use super::super::desk::{Cache, Question};
use super::super::funnel::Death;
use super::super::group::Positive;
use super::super::prompt::{Family, plan_list};
use super::super::segment::plans;
use super::super::text::{collapse, near_duplicate};
use super::verify::against;
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
    pub(super) async fn positives(&mut self) -> Result<Vec<Positive>, Error> {
        let made = self.candidates().await?;
        let mut fresh: Vec<Positive> = Vec::new();
        for candidate in made {
            self.funnel.positives.generated += 1;
            let same = |p: &Positive| {
                near_duplicate(&p.query, &candidate.query, self.settings.near_duplicate)
            };
            if !self.fits(&candidate.query) {
                self.funnel.positives.died(Death::Length);
            } else if fresh.iter().any(same) {
                self.funnel.positives.died(Death::Duplicate);
            } else {
                fresh.push(candidate);
            }
        }
        let verified = self.verified(fresh).await?;
        let mut consistent = self.consistent(verified).await?;

        // Evenly spaced, so that the kept ones are about the whole page.
        let (n, keep) = (consistent.len(), self.settings.positives);
        self.funnel
            .positives
            .died_many(Death::Surplus, n.saturating_sub(keep));
        if n > keep {
            let chosen: Vec<usize> = (0..keep).map(|i| i * n / keep).collect();
            let mut index = 0;
            consistent.retain(|_| {
                index += 1;
                chosen.contains(&(index - 1))
            });
        }
        self.funnel.positives.kept += consistent.len() as u64;
        Ok(consistent)
    }

    async fn candidates(&mut self) -> Result<Vec<Positive>, Error> {
        let positive = |query: &str, answer: &str| Positive {
            query: collapse(query),
            answer: Some(collapse(answer)).filter(|answer| !answer.is_empty()),
            span: self.job.page.text.find(answer.trim()).and_then(|start| {
                let end = start + answer.trim().len();
                (end > start).then_some(start..end)
            }),
            ..Positive::default()
        };
        if !self.job.positives.is_empty() {
            return Ok(self
                .job
                .positives
                .iter()
                .map(|query| positive(query, ""))
                .collect());
        }
        self.progress(Stage::Positives, Step { done: 0, total: 1 })
            .await?;
        // What an image shows is in no part of the text, so there is no plan by parts.
        let (family, parts) = match self.job.image {
            Some(_) => (Family::PositivesImage, Vec::new()),
            None => (
                Family::Positives,
                plans(&self.job.page.text, self.settings.candidates),
            ),
        };
        let count = if parts.is_empty() {
            self.settings.candidates
        } else {
            parts.len()
        };
        let question = Question {
            family,
            values: &[
                ("page", &self.page()),
                ("plans", &plan_list(&self.job.page.text, &parts)),
                ("count", &count.to_string()),
            ],
            images: self.job.image.as_slice(),
            max_tokens: answer_tokens(count),
            temperature: self.settings.temperature,
        };
        let answer: Option<Positives> = self.desk.ask(&self.seams.generator, &question).await?;
        let Some(answer) = answer else {
            self.funnel.positives.generated += 1;
            self.funnel.positives.died(Death::Malformed);
            return Ok(Vec::new());
        };
        Ok((answer.queries.iter().take(self.settings.candidates))
            .map(|made| positive(&made.query, &made.answer))
            .collect())
    }

    async fn verified(&mut self, candidates: Vec<Positive>) -> Result<Vec<Positive>, Error> {
        let queries: Vec<&str> = candidates.iter().map(|p| p.query.as_str()).collect();
        let step = Step {
            done: 0,
            total: queries.len(),
        };
        let votes = self
            .verify(&queries, None, Stage::VerifyPositives, step)
            .await?;
        let mut kept = Vec::new();
        for (positive, votes) in candidates.into_iter().zip(votes) {
            match votes {
                Ok(v) if v.keep_positive() => {
                    let votes = Some(v);
                    kept.push(Positive { votes, ..positive });
                }
                other => self.funnel.positives.died(against(other, false)),
            }
        }
        Ok(kept)
    }

    async fn consistent(&mut self, positives: Vec<Positive>) -> Result<Vec<Positive>, Error> {
        if !self.has_text() {
            return Ok(positives);
        }
        let mut kept = Vec::new();
        let total = positives.len();
        for (done, positive) in positives.into_iter().enumerate() {
            self.progress(Stage::Consistency, Step { done, total })
                .await?;
            let rank = self.seams.consistency.rank(&positive.query).await?;
            if rank.is_some_and(|rank| (1..=self.settings.consistent_within).contains(&rank)) {
                kept.push(positive);
            } else {
                self.funnel.positives.died(Death::Inconsistent);
            }
        }
        Ok(kept)
    }
}
