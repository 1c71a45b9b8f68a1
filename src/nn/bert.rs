//! BERT encoder with a cross-encoder head and a bi-encoder head.
//!
//! Devlin et al. 2019 (arXiv:1810.04805); heads as in sentence-transformers. Query, key and value
//! weights are one matrix; GELU is the exact erf form; the layer norm's epsilon is the manifest's
//! (checkpoints use 1e-12, burn's default is 1e-5). Letters: `b` batch, `s` sequence, `h` hidden.

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::batch::Batch;
use crate::manifest::{Manifest, Pooling};

use self::layer::Layer;

mod layer;

/// Dimensions of a BERT network.
#[derive(Debug, Clone)]
pub struct BertConfig {
    vocabulary: usize,
    hidden: usize,
    layers: usize,
    heads: usize,
    feed_forward: usize,
    positions: usize,
    segments: usize,
    labels: usize,
    layer_norm_epsilon: f64,
    pooling: Pooling,
}

impl From<&Manifest> for BertConfig {
    fn from(manifest: &Manifest) -> Self {
        let d = &manifest.dimensions;
        Self {
            vocabulary: d.vocabulary,
            hidden: d.hidden,
            layers: d.layers,
            heads: d.heads,
            feed_forward: d.feed_forward,
            positions: d.positions,
            segments: d.segments,
            labels: d.labels,
            layer_norm_epsilon: d.layer_norm_epsilon,
            pooling: manifest.pooling,
        }
    }
}

impl BertConfig {
    /// A cross-encoder with weights still to come.
    #[must_use]
    pub fn init_cross_encoder(&self, device: &Device) -> BertCrossEncoder {
        BertCrossEncoder {
            embeddings: self.init_embeddings(device),
            layers: self.init_layers(device),
            pooler: LinearConfig::new(self.hidden, self.hidden).init(device),
            classifier: LinearConfig::new(self.hidden, self.labels).init(device),
        }
    }

    /// A bi-encoder with weights still to come.
    #[must_use]
    pub fn init_bi_encoder(&self, device: &Device) -> BertBiEncoder {
        BertBiEncoder {
            embeddings: self.init_embeddings(device),
            layers: self.init_layers(device),
            mean: matches!(self.pooling, Pooling::Mean),
        }
    }

    fn init_embeddings(&self, device: &Device) -> Embeddings {
        Embeddings {
            word: EmbeddingConfig::new(self.vocabulary, self.hidden).init(device),
            position: EmbeddingConfig::new(self.positions, self.hidden).init(device),
            segment: EmbeddingConfig::new(self.segments, self.hidden).init(device),
            norm: self.init_norm(device),
        }
    }

    fn init_layers(&self, device: &Device) -> Vec<Layer> {
        (0..self.layers)
            .map(|_| Layer::init(self, device))
            .collect()
    }

    fn init_norm(&self, device: &Device) -> LayerNorm {
        LayerNormConfig::new(self.hidden)
            .with_epsilon(self.layer_norm_epsilon)
            .init(device)
    }
}

/// Word, position and segment embeddings, added and normalised.
#[derive(Module, Debug)]
struct Embeddings {
    word: Embedding,
    position: Embedding,
    segment: Embedding,
    norm: LayerNorm,
}

impl Embeddings {
    /// # Shapes
    /// - `ids`, `segments`: `[b, s]`
    /// - output: `[b, s, h]`
    fn forward(&self, ids: Tensor<2, Int>, segments: Tensor<2, Int>) -> Tensor<3> {
        let [_, length] = ids.dims();
        let positions = Tensor::arange(0..length as i64, &ids.device()).unsqueeze();
        let sum = self.word.forward(ids)
            + self.position.forward(positions)
            + self.segment.forward(segments);
        self.norm.forward(sum)
    }
}

/// BERT with a tanh pooler over the first token and a linear classifier: one logit a pair.
#[derive(Module, Debug)]
pub struct BertCrossEncoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    pooler: Linear,
    classifier: Linear,
}

