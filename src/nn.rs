//! The only list of network architectures: token batches in, raw numbers out.
//!
//! A network is chosen by the manifest's `architecture` and never guessed from a name or a size.
//! What a number means (logit, cosine) is the manifest's to say; nothing here applies a sigmoid.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor};

use crate::batch::Batch;
use crate::error::Error;
use crate::manifest::{Architecture, Manifest};

mod bert;
mod read_back;

pub use bert::{BertBiEncoder, BertConfig, BertCrossEncoder};

/// A network on a device, ready for inference.
#[allow(
    clippy::large_enum_variant,
    reason = "one a reranker, never moved about; sizes differ between targets"
)]
#[derive(Debug)]
pub enum Network {
    /// Query and document in one sequence, one logit out.
    BertCrossEncoder(BertCrossEncoder),
    /// One text a sequence, one unit vector out.
    BertBiEncoder(BertBiEncoder),
}

impl Network {
    /// The manifest's architecture with uninitialised weights on `device`.
    /// Nothing is computed until weights are applied or a forward pass asks for them.
    #[must_use]
    pub fn init(manifest: &Manifest, device: &Device) -> Self {
        let config = BertConfig::from(manifest);
        match manifest.architecture {
            Architecture::BertCrossEncoder => {
                Self::BertCrossEncoder(config.init_cross_encoder(device))
            }
            Architecture::BertBiEncoder => Self::BertBiEncoder(config.init_bi_encoder(device)),
        }
    }

    /// One raw logit a sequence. Cost: one upload and one read-back.
    ///
    /// # Errors
    /// `internal` when the network is a bi-encoder, or a read-back fails;
    /// `device_lost` and `out_of_memory` as the device reports them.
    pub async fn logits(&self, batch: &Batch) -> Result<Vec<f32>, Error> {
        match self {
            Self::BertCrossEncoder(network) => read_back::floats(network.forward(batch)).await,
            Self::BertBiEncoder(_) => Err(Error::Internal {
                what: "a bi-encoder has no logits; ask for vectors".into(),
            }),
        }
    }

    /// One vector of unit length a sequence, `hidden` wide. Cost: one upload and one read-back.
    ///
    /// # Errors
    /// As [`Network::logits`], with the architectures exchanged.
    pub async fn vectors(&self, batch: &Batch) -> Result<Vec<Vec<f32>>, Error> {
        match self {
            Self::BertBiEncoder(network) => {
                let vectors = network.forward(batch);
                let [_, width] = vectors.dims();
                let flat = read_back::floats(vectors).await?;
                Ok(flat.chunks(width).map(<[f32]>::to_vec).collect())
            }
            Self::BertCrossEncoder(_) => Err(Error::Internal {
                what: "a cross-encoder has no vectors; ask for logits".into(),
            }),
        }
    }

    /// The same network with every weight 0, for timing a device.
    #[must_use]
    pub fn zeroed(self) -> Self {
        match self {
            Self::BertCrossEncoder(network) => Self::BertCrossEncoder(network.map(&mut Zeros)),
            Self::BertBiEncoder(network) => Self::BertBiEncoder(network.map(&mut Zeros)),
        }
    }

    /// Number of weights, biases included.
    #[must_use]
    pub fn parameters(&self) -> usize {
        match self {
            Self::BertCrossEncoder(network) => network.num_params(),
            Self::BertBiEncoder(network) => network.num_params(),
        }
    }
}

struct Zeros;

impl ModuleMapper for Zeros {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let zeros = Tensor::zeros(param.lazy_shape(), &param.lazy_device());
        Param::initialized(param.id, zeros)
    }
}
