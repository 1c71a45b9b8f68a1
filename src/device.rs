//! Where a network runs: `cpu` or `webgpu`, initialised before the first tensor.
//!
//! In a browser the adapter is probed in JavaScript first (`www/src/probe.ts`): the runtime
//! panics without `timestamp-query`, and a panic poisons a WASM instance.

use burn::tensor::Device;

use crate::error::Error;

/// The kinds of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// burn's Flex backend, with SIMD.
    Cpu,
    /// wgpu: WebGPU in browsers and edge workers; Vulkan, Metal or DX12 natively.
    WebGpu,
}

impl DeviceKind {
    /// The name used in options and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::WebGpu => "webgpu",
        }
    }

    /// Tokens a batch: small enough on a CPU that progress and abort are heard within a second
    /// or so; large enough on a GPU to fill it.
    #[must_use]
    pub const fn batch_tokens(self) -> usize {
        match self {
            Self::Cpu => 512,
            Self::WebGpu => 4096,
        }
    }

    /// Makes the device ready.
    ///
    /// # Errors
    /// `no_webgpu` when the build has no WebGPU or no adapter answers.
    pub async fn init(self) -> Result<Device, Error> {
        match self {
            #[cfg(feature = "cpu")]
            Self::Cpu => Ok(Device::flex()),
            #[cfg(not(feature = "cpu"))]
            Self::Cpu => Err(Error::argument(
                "device",
                "webgpu: this build has no CPU",
                "cpu",
            )),
            #[cfg(feature = "gpu")]
            Self::WebGpu => gpu::init().await,
            #[cfg(not(feature = "gpu"))]
            Self::WebGpu => Err(Error::NoWebGpu {
                what: "this build has the CPU only".into(),
            }),
        }
    }
}

impl core::str::FromStr for DeviceKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "cpu" => Ok(Self::Cpu),
            "webgpu" => Ok(Self::WebGpu),
            other => Err(Error::argument("device", "cpu or webgpu", other)),
        }
    }
}

#[cfg(feature = "gpu")]
mod gpu {
    use super::{Device, Error};
    use std::cell::RefCell;

    thread_local! {
        /// The runtime can be initialised once; later calls share the device.
        static READY: RefCell<Option<Device>> = const { RefCell::new(None) };
    }

    pub(super) async fn init() -> Result<Device, Error> {
        if let Some(device) = READY.with_borrow(Clone::clone) {
            return Ok(device);
        }
        let device =
            Device::wgpu_options()
                .init_async()
                .await
                .map_err(|error| Error::NoWebGpu {
                    what: error.to_string(),
                })?;
        READY.with_borrow_mut(|ready| *ready = Some(device.clone()));
        Ok(device)
    }
}
