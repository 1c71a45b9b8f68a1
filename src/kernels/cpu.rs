//! A BERT encoder on the CPU with int8 weights, in safe SIMD of 128 bits (WASM, SSE, NEON).
//!
//! Products are exact in integers over 13- to 15-bit activations (`matrix.rs`), everything else is
//! f32. Weights are packed once; the embeddings stay as they lie in the file.

use wide::f32x4;

use crate::batch::Batch;
use crate::manifest::{Manifest, Pooling};
use crate::nn::bert::tensors::{BertTensors, LayerTensors, LinearTensors, NormTensors};
use crate::weights::{Raw, Stored};

use self::attention::{Heads, Scratch, attend};
use self::matrix::{Matrix, Rows};
use self::vocabulary::Vocabulary;

mod attention;
mod math;
mod matrix;
mod vocabulary;

/// A BERT network with int8 weights.
pub(crate) struct Bert {
    word: Stored,
    position: Stored,
    segment: Stored,
    norm: Norm,
    layers: Vec<Layer>,
    head: Option<Head>,
    vocabulary: Option<Vocabulary>,
    pooling: Pooling,
    hidden: usize,
    heads: usize,
}

struct Layer {
    qkv: Matrix,
    output: Matrix,
    attention_norm: Norm,
    up: Matrix,
    down: Matrix,
    feed_forward_norm: Norm,
}

struct Head {
    pooler: Matrix,
    classifier: Vec<f32>,
    bias: f32,
}

struct Norm {
    weight: Vec<f32x4>,
    bias: Vec<f32x4>,
    epsilon: f32,
}

impl Norm {
    fn new(tensors: &NormTensors, epsilon: f64) -> Self {
        Self {
            weight: vectors(&tensors.weight.floats()),
            bias: vectors(&tensors.bias.floats()),
            epsilon: epsilon as f32,
        }
    }

    fn apply(&self, values: &mut [f32x4]) {
        math::layer_norm(values, &self.weight, &self.bias, self.epsilon);
    }
}

impl Bert {
    /// Whether these kernels can run the network: int8 matrices whose sizes are multiples of eight.
    pub(crate) fn suits(manifest: &Manifest, tensors: &BertTensors) -> bool {
        let d = &manifest.dimensions;
        let layers = (tensors.layers.iter()).flat_map(|l| [&l.qkv, &l.output, &l.up, &l.down]);
        let pooler = tensors.head.iter().map(|head| &head.pooler);
        let transform = tensors.vocabulary.iter().map(|head| &head.transform);
        let int8 = |tensor: &Stored| matches!(tensor.raw(), Raw::I8(..));
        let rows = [&tensors.word, &tensors.position, &tensors.segment];
        d.hidden.is_multiple_of(8)
            && d.feed_forward.is_multiple_of(8)
            && rows.into_iter().all(int8)
            && layers
                .chain(pooler)
                .chain(transform)
                .all(|linear| int8(&linear.weight))
    }

    /// Packs the tensors of a network that [`Bert::suits`].
    pub(crate) fn new(manifest: &Manifest, tensors: BertTensors) -> Self {
        let d = &manifest.dimensions;
        let epsilon = d.layer_norm_epsilon;
        let vocabulary = tensors.vocabulary.as_ref();
        let vocabulary = vocabulary.map(|head| Vocabulary::new(head, &tensors.word, epsilon));
        Self {
            word: tensors.word,
            position: tensors.position,
            segment: tensors.segment,
            norm: Norm::new(&tensors.norm, epsilon),
            layers: (tensors.layers.iter())
                .map(|layer| Layer::new(layer, epsilon))
                .collect(),
            head: tensors.head.map(|head| Head {
                pooler: matrix(&head.pooler),
                classifier: head.classifier.weight.floats(),
                bias: head.classifier.bias.floats().iter().sum(),
            }),
            vocabulary,
            pooling: manifest.pooling,
            hidden: d.hidden,
            heads: d.heads,
        }
    }

    /// One logit a sequence.
    pub(crate) fn logits(&self, batch: &Batch) -> Vec<f32> {
        side_by_side(batch, |part| self.logits_of(part))
    }

