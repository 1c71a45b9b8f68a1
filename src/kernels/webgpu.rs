//! A BERT encoder on WebGPU: seven dispatches a layer, nine kernels, one upload and one read-back.
//!
//! Weights go to the device as the file has them and are widened and turned there, so the host
//! never holds a second copy. Sequences are packed; the last layer computes first tokens only
//! where nothing else is read.

use core::cell::RefCell;

use wgpu::{BindGroup, Buffer, ComputePass, ComputePipeline};

use crate::batch::Batch;
use crate::error::Error;
use crate::manifest::{Manifest, Pooling};
use crate::nn::bert::tensors::{BertTensors, LinearTensors, NormTensors};
use crate::weights::{Raw, Stored};

use self::gpu::Gpu;
use self::shaders::{Constants, Epilogue, TILE};

mod gpu;
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
    mean: bool,
    hidden: usize,
    heads: usize,
    feed_forward: usize,
    /// Room for a batch; grows with the largest seen.
    room: RefCell<Option<Room>>,
}

struct Kernels {
    embed: ComputePipeline,
    norm: ComputePipeline,
    attention: ComputePipeline,
    product: ComputePipeline,
    product_gelu: ComputePipeline,
    product_residual: ComputePipeline,
    /// Product with tanh, and the classifier.
    head: Option<(ComputePipeline, ComputePipeline)>,
    mean: Option<ComputePipeline>,
}

/// A matrix as the file has it.
struct Matrix {
    words: Buffer,
    scales: Buffer,
}

/// `[in, out]` weights and bias.
struct Linear {
    weights: Buffer,
    bias: Buffer,
    shape: Buffer,
    outputs: usize,
}

struct Norm {
    weight: Buffer,
    bias: Buffer,
}

struct Layer {
    qkv: Linear,
    output: Linear,
    attention_norm: Norm,
    up: Linear,
    down: Linear,
    feed_forward_norm: Norm,
}

/// Buffers for a batch, and the dispatches over them.
struct Room {
    tokens: usize,
    input: Buffer,
    /// What is read back: logits, or rows of `hidden`.
    result: Buffer,
    landing: Buffer,
    steps: Vec<Step>,
}

/// A dispatch.
struct Step {
    kernel: ComputePipeline,
    bindings: BindGroup,
    mode: Mode,
    threads: Threads,
}

/// Which rows a dispatch works on; see `common.wgsl`.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    All = 0,
    FirstTaken = 1,
    FirstPacked = 2,
}

/// Workgroups for `rows` rows.
#[derive(Clone, Copy)]
enum Threads {
    /// A row an element of y, workgroups of 64 vectors along x.
    Vectors(usize),
    /// Workgroups of 16 rows, by this many along y.
    Rows(usize),
    /// Tiles of eight by eight, in workgroups of eight by eight, over this many columns.
    Tiles(usize),
}

