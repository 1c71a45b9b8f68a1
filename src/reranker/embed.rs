//! Texts alone, by a network that reads them so, for retrieval: one vector of unit length a text (a
//! bi-encoder), one a token (late interaction), or a weight for each word piece (a sparse encoder).
//!
//! A text is one window: what does not fit the model is not read. Batches, progress and abort are
//! those of scoring.

use std::borrow::Cow;

use super::score::{Keep, Question};
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

/// Vectors of the tokens of texts, and what they cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenEmbeddings {
    /// For each text, in order, the vectors of its tokens (special ones too) row after row, of unit
    /// length.
    pub texts: Vec<Vec<f32>>,
    /// Numbers in a vector.
    pub dimensions: usize,
    /// What was computed.
    pub usage: Usage,
}

/// Weights of the word pieces of texts, and what they cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseEmbeddings {
    /// For each text, in order, the ids of word pieces, ascending, and their weights, above 0.
    pub texts: Vec<Vec<(u32, f32)>>,
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
        observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
    ) -> Result<Embeddings, Error> {
        self.must_be(Architecture::BertBiEncoder, "a bi-encoder for vectors")?;
        let dimensions = self.manifest.dimensions.hidden;
        let mut vectors = vec![0.0; texts.len() * dimensions];
        let mut keep = |text: usize, row: &[f32]| {
            vectors[text * dimensions..][..dimensions].copy_from_slice(row);
        };
        let usage = self.read_alone(texts, kind, observe, &mut keep).await?;
        Ok(Embeddings {
            vectors,
            dimensions,
            usage,
        })
    }

    /// The vectors of each text's tokens, for [`crate::retrieval::Late`]; otherwise as
    /// [`Reranker::embed`].
    ///
    /// # Errors
    /// As [`Reranker::embed`], with `invalid_argument` when the model is not for late interaction.
    pub async fn embed_tokens(
        &self,
        texts: &[impl AsRef<str>],
        kind: TextKind,
        observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
    ) -> Result<TokenEmbeddings, Error> {
        let expected = "a late-interaction model for vectors of tokens";
        self.must_be(Architecture::BertLateInteraction, expected)?;
        let mut rows = vec![Vec::new(); texts.len()];
        let mut keep = |text: usize, row: &[f32]| rows[text] = row.to_vec();
        let usage = self.read_alone(texts, kind, observe, &mut keep).await?;
        Ok(TokenEmbeddings {
            texts: rows,
            dimensions: self.manifest.dimensions.hidden,
            usage,
        })
    }

    /// The weights of each text's word pieces, for [`crate::retrieval::Sparse`]; otherwise as
    /// [`Reranker::embed`].
    ///
    /// # Errors
    /// As [`Reranker::embed`], with `invalid_argument` when the model is not a sparse encoder.
    pub async fn embed_sparse(
        &self,
        texts: &[impl AsRef<str>],
        kind: TextKind,
        observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
    ) -> Result<SparseEmbeddings, Error> {
        let expected = "a sparse encoder for weights";
        self.must_be(Architecture::BertSparseEncoder, expected)?;
        let mut rows = vec![Vec::new(); texts.len()];
        let mut keep = |text: usize, row: &[f32]| {
            let weights = (0..).zip(row.iter().copied());
            rows[text] = weights.filter(|(_, weight)| *weight > 0.0).collect();
        };
        let usage = self.read_alone(texts, kind, observe, &mut keep).await?;
        Ok(SparseEmbeddings { texts: rows, usage })
    }

    fn must_be(&self, architecture: Architecture, expected: &str) -> Result<(), Error> {
        if self.network.architecture() == architecture {
            return Ok(());
        }
        Err(Error::argument("model", expected, &self.manifest.name))
    }

    /// Tells `keep` what each text is to the network.
    async fn read_alone(
        &self,
        texts: &[impl AsRef<str>],
        kind: TextKind,
        mut observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
        keep: &mut Keep<'_>,
    ) -> Result<Usage, Error> {
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
        let mut nan = false;
        let mut keep = |text: usize, row: &[f32]| {
            nan |= row.iter().any(|number| number.is_nan());
            keep(text, row);
        };
        let question = Question::Vectors(kind);
        let asked = self.ask(question, &texts, &options, &mut observe, &mut keep);
        let usage = asked.await?.usage;
        if nan {
            let what = "a vector has NaN in it".into();
            return Err(Error::Internal { what });
        }
        Ok(usage)
    }
}
