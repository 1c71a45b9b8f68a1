//! Facets: the query taken apart by a language model, so that a document is judged for each part.
//!
//! After CoTRR (arXiv:2509.14746), which deconstructs image queries and checks candidates part by
//! part. Cost: [`Facets`] 1 call and up to (facets + 1) n judgements of any judge; [`Checklist`]
//! 1 call and ceil(n / size) questions to the LLM.

use super::groupwise::means;
use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::prune::at_least_1;
use super::question::Question;
use super::session::{Session, Verdict};
use super::transform::facets;
use crate::error::Error;

/// Every document judged for the query and for each of its parts, one by one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facets {
    /// Parts at most, from 1.
    pub facets: usize,
    /// Share of the whole query in a score, 0..1; the parts share the rest.
    pub weight: f32,
}

impl Default for Facets {
    fn default() -> Self {
        Self {
            facets: 4,
            weight: 0.5,
        }
    }
}

impl Plan for Facets {
    fn describe(&self) -> Description {
        Description {
            name: "facets",
            family: Family::Transform,
            summary: "takes the query apart and judges every document for each part, pointwise",
            cost: "1 call and at most (facets + 1) n judgements",
            needs: &[Need::Llm, Need::Pointwise],
            options: &["facets", "weight"],
            paper: "arXiv:2509.14746",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        Bound {
            transforms: usize::from(n > 0),
            ..Bound::judgements(self.facets.saturating_add(1).saturating_mul(n))
        }
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match option {
            "facets" => assign(&mut self.facets, option, value),
            "weight" => assign(&mut self.weight, option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        at_least_1("strategy.facets", self.facets)?;
        if (0.0..=1.0).contains(&self.weight) {
            return Ok(());
        }
        Err(Error::argument("strategy.weight", "0 to 1", self.weight))
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let parts = facets(session, self.facets).await?;
        let mut scores = session.score_alone(session.task.query, None).await?;
        let mut sums = vec![0.0; scores.len()];
        let mut complete = 0;
        for part in &parts {
            let part_scores = session.score_alone(part, None).await?;
            // A part counts only when every document that the query reached was judged for it.
            let judged =
                |(whole, part): (&Option<f32>, &Option<f32>)| whole.is_none() || part.is_some();
            if !scores.iter().zip(&part_scores).all(judged) {
                continue;
            }
            complete += 1;
            for (sum, score) in sums.iter_mut().zip(part_scores) {
                *sum += score.unwrap_or(0.0);
            }
        }
        if complete > 0 {
            for (score, sum) in scores.iter_mut().zip(sums) {
                let part = sum / complete as f32;
                *score = score.map(|whole| self.weight * whole + (1.0 - self.weight) * part);
            }
        }
        Ok(Verdict::Scores(scores))
    }
}

/// Groups of documents checked against the query's parts by the LLM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checklist {
    /// Parts at most, from 1.
    pub facets: usize,
    /// Documents of a question, from 1, in first-stage order.
    pub size: usize,
}

impl Default for Checklist {
    fn default() -> Self {
        Self {
            facets: 5,
            size: 10,
        }
    }
}

impl Plan for Checklist {
    fn describe(&self) -> Description {
        Description {
            name: "cotrr",
            family: Family::Groupwise,
            summary: "takes the query apart and marks groups of documents part by part",
            cost: "1 call and ceil(n / size) judgements",
            needs: &[Need::Llm],
            options: &["facets", "size"],
            paper: "arXiv:2509.14746",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        Bound {
            transforms: usize::from(n > 0),
            ..Bound::judgements(n.div_ceil(self.size))
        }
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match option {
            "facets" => assign(&mut self.facets, option, value),
            "size" => assign(&mut self.size, option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        at_least_1("strategy.facets", self.facets)?;
        at_least_1("strategy.size", self.size)
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let mut parts = facets(session, self.facets).await?;
        if parts.is_empty() {
            // The query as its only part: a plain mark of 0 to 2.
            parts.push(session.task.query.to_owned());
        }
        let n = session.len();
        let all: Vec<usize> = (0..n).collect();
        let groups: Vec<Vec<usize>> = all.chunks(self.size).map(<[usize]>::to_vec).collect();
        let question = Question::Checklist(&parts);
        let answers = (session.ask_llm(session.task.query, question, &groups)).await?;
        Ok(Verdict::Scores(means(n, &groups, &answers)))
    }
}
