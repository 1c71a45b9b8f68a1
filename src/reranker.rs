//! The reranker: a query and documents in, a ranking with the best passage of each out.
//!
//! One trip: validate, tokenise, cut pages into windows, batch by length, run the network, take
//! each page's best window, rank. Document text is only borrowed and never returned.

use core::cell::RefCell;
use core::ops::Range;

use crate::device::DeviceKind;
use crate::error::Error;
use crate::manifest::{Manifest, verify, verify_digest};
use crate::nn::Network;
use crate::page::{Share, Windows};
use crate::strategy::{Group, Judge, rank};
use crate::tokenizer::Tokenizer;

mod embed;
mod kept;
mod score;
mod self_test;
mod together;

pub use embed::{Embeddings, SparseEmbeddings, TextKind, TokenEmbeddings};

pub use self_test::warm_up;

pub use together::Together;

use kept::Kept;
use score::Page;

/// A loaded model on a device.
#[derive(Debug)]
pub struct Reranker {
    manifest: Manifest,
    tokenizer: Tokenizer,
    network: Network,
    device: DeviceKind,
    /// Of a network that reads texts alone, on the CPU.
    kept: RefCell<Kept>,
}

/// How to rerank.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Results to return; all when `None`.
    pub top_n: Option<usize>,
    /// What the results' scores are.
    pub scores: Scores,
    /// Tokens of each document to read, from its start; all when `None`.
    pub max_tokens_per_document: Option<usize>,
    /// How documents that do not fit are cut.
    pub windows: Windows,
    /// Only this part of each document's windows; a document without any there is left out. The
    /// best that the parts say of a document is what all its windows would have said.
    pub share: Option<Share>,
}

/// What a result's score is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scores {
    /// 0..1, see [`crate::manifest::ScoreKind::relevance`].
    #[default]
    Relevance,
    /// The network's own number: a logit or a cosine.
    Raw,
}

/// Results, best first, and what they cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranking {
    /// Best first; ties in input order.
    pub results: Vec<RankedDocument>,
    /// What was computed.
    pub usage: Usage,
}

/// A document in a ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedDocument {
    /// 0-based position in the input.
    pub index: usize,
    /// As [`Options::scores`] asks; higher is better.
    pub score: f32,
    /// Byte span of the best passage in the document.
    pub passage: Range<usize>,
}

/// What a call computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of all sequences that were computed, queries and special tokens included.
    pub tokens: usize,
    /// Forward passes.
    pub batches: usize,
    /// Tokens of padding, computed for nothing.
    pub padded_tokens: usize,
    /// Windows scored.
    pub passages: usize,
}

/// How far a call is. While documents are tokenised `batches` is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Batches done.
    pub batch: usize,
    /// Batches in all.
    pub batches: usize,
    /// Tokens scored.
    pub tokens: usize,
    /// Tokens in all, as far as known.
    pub total_tokens: usize,
}

impl Reranker {
    /// Checks the files against the manifest and puts the model on a device.
    ///
    /// # Errors
    /// `checksum`, `tokenizer`, `weights`, `no_webgpu`; see [`Error`].
    pub async fn from_parts(
        manifest: Manifest,
        tokenizer: &[u8],
        weights: Vec<u8>,
        device: DeviceKind,
    ) -> Result<Self, Error> {
        Self::from_digested(manifest, tokenizer, weights, None, device).await
    }

