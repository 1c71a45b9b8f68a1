//! Our own kernels: a BERT encoder in few passes over packed rows, for the CPU and for WebGPU.
//!
//! Sequences of a batch lie one behind the other, so padding costs nothing; the last layer of a
//! network that reads one state a sequence computes only that state. The plain path, burn's
//! modules in [`crate::nn`], is what both are tested against.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod webgpu;

/// The error function within 4e-7, for |x| up to 4, is x times one polynomial of x^2 over another,
/// highest power first: above and below the line. The coefficients are those of Eigen and XLA.
const ERF_ABOVE: [f32; 7] = [
    -2.726_142_4e-10,
    2.770_681_5e-8,
    -2.101_024e-6,
    -5.692_506_5e-5,
    -7.349_906_4e-4,
    -2.954_6e-3,
    -1.609_603_3e-2,
];
const ERF_BELOW: [f32; 5] = [
    -1.456_607_2e-5,
    -2.133_740_5e-4,
    -1.682_827e-3,
    -7.373_329e-3,
    -1.426_474e-2,
];
