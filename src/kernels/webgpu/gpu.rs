//! The adapter, its device, buffers and the one read-back: all that is wgpu and not BERT.
//!
//! In a browser wgpu calls WebGPU; natively it is Vulkan, Metal or DX12. One device is shared by
//! every network of a thread until it is lost.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, PoisonError};

use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu::{BindGroup, BindingResource, Buffer, BufferUsages, ComputePipeline};

use crate::error::Error;

/// A device with its queue.
#[derive(Clone)]
pub(super) struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// Weights may be kept as f16.
    pub(super) f16: bool,
    /// The adapter computes on the CPU.
    pub(super) software: bool,
    /// What went wrong outside any call.
    failure: Arc<Mutex<Option<Error>>>,
}

thread_local! {
    /// Never dropped: natively wgpu cannot close a device while its thread ends.
    static SHARED: RefCell<Option<ManuallyDrop<Gpu>>> = const { RefCell::new(None) };
}

impl Gpu {
    /// The thread's device, opened if there is none or it failed.
    ///
    /// # Errors
    /// `no_webgpu` when no adapter answers or it gives no device.
    pub(super) async fn open() -> Result<Self, Error> {
        let shared = SHARED.with_borrow(|shared| shared.as_deref().cloned());
        if let Some(gpu) = shared.filter(|gpu| gpu.failure().is_none()) {
            return Ok(gpu);
        }
        let gpu = Self::request().await?;
        SHARED.with_borrow_mut(|shared| *shared = Some(ManuallyDrop::new(gpu.clone())));
        Ok(gpu)
    }

    async fn request() -> Result<Self, Error> {
        let no = |what: String| Error::NoWebGpu { what };
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = (instance.request_adapter(&options).await).map_err(|e| no(e.to_string()))?;
        let f16 = adapter.features() & wgpu::Features::SHADER_F16;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("foliorank"),
            required_features: f16,
            // Tensors are as large as they are; ask for all that is to be had.
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let device = adapter.request_device(&descriptor).await;
        let (device, queue) = device.map_err(|e| no(e.to_string()))?;
        let failure = Arc::new(Mutex::new(None));
        let set = |failure: &Arc<Mutex<Option<Error>>>| {
            let failure = Arc::clone(failure);
            move |error: Error| {
                let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                failure.get_or_insert(error);
            }
        };
        let fail = set(&failure);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            fail(match error {
                wgpu::Error::OutOfMemory { source } => Error::OutOfMemory {
                    what: source.to_string(),
                },
                other => Error::Internal {
                    what: other.to_string(),
                },
            });
        }));
        let fail = set(&failure);
        device.set_device_lost_callback(move |reason, what| {
            fail(Error::DeviceLost {
                what: format!("{what} ({reason:?})"),
            });
        });
        Ok(Self {
            device,
            queue,
            f16: !f16.is_empty(),
            software: adapter.get_info().device_type == wgpu::DeviceType::Cpu,
            failure,
        })
    }

    /// What went wrong since the device was opened.
    pub(super) fn failure(&self) -> Option<Error> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone()
    }

    /// A buffer for what kernels write and read.
    pub(super) fn buffer(&self, bytes: usize) -> Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes.next_multiple_of(16).max(16) as u64,
            usage: BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        })
    }

    /// A buffer with these bytes in it.
    pub(super) fn upload(&self, bytes: &[u8]) -> Buffer {
        let buffer = self.buffer(bytes.len());
        self.write(&buffer, bytes);
        buffer
    }

    /// A uniform of four words.
    pub(super) fn uniform(&self, words: [u32; 4]) -> Buffer {
        self.device.create_buffer_init(&BufferInitDescriptor {
            label: None,
            contents: bytemuck::must_cast_slice(&words),
            usage: BufferUsages::UNIFORM,
        })
    }

    /// Bytes to the start of a buffer; the last word is filled up with zeros.
    pub(super) fn write(&self, buffer: &Buffer, bytes: &[u8]) {
        let whole = bytes.len() / 4 * 4;
        self.queue.write_buffer(buffer, 0, &bytes[..whole]);
        if whole < bytes.len() {
            let mut last = [0; 4];
            last[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
            self.queue.write_buffer(buffer, whole as u64, &last);
        }
    }

    /// A kernel from its text. Errors in it show as [`Gpu::failure`].
    pub(super) fn pipeline(&self, name: &str, text: String) -> ComputePipeline {
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(name),
                source: wgpu::ShaderSource::Wgsl(text.into()),
            });
        self.device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(name),
                layout: None,
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            })
    }

    /// Buffers for a kernel, in the order of its bindings.
    pub(super) fn bind(&self, pipeline: &ComputePipeline, buffers: &[&Buffer]) -> BindGroup {
        let entries: Vec<_> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: BindingResource::Buffer(buffer.as_entire_buffer_binding()),
            })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }

    /// Submits what was recorded and waits for `count` numbers from the start of `from`.
    ///
    /// # Errors
    /// `device_lost`, `out_of_memory`, or `internal` for what a kernel did wrong.
    pub(super) async fn read(
        &self,
        mut commands: wgpu::CommandEncoder,
        from: &Buffer,
        to: &Buffer,
        count: usize,
    ) -> Result<Vec<f32>, Error> {
        let bytes = (count * 4) as u64;
        commands.copy_buffer_to_buffer(from, 0, to, 0, bytes);
        self.queue.submit([commands.finish()]);
        let (done, mapped) = futures_channel::oneshot::channel();
        to.map_async(wgpu::MapMode::Read, ..bytes, move |result| {
            // Nobody waits any more when the call was dropped.
            let _ = done.send(result);
        });
        #[cfg(not(target_arch = "wasm32"))]
        if let Err(error) = self.device.poll(wgpu::PollType::wait_indefinitely()) {
            return Err(Error::DeviceLost {
                what: error.to_string(),
            });
        }
        let mapped = mapped.await;
        if let Some(error) = self.failure() {
            return Err(error);
        }
        let lost = |what: String| Error::DeviceLost { what };
        mapped
            .map_err(|error| lost(error.to_string()))?
            .map_err(|error| lost(error.to_string()))?;
        let view = to
            .get_mapped_range(..bytes)
            .map_err(|error| lost(error.to_string()))?;
        let numbers = bytemuck::pod_collect_to_vec(&view);
        drop(view);
        to.unmap();
        Ok(numbers)
    }
}