    /// One vector of unit length a sequence, or a token; of a sparse encoder, a weight a word piece.
    pub(crate) fn vectors(&self, batch: &Batch) -> Vec<Vec<f32>> {
        side_by_side(batch, |part| self.vectors_of(part))
    }

    fn logits_of(&self, batch: &Batch) -> Vec<f32> {
        let Some(head) = &self.head else {
            return Vec::new();
        };
        let states = self.encode(batch, Wanted::First);
        let pooled = head.pooler.product(&Rows::new(&states, self.hidden), same);
        (pooled.chunks_exact(self.hidden / 4))
            .map(|row| {
                let row = bytemuck::cast_slice::<f32x4, f32>(row).iter();
                let terms = row.zip(&head.classifier);
                head.bias
                    + terms
                        .map(|(value, weight)| value.tanh() * weight)
                        .sum::<f32>()
            })
            .collect()
    }

    fn vectors_of(&self, batch: &Batch) -> Vec<Vec<f32>> {
        if let Some(vocabulary) = &self.vocabulary {
            let states = self.encode(batch, Wanted::All);
            return vocabulary.weights(&states, &starts(batch.lengths()));
        }
        let wanted = match self.pooling {
            Pooling::FirstToken => Wanted::First,
            Pooling::Mean | Pooling::None | Pooling::Max => Wanted::All,
        };
        let states = self.encode(batch, wanted);
        let mut rows = states.chunks_exact(self.hidden / 4);
        (batch.lengths().iter())
            .map(|&length| match self.pooling {
                Pooling::None => rows.by_ref().take(length).flat_map(unit).collect(),
                _ => {
                    let count = if wanted == Wanted::All { length } else { 1 };
                    let mut sum = vec![f32x4::ZERO; self.hidden / 4];
                    for row in rows.by_ref().take(count) {
                        sum.iter_mut()
                            .zip(row)
                            .for_each(|(sum, &value)| *sum += value);
                    }
                    // The mean's divisor goes away with the length.
                    unit(&sum).collect()
                }
            })
            .collect()
    }

    /// States of the last layer: of every token, or of the first token of each sequence.
    fn encode(&self, batch: &Batch, wanted: Wanted) -> Vec<f32x4> {
        let starts = starts(batch.lengths());
        let mut states = self.embed(batch);
        let mut scratch = Scratch::default();
        for (index, layer) in self.layers.iter().enumerate() {
            let last = index + 1 == self.layers.len();
            let wanted = if last { wanted } else { Wanted::All };
            states = layer.forward(&states, &starts, wanted, self.heads, &mut scratch);
        }
        states
    }

    fn embed(&self, batch: &Batch) -> Vec<f32x4> {
        let mut states =
            Vec::with_capacity(batch.lengths().iter().sum::<usize>() * self.hidden / 4);
        let mut row = vec![0.0; self.hidden];
        for (ids, segments) in batch.sequences() {
            for (position, (&id, &segment)) in ids.iter().zip(segments).enumerate() {
                row.fill(0.0);
                add_row(&self.word, id as usize, &mut row);
                add_row(&self.position, position, &mut row);
                add_row(&self.segment, segment as usize, &mut row);
                states.extend(row.as_chunks::<4>().0.iter().map(|&four| f32x4::new(four)));
            }
        }
        self.norm.apply(&mut states);
        states
    }
}

/// Which states a layer has to compute.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    All,
    First,
}

impl Layer {
    fn new(tensors: &LayerTensors, epsilon: f64) -> Self {
        Self {
            qkv: matrix(&tensors.qkv),
            output: matrix(&tensors.output),
            attention_norm: Norm::new(&tensors.attention_norm, epsilon),
            up: matrix(&tensors.up),
            down: matrix(&tensors.down),
            feed_forward_norm: Norm::new(&tensors.feed_forward_norm, epsilon),
        }
    }

