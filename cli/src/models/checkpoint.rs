//! Reads a Hugging Face safetensors checkpoint into full-precision tensors under its own names.
//!
//! F32, F16 and BF16 only; integer buffers (position ids) are left out. Renaming is not done here.

use anyhow::{Context, Result, bail};
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};

use super::layout::{Tensor, Tensors};

/// The floating-point tensors of a checkpoint.
pub(crate) fn read(bytes: &[u8]) -> Result<Tensors> {
    let file = SafeTensors::deserialize(bytes).context("not a safetensors file")?;
    let mut tensors = Tensors::new();
    for (name, view) in file.tensors() {
        let data = view.data();
        let values = match view.dtype() {
            Dtype::F32 => data
                .as_chunks::<4>()
                .0
                .iter()
                .map(|&b| f32::from_le_bytes(b))
                .collect(),
            Dtype::F16 => data
                .as_chunks::<2>()
                .0
                .iter()
                .map(|&b| f16::from_le_bytes(b).to_f32())
                .collect(),
            Dtype::BF16 => data
                .as_chunks::<2>()
                .0
                .iter()
                .map(|&b| bf16::from_le_bytes(b).to_f32())
                .collect(),
            Dtype::I64 | Dtype::I32 => continue,
            other => bail!("{name}: expected F32, F16 or BF16, found {other:?}"),
        };
        let shape = view.shape().to_vec();
        tensors.insert(name, Tensor { shape, values });
    }
    Ok(tensors)
}
