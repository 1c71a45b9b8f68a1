//! **foliorank** reranks document pages where the reader is: burn networks and our own kernels, on
//! WebGPU or the CPU, in the browser as WASM and natively.
//!
//! The flow: a [`Manifest`] says what a model is; [`Reranker::from_parts`] checks the files and
//! puts the network on a [`DeviceKind`]; [`Reranker::self_test`] proves the device with known
//! answers; [`Reranker::rerank`] turns a query and documents into a [`Ranking`] with the best
//! passage of each page.
//!
//! | module | what it does |
//! |---|---|
//! | [`reranker`] | the one call, or several together; options, progress, usage |
//! | [`strategy`] | the [`Judge`] seam and every way to ask it, by name |
//! | [`page`] | long pages as windows, windows' scores as page scores |
//! | [`tokenizer`] | text to WordPiece ids with byte spans |
//! | [`batch`] | sequences sorted by length and packed to a token budget |
//! | [`nn`] | the networks: shapes in, raw logits or vectors out |
//! | `kernels` | our own BERT passes, for int8 on the CPU and for WebGPU |
//! | `weights` | safetensors as named tensors, strictly |
//! | [`manifest`] | `model.json` as a type |
//! | [`device`] | `cpu` or `webgpu` |
//! | [`llm`] | the seam to a language model |
//! | `image` | page images for models that see; feature `images` |
//! | [`metrics`] | how good rankings and judges are |
//! | [`retrieval`] | first stages: BM25, dense, sparse, late interaction; fusion |
//! | [`error`] | every failure, with a stable code |
//! | [`negatives`] | hard-negative queries from one page |
//!
//! Without the feature `network` there are no networks, and nothing that only they need: the WASM
//! variant `logic` is the rest.
//!
//! Imports point one way: `wasm -> reranker -> {strategy, page, batch, tokenizer, nn, weights,
//! device}`. `strategy`, `page`, `tokenizer`, `metrics`, `retrieval`,
//! `negatives`, `image` and `llm` never import burn, and `strategy` and `negatives` never `image`.

#[cfg(feature = "network")]
pub mod batch;
#[cfg(feature = "network")]
pub mod device;
pub mod error;
#[cfg(feature = "images")]
pub mod image;
#[cfg(feature = "network")]
mod kernels;
pub mod llm;
#[cfg(feature = "network")]
pub mod manifest;
pub mod metrics;
pub mod negatives;
#[cfg(feature = "network")]
pub mod nn;
pub mod page;
mod random;
#[cfg(feature = "network")]
pub mod reranker;
pub mod retrieval;
pub mod strategy;
#[cfg(feature = "network")]
pub mod tokenizer;
#[cfg(all(feature = "wasm", target_arch = "wasm32"))]
mod wasm;
#[cfg(feature = "network")]
mod weights;

#[cfg(feature = "network")]
pub use device::DeviceKind;
pub use error::Error;
#[cfg(feature = "network")]
pub use manifest::Manifest;
#[cfg(feature = "network")]
pub use reranker::{Options, Ranking, Reranker, Scores};
pub use strategy::Judge;

// Named for their JavaScript feature only.
#[cfg(all(feature = "network", target_arch = "wasm32"))]
use {getrandom_03 as _, getrandom_04 as _};