    fn forward(
        &self,
        states: &[f32x4],
        starts: &[usize],
        wanted: Wanted,
        heads: usize,
        scratch: &mut Scratch,
    ) -> Vec<f32x4> {
        let hidden = self.output.outputs();
        let qkv = self.qkv.product(&Rows::new(states, hidden), same);
        let heads = Heads {
            rows: &qkv,
            hidden,
            count: heads,
        };
        let vectors = hidden / 4;
        let rows = match wanted {
            Wanted::All => states.len() / vectors,
            Wanted::First => starts.len() - 1,
        };
        let mut context = vec![f32x4::ZERO; rows * vectors];
        let mut residual = Vec::new();
        for (index, pair) in starts.windows(2).enumerate() {
            let sequence = pair[0]..pair[1];
            let (queries, place) = match wanted {
                Wanted::All => (sequence.clone(), pair[0]),
                Wanted::First => (pair[0]..pair[0] + 1, index),
            };
            if wanted == Wanted::First {
                residual.extend_from_slice(&states[pair[0] * vectors..][..vectors]);
            }
            let out = &mut context[place * vectors..][..queries.len() * vectors];
            attend(heads, sequence, queries, out, scratch);
        }
        let states = if wanted == Wanted::First {
            &residual
        } else {
            states
        };

        let context = Rows::new(&context, hidden);
        let mut attended = self
            .output
            .product(&context, |value, place| value + states[place]);
        self.attention_norm.apply(&mut attended);
        let expanded = self.up.product(&Rows::new(&attended, hidden), gelu);
        let expanded = Rows::new(&expanded, self.up.outputs());
        let mut next = self
            .down
            .product(&expanded, |value, place| value + attended[place]);
        self.feed_forward_norm.apply(&mut next);
        next
    }
}

/// What follows a product, element by element; functions with a name are compiled once each.
fn same(value: f32x4, _place: usize) -> f32x4 {
    value
}

fn gelu(value: f32x4, _place: usize) -> f32x4 {
    math::gelu(value)
}

/// Tokens that a batch should have: progress and abort are heard within a second or so.
#[cfg(not(feature = "threads"))]
pub(crate) fn batch_tokens() -> usize {
    512
}

/// Tokens that a batch should have: several sequences for every thread.
#[cfg(feature = "threads")]
pub(crate) fn batch_tokens() -> usize {
    1024 * threads()
}

#[cfg(feature = "threads")]
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// `work` on the sequences of a batch, divided among the machine's threads.
#[cfg(feature = "threads")]
fn side_by_side<T: Send>(batch: &Batch, work: impl Fn(&Batch) -> Vec<T> + Sync) -> Vec<T> {
    let parts = batch.split(threads());
    if parts.len() < 2 {
        return work(batch);
    }
    std::thread::scope(|scope| {
        let running: Vec<_> = (parts.iter())
            .map(|part| scope.spawn(|| work(part)))
            .collect();
        let results = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        results
            .flat_map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// `work` on a batch.
#[cfg(not(feature = "threads"))]
fn side_by_side<T>(batch: &Batch, work: impl Fn(&Batch) -> Vec<T>) -> Vec<T> {
    work(batch)
}

/// The vector of length 1 in this direction.
fn unit(vector: &[f32x4]) -> impl Iterator<Item = f32> {
    let square = (vector.iter()).fold(f32x4::ZERO, |square, &v| square + v * v);
    let scale = 1.0 / square.reduce_add().sqrt().max(1e-12);
    vector
        .iter()
        .flat_map(move |&value| (value * scale).to_array())
}

/// First token of each sequence, and the end.
fn starts(lengths: &[usize]) -> Vec<usize> {
    let mut starts = vec![0];
    for length in lengths {
        starts.push(starts[starts.len() - 1] + length);
    }
    starts
}

fn matrix(tensors: &LinearTensors) -> Matrix {
    let (weights, scales) = int8(&tensors.weight);
    Matrix::pack(weights, scales, &tensors.bias.floats())
}

/// Rows of int8 and their scales.
fn int8(tensor: &Stored) -> (&[u8], &[f32]) {
    match tensor.raw() {
        Raw::I8(weights, scales) => (weights, scales),
        Raw::F32(_) | Raw::F16(_) => unreachable!("`suits` was asked before"),
    }
}

fn add_row(table: &Stored, index: usize, row: &mut [f32]) {
    let (bytes, scales) = int8(table);
    let bytes = &bytes[index * row.len()..][..row.len()];
    for (sum, &byte) in row.iter_mut().zip(bytes) {
        *sum += f32::from(byte as i8) * scales[index];
    }
}

fn vectors(values: &[f32]) -> Vec<f32x4> {
    values
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&four| f32x4::new(four))
        .collect()
}
