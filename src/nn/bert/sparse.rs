//! BERT with the head of its masked language model, read as weights of a text's word pieces: log(1 +
//! relu(logit)), of the largest over tokens (SPLADE-max, arXiv:2109.10086).
//!
//! The head's matrix is that of the word embeddings, as in every tied checkpoint.

use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Device, activation};

use super::tensors::{BertTensors, VocabularyTensors};
use super::{Embeddings, Input, Layer, encode, layers, linear, norm};
use crate::batch::Batch;
use crate::error::Error;
use crate::manifest::Manifest;
use crate::nn::read_back;

/// Tokens whose logits are held at a time: 8 MB of them, with 30,522 word pieces.
const PORTION: usize = 64;

/// BERT with a weight for each word piece of the vocabulary.
#[derive(Debug)]
pub struct BertSparseEncoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    transform: Linear,
    norm: LayerNorm,
    /// Of the word pieces.
    bias: Vec<f32>,
}

impl BertSparseEncoder {
    pub(in crate::nn) fn new(
        manifest: &Manifest,
        tensors: &BertTensors,
        head: &VocabularyTensors,
        device: &Device,
    ) -> Self {
        let epsilon = manifest.dimensions.layer_norm_epsilon;
        Self {
            embeddings: Embeddings::new(tensors, epsilon, device),
            layers: layers(manifest, tensors, device),
            transform: linear(&head.transform, device),
            norm: norm(&head.norm, epsilon, device),
            bias: head.bias.floats(),
        }
    }

    /// For each sequence the weights of all word pieces, 0 or more, most of them 0. Cost: beside the
    /// layers, one product of every token with the word embeddings.
    ///
    /// # Errors
    /// `internal` when a read-back fails.
    pub async fn weights(&self, batch: &Batch) -> Result<Vec<Vec<f32>>, Error> {
        let input = Input::upload(batch, &self.embeddings.word.weight.device());
        let hidden = encode(&self.embeddings, &self.layers, &input);
        let hidden = activation::gelu(self.transform.forward(hidden));
        let hidden = self.norm.forward(hidden);
        let [_, _, width] = hidden.dims();
        let words = self.embeddings.word.weight.val().transpose();
        let mut rows = Vec::with_capacity(batch.rows());
        for (row, &length) in batch.lengths().iter().enumerate() {
            let mut largest = vec![f32::NEG_INFINITY; self.bias.len()];
            for from in (0..length).step_by(PORTION) {
                let portion = from..length.min(from + PORTION);
                let states = hidden.clone().slice([row..row + 1, portion, 0..width]);
                // The largest is found here: kernels for it would be more bytes than all of this.
                let logits = states.squeeze_dim::<2>(0).matmul(words.clone());
                let logits = read_back::floats(logits).await?;
                raise(&mut largest, &logits);
            }
            // Adding the bias and the logarithm are monotone: the largest could be taken first.
            let logits = largest.iter().zip(&self.bias).map(|(a, b)| a + b);
            rows.push(logits.map(token_weight).collect());
        }
        Ok(rows)
    }
}

/// Makes each number the largest of itself and those in its column of `rows`. NaN is above all.
pub(crate) fn raise(largest: &mut [f32], rows: &[f32]) {
    for row in rows.chunks_exact(largest.len()) {
        for (largest, &value) in largest.iter_mut().zip(row) {
            if value > *largest || value.is_nan() {
                *largest = value;
            }
        }
    }
}

/// What a word piece weighs in a text whose tokens give it this logit at most.
pub(crate) fn token_weight(logit: f32) -> f32 {
    if logit > 0.0 || logit.is_nan() {
        logit.ln_1p()
    } else {
        0.0
    }
}
