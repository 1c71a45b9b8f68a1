//! Late interaction and sparse encoders as the reranker's own scores, and as what the indexes take.

use std::fs;

use foliorank::Reranker;
use foliorank::reranker::{Progress, SparseEmbeddings, TextKind, TokenEmbeddings};
use foliorank::retrieval::{Late, Precision, Sparse};
use serde_json::Value;

use crate::known_answers::fetched;
use crate::support::{
    BI, CROSS, Parts, assert_close, late_interaction, model_folder, raw, rerank, root, scores,
    texts, tiny,
};

/// The tiny bi-encoder's weights, with markers of the kinds.
fn late() -> Reranker {
    let mut parts = Parts::read(&model_folder(BI));
    let markers = "\"markers\": {\"query\": 9, \"document\": 11}, \"max_length\"";
    parts.manifest = late_interaction().replacen("\"max_length\"", markers, 1);
    parts.load().unwrap()
}

fn splade() -> Reranker {
    Parts::read(&fetched("splade-tiny")).load().unwrap()
}

fn tokens(model: &Reranker, texts: &[&str], kind: TextKind) -> TokenEmbeddings {
    pollster::block_on(model.embed_tokens(texts, kind, async |_: Progress| Ok(()))).unwrap()
}

fn weights(model: &Reranker, texts: &[&str], kind: TextKind) -> SparseEmbeddings {
    pollster::block_on(model.embed_sparse(texts, kind, async |_: Progress| Ok(()))).unwrap()
}

#[test]
fn a_late_interaction_score_is_what_the_index_gives_over_the_querys_tokens() {
    let (model, query) = (late(), "good stone bridge");
    let documents: Vec<String> = texts(20);
    let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
    let rows = |kind, texts: &[&str]| {
        let TokenEmbeddings {
            texts, dimensions, ..
        } = tokens(&model, texts, kind);
        let rows = |text: Vec<f32>| text.chunks(dimensions).map(<[f32]>::to_vec).collect();
        texts.into_iter().map(rows).collect::<Vec<Vec<Vec<f32>>>>()
    };
    let mut index = Late::new(32, Precision::F32).unwrap();
    for document in rows(TextKind::Document, &documents) {
        index.add(&document).unwrap();
    }
    let query_rows = rows(TextKind::Query, &[query]).remove(0);
    let all: Vec<u32> = (0..20).collect();
    let sums = index.scores(&query_rows, &all).unwrap();
    let means: Vec<f32> = (sums.iter())
        .map(|sum| sum.unwrap() / query_rows.len() as f32)
        .collect();
    assert_close(&scores(&model, query, &documents), &means, 1e-5, "scores");
}

#[test]
fn the_markers_tell_queries_and_documents_apart() {
    let model = late();
    let vectors = |kind| tokens(&model, &["a bridge"], kind).texts.remove(0);
    let (query, document) = (vectors(TextKind::Query), vectors(TextKind::Document));
    assert_eq!(query.len(), document.len());
    assert_ne!(query, document);
    let mut parts = Parts::read(&model_folder(BI));
    parts.manifest = late_interaction();
    let unmarked = tokens(&parts.load().unwrap(), &["a bridge"], TextKind::Query);
    assert_eq!(unmarked.texts[0].len() + 32, query.len(), "one token less");
}

#[test]
fn weights_equal_the_reference() {
    let text = fs::read_to_string(root().join("tests/golden/sparse.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    let texts: Vec<&str> = cases.iter().map(|c| c["text"].as_str().unwrap()).collect();
    let found = weights(&splade(), &texts, TextKind::Document);
    assert_eq!(found.usage.passages, texts.len());
    for (found, case) in found.texts.iter().zip(cases) {
        let ids: Vec<u32> = serde_json::from_value(case["pieces"].clone()).unwrap();
        let expected: Vec<f32> = serde_json::from_value(case["weights"].clone()).unwrap();
        let dense = |pairs: &mut dyn Iterator<Item = (u32, f32)>| {
            let mut all = vec![0.0; 30_522];
            pairs.for_each(|(id, weight)| all[id as usize] = weight);
            all
        };
        let expected = dense(&mut ids.into_iter().zip(expected));
        let found = dense(&mut found.iter().copied());
        assert_close(&found, &expected, 1e-3, case["text"].as_str().unwrap());
    }
}

#[test]
fn a_sparse_score_is_what_the_index_gives() {
    let (model, query) = (splade(), "How many people live in Berlin?");
    let documents = [
        "Berlin is well known for its museums.",
        "Berlin has 3,520,031 inhabitants.",
        "An old stone bridge.",
    ];
    let mut index = Sparse::new();
    for document in &weights(&model, &documents, TextKind::Document).texts {
        index.add(document).unwrap();
    }
    let query_weights = &weights(&model, &[query], TextKind::Query).texts[0];
    let mut expected = [0.0; 3];
    for hit in index.search(query_weights, 3).unwrap() {
        expected[hit.document as usize] = hit.score;
    }
    let found = scores(&model, query, &documents);
    assert_close(&found, &expected, 1e-3, "scores");
    assert!(found[1] > found[0] && found[0] > found[2], "{found:?}");
}

#[test]
fn another_model_is_refused_by_name() {
    let (bi, cross) = (tiny(BI), tiny(CROSS));
    let silent = async |_: Progress| Ok(());
    for model in [&bi, &cross] {
        let tokens = pollster::block_on(model.embed_tokens(&["a"], TextKind::Query, silent));
        let sparse = pollster::block_on(model.embed_sparse(&["a"], TextKind::Query, silent));
        for error in [tokens.unwrap_err(), sparse.unwrap_err()] {
            assert_eq!(error.code(), "invalid_argument");
            assert!(
                error.to_string().contains(&model.manifest().name),
                "{error}"
            );
        }
    }
    let error = pollster::block_on(late().embed(&["a"], TextKind::Query, silent)).unwrap_err();
    assert_eq!(error.code(), "invalid_argument");
}

#[test]
fn documents_are_read_once_and_score_the_same_again_within_the_budget() {
    for model in [late(), tiny(BI)] {
        let documents = texts(40);
        let fresh = |query| {
            model.keep_documents(0);
            scores(&model, query, &documents)
        };
        let expected = [fresh("stone bridge"), fresh("a long winter")];
        let tokens = |query| {
            let ranking = rerank(&model, query, &documents, &raw()).unwrap();
            assert_eq!(ranking.usage.passages, 40);
            ranking.usage.tokens
        };
        model.keep_documents(100 << 20);
        assert_eq!(scores(&model, "stone bridge", &documents), expected[0]);
        assert_eq!(tokens("stone bridge"), 0);
        assert_eq!(scores(&model, "a long winter", &documents), expected[1]);

        // Room for some: those are not read again, and all scores are right.
        model.keep_documents(2_000);
        let all = tokens("stone bridge");
        let rest = tokens("a long winter");
        assert!(0 < rest && rest < all, "{rest} of {all}");
        assert_close(
            &scores(&model, "a long winter", &documents),
            &expected[1],
            2e-5,
            "some",
        );
    }
}

#[test]
fn a_cross_encoder_reads_every_pair_every_time() {
    let (model, documents) = (tiny(CROSS), texts(5));
    let tokens = || {
        rerank(&model, "stone", &documents, &raw())
            .unwrap()
            .usage
            .tokens
    };
    assert_eq!((tokens(), tokens() > 0), (tokens(), true));
}
