//! BM25 as Lucene 8 and later has it, over an inverted index in memory: for each query term,
//! idf x tf / (tf + k1 (1 - b + b length / mean length)), idf = ln(1 + (n - df + 0.5) / (df + 0.5)).
//!
//! Robertson & Zaragoza 2009; the variants compared: Kamphuis et al. 2020. Lengths are exact, where
//! Lucene keeps them in one byte. No phrases, no fields, no compression.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};

use super::analysis::Analysis;
use super::inverted::{Inverted, Sums};
use super::{Hit, Schema, damaged, number, skip};
use crate::error::Error;

/// Length of a document that was removed.
const GONE: u32 = u32::MAX;

/// The two parameters of BM25.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// How soon a repeated term stops counting; 0 or more, finite.
    pub k1: f32,
    /// How much a document's length counts against it; 0..=1.
    pub b: f32,
}

impl Default for Parameters {
    /// 0.9 and 0.4, which BEIR's baselines use.
    fn default() -> Self {
        Self { k1: 0.9, b: 0.4 }
    }
}

/// An index of texts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "State")]
pub struct Bm25(State);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    schema: Schema<1>,
    analysis: Analysis,
    parameters: Parameters,
    /// Terms of each document by number, or [`GONE`].
    lengths: Vec<u32>,
    postings: Inverted<String, u32>,
    /// Documents with at least one term, and the terms of all of them: what the formula counts.
    filled: u32,
    total: u64,
}

impl Bm25 {
    /// An empty index.
    ///
    /// # Errors
    /// `invalid_argument` when a parameter is out of its range.
    pub fn new(analysis: Analysis, parameters: Parameters) -> Result<Self, Error> {
        let Parameters { k1, b } = parameters;
        if !(k1.is_finite() && k1 >= 0.0) {
            return Err(Error::argument("k1", "a finite number, 0 or more", k1));
        }
        if !(0.0..=1.0).contains(&b) {
            return Err(Error::argument("b", "0 to 1", b));
        }
        Ok(Self(State {
            schema: Schema::CURRENT,
            analysis,
            parameters,
            lengths: Vec::new(),
            postings: Inverted::new(),
            filled: 0,
            total: 0,
        }))
    }

    /// Adds a document and gives its number. A text without terms has a number and is never found.
    ///
    /// # Errors
    /// `invalid_argument` when 2^32 documents were added.
    pub fn add(&mut self, text: &str) -> Result<u32, Error> {
        let state = &mut self.0;
        let document = number(state.lengths.len())?;
        let mut length = 0_u32;
        let mut frequencies: BTreeMap<String, u32> = BTreeMap::new();
        for term in state.analysis.terms(text) {
            *frequencies.entry(term).or_default() += 1;
            length += 1;
        }
        for (term, frequency) in frequencies {
            state.postings.add(document, term, frequency);
        }
        state.lengths.push(length);
        state.filled += u32::from(length > 0);
        state.total += u64::from(length);
        Ok(document)
    }

    /// Leaves out the numbers below `number`, as if their documents had been removed.
    ///
    /// # Errors
    /// `invalid_argument` when it was used already.
    pub fn skip_to(&mut self, number: u32) -> Result<(), Error> {
        let lengths = &mut self.0.lengths;
        let mut count = lengths.len();
        skip(&mut count, number)?;
        lengths.resize(count, GONE);
        Ok(())
    }

    /// Numbers of the documents in the index, ascending.
    #[must_use]
    pub fn documents(&self) -> Vec<u32> {
        let numbered = (0..).zip(&self.0.lengths);
        let live = numbered.filter(|(_, length)| **length != GONE);
        live.map(|(number, _)| number).collect()
    }

    /// Removes documents and says how many of them were there. Scores are then those of an index
    /// that never had them. Cost: one search a document and term, so remove many at once.
    pub fn remove(&mut self, documents: &[u32]) -> usize {
        let state = &mut self.0;
        let mut gone = BTreeSet::new();
        for &document in documents {
            if let Some(length) = state.lengths.get_mut(document as usize)
                && *length != GONE
            {
                state.filled -= u32::from(*length > 0);
                state.total -= u64::from(*length);
                *length = GONE;
                gone.insert(document);
            }
        }
        state.postings.remove(&gone);
        gone.len()
    }

    /// The best `k` documents that share a term with the query, best first. A term that stands twice
    /// in the query counts twice. Cost: one addition for each document of each term.
    #[must_use]
    pub fn search(&self, query: &str, k: usize) -> Vec<Hit> {
        let state = &self.0;
        let Parameters { k1, b } = state.parameters;
        let mean = state.total as f32 / state.filled as f32;
        let mut sums = Sums::new(state.lengths.len() as u32);
        for term in state.analysis.terms(query) {
            let Some(list) = state.postings.get(&term) else {
                continue;
            };
            let (n, df) = (f64::from(state.filled), list.len() as f64);
            let idf = (1.0 + (n - df + 0.5) / (df + 0.5)).ln() as f32;
            for (document, frequency) in list.iter() {
                let length = state.lengths[document as usize] as f32;
                let tf = frequency as f32;
                let saturation = k1 * (1.0 - b + b * length / mean);
                // The quotient first: it is exactly 1 where k1 is 0, and ties are ties.
                sums.add(document, idf * (tf / (tf + saturation)));
            }
        }
        sums.into_top(k)
    }

