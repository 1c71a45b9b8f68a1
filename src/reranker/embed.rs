//! Texts as vectors, by a bi-encoder: one vector of unit length a text, for retrieval.
//!
//! A text is one window: what does not fit the model is not read. Batches, progress and abort are
//! those of scoring.

use std::borrow::Cow;

use super::score::Question;
use super::{Options, Progress, Reranker, Usage};
use crate::error::Error;
use crate::manifest::Architecture;

/// What a text is to the model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TextKind {
    /// Something to be found.
    #[default]
    Document,
    /// Something to find by: the manifest's `query_prefix` goes before it.
    Query,
}

/// Vectors of texts, and what they cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embeddings {
    /// Of unit length, row after row, in the order of the texts.
    pub vectors: Vec<f32>,
    /// Numbers in a vector.
    pub dimensions: usize,
    /// What was computed.
    pub usage: Usage,
}

impl Reranker {
    /// The vector of each text, of the first tokens that fit the model.
    ///
    /// `observe` hears after every batch and may stop the work with an error. Cost: one forward
    /// pass a batch.
    ///
    /// # Errors
    /// `invalid_argument` when the model is not a bi-encoder; what `observe` returns; what the
    /// device reports; `internal` when the network answers NaN.
    pub async fn embed(
        &self,
        texts: &[impl AsRef<str>],
        kind: TextKind,
        mut observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
    ) -> Result<Embeddings, Error> {
        if self.network.architecture() != Architecture::BertBiEncoder {
            let expected = "a bi-encoder for vectors";
            return Err(Error::argument("model", expected, &self.manifest.name));
        }
        let options = Options {
            max_tokens_per_document: Some(self.room(&[])),
            ..Options::default()
        };
        let texts: Vec<Cow<'_, str>> = (texts.iter().map(AsRef::as_ref))
            .map(|text| match kind {
                TextKind::Document => Cow::Borrowed(text),
                TextKind::Query => self.prefixed(text),
            })
            .collect();
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        let answers = (self.ask(Question::Vectors, &texts, &options, &mut observe)).await?;
        if answers.numbers.iter().any(|number| number.is_nan()) {
            let what = "a vector has NaN in it".into();
            return Err(Error::Internal { what });
        }
        Ok(Embeddings {
            vectors: answers.numbers,
            dimensions: self.manifest.dimensions.hidden,
            usage: answers.usage,
        })
    }
}
