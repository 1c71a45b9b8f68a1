//! One question, many ways to ask it: given a query and a group of documents, a number for each.
//!
//! A [`Judge`] answers it (a local network, an LLM, a test's fake); a strategy decides what to ask
//! and turns the answers into a ranking. Strategies are control flow only: no tensors, no network.

use crate::error::Error;

mod pointwise;

pub use pointwise::pointwise;

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
#[derive(Debug, Clone, Copy, PartialEq)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_score_comes_first_and_ties_keep_input_order() {
        let ranked = rank(&[0.5, 2.0, -0.0, 2.0, 0.0], Some(4)).unwrap();
        let order: Vec<usize> = ranked.iter().map(|r| r.index).collect();
        assert_eq!(order, [1, 3, 0, 4]);
    }

    #[test]
    fn a_nan_is_an_error_that_names_the_document() {
        let error = rank(&[1.0, f32::NAN], None).unwrap_err();
        assert_eq!(error.code(), "internal");
        assert!(error.to_string().contains("document 1"), "{error}");
    }
}
