//! One post-norm transformer layer: self-attention, then feed-forward, each with residual and norm.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation};

use super::BertConfig;

/// One encoder layer. Norms are named for where they act: after attention, after feed-forward.
#[derive(Module, Debug)]
pub(super) struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
    feed_forward_norm: LayerNorm,
}

impl Layer {
    pub(super) fn init(config: &BertConfig, device: &Device) -> Self {
        let (hidden, inner) = (config.hidden, config.feed_forward);
        Self {
            attention: Attention {
                qkv: LinearConfig::new(hidden, 3 * hidden).init(device),
                output: LinearConfig::new(hidden, hidden).init(device),
                heads: config.heads,
            },
            attention_norm: config.init_norm(device),
            feed_forward: FeedForward {
                up: LinearConfig::new(hidden, inner).init(device),
                down: LinearConfig::new(inner, hidden).init(device),
            },
            feed_forward_norm: config.init_norm(device),
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
