//! Questions put to a judge: in batches, so that the observer hears and the limits hold.
//!
//! A judge of single documents answers larger groups too: the numbers it gives each document alone
//! stand side by side (a score difference decides a pair), and each document is scored once.

use super::super::Group;
use super::super::question::Question;
use super::super::seams::AnyJudge;
use super::{Answer, Session};
use crate::error::Error;

/// Groups between two looks at the observer: enough to batch by length, few enough to stop soon.
const BATCH: usize = 64;

impl Session<'_> {
    /// Asks about groups of positions, for the task's query.
    ///
    /// # Errors
    /// As [`Self::ask_for`].
    pub(in super::super) async fn ask(
        &mut self,
        question: Question<'_>,
        groups: &[Vec<usize>],
    ) -> Result<Vec<Answer>, Error> {
        self.ask_for(self.task.query, question, groups).await
    }

    /// Asks the judge, or without one the language model; an answer for each group.
    ///
    /// # Errors
    /// `invalid_argument` without either, or when a group is larger than the judge takes;
    /// `internal` when the judge answers NaN or another count; the judge's, the LLM's and the
    /// observer's.
    pub(in super::super) async fn ask_for(
        &mut self,
        query: &str,
        question: Question<'_>,
        groups: &[Vec<usize>],
    ) -> Result<Vec<Answer>, Error> {
        match self.seams.judge {
            Some(judge) => self.ask_judge(judge, query, groups).await,
            None => self.ask_llm(query, question, groups).await,
        }
    }

    async fn ask_judge(
        &mut self,
        judge: &dyn AnyJudge,
        query: &str,
        groups: &[Vec<usize>],
    ) -> Result<Vec<Answer>, Error> {
        let limit = judge.largest_group();
        let largest = groups.iter().map(Vec::len).max().unwrap_or(0);
        if limit > 1 && largest > limit {
            let expected = format!("one that takes groups of {largest}");
            return Err(Error::argument(
                "judge",
                expected,
                format!("at most {limit}"),
            ));
        }
        let mut answers = Vec::with_capacity(groups.len());
        for batch in groups.chunks(BATCH) {
            let asked = &batch[..self.room(batch.len())];
            if !asked.is_empty() {
                let numbers = if limit > 1 {
                    numbers(judge, &self.grouped(query, asked)).await?
                } else {
                    self.alone(judge, query, asked).await?
                };
                self.cost.judgements += asked.len();
                asked.iter().for_each(|group| self.see(group));
                let numbers = numbers.into_iter();
                answers.extend(
                    numbers.map(|group| Answer::Numbers(group.into_iter().map(Some).collect())),
                );
                self.step().await?;
            }
            if asked.len() < batch.len() {
                break;
            }
        }
        answers.resize(groups.len(), Answer::Spent);
        Ok(answers)
    }

    fn grouped<'b>(&self, query: &'b str, groups: &[Vec<usize>]) -> Vec<(&'b str, Vec<&'b str>)>
    where
        Self: 'b,
    {
        (groups.iter())
            .map(|group| (query, group.iter().map(|&p| self.text(p)).collect()))
            .collect()
    }

    /// Answers groups from each document's own number.
    async fn alone(
        &mut self,
        judge: &dyn AnyJudge,
        query: &str,
        groups: &[Vec<usize>],
    ) -> Result<Vec<Vec<f32>>, Error> {
        if self.alone.0 != query || self.alone.1.is_empty() {
            self.alone = (query.to_owned(), vec![None; self.len()]);
        }
        let mut unknown: Vec<usize> = groups.concat();
        unknown.retain(|&position| self.alone.1[position].is_none());
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            let singles: Vec<Vec<usize>> = unknown.iter().map(|&p| vec![p]).collect();
            let found = numbers(judge, &self.grouped(query, &singles)).await?;
            for (position, found) in unknown.into_iter().zip(found.concat()) {
                self.alone.1[position] = Some(found);
            }
        }
        let known = |&position: &usize| self.alone.1[position];
        Ok((groups.iter())
            .map(|group| group.iter().filter_map(known).collect())
            .collect())
    }
}

async fn numbers(
    judge: &dyn AnyJudge,
    groups: &[(&str, Vec<&str>)],
) -> Result<Vec<Vec<f32>>, Error> {
    let asked: Vec<Group<'_>> = (groups.iter())
        .map(|(query, documents)| Group { query, documents })
        .collect();
    let numbers = judge.judge_boxed(&asked).await?;
    let counts = |numbers: &[Vec<f32>]| numbers.iter().map(Vec::len).collect::<Vec<_>>();
    let expected: Vec<usize> = asked.iter().map(|group| group.documents.len()).collect();
    if counts(&numbers) != expected {
        let what = format!("asked about {} groups, answered otherwise", asked.len());
        return Err(Error::Internal { what });
    }
    if numbers.iter().flatten().any(|number| number.is_nan()) {
        let what = "a document scored NaN".into();
        return Err(Error::Internal { what });
    }
    Ok(numbers)
}