impl Threads {
    fn workgroups(self, rows: usize) -> [u32; 3] {
        let (x, y) = match self {
            Self::Vectors(vectors) => (vectors.div_ceil(64), rows),
            Self::Rows(along) => (rows.div_ceil(16), along.div_ceil(4)),
            Self::Tiles(columns) => (columns.div_ceil(TILE * 8), rows.div_ceil(TILE * 8)),
        };
        [x as u32, y as u32, 1]
    }
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
            mean: manifest.pooling == Pooling::Mean,
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
        self.run(batch, 1).await
    }

    /// One vector of unit length a sequence.
    ///
    /// # Errors
    /// As [`Bert::logits`].
    pub(crate) async fn vectors(&self, batch: &Batch) -> Result<Vec<Vec<f32>>, Error> {
        let rows = self.run(batch, self.hidden).await?;
        let unit = |row: &[f32]| {
            let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
            row.iter().map(|value| value / length.max(1e-12)).collect()
        };
        Ok(rows.chunks_exact(self.hidden).map(unit).collect())
    }

    /// `width` numbers a sequence.
    async fn run(&self, batch: &Batch, width: usize) -> Result<Vec<f32>, Error> {
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
        let mut commands = self.gpu.device.create_command_encoder(&Default::default());
        {
            let mut pass = commands.begin_compute_pass(&Default::default());
            for step in &room.steps {
                step.record(
                    &mut pass,
                    if step.mode == Mode::All {
                        tokens
                    } else {
                        sequences
                    },
                );
            }
        }
        let numbers = self
            .gpu
            .read(commands, &room.result, &room.landing, sequences * width)
            .await?;
        self.room.replace(Some(room));
        Ok(numbers)
    }

    /// Buffers for `tokens` tokens and as many sequences, and every dispatch of a pass.
    fn room(&self, tokens: usize) -> Room {
        let gpu = &self.gpu;
        let rows = tokens.next_multiple_of(TILE);
        let floats = |width: usize| gpu.buffer(rows * width * 4);
        let hidden = self.hidden;
        let (states, next) = (floats(hidden), floats(hidden));
        let (qkv, context) = (floats(3 * hidden), floats(hidden));
        let expanded = floats(self.feed_forward);
        let input = gpu.buffer((1 + 2 * tokens) * 16);
        let mut steps = Steps {
            bert: self,
            input: &input,
            steps: Vec::new(),
        };

        let k = &self.kernels;
        steps.add(
            &k.embed,
            Mode::All,
            Threads::Vectors(hidden / 4),
            &[
                &self.word.words,
                &self.word.scales,
                &self.position,
                &self.segment,
                &states,
            ],
        );
        steps.norm(Mode::All, &self.norm, &states);
        let only_first = self.head.is_some() || !self.mean;
        for (index, layer) in self.layers.iter().enumerate() {
            let first = only_first && index + 1 == self.layers.len();
            let (taken, packed) = if first {
                (Mode::FirstTaken, Mode::FirstPacked)
            } else {
                (Mode::All, Mode::All)
            };
            steps.product(&k.product, Mode::All, &states, &layer.qkv, &qkv, None);
            steps.add(
                &k.attention,
                taken,
                Threads::Rows(self.heads),
                &[&qkv, &context],
            );
            steps.product(
                &k.product_residual,
                taken,
                &context,
                &layer.output,
                &next,
                Some(&states),
            );
            steps.norm(packed, &layer.attention_norm, &next);
            steps.product(&k.product_gelu, packed, &next, &layer.up, &expanded, None);
            steps.product(
                &k.product_residual,
                packed,
                &expanded,
                &layer.down,
                &states,
                Some(&next),
            );
            steps.norm(packed, &layer.feed_forward_norm, &states);
        }
        let result = match (&self.head, &k.head, &k.mean) {
            (Some((pooler, classifier)), Some((pool, classify)), _) => {
                let logits = floats(1);
                steps.product(pool, Mode::FirstPacked, &states, pooler, &next, None);
                steps.add(
                    classify,
                    Mode::FirstPacked,
                    Threads::Rows(1),
                    &[&next, classifier, &logits],
                );
                logits
            }
            (_, _, Some(mean)) => {
                steps.add(
                    mean,
                    Mode::FirstPacked,
                    Threads::Vectors(hidden / 4),
                    &[&states, &next],
                );
                next
            }
            _ => states,
        };
        let steps = steps.steps;
        Room {
            tokens,
            landing: gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: result.size(),
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
            input,
            result,
            steps,
        }
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

/// Dispatches in the making.
struct Steps<'a> {
    bert: &'a Bert,
    input: &'a Buffer,
    steps: Vec<Step>,
}

impl Steps<'_> {
    fn add(&mut self, kernel: &ComputePipeline, mode: Mode, threads: Threads, buffers: &[&Buffer]) {
        let bert = self.bert;
        let mut all = vec![self.input, &bert.modes[mode as usize]];
        all.extend(buffers);
        self.steps.push(Step {
            kernel: kernel.clone(),
            bindings: bert.gpu.bind(kernel, &all),
            mode,
            threads,
        });
    }

    fn norm(&mut self, mode: Mode, norm: &Norm, states: &Buffer) {
        let kernel = &self.bert.kernels.norm;
        self.add(
            kernel,
            mode,
            Threads::Rows(1),
            &[&norm.weight, &norm.bias, states],
        );
    }

    fn product(
        &mut self,
        kernel: &ComputePipeline,
        mode: Mode,
        left: &Buffer,
        linear: &Linear,
        out: &Buffer,
        residual: Option<&Buffer>,
    ) {
        let mut buffers = vec![&linear.shape, left, &linear.weights, &linear.bias, out];
        buffers.extend(residual);
        self.add(kernel, mode, Threads::Tiles(linear.outputs), &buffers);
    }
}

