//! Feedback: the first stage's best documents make a better query vector, and the cached vectors
//! are scored with it.
//!
//! Rocchio 1971 mixes vectors, without a pass. The prompted kind embeds the documents' texts and
//! the query together, in one pass (E2Rank, arXiv:2510.22733; their model is trained for it).

use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::prompt::fill;
use super::prune::at_least_1;
use super::session::{Session, Verdict, unit};
use crate::error::Error;

/// The query vector moved by its first-stage results: `alpha q + beta mean(best) - gamma
/// mean(worst)`, all vectors of length 1. Scores are cosines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rocchio {
    /// Best documents taken for relevant, from 1.
    pub k: usize,
    /// Weight of the query.
    pub alpha: f32,
    /// Weight of the best documents' mean.
    pub beta: f32,
    /// Weight against the mean of the `k` worst, which are none of the best.
    pub gamma: f32,
}

impl Default for Rocchio {
    fn default() -> Self {
        Self {
            k: 5,
            alpha: 1.0,
            beta: 0.75,
            gamma: 0.0,
        }
    }
}

impl Plan for Rocchio {
    fn describe(&self) -> Description {
        Description {
            name: "rocchio",
            family: Family::Vectors,
            summary: "moves the query's vector towards the first stage's best",
            cost: "0 passes",
            needs: &[Need::Vectors],
            options: &["k", "alpha", "beta", "gamma"],
            paper: "Rocchio 1971",
        }
    }

    fn at_most(&self, _: usize) -> Bound {
        Bound::default()
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match option {
            "k" => assign(&mut self.k, option, value),
            "alpha" => assign(&mut self.alpha, option, value),
            "beta" => assign(&mut self.beta, option, value),
            "gamma" => assign(&mut self.gamma, option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        at_least_1("strategy.k", self.k)?;
        let weights = [self.alpha, self.beta, self.gamma];
        if weights.iter().all(|weight| weight.is_finite()) {
            return Ok(());
        }
        let found = format!("{weights:?}");
        Err(Error::argument("strategy", "finite weights", found))
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let (mut query, documents) = session.vectors()?;
        let best = self.k.min(documents.len());
        let worst = documents.len().saturating_sub(self.k).max(best);
        query.iter_mut().for_each(|x| *x *= self.alpha);
        add_mean(&mut query, &documents[..best], self.beta);
        add_mean(&mut query, &documents[worst..], -self.gamma);
        Ok(cosines(&query, &documents))
    }
}

/// Adds `weight` times the mean of `rows`; nothing without rows.
fn add_mean(vector: &mut [f32], rows: &[Vec<f32>], weight: f32) {
    for row in rows {
        for (x, y) in vector.iter_mut().zip(row) {
            *x += weight / rows.len() as f32 * y;
        }
    }
}

/// Scores of unit vectors against `query`, whose length does not matter.
fn cosines(query: &[f32], documents: &[Vec<f32>]) -> Verdict {
    let query = unit(query);
    let scores = documents.iter().map(|document| Some(dot(&query, document)));
    Verdict::Scores(scores.collect())
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The query embedded with the texts of its first-stage results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptFeedback {
    /// Best documents shown, from 1. As many as the embedder can read: an excerpt of each will do.
    pub k: usize,
}

impl Default for PromptFeedback {
    fn default() -> Self {
        Self { k: 20 }
    }
}

impl Plan for PromptFeedback {
    fn describe(&self) -> Description {
        Description {
            name: "prompt-feedback",
            family: Family::Vectors,
            summary: "embeds the query with the first stage's best, in one pass",
            cost: "1 pass, none for fewer than 2 documents",
            needs: &[Need::Vectors, Need::Embedder],
            options: &["k"],
            paper: "arXiv:2510.22733",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        Bound::passes(usize::from(n > 1))
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match option {
            "k" => assign(&mut self.k, option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        at_least_1("strategy.k", self.k)
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let all: Vec<usize> = (0..session.len()).collect();
        if all.len() < 2 {
            return Ok(Verdict::Order(all));
        }
        let shown = &all[..self.k.min(all.len())];
        let documents: Vec<String> = (session.excerpts(shown).iter().enumerate())
            .map(|(i, text)| format!("[{}] {text}", i + 1))
            .collect();
        let fields = [
            ("documents", documents.join("\n")),
            ("query", session.task.query.to_owned()),
        ];
        let fields = fields.each_ref().map(|(name, text)| (*name, text.as_str()));
        let prompt = fill(include_str!("prompts/feedback.txt").trim_end(), &fields);
        let Some(vector) = session.embed(&prompt).await? else {
            return Ok(Verdict::Order(Vec::new()));
        };
        let (query, documents) = session.vectors()?;
        if vector.len() != query.len() || vector.iter().any(|x| !x.is_finite()) {
            let what = format!("the embedder gave no vector of {} numbers", query.len());
            return Err(Error::Internal { what });
        }
        Ok(cosines(&vector, &documents))
    }
}
