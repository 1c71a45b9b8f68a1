//! BERT encoder with the heads of cross-encoders, bi-encoders, late interaction and sparse encoders,
//! as burn modules: the plain path.
//!
//! Devlin et al. 2019 (arXiv:1810.04805); heads as in sentence-transformers. Query, key and value
//! weights are one matrix; GELU is the exact erf form; the layer norm's epsilon is the manifest's
//! (checkpoints use 1e-12, burn's default is 1e-5). Letters: `b` batch, `s` sequence, `h` hidden.

use burn::module::{Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::batch::Batch;
use crate::error::Error;
use crate::manifest::{Manifest, Pooling};
use crate::weights::{Checkpoint, Stored};

use self::layer::Layer;
use self::tensors::{BertTensors, HeadTensors, LinearTensors, NormTensors};

pub use self::sparse::BertSparseEncoder;
pub(crate) use self::sparse::{raise, token_weight};

mod layer;
mod sparse;
pub(crate) mod tensors;

/// Word, position and segment embeddings, added and normalised.
#[derive(Module, Debug)]
struct Embeddings {
    word: Embedding,
    position: Embedding,
    segment: Embedding,
    norm: LayerNorm,
}

impl Embeddings {
    fn new(tensors: &BertTensors, epsilon: f64, device: &Device) -> Self {
        Self {
            word: embedding(&tensors.word, device),
            position: embedding(&tensors.position, device),
            segment: embedding(&tensors.segment, device),
            norm: norm(&tensors.norm, epsilon, device),
        }
    }

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
    /// Reads a safetensors file.
    ///
    /// # Errors
    /// `weights`, naming the tensor, what the network needs and what the file has.
    pub fn load(manifest: &Manifest, weights: Vec<u8>, device: &Device) -> Result<Self, Error> {
        let mut tensors = BertTensors::take(manifest, Checkpoint::read(weights)?)?;
        let head = tensors.head.take().ok_or_else(|| Error::Internal {
            what: "the manifest names no cross-encoder".into(),
        })?;
        Ok(Self::new(manifest, &tensors, &head, device))
    }

    pub(super) fn new(
        manifest: &Manifest,
        tensors: &BertTensors,
        head: &HeadTensors,
        device: &Device,
    ) -> Self {
        Self {
            embeddings: Embeddings::new(tensors, manifest.dimensions.layer_norm_epsilon, device),
            layers: layers(manifest, tensors, device),
            pooler: linear(&head.pooler, device),
            classifier: linear(&head.classifier, device),
        }
    }

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

/// BERT with vectors of unit length: one a text by mean or first-token pooling, or one a token.
#[derive(Module, Debug)]
pub struct BertBiEncoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    #[module(skip)]
    mean: bool,
}

impl BertBiEncoder {
    pub(super) fn new(manifest: &Manifest, tensors: &BertTensors, device: &Device) -> Self {
        Self {
            embeddings: Embeddings::new(tensors, manifest.dimensions.layer_norm_epsilon, device),
            layers: layers(manifest, tensors, device),
            mean: manifest.pooling == Pooling::Mean,
        }
    }

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

    /// Vectors of unit length of every token; those of padding mean nothing.
    ///
    /// # Shapes
    /// - output: `[b, s, h]`
    #[must_use]
    pub fn forward_tokens(&self, batch: &Batch) -> Tensor<3> {
        let input = Input::upload(batch, &self.embeddings.word.weight.device());
        let hidden = encode(&self.embeddings, &self.layers, &input);
        let norm = hidden.clone().square().sum_dim(2).sqrt().clamp_min(1e-12);
        hidden / norm
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

fn layers(manifest: &Manifest, tensors: &BertTensors, device: &Device) -> Vec<Layer> {
    let layers = tensors.layers.iter();
    layers
        .map(|layer| Layer::new(&manifest.dimensions, layer, device))
        .collect()
}

fn matrix(tensor: &Stored, device: &Device) -> Param<Tensor<2>> {
    let shape = [tensor.shape()[0], tensor.shape()[1]];
    Param::from_data(TensorData::new(tensor.floats(), shape), device)
}

fn vector(tensor: &Stored, device: &Device) -> Param<Tensor<1>> {
    Param::from_data(
        TensorData::new(tensor.floats(), [tensor.shape()[0]]),
        device,
    )
}

fn embedding(tensor: &Stored, device: &Device) -> Embedding {
    let mut embedding = EmbeddingConfig::new(tensor.shape()[0], tensor.shape()[1]).init(device);
    embedding.weight = matrix(tensor, device);
    embedding
}

fn norm(tensors: &NormTensors, epsilon: f64, device: &Device) -> LayerNorm {
    let config = LayerNormConfig::new(tensors.weight.shape()[0]).with_epsilon(epsilon);
    let mut norm = config.init(device);
    norm.gamma = vector(&tensors.weight, device);
    norm.beta = Some(vector(&tensors.bias, device));
    norm
}

/// burn's matrix is `[in, out]`, the file's `[out, in]`.
fn linear(tensors: &LinearTensors, device: &Device) -> Linear {
    let (outputs, inputs) = (tensors.weight.shape()[0], tensors.weight.shape()[1]);
    let stored = tensors.weight.floats();
    let turned = (0..inputs * outputs).map(|i| stored[i % outputs * inputs + i / outputs]);
    let data = TensorData::new(turned.collect::<Vec<f32>>(), [inputs, outputs]);
    let mut linear = LinearConfig::new(inputs, outputs).init(device);
    linear.weight = Param::from_data(data, device);
    linear.bias = Some(vector(&tensors.bias, device));
    linear
}
