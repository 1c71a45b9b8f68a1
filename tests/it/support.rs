//! What the tests share: the committed tiny models, and texts of odd lengths.

use std::fs;
use std::path::{Path, PathBuf};

use foliorank::reranker::Progress;
use foliorank::{DeviceKind, Error, Manifest, Options, Ranking, Reranker, Scores};

pub(crate) const CROSS: &str = "tiny-cross-encoder";
pub(crate) const BI: &str = "tiny-bi-encoder";

/// The tiny bi-encoder's manifest as that of a late-interaction model with the same weights.
pub(crate) fn late_interaction() -> String {
    let json = fs::read_to_string(model_folder(BI).join("model.json")).unwrap();
    let json = json.replace("bert-bi-encoder", "bert-late-interaction");
    json.replace("\"pooling\": \"mean\"", "\"pooling\": \"none\"")
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn model_folder(name: &str) -> PathBuf {
    root().join("models").join(name)
}

/// The bytes of a model's three files.
pub(crate) struct Parts {
    pub(crate) manifest: String,
    pub(crate) tokenizer: Vec<u8>,
    pub(crate) weights: Vec<u8>,
}

impl Parts {
    pub(crate) fn read(folder: &Path) -> Self {
        let read = |name: &str| {
            let file = folder.join(name);
            fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        };
        Self {
            manifest: String::from_utf8(read("model.json")).unwrap(),
            tokenizer: read("tokenizer.json"),
            weights: read("model.safetensors"),
        }
    }

    pub(crate) fn load(self) -> Result<Reranker, Error> {
        let manifest = Manifest::from_json(&self.manifest)?;
        let parts = Reranker::from_parts(manifest, &self.tokenizer, self.weights, DeviceKind::Cpu);
        pollster::block_on(parts)
    }
}

pub(crate) fn tiny(name: &str) -> Reranker {
    Parts::read(&model_folder(name)).load().unwrap()
}

pub(crate) fn raw() -> Options {
    Options {
        scores: Scores::Raw,
        ..Options::default()
    }
}

pub(crate) fn rerank(
    reranker: &Reranker,
    query: &str,
    documents: &[impl AsRef<str>],
    options: &Options,
) -> Result<Ranking, Error> {
    let silent = async |_: Progress| Ok(());
    pollster::block_on(reranker.rerank(query, documents, options, silent))
}

/// Raw scores in input order.
pub(crate) fn scores(reranker: &Reranker, query: &str, documents: &[impl AsRef<str>]) -> Vec<f32> {
    let ranking = rerank(reranker, query, documents, &raw()).unwrap();
    let mut scores = vec![f32::NAN; documents.len()];
    for result in ranking.results {
        scores[result.index] = result.score;
    }
    scores
}

/// Texts of 0 to `count` words, with accents and CJK among them.
pub(crate) fn texts(count: usize) -> Vec<String> {
    let words = [
        "river", "Straße", "stone", "城市", "winter", "bridge", "café,", "9", "long",
    ];
    (0..count)
        .map(|length| {
            (0..length)
                .map(|i| words[(i * 7 + length) % 9])
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[track_caller]
pub(crate) fn assert_close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance,
            "{what}[{index}]: {found} is not {expected} within {tolerance}"
        );
    }
}
