//! The known-answer self-test: the device must reproduce the manifest's scores.
//!
//! Browser WebGPU creates pipelines unchecked: a bad kernel gives silent garbage, and this is
//! where it shows. Also the timing of a device with a one-layer network of the model's shape.

use super::{Reranker, TextKind};
use crate::batch::{Batch, Sequence};
use crate::device::DeviceKind;
use crate::error::Error;
use crate::manifest::Manifest;
use crate::nn::Network;

impl Reranker {
    /// Scores the known answers and gives the largest difference. Cost: one forward pass for a
    /// cross-encoder, two a case for others.
    ///
    /// # Errors
    /// `self_test`, when a score differs by more than the manifest's tolerance or is NaN.
    pub async fn self_test(&self) -> Result<f32, Error> {
        let test = &self.manifest.self_test;
        let mut worst = 0.0_f32;
        for (case, (answer, found)) in test
            .cases
            .iter()
            .zip(self.known_scores().await?)
            .enumerate()
        {
            let difference = (found - answer.score).abs();
            if difference.is_nan() || difference > test.tolerance {
                return Err(Error::SelfTest {
                    case,
                    expected: answer.score,
                    found,
                    tolerance: test.tolerance,
                });
            }
            worst = worst.max(difference);
        }
        Ok(worst)
    }

    async fn known_scores(&self) -> Result<Vec<f32>, Error> {
        let limit = self.manifest.max_length / 2 - 2;
        let document = |text: &str| self.tokenizer.encode(text, limit).ids;
        let cases = &self.manifest.self_test.cases;
        if self.network.architecture().is_pairwise() {
            let sequences: Vec<Sequence> = (cases.iter())
                .map(|case| self.sequence(&self.query(&case.query), &document(&case.document)))
                .collect();
            return self.run(&self.pad(&sequences), None).await;
        }
        let mut scores = Vec::with_capacity(cases.len());
        for case in cases {
            let vector = self.query_vector(&self.query(&case.query)).await?;
            let batch = self.pad(&[self.alone(TextKind::Document, &document(&case.document))]);
            scores.extend(self.run(&batch, vector.as_deref()).await?);
        }
        Ok(scores)
    }
}

/// Runs one zero-weight layer of the model's shape over 4 x 128 tokens (or the model's length).
/// The first pass on a device also compiles its kernels; time the second.
///
/// # Errors
/// `no_webgpu` when there is no such device, else what it reports.
pub async fn warm_up(manifest: &Manifest, device: DeviceKind) -> Result<(), Error> {
    let probe = manifest.probe();
    let network = Network::zeroed(&probe, device).await?;
    let sequence = Sequence {
        ids: vec![0; probe.max_length.min(128)],
        second_from: 1,
    };
    let batch = Batch::new(&vec![sequence; 4], 0, probe.dimensions.positions);
    if network.architecture().is_pairwise() {
        network.logits(&batch).await.map(drop)
    } else {
        network.vectors(&batch).await.map(drop)
    }
}
