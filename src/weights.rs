//! Safetensors bytes to a module on a device, strictly: nothing missing, unused or misshapen.
//!
//! Files are in PyTorch orientation (a linear layer is `[out, in]`), in f32, f16, or our int8
//! layout: an I8 matrix `X` with a companion `X.scale` of one f32 a row, value = int8 * scale. A
//! tensor is widened and uploaded one at a time, so no second copy of the whole file exists.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{DType, Shape, TensorData};
use burn_store::burn_pack::{Error as PackError, Tensor as PackTensor};
use burn_store::{ApplyError, ModuleSnapshot, PyTorchToBurnAdapter, bridge};
use half::f16;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorInfo};

use crate::error::Error;
use crate::nn::Network;

/// Suffix of the scales that belong to an int8 matrix.
const SCALE: &str = ".scale";

impl Network {
    /// Puts the tensors of a safetensors file in place.
    ///
    /// # Errors
    /// `weights`, naming the tensor, what the network needs and what the file has.
    pub fn apply(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        match self {
            Self::BertCrossEncoder(network) => apply(network, bytes),
            Self::BertBiEncoder(network) => apply(network, bytes),
        }
    }
}

fn apply<M: Module>(module: &mut M, bytes: Vec<u8>) -> Result<(), Error> {
    let result = module.apply(
        read(bytes)?,
        None,
        Some(Box::new(PyTorchToBurnAdapter)),
        false,
    );
    if let Some(error) = result.errors.first() {
        return Err(from_apply_error(error));
    }
    if let Some((tensor, _)) = result.missing.first() {
        return Err(fault(tensor, "a tensor of this name", "none in the file"));
    }
    if let Some(tensor) = result.unused.first() {
        return Err(fault(
            tensor,
            "no such tensor in this network",
            "one in the file",
        ));
    }
    Ok(())
}

fn fault(tensor: &str, expected: impl ToString, found: impl ToString) -> Error {
    Error::Weights {
        tensor: tensor.into(),
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

fn from_apply_error(error: &ApplyError) -> Error {
    match error {
        ApplyError::ShapeMismatch {
            path,
            expected,
            found,
        } => fault(
            path,
            format!("shape {expected:?}"),
            format!("shape {found:?}"),
        ),
        ApplyError::DTypeMismatch {
            path,
            expected,
            found,
        } => fault(
            path,
            format!("type {expected:?}"),
            format!("type {found:?}"),
        ),
        ApplyError::AdapterError { path, message } | ApplyError::LoadError { path, message } => {
            fault(path, "readable data", message)
        }
    }
}

/// The tensors of a file, each reading its numbers only when it is put in place.
fn read(bytes: Vec<u8>) -> Result<Vec<PackTensor>, Error> {
    let (header_length, metadata) = SafeTensors::read_metadata(&bytes)
        .map_err(|error| fault("file header", "safetensors", error))?;
    let start = header_length + 8;
    let bytes: Arc<[u8]> = bytes.into();
    let tensors = metadata.tensors();

    let mut read = Vec::with_capacity(tensors.len());
    for (name, info) in &tensors {
        let source = Stored::new(name, info, start, &bytes)?;
        let scales = tensors.get(&format!("{name}{SCALE}"));
        match (info.dtype, scales) {
            (Dtype::F32 | Dtype::F16, _) if is_scale_of_a_matrix(name, &tensors) => {}
            (Dtype::F32 | Dtype::F16, _) => read.push(source.into_tensor(None)),
            (Dtype::I8, Some(scales)) => {
                let scales = Stored::new(name, scales, start, &bytes)?.floats();
                if info.shape.len() != 2 || scales.len() != info.shape[0] {
                    let expected = format!("one scale for each of the rows of {:?}", info.shape);
                    return Err(fault(name, expected, scales.len()));
                }
                read.push(source.into_tensor(Some(scales)));
            }
            (Dtype::I8, None) => {
                return Err(fault(name, format!("scales in {name}{SCALE}"), "none"));
            }
            (other, _) => return Err(fault(name, "F32, F16 or I8", format!("{other:?}"))),
        }
    }
    Ok(read)
}

type Infos<'a> = std::collections::HashMap<String, &'a TensorInfo>;

fn is_scale_of_a_matrix(name: &str, tensors: &Infos<'_>) -> bool {
    name.strip_suffix(SCALE)
        .and_then(|matrix| tensors.get(matrix))
        .is_some_and(|info| info.dtype == Dtype::I8)
}

/// A tensor as it lies in the file.
struct Stored {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    range: core::ops::Range<usize>,
    bytes: Arc<[u8]>,
}

impl Stored {
    fn new(name: &str, info: &TensorInfo, start: usize, bytes: &Arc<[u8]>) -> Result<Self, Error> {
        let (from, to) = info.data_offsets;
        if start + to > bytes.len() {
            let found = format!("a file that ends at {}", bytes.len());
            return Err(fault(name, format!("bytes up to {}", start + to), found));
        }
        Ok(Self {
            name: name.into(),
            dtype: info.dtype,
            shape: info.shape.clone(),
            range: start + from..start + to,
            bytes: Arc::clone(bytes),
        })
    }

    fn floats(&self) -> Vec<f32> {
        let bytes = &self.bytes[self.range.clone()];
        match self.dtype {
            Dtype::F16 => (bytes.chunks_exact(2))
                .map(|pair| f16::from_le_bytes([pair[0], pair[1]]).to_f32())
                .collect(),
            Dtype::I8 => bytes.iter().map(|&byte| f32::from(byte as i8)).collect(),
            _ => (bytes.chunks_exact(4))
                .map(|quad| f32::from_le_bytes([quad[0], quad[1], quad[2], quad[3]]))
                .collect(),
        }
    }

    fn into_tensor(self, scales: Option<Vec<f32>>) -> PackTensor {
        let name = self.name.clone();
        let shape = Shape::from(self.shape.clone());
        let produce = move || -> Result<TensorData, PackError> {
            let mut values = self.floats();
            if let Some(scales) = &scales {
                let width = self.shape[1].max(1);
                for (row, scale) in values.chunks_exact_mut(width).zip(scales) {
                    row.iter_mut().for_each(|value| *value *= scale);
                }
            }
            Ok(TensorData::new(values, self.shape.clone()))
        };
        bridge::deferred(name, DType::F32, shape, None, produce)
    }
}
