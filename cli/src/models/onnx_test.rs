//! The names and numbers that `read` finds in a small graph shaped like the exporters' ones.

use std::cell::RefCell;

use super::*;

fn raw(name: &str, data_type: DataType, dims: &[i64], bytes: Vec<u8>) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        data_type: Some(data_type),
        dims: dims.into(),
        raw_data: Some(RefCell::new(bytes)),
        ..TensorProto::default()
    }
}

fn quantised(
    base: &str,
    data_type: DataType,
    dims: &[i64],
    bytes: Vec<u8>,
    zero: i32,
) -> [TensorProto; 3] {
    let scalar = |name: &str, data_type| TensorProto {
        name: Some(format!("{base}{name}")),
        data_type: Some(data_type),
        ..TensorProto::default()
    };
    [
        raw(&format!("{base}_quantized"), data_type, dims, bytes),
        TensorProto {
            float_data: vec![0.5],
            ..scalar("_scale", DataType::FLOAT)
        },
        TensorProto {
            int32_data: vec![zero],
            ..scalar("_zero_point", data_type)
        },
    ]
}

fn node(kind: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: Some(kind.into()),
        name: Some(format!("{output} node")),
        input: inputs.iter().map(|&input| input.into()).collect(),
        output: vec![output.into()],
        ..NodeProto::default()
    }
}

fn graph() -> GraphProto {
    let bias = "bert.encoder.layer.0.intermediate.dense.bias";
    let numbers = [1.0_f32, 2.0]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let mut initializer = vec![raw(bias, DataType::FLOAT, &[2], numbers)];
    // Three inputs, two outputs: [in, out].
    initializer.extend(quantised(
        "onnx::MatMul_7",
        DataType::INT8,
        &[3, 2],
        vec![1, 254, 3, 4, 5, 6],
        0,
    ));
    let words = "bert.embeddings.word_embeddings.weight";
    initializer.extend(quantised(
        words,
        DataType::UINT8,
        &[1, 2],
        vec![0, 255],
        100,
    ));
    GraphProto {
        node: vec![
            node(
                "MatMulInteger",
                &["x", "onnx::MatMul_7_quantized"],
                "product",
            ),
            node("Cast", &["product"], "cast"),
            node("Mul", &["cast", "scales"], "scaled"),
            node("Add", &[bias, "scaled"], "sum"),
        ],
        initializer,
        ..GraphProto::default()
    }
}

fn read_graph(graph: GraphProto) -> Result<Tensors> {
    let model = ModelProto {
        graph: Some(graph),
        ..ModelProto::default()
    };
    read(&model.write_buf().unwrap())
}

#[test]
fn a_weight_is_named_after_the_bias_added_to_its_product_and_turned_over() {
    let tensors = read_graph(graph()).unwrap();
    let names: Vec<&str> = tensors.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "bert.embeddings.word_embeddings.weight",
            "bert.encoder.layer.0.intermediate.dense.bias",
            "bert.encoder.layer.0.intermediate.dense.weight",
        ]
    );
    let weight = &tensors["bert.encoder.layer.0.intermediate.dense.weight"];
    assert_eq!(weight.shape, [2, 3]);
    assert_eq!(weight.values, [0.5, 1.5, 2.5, -1.0, 2.0, 3.0]);
    let words = &tensors["bert.embeddings.word_embeddings.weight"];
    assert_eq!(words.values, [-50.0, 77.5]);
}

#[test]
fn a_product_without_a_bias_is_an_error_that_names_it() {
    let mut ends = graph();
    ends.node.pop();
    let mut bends = graph();
    bends.node[1].op_type = Some("Relu".into());
    let mut forks = graph();
    forks.node.push(node("Cast", &["product"], "other"));
    for graph in [ends, bends, forks] {
        let error = read_graph(graph).unwrap_err().to_string();
        assert_eq!(error, "no bias follows product node");
    }
}

/// The graph with these scales and zero points of the product's weight.
fn rescaled(scales: &[f32], zeros: &[i32]) -> GraphProto {
    let mut graph = graph();
    for tensor in &mut graph.initializer {
        match tensor.name.as_deref() {
            Some("onnx::MatMul_7_scale") => tensor.float_data = scales.into(),
            Some("onnx::MatMul_7_zero_point") => tensor.int32_data = zeros.into(),
            _ => {}
        }
    }
    graph
}

#[test]
fn a_weight_may_have_a_scale_for_each_column() {
    let tensors = read_graph(rescaled(&[0.5, 2.0], &[0, 1])).unwrap();
    let weight = &tensors["bert.encoder.layer.0.intermediate.dense.weight"];
    assert_eq!(weight.values, [0.5, 1.5, 2.5, -6.0, 6.0, 10.0]);
}

#[test]
fn scales_that_fit_neither_the_tensor_nor_its_columns_are_refused() {
    for (scales, zeros) in [(vec![0.5; 3], vec![0; 3]), (vec![0.5; 2], vec![0])] {
        let error = read_graph(rescaled(&scales, &zeros)).unwrap_err();
        assert!(error.to_string().contains("or 2 of each"), "{error}");
    }
}

#[test]
fn bytes_that_are_no_model_are_an_error() {
    assert!(read(b"\xff\xff\xff not a model").is_err());
    assert!(read(b"").is_err());
}
