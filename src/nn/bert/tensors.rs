//! The tensors of a BERT network by name: the one list of names and shapes, for every engine.

use crate::error::Error;
use crate::manifest::{Architecture, Manifest};
use crate::weights::{Checkpoint, Stored};

/// All tensors of a network.
pub(crate) struct BertTensors {
    pub(crate) word: Stored,
    pub(crate) position: Stored,
    pub(crate) segment: Stored,
    pub(crate) norm: NormTensors,
    pub(crate) layers: Vec<LayerTensors>,
    /// Of a cross-encoder.
    pub(crate) head: Option<HeadTensors>,
    /// Of a sparse encoder.
    pub(crate) vocabulary: Option<VocabularyTensors>,
}

/// A cross-encoder's pooler and classifier.
pub(crate) struct HeadTensors {
    pub(crate) pooler: LinearTensors,
    pub(crate) classifier: LinearTensors,
}

/// The head of a masked language model; its matrix is that of the word embeddings.
pub(crate) struct VocabularyTensors {
    pub(crate) transform: LinearTensors,
    pub(crate) norm: NormTensors,
    /// One a word piece.
    pub(crate) bias: Stored,
}

/// A linear layer: `[out, in]` and `[out]`.
pub(crate) struct LinearTensors {
    pub(crate) weight: Stored,
    pub(crate) bias: Stored,
}

/// A layer norm: `[h]` both.
pub(crate) struct NormTensors {
    pub(crate) weight: Stored,
    pub(crate) bias: Stored,
}

/// One encoder layer.
pub(crate) struct LayerTensors {
    pub(crate) qkv: LinearTensors,
    pub(crate) output: LinearTensors,
    pub(crate) attention_norm: NormTensors,
    pub(crate) up: LinearTensors,
    pub(crate) down: LinearTensors,
    pub(crate) feed_forward_norm: NormTensors,
}

impl BertTensors {
    /// Takes every tensor that the manifest's network has, and no other may be left.
    ///
    /// # Errors
    /// `weights`, naming the first tensor that is missing, misshapen or unused.
    pub(crate) fn take(manifest: &Manifest, mut from: Checkpoint) -> Result<Self, Error> {
        let d = &manifest.dimensions;
        let (h, f) = (d.hidden, d.feed_forward);
        let from_ref = &mut from;
        let tensors = Self {
            word: from_ref.take("embeddings.word.weight", &[d.vocabulary, h])?,
            position: from_ref.take("embeddings.position.weight", &[d.positions, h])?,
            segment: from_ref.take("embeddings.segment.weight", &[d.segments, h])?,
            norm: norm(from_ref, "embeddings.norm", h)?,
            layers: (0..d.layers)
                .map(|index| layer(from_ref, &format!("layers.{index}"), h, f))
                .collect::<Result<_, _>>()?,
            head: match manifest.architecture {
                Architecture::BertCrossEncoder => Some(HeadTensors {
                    pooler: linear(from_ref, "pooler", h, h)?,
                    classifier: linear(from_ref, "classifier", d.labels, h)?,
                }),
                _ => None,
            },
            vocabulary: match manifest.architecture {
                Architecture::BertSparseEncoder => Some(VocabularyTensors {
                    transform: linear(from_ref, "vocabulary.transform", h, h)?,
                    norm: norm(from_ref, "vocabulary.norm", h)?,
                    bias: from_ref.take("vocabulary.bias", &[d.vocabulary])?,
                }),
                _ => None,
            },
        };
        from.end()?;
        Ok(tensors)
    }
}

fn layer(from: &mut Checkpoint, name: &str, h: usize, f: usize) -> Result<LayerTensors, Error> {
    Ok(LayerTensors {
        qkv: linear(from, &format!("{name}.attention.qkv"), 3 * h, h)?,
        output: linear(from, &format!("{name}.attention.output"), h, h)?,
        attention_norm: norm(from, &format!("{name}.attention_norm"), h)?,
        up: linear(from, &format!("{name}.feed_forward.up"), f, h)?,
        down: linear(from, &format!("{name}.feed_forward.down"), h, f)?,
        feed_forward_norm: norm(from, &format!("{name}.feed_forward_norm"), h)?,
    })
}

fn linear(
    from: &mut Checkpoint,
    name: &str,
    out: usize,
    input: usize,
) -> Result<LinearTensors, Error> {
    Ok(LinearTensors {
        weight: from.take(&format!("{name}.weight"), &[out, input])?,
        bias: from.take(&format!("{name}.bias"), &[out])?,
    })
}

fn norm(from: &mut Checkpoint, name: &str, width: usize) -> Result<NormTensors, Error> {
    Ok(NormTensors {
        weight: from.take(&format!("{name}.weight"), &[width])?,
        bias: from.take(&format!("{name}.bias"), &[width])?,
    })
}
