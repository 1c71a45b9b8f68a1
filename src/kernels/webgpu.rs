//! A BERT encoder on WebGPU: seven dispatches a layer, nine kernels, one upload and one read-back.
//!
//! Weights go to the device as the file has them and are widened and turned there, so the host
//! never holds a second copy. Sequences are packed; the last layer computes first tokens only
//! where nothing else is read.

use core::cell::RefCell;

use wgpu::Buffer;

use crate::batch::Batch;
use crate::error::Error;
use crate::manifest::{Manifest, Pooling};
use crate::nn::bert::tensors::BertTensors;
use crate::weights::Stored;

use self::gpu::Gpu;
use self::load::{Linear, Loader, Matrix, Norm, format};
use self::pass::{Kernels, Mode, Room};
use self::shaders::Constants;

mod gpu;
mod load;
mod pass;
mod shaders;

/// A BERT network on a WebGPU device.
pub(crate) struct Bert {
    gpu: Gpu,
    kernels: Kernels,
    modes: [Buffer; 3],
    word: Matrix,
    position: Buffer,
    segment: Buffer,
    norm: Norm,
    layers: Vec<Layer>,
    /// Pooler, classifier with its bias.
    head: Option<(Linear, Buffer)>,
    pooling: Pooling,
    hidden: usize,
    heads: usize,
    feed_forward: usize,
    /// Room for a batch; grows with the largest seen.
    room: RefCell<Option<Room>>,
}

struct Layer {
    qkv: Linear,
    output: Linear,
    attention_norm: Norm,
    up: Linear,
    down: Linear,
    feed_forward_norm: Norm,
}

/// Tokens a batch: enough to fill a GPU; few where it is a CPU in disguise, so that progress and
/// abort are heard.
const BATCH_TOKENS: usize = 4096;
const BATCH_TOKENS_IN_SOFTWARE: usize = 512;

impl Bert {
    /// Puts the network on the thread's device.
    ///
    /// # Errors
    /// `no_webgpu` when there is no device, or the network's sizes are no multiples of eight.
    pub(crate) async fn new(manifest: &Manifest, tensors: BertTensors) -> Result<Self, Error> {
        let d = &manifest.dimensions;
        let width = d.hidden / d.heads;
        if !d.hidden.is_multiple_of(8)
            || !d.feed_forward.is_multiple_of(8)
            || !width.is_multiple_of(4)
        {
            let what = format!(
                "the kernels take multiples of 8 (heads: 4), the model has {}, {} and {width}",
                d.hidden, d.feed_forward
            );
            return Err(Error::NoWebGpu { what });
        }
        let gpu = Gpu::open().await?;
        let constants = |tensor: &Stored| Constants {
            hidden: d.hidden,
            heads: d.heads,
            epsilon: d.layer_norm_epsilon,
            f16: gpu.f16,
            format: format(tensor),
        };
        let kernels = Kernels::new(
            &gpu,
            constants(&tensors.word),
            manifest,
            tensors.head.is_some(),
        );
        let first = tensors
            .layers
            .first()
            .map(|layer| constants(&layer.qkv.weight));
        let mut loader = Loader::new(&gpu, first.unwrap_or_else(|| constants(&tensors.word)));
        let layers = (tensors.layers.iter())
            .map(|layer| Layer {
                qkv: loader.linear(&layer.qkv),
                output: loader.linear(&layer.output),
                attention_norm: Norm::new(&gpu, &layer.attention_norm),
                up: loader.linear(&layer.up),
                down: loader.linear(&layer.down),
                feed_forward_norm: Norm::new(&gpu, &layer.feed_forward_norm),
            })
            .collect();
        let head = tensors.head.as_ref().map(|head| {
            let mut classifier = head.classifier.weight.floats();
            classifier.extend(head.classifier.bias.floats());
            classifier.resize(d.hidden + 4, 0.0);
            (
                loader.linear(&head.pooler),
                gpu.upload(bytemuck::must_cast_slice(&classifier)),
            )
        });
        let floats = |tensor: &Stored| gpu.upload(bytemuck::must_cast_slice(&tensor.floats()));
        Ok(Self {
            modes: [0, 1, 2].map(|mode| gpu.uniform([mode, 0, 0, 0])),
            word: Matrix::new(&gpu, &tensors.word),
            position: floats(&tensors.position),
            segment: floats(&tensors.segment),
            norm: Norm::new(&gpu, &tensors.norm),
            layers,
            head,
            pooling: manifest.pooling,
            hidden: d.hidden,
            heads: d.heads,
            feed_forward: d.feed_forward,
            room: RefCell::new(None),
            kernels,
            gpu,
        })
    }

