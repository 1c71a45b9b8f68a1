//! Our kernels against the plain path, on fresh inputs of odd lengths; what differs is stated here.

use std::fs;

use foliorank::batch::{Batch, Sequence};
use foliorank::nn::Network;
use foliorank::{DeviceKind, Manifest};

use crate::known_answers::fetched;
use crate::support::{CROSS, assert_close, model_folder, root};

/// Largest difference of a logit on the CPU: activations are rounded to 13 to 15 bits.
const LOGIT: f32 = 2e-3;
/// Largest difference of a number of a unit vector on the CPU.
const COMPONENT: f32 = 2e-4;
/// Largest difference of a word piece's weight on the CPU.
const WEIGHT: f32 = 2e-3;

/// A network of the manifest from an int8 file, by our kernels and as burn's modules.
fn both(manifest: &str, weights: &[u8]) -> (Network, Network) {
    let manifest = Manifest::from_json(manifest).unwrap();
    let ours = Network::load(&manifest, weights.to_vec(), DeviceKind::Cpu);
    let ours = pollster::block_on(ours).unwrap();
    (ours, Network::plain(&manifest, weights.to_vec()).unwrap())
}

fn tiny() -> (Network, Network) {
    let manifest = fs::read_to_string(model_folder(CROSS).join("model.json")).unwrap();
    let file = root().join(format!("tests/golden/{CROSS}.int8.safetensors"));
    both(&manifest, &fs::read(file).unwrap())
}

/// Manifest and weights of a fetched model.
fn public(name: &str) -> (String, Vec<u8>) {
    let folder = fetched(name);
    let json = fs::read_to_string(folder.join("model.json")).unwrap();
    (json, fs::read(folder.join("model.safetensors")).unwrap())
}

/// Sequences of these lengths with ids and a segment border from a linear congruence.
fn sequences(lengths: &[usize], vocabulary: u32, seed: u32) -> Vec<Sequence> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    (lengths.iter())
        .map(|&length| Sequence {
            ids: (0..length).map(|_| next() % vocabulary).collect(),
            second_from: 1 + next() as usize % length,
        })
        .collect()
}

const LENGTHS: [&[usize]; 5] = [&[1], &[7], &[128], &[2, 3, 128, 1, 64, 33], &[5; 17]];

#[test]
fn logits_of_the_int8_kernels_equal_the_plain_path() {
    let (ours, plain) = tiny();
    for (seed, lengths) in (1..).zip(LENGTHS) {
        let batch = Batch::new(&sequences(lengths, 407, seed), 0, 128);
        let found = pollster::block_on(ours.logits(&batch)).unwrap();
        let expected = pollster::block_on(plain.logits(&batch)).unwrap();
        assert_close(&found, &expected, LOGIT, &format!("{lengths:?}"));
    }
}

#[test]
fn vectors_of_the_int8_kernels_equal_the_plain_path_for_every_pooling() {
    let (json, weights) = public("all-minilm-l6-v2");
    for (pooling, architecture) in [
        ("mean", "bert-bi-encoder"),
        ("first_token", "bert-bi-encoder"),
        ("none", "bert-late-interaction"),
    ] {
        let json = json.replace("\"mean\"", &format!("\"{pooling}\""));
        let json = json.replace("bert-bi-encoder", architecture);
        let (ours, plain) = both(&json, &weights);
        for (seed, lengths) in (1..).zip(LENGTHS) {
            let batch = Batch::new(&sequences(lengths, 30_522, seed), 0, 512);
            let found = pollster::block_on(ours.vectors(&batch)).unwrap();
            let expected = pollster::block_on(plain.vectors(&batch)).unwrap();
            assert_close(&found.concat(), &expected.concat(), COMPONENT, pooling);
        }
    }
}

#[test]
fn weights_of_word_pieces_by_the_int8_kernels_equal_the_plain_path() {
    let (json, weights) = public("splade-tiny");
    let (ours, plain) = both(&json, &weights);
    for (seed, lengths) in (1..).zip(LENGTHS) {
        let batch = Batch::new(&sequences(lengths, 30_522, seed), 0, 512);
        let found = pollster::block_on(ours.vectors(&batch)).unwrap();
        let expected = pollster::block_on(plain.vectors(&batch)).unwrap();
        assert!(found.iter().all(|row| row.len() == 30_522));
        assert!(expected.iter().flatten().any(|&weight| weight > 0.5));
        assert_close(
            &found.concat(),
            &expected.concat(),
            WEIGHT,
            &format!("{lengths:?}"),
        );
    }
}

#[test]
fn the_public_model_scores_the_same_by_the_kernels_and_plainly() {
    let (json, weights) = public("ms-marco-minilm-l12-v2");
    let (ours, plain) = both(&json, &weights);
    for (seed, lengths) in (1..).zip([&[9][..], &[200, 3, 77], &[512]]) {
        let batch = Batch::new(&sequences(lengths, 30_522, seed), 0, 512);
        let found = pollster::block_on(ours.logits(&batch)).unwrap();
        let expected = pollster::block_on(plain.logits(&batch)).unwrap();
        println!("{found:?} {expected:?}");
        assert_close(&found, &expected, 2e-2, &format!("{lengths:?}"));
    }
}

