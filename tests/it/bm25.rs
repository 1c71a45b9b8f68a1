//! BM25 against the formula written out in Python (`tests/golden/bm25.py`), before and after removal.

use std::collections::BTreeMap;
use std::fs;

use foliorank::retrieval::bm25::Parameters;
use foliorank::retrieval::{Analysis, Bm25, Hit};
use serde_json::Value;

use crate::support::root;

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap() as u32
}

/// Scores by document; the order is ours to keep, because sums that are equal on paper may differ in
/// their last bit.
#[track_caller]
fn compare(hits: &[Hit], expected: &Value, case: &Value) {
    let what = format!("k1 {}, b {}, {}", case["k1"], case["b"], case["query"]);
    let expected: BTreeMap<u32, f64> = (expected.as_array().unwrap().iter())
        .map(|pair| (number(&pair[0]), pair[1].as_f64().unwrap()))
        .collect();
    assert_eq!(hits.len(), expected.len(), "{what}");
    for hit in hits {
        let score = expected[&hit.document];
        let close = (f64::from(hit.score) - score).abs() < 1e-5;
        assert!(close, "{what}: {} is not {score}", hit.score);
    }
    let sorted = hits
        .is_sorted_by(|a, b| a.score > b.score || (a.score == b.score && a.document < b.document));
    assert!(sorted, "{what}: {hits:?}");
}

#[test]
fn scores_equal_the_reference_before_and_after_removal() {
    let text = fs::read_to_string(root().join("tests/golden/bm25.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let removed: Vec<u32> = (golden["removed"].as_array().unwrap().iter())
        .map(number)
        .collect();
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() >= 40);
    for case in cases {
        let parameter = |name: &str| case[name].as_f64().unwrap() as f32;
        let (k1, b) = (parameter("k1"), parameter("b"));
        let mut index = Bm25::new(Analysis::default(), Parameters { k1, b }).unwrap();
        for text in golden["texts"].as_array().unwrap() {
            index.add(text.as_str().unwrap()).unwrap();
        }
        let query = case["query"].as_str().unwrap();
        compare(&index.search(query, 100), &case["before"], case);
        assert_eq!(index.remove(&removed), removed.len());
        compare(&index.search(query, 100), &case["after"], case);
    }
}
