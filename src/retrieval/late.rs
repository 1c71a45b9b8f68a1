//! Late interaction on the CPU: a document is the unit vectors of its tokens, and its score the sum
//! over the query's tokens of the best cosine each finds in it (MaxSim: ColBERT, arXiv:2004.12832).
//!
//! Document vectors are kept and reused for every query. Nothing is pruned.

use core::ops::Range;

use serde::{Deserialize, Serialize, Serializer};

use super::rows::{Precision, Query, Rows};
use super::top::Top;
use super::{Hit, Schema, damaged, number, skip};
use crate::error::Error;

/// An index of token vectors, some a document.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "State")]
pub struct Late(State);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    schema: Schema<1>,
    /// Documents ever added.
    count: usize,
    /// Numbers, sorted.
    documents: Vec<u32>,
    /// Where the rows of each document end.
    ends: Vec<usize>,
    rows: Rows,
}

impl Late {
    /// An empty index of vectors with `width` numbers.
    ///
    /// # Errors
    /// `invalid_argument` when `width` is 0 or above 16,384.
    pub fn new(width: usize, precision: Precision) -> Result<Self, Error> {
        Ok(Self(State {
            schema: Schema::CURRENT,
            count: 0,
            documents: Vec::new(),
            ends: Vec::new(),
            rows: Rows::new(width, precision)?,
        }))
    }

    /// Adds a document as the vectors of its tokens (`[t, width]`, at least one) and gives its
    /// number.
    ///
    /// # Errors
    /// `invalid_argument` when there is no vector, or one has another width, no direction, or
    /// numbers not finite; the index is then as it was.
    pub fn add(&mut self, tokens: &[impl AsRef<[f32]>]) -> Result<u32, Error> {
        let state = &mut self.0;
        let document = number(state.count)?;
        let before = state.rows.len();
        let pushed = tokens.iter().try_for_each(|t| state.rows.push(t.as_ref()));
        if let Err(error) = pushed {
            state.rows.retain(|index| index < before);
            return Err(error);
        }
        if tokens.is_empty() {
            return Err(Error::argument("tokens", "at least one vector", 0));
        }
        state.documents.push(document);
        state.ends.push(state.rows.len());
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
    pub fn documents(&self) -> &[u32] {
        &self.0.documents
    }

    /// Removes documents and says how many of them were there. Cost: one move of all rows.
    pub fn remove(&mut self, documents: &[u32]) -> usize {
        let mut named = documents.to_vec();
        named.sort_unstable();
        let gone: Vec<usize> = (self.0.documents.iter().enumerate())
            .filter(|(_, document)| named.binary_search(document).is_ok())
            .map(|(index, _)| index)
            .collect();
        let spans: Vec<Range<usize>> = gone.iter().map(|&index| self.0.span(index)).collect();
        let state = &mut self.0;
        state.rows.retain(|row| {
            let after = spans.partition_point(|span| span.end <= row);
            spans.get(after).is_none_or(|span| row < span.start)
        });
        let mut lengths = Vec::with_capacity(state.ends.len());
        let mut start = 0;
        for &end in &state.ends {
            lengths.push(end - start);
            start = end;
        }
        for &index in gone.iter().rev() {
            state.documents.remove(index);
            lengths.remove(index);
        }
        state.ends = (lengths.into_iter())
            .scan(0, |end, length| {
                *end += length;
                Some(*end)
            })
            .collect();
        gone.len()
    }

    /// The best `k` documents by MaxSim, best first; ties in insertion order. A score is at most the
    /// number of query tokens. Cost: one cosine for each query token and document token.
    ///
    /// # Errors
    /// `invalid_argument`, as [`Late::add`]. A query without tokens finds nothing.
    pub fn search(&self, query: &[impl AsRef<[f32]>], k: usize) -> Result<Vec<Hit>, Error> {
        let query = self.0.query(query)?;
        let mut top = Top::new(k);
        if !query.is_empty() {
            for (index, &document) in self.0.documents.iter().enumerate() {
                top.push(document, self.0.score(&query, index));
            }
        }
        Ok(top.into_hits())
    }

    /// MaxSim of the query with each of `documents`, in their order, for reranking what another
    /// first stage found; `None` for a document that is not here.
    ///
    /// # Errors
    /// `invalid_argument`, as [`Late::add`].
    pub fn scores(
        &self,
        query: &[impl AsRef<[f32]>],
        documents: &[u32],
    ) -> Result<Vec<Option<f32>>, Error> {
        let query = self.0.query(query)?;
        let index = |document| self.0.documents.binary_search(document).ok();
        Ok((documents.iter())
            .map(|document| index(document).map(|index| self.0.score(&query, index)))
            .collect())
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

    /// Numbers in a vector.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.rows.width()
    }
}

impl State {
    /// Rows of a document, by its place in `documents`.
    fn span(&self, index: usize) -> Range<usize> {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        start..self.ends[index]
    }

