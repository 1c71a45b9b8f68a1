//! The search index for JavaScript: documents by number, in memory. Storage is JavaScript's
//! (www/src/logic/stored-index.ts).

use js_sys::{Float32Array, Object, Reflect, Uint32Array};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::{decode, into_js};
use crate::error::Error;
use crate::retrieval::hybrid::{Found, Mode, Search};
use crate::retrieval::{Analysis, Fusion, Hybrid, Vector};

/// BM25 and vectors of one index, of whichever kind.
#[wasm_bindgen]
#[derive(Debug)]
pub struct SearchIndex(Hybrid);

#[derive(Deserialize, Default)]
#[serde(default)]
struct SearchOptions {
    text: String,
    top: usize,
    /// `bm25`, `vectors`, or a fusion.
    mode: String,
}

/// What an embedder makes of texts, text after text (`Embedding` of www/src/strategy-types.ts).
struct Embedding {
    /// Rows of vectors, or weights.
    vectors: Vec<f32>,
    dimensions: usize,
    /// Rows, or weights, of each text; without, one row each.
    lengths: Option<Vec<u32>>,
    /// Of each weight.
    ids: Option<Vec<u32>>,
}

impl Embedding {
    /// Of `count` texts.
    fn of_each(&self, count: usize) -> Result<Vec<Vector<'_>>, Error> {
        let Self {
            vectors,
            dimensions: width,
            lengths,
            ids,
        } = self;
        let numbers = |rows: u32| match ids {
            Some(_) => rows as usize,
            None => rows as usize * width,
        };
        let sizes: Vec<usize> = match lengths {
            Some(lengths) => lengths.iter().map(|&length| numbers(length)).collect(),
            None => vec![*width; count],
        };
        let fits = |ids: &Vec<u32>| ids.len() == vectors.len();
        if sizes.len() != count
            || sizes.iter().sum::<usize>() != vectors.len()
            || !ids.as_ref().is_none_or(fits)
        {
            let expected = format!("those of {count} texts");
            return Err(Error::argument(
                "vectors",
                expected,
                format!("{} numbers", vectors.len()),
            ));
        }
        let mut start = 0;
        Ok((sizes.into_iter())
            .map(|size| {
                let span = start..start + size;
                start += size;
                match (lengths, ids) {
                    (_, Some(ids)) => Vector::Sparse {
                        ids: &ids[span.clone()],
                        weights: &vectors[span],
                    },
                    (Some(_), None) => Vector::Late {
                        rows: &vectors[span],
                        width: *width,
                    },
                    (None, None) => Vector::Dense(&vectors[span]),
                }
            })
            .collect())
    }
}

#[wasm_bindgen]
impl SearchIndex {
    /// An empty index; `stemming` is `english` or `none`.
    ///
    /// # Errors
    /// A JavaScript error with a code, as every method here.
    #[wasm_bindgen(constructor)]
    pub fn new(stemming: &str) -> Result<Self, JsValue> {
        let analysis = match stemming {
            "english" => Ok(Analysis::ENGLISH),
            "none" => Ok(Analysis::default()),
            other => Err(Error::argument("stemming", "english or none", other)),
        };
        analysis.and_then(Hybrid::new).map(Self).map_err(into_js)
    }

    /// The index of what [`Self::state`] gave.
    ///
    /// # Errors
    /// `invalid_argument`: build it again from its texts.
    pub fn restore(state: &[u8]) -> Result<Self, JsValue> {
        Hybrid::from_bm25_bytes(state).map(Self).map_err(into_js)
    }

    /// BM25 as bytes.
    ///
    /// # Errors
    /// `internal` only.
    pub fn state(&self) -> Result<Vec<u8>, JsValue> {
        self.0.bm25_bytes().map_err(into_js)
    }

