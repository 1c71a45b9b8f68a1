//! The only list of network architectures: token batches in, raw numbers out.
//!
//! A network is chosen by the manifest's `architecture` and never guessed from a name or a size.
//! What a number means (logit, cosine) is the manifest's to say; nothing here applies a sigmoid.
//! What runs it follows from the device and the file: our kernels for int8 on the CPU, burn's
//! modules for f32 and f16 there.

use burn::tensor::Tensor;

use crate::batch::{Batch, Layout};
use crate::device::DeviceKind;
use crate::error::Error;
use crate::kernels::cpu;
#[cfg(feature = "gpu")]
use crate::kernels::webgpu;
use crate::manifest::{Architecture, Manifest};
use crate::weights::Checkpoint;

pub(crate) mod bert;
mod likeness;
mod read_back;

pub use bert::BertSparseEncoder;
pub use bert::{BertBiEncoder, BertCrossEncoder};

use bert::tensors::BertTensors;

/// A network on a device, ready for inference.
pub struct Network {
    engine: Engine,
    architecture: Architecture,
    hidden: usize,
}

/// What runs the network.
enum Engine {
    /// burn's modules, on the CPU.
    PlainCrossEncoder(Box<BertCrossEncoder>),
    PlainBiEncoder(Box<BertBiEncoder>),
    PlainSparseEncoder(Box<BertSparseEncoder>),
    /// Our kernels, on the CPU.
    Cpu(Box<cpu::Bert>),
    /// Our kernels, on WebGPU.
    #[cfg(feature = "gpu")]
    WebGpu(Box<webgpu::Bert>),
}

impl Engine {
    fn plain(manifest: &Manifest, tensors: &BertTensors) -> Result<Self, Error> {
        let device = crate::device::cpu()?;
        if let Some(head) = &tensors.vocabulary {
            let network = BertSparseEncoder::new(manifest, tensors, head, &device);
            return Ok(Self::PlainSparseEncoder(Box::new(network)));
        }
        Ok(match &tensors.head {
            Some(head) => {
                let network = BertCrossEncoder::new(manifest, tensors, head, &device);
                Self::PlainCrossEncoder(Box::new(network))
            }
            None => {
                let network = BertBiEncoder::new(manifest, tensors, &device);
                Self::PlainBiEncoder(Box::new(network))
            }
        })
    }
}

impl core::fmt::Debug for Network {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Network").field(&self.architecture).finish()
    }
}

impl Network {
    /// Puts the tensors of a safetensors file on a device.
    ///
    /// # Errors
    /// `weights`, naming the tensor, what the network needs and what the file has; `no_webgpu`.
    pub async fn load(
        manifest: &Manifest,
        weights: Vec<u8>,
        device: DeviceKind,
    ) -> Result<Self, Error> {
        Self::from_checkpoint(manifest, Checkpoint::read(weights)?, device).await
    }

    /// The same with every weight 0 and no file, for timing a device.
    ///
    /// # Errors
    /// `no_webgpu`.
    pub async fn zeroed(manifest: &Manifest, device: DeviceKind) -> Result<Self, Error> {
        let checkpoint = Checkpoint::zeros(manifest.files.weights.dtype);
        Self::from_checkpoint(manifest, checkpoint, device).await
    }

    /// The network as burn's modules on the CPU, whatever the file holds: what our kernels are
    /// tested against.
    ///
    /// # Errors
    /// `weights`.
    pub fn plain(manifest: &Manifest, weights: Vec<u8>) -> Result<Self, Error> {
        let tensors = BertTensors::take(manifest, Checkpoint::read(weights)?)?;
        Ok(Self {
            engine: Engine::plain(manifest, &tensors)?,
            architecture: manifest.architecture,
            hidden: manifest.dimensions.hidden,
        })
    }

    async fn from_checkpoint(
        manifest: &Manifest,
        checkpoint: Checkpoint,
        device: DeviceKind,
    ) -> Result<Self, Error> {
        let tensors = BertTensors::take(manifest, checkpoint)?;
        let engine = match device {
            DeviceKind::Cpu if cpu::Bert::suits(manifest, &tensors) => {
                Engine::Cpu(Box::new(cpu::Bert::new(manifest, tensors)))
            }
            DeviceKind::Cpu => Engine::plain(manifest, &tensors)?,
            DeviceKind::WebGpu if manifest.architecture == Architecture::BertSparseEncoder => {
                return Err(Error::NoWebGpu {
                    what: "a sparse encoder runs on the CPU".into(),
                });
            }
            #[cfg(feature = "gpu")]
            DeviceKind::WebGpu => {
                Engine::WebGpu(Box::new(webgpu::Bert::new(manifest, tensors).await?))
            }
            #[cfg(not(feature = "gpu"))]
            DeviceKind::WebGpu => {
                return Err(Error::NoWebGpu {
                    what: "this build has the CPU only".into(),
                });
            }
        };
        Ok(Self {
            engine,
            architecture: manifest.architecture,
            hidden: manifest.dimensions.hidden,
        })
    }

