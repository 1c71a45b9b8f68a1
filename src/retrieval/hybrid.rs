//! BM25 and dense vectors over the same documents, under numbers that the caller gives them: what a
//! stored index is in memory.
//!
//! Texts and vectors are kept elsewhere; a document's vector may come later or never. Only BM25 is
//! serialised, because vectors are stored as they are.

use super::bm25::Parameters;
use super::{Analysis, Bm25, Dense, Fusion, Hit, Precision};
use crate::error::Error;

/// Candidates of each side that a fusion sees, at least.
const DEPTH: usize = 100;

/// The two indexes.
#[derive(Debug, Clone, PartialEq)]
pub struct Hybrid {
    bm25: Bm25,
    dense: Option<Dense>,
}

/// Which side answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Words.
    Bm25,
    /// Vectors.
    Dense,
    /// Both: BM25 is the first ranking.
    Fused(Fusion),
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// The query's text, for BM25.
    pub text: &'a str,
    /// The query's vector, for dense.
    pub vector: &'a [f32],
    /// Which side answers.
    pub mode: Mode,
    /// Documents to return.
    pub top: usize,
}

/// A document that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Its number.
    pub document: u32,
    /// As the mode has it; higher is better.
    pub score: f32,
    /// BM25's score, where it was among its candidates.
    pub bm25: Option<f32>,
    /// The cosine, likewise.
    pub dense: Option<f32>,
}

impl Hybrid {
    /// An empty index.
    ///
    /// # Errors
    /// None today; as [`Bm25::new`].
    pub fn new(analysis: Analysis) -> Result<Self, Error> {
        Ok(Self {
            bm25: Bm25::new(analysis, Parameters::default())?,
            dense: None,
        })
    }