impl Step {
    fn record(&self, pass: &mut ComputePass<'_>, rows: usize) {
        let [x, y, z] = self.threads.workgroups(rows);
        pass.set_pipeline(&self.kernel);
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

impl Kernels {
    fn new(gpu: &Gpu, constants: Constants, manifest: &Manifest, head: bool) -> Self {
        let product = |name: &str, epilogue| gpu.pipeline(name, constants.product(epilogue));
        let mean = !head && manifest.pooling == Pooling::Mean;
        Self {
            embed: gpu.pipeline("embed", constants.embed()),
            norm: gpu.pipeline("norm", constants.norm()),
            attention: gpu.pipeline("attention", constants.attention()),
            product: product("product", Epilogue::Bias),
            product_gelu: product("product, gelu", Epilogue::Gelu),
            product_residual: product("product, residual", Epilogue::Residual),
            head: head.then(|| {
                (
                    product("product, tanh", Epilogue::Tanh),
                    gpu.pipeline("head", constants.head()),
                )
            }),
            mean: mean.then(|| gpu.pipeline("mean", constants.mean())),
        }
    }
}

/// How `stored.wgsl` calls the type.
fn format(tensor: &Stored) -> u32 {
    match tensor.raw() {
        Raw::I8(..) => 0,
        Raw::F32(_) => 1,
        Raw::F16(_) => 2,
    }
}

impl Matrix {
    fn new(gpu: &Gpu, tensor: &Stored) -> Self {
        let (bytes, scales) = match tensor.raw() {
            Raw::I8(bytes, scales) => (bytes, scales),
            Raw::F32(bytes) | Raw::F16(bytes) => (bytes, &[][..]),
        };
        Self {
            words: gpu.upload(bytes),
            scales: gpu.upload(bytemuck::must_cast_slice(scales)),
        }
    }
}

impl Norm {
    fn new(gpu: &Gpu, tensors: &NormTensors) -> Self {
        Self {
            weight: gpu.upload(bytemuck::must_cast_slice(&tensors.weight.floats())),
            bias: gpu.upload(bytemuck::must_cast_slice(&tensors.bias.floats())),
        }
    }
}

/// Turns linear layers on the device.
struct Loader<'a> {
    gpu: &'a Gpu,
    constants: Constants,
    kernel: ComputePipeline,
}

impl<'a> Loader<'a> {
    fn new(gpu: &'a Gpu, constants: Constants) -> Self {
        Self {
            gpu,
            constants,
            kernel: gpu.pipeline("load", constants.load()),
        }
    }

    fn linear(&mut self, tensors: &LinearTensors) -> Linear {
        let gpu = self.gpu;
        let format = format(&tensors.weight);
        if format != self.constants.format {
            self.constants.format = format;
            self.kernel = gpu.pipeline("load", self.constants.load());
        }
        let [outputs, inputs] = [tensors.weight.shape()[0], tensors.weight.shape()[1]];
        let stored = Matrix::new(gpu, &tensors.weight);
        let weights = gpu.buffer(inputs * outputs * if gpu.f16 { 2 } else { 4 });
        let size = gpu.uniform([inputs as u32, outputs as u32, 0, 0]);
        let mut commands = gpu.device.create_command_encoder(&Default::default());
        let buffers = [&size, &stored.words, &stored.scales, &weights];
        let bindings = gpu.bind(&self.kernel, &buffers);
        {
            let mut pass = commands.begin_compute_pass(&Default::default());
            pass.set_pipeline(&self.kernel);
            pass.set_bind_group(0, &bindings, &[]);
            pass.dispatch_workgroups(inputs.div_ceil(32) as u32, outputs.div_ceil(32) as u32, 1);
        }
        gpu.queue.submit([commands.finish()]);
        Linear {
            weights,
            bias: gpu.upload(bytemuck::must_cast_slice(&tensors.bias.floats())),
            shape: gpu.uniform([inputs as u32 / 4, outputs as u32 / 4, 0, 0]),
            outputs,
        }
    }
}
