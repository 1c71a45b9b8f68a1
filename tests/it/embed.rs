//! Texts as vectors: against PyTorch `transformers`, and what must hold whatever the numbers are.

use std::cell::Cell;
use std::fs;

use foliorank::reranker::{Embeddings, Progress, TextKind};
use foliorank::{Error, Reranker};
use serde_json::Value;

use crate::support::{BI, CROSS, Parts, assert_close, model_folder, root, texts, tiny};

fn embed(model: &Reranker, texts: &[impl AsRef<str>], kind: TextKind) -> Result<Embeddings, Error> {
    pollster::block_on(model.embed(texts, kind, async |_: Progress| Ok(())))
}

#[test]
fn vectors_of_texts_equal_the_reference_a_text_too_long_included() {
    let text = fs::read_to_string(root().join("tests/golden/embed.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    let texts: Vec<&str> = cases.iter().map(|c| c["text"].as_str().unwrap()).collect();
    let expected: Vec<f32> = (cases.iter())
        .flat_map(|case| case["vector"].as_array().unwrap())
        .map(|number| number.as_f64().unwrap() as f32)
        .collect();
    let found = embed(&tiny(BI), &texts, TextKind::Document).unwrap();
    assert_eq!((found.dimensions, found.usage.passages), (32, texts.len()));
    assert_close(&found.vectors, &expected, 1e-5, "vectors");
}

#[test]
fn the_product_of_two_vectors_is_the_score_of_the_pair() {
    let model = tiny(BI);
    let documents = texts(30);
    let query = embed(&model, &["good bridge"], TextKind::Query).unwrap();
    let found = embed(&model, &documents, TextKind::Document).unwrap();
    let rows = found.vectors.chunks(found.dimensions);
    let products: Vec<f32> = rows
        .map(|row| row.iter().zip(&query.vectors).map(|(a, b)| a * b).sum())
        .collect();
    let scores = crate::support::scores(&model, "good bridge", &documents);
    assert_close(&products, &scores, 1e-5, "products");
}

#[test]
fn a_prefix_goes_before_queries_only() {
    let mut parts = Parts::read(&model_folder(BI));
    let plain = tiny(BI);
    parts.manifest = parts.manifest.replacen(
        "\"max_length\"",
        "\"query_prefix\": \"find: \", \"max_length\"",
        1,
    );
    let prefixed = parts.load().unwrap();
    let vector = |model, text: &str, kind| embed(model, &[text], kind).unwrap().vectors;
    let expected = vector(&plain, "find: a bridge", TextKind::Query);
    assert_eq!(vector(&prefixed, "a bridge", TextKind::Query), expected);
    let document = vector(&plain, "a bridge", TextKind::Document);
    assert_eq!(vector(&prefixed, "a bridge", TextKind::Document), document);
    assert_ne!(document, expected);
    let score = |model, query| crate::support::scores(model, query, &["a stone"]);
    assert_eq!(score(&prefixed, "bridge"), score(&plain, "find: bridge"));
}

#[test]
fn no_texts_give_no_vectors_and_the_observer_can_stop_the_work() {
    let model = tiny(BI);
    let none = embed(&model, &[] as &[&str], TextKind::Document).unwrap();
    assert_eq!((none.vectors.len(), none.dimensions), (0, 32));
    let heard = Cell::new(0);
    let observe = async |progress: Progress| {
        heard.set(progress.batch);
        if progress.batch == 2 {
            return Err(Error::Aborted);
        }
        Ok(())
    };
    let many = texts(200);
    let stopped = pollster::block_on(model.embed(&many, TextKind::Document, observe));
    assert_eq!((stopped, heard.get()), (Err(Error::Aborted), 2));
}

#[test]
fn a_cross_encoder_has_no_vectors_and_says_so() {
    let error = embed(&tiny(CROSS), &["a"], TextKind::Document).unwrap_err();
    assert_eq!(error.code(), "invalid_argument");
    assert!(error.to_string().contains("tiny-cross-encoder"), "{error}");
}