    /// Documents in the index.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lengths.iter().filter(|&&l| l != GONE).count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Distinct terms.
    #[must_use]
    pub fn terms(&self) -> usize {
        self.0.postings.keys()
    }

    /// How texts and queries become terms.
    #[must_use]
    pub fn analysis(&self) -> Analysis {
        self.0.analysis
    }
}

impl Serialize for Bm25 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl TryFrom<State> for Bm25 {
    type Error = Error;

    fn try_from(state: State) -> Result<Self, Error> {
        Self::new(state.analysis, state.parameters)?;
        let live = || state.lengths.iter().filter(|&&length| length != GONE);
        let filled = live().filter(|&&length| length > 0).count();
        let total: u64 = live().map(|&length| u64::from(length)).sum();
        number(state.lengths.len())?;
        if filled != state.filled as usize || total != state.total {
            return Err(damaged("lengths that do not sum up"));
        }
        let there = |document: u32| {
            let length = state.lengths.get(document as usize);
            length.is_some_and(|&length| length != GONE)
        };
        let sound = |document, frequency| there(document) && frequency > 0;
        if !state.postings.is_sound(sound) {
            return Err(damaged("postings out of order"));
        }
        Ok(Self(state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 5] = [
        "the old stone bridge",
        "a bridge over the river",
        "",
        "the river the river",
        "a bridge over the river",
    ];

    fn index(texts: &[&str]) -> Bm25 {
        let mut index = Bm25::new(Analysis::default(), Parameters::default()).unwrap();
        for text in texts {
            index.add(text).unwrap();
        }
        index
    }

    fn found(index: &Bm25, query: &str) -> Vec<u32> {
        let hits = index.search(query, 10);
        hits.iter().map(|hit| hit.document).collect()
    }

    #[test]
    fn ties_are_in_insertion_order_and_strangers_are_not_found() {
        let index = index(&TEXTS);
        assert_eq!(found(&index, "Bridge"), [0, 1, 4]);
        assert_eq!(found(&index, "over"), [1, 4]);
        assert!(found(&index, "castle").is_empty() && found(&index, "").is_empty());
        assert_eq!(index.search("bridge", 1).len(), 1);
        assert!(index.search("bridge", 0).is_empty());
        assert_eq!((index.len(), index.terms()), (5, 7));
    }

    #[test]
    fn after_removal_scores_are_those_of_an_index_that_never_had_the_document() {
        let mut all = index(&TEXTS);
        assert_eq!(all.remove(&[1, 2, 1, 99]), 2);
        assert_eq!(all.remove(&[1]), 0);
        let fresh = index(&[TEXTS[0], TEXTS[3], TEXTS[4]]);
        for query in ["bridge river", "the stone", "over"] {
            let scores = |index: &Bm25| -> Vec<f32> {
                index
                    .search(query, 10)
                    .iter()
                    .map(|hit| hit.score)
                    .collect()
            };
            assert_eq!(scores(&all), scores(&fresh), "{query}");
        }
        assert_eq!(all.add("a new bridge").unwrap(), 5);
        assert_eq!(all.len(), 4);
    }

    #[test]
    fn removing_everything_leaves_an_index_that_can_be_used_again() {
        let mut index = index(&TEXTS);
        assert_eq!(index.remove(&[0, 1, 2, 3, 4]), 5);
        assert!(index.is_empty() && index.terms() == 0);
        assert!(found(&index, "bridge").is_empty());
        index.add("bridge").unwrap();
        assert_eq!(found(&index, "bridge"), [5]);
    }

    #[test]
    fn a_stored_index_answers_as_it_did_and_analyses_as_it_did() {
        let mut index = Bm25::new(Analysis::ENGLISH, Parameters { k1: 1.2, b: 0.75 }).unwrap();
        for text in TEXTS {
            index.add(text).unwrap();
        }
        index.remove(&[0]);
        let json = serde_json::to_string(&index).unwrap();
        let read: Bm25 = serde_json::from_str(&json).unwrap();
        assert_eq!(read, index);
        assert_eq!(read.search("the rivers", 9), index.search("the rivers", 9));
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }

    #[test]
    fn a_stored_index_of_another_schema_or_damaged_is_refused() {
        let json = serde_json::to_string(&index(&TEXTS)).unwrap();
        for (from, to, expected) in [
            ("\"schema\":1", "\"schema\":2", "schema 2"),
            ("\"documents\":[0]", "\"documents\":[7]", "out of order"),
            ("\"documents\":[1,4]", "\"documents\":[4,1]", "out of order"),
            ("\"total\":", "\"total\":1", "sum up"),
            ("\"k1\":0.9", "\"k1\":-1", "k1"),
        ] {
            let bad = json.replace(from, to);
            assert_ne!(bad, json, "{from} is not there to be replaced");
            let error = serde_json::from_str::<Bm25>(&bad).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        for (k1, b) in [
            (-0.1, 0.4),
            (f32::NAN, 0.4),
            (f32::INFINITY, 0.4),
            (0.9, 1.1),
        ] {
            let error = Bm25::new(Analysis::default(), Parameters { k1, b }).unwrap_err();
            assert_eq!(error.code(), "invalid_argument");
        }
    }
}
