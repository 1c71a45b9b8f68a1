//! A forward pass as a list of dispatches over buffers of one size, made once and used for every
//! batch that fits.

use wgpu::{BindGroup, Buffer, ComputePass, ComputePipeline};

use super::Bert;
use super::gpu::Gpu;
use super::load::{Linear, Norm};
use super::shaders::{Constants, Epilogue, TILE};
use crate::manifest::{Manifest, Pooling};

pub(super) struct Kernels {
    embed: ComputePipeline,
    norm: ComputePipeline,
    attention: ComputePipeline,
    product: ComputePipeline,
    product_gelu: ComputePipeline,
    product_residual: ComputePipeline,
    /// Product with tanh, and the classifier.
    head: Option<(ComputePipeline, ComputePipeline)>,
    mean: Option<ComputePipeline>,
    /// Of networks with vectors of tokens.
    pub(super) max_sim: Option<ComputePipeline>,
}

/// Buffers for a batch, and the dispatches over them.
pub(super) struct Room {
    pub(super) tokens: usize,
    pub(super) input: Buffer,
    /// What is read back: logits, or rows of `hidden`.
    pub(super) result: Buffer,
    pub(super) landing: Buffer,
    pub(super) steps: Vec<Step>,
}

/// A dispatch.
pub(super) struct Step {
    kernel: ComputePipeline,
    bindings: BindGroup,
    pub(super) mode: Mode,
    threads: Threads,
}

/// Which rows a dispatch works on; see `common.wgsl`.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mode {
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

impl Bert {
    /// Buffers for `tokens` tokens and as many sequences, and every dispatch of a pass.
    pub(super) fn room(&self, tokens: usize) -> Room {
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
        let only_first = self.head.is_some() || self.pooling == Pooling::FirstToken;
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

    /// The dispatch that follows a pass, and where it leaves the score of each sequence.
    pub(super) fn max_sim(
        &self,
        room: &Room,
        query: &[f32],
        sequences: usize,
    ) -> Option<(Step, Buffer)> {
        let kernel = self.kernels.max_sim.as_ref()?;
        let query = self.gpu.upload(bytemuck::must_cast_slice(query));
        let scores = self.gpu.buffer(sequences * 4);
        let buffers = [&room.input, &room.result, &query, &scores];
        // One workgroup along x, whatever its size.
        let step = self.step(kernel, Mode::FirstPacked, Threads::Vectors(1), &buffers);
        Some((step, scores))
    }

    /// A dispatch over the batch, which is the first of `buffers`, and others.
    fn step(
        &self,
        kernel: &ComputePipeline,
        mode: Mode,
        threads: Threads,
        buffers: &[&Buffer],
    ) -> Step {
        let mut all = buffers.to_vec();
        all.insert(1, &self.modes[mode as usize]);
        Step {
            kernel: kernel.clone(),
            bindings: self.gpu.bind(kernel, &all),
            mode,
            threads,
        }
    }
}

/// Dispatches in the making.
struct Steps<'a> {
    bert: &'a Bert,
    input: &'a Buffer,
    steps: Vec<Step>,
}

impl Steps<'_> {
    fn add(&mut self, kernel: &ComputePipeline, mode: Mode, threads: Threads, buffers: &[&Buffer]) {
        let buffers = [&[self.input], buffers].concat();
        let step = self.bert.step(kernel, mode, threads, &buffers);
        self.steps.push(step);
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
    pub(super) fn record(&self, pass: &mut ComputePass<'_>, rows: usize) {
        let [x, y, z] = self.threads.workgroups(rows);
        pass.set_pipeline(&self.kernel);
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

impl Kernels {
    pub(super) fn new(gpu: &Gpu, constants: Constants, manifest: &Manifest, head: bool) -> Self {
        let product = |name: &str, epilogue| gpu.pipeline(name, constants.product(epilogue));
        let mean = !head && manifest.pooling == Pooling::Mean;
        let tokens = manifest.pooling == Pooling::None;
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
            max_sim: tokens.then(|| gpu.pipeline("max_sim", constants.max_sim())),
        }
    }
}