impl BertCrossEncoder {
    /// Raw logits of the first label.
    ///
    /// # Shapes
    /// - output: `[b]`
    #[must_use]
    pub fn forward(&self, batch: &Batch) -> Tensor<1> {
        let input = Input::upload(batch, &self.classifier.weight.device());
        let hidden = encode(&self.embeddings, &self.layers, &input);
        let pooled = self.pooler.forward(first_token(hidden)).tanh();
        let logits = self.classifier.forward(pooled);
        logits.slice([0..batch.rows(), 0..1]).squeeze_dim(1)
    }

    /// Hidden states after `count` layers, for comparing with a reference. Shape `[b, s, h]`.
    #[must_use]
    pub fn hidden_after(&self, batch: &Batch, count: usize) -> Tensor<3> {
        let input = Input::upload(batch, &self.classifier.weight.device());
        encode(&self.embeddings, &self.layers[..count], &input)
    }
}

/// BERT with mean or first-token pooling and unit length: one vector a text.
#[derive(Module, Debug)]
pub struct BertBiEncoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    #[module(skip)]
    mean: bool,
}

impl BertBiEncoder {
    /// Vectors of unit length.
    ///
    /// # Shapes
    /// - output: `[b, h]`
    #[must_use]
    pub fn forward(&self, batch: &Batch) -> Tensor<2> {
        let input = Input::upload(batch, &self.embeddings.word.weight.device());
        let hidden = encode(&self.embeddings, &self.layers, &input);
        let pooled = if self.mean {
            mean_over_tokens(hidden, input.mask)
        } else {
            first_token(hidden)
        };
        let norm = pooled.clone().square().sum_dim(1).sqrt().clamp_min(1e-12);
        pooled / norm
    }
}

/// A batch on the device: one upload each for ids, segments and mask.
struct Input {
    ids: Tensor<2, Int>,
    segments: Tensor<2, Int>,
    /// 1 for a token, 0 for padding. Shape `[b, s]`.
    mask: Tensor<2>,
}

impl Input {
    fn upload(batch: &Batch, device: &Device) -> Self {
        let shape = [batch.rows(), batch.width()];
        Self {
            ids: Tensor::from_data(TensorData::new(batch.ids().to_vec(), shape), device),
            segments: Tensor::from_data(TensorData::new(batch.segments().to_vec(), shape), device),
            mask: Tensor::from_data(TensorData::new(batch.mask(), shape), device),
        }
    }
}

fn encode(embeddings: &Embeddings, layers: &[Layer], input: &Input) -> Tensor<3> {
    let bias = attention_bias(input.mask.clone());
    let hidden = embeddings.forward(input.ids.clone(), input.segments.clone());
    layers
        .iter()
        .fold(hidden, |hidden, layer| layer.forward(hidden, bias.clone()))
}

/// The additive mask, made in this one place: 0 for tokens, -1e9 for padding, so that a padded
/// key's weight underflows to exactly 0 in the softmax. Shape `[b, s]` to `[b, 1, 1, s]`.
fn attention_bias(mask: Tensor<2>) -> Tensor<4> {
    let [rows, width] = mask.dims();
    ((mask - 1.0) * 1e9).reshape([rows, 1, 1, width])
}

fn first_token(hidden: Tensor<3>) -> Tensor<2> {
    let [rows, _, width] = hidden.dims();
    hidden.slice([0..rows, 0..1, 0..width]).squeeze_dim(1)
}

/// Mean over tokens, padding left out of both sum and count.
fn mean_over_tokens(hidden: Tensor<3>, mask: Tensor<2>) -> Tensor<2> {
    let mask: Tensor<3> = mask.unsqueeze_dim(2);
    let count = mask.clone().sum_dim(1).clamp_min(1.0);
    ((hidden * mask).sum_dim(1) / count).squeeze_dim(1)
}
