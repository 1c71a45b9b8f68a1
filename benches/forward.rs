//! Native time of a reranking call with the default model, on the CPU and on a WebGPU adapter where
//! there is one: text in, ranking out; and of the sparse encoder by our kernels and as burn's modules.
//! Needs `cargo xtask models`.
//!
//! `cargo bench --profile dev --package foliorank --package foliorank-cli`: the profile that the
//! tests have, so that nothing is compiled twice.

use std::path::PathBuf;
use std::{env, fs};

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use foliorank::batch::{Batch, Sequence};
use foliorank::nn::Network;
use foliorank::{DeviceKind, Manifest, Options, Reranker};

const QUERY: &str = "when was the stone bridge repaired";
/// 22 tokens.
const SENTENCE: &str = "The council voted in March to repair the bridge over the river after the \
                        winter floods had damaged two arches. ";

fn main() {
    divan::main();
}

/// A fetched model's manifest, weights and tokenizer.
fn fetched(name: &str) -> (Manifest, Vec<u8>, Vec<u8>) {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = env::var_os("FOLIORANK_CACHE").map_or_else(home, PathBuf::from);
    let folder = cache.join("foliorank/models").join(name);
    let text = fs::read_to_string(folder.join("model.json"))
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask models`", folder.display()));
    let manifest = Manifest::from_json(&text).unwrap_or_else(|error| panic!("{error}"));
    let read = |name: &str| fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{error}"));
    let weights = read(&manifest.files.weights.path);
    let tokenizer = read(&manifest.files.tokenizer.path);
    (manifest, weights, tokenizer)
}

fn load(device: DeviceKind) -> Option<Reranker> {
    let (manifest, weights, tokenizer) = fetched("ms-marco-minilm-l12-v2");
    let loading = Reranker::from_parts(manifest, &tokenizer, weights, device);
    match pollster::block_on(loading) {
        Ok(reranker) => Some(reranker),
        Err(error) if error.code() == "no_webgpu" => None,
        Err(error) => panic!("{error}"),
    }
}

/// `documents` of `sentences` each; counted in tokens.
fn rerank(bencher: Bencher<'_, '_>, device: DeviceKind, (documents, sentences): (usize, usize)) {
    let Some(reranker) = load(device) else {
        eprintln!("no WebGPU adapter on this machine: nothing is measured");
        return;
    };
    let documents: Vec<String> = (0..documents)
        .map(|number| format!("Page {number}. {}", SENTENCE.repeat(sentences)))
        .collect();
    let options = Options::default();
    let run = || {
        let ranking = reranker.rerank(QUERY, &documents, &options, async |_| Ok(()));
        pollster::block_on(ranking).unwrap_or_else(|error| panic!("{error}"))
    };
    let tokens = run().usage.tokens;
    bencher
        .counter(ItemsCount::new(tokens))
        .bench_local(|| black_box(run()));
}

/// Documents and sentences: one short passage, sixteen of them, four full pages.
const SHAPES: [(usize, usize); 3] = [(1, 5), (16, 5), (4, 20)];

#[divan::bench(args = SHAPES, sample_count = 10)]
fn cpu(bencher: Bencher<'_, '_>, shape: (usize, usize)) {
    rerank(bencher, DeviceKind::Cpu, shape);
}

#[divan::bench(args = [SHAPES[0]], sample_count = 10)]
fn webgpu(bencher: Bencher<'_, '_>, shape: (usize, usize)) {
    rerank(bencher, DeviceKind::WebGpu, shape);
}

/// Weights of all word pieces, of eight texts of 128 tokens.
#[divan::bench(args = ["kernels", "burn"], sample_count = 10)]
fn sparse_encoder(bencher: Bencher<'_, '_>, by: &str) {
    let (manifest, weights, _) = fetched("splade-tiny");
    let network = match by {
        "kernels" => pollster::block_on(Network::load(&manifest, weights, DeviceKind::Cpu)),
        _ => Network::plain(&manifest, weights),
    };
    let network = network.unwrap_or_else(|error| panic!("{error}"));
    let sequences: Vec<Sequence> = (0..8)
        .map(|text| Sequence {
            ids: (0..128)
                .map(|place| (text * 128 + place) * 7_919 % 30_522)
                .collect(),
            second_from: 128,
        })
        .collect();
    let batch = Batch::new(&sequences, 0, 128);
    bencher
        .counter(ItemsCount::new(8_usize * 128))
        .bench_local(|| pollster::block_on(network.vectors(black_box(&batch))));
}
