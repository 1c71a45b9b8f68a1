//! Where a network runs: `cpu` or `webgpu`.
//!
//! In a browser the adapter is probed in JavaScript first (`www/src/probe.ts`), so that only the
//! WASM variant that will be used is downloaded.

use burn::tensor::Device;

use crate::error::Error;

/// The kinds of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// The host's processor, with SIMD.
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

/// burn's device for the plain path.
///
/// # Errors
/// `invalid_argument` in a build without the `cpu` feature.
pub(crate) fn cpu() -> Result<Device, Error> {
    #[cfg(feature = "cpu")]
    return Ok(Device::flex());
    #[cfg(not(feature = "cpu"))]
    Err(Error::argument(
        "device",
        "webgpu: this build has no CPU",
        "cpu",
    ))
}