    /// Tokens that a batch should have on this adapter.
    pub(crate) fn batch_tokens(&self) -> usize {
        if self.gpu.software {
            BATCH_TOKENS_IN_SOFTWARE
        } else {
            BATCH_TOKENS
        }
    }

    /// One logit a sequence.
    ///
    /// # Errors
    /// `device_lost`, `out_of_memory`, `internal`.
    pub(crate) async fn logits(&self, batch: &Batch) -> Result<Vec<f32>, Error> {
        self.run(batch, batch.rows(), None).await
    }

    /// One vector of unit length a sequence, or a token.
    ///
    /// # Errors
    /// As [`Bert::logits`].
    pub(crate) async fn vectors(&self, batch: &Batch) -> Result<Vec<Vec<f32>>, Error> {
        let counts: Vec<usize> = match self.pooling {
            Pooling::None => batch.lengths().to_vec(),
            _ => vec![1; batch.rows()],
        };
        let mut numbers = self
            .run(batch, counts.iter().sum::<usize>() * self.hidden, None)
            .await?;
        for row in numbers.chunks_exact_mut(self.hidden) {
            let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
            row.iter_mut().for_each(|value| *value /= length.max(1e-12));
        }
        let mut rest = numbers.as_slice();
        Ok((counts.into_iter())
            .map(|count| {
                let (row, after) = rest.split_at(count * self.hidden);
                rest = after;
                row.to_vec()
            })
            .collect())
    }

    /// The mean over a query's tokens of the best cosine each finds in a sequence, for each sequence:
    /// one number of each is read back. `query` is rows of unit length.
    ///
    /// # Errors
    /// As [`Bert::logits`]; `internal` when the network has no vectors of tokens.
    pub(crate) async fn max_sims(&self, batch: &Batch, query: &[f32]) -> Result<Vec<f32>, Error> {
        if self.kernels.max_sim.is_none() {
            let what = "the network has no vectors of tokens".into();
            return Err(Error::Internal { what });
        }
        self.run(batch, batch.rows(), Some(query)).await
    }

    /// The first `count` numbers of the result; with a query, of its scores.
    async fn run(
        &self,
        batch: &Batch,
        count: usize,
        query: Option<&[f32]>,
    ) -> Result<Vec<f32>, Error> {
        let (words, tokens) = input(batch);
        let sequences = batch.rows();
        // Taken out, so that nothing is borrowed while the device works.
        let room = self
            .room
            .take()
            .filter(|room| room.tokens >= tokens.max(sequences));
        let room = room.unwrap_or_else(|| self.room(tokens.max(sequences).next_multiple_of(512)));
        self.gpu
            .write(&room.input, bytemuck::must_cast_slice(&words));
        let last = query.and_then(|query| self.max_sim(&room, query, sequences));
        let (more, result) = match &last {
            Some((step, scores)) => (Some(step), scores),
            None => (None, &room.result),
        };
        let mut commands = self.gpu.device.create_command_encoder(&Default::default());
        {
            let mut pass = commands.begin_compute_pass(&Default::default());
            for step in room.steps.iter().chain(more) {
                let rows = match step.mode {
                    Mode::All => tokens,
                    Mode::FirstTaken | Mode::FirstPacked => sequences,
                };
                step.record(&mut pass, rows);
            }
        }
        let read = self.gpu.read(commands, result, &room.landing, count);
        let numbers = read.await?;
        self.room.replace(Some(room));
        Ok(numbers)
    }
}

/// The batch as `common.wgsl` describes it, and how many tokens it has.
fn input(batch: &Batch) -> (Vec<[u32; 4]>, usize) {
    let tokens: usize = batch.lengths().iter().sum();
    let mut words = vec![[tokens as u32, batch.rows() as u32, 0, 0]];
    let mut spans = Vec::with_capacity(batch.rows());
    let mut start = 0;
    for (ids, segments) in batch.sequences() {
        let span = [start, start + ids.len() as u32];
        for (position, (&id, &segment)) in (0..).zip(ids.iter().zip(segments)) {
            words.push([
                id as u32 | (segment as u32) << 24,
                position,
                span[0],
                span[1],
            ]);
        }
        spans.push([span[0], span[1], 0, 0]);
        start = span[1];
    }
    words.extend(spans);
    (words, tokens)
}
