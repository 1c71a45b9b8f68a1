//! Writes our weight files: safetensors whose bytes depend on nothing but the tensors and the metadata.
//!
//! The safetensors crate keeps metadata in a hash map, so its files differ from run to run; ours are
//! pinned by SHA-256. Order: widest dtype first, then by name; metadata sorted; header padded to 8.

use std::collections::BTreeMap;

use half::f16;

use super::quantise::{Row, quantise};

/// A tensor in full precision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    /// Sizes, outermost first.
    pub(crate) shape: Vec<usize>,
    /// Row-major.
    pub(crate) values: Vec<f32>,
}

/// Tensors by name.
pub(crate) type Tensors = BTreeMap<String, Tensor>;

/// How weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Dtype {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// Int8 rows with f32 scales; vectors stay f32.
    Int8,
}

impl Dtype {
    /// As in the manifest.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Int8 => "int8",
        }
    }
}

/// What storing in fewer bits cost.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Loss {
    /// Largest difference of a stored number to the original.
    pub(crate) worst: f32,
    /// The tensor it is in.
    pub(crate) tensor: String,
    /// Rows (of matrices) that are not stored exactly.
    pub(crate) rounded_rows: usize,
    /// Rows of all matrices.
    pub(crate) rows: usize,
}

impl Loss {
    fn note(&mut self, name: &str, row: &[f32], stored: impl Iterator<Item = f32>) {
        let worst = row
            .iter()
            .zip(stored)
            .fold(0.0, |worst: f32, (value, stored)| {
                worst.max((value - stored).abs())
            });
        self.rows += 1;
        self.rounded_rows += usize::from(worst > 0.0);
        if worst > self.worst {
            self.worst = worst;
            self.tensor = name.into();
        }
    }
}

struct Entry {
    name: String,
    dtype: &'static str,
    width: usize,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// The bytes of a weight file, and what was lost.
pub(crate) fn write(
    tensors: &Tensors,
    dtype: Dtype,
    metadata: &BTreeMap<&str, String>,
) -> (Vec<u8>, Loss) {
    let mut loss = Loss::default();
    let mut entries = Vec::new();
    for (name, tensor) in tensors {
        match dtype {
            Dtype::Int8 if tensor.shape.len() == 2 => entries.extend(int8(name, tensor, &mut loss)),
            Dtype::F16 => entries.push(half(name, tensor, &mut loss)),
            Dtype::F32 | Dtype::Int8 => {
                entries.push(float(name, tensor.shape.clone(), &tensor.values))
            }
        }
    }
    entries.sort_by(|a, b| b.width.cmp(&a.width).then_with(|| a.name.cmp(&b.name)));
    (assemble(&entries, metadata), loss)
}

fn float(name: &str, shape: Vec<usize>, values: &[f32]) -> Entry {
    let bytes = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    Entry {
        name: name.into(),
        dtype: "F32",
        width: 4,
        shape,
        bytes,
    }
}

fn half(name: &str, tensor: &Tensor, loss: &mut Loss) -> Entry {
    let stored: Vec<f16> = tensor
        .values
        .iter()
        .map(|&value| f16::from_f32(value))
        .collect();
    let columns = tensor.shape.last().copied().unwrap_or(1);
    for (row, stored) in tensor.values.chunks(columns).zip(stored.chunks(columns)) {
        loss.note(name, row, stored.iter().map(|value| value.to_f32()));
    }
    let bytes = stored
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    Entry {
        name: name.into(),
        dtype: "F16",
        width: 2,
        shape: tensor.shape.clone(),
        bytes,
    }
}

fn int8(name: &str, tensor: &Tensor, loss: &mut Loss) -> [Entry; 2] {
    let mut levels = Vec::with_capacity(tensor.values.len());
    let mut scales = Vec::with_capacity(tensor.shape[0]);
    for values in tensor.values.chunks(tensor.shape[1]) {
        let row: Row = quantise(values);
        loss.note(name, values, row.values());
        levels.extend(row.levels.iter().map(|level| level.cast_unsigned()));
        scales.push(row.scale);
    }
    let shape = tensor.shape.clone();
    [
        Entry {
            name: name.into(),
            dtype: "I8",
            width: 1,
            shape,
            bytes: levels,
        },
        float(&format!("{name}.scale"), vec![scales.len()], &scales),
    ]
}

fn assemble(entries: &[Entry], metadata: &BTreeMap<&str, String>) -> Vec<u8> {
    let text = |value: &str| serde_json::Value::from(value).to_string();
    let metadata: Vec<String> = metadata
        .iter()
        .map(|(key, value)| format!("{}:{}", text(key), text(value)))
        .collect();
    let mut header = format!("{{\"__metadata__\":{{{}}}", metadata.join(","));
    let mut start = 0;
    for Entry {
        name,
        dtype,
        shape,
        bytes,
        ..
    } in entries
    {
        let end = start + bytes.len();
        let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
        header += &format!(
            ",{}:{{\"dtype\":\"{dtype}\",\"shape\":[{}],\"data_offsets\":[{start},{end}]}}",
            text(name),
            shape.join(",")
        );
        start = end;
    }
    header.push('}');
    header += &" ".repeat(header.len().next_multiple_of(8) - header.len());
    let mut file = Vec::with_capacity(8 + header.len() + start);
    file.extend((header.len() as u64).to_le_bytes());
    file.extend(header.as_bytes());
    for entry in entries {
        file.extend(&entry.bytes);
    }
    file
}

impl From<foliorank::manifest::WeightsType> for Dtype {
    fn from(dtype: foliorank::manifest::WeightsType) -> Self {
        use foliorank::manifest::WeightsType;
        match dtype {
            WeightsType::F32 => Self::F32,
            WeightsType::F16 => Self::F16,
            WeightsType::Int8 => Self::Int8,
        }
    }
}