    fn query(&self, tokens: &[impl AsRef<[f32]>]) -> Result<Vec<Query>, Error> {
        let ready = |token: &_| self.rows.query(AsRef::as_ref(token));
        tokens.iter().map(ready).collect()
    }

    /// Rows outside, query tokens inside: a query fits the cache, a long page does not.
    fn score(&self, query: &[Query], index: usize) -> f32 {
        let mut best = vec![f32::NEG_INFINITY; query.len()];
        for row in self.span(index) {
            for (best, token) in best.iter_mut().zip(query) {
                *best = best.max(self.rows.dot(token, row));
            }
        }
        best.iter().sum()
    }
}

impl Serialize for Late {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl TryFrom<State> for Late {
    type Error = Error;

    fn try_from(state: State) -> Result<Self, Error> {
        number(state.count)?;
        state.rows.check(state.ends.last().copied().unwrap_or(0))?;
        let below = |&last: &u32| (last as usize) < state.count;
        let sorted = state.documents.is_sorted_by(|a, b| a < b)
            && state.documents.last().is_none_or(below)
            && state.documents.len() == state.ends.len()
            && state.ends.first().is_none_or(|&first| first > 0)
            && state.ends.is_sorted_by(|a, b| a < b);
        if !sorted {
            return Err(damaged("documents out of order"));
        }
        Ok(Self(state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f32; 3] = [2.0, 0.0, 0.0];
    const Y: [f32; 3] = [0.0, 1.0, 0.0];
    const Z: [f32; 3] = [0.0, 0.0, 5.0];
    const XY: [f32; 3] = [1.0, 1.0, 0.0];

    fn index(precision: Precision) -> Late {
        let mut index = Late::new(3, precision).unwrap();
        for tokens in [&[X, Y][..], &[Z], &[X, XY, Z], &[Y, Y, X]] {
            index.add(tokens).unwrap();
        }
        index
    }

    #[test]
    fn each_query_token_counts_its_best_match() {
        let half = 0.5_f32.sqrt();
        for precision in [Precision::F32, Precision::Int8] {
            let index = index(precision);
            let scores = index.scores(&[X, Y], &[2, 0, 1, 3, 9]).unwrap();
            let expected = [Some(1.0 + half), Some(2.0), Some(0.0), Some(2.0), None];
            for (found, expected) in scores.iter().zip(expected) {
                let close = match (found, expected) {
                    (Some(found), Some(expected)) => (found - expected).abs() < 1e-3,
                    (found, expected) => *found == expected,
                };
                assert!(close, "{found:?} is not {expected:?}");
            }
            let hits = index.search(&[X, Y], 3).unwrap();
            let found: Vec<u32> = hits.iter().map(|hit| hit.document).collect();
            assert_eq!(found, [0, 3, 2]);
            assert!(index.search(&[] as &[[f32; 3]], 3).unwrap().is_empty());
        }
    }

    #[test]
    fn removal_keeps_the_others_and_their_scores() {
        for gone in [&[0][..], &[1], &[3], &[0, 3], &[1, 2], &[0, 1, 2, 3]] {
            let mut index = index(Precision::Int8);
            let all = [0, 1, 2, 3];
            let before = index.scores(&[X, Z], &all).unwrap();
            assert_eq!(index.remove(gone), gone.len());
            assert_eq!(index.remove(gone), 0);
            let after = index.scores(&[X, Z], &all).unwrap();
            for document in all {
                let expected = before[document as usize].filter(|_| !gone.contains(&document));
                assert_eq!(after[document as usize], expected, "{gone:?}");
            }
            assert_eq!(index.add(&[Z]).unwrap(), 4);
            assert_eq!(index.scores(&[Z], &[4]).unwrap(), [Some(1.0)]);
        }
    }

    #[test]
    fn a_document_with_one_bad_vector_changes_nothing() {
        let mut index = index(Precision::F32);
        let before = index.clone();
        assert!(index.add(&[&X[..], &[1.0]]).is_err());
        assert!(index.add(&[] as &[[f32; 3]]).is_err());
        assert_eq!(index, before);
    }

    #[test]
    fn a_stored_index_answers_as_it_did_and_a_damaged_one_is_refused() {
        let mut index = index(Precision::F32);
        index.remove(&[1]);
        let json = serde_json::to_string(&index).unwrap();
        let read: Late = serde_json::from_str(&json).unwrap();
        assert_eq!(read, index);
        for (from, to) in [
            ("\"ends\":[2,", "\"ends\":[0,"),
            ("\"ends\":[2,5,8]", "\"ends\":[2,5,7]"),
            ("\"documents\":[0,2,3]", "\"documents\":[0,3]"),
            ("\"count\":4", "\"count\":3"),
        ] {
            let bad = json.replace(from, to);
            assert_ne!(bad, json, "{from} is not there to be replaced");
            assert!(serde_json::from_str::<Late>(&bad).is_err(), "{to}");
        }
    }
}
