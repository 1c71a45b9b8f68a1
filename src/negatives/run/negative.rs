//! Hard negatives of one positive: variants and edits, checked, verified, scored, the hardest kept.

use super::super::answer::{Edits, Variants};
use super::super::desk::{Cache, Question};
use super::super::funnel::Death;
use super::super::group::{Negative, Positive};
use super::super::margin::{hardest_first, scores};
use super::super::prompt::{Family, fence};
use super::super::property::{Property, check_edit};
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
    /// The positive with its score, and its negatives, hardest first.
    pub(super) async fn negatives(
        &mut self,
        positive: Positive,
        answered: &[String],
        step: Step,
    ) -> Result<(Positive, Vec<Negative>), Error> {
        let variants = self.variants(&positive.query, step).await?;
        // Edits first: of a query made twice, the one whose property is known stays.
        let mut made = Vec::new();
        for property in &self.settings.properties {
            made.extend(self.edits(&positive.query, property, step).await?);
        }
        made.extend(variants);
        let fresh = self.fresh(made, answered);
        let verified = self.unanswerable(fresh, &positive.query, step).await?;
        self.scored(positive, verified, step).await
    }

    async fn variants(&mut self, positive: &str, step: Step) -> Result<Vec<Negative>, Error> {
        let count = self.settings.variants;
        if count == 0 {
            return Ok(Vec::new());
        }
        let question = Question {
            family: Family::Variants,
            values: &[
                ("positive", &fence("question", positive)),
                ("count", &count.to_string()),
            ],
            images: &[],
            max_tokens: answer_tokens(count),
            temperature: self.settings.temperature,
        };
        self.progress(Stage::Negatives, step).await?;
        let answer: Option<Variants> = self.desk.ask(&self.seams.generator, &question).await?;
        let queries = self.items(answer.map(|answer| answer.queries), count);
        Ok(queries.into_iter().map(|query| bare(&query)).collect())
    }

    async fn edits(
        &mut self,
        positive: &str,
        property: &Property,
        step: Step,
    ) -> Result<Vec<Negative>, Error> {
        let count = self.settings.edits;
        let name = match property {
            Property::Custom(name) => fence("property", name),
            known => known.to_string(),
        };
        let question = Question {
            family: Family::of(property),
            values: &[
                ("positive", &fence("question", positive)),
                ("count", &count.to_string()),
                ("property", &name),
            ],
            images: &[],
            max_tokens: answer_tokens(count),
            temperature: self.settings.temperature,
        };
        self.progress(Stage::Negatives, step).await?;
        let answer: Option<Edits> = self.desk.ask(&self.seams.generator, &question).await?;
        let mut sound = Vec::new();
        for edit in self.items(answer.map(|answer| answer.edits), count) {
            match check_edit(property, positive, &edit.query, &edit.from, &edit.to) {
                Ok(change) => sound.push(Negative {
                    property: Some(property.clone()),
                    from: Some(change.from),
                    to: Some(change.to),
                    ..bare(&edit.query)
                }),
                Err(death) => self.funnel.negatives.died(death),
            }
        }
        Ok(sound)
    }

    /// Counts what came, at most `count` of it; no answer at all counts as one malformed.
    fn items<T>(&mut self, answer: Option<Vec<T>>, count: usize) -> Vec<T> {
        let Some(mut items) = answer else {
            self.funnel.negatives.generated += 1;
            self.funnel.negatives.died(Death::Malformed);
            return Vec::new();
        };
        items.truncate(count);
        self.funnel.negatives.generated += items.len() as u64;
        items
    }

    /// Without those too long, those the page answers, and repetitions.
    fn fresh(&mut self, made: Vec<Negative>, answered: &[String]) -> Vec<Negative> {
        let threshold = self.settings.near_duplicate;
        let mut fresh: Vec<Negative> = Vec::new();
        for negative in made {
            let same = |other: &str| near_duplicate(other, &negative.query, threshold);
            if !self.fits(&negative.query) {
                self.funnel.negatives.died(Death::Length);
            } else if answered.iter().any(|query| same(query)) {
                self.funnel.negatives.died(Death::SamePositive);
            } else if fresh.iter().any(|other| same(&other.query)) {
                self.funnel.negatives.died(Death::Duplicate);
            } else {
                fresh.push(negative);
            }
        }
        fresh
    }

    async fn unanswerable(
        &mut self,
        fresh: Vec<Negative>,
        positive: &str,
        step: Step,
    ) -> Result<Vec<Negative>, Error> {
        let queries: Vec<&str> = fresh.iter().map(|n| n.query.as_str()).collect();
        let votes = self
            .verify(&queries, Some(positive), Stage::VerifyNegatives, step)
            .await?;
        let mut kept = Vec::new();
        for (negative, votes) in fresh.into_iter().zip(votes) {
            match votes {
                Ok(v) if v.keep_negative() => {
                    let votes = Some(v);
                    kept.push(Negative { votes, ..negative });
                }
                other => self.funnel.negatives.died(against(other, true)),
            }
        }
        Ok(kept)
    }

    async fn scored(
        &mut self,
        mut positive: Positive,
        mut negatives: Vec<Negative>,
        step: Step,
    ) -> Result<(Positive, Vec<Negative>), Error> {
        self.progress(Stage::Judge, step).await?;
        // The judge reads text: of a page without any, the negatives stay in the model's order.
        if self.has_text() {
            let mut queries = vec![positive.query.as_str()];
            queries.extend(negatives.iter().map(|n| n.query.as_str()));
            let scores = scores(self.seams.judge, &self.job.page.text, &queries).await?;
            positive.score = Some(scores[0]);
            for (negative, &score) in negatives.iter_mut().zip(&scores[1..]) {
                negative.score = Some(score);
                negative.margin = Some(scores[0] - score);
            }
        }
        hardest_first(&mut negatives);
        let keep = self.settings.negatives;
        self.funnel
            .negatives
            .died_many(Death::Surplus, negatives.len().saturating_sub(keep));
        negatives.truncate(keep);
        self.funnel.negatives.kept += negatives.len() as u64;
        Ok((positive, negatives))
    }
}

fn bare(query: &str) -> Negative {
    Negative {
        query: collapse(query),
        property: None,
        from: None,
        to: None,
        votes: None,
        score: None,
        margin: None,
    }
}
