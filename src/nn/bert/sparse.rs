//! BERT with the head of its masked language model, read as weights of a text's word pieces: log(1 +
//! relu(logit)), of the largest over tokens (SPLADE-max, arXiv:2109.10086).
//!
//! The head's matrix is that of the word embeddings, as in every tied checkpoint.

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Device, Tensor, activation};

use super::tensors::{BertTensors, VocabularyTensors};
use super::{Embeddings, Input, Layer, encode, layers, linear, norm, vector};
use crate::batch::Batch;
use crate::manifest::Manifest;

/// Tokens whose logits are held at a time: 8 MB of them, with 30,522 word pieces.
const PORTION: usize = 64;

/// BERT with a weight for each word piece of the vocabulary.
#[derive(Module, Debug)]
pub struct BertSparseEncoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    transform: Linear,
    norm: LayerNorm,
    bias: Param<Tensor<1>>,
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
            bias: vector(&head.bias, device),
        }
    }

    /// Weights, 0 or more, most of them 0. Cost: beside the layers, one product of every token with
    /// the word embeddings.
    ///
    /// # Shapes
    /// - output: `[b, v]`, with `v` word pieces
    #[must_use]
    pub fn forward(&self, batch: &Batch) -> Tensor<2> {
        let input = Input::upload(batch, &self.bias.device());
        let hidden = encode(&self.embeddings, &self.layers, &input);
        let hidden = activation::gelu(self.transform.forward(hidden));
        let hidden = self.norm.forward(hidden);
        let [_, _, width] = hidden.dims();
        let words = self.embeddings.word.weight.val().transpose();
        let rows = (batch.lengths().iter().enumerate()).map(|(row, &length)| {
            let portions = (0..length).step_by(PORTION).map(|from| {
                let portion = from..length.min(from + PORTION);
                let states = hidden.clone().slice([row..row + 1, portion, 0..width]);
                states.squeeze_dim::<2>(0).matmul(words.clone()).max_dim(0)
            });
            // Adding the bias and the logarithm are monotone: the largest can be taken first.
            portions.reduce(Tensor::max_pair).unwrap_or_else(|| {
                Tensor::full([1, words.dims()[1]], f32::NEG_INFINITY, &self.bias.device())
            })
        });
        let largest = Tensor::cat(rows.collect(), 0) + self.bias.val().unsqueeze();
        activation::relu(largest).log1p()
    }
}
