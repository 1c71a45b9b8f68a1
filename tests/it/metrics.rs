//! Metrics against `pytrec_eval` and `ir_measures` on random runs (`tests/golden/metrics.py`).

use std::fs;

use foliorank::metrics::{Gain, Judged, micro_recall};
use serde_json::Value;

use crate::support::root;

fn queries() -> Vec<Value> {
    let text = fs::read_to_string(root().join("tests/golden/metrics.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    golden["queries"].as_array().unwrap().clone()
}

fn judged(query: &Value) -> Judged {
    let grades = query["grades"].as_object().unwrap();
    let grade = |document: &Value| {
        let grade = grades.get(document.as_str().unwrap());
        grade.map_or(0, |grade| grade.as_u64().unwrap() as u32)
    };
    let ranked = query["ranking"].as_array().unwrap().iter().map(grade);
    let all = grades.values().map(|grade| grade.as_u64().unwrap() as u32);
    Judged::new(ranked, all)
}

#[track_caller]
fn close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() < 1e-9,
        "{what}: {found} is not {expected}"
    );
}

#[test]
fn metrics_with_a_cut_equal_the_reference_packages() {
    for (number, query) in queries().iter().enumerate() {
        let judged = judged(query);
        for (k, expected) in query["at"].as_object().unwrap() {
            let cut: usize = k.parse().unwrap();
            for (name, found) in [
                ("ndcg_linear", judged.ndcg(cut, Gain::Linear)),
                ("ndcg_exponential", judged.ndcg(cut, Gain::Exponential)),
                ("average_precision", judged.average_precision(cut)),
                ("recall", judged.recall(cut)),
                ("reciprocal_rank", judged.reciprocal_rank(cut)),
                ("cubic_discount", judged.cubic_discount(cut)),
            ] {
                let what = format!("query {number}, {name}@{k}");
                close(found, &expected[name], &what);
            }
        }
    }
}

#[test]
fn metrics_of_whole_rankings_equal_the_reference_packages() {
    let all = usize::MAX;
    for (number, query) in queries().iter().enumerate() {
        let judged = judged(query);
        let what = format!("query {number}");
        close(judged.relevant() as f64, &query["relevant"], &what);
        close(
            judged.average_precision(all),
            &query["average_precision"],
            &what,
        );
        close(
            judged.reciprocal_rank(all),
            &query["reciprocal_rank"],
            &what,
        );
        let strict = judged.relevant_from(2).average_precision(all);
        close(strict, &query["average_precision_from_grade_2"], &what);
    }
}

#[test]
fn micro_recall_weighs_queries_by_their_relevant_documents() {
    let queries = queries();
    let (mut hits, mut relevant) = (0.0, 0.0);
    for query in &queries {
        let of_query = query["relevant"].as_f64().unwrap();
        hits += query["at"]["10"]["recall"].as_f64().unwrap() * of_query;
        relevant += of_query;
    }
    let judged: Vec<Judged> = queries.iter().map(judged).collect();
    let found = micro_recall(&judged, 10);
    assert!((found - hits / relevant).abs() < 1e-9);
    let mean: f64 = judged.iter().map(|q| q.recall(10)).sum::<f64>() / judged.len() as f64;
    assert!(
        (found - mean).abs() > 1e-3,
        "the two recalls are not told apart"
    );
}
