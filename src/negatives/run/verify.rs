//! Two-prompt verification: each query judged against the page by two differently worded prompts.
//!
//! The rule is asymmetric ([`Votes`]): doubt kills. A query without a verdict from both dies too,
//! and so do negatives beside which a prompt denies their own positive.

use super::super::answer::Verdicts;
use super::super::desk::{Cache, Question};
use super::super::funnel::Death;
use super::super::group::Votes;
use super::super::prompt::{Family, numbered};
use super::{Consistency, Progress, Run, Stage, Step, answer_tokens};
use crate::error::Error;
use crate::llm::Llm;
use crate::random::Random;
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
    /// Votes on each query, or what it dies of: a prompt gave no single verdict on it, or denied
    /// the control, a query known to be answerable that is put among the others.
    ///
    /// Without one, a list of nothing but hard negatives would tell a model what to say of all.
    pub(super) async fn verify(
        &mut self,
        queries: &[&str],
        control: Option<&str>,
        stage: Stage,
        step: Step,
    ) -> Result<Vec<Result<Votes, Death>>, Error> {
        let mut votes = Vec::with_capacity(queries.len());
        for batch in queries.chunks(self.settings.verify_at_once) {
            let said = self.vote(batch, control, stage, step).await?;
            votes.extend(said.unwrap_or_else(|| vec![Err(Death::Control); batch.len()]));
        }
        Ok(votes)
    }

    /// `None` when a prompt cannot be trusted with this batch.
    async fn vote(
        &mut self,
        batch: &[&str],
        control: Option<&str>,
        stage: Stage,
        step: Step,
    ) -> Result<Option<Vec<Result<Votes, Death>>>, Error> {
        let mut said = Vec::with_capacity(2);
        for family in [Family::VerifyA, Family::VerifyB] {
            let verdicts = match control {
                Some(control) => self.controlled(family, batch, control, stage, step).await?,
                None => Some(self.ask_verdicts(family, batch, stage, step).await?),
            };
            let Some(verdicts) = verdicts else {
                return Ok(None);
            };
            said.push(verdicts);
        }
        let both = |(a, b): (&Option<bool>, &Option<bool>)| match (*a, *b) {
            (Some(a), Some(b)) => Ok(Votes { a, b }),
            _ => Err(Death::NoVerdict),
        };
        Ok(Some(said[0].iter().zip(&said[1]).map(both).collect()))
    }

    /// Verdicts on a batch with the control at a place drawn by the seed. A prompt that denies it
    /// is asked once more, with the control at another place; `None` when it denies that too.
    async fn controlled(
        &mut self,
        family: Family,
        batch: &[&str],
        control: &str,
        stage: Stage,
        step: Step,
    ) -> Result<Option<Vec<Option<bool>>>, Error> {
        let salt = 2 * step.done as u64 + u64::from(family == Family::VerifyB);
        for place in Random::new(self.settings.seed ^ salt).draw(batch.len() + 1, 2) {
            let mut list = batch.to_vec();
            list.insert(place, control);
            let mut verdicts = self.ask_verdicts(family, &list, stage, step).await?;
            if verdicts.remove(place) != Some(false) {
                return Ok(Some(verdicts));
            }
        }
        Ok(None)
    }

    async fn ask_verdicts(
        &mut self,
        family: Family,
        batch: &[&str],
        stage: Stage,
        step: Step,
    ) -> Result<Vec<Option<bool>>, Error> {
        self.progress(stage, step).await?;
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

/// What a candidate with these votes dies of: the prompts that say of it what it must not be.
pub(super) const fn against(votes: Result<Votes, Death>, answerable: bool) -> Death {
    match votes {
        Ok(Votes { a, b }) if a == answerable && b == answerable => Death::BothPrompts,
        Ok(Votes { a, .. }) if a == answerable => Death::PromptA,
        Ok(_) => Death::PromptB,
        Err(death) => death,
    }
}
