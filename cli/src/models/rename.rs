//! Hugging Face names of a BERT checkpoint to ours, with query, key and value fused.
//!
//! Strict both ways: a tensor that the network needs and the checkpoint lacks is an error, and so is
//! one that nobody asked for, apart from the few listed in [`ignorable`].

use anyhow::{Context, Result, bail, ensure};
use foliorank::manifest::{Architecture, Dimensions, Manifest};

use super::layout::{Tensor, Tensors};

/// One tensor of ours: its name, its shape, and the checkpoint's tensors stacked into it.
pub(crate) struct Wanted {
    /// Our name.
    pub(crate) name: String,
    /// Sizes, PyTorch orientation.
    pub(crate) shape: Vec<usize>,
    /// Hugging Face names without the `bert.` prefix, stacked by rows.
    pub(crate) parts: Vec<String>,
}

/// Every tensor of the manifest's network.
pub(crate) fn wanted(manifest: &Manifest) -> Vec<Wanted> {
    let d = &manifest.dimensions;
    let h = d.hidden;
    let mut wanted = vec![
        one(
            "embeddings.word.weight",
            &[d.vocabulary, h],
            "embeddings.word_embeddings.weight",
        ),
        one(
            "embeddings.position.weight",
            &[d.positions, h],
            "embeddings.position_embeddings.weight",
        ),
        one(
            "embeddings.segment.weight",
            &[d.segments, h],
            "embeddings.token_type_embeddings.weight",
        ),
    ];
    wanted.extend(pair("embeddings.norm", &[h], &["embeddings.LayerNorm"]));
    for layer in 0..d.layers {
        let ours = |name: &str| format!("layers.{layer}.{name}");
        let theirs = |name: &str| format!("encoder.layer.{layer}.{name}");
        let qkv = ["query", "key", "value"].map(|part| theirs(&format!("attention.self.{part}")));
        wanted.extend(pair(&ours("attention.qkv"), &[3 * h, h], &qkv));
        for (name, shape, source) in [
            ("attention.output", &[h, h][..], "attention.output.dense"),
            ("attention_norm", &[h], "attention.output.LayerNorm"),
            (
                "feed_forward.up",
                &[d.feed_forward, h],
                "intermediate.dense",
            ),
            ("feed_forward.down", &[h, d.feed_forward], "output.dense"),
            ("feed_forward_norm", &[h], "output.LayerNorm"),
        ] {
            wanted.extend(pair(&ours(name), shape, &[theirs(source)]));
        }
    }
    if d.labels > 0 {
        wanted.extend(pair("pooler", &[h, h], &["pooler.dense"]));
        wanted.extend(pair("classifier", &[d.labels, h], &["classifier"]));
    }
    if manifest.architecture == Architecture::BertSparseEncoder {
        let theirs = |name: &str| [format!("cls.predictions.{name}")];
        let (transform, norm) = (theirs("transform.dense"), theirs("transform.LayerNorm"));
        wanted.extend(pair("vocabulary.transform", &[h, h], &transform));
        wanted.extend(pair("vocabulary.norm", &[h], &norm));
        let bias = &theirs("bias")[0];
        wanted.push(one("vocabulary.bias", &[d.vocabulary], bias));
    }
    wanted
}

fn one(name: &str, shape: &[usize], part: &str) -> Wanted {
    Wanted {
        name: name.into(),
        shape: shape.into(),
        parts: vec![part.into()],
    }
}

/// A weight of this shape and the bias of its rows.
fn pair(name: &str, shape: &[usize], parts: &[impl AsRef<str>]) -> [Wanted; 2] {
    let of = |kind: &str, shape: &[usize]| Wanted {
        name: format!("{name}.{kind}"),
        shape: shape.into(),
        parts: parts
            .iter()
            .map(|part| format!("{}.{kind}", part.as_ref()))
            .collect(),
    };
    [of("weight", shape), of("bias", &shape[..1])]
}

/// A buffer, or a head that only a cross-encoder uses.
fn ignorable(name: &str, d: &Dimensions) -> bool {
    name == "embeddings.position_ids" || (d.labels == 0 && name.starts_with("pooler."))
}

/// A Hugging Face name as [`Wanted::parts`] has it: without the model's prefix, with the layer norms'
/// newer names.
fn canonical(name: &str) -> String {
    (name.strip_prefix("bert.").unwrap_or(name))
        .replace("LayerNorm.gamma", "LayerNorm.weight")
        .replace("LayerNorm.beta", "LayerNorm.bias")
}

/// Renames and fuses a whole checkpoint.
pub(crate) fn rename(checkpoint: Tensors, manifest: &Manifest) -> Result<Tensors> {
    let d = &manifest.dimensions;
    let mut theirs: Tensors = checkpoint
        .into_iter()
        .map(|(name, tensor)| (canonical(&name), tensor))
        .collect();
    let mut ours = Tensors::new();
    for Wanted { name, shape, parts } in wanted(manifest) {
        let part_shape: Vec<usize> = [&[shape[0] / parts.len()], &shape[1..]].concat();
        let mut values = Vec::with_capacity(shape.iter().product());
        for part in &parts {
            let tensor = theirs
                .remove(part)
                .with_context(|| format!("the checkpoint has no tensor {part} (for {name})"))?;
            ensure!(
                tensor.shape == part_shape,
                "{part}: expected shape {part_shape:?}, found {:?}",
                tensor.shape
            );
            values.extend(tensor.values);
        }
        if let Some(bad) = values.iter().find(|value| !value.is_finite()) {
            bail!("{name}: expected finite numbers, found {bad}");
        }
        ours.insert(name, Tensor { shape, values });
    }
    if let Some(unused) = theirs.keys().find(|name| !ignorable(name, d)) {
        bail!("the checkpoint has a tensor this network does not: {unused}");
    }
    Ok(ours)
}
