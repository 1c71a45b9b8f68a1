//! Every way the library can fail, as data: structured variants and a stable code for each.
//!
//! The code is part of the public contract (it reaches JavaScript as `error.code` and HTTP as
//! `code`); the text says what was expected, what was found and what to do, and may change.

use thiserror::Error;

/// An error with a stable [`code`](Error::code).
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument is outside its range.
    #[error("{argument}: expected {expected}, found {found}")]
    InvalidArgument {
        /// Name of the argument as the caller knows it.
        argument: &'static str,
        /// What would have been accepted.
        expected: String,
        /// What came.
        found: String,
    },
    /// WebGPU was asked for and is not to be had.
    #[error("no usable WebGPU: {what}; use device \"cpu\" or \"auto\"")]
    NoWebGpu {
        /// What is missing.
        what: String,
    },
    /// The device went away while in use.
    #[error("the device was lost: {what}; load the model again, on the CPU if it keeps happening")]
    DeviceLost {
        /// The device's own words.
        what: String,
    },
    /// The device or the host ran out of memory.
    #[error("out of memory: {what}; use a smaller window or model, or the CPU")]
    OutOfMemory {
        /// The device's own words.
        what: String,
    },
    /// A file is not the one the manifest names.
    #[error("{file}: expected {expected}, found {found}; fetch the file again")]
    Checksum {
        /// Path as the manifest gives it.
        file: String,
        /// Size or SHA-256 in the manifest.
        expected: String,
        /// Size or SHA-256 of what came.
        found: String,
    },
    /// `model.json` cannot be used.
    #[error("model.json: {what}")]
    Manifest {
        /// Which field, what was expected and found.
        what: String,
    },
    /// The weights file does not fit the network.
    #[error("weights: {tensor}: expected {expected}, found {found}")]
    Weights {
        /// Name of the tensor, or of the part of the file.
        tensor: String,
        /// Shape or type that the network needs.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// `tokenizer.json` cannot be used.
    #[error("tokenizer.json: {what}")]
    Tokenizer {
        /// Which field, what was expected and found.
        what: String,
    },
    /// The device gives another score than the manifest's known answer.
    #[error(
        "self-test: known answer {case} scored {found}, expected {expected} within {tolerance}; \
         do not trust this device"
    )]
    SelfTest {
        /// 0-based index of the known answer.
        case: usize,
        /// The manifest's score.
        expected: f32,
        /// This device's score.
        found: f32,
        /// The manifest's tolerance.
        tolerance: f32,
    },
    /// A language model, or the way to it, failed for good.
    #[error("llm: {what}")]
    Llm {
        /// The provider's own words, never with a key in them.
        what: String,
    },
    /// The run's own limit on what a language model may cost is reached.
    #[error("budget: {what}; raise the budget and run again, what was paid for is kept")]
    Budget {
        /// What is spent and what was needed.
        what: String,
    },
    /// The caller stopped the work.
    #[error("aborted by the caller")]
    Aborted,
    /// A fault of this library or of what it stands on.
    #[error("internal: {what}; please report it")]
    Internal {
        /// What happened.
        what: String,
    },
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidArgument { .. } => "invalid_argument",
            Self::NoWebGpu { .. } => "no_webgpu",
            Self::DeviceLost { .. } => "device_lost",
            Self::OutOfMemory { .. } => "out_of_memory",
            Self::Checksum { .. } => "checksum",
            Self::Manifest { .. } => "manifest",
            Self::Weights { .. } => "weights",
            Self::Tokenizer { .. } => "tokenizer",
            Self::SelfTest { .. } => "self_test",
            Self::Llm { .. } => "llm",
            Self::Budget { .. } => "budget",
            Self::Aborted => "aborted",
            Self::Internal { .. } => "internal",
        }
    }

    pub(crate) fn argument(
        argument: &'static str,
        expected: impl Into<String>,
        found: impl ToString,
    ) -> Self {
        Self::InvalidArgument {
            argument,
            expected: expected.into(),
            found: found.to_string(),
        }
    }
}
