//! One post-norm transformer layer: self-attention, then feed-forward, each with residual and norm.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Device, Tensor, activation};

use super::tensors::LayerTensors;
use super::{linear, norm};
use crate::manifest::Dimensions;

/// One encoder layer. Norms are named for where they act: after attention, after feed-forward.
#[derive(Module, Debug)]
pub(super) struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
    feed_forward_norm: LayerNorm,
}

impl Layer {
    pub(super) fn new(dimensions: &Dimensions, tensors: &LayerTensors, device: &Device) -> Self {
        let epsilon = dimensions.layer_norm_epsilon;
        Self {
            attention: Attention {
                qkv: linear(&tensors.qkv, device),
                output: linear(&tensors.output, device),
                heads: dimensions.heads,
            },
            attention_norm: norm(&tensors.attention_norm, epsilon, device),
            feed_forward: FeedForward {
                up: linear(&tensors.up, device),
                down: linear(&tensors.down, device),
            },
            feed_forward_norm: norm(&tensors.feed_forward_norm, epsilon, device),
        }
    }

    /// # Shapes
    /// - `hidden`, output: `[b, s, h]`
    /// - `bias`: `[b, 1, 1, s]`, added to the attention scores
    pub(super) fn forward(&self, hidden: Tensor<3>, bias: Tensor<4>) -> Tensor<3> {
        let attended = self.attention.forward(hidden.clone(), bias);
        let hidden = self.attention_norm.forward(attended + hidden);
        let expanded = self.feed_forward.forward(hidden.clone());
        self.feed_forward_norm.forward(expanded + hidden)
    }
}

/// Multi-head scaled dot-product attention; one matrix makes query, key and value.
#[derive(Module, Debug)]
pub(super) struct Attention {
    qkv: Linear,
    output: Linear,
    #[module(skip)]
    heads: usize,
}

impl Attention {
    fn forward(&self, hidden: Tensor<3>, bias: Tensor<4>) -> Tensor<3> {
        let [b, s, h] = hidden.dims();
        let width = h / self.heads;
        let [query, key, value] = self
            .qkv
            .forward(hidden)
            .reshape([b, s, 3, self.heads, width])
            .split(1, 2)
            .try_into()
            .map(|parts: [Tensor<5>; 3]| parts.map(|part| part.squeeze_dim::<4>(2).swap_dims(1, 2)))
            .unwrap_or_else(|_| unreachable!("a dimension of 3 splits into 3"));

        let scores = query.matmul(key.transpose()) / (width as f64).sqrt() + bias;
        let context = activation::softmax(scores, 3).matmul(value);
        self.output
            .forward(context.swap_dims(1, 2).reshape([b, s, h]))
    }
}

/// Linear, exact GELU, linear.
#[derive(Module, Debug)]
pub(super) struct FeedForward {
    up: Linear,
    down: Linear,
}

impl FeedForward {
    fn forward(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.down.forward(activation::gelu(self.up.forward(hidden)))
    }
}
