//! BM25 and the vectors of an embedder, of whichever kind, over the same documents, under numbers
//! that the caller gives them: what a stored index is in memory.
//!
//! Texts and vectors are kept elsewhere; a document's vector may come later or never. Only BM25 is
//! serialised, because vectors are stored as they are.

use super::bm25::Parameters;
use super::{Analysis, Bm25, Dense, Fusion, Hit, Late, Precision, Sparse, Vector};
use crate::error::Error;

/// Candidates of each side that a fusion sees, at least.
const DEPTH: usize = 100;

/// The two indexes.
#[derive(Debug, Clone, PartialEq)]
pub struct Hybrid {
    bm25: Bm25,
    /// Of the kind that the first vector had.
    vectors: Option<Vectors>,
}

#[derive(Debug, Clone, PartialEq)]
enum Vectors {
    Dense(Dense),
    Late(Late),
    Sparse(Sparse),
}

/// Which side answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Words.
    Bm25,
    /// Vectors, of whichever kind.
    Vectors,
    /// Both: BM25 is the first ranking.
    Fused(Fusion),
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// The query's text, for BM25.
    pub text: &'a str,
    /// What the embedder makes of it; not needed for BM25.
    pub vector: Option<Vector<'a>>,
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
    /// The vectors' score, likewise: the cosine, `MaxSim`, or the product of weights.
    pub vectors: Option<f32>,
}

impl Hybrid {
    /// An empty index.
    ///
    /// # Errors
    /// None today; as [`Bm25::new`].
    pub fn new(analysis: Analysis) -> Result<Self, Error> {
        Ok(Self {
            bm25: Bm25::new(analysis, Parameters::default())?,
            vectors: None,
        })
    }

    /// The index of what [`Self::bm25_bytes`] gave, without vectors.
    ///
    /// # Errors
    /// `invalid_argument` for other bytes, or those of another version: build it again.
    pub fn from_bm25_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let bm25 = postcard::from_bytes(bytes)
            .map_err(|error| Error::argument("index", "a stored BM25 index", error))?;
        Ok(Self {
            bm25,
            vectors: None,
        })
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
    /// `invalid_argument` for a lower number, a vector of another kind than those before it, or as
    /// [`Dense::add`], [`Late::add`] and [`Sparse::add`].
    pub fn add_vector(&mut self, number: u32, vector: Vector<'_>) -> Result<(), Error> {
        let mut vectors = match self.vectors.take() {
            Some(vectors) => vectors,
            None => Vectors::new(&vector)?,
        };
        let added = vectors.add(number, &vector);
        self.vectors = Some(vectors);
        added
    }

    /// Drops all vectors; they may be of another width or kind from now on.
    pub fn forget_vectors(&mut self) {
        self.vectors = None;
    }

    /// Removes documents, text and vector.
    pub fn remove(&mut self, numbers: &[u32]) {
        self.bm25.remove(numbers);
        if let Some(vectors) = &mut self.vectors {
            vectors.remove(numbers);
        }
    }

    /// Numbers of the documents with a text, ascending.
    #[must_use]
    pub fn documents(&self) -> Vec<u32> {
        self.bm25.documents()
    }

    /// Numbers of the documents with a vector, ascending.
    #[must_use]
    pub fn with_vectors(&self) -> Vec<u32> {
        self.vectors
            .as_ref()
            .map_or_else(Vec::new, Vectors::documents)
    }

    /// The best documents, best first. Cost: that of the sides that answer.
    ///
    /// # Errors
    /// `invalid_argument` for a vector that does not fit those in the index.
    pub fn search(&self, search: &Search<'_>) -> Result<Vec<Found>, Error> {
        let Search {
            text,
            vector,
            mode,
            top,
        } = *search;
        let nearest = |k: usize| match (&self.vectors, &vector) {
            (Some(vectors), Some(vector)) => vectors.search(vector, k),
            _ => Ok(Vec::new()),
        };
        let depth = top.max(DEPTH);
        let (words, vectors) = match mode {
            Mode::Bm25 => (self.bm25.search(text, top), Vec::new()),
            Mode::Vectors => (Vec::new(), nearest(top)?),
            Mode::Fused(_) => (self.bm25.search(text, depth), nearest(depth)?),
        };
        let hits = match mode {
            Mode::Bm25 => words.clone(),
            Mode::Vectors => vectors.clone(),
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
            vectors: score(&vectors, hit.document),
        };
        Ok(hits.iter().take(top).map(found).collect())
    }
}

