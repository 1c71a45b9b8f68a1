//! Safetensors bytes as named tensors, given out strictly: nothing missing, unused or misshapen.
//!
//! Files are in PyTorch orientation (a linear layer is `[out, in]`), in f32, f16, or our int8
//! layout: an I8 matrix `X` with a companion `X.scale` of one f32 a row, value = int8 * scale.
//! Tensors are views of the file's bytes; a network converts them one at a time, so no second copy
//! of the whole file exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use half::f16;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorInfo};

use crate::error::Error;
use crate::manifest::WeightsType;

/// Suffix of the scales that belong to an int8 matrix.
const SCALE: &str = ".scale";

/// Named tensors, each to be taken once.
pub(crate) enum Checkpoint {
    /// Those of a file.
    File(BTreeMap<String, Stored>),
    /// Zeros of this type under every name and in every shape.
    Zeros(WeightsType),
}

impl Checkpoint {
    /// Reads the header; numbers are read when a tensor is used.
    ///
    /// # Errors
    /// `weights`: not a safetensors file, cut short, a type we do not read, int8 without scales.
    pub(crate) fn read(bytes: Vec<u8>) -> Result<Self, Error> {
        let (header_length, metadata) = SafeTensors::read_metadata(&bytes)
            .map_err(|error| fault("file header", "safetensors", error))?;
        let start = header_length + 8;
        let bytes = Arc::new(bytes);
        let infos = metadata.tensors();

        let mut tensors = BTreeMap::new();
        for (name, info) in &infos {
            let mut tensor = Stored::new(name, info, start, &bytes)?;
            let scales = infos.get(&format!("{name}{SCALE}"));
            match (info.dtype, scales) {
                (Dtype::F32 | Dtype::F16, _) if is_scale_of_a_matrix(name, &infos) => continue,
                (Dtype::F32 | Dtype::F16, _) => {}
                (Dtype::I8, Some(scales)) => {
                    let scales = Stored::new(name, scales, start, &bytes)?.floats();
                    if info.shape.len() != 2 || scales.len() != info.shape[0] {
                        let expected =
                            format!("one scale for each of the rows of {:?}", info.shape);
                        return Err(fault(name, expected, scales.len()));
                    }
                    tensor.scales = Some(scales);
                }
                (Dtype::I8, None) => {
                    return Err(fault(name, format!("scales in {name}{SCALE}"), "none"));
                }
                (other, _) => return Err(fault(name, "F32, F16 or I8", format!("{other:?}"))),
            }
            tensors.insert(name.clone(), tensor);
        }
        Ok(Self::File(tensors))
    }

    /// Zeros in place of a file's numbers, matrices stored as `dtype`.
    pub(crate) fn zeros(dtype: WeightsType) -> Self {
        Self::Zeros(dtype)
    }

    /// The tensor of this name, if it has this shape.
    ///
    /// # Errors
    /// `weights`, naming the tensor, what the network needs and what the file has.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Stored, Error> {
        let tensors = match self {
            Self::File(tensors) => tensors,
            Self::Zeros(dtype) => return Ok(Stored::zeros(*dtype, shape)),
        };
        let Some(tensor) = tensors.remove(name) else {
            return Err(fault(name, "a tensor of this name", "none in the file"));
        };
        if tensor.shape != shape {
            let (expected, found) = (
                format!("shape {shape:?}"),
                format!("shape {:?}", tensor.shape),
            );
            return Err(fault(name, expected, found));
        }
        Ok(tensor)
    }

    /// Ends the taking.
    ///
    /// # Errors
    /// `weights`, naming a tensor that the network has no use for.
    pub(crate) fn end(self) -> Result<(), Error> {
        match self {
            Self::File(tensors) => match tensors.into_keys().next() {
                None => Ok(()),
                Some(name) => Err(fault(
                    &name,
                    "no such tensor in this network",
                    "one in the file",
                )),
            },
            Self::Zeros(_) => Ok(()),
        }
    }
}

fn fault(tensor: &str, expected: impl ToString, found: impl ToString) -> Error {
    Error::Weights {
        tensor: tensor.into(),
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

type Infos<'a> = std::collections::HashMap<String, &'a TensorInfo>;

fn is_scale_of_a_matrix(name: &str, tensors: &Infos<'_>) -> bool {
    name.strip_suffix(SCALE)
        .and_then(|matrix| tensors.get(matrix))
        .is_some_and(|info| info.dtype == Dtype::I8)
}

/// A tensor as it lies in the file.
pub(crate) struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    range: core::ops::Range<usize>,
    bytes: Arc<Vec<u8>>,
    scales: Option<Vec<f32>>,
}

/// A tensor's numbers as the file has them, little-endian.
#[derive(Clone, Copy)]
pub(crate) enum Raw<'a> {
    F32(&'a [u8]),
    F16(&'a [u8]),
    /// Rows of int8 and their scales.
    I8(&'a [u8], &'a [f32]),
}

impl Stored {
    fn new(
        name: &str,
        info: &TensorInfo,
        start: usize,
        bytes: &Arc<Vec<u8>>,
    ) -> Result<Self, Error> {
        let (from, to) = info.data_offsets;
        if start + to > bytes.len() {
            let found = format!("a file that ends at {}", bytes.len());
            return Err(fault(name, format!("bytes up to {}", start + to), found));
        }
        Ok(Self {
            dtype: info.dtype,
            shape: info.shape.clone(),
            range: start + from..start + to,
            bytes: Arc::clone(bytes),
            scales: None,
        })
    }

    fn zeros(dtype: WeightsType, shape: &[usize]) -> Self {
        let matrix = shape.len() == 2;
        let (dtype, width) = match dtype {
            WeightsType::Int8 if matrix => (Dtype::I8, 1),
            WeightsType::F16 if matrix => (Dtype::F16, 2),
            _ => (Dtype::F32, 4),
        };
        let size = shape.iter().product::<usize>() * width;
        Self {
            dtype,
            shape: shape.to_vec(),
            range: 0..size,
            bytes: Arc::new(vec![0; size]),
            scales: (dtype == Dtype::I8).then(|| vec![0.0; shape[0]]),
        }
    }

    /// Sizes of the dimensions.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The bytes, and what they are.
    pub(crate) fn raw(&self) -> Raw<'_> {
        let bytes = &self.bytes[self.range.clone()];
        match (self.dtype, &self.scales) {
            (Dtype::I8, Some(scales)) => Raw::I8(bytes, scales),
            (Dtype::F16, _) => Raw::F16(bytes),
            _ => Raw::F32(bytes),
        }
    }

    /// The numbers, row-major.
    pub(crate) fn floats(&self) -> Vec<f32> {
        match self.raw() {
            Raw::F16(bytes) => (bytes.as_chunks().0.iter())
                .map(|&pair| f16::from_le_bytes(pair).to_f32())
                .collect(),
            Raw::F32(bytes) => (bytes.as_chunks().0.iter())
                .map(|&quad| f32::from_le_bytes(quad))
                .collect(),
            Raw::I8(bytes, scales) => {
                let rows = bytes.chunks_exact(self.shape[1].max(1)).zip(scales);
                rows.flat_map(|(row, scale)| {
                    row.iter().map(move |&byte| f32::from(byte as i8) * scale)
                })
                .collect()
            }
        }
    }
}
