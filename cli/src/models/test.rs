//! The way of a model into the cache, with a hub on this machine and the tiny models as upstream.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use foliorank::manifest::{Conversion, Dimensions, Manifest};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::convert::Upstream;
use super::layout::{Tensor, Tensors};
use super::model::MANIFESTS;
use super::*;

#[path = "test_hub.rs"]
mod test_hub;

use test_hub::{Hub, Page};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn committed(path: &str) -> Vec<u8> {
    fs::read(Path::new(ROOT).join(path)).unwrap()
}

/// Our tensors under Hugging Face names, query, key and value apart: the converter's way back.
fn as_upstream(ours: &Tensors, manifest: &Manifest) -> Vec<u8> {
    let mut theirs = Tensors::new();
    for wanted in rename::wanted(manifest) {
        let tensor = &ours[&wanted.name];
        let rows = tensor.shape[0] / wanted.parts.len();
        let values = tensor
            .values
            .chunks(tensor.values.len() / wanted.parts.len());
        for (part, values) in wanted.parts.iter().zip(values) {
            let shape = [&[rows], &tensor.shape[1..]].concat();
            theirs.insert(
                format!("bert.{part}"),
                Tensor {
                    shape,
                    values: values.into(),
                },
            );
        }
    }
    layout::write(&theirs, Dtype::F32, &BTreeMap::new()).0
}

/// A model whose upstream files two repositories of a local hub may have, and a cache of its own.
struct Bench {
    hub: Hub,
    weights: Vec<u8>,
    tokenizer: Vec<u8>,
    options: FetchOptions,
    json: String,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let hub = Hub::start();
        let folder = tempfile::tempdir().unwrap();
        let mut json: Value =
            serde_json::from_slice(&committed("models/tiny-cross-encoder/model.json")).unwrap();
        let manifest = Manifest::from_json(&json.to_string()).unwrap();
        let tokenizer = committed("models/tiny-cross-encoder/tokenizer.json");
        let ours =
            checkpoint::read(&committed("models/tiny-cross-encoder/model.safetensors")).unwrap();
        let weights = as_upstream(&ours, &manifest);

        let upstream = Upstream {
            conversion: Conversion::Safetensors,
            weights: weights.clone(),
            tokenizer: tokenizer.clone(),
        };
        let converted = convert::convert(&manifest, &upstream, Dtype::F32).unwrap();
        for (file, bytes) in [
            ("weights", &converted.weights),
            ("tokenizer", &converted.tokenizer),
        ] {
            json["files"][file]["bytes"] = bytes.len().into();
            json["files"][file]["sha256"] = cache::sha256(bytes).into();
        }
        let source = |repository: &str| {
            json!({"kind": "hub", "repository": repository, "revision": "main", "convert": "safetensors", "files": [
                {"path": "sub/model.safetensors", "role": "weights", "sha256": cache::sha256(&weights)},
                {"path": "tokenizer.json", "role": "tokenizer", "sha256": cache::sha256(&tokenizer)},
            ]})
        };
        json["sources"] = json!([source("some/model"), source("other/copy")]);
        let options = FetchOptions {
            names: Vec::new(),
            from: None,
            force: false,
            dtype: None,
            cache: folder.path().into(),
            endpoint: hub.endpoint.clone(),
        };
        Self {
            hub,
            weights,
            tokenizer,
            options,
            json: json.to_string(),
            _folder: folder,
        }
    }

    fn serve(&self, repository: &str) {
        self.serve_weights(repository, self.weights.clone(), None);
    }

    fn serve_weights(&self, repository: &str, body: Vec<u8>, cut_once: Option<usize>) {
        self.hub
            .put(repository, "sub/model.safetensors", Page { body, cut_once });
        self.hub.put(
            repository,
            "tokenizer.json",
            Page {
                body: self.tokenizer.clone(),
                cut_once: None,
            },
        );
    }

    fn fetch(&self) -> Result<FetchedModel> {
        Model::new(&self.json, &self.options)?.fetch(&self.options)
    }

    /// The fetched weights are the committed ones, number for number.
    fn assert_weights(&self, model: &FetchedModel) {
        let read = |bytes: &[u8]| checkpoint::read(bytes).unwrap();
        let found = read(&fs::read(model.folder.join("model.safetensors")).unwrap());
        assert!(found == read(&committed("models/tiny-cross-encoder/model.safetensors")));
    }
}

#[test]
fn a_model_comes_from_the_hub_once_and_then_from_the_cache() {
    let bench = Bench::new();
    bench.serve("some/model");
    let model = bench.fetch().unwrap();
    assert_eq!(
        (model.name.as_str(), model.source.as_str()),
        ("tiny-cross-encoder", "hub some/model")
    );
    bench.assert_weights(&model);
    let paths = bench.hub.requests();
    assert_eq!(
        paths,
        [
            "/some/model/resolve/main/sub/model.safetensors",
            "/some/model/resolve/main/tokenizer.json"
        ]
    );

    assert_eq!(bench.fetch().unwrap().source, "cached");
    assert!(bench.hub.requests().is_empty());
}

