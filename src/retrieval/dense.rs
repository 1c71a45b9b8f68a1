//! Exact search over unit vectors: every row is compared, the best k by cosine are kept.
//!
//! No approximation: 100,000 rows of 384 are tens of milliseconds. Vectors are scaled to unit length
//! on the way in, so they may come with any.

use serde::{Deserialize, Serialize, Serializer};

use super::rows::{Precision, Rows};
use super::top::Top;
use super::{Hit, Schema, damaged, number, skip};
use crate::error::Error;

/// An index of vectors, one a document.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "State")]
pub struct Dense(State);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    schema: Schema<1>,
    /// Documents ever added.
    count: usize,
    /// The document of each row, sorted.
    documents: Vec<u32>,
    rows: Rows,
}

impl Dense {
    /// An empty index of vectors with `width` numbers.
    ///
    /// # Errors
    /// `invalid_argument` when `width` is 0 or above 16,384.
    pub fn new(width: usize, precision: Precision) -> Result<Self, Error> {
        Ok(Self(State {
            schema: Schema::CURRENT,
            count: 0,
            documents: Vec::new(),
            rows: Rows::new(width, precision)?,
        }))
    }

    /// Adds a document and gives its number.
    ///
    /// # Errors
    /// `invalid_argument` when the vector has another width, no direction, or numbers not finite.
    pub fn add(&mut self, vector: &[f32]) -> Result<u32, Error> {
        let document = number(self.0.count)?;
        self.0.rows.push(vector)?;
        self.0.documents.push(document);
        self.0.count += 1;
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
        let State {
            documents: all,
            rows,
            ..
        } = &mut self.0;
        let mut gone = documents.to_vec();
        gone.sort_unstable();
        let keep = |document: &u32| gone.binary_search(document).is_err();
        let before = all.len();
        rows.retain(|index| keep(&all[index]));
        all.retain(keep);
        before - all.len()
    }

    /// The best `k` documents by cosine, best first; ties in insertion order.
    ///
    /// # Errors
    /// As [`Dense::add`].
    pub fn search(&self, query: &[f32], k: usize) -> Result<Vec<Hit>, Error> {
        let State {
            documents, rows, ..
        } = &self.0;
        let query = rows.query(query)?;
        let mut top = Top::new(k);
        for (index, &document) in documents.iter().enumerate() {
            top.push(document, rows.dot(&query, index));
        }
        Ok(top.into_hits())
    }

    /// A document's unit vector, as it is kept; `None` when there is no such document.
    #[must_use]
    pub fn vector(&self, document: u32) -> Option<Vec<f32>> {
        let index = self.0.documents.binary_search(&document).ok()?;
        Some(self.0.rows.row(index))
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

impl Serialize for Dense {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl TryFrom<State> for Dense {
    type Error = Error;

    fn try_from(state: State) -> Result<Self, Error> {
        number(state.count)?;
        state.rows.check(state.documents.len())?;
        let below = |&last: &u32| (last as usize) < state.count;
        let sorted = state.documents.is_sorted_by(|a, b| a < b);
        if !sorted || !state.documents.last().is_none_or(below) {
            return Err(damaged("documents out of order"));
        }
        Ok(Self(state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directions in a plane, by angle in degrees.
    fn at(degrees: f32) -> [f32; 2] {
        let (sin, cos) = degrees.to_radians().sin_cos();
        [3.0 * cos, 3.0 * sin]
    }

    fn index(precision: Precision) -> Dense {
        let mut index = Dense::new(2, precision).unwrap();
        for degrees in [90.0, 10.0, 50.0, 10.0, 180.0, 30.0] {
            index.add(&at(degrees)).unwrap();
        }
        index
    }

    fn found(index: &Dense, k: usize) -> Vec<u32> {
        let hits = index.search(&at(0.0), k).unwrap();
        hits.iter().map(|hit| hit.document).collect()
    }

    #[test]
    fn the_nearest_directions_come_first_and_ties_in_insertion_order() {
        for precision in [Precision::F32, Precision::Int8] {
            let index = index(precision);
            assert_eq!(found(&index, 9), [1, 3, 5, 2, 0, 4], "{precision:?}");
            assert_eq!(found(&index, 2), [1, 3]);
            let best = index.search(&at(10.0), 1).unwrap()[0];
            assert!((best.score - 1.0).abs() < 0.01, "{best:?}");
        }
    }

    #[test]
    fn removal_keeps_the_others_and_their_numbers() {
        for precision in [Precision::F32, Precision::Int8] {
            let mut index = index(precision);
            let kept = index.vector(5);
            assert_eq!(index.remove(&[2, 1, 2, 77]), 2);
            assert_eq!(found(&index, 9), [3, 5, 0, 4]);
            assert_eq!((index.vector(5), index.vector(1)), (kept, None));
            assert_eq!(index.add(&at(0.0)).unwrap(), 6);
            assert_eq!(found(&index, 2), [6, 3]);
            assert_eq!(index.remove(&[0, 3, 4, 5, 6]), 5);
            assert!(index.is_empty() && found(&index, 5).is_empty());
        }
    }

    #[test]
    fn a_stored_index_answers_as_it_did() {
        for precision in [Precision::F32, Precision::Int8] {
            let mut index = index(precision);
            index.remove(&[5]);
            let json = serde_json::to_string(&index).unwrap();
            let read: Dense = serde_json::from_str(&json).unwrap();
            assert_eq!(read, index);
            assert_eq!(found(&read, 9), [1, 3, 2, 0, 4]);
        }
    }

    #[test]
    fn a_stored_index_that_is_damaged_is_refused() {
        let json = serde_json::to_string(&index(Precision::Int8)).unwrap();
        for (from, to, expected) in [
            ("\"schema\":1", "\"schema\":9", "schema 9"),
            ("\"count\":6", "\"count\":5", "out of order"),
            ("[0,1,2,", "[1,0,2,", "out of order"),
            ("[0,1,2,", "[1,2,", "not whole"),
            ("\"width\":2", "\"width\":20", "not whole"),
            ("\"width\":2", "\"width\":0", "width"),
        ] {
            let bad = json.replacen(from, to, 1);
            assert_ne!(bad, json, "{from} is not there to be replaced");
            let error = serde_json::from_str::<Dense>(&bad).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