    /// Which network this is.
    #[must_use]
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// How sequences of a batch are laid out, for planning batches.
    #[must_use]
    pub fn layout(&self) -> Layout {
        match self.engine {
            Engine::Cpu(_) => Layout::Packed,
            #[cfg(feature = "gpu")]
            Engine::WebGpu(_) => Layout::Packed,
            _ => Layout::Padded,
        }
    }

    /// Tokens that a batch should have: few on a CPU, so that progress and abort are heard within a
    /// second or so; enough to fill a GPU.
    #[must_use]
    pub fn batch_tokens(&self) -> usize {
        match &self.engine {
            Engine::Cpu(_) => cpu::batch_tokens(),
            #[cfg(feature = "gpu")]
            Engine::WebGpu(network) => network.batch_tokens(),
            _ => 512,
        }
    }

    /// One raw logit a sequence. Cost: one upload and one read-back.
    ///
    /// # Errors
    /// `internal` when the network is no cross-encoder, or a read-back fails;
    /// `device_lost` and `out_of_memory` as the device reports them.
    pub async fn logits(&self, batch: &Batch) -> Result<Vec<f32>, Error> {
        if !self.architecture.is_pairwise() {
            return Err(Error::Internal {
                what: "only a cross-encoder has logits; ask for vectors".into(),
            });
        }
        match &self.engine {
            Engine::PlainCrossEncoder(network) => read_back::floats(network.forward(batch)).await,
            Engine::Cpu(network) => Ok(network.logits(batch)),
            #[cfg(feature = "gpu")]
            Engine::WebGpu(network) => network.logits(batch).await,
            _ => unreachable!("the architecture says cross-encoder"),
        }
    }

    /// What each sequence is to a network that reads texts alone: for a bi-encoder a vector of unit
    /// length, `hidden` wide; for late interaction one for each token, in their order; for a sparse
    /// encoder a weight for each word piece. Cost: one upload and one read-back.
    ///
    /// # Errors
    /// As [`Network::logits`], with the architectures exchanged.
    pub async fn vectors(&self, batch: &Batch) -> Result<Vec<Vec<f32>>, Error> {
        if self.architecture.is_pairwise() {
            return Err(Error::Internal {
                what: "a cross-encoder has no vectors; ask for logits".into(),
            });
        }
        match &self.engine {
            Engine::PlainBiEncoder(network) => match self.architecture {
                Architecture::BertLateInteraction => {
                    let rows = rows(network.forward_tokens(batch).flatten(1, 2)).await?;
                    Ok((rows.into_iter().zip(batch.lengths()))
                        .map(|(mut row, length)| {
                            row.truncate(row.len() / batch.width() * length);
                            row
                        })
                        .collect())
                }
                _ => rows(network.forward(batch)).await,
            },
            Engine::PlainSparseEncoder(network) => network.weights(batch).await,
            Engine::Cpu(network) => Ok(network.vectors(batch)),
            #[cfg(feature = "gpu")]
            Engine::WebGpu(network) => network.vectors(batch).await,
            Engine::PlainCrossEncoder(_) => unreachable!("the architecture says otherwise"),
        }
    }

    /// The raw score of each sequence for what a query is, by [`Network::vectors`]. Cost: one upload
    /// and one read-back; of one number a sequence for late interaction on WebGPU.
    ///
    /// # Errors
    /// As [`Network::vectors`].
    pub async fn likenesses(&self, batch: &Batch, query: &[f32]) -> Result<Vec<f32>, Error> {
        #[cfg(feature = "gpu")]
        if let Engine::WebGpu(network) = &self.engine
            && self.architecture == Architecture::BertLateInteraction
        {
            return network.max_sims(batch, query).await;
        }
        let vectors = self.vectors(batch).await?;
        let likeness = |vector: &Vec<f32>| self.likeness(query, vector);
        Ok(vectors.iter().map(likeness).collect())
    }

    /// The raw score of a document for a query by what each is, by [`Network::vectors`].
    pub(crate) fn likeness(&self, query: &[f32], document: &[f32]) -> f32 {
        likeness::likeness(self.architecture, self.hidden, query, document)
    }
}

/// Rows of a matrix, on the host.
async fn rows(matrix: Tensor<2>) -> Result<Vec<Vec<f32>>, Error> {
    let [_, width] = matrix.dims();
    let flat = read_back::floats(matrix).await?;
    Ok(flat.chunks(width).map(<[f32]>::to_vec).collect())
}