#[test]
fn a_file_with_another_checksum_is_a_reason_to_go_to_the_next_source() {
    let bench = Bench::new();
    let mut tampered = bench.weights.clone();
    *tampered.last_mut().unwrap() ^= 1;
    bench.serve_weights("some/model", tampered, None);
    bench.serve("other/copy");
    let model = bench.fetch().unwrap();
    assert_eq!(model.source, "hub other/copy");
    bench.assert_weights(&model);
}

#[test]
fn when_every_source_fails_every_reason_is_told() {
    let bench = Bench::new();
    bench.serve_weights("some/model", b"something else".to_vec(), None);
    let error = bench.fetch().unwrap_err().to_string();
    assert!(error.contains("hub some/model: "), "{error}");
    assert!(
        error.contains(&format!(
            "expected sha256 {}, found",
            cache::sha256(&bench.weights)
        )),
        "{error}"
    );
    assert!(
        error.contains("hub other/copy: ") && error.contains("HTTP 404"),
        "{error}"
    );
    assert!(!bench.options.cache.join("models").exists());
    // Nothing wrong is left that a later run would try to resume.
    assert_eq!(
        fs::read_dir(bench.options.cache.join("downloads"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn a_conversion_that_differs_from_the_pinned_one_is_not_installed() {
    let mut bench = Bench::new();
    bench.serve("some/model");
    let pinned = Manifest::from_json(&bench.json)
        .unwrap()
        .files
        .weights
        .sha256;
    bench.json = bench.json.replace(&pinned, &"0".repeat(64));
    let error = bench.fetch().unwrap_err().to_string();
    assert!(
        error.contains("converted model.safetensors: expected"),
        "{error}"
    );
    assert!(error.contains(&pinned), "{error}");
    assert!(!bench.options.cache.join("models").exists());
}

#[test]
fn a_download_cut_half_way_is_resumed_where_it_was_cut() {
    let bench = Bench::new();
    let half = bench.weights.len() / 2;
    bench.serve_weights("some/model", bench.weights.clone(), Some(half));
    let model = bench.fetch().unwrap();
    bench.assert_weights(&model);
    let path = "/some/model/resolve/main/sub/model.safetensors";
    assert_eq!(
        bench.hub.requests()[..2],
        [path.to_owned(), format!("{path} {half}-")]
    );
}

#[test]
fn a_download_cut_in_an_earlier_run_is_resumed() {
    let bench = Bench::new();
    let downloads = bench.options.cache.join("downloads");
    fs::create_dir_all(&downloads).unwrap();
    let part = downloads.join(format!(
        "{}-model.safetensors.part",
        &cache::sha256(&bench.weights)[..16]
    ));
    fs::write(&part, &bench.weights[..500]).unwrap();
    bench.serve("some/model");
    bench.assert_weights(&bench.fetch().unwrap());
    assert_eq!(
        bench.hub.requests()[0],
        "/some/model/resolve/main/sub/model.safetensors 500-"
    );
    assert!(!part.exists());
}

#[test]
fn a_damaged_cached_file_is_noticed_and_made_again() {
    let bench = Bench::new();
    bench.serve("some/model");
    let path = bench.fetch().unwrap().folder.join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    bytes[5000] ^= 1;
    fs::write(&path, bytes).unwrap();
    let model = bench.fetch().unwrap();
    assert_eq!(model.source, "hub some/model");
    bench.assert_weights(&model);
}

#[test]
fn a_changed_manifest_of_the_same_files_is_copied_without_a_download() {
    let mut bench = Bench::new();
    bench.serve("some/model");
    let path = bench.fetch().unwrap().folder.join("model.json");
    bench.hub.requests();
    bench.json = bench.json.replace("tiny random", "small random");
    assert_eq!(bench.fetch().unwrap().source, "cached");
    assert!(bench.hub.requests().is_empty());
    assert_eq!(fs::read_to_string(path).unwrap(), bench.json);
}

#[test]
fn upstream_files_in_a_folder_replace_the_network() {
    let mut bench = Bench::new();
    let folder = tempfile::tempdir().unwrap();
    bench.options.from = Some(folder.path().into());
    let error = bench.fetch().unwrap_err().to_string();
    assert!(
        error.contains("no model.safetensors with sha256"),
        "{error}"
    );
    fs::write(folder.path().join("model.safetensors"), &bench.weights).unwrap();
    fs::write(folder.path().join("tokenizer.json"), &bench.tokenizer).unwrap();
    bench.assert_weights(&bench.fetch().unwrap());
    assert!(bench.hub.requests().is_empty());
}

#[test]
fn another_dtype_has_its_own_folder_and_a_manifest_that_fits_it() {
    let mut bench = Bench::new();
    bench.serve("some/model");
    bench.options.dtype = Some(Dtype::Int8);
    let model = bench.fetch().unwrap();
    assert!(model.folder.ends_with("models/tiny-cross-encoder-int8"));
    let manifest =
        Manifest::from_json(&fs::read_to_string(model.folder.join("model.json")).unwrap()).unwrap();
    assert_eq!(Dtype::from(manifest.files.weights.dtype), Dtype::Int8);
    assert_eq!(bench.fetch().unwrap().source, "cached");
    fs::write(model.folder.join("model.safetensors"), b"").unwrap();
    assert_ne!(bench.fetch().unwrap().source, "cached");
}

/// Two implementations, this one and tests/golden/layout.py, must write the same files.
#[test]
fn weight_files_are_the_same_bytes_as_the_python_references() {
    let ours = checkpoint::read(&committed("models/tiny-cross-encoder/model.safetensors")).unwrap();
    let metadata = BTreeMap::from([
        ("attribution", "foliorank, random weights".to_owned()),
        ("licence", "MIT OR Apache-2.0".to_owned()),
        ("name", "tiny-cross-encoder".to_owned()),
    ]);
    for (dtype, path) in [
        (Dtype::F32, "models/tiny-cross-encoder/model.safetensors"),
        (
            Dtype::F16,
            "tests/golden/tiny-cross-encoder.f16.safetensors",
        ),
        (
            Dtype::Int8,
            "tests/golden/tiny-cross-encoder.int8.safetensors",
        ),
    ] {
        assert!(
            layout::write(&ours, dtype, &metadata).0 == committed(path),
            "{path}"
        );
    }
}

/// One of [`MANIFESTS`], without layers and with a few numbers a tensor.
fn small(index: usize) -> Manifest {
    let mut manifest = Manifest::from_json(MANIFESTS[index]).unwrap();
    manifest.dimensions = Dimensions {
        vocabulary: 3,
        hidden: 2,
        layers: 0,
        heads: 1,
        feed_forward: 2,
        positions: 2,
        ..manifest.dimensions
    };
    manifest
}

#[test]
fn the_head_of_a_masked_language_model_is_a_sparse_encoders() {
    let tensor = |name: &str, shape: &[usize]| {
        let values = vec![0.5; shape.iter().product()];
        let shape = shape.to_vec();
        (name.to_owned(), Tensor { shape, values })
    };
    // Norms by their older names, as the checkpoint has them.
    let theirs: Tensors = [
        tensor("bert.embeddings.word_embeddings.weight", &[3, 2]),
        tensor("bert.embeddings.position_embeddings.weight", &[2, 2]),
        tensor("bert.embeddings.token_type_embeddings.weight", &[2, 2]),
        tensor("bert.embeddings.LayerNorm.gamma", &[2]),
        tensor("bert.embeddings.LayerNorm.beta", &[2]),
        tensor("cls.predictions.transform.dense.weight", &[2, 2]),
        tensor("cls.predictions.transform.dense.bias", &[2]),
        tensor("cls.predictions.transform.LayerNorm.gamma", &[2]),
        tensor("cls.predictions.transform.LayerNorm.beta", &[2]),
        tensor("cls.predictions.bias", &[3]),
    ]
    .into();
    let ours = rename::rename(theirs.clone(), &small(4)).unwrap();
    assert_eq!(ours["vocabulary.bias"].shape, [3]);
    assert_eq!(ours["vocabulary.transform.weight"].shape, [2, 2]);
    assert_eq!(ours.len(), 10);
    // Another network has no such head.
    let error = rename::rename(theirs, &small(1)).unwrap_err().to_string();
    assert!(error.contains("cls.predictions"), "{error}");
}

#[test]
fn a_missing_misshapen_or_unknown_upstream_tensor_is_an_error_that_names_it() {
    let manifest = small(1);
    let whole = || -> Tensors {
        let wanted = rename::wanted(&manifest).into_iter();
        wanted
            .map(|wanted| {
                let values = vec![0.5; wanted.shape.iter().product()];
                (
                    wanted.parts[0].clone(),
                    Tensor {
                        shape: wanted.shape,
                        values,
                    },
                )
            })
            .collect()
    };
    let told = |tensors: Tensors| rename::rename(tensors, &manifest).unwrap_err().to_string();
    assert_eq!(rename::rename(whole(), &manifest).unwrap().len(), 5);

    let mut tensors = whole();
    tensors.remove("embeddings.LayerNorm.bias");
    assert!(told(tensors).contains("no tensor embeddings.LayerNorm.bias"));
    let mut tensors = whole();
    tensors.get_mut("embeddings.LayerNorm.bias").unwrap().shape = vec![1, 2];
    assert_eq!(
        told(tensors),
        "embeddings.LayerNorm.bias: expected shape [2], found [1, 2]"
    );
    let mut tensors = whole();
    tensors.insert(
        "cls.weight".into(),
        Tensor {
            shape: vec![1],
            values: vec![0.0],
        },
    );
    assert!(told(tensors).contains("cls.weight"));
    let mut tensors = whole();
    tensors.get_mut("embeddings.LayerNorm.bias").unwrap().values[0] = f32::NAN;
    assert!(told(tensors).contains("embeddings.norm.bias: expected finite numbers"));
}
