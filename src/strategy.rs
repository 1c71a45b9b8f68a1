//! One question, many ways to ask it: given a query and a group of documents, a number for each.
//!
//! A [`Judge`] answers it (a local network, an LLM, a test's fake); a strategy decides what to ask
//! and turns the answers into a ranking. Strategies are control flow only: no tensors, no network.
//! A [`Task`] says what to rank and how much to spend, [`Seams`] what models there are, and
//! [`Strategy::run`] or [`rerank_with`] gives an [`Outcome`].

use serde::Serialize;

use crate::error::Error;

mod adapt;
mod anncur;
mod answer;
mod diffusion;
mod facets;
mod feedback;
mod first;
mod groupwise;
mod heap;
mod icr;
mod insert_rank;
mod join;
mod linear;
mod listwise;
mod outcome;
mod pairwise;
mod plan;
mod pointwise;
mod prompt;
mod prune;
mod question;
mod registry;
mod rewrite;
mod seams;
mod session;
mod setwise;
mod square;
mod task;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
mod transform;
mod windows;

pub use adapt::{Asked, LlmJudge, RoundRobin};
pub use anncur::Anncur;
pub use diffusion::{Diffusion, Expansion};
pub use facets::{Checklist, Facets};
pub use feedback::{PromptFeedback, Rocchio};
pub use first::First;
pub use groupwise::Groupwise;
pub use icr::Icr;
pub use insert_rank::InsertRank;
pub use listwise::{ListWindows, Listwise};
pub use outcome::{Cost, Extras, Outcome, Progress, Warning};
pub use pairwise::{Orders, Pairs, Pairwise};
pub use plan::{Bound, Description, Family, Need};
pub use pointwise::{Pointwise, pointwise};
pub use prune::{EarlyExit, Prune};
pub use registry::{Strategy, rerank_with};
pub use rewrite::Rewrite;
pub use seams::{
    AnyAttention, AnyEmbedder, AnyJudge, AnyLetters, AnyLlm, AnyPages, Attention, AttentionPrompt,
    Embedder, Letters, Pages, Seams, Vectors,
};
pub use setwise::Setwise;
pub use square::Square;
pub use task::{Limits, Task};

/// A query and the documents to be judged together.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// Query text.
    pub query: &'a str,
    /// Document texts, at most [`Judge::max_group`].
    pub documents: &'a [&'a str],
}

/// Gives documents numbers.
#[expect(
    async_fn_in_trait,
    reason = "WASM futures are not Send; strategies are generic over the judge"
)]
pub trait Judge {
    /// Documents that one group may hold: 1 cross-encoder, 2 duo, k setwise, w listwise.
    fn max_group(&self) -> usize;

    /// One number a document for each group, in the order given; higher is better.
    ///
    /// # Errors
    /// As the judge documents; the ranking that asked fails with the same error.
    async fn judge(&self, groups: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error>;
}

/// A document in a ranking.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ranked {
    /// 0-based position in the input.
    pub index: usize,
    /// The judge's number; higher is better.
    pub score: f32,
}

/// Scores in input order as a ranking: highest first, ties by index, the best `top_n` kept.
///
/// # Errors
/// `internal` when a score is NaN: such a ranking would be noise.
pub fn rank(scores: &[f32], top_n: Option<usize>) -> Result<Vec<Ranked>, Error> {
    if let Some(index) = scores.iter().position(|score| score.is_nan()) {
        return Err(Error::Internal {
            what: format!("document {index} scored NaN"),
        });
    }
    let mut ranked: Vec<Ranked> = (scores.iter().enumerate())
        .map(|(index, &score)| Ranked { index, score })
        .collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.index.cmp(&b.index)));
    ranked.truncate(top_n.unwrap_or(usize::MAX));
    Ok(ranked)
}