    /// As [`Reranker::from_parts`], with the SHA-256 of the weights, in lower-case hexadecimal,
    /// where the host has computed it: in half the time that WASM takes, and beside other work.
    pub(crate) async fn from_digested(
        manifest: Manifest,
        tokenizer: &[u8],
        weights: Vec<u8>,
        digest: Option<String>,
        device: DeviceKind,
    ) -> Result<Self, Error> {
        let files = &manifest.files;
        let (file, blob) = (&files.tokenizer, &files.weights);
        verify(&file.path, file.bytes, &file.sha256, tokenizer)?;
        verify_digest(&blob.path, blob.bytes, &blob.sha256, &weights, digest)?;

        let tokenizer = Tokenizer::from_json(tokenizer)?;
        let words = manifest.dimensions.vocabulary;
        if tokenizer.vocabulary_size() > words {
            let what = format!(
                "expected at most {words} pieces as in model.json, found {}",
                tokenizer.vocabulary_size()
            );
            return Err(Error::Tokenizer { what });
        }
        let network = Network::load(&manifest, weights, device).await?;
        Ok(Self {
            manifest,
            tokenizer,
            network,
            device,
            kept: RefCell::new(Kept::new(kept::BYTES)),
        })
    }

    /// Ranks `documents` for `query`; an empty query or no documents give an empty ranking.
    ///
    /// `observe` hears after every batch and may stop the work with an error. The query is kept
    /// whole up to half of the model's length. Cost: one forward pass a batch; on the CPU, documents
    /// that a network which reads texts alone has seen before are not read again (see
    /// [`Reranker::keep_documents`]).
    ///
    /// # Errors
    /// `invalid_argument` for options out of range; what `observe` returns; what the device
    /// reports; `internal` when the network answers NaN.
    pub async fn rerank(
        &self,
        query: &str,
        documents: &[impl AsRef<str>],
        options: &Options,
        observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
    ) -> Result<Ranking, Error> {
        options.check()?;
        if query.trim().is_empty() || documents.is_empty() {
            return Ok(Ranking::default());
        }
        let scored = self.score(query, documents, options, observe).await?;
        self.ranking(&scored.pages, options, scored.usage)
    }

    /// Pages by their raw scores, as the options ask.
    fn ranking(&self, pages: &[Page], options: &Options, usage: Usage) -> Result<Ranking, Error> {
        let raw: Vec<f32> = pages.iter().map(|page| page.score).collect();
        let results = rank(&raw, options.top_n)?
            .into_iter()
            .map(|ranked| RankedDocument {
                index: pages[ranked.index].document,
                score: match options.scores {
                    Scores::Raw => ranked.score,
                    Scores::Relevance => self.manifest.score.relevance(ranked.score),
                },
                passage: pages[ranked.index].passage.clone(),
            })
            .collect();
        Ok(Ranking { results, usage })
    }

    /// How many bytes to spend on what documents are to a network that reads texts alone, so that
    /// [`Reranker::rerank`] on the CPU reads each once: 256 MiB unless told otherwise, 48 MiB in
    /// WASM. Forgets what is kept.
    pub fn keep_documents(&self, bytes: usize) {
        self.kept.replace(Kept::new(bytes));
    }

    /// The model's manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The device the model is on.
    #[must_use]
    pub fn device(&self) -> DeviceKind {
        self.device
    }

    /// Number of weights.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.manifest.parameters()
    }
}

impl Options {
    fn check(&self) -> Result<(), Error> {
        for (argument, value) in [
            ("topN", self.top_n),
            ("maxTokensPerDocument", self.max_tokens_per_document),
        ] {
            if value == Some(0) {
                return Err(Error::argument(argument, "at least 1", 0));
            }
        }
        self.share.map(Share::check).transpose()?;
        self.windows.check().map(|_| ())
    }
}

/// A judge of one document at a time: raw scores of pages, windows and all.
impl Judge for Reranker {
    fn max_group(&self) -> usize {
        1
    }

    async fn judge(&self, groups: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
        let mut answers = Vec::with_capacity(groups.len());
        for same in groups.chunk_by(|a, b| a.query == b.query) {
            let documents: Vec<&str> = same.iter().flat_map(|g| g.documents).copied().collect();
            let options = Options::default();
            let scored = self
                .score(same[0].query, &documents, &options, async |_| Ok(()))
                .await?;
            let mut scores = scored.pages.iter().map(|page| page.score);
            answers.extend(
                same.iter()
                    .map(|g| scores.by_ref().take(g.documents.len()).collect()),
            );
        }
        Ok(answers)
    }
}
