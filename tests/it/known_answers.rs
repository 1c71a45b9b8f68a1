//! The public models, converted: their known answers. Fetched by `cargo xtask models`; a test that
//! finds none fails and says so.

use std::env;
use std::path::PathBuf;

use crate::support::Parts;

/// Folder of a fetched model.
pub(crate) fn fetched(name: &str) -> PathBuf {
    let from_home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = env::var_os("FOLIORANK_CACHE")
        .or_else(|| env::var_os("XDG_CACHE_HOME"))
        .map_or_else(from_home, PathBuf::from);
    let folder = cache.join("foliorank").join("models").join(name);
    assert!(
        folder.join("model.safetensors").exists(),
        "no {name} in {}: run `cargo xtask models`",
        folder.display()
    );
    folder
}

#[test]
fn the_public_cross_encoder_gives_its_known_answers() {
    let reranker = Parts::read(&fetched("ms-marco-minilm-l12-v2"))
        .load()
        .unwrap();
    let worst = pollster::block_on(reranker.self_test()).unwrap();
    assert!(worst < 0.01, "{worst}");
    assert_eq!(reranker.parameters(), 33_360_385);
}

#[test]
fn the_public_encoders_of_texts_alone_give_their_known_answers() {
    for name in [
        "all-minilm-l6-v2",
        "bge-small-en-v1.5",
        "answerai-colbert-small-v1",
        "splade-tiny",
    ] {
        let reranker = Parts::read(&fetched(name)).load().unwrap();
        let worst = pollster::block_on(reranker.self_test()).unwrap();
        assert!(worst < 0.01, "{name}: {worst}");
    }
}
