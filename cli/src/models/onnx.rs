//! Reads the weights out of a dynamically quantised ONNX graph of BERT, dequantised, under Hugging Face names.
//!
//! Exporters rename the weight of a linear layer (`onnx::MatMul_1662`) but not its bias: a weight gets
//! its name from the bias that the graph adds to its product. Only this: no graph is run.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use rten_onnx::onnx::{DataType, GraphProto, ModelProto, NodeProto, TensorProto};

use super::layout::{Tensor, Tensors};

const QUANTISED: &str = "_quantized";

/// The named weights of a graph, matrices as `[out, in]`.
pub(crate) fn read(bytes: &[u8]) -> Result<Tensors> {
    let model = ModelProto::parse_buf(bytes)
        .map_err(|error| anyhow::anyhow!("not an ONNX model: {error}"))?;
    let graph = model.graph.context("the ONNX model has no graph")?;
    let weights = Weights::new(&graph);
    let mut tensors = Tensors::new();

    for (&name, tensor) in &weights.by_name {
        // What is left under its own name: norms, biases, and embedding tables.
        if tensor.data_type == Some(DataType::FLOAT)
            && (name.ends_with(".weight") || name.ends_with(".bias"))
        {
            tensors.insert(
                name.into(),
                Tensor {
                    shape: shape(tensor),
                    values: floats(tensor)?,
                },
            );
        } else if let Some(base) = name
            .strip_suffix(QUANTISED)
            .filter(|base| base.ends_with("_embeddings.weight"))
        {
            tensors.insert(base.into(), weights.dequantise(base)?);
        }
    }
    for node in &graph.node {
        if node.op_type.as_deref() == Some("MatMulInteger") {
            let base = node.input[1].strip_suffix(QUANTISED).with_context(|| {
                format!("weight {} has no name ending in {QUANTISED}", node.input[1])
            })?;
            let bias = weights.bias_after(node)?;
            let name = format!("{}.weight", bias.trim_end_matches(".bias"));
            tensors.insert(name, transpose(&weights.dequantise(base)?)?);
        }
    }
    Ok(tensors)
}

struct Weights<'a> {
    by_name: HashMap<&'a str, &'a TensorProto>,
    users: HashMap<&'a str, Vec<&'a NodeProto>>,
}

impl<'a> Weights<'a> {
    fn new(graph: &'a GraphProto) -> Self {
        let named = |tensor: &'a TensorProto| Some((tensor.name.as_deref()?, tensor));
        let mut users: HashMap<&str, Vec<&NodeProto>> = HashMap::new();
        for node in &graph.node {
            for input in &node.input {
                users.entry(input).or_default().push(node);
            }
        }
        Self {
            by_name: graph.initializer.iter().filter_map(named).collect(),
            users,
        }
    }

    fn get(&self, name: &str) -> Result<&'a TensorProto> {
        let found = self.by_name.get(name).copied();
        found.with_context(|| format!("the graph has no initialiser {name}"))
    }

    /// Name of the bias added to the product, reached over the cast and the scaling.
    fn bias_after(&self, product: &NodeProto) -> Result<&'a str> {
        let lost = || {
            format!(
                "no bias follows {}",
                product.name.as_deref().unwrap_or("a MatMulInteger")
            )
        };
        let mut output = product.output.first().with_context(lost)?;
        loop {
            let [user] = self
                .users
                .get(output.as_str())
                .map_or(&[][..], Vec::as_slice)
            else {
                bail!(lost());
            };
            match user.op_type.as_deref() {
                Some("Cast" | "Mul") => output = user.output.first().with_context(lost)?,
                Some("Add") => {
                    let bias = user
                        .input
                        .iter()
                        .find_map(|input| self.by_name.get_key_value(input.as_str()));
                    let (&bias, _) = bias
                        .filter(|(name, _)| name.ends_with(".bias"))
                        .with_context(lost)?;
                    return Ok(bias);
                }
                _ => bail!(lost()),
            }
        }
    }

    /// (level - zero point) * scale: one of each for the whole tensor, or for each column.
    fn dequantise(&self, base: &str) -> Result<Tensor> {
        let quantised = self.get(&format!("{base}{QUANTISED}"))?;
        let scales = floats(self.get(&format!("{base}_scale"))?)?;
        let zeros = levels(self.get(&format!("{base}_zero_point"))?)?;
        let shape = shape(quantised);
        let columns = shape.last().copied().unwrap_or(0);
        ensure!(
            scales.len() == zeros.len() && (scales.len() == 1 || scales.len() == columns),
            "{base}: expected one scale and one zero point, or {columns} of each, found {} and {}",
            scales.len(),
            zeros.len()
        );
        let values: Vec<f32> = (levels(quantised)?.iter())
            .zip(scales.iter().zip(&zeros).cycle())
            .map(|(level, (scale, zero))| (level - zero) as f32 * scale)
            .collect();
        ensure!(
            shape.iter().product::<usize>() == values.len(),
            "{base}: {} numbers do not make {shape:?}",
            values.len()
        );
        Ok(Tensor { shape, values })
    }
}

fn shape(tensor: &TensorProto) -> Vec<usize> {
    tensor
        .dims
        .iter()
        .map(|&size| usize::try_from(size).unwrap_or(0))
        .collect()
}

/// Small tensors may lie in the typed field instead of the raw one.
fn floats(tensor: &TensorProto) -> Result<Vec<f32>> {
    ensure!(
        tensor.data_type == Some(DataType::FLOAT),
        "{}: expected FLOAT, found {:?}",
        tensor.name.as_deref().unwrap_or("a tensor"),
        tensor.data_type
    );
    let raw = tensor.raw_data.as_ref().map(|raw| raw.borrow());
    match raw.filter(|raw| !raw.is_empty()) {
        Some(raw) => Ok(raw
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect()),
        None => Ok(tensor.float_data.clone()),
    }
}

fn levels(tensor: &TensorProto) -> Result<Vec<i32>> {
    let raw = tensor.raw_data.as_ref().map(|raw| raw.borrow());
    match (raw.filter(|raw| !raw.is_empty()), tensor.data_type) {
        (Some(raw), Some(DataType::UINT8)) => Ok(raw.iter().map(|&byte| i32::from(byte)).collect()),
        (Some(raw), Some(DataType::INT8)) => Ok(raw
            .iter()
            .map(|byte| i32::from(byte.cast_signed()))
            .collect()),
        (None, Some(DataType::UINT8 | DataType::INT8)) => Ok(tensor.int32_data.clone()),
        (_, other) => bail!(
            "{}: expected INT8 or UINT8, found {other:?}",
            tensor.name.as_deref().unwrap_or("a tensor")
        ),
    }
}

fn transpose(tensor: &Tensor) -> Result<Tensor> {
    let [rows, columns] = tensor.shape[..] else {
        bail!("expected a matrix, found shape {:?}", tensor.shape);
    };
    let values = (0..columns)
        .flat_map(|column| (0..rows).map(move |row| tensor.values[row * columns + column]))
        .collect();
    Ok(Tensor {
        shape: vec![columns, rows],
        values,
    })
}

#[cfg(test)]
#[path = "onnx_test.rs"]
mod tests;