/// WebGPU, natively through Vulkan: Mesa's lavapipe where there is no GPU.
#[cfg(feature = "gpu")]
mod webgpu {
    use super::*;
    use crate::support::{BI, late_interaction};

    /// Largest difference of a logit on WebGPU: weights are kept as f16 where the adapter can. The
    /// tiny model's random weights make more of that than a trained model's.
    const LOGIT: f32 = 1e-2;

    fn on_webgpu(manifest: &Manifest, weights: &[u8]) -> Network {
        let network = Network::load(manifest, weights.to_vec(), DeviceKind::WebGpu);
        // No adapter is a failure and no skip: `cargo xtask setup` installs a software one.
        pollster::block_on(network).unwrap()
    }

    #[test]
    fn files_of_every_type_give_the_logits_of_the_plain_path() {
        let json = fs::read_to_string(model_folder(CROSS).join("model.json")).unwrap();
        let manifest = Manifest::from_json(&json).unwrap();
        let golden = |dtype: &str| root().join(format!("tests/golden/{CROSS}.{dtype}.safetensors"));
        let own = model_folder(CROSS).join("model.safetensors");
        for file in [own, golden("f16"), golden("int8")] {
            let weights = fs::read(&file).unwrap();
            let ours = on_webgpu(&manifest, &weights);
            let plain = Network::plain(&manifest, weights).unwrap();
            for (seed, lengths) in (1..).zip(LENGTHS) {
                let batch = Batch::new(&sequences(lengths, 407, seed), 0, 128);
                let found = pollster::block_on(ours.logits(&batch)).unwrap();
                let expected = pollster::block_on(plain.logits(&batch)).unwrap();
                assert_close(
                    &found,
                    &expected,
                    LOGIT,
                    &format!("{} {lengths:?}", file.display()),
                );
            }
        }
    }

    #[test]
    fn vectors_are_those_of_the_plain_path_for_both_poolings() {
        let json = fs::read_to_string(model_folder(BI).join("model.json")).unwrap();
        let weights = fs::read(model_folder(BI).join("model.safetensors")).unwrap();
        for pooling in ["mean", "first_token"] {
            let json = json.replace("\"mean\"", &format!("\"{pooling}\""));
            let manifest = Manifest::from_json(&json).unwrap();
            let ours = on_webgpu(&manifest, &weights);
            let plain = Network::plain(&manifest, weights.clone()).unwrap();
            for (seed, lengths) in (1..).zip(LENGTHS) {
                let batch = Batch::new(&sequences(lengths, 407, seed), 0, 128);
                let found = pollster::block_on(ours.vectors(&batch)).unwrap();
                let expected = pollster::block_on(plain.vectors(&batch)).unwrap();
                assert_close(&found.concat(), &expected.concat(), 1e-3, pooling);
            }
        }
    }

    #[test]
    fn late_interaction_is_that_of_the_plain_path_token_by_token_and_as_scores() {
        let manifest = Manifest::from_json(&late_interaction()).unwrap();
        let weights = fs::read(model_folder(BI).join("model.safetensors")).unwrap();
        let ours = on_webgpu(&manifest, &weights);
        let plain = Network::plain(&manifest, weights).unwrap();
        // One token, fewer and more than a workgroup has threads.
        for (seed, lengths) in (1..).zip(LENGTHS) {
            let batch = Batch::new(&sequences(lengths, 407, seed), 0, 128);
            let found = pollster::block_on(ours.vectors(&batch)).unwrap();
            let expected = pollster::block_on(plain.vectors(&batch)).unwrap();
            for (found, expected) in found.iter().zip(&expected) {
                assert_close(found, expected, 1e-3, "tokens");
            }
            for query in [1, 6, 64] {
                let query = Batch::new(&sequences(&[query], 407, 99), 0, 128);
                let query = pollster::block_on(plain.vectors(&query)).unwrap().remove(0);
                let found = pollster::block_on(ours.likenesses(&batch, &query)).unwrap();
                let expected = pollster::block_on(plain.likenesses(&batch, &query)).unwrap();
                assert_close(&found, &expected, 1e-3, &format!("{lengths:?}"));
            }
        }
    }

    #[test]
    fn a_sparse_encoder_is_refused_with_the_reason() {
        let (json, weights) = public("splade-tiny");
        let manifest = Manifest::from_json(&json).unwrap();
        let network = Network::load(&manifest, weights, DeviceKind::WebGpu);
        let error = pollster::block_on(network).unwrap_err();
        assert_eq!(error.code(), "no_webgpu");
        assert!(error.to_string().contains("runs on the CPU"), "{error}");
    }

    #[test]
    fn the_public_model_scores_as_plainly() {
        let (json, weights) = public("ms-marco-minilm-l12-v2");
        let manifest = Manifest::from_json(&json).unwrap();
        let ours = on_webgpu(&manifest, &weights);
        let plain = Network::plain(&manifest, weights).unwrap();
        let batch = Batch::new(&sequences(&[100, 3, 33], 30_522, 9), 0, 512);
        let found = pollster::block_on(ours.logits(&batch)).unwrap();
        let expected = pollster::block_on(plain.logits(&batch)).unwrap();
        println!("{found:?} {expected:?}");
        assert_close(&found, &expected, 5e-2, "L-12");
    }
}