impl Vectors {
    /// Empty, for vectors like this one. Tokens are kept as int8: there are hundreds a document.
    fn new(vector: &Vector<'_>) -> Result<Self, Error> {
        Ok(match vector {
            Vector::Dense(vector) => Self::Dense(Dense::new(vector.len(), Precision::F32)?),
            Vector::Late { width, .. } => Self::Late(Late::new(*width, Precision::Int8)?),
            Vector::Sparse { .. } => Self::Sparse(Sparse::new()),
        })
    }

    fn add(&mut self, number: u32, vector: &Vector<'_>) -> Result<(), Error> {
        match (self, vector) {
            (Self::Dense(index), Vector::Dense(vector)) => {
                index.skip_to(number)?;
                index.add(vector)
            }
            (Self::Late(index), Vector::Late { rows, width }) => {
                index.skip_to(number)?;
                index.add(&tokens(rows, *width))
            }
            (Self::Sparse(index), Vector::Sparse { ids, weights }) => {
                index.skip_to(number)?;
                index.add(&pairs(ids, weights))
            }
            (index, vector) => return Err(index.another(vector)),
        }
        .map(drop)
    }

    fn remove(&mut self, documents: &[u32]) {
        match self {
            Self::Dense(index) => index.remove(documents),
            Self::Late(index) => index.remove(documents),
            Self::Sparse(index) => index.remove(documents),
        };
    }

    fn documents(&self) -> Vec<u32> {
        match self {
            Self::Dense(index) => index.documents().to_vec(),
            Self::Late(index) => index.documents().to_vec(),
            Self::Sparse(index) => index.documents(),
        }
    }

    fn search(&self, query: &Vector<'_>, k: usize) -> Result<Vec<Hit>, Error> {
        match (self, query) {
            (Self::Dense(index), Vector::Dense(query)) => index.search(query, k),
            (Self::Late(index), Vector::Late { rows, width }) => {
                index.search(&tokens(rows, *width), k)
            }
            (Self::Sparse(index), Vector::Sparse { ids, weights }) => {
                index.search(&pairs(ids, weights), k)
            }
            (index, query) => Err(index.another(query)),
        }
    }

    fn another(&self, found: &Vector<'_>) -> Error {
        let kind = match self {
            Self::Dense(_) => "dense",
            Self::Late(_) => "late",
            Self::Sparse(_) => "sparse",
        };
        Error::argument("vector", format!("{kind}, as the others"), found.kind())
    }
}

fn tokens(rows: &[f32], width: usize) -> Vec<&[f32]> {
    rows.chunks(width.max(1)).collect()
}