    /// The index of what [`Self::bm25_bytes`] gave, without vectors.
    ///
    /// # Errors
    /// `invalid_argument` for other bytes, or those of another version: build it again.
    pub fn from_bm25_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let bm25 = postcard::from_bytes(bytes)
            .map_err(|error| Error::argument("index", "a stored BM25 index", error))?;
        Ok(Self { bm25, dense: None })
    }

    /// BM25 as bytes.
    ///
    /// # Errors
    /// `internal` only.
    pub fn bm25_bytes(&self) -> Result<Vec<u8>, Error> {
        postcard::to_stdvec(&self.bm25).map_err(|error| Error::Internal {
            what: error.to_string(),
        })
    }

    /// Adds a text under a number above all that were ever added.
    ///
    /// # Errors
    /// `invalid_argument` for a lower number.
    pub fn add(&mut self, number: u32, text: &str) -> Result<(), Error> {
        self.bm25.skip_to(number)?;
        self.bm25.add(text).map(drop)
    }

    /// Adds the vector of a document, under a number above all whose vectors were ever added.
    ///
    /// # Errors
    /// `invalid_argument` for a lower number, or as [`Dense::add`].
    pub fn add_vector(&mut self, number: u32, vector: &[f32]) -> Result<(), Error> {
        let mut dense = match self.dense.take() {
            Some(dense) => dense,
            None => Dense::new(vector.len(), Precision::F32)?,
        };
        let added = dense.skip_to(number).and_then(|()| dense.add(vector));
        self.dense = Some(dense);
        added.map(drop)
    }

    /// Drops all vectors; they may have another width from now on.
    pub fn forget_vectors(&mut self) {
        self.dense = None;
    }

    /// Removes documents, text and vector.
    pub fn remove(&mut self, numbers: &[u32]) {
        self.bm25.remove(numbers);
        if let Some(dense) = &mut self.dense {
            dense.remove(numbers);
        }
    }

    /// Numbers of the documents with a text, ascending.
    #[must_use]
    pub fn documents(&self) -> Vec<u32> {
        self.bm25.documents()
    }

    /// Numbers of the documents with a vector, ascending.
    #[must_use]
    pub fn with_vectors(&self) -> &[u32] {
        self.dense.as_ref().map_or(&[], Dense::documents)
    }

    /// The best documents, best first. Cost: that of the sides that answer.
    ///
    /// # Errors
    /// `invalid_argument` for a vector that does not fit, as [`Dense::search`].
    pub fn search(&self, search: &Search<'_>) -> Result<Vec<Found>, Error> {
        let Search {
            text,
            vector,
            mode,
            top,
        } = *search;
        let dense = |k: usize| match &self.dense {
            Some(dense) => dense.search(vector, k),
            None => Ok(Vec::new()),
        };
        let depth = top.max(DEPTH);
        let (words, vectors) = match mode {
            Mode::Bm25 => (self.bm25.search(text, top), Vec::new()),
            Mode::Dense => (Vec::new(), dense(top)?),
            Mode::Fused(_) => (self.bm25.search(text, depth), dense(depth)?),
        };
        let hits = match mode {
            Mode::Bm25 => words.clone(),
            Mode::Dense => vectors.clone(),
            Mode::Fused(fusion) => fusion.fuse(&words, &vectors),
        };
        let score = |hits: &[Hit], document: u32| {
            let hit = hits.iter().find(|hit| hit.document == document);
            hit.map(|hit| hit.score)
        };
        let found = |hit: &Hit| Found {
            document: hit.document,
            score: hit.score,
            bm25: score(&words, hit.document),
            dense: score(&vectors, hit.document),
        };
        Ok(hits.iter().take(top).map(found).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Hybrid {
        let mut index = Hybrid::new(Analysis::default()).unwrap();
        for (number, text) in [(3, "stone bridge"), (4, "river"), (9, "bridge bridge")] {
            index.add(number, text).unwrap();
        }
        for (number, vector) in [(3, [1.0, 0.0]), (9, [0.0, 1.0])] {
            index.add_vector(number, &vector).unwrap();
        }
        index
    }

    fn search(index: &Hybrid, mode: Mode, top: usize) -> Vec<Found> {
        let search = Search {
            text: "bridge",
            vector: &[1.0, 0.5],
            mode,
            top,
        };
        index.search(&search).unwrap()
    }

    fn numbers(found: &[Found]) -> Vec<u32> {
        found.iter().map(|found| found.document).collect()
    }

    #[test]
    fn both_sides_find_documents_by_the_numbers_they_were_given() {
        let index = index();
        let words = search(&index, Mode::Bm25, 10);
        assert_eq!(numbers(&words), [9, 3]);
        assert!(
            words
                .iter()
                .all(|f| f.bm25 == Some(f.score) && f.dense.is_none())
        );
        let vectors = search(&index, Mode::Dense, 10);
        assert_eq!(numbers(&vectors), [3, 9]);
        assert!(
            vectors
                .iter()
                .all(|f| f.dense == Some(f.score) && f.bm25.is_none())
        );
        assert_eq!(index.documents(), [3, 4, 9]);
        assert_eq!(index.with_vectors(), [3, 9]);
    }

    #[test]
    fn a_fusion_has_the_scores_of_both_sides_and_is_cut_last() {
        let index = index();
        let fused = search(&index, Mode::Fused(Fusion::ZScore { alpha: 0.9 }), 1);
        assert_eq!(numbers(&fused), [9]);
        let sides = [Mode::Bm25, Mode::Dense].map(|mode| {
            let found = search(&index, mode, 9);
            found
                .iter()
                .find(|found| found.document == 9)
                .unwrap()
                .score
        });
        assert_eq!([fused[0].bm25, fused[0].dense], sides.map(Some));
    }

    #[test]
    fn a_removed_document_is_found_by_neither_side_and_its_number_is_gone() {
        let mut index = index();
        index.remove(&[9, 77]);
        for mode in [Mode::Bm25, Mode::Dense] {
            assert_eq!(numbers(&search(&index, mode, 10)), [3]);
        }
        for number in [3, 9] {
            assert_eq!(
                index.add(number, "a").unwrap_err().code(),
                "invalid_argument"
            );
            let error = index.add_vector(number, &[1.0, 0.0]).unwrap_err();
            assert_eq!(error.code(), "invalid_argument");
        }
        index.add(10, "bridge").unwrap();
        assert_eq!(numbers(&search(&index, Mode::Bm25, 10)), [10, 3]);
    }

    #[test]
    fn stored_words_are_read_again_and_vectors_of_another_width_may_follow() {
        let mut first = index();
        first.remove(&[4]);
        let bytes = first.bm25_bytes().unwrap();
        let mut read = Hybrid::from_bm25_bytes(&bytes).unwrap();
        assert_eq!(
            (read.documents(), read.with_vectors()),
            (vec![3, 9], &[][..])
        );
        assert_eq!(search(&read, Mode::Bm25, 9), search(&first, Mode::Bm25, 9));
        read.add_vector(3, &[1.0, 0.0, 0.0]).unwrap();
        read.forget_vectors();
        read.add_vector(9, &[1.0, 0.0]).unwrap();
        assert_eq!(numbers(&search(&read, Mode::Dense, 9)), [9]);
        for spoilt in [&bytes[..bytes.len() - 3], b"", b"\x02"] {
            let error = Hybrid::from_bm25_bytes(spoilt).unwrap_err();
            assert_eq!(error.code(), "invalid_argument");
        }
    }
}
