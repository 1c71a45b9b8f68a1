//! Learned sparse retrieval: a document is a weight for some of a vocabulary's tokens (SPLADE,
//! arXiv:2107.05720), its score the dot product with the query's weights.
//!
//! Exact, over the inverted index that BM25 uses too. The network that makes weights is elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};

use super::inverted::{Inverted, Sums};
use super::{Hit, Schema, damaged, number, skip};
use crate::error::Error;

/// An index of sparse vectors.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "State")]
pub struct Sparse(State);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    schema: Schema<1>,
    /// Documents ever added.
    count: usize,
    documents: BTreeSet<u32>,
    postings: Inverted<u32, f32>,
}

impl Default for Sparse {
    fn default() -> Self {
        Self::new()
    }
}

impl Sparse {
    /// An empty index.
    #[must_use]
    pub const fn new() -> Self {
        Self(State {
            schema: Schema::CURRENT,
            count: 0,
            documents: BTreeSet::new(),
            postings: Inverted::new(),
        })
    }

    /// Adds a document as (token id, weight) in any order and gives its number. Weights are finite
    /// and 0 or more; those of 0 are left out, and a token that comes twice has the sum.
    ///
    /// # Errors
    /// `invalid_argument` when a weight is negative or not finite.
    pub fn add(&mut self, weights: &[(u32, f32)]) -> Result<u32, Error> {
        let state = &mut self.0;
        let document = number(state.count)?;
        for (token, weight) in merged(weights)? {
            state.postings.add(document, token, weight);
        }
        state.documents.insert(document);
        state.count += 1;
        Ok(document)
    }

    /// Leaves out the numbers below `number`, as if their documents had been removed.
    ///
    /// # Errors
    /// `invalid_argument` when it was used already.
    pub fn skip_to(&mut self, number: u32) -> Result<(), Error> {
        skip(&mut self.0.count, number)
    }

    /// Numbers of the documents in the index, ascending.
    #[must_use]
    pub fn documents(&self) -> Vec<u32> {
        self.0.documents.iter().copied().collect()
    }

    /// Removes documents and says how many of them were there. Cost: one search a document and
    /// token, so remove many at once.
    pub fn remove(&mut self, documents: &[u32]) -> usize {
        let state = &mut self.0;
        let gone: BTreeSet<u32> = (documents.iter().copied())
            .filter(|document| state.documents.remove(document))
            .collect();
        state.postings.remove(&gone);
        gone.len()
    }

    /// The best `k` documents that share a token with the query, best first; ties in insertion
    /// order. Cost: one addition for each document of each token.
    ///
    /// # Errors
    /// As [`Sparse::add`].
    pub fn search(&self, query: &[(u32, f32)], k: usize) -> Result<Vec<Hit>, Error> {
        let state = &self.0;
        let mut sums = Sums::new(number(state.count)?);
        for (token, impact) in merged(query)? {
            for (document, weight) in state.postings.get(&token).iter().flat_map(|l| l.iter()) {
                sums.add(document, impact * weight);
            }
        }
        Ok(sums.into_top(k))
    }

    /// Documents in the index.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.documents.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.documents.is_empty()
    }
}

/// Weights by token, none of them 0.
fn merged(weights: &[(u32, f32)]) -> Result<BTreeMap<u32, f32>, Error> {
    let mut merged = BTreeMap::new();
    for &(token, weight) in weights {
        if !(weight.is_finite() && weight >= 0.0) {
            let found = format!("{weight} for token {token}");
            return Err(Error::argument(
                "weight",
                "a finite number, 0 or more",
                found,
            ));
        }
        if weight > 0.0 {
            *merged.entry(token).or_insert(0.0) += weight;
        }
    }
    Ok(merged)
}

impl Serialize for Sparse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl TryFrom<State> for Sparse {
    type Error = Error;

    fn try_from(state: State) -> Result<Self, Error> {
        number(state.count)?;
        let below = |&last: &u32| (last as usize) < state.count;
        let sound = |document: u32, weight: f32| {
            state.documents.contains(&document) && weight.is_finite() && weight > 0.0
        };
        if !state.documents.last().is_none_or(below) || !state.postings.is_sound(sound) {
            return Err(damaged("postings out of order"));
        }
        Ok(Self(state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Sparse {
        let mut index = Sparse::new();
        for weights in [
            &[(7, 1.0), (3, 0.5)][..],
            &[(3, 2.0), (9, 0.0)],
            &[],
            &[(7, 1.0), (3, 0.25), (3, 0.25)],
        ] {
            index.add(weights).unwrap();
        }
        index
    }

    fn found(index: &Sparse, query: &[(u32, f32)]) -> Vec<(u32, f32)> {
        let hits = index.search(query, 10).unwrap();
        hits.iter().map(|hit| (hit.document, hit.score)).collect()
    }

    #[test]
    fn scores_are_dot_products_and_ties_are_in_insertion_order() {
        let index = index();
        let expected = [(0, 2.5), (3, 2.5), (1, 2.0)];
        assert_eq!(found(&index, &[(7, 2.0), (3, 1.0)]), expected);
        assert!(found(&index, &[(9, 1.0), (3, 0.0)]).is_empty());
        assert_eq!(index.search(&[(3, 1.0)], 1).unwrap()[0].document, 1);
    }

    #[test]
    fn a_removed_document_is_not_found_and_its_number_not_given_again() {
        let mut index = index();
        assert_eq!(index.remove(&[0, 2, 0, 50]), 2);
        assert_eq!(found(&index, &[(7, 1.0)]), [(3, 1.0)]);
        assert_eq!(index.add(&[(7, 4.0)]).unwrap(), 4);
        assert_eq!((index.len(), found(&index, &[(7, 1.0)])[0].0), (3, 4));
    }

    #[test]
    fn weights_that_are_negative_or_not_finite_are_refused() {
        let mut index = index();
        for bad in [-1.0, f32::NAN, f32::INFINITY] {
            let weights = [(1, 1.0), (2, bad)];
            assert_eq!(index.add(&weights).unwrap_err().code(), "invalid_argument");
            assert!(index.search(&weights, 5).is_err());
        }
        assert_eq!(index, self::index());
    }

    #[test]
    fn a_stored_index_answers_as_it_did_and_a_damaged_one_is_refused() {
        let mut index = index();
        index.remove(&[1]);
        let json = serde_json::to_string(&index).unwrap();
        let read: Sparse = serde_json::from_str(&json).unwrap();
        assert_eq!(read, index);
        for (from, to) in [
            ("\"schema\":1", "\"schema\":0"),
            ("\"count\":4", "\"count\":3"),
            ("{\"documents\":[0,3]", "{\"documents\":[1,3]"),
            ("\"weights\":[0.5", "\"weights\":[-0.5"),
        ] {
            let bad = json.replace(from, to);
            assert_ne!(bad, json, "{from} is not there to be replaced");
            assert!(serde_json::from_str::<Sparse>(&bad).is_err(), "{to}");
        }
    }
}
