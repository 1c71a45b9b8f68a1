//! Our own kernels: a BERT encoder in few passes over packed rows, for the CPU and for WebGPU.
//!
//! Sequences of a batch lie one behind the other, so padding costs nothing; the last layer of a
//! network that reads one state a sequence computes only that state. The plain path, burn's
//! modules in [`crate::nn`], is what both are tested against.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod webgpu;
