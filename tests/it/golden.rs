//! Networks against PyTorch `transformers`: logits, a mid-layer tensor, vectors, and file layouts.

use std::fs;

use burn::tensor::Device;
use foliorank::Manifest;
use foliorank::batch::{Batch, Sequence};
use foliorank::nn::{BertCrossEncoder, Network};
use serde_json::Value;

use crate::support::{BI, CROSS, assert_close, late_interaction, model_folder, root};

fn golden(name: &str) -> Value {
    let text = fs::read_to_string(root().join(format!("tests/golden/{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn manifest(name: &str) -> Manifest {
    let json = fs::read_to_string(model_folder(name).join("model.json")).unwrap();
    Manifest::from_json(&json).unwrap()
}

fn network(name: &str, weights: Vec<u8>) -> Network {
    Network::plain(&manifest(name), weights).unwrap()
}

fn own_weights(name: &str) -> Vec<u8> {
    fs::read(model_folder(name).join("model.safetensors")).unwrap()
}

fn integers(value: &Value) -> Vec<u32> {
    let list = value.as_array().unwrap();
    list.iter().map(|v| v.as_u64().unwrap() as u32).collect()
}

/// Numbers of a list of any depth.
fn floats(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(list) => list.iter().flat_map(floats).collect(),
        number => vec![number.as_f64().unwrap() as f32],
    }
}

fn sequences(golden: &Value) -> Vec<Sequence> {
    let sequence = |case: &Value| {
        let segments = integers(&case["segments"]);
        Sequence {
            ids: integers(&case["ids"]),
            second_from: segments
                .iter()
                .position(|&s| s == 1)
                .unwrap_or(segments.len()),
        }
    };
    golden["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(sequence)
        .collect()
}

fn field(golden: &Value, name: &str) -> Vec<f32> {
    let cases = golden["cases"].as_array().unwrap();
    cases.iter().flat_map(|case| floats(&case[name])).collect()
}

#[test]
fn logits_equal_the_reference_alone_and_in_a_padded_batch() {
    let golden = golden(CROSS);
    let network = network(CROSS, own_weights(CROSS));
    let expected = field(&golden, "logit");
    let sequences = sequences(&golden);

    let together = Batch::new(&sequences, 0, 128);
    let found = pollster::block_on(network.logits(&together)).unwrap();
    assert_close(&found, &expected, 1e-4, "batch");

    for (sequence, expected) in sequences.into_iter().zip(expected) {
        let alone = Batch::new(&[sequence], 0, 128);
        let found = pollster::block_on(network.logits(&alone)).unwrap();
        assert_close(&found, &[expected], 1e-4, "alone");
    }
}

#[test]
fn hidden_states_after_the_first_layer_equal_the_reference() {
    let golden = golden(CROSS);
    let manifest = manifest(CROSS);
    let network = BertCrossEncoder::load(&manifest, own_weights(CROSS), &Device::flex()).unwrap();
    let case = golden["layer_0"]["case"].as_u64().unwrap() as usize;
    let sequence = sequences(&golden).swap_remove(case);
    let length = sequence.ids.len();
    let hidden = network.hidden_after(&Batch::new(&[sequence], 0, 128), 1);
    let found: Vec<f32> = hidden.into_data().try_to_vec().unwrap();
    let expected = floats(&golden["layer_0"]["hidden"]);
    assert_close(&found[..length * 32], &expected, 1e-4, "hidden");
}

#[test]
fn f16_and_int8_files_give_the_reference_scores_of_their_own_numbers() {
    let golden = golden(CROSS);
    for dtype in ["f16", "int8"] {
        let file = root().join(format!("tests/golden/{CROSS}.{dtype}.safetensors"));
        let network = network(CROSS, fs::read(file).unwrap());
        let batch = Batch::new(&sequences(&golden), 0, 128);
        let found = pollster::block_on(network.logits(&batch)).unwrap();
        assert_close(
            &found,
            &field(&golden, &format!("logit_{dtype}")),
            1e-4,
            dtype,
        );
    }
}

#[test]
fn vectors_of_tokens_equal_the_reference_without_those_of_padding() {
    let golden = golden(BI);
    let manifest = Manifest::from_json(&late_interaction()).unwrap();
    let network = Network::plain(&manifest, own_weights(BI)).unwrap();
    let batch = Batch::new(&sequences(&golden), 0, 128);
    let found = pollster::block_on(network.vectors(&batch)).unwrap();
    let mut compared = 0;
    for (found, case) in found.iter().zip(golden["cases"].as_array().unwrap()) {
        assert_eq!(found.len(), case["ids"].as_array().unwrap().len() * 32);
        if let Some(rows) = case.get("tokens") {
            assert_close(found, &floats(rows), 1e-5, "tokens");
            compared += 1;
        }
    }
    assert!(compared > 3);
}

#[test]
fn vectors_equal_the_reference_for_both_poolings() {
    let golden = golden(BI);
    let json = fs::read_to_string(model_folder(BI).join("model.json")).unwrap();
    for (pooling, name) in [("mean", "vector"), ("first_token", "vector_first_token")] {
        let json = json.replace(
            "\"pooling\": \"mean\"",
            &format!("\"pooling\": \"{pooling}\""),
        );
        let manifest = Manifest::from_json(&json).unwrap();
        let network = Network::plain(&manifest, own_weights(BI)).unwrap();
        let batch = Batch::new(&sequences(&golden), 0, 128);
        let found = pollster::block_on(network.vectors(&batch)).unwrap();
        assert_close(&found.concat(), &field(&golden, name), 1e-5, name);
    }
}