fn pairs(ids: &[u32], weights: &[f32]) -> Vec<(u32, f32)> {
    ids.iter().copied().zip(weights.iter().copied()).collect()
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
            index.add_vector(number, Vector::Dense(&vector)).unwrap();
        }
        index
    }

    fn search(index: &Hybrid, mode: Mode, top: usize) -> Vec<Found> {
        let search = Search {
            text: "bridge",
            vector: Some(Vector::Dense(&[1.0, 0.5])),
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
                .all(|f| f.bm25 == Some(f.score) && f.vectors.is_none())
        );
        let vectors = search(&index, Mode::Vectors, 10);
        assert_eq!(numbers(&vectors), [3, 9]);
        assert!(
            vectors
                .iter()
                .all(|f| f.vectors == Some(f.score) && f.bm25.is_none())
        );
        assert_eq!(index.documents(), [3, 4, 9]);
        assert_eq!(index.with_vectors(), [3, 9]);
    }

    #[test]
    fn a_fusion_has_the_scores_of_both_sides_and_is_cut_last() {
        let index = index();
        let fused = search(&index, Mode::Fused(Fusion::ZScore { alpha: 0.9 }), 1);
        assert_eq!(numbers(&fused), [9]);
        let sides = [Mode::Bm25, Mode::Vectors].map(|mode| {
            let found = search(&index, mode, 9);
            found
                .iter()
                .find(|found| found.document == 9)
                .unwrap()
                .score
        });
        assert_eq!([fused[0].bm25, fused[0].vectors], sides.map(Some));
    }

    #[test]
    fn a_removed_document_is_found_by_neither_side_and_its_number_is_gone() {
        let mut index = index();
        index.remove(&[9, 77]);
        for mode in [Mode::Bm25, Mode::Vectors] {
            assert_eq!(numbers(&search(&index, mode, 10)), [3]);
        }
        for number in [3, 9] {
            assert_eq!(
                index.add(number, "a").unwrap_err().code(),
                "invalid_argument"
            );
            let error = index
                .add_vector(number, Vector::Dense(&[1.0, 0.0]))
                .unwrap_err();
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
            (vec![3, 9], vec![])
        );
        assert_eq!(search(&read, Mode::Bm25, 9), search(&first, Mode::Bm25, 9));
        read.add_vector(3, Vector::Dense(&[1.0, 0.0, 0.0])).unwrap();
        read.forget_vectors();
        read.add_vector(9, Vector::Dense(&[1.0, 0.0])).unwrap();
        assert_eq!(numbers(&search(&read, Mode::Vectors, 9)), [9]);
        for spoilt in [&bytes[..bytes.len() - 3], b"", b"\x02"] {
            let error = Hybrid::from_bm25_bytes(spoilt).unwrap_err();
            assert_eq!(error.code(), "invalid_argument");
        }
    }

    #[test]
    fn vectors_of_tokens_and_weights_of_tokens_are_searched_as_their_indexes_do() {
        let mut late = Hybrid::new(Analysis::default()).unwrap();
        let width = 2;
        for (number, rows) in [(2, &[1.0, 0.0, 0.0, 1.0][..]), (5, &[0.0, 1.0][..])] {
            late.add_vector(number, Vector::Late { rows, width })
                .unwrap();
        }
        let mut sparse = Hybrid::new(Analysis::default()).unwrap();
        for (number, weight) in [(2, 2.0), (5, 0.5)] {
            let (ids, weights) = (&[7, 9][..], &[weight, 1.0][..]);
            sparse
                .add_vector(number, Vector::Sparse { ids, weights })
                .unwrap();
        }
        let rows = &[1.0, 0.0, 0.0, 1.0][..];
        let (ids, weights) = (&[7, 8][..], &[3.0, 1.0][..]);
        let queries = [
            Vector::Late { rows, width },
            Vector::Sparse { ids, weights },
        ];
        let expected = [[2.0, 1.0], [6.0, 1.5]];
        for ((index, query), expected) in [&mut late, &mut sparse]
            .into_iter()
            .zip(queries)
            .zip(expected)
        {
            let search = Search {
                text: "",
                vector: Some(query),
                mode: Mode::Vectors,
                top: 9,
            };
            let found = index.search(&search).unwrap();
            assert_eq!(numbers(&found), [2, 5]);
            for (found, expected) in found.iter().zip(expected) {
                assert!((found.score - expected).abs() < 0.01, "{found:?}");
                assert_eq!(found.vectors, Some(found.score));
            }
            assert_eq!(index.with_vectors(), [2, 5]);
            // What the index does not take leaves it as it was.
            for (number, vector) in [(9, Vector::Dense(&[1.0, 0.0])), (5, query)] {
                let error = index.add_vector(number, vector).unwrap_err();
                assert_eq!(error.code(), "invalid_argument");
            }
            let search = Search {
                vector: Some(Vector::Dense(&[1.0, 0.0])),
                ..search
            };
            assert_eq!(
                index.search(&search).unwrap_err().code(),
                "invalid_argument"
            );
            index.remove(&[2]);
            assert_eq!(index.with_vectors(), [5]);
        }
    }
}
