//! A file's tensors as buffers: matrices as they lie, linear layers widened and turned on the device.

use wgpu::{Buffer, ComputePipeline};

use super::gpu::Gpu;
use super::shaders::Constants;
use crate::nn::bert::tensors::{LinearTensors, NormTensors};
use crate::weights::{Raw, Stored};

/// A matrix as the file has it.
pub(super) struct Matrix {
    pub(super) words: Buffer,
    pub(super) scales: Buffer,
}

/// `[in, out]` weights and bias.
pub(super) struct Linear {
    pub(super) weights: Buffer,
    pub(super) bias: Buffer,
    pub(super) shape: Buffer,
    pub(super) outputs: usize,
}

pub(super) struct Norm {
    pub(super) weight: Buffer,
    pub(super) bias: Buffer,
}

/// How `stored.wgsl` calls the type.
pub(super) fn format(tensor: &Stored) -> u32 {
    match tensor.raw() {
        Raw::I8(..) => 0,
        Raw::F32(_) => 1,
        Raw::F16(_) => 2,
    }
}

impl Matrix {
    pub(super) fn new(gpu: &Gpu, tensor: &Stored) -> Self {
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
    pub(super) fn new(gpu: &Gpu, tensors: &NormTensors) -> Self {
        Self {
            weight: gpu.upload(bytemuck::must_cast_slice(&tensors.weight.floats())),
            bias: gpu.upload(bytemuck::must_cast_slice(&tensors.bias.floats())),
        }
    }
}

/// Turns linear layers on the device.
pub(super) struct Loader<'a> {
    gpu: &'a Gpu,
    constants: Constants,
    kernel: ComputePipeline,
}

impl<'a> Loader<'a> {
    pub(super) fn new(gpu: &'a Gpu, constants: Constants) -> Self {
        Self {
            gpu,
            constants,
            kernel: gpu.pipeline("load", constants.load()),
        }
    }

    pub(super) fn linear(&mut self, tensors: &LinearTensors) -> Linear {
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
