//! Judges made of others: a language model as a [`Judge`], and a judge of pairs as one of groups.
//!
//! Strategies need neither (they ask an LLM directly, and take a judge of single documents for
//! any); these are for code that knows only [`Judge`].

use super::prompt::{Listing, repair};
use super::question::Question;
use super::{Group, Judge};
use crate::error::Error;
use crate::llm::Llm;

/// What a language model is asked in a judge's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Yes (1) or no (0), of one document.
    Relevant,
    /// A (1) or B (1), of two.
    Pair,
    /// Which is best (1), of up to so many.
    Best(usize),
    /// 0 to 10 for each, of up to so many.
    Grades(usize),
}

/// A language model as a judge. One call a group, and one more for an answer out of form.
#[derive(Debug)]
pub struct LlmJudge<'a, L> {
    llm: &'a L,
    asked: Asked,
}

impl<'a, L: Llm> LlmJudge<'a, L> {
    /// `llm`, asked so.
    pub const fn new(llm: &'a L, asked: Asked) -> Self {
        Self { llm, asked }
    }

    async fn numbers(&self, group: &Group<'_>) -> Result<Vec<f32>, Error> {
        let question = match self.asked {
            Asked::Relevant => Question::Relevant,
            Asked::Pair => Question::Pair,
            Asked::Best(_) => Question::Best,
            Asked::Grades(_) => Question::Grades,
        };
        let listing = Listing {
            query: group.query,
            documents: group.documents.to_vec(),
            scores: Vec::new(),
            labels: question.labels(),
        };
        let mut request = question.request(&listing, None);
        let mut problem = String::new();
        for _ in 0..2 {
            let answer = self.llm.complete(&request).await?;
            match question.read(&answer.text, group.documents.len()) {
                Ok(reading) if reading.missing == 0 => {
                    return Ok(reading.numbers.into_iter().flatten().collect());
                }
                Ok(_) => problem = "a document is missing".into(),
                Err(found) => problem = found,
            }
            request = repair(&request, &answer.text, &problem);
        }
        let what = format!("an answer stayed unusable after one repair: {problem}");
        Err(Error::Llm { what })
    }
}

impl<L: Llm> Judge for LlmJudge<'_, L> {
    fn max_group(&self) -> usize {
        match self.asked {
            Asked::Relevant => 1,
            Asked::Pair => 2,
            Asked::Best(size) | Asked::Grades(size) => size,
        }
    }

    /// # Errors
    /// `invalid_argument` for a group of another size than asked about; `llm` when an answer stays
    /// unusable: here is no first stage to fall back on. The LLM's.
    async fn judge(&self, groups: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
        let mut numbers = Vec::with_capacity(groups.len());
        for group in groups {
            let (size, largest) = (group.documents.len(), self.max_group());
            if size > largest || (self.asked == Asked::Pair && size != 2) {
                let expected = format!("groups of {largest}");
                return Err(Error::argument("documents", expected, size));
            }
            numbers.push(self.numbers(group).await?);
        }
        Ok(numbers)
    }
}

/// A judge of pairs as a judge of groups: each document's number is its points against all others,
/// 1 a win and half a tie, in both orders. Cost: k(k-1) judgements for a group of k.
#[derive(Debug)]
pub struct RoundRobin<'a, J> {
    judge: &'a J,
    size: usize,
}

impl<'a, J: Judge> RoundRobin<'a, J> {
    /// `judge`, for groups of up to `size`.
    pub const fn new(judge: &'a J, size: usize) -> Self {
        Self { judge, size }
    }
}

impl<J: Judge> Judge for RoundRobin<'_, J> {
    fn max_group(&self) -> usize {
        self.size
    }

    async fn judge(&self, groups: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
        let ordered = |k: usize| (0..k).flat_map(move |a| (0..k).map(move |b| (a, b)));
        let pairs: Vec<(&str, [&str; 2])> = (groups.iter())
            .flat_map(|group| {
                let pairs = ordered(group.documents.len()).filter(|(a, b)| a != b);
                pairs.map(|(a, b)| (group.query, [group.documents[a], group.documents[b]]))
            })
            .collect();
        let asked: Vec<Group<'_>> = (pairs.iter())
            .map(|(query, documents)| Group { query, documents })
            .collect();
        let mut answers = self.judge.judge(&asked).await?.into_iter();
        let mut numbers = Vec::with_capacity(groups.len());
        for group in groups {
            let mut points = vec![0.0; group.documents.len()];
            for (a, b) in ordered(points.len()).filter(|(a, b)| a != b) {
                let Some(&[of_a, of_b]) = answers.next().as_deref() else {
                    let what = "a judge of pairs did not give two numbers a pair".into();
                    return Err(Error::Internal { what });
                };
                let share = 0.5 + 0.5 * (of_a - of_b).signum() * f32::from(u8::from(of_a != of_b));
                points[a] += share;
                points[b] += 1.0 - share;
            }
            numbers.push(points);
        }
        Ok(numbers)
    }
}
