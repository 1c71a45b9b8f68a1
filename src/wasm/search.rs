//! The search index for JavaScript: documents by number, in memory. Storage is JavaScript's
//! (www/src/logic/store.ts).

use js_sys::{Float32Array, Object, Reflect, Uint32Array};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::{decode, into_js};
use crate::error::Error;
use crate::retrieval::hybrid::{Found, Mode, Search};
use crate::retrieval::{Analysis, Fusion, Hybrid};

/// BM25 and vectors of one index.
#[wasm_bindgen]
#[derive(Debug)]
pub struct SearchIndex(Hybrid);

#[derive(Deserialize, Default)]
#[serde(default)]
struct SearchOptions {
    text: String,
    top: usize,
    /// `bm25`, `dense`, or a fusion.
    mode: String,
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

    /// Adds vectors, row after row, under ascending numbers.
    ///
    /// # Errors
    /// `invalid_argument` for a number that is not above all before, or vectors that do not fit.
    #[wasm_bindgen(js_name = addVectors)]
    pub fn add_vectors(&mut self, numbers: Vec<u32>, vectors: Vec<f32>) -> Result<(), JsValue> {
        let width = vectors.len() / numbers.len().max(1);
        let mut pairs = numbers.iter().zip(vectors.chunks(width.max(1)));
        let added = pairs.try_for_each(|(&number, vector)| self.0.add_vector(number, vector));
        added.map_err(into_js)
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
        self.0.with_vectors().to_vec()
    }

    /// `{ documents, scores, bm25, dense }`, best first; NaN where a side has not found a document.
    ///
    /// # Errors
    /// `invalid_argument` for a fusion there is not, or a vector that does not fit.
    pub fn search(&self, options: JsValue, vector: Vec<f32>) -> Result<JsValue, JsValue> {
        let found = || -> Result<Vec<Found>, Error> {
            let options: SearchOptions = decode(options)?;
            let mode = match options.mode.as_str() {
                "bm25" => Mode::Bm25,
                "dense" => Mode::Dense,
                fusion => Mode::Fused(fusion.parse::<Fusion>()?),
            };
            self.0.search(&Search {
                text: &options.text,
                vector: &vector,
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
        set("dense", |found| found.dense.unwrap_or(f32::NAN))?;
        Ok(object.into())
    }
}