    /// Adds texts under ascending numbers.
    ///
    /// # Errors
    /// `invalid_argument` for a number that is not above all before.
    pub fn add(&mut self, numbers: Vec<u32>, texts: Vec<String>) -> Result<(), JsValue> {
        let mut pairs = numbers.iter().zip(&texts);
        let added = pairs.try_for_each(|(&number, text)| self.0.add(number, text));
        added.map_err(into_js)
    }

    /// Adds vectors, text after text, under ascending numbers.
    ///
    /// # Errors
    /// `invalid_argument` for a number that is not above all before, or vectors that do not fit.
    #[wasm_bindgen(js_name = addVectors)]
    pub fn add_vectors(
        &mut self,
        numbers: Vec<u32>,
        vectors: Vec<f32>,
        dimensions: usize,
        lengths: Option<Vec<u32>>,
        ids: Option<Vec<u32>>,
    ) -> Result<(), JsValue> {
        let embedding = Embedding {
            vectors,
            dimensions,
            lengths,
            ids,
        };
        let mut add = || -> Result<(), Error> {
            let vectors = embedding.of_each(numbers.len())?;
            let mut pairs = numbers.iter().zip(vectors);
            pairs.try_for_each(|(&number, vector)| self.0.add_vector(number, vector))
        };
        add().map_err(into_js)
    }

    /// Drops all vectors.
    #[wasm_bindgen(js_name = forgetVectors)]
    pub fn forget_vectors(&mut self) {
        self.0.forget_vectors();
    }

    /// Removes documents.
    pub fn remove(&mut self, numbers: Vec<u32>) {
        self.0.remove(&numbers);
    }

    /// Numbers of the documents, ascending.
    #[must_use]
    pub fn documents(&self) -> Vec<u32> {
        self.0.documents()
    }

    /// Numbers of the documents with a vector, ascending.
    #[wasm_bindgen(js_name = withVectors)]
    #[must_use]
    pub fn with_vectors(&self) -> Vec<u32> {
        self.0.with_vectors()
    }

    /// `{ documents, scores, bm25, vectors }`, best first; NaN where a side has not found a document.
    /// The query's vector is as those of [`Self::add_vectors`], of one text; none for `bm25`.
    ///
    /// # Errors
    /// `invalid_argument` for a fusion there is not, or a vector that does not fit.
    pub fn search(
        &self,
        options: JsValue,
        vector: Option<Vec<f32>>,
        dimensions: usize,
        lengths: Option<Vec<u32>>,
        ids: Option<Vec<u32>>,
    ) -> Result<JsValue, JsValue> {
        let embedding = vector.map(|vectors| Embedding {
            vectors,
            dimensions,
            lengths,
            ids,
        });
        let found = || -> Result<Vec<Found>, Error> {
            let options: SearchOptions = decode(options)?;
            let mode = match options.mode.as_str() {
                "bm25" => Mode::Bm25,
                "vectors" => Mode::Vectors,
                fusion => Mode::Fused(fusion.parse::<Fusion>()?),
            };
            let query = embedding.as_ref().map(|embedding| embedding.of_each(1));
            self.0.search(&Search {
                text: &options.text,
                vector: query.transpose()?.map(|query| query[0]),
                mode,
                top: options.top,
            })
        };
        let found = found().map_err(into_js)?;
        let documents: Vec<u32> = found.iter().map(|found| found.document).collect();
        let object = Object::new();
        let documents = Uint32Array::from(&documents[..]);
        Reflect::set(&object, &"documents".into(), &documents)?;
        let set = |name: &str, number: fn(&Found) -> f32| {
            let numbers: Vec<f32> = found.iter().map(number).collect();
            Reflect::set(&object, &name.into(), &Float32Array::from(&numbers[..]))
        };
        set("scores", |found| found.score)?;
        set("bm25", |found| found.bm25.unwrap_or(f32::NAN))?;
        set("vectors", |found| found.vectors.unwrap_or(f32::NAN))?;
        Ok(object.into())
    }
}
