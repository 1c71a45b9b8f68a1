//! What a strategy may lean on: the models and caches that the caller has at hand.
//!
//! [`Judge`] and [`Llm`] are the main seams; three small ones stand for models that give more than
//! a verdict. A strategy is compiled once for all of them: the `Any…` twins are the same traits
//! with boxed futures, implemented for every implementation, and nobody else needs them.

use core::future::Future;
use core::pin::Pin;

use super::{Group, Judge, Progress};
use crate::error::Error;
use crate::llm::{Llm, LlmAnswer, LlmImage, LlmRequest};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 'a>>;

/// The models and caches that a strategy may use; what it needs says its
/// [`Description`](super::Description).
#[derive(Clone, Copy, Default)]
pub struct Seams<'a> {
    /// A local network or another judge. Preferred where a judge or an LLM would do.
    pub judge: Option<&'a dyn AnyJudge>,
    /// A language model that answers in text.
    pub llm: Option<&'a dyn AnyLlm>,
    /// A network that turns text into vectors.
    pub embedder: Option<&'a dyn AnyEmbedder>,
    /// A causal language model that shows its next-token logits.
    pub letters: Option<&'a dyn AnyLetters>,
    /// A causal language model that shows its attention.
    pub attention: Option<&'a dyn AnyAttention>,
    /// Cached vectors of the query and of the task's documents.
    pub vectors: Option<Vectors<'a>>,
    /// The documents' page images.
    pub pages: Option<&'a dyn AnyPages>,
    /// Scores of anchor queries: a row a query, a score for each of the task's documents, from the
    /// same judge. Any queries will do whose documents are alike.
    pub anchors: Option<&'a [&'a [f32]]>,
}

/// Vectors of one model, in the task's order; need not be normalised.
#[derive(Debug, Clone, Copy)]
pub struct Vectors<'a> {
    /// The query's.
    pub query: &'a [f32],
    /// One a document, each as long as the query's.
    pub documents: &'a [&'a [f32]],
}

/// The documents as pages that can be looked at.
#[expect(
    async_fn_in_trait,
    reason = "WASM futures are not Send; strategies are generic over the pages"
)]
pub trait Pages {
    /// Pages in one image, each under its number from 1, in the order of `documents`: indexes into
    /// the task's documents. `image::grid` makes one.
    ///
    /// # Errors
    /// What keeps a page from being read; the run ends before anything is asked.
    async fn grid(&self, documents: &[usize]) -> Result<LlmImage, Error>;
}

/// Turns texts into vectors.
#[expect(
    async_fn_in_trait,
    reason = "WASM futures are not Send; strategies are generic over the embedder"
)]
pub trait Embedder {
    /// The vector of `text` as a query, of the same model as the cached vectors. One pass.
    ///
    /// # Errors
    /// What the device reports.
    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, Error>;
}

/// Reads the logits of single letters.
#[expect(
    async_fn_in_trait,
    reason = "WASM futures are not Send; strategies are generic over the model"
)]
pub trait Letters {
    /// Logits of the first `count` capital letters, A first, as the token after `prompt`; `count`
    /// is 1 to 26. One pass.
    ///
    /// # Errors
    /// What the device reports.
    async fn letters(&self, prompt: &str, count: usize) -> Result<Vec<f32>, Error>;
}

/// A prompt in parts, for models that must know where documents begin and end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttentionPrompt {
    /// Text before the first document.
    pub before: String,
    /// The documents, in the order shown.
    pub documents: Vec<String>,
    /// Text between the last document and the query.
    pub after: String,
    /// The query: the prompt's last words. Attention is read from its tokens.
    pub query: String,
}

/// Reads how much a query's tokens attend to documents' tokens.
#[expect(
    async_fn_in_trait,
    reason = "WASM futures are not Send; strategies are generic over the model"
)]
pub trait Attention {
    /// For each document a number for each of its tokens: attention from the query's tokens (their
    /// mean), summed over layers and heads. One pass; everything before the query may come from
    /// the cache of the pass before.
    ///
    /// # Errors
    /// What the device reports.
    async fn attention(&self, prompt: &AttentionPrompt) -> Result<Vec<Vec<f32>>, Error>;
}

/// [`Judge`] behind a pointer.
pub trait AnyJudge {
    /// [`Judge::max_group`].
    fn largest_group(&self) -> usize;
    /// [`Judge::judge`].
    fn judge_boxed<'a>(&'a self, groups: &'a [Group<'a>]) -> Boxed<'a, Vec<Vec<f32>>>;
}

impl<T: Judge> AnyJudge for T {
    fn largest_group(&self) -> usize {
        self.max_group()
    }

    fn judge_boxed<'a>(&'a self, groups: &'a [Group<'a>]) -> Boxed<'a, Vec<Vec<f32>>> {
        Box::pin(self.judge(groups))
    }
}

/// [`Llm`] behind a pointer.
pub trait AnyLlm {
    /// [`Llm::complete`].
    fn complete_boxed<'a>(&'a self, request: &'a LlmRequest) -> Boxed<'a, LlmAnswer>;
}

impl<T: Llm> AnyLlm for T {
    fn complete_boxed<'a>(&'a self, request: &'a LlmRequest) -> Boxed<'a, LlmAnswer> {
        Box::pin(self.complete(request))
    }
}

/// [`Embedder`] behind a pointer.
pub trait AnyEmbedder {
    /// [`Embedder::embed_query`].
    fn embed_query_boxed<'a>(&'a self, text: &'a str) -> Boxed<'a, Vec<f32>>;
}

impl<T: Embedder> AnyEmbedder for T {
    fn embed_query_boxed<'a>(&'a self, text: &'a str) -> Boxed<'a, Vec<f32>> {
        Box::pin(self.embed_query(text))
    }
}

/// [`Pages`] behind a pointer.
pub trait AnyPages {
    /// [`Pages::grid`].
    fn grid_boxed<'a>(&'a self, documents: &'a [usize]) -> Boxed<'a, LlmImage>;
}

impl<T: Pages> AnyPages for T {
    fn grid_boxed<'a>(&'a self, documents: &'a [usize]) -> Boxed<'a, LlmImage> {
        Box::pin(self.grid(documents))
    }
}

/// [`Letters`] behind a pointer.
pub trait AnyLetters {
    /// [`Letters::letters`].
    fn letters_boxed<'a>(&'a self, prompt: &'a str, count: usize) -> Boxed<'a, Vec<f32>>;
}

impl<T: Letters> AnyLetters for T {
    fn letters_boxed<'a>(&'a self, prompt: &'a str, count: usize) -> Boxed<'a, Vec<f32>> {
        Box::pin(self.letters(prompt, count))
    }
}

/// [`Attention`] behind a pointer.
pub trait AnyAttention {
    /// [`Attention::attention`].
    fn attention_boxed<'a>(&'a self, prompt: &'a AttentionPrompt) -> Boxed<'a, Vec<Vec<f32>>>;
}

impl<T: Attention> AnyAttention for T {
    fn attention_boxed<'a>(&'a self, prompt: &'a AttentionPrompt) -> Boxed<'a, Vec<Vec<f32>>> {
        Box::pin(self.attention(prompt))
    }
}

/// What hears about progress, behind a pointer.
pub(super) trait AnyObserver {
    fn observe_boxed(&mut self, progress: Progress) -> Boxed<'_, ()>;
}

impl<T: AsyncFnMut(Progress) -> Result<(), Error>> AnyObserver for T {
    fn observe_boxed(&mut self, progress: Progress) -> Boxed<'_, ()> {
        Box::pin(self(progress))
    }
}
