//! Upstream files to ours: one tokenizer.json, one weight file, and what was lost on the way.
//!
//! Deterministic, so that the results can be pinned in the manifest. Touches no disk and no network.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use foliorank::manifest::{Conversion, Manifest};

use super::layout::{self, Dtype, Loss};
use super::{checkpoint, onnx, rename, tokenizer};

/// Our two files.
pub(crate) struct Converted {
    /// tokenizer.json.
    pub(crate) tokenizer: Vec<u8>,
    /// model.safetensors.
    pub(crate) weights: Vec<u8>,
    /// Of the weights.
    pub(crate) loss: Loss,
}

/// Upstream bytes of a model.
pub(crate) struct Upstream {
    /// What the weights are.
    pub(crate) conversion: Conversion,
    /// ONNX or safetensors.
    pub(crate) weights: Vec<u8>,
    /// Hugging Face tokenizer.json.
    pub(crate) tokenizer: Vec<u8>,
}

/// Converts a model.
pub(crate) fn convert(manifest: &Manifest, upstream: &Upstream, dtype: Dtype) -> Result<Converted> {
    let theirs = match upstream.conversion {
        Conversion::Onnx => onnx::read(&upstream.weights),
        Conversion::Safetensors => checkpoint::read(&upstream.weights),
    }
    .context("reading the upstream weights")?;
    let ours = rename::rename(theirs, manifest)?;
    // The licence asks for a notice of changes in the file itself.
    let metadata = BTreeMap::from([
        ("attribution", manifest.attribution.clone()),
        (
            "changes",
            format!(
                "tensors renamed, query, key and value fused, stored as {}",
                dtype.name()
            ),
        ),
        ("licence", manifest.licence.clone()),
        ("name", manifest.name.clone()),
    ]);
    let (weights, loss) = layout::write(&ours, dtype, &metadata);
    let tokenizer = tokenizer::convert(&upstream.tokenizer)?;
    Ok(Converted {
        tokenizer,
        weights,
        loss,
    })
}
