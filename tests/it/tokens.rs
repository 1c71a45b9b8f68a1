//! Token ids and spans against the Python `tokenizers` package, on texts made to break tokenizers.

use std::fs;

use foliorank::tokenizer::Tokenizer;
use serde_json::Value;

use crate::support::{CROSS, model_folder, root};

fn json(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(root().join(path)).unwrap()).unwrap()
}

/// Compares every text; special tokens stand first and last in the reference and are left out.
fn compare(tokenizer: &Tokenizer, golden: &Value) {
    let nasty = json("tests/golden/nasty.json");
    let texts = nasty.as_array().unwrap();
    let expected = golden["texts"].as_array().unwrap();
    assert_eq!(texts.len(), expected.len());
    let mut wrong = Vec::new();
    for (text, expected) in texts.iter().zip(expected) {
        let text = text.as_str().unwrap();
        let tokens = tokenizer.encode(text, usize::MAX);
        let ids = expected["ids"].as_array().unwrap();
        let ids: Vec<u64> = ids[1..ids.len() - 1]
            .iter()
            .map(|id| id.as_u64().unwrap())
            .collect();
        let found: Vec<u64> = tokens.ids.iter().map(|&id| u64::from(id)).collect();
        let flat = expected["offsets"].as_array().unwrap();
        let spans: Vec<(u64, u64)> = (flat[2..flat.len() - 2].chunks(2))
            .map(|pair| (pair[0].as_u64().unwrap(), pair[1].as_u64().unwrap()))
            .collect();
        let same = spans.len() == tokens.spans.len()
            && (spans.iter().zip(&tokens.spans))
                .all(|(expected, found)| *expected == (u64::from(found.0), u64::from(found.1)));
        if found != ids || !same {
            let start: String = text.chars().take(30).collect();
            let n = ids.len().min(12);
            wrong.push(format!(
                "{start:?}: ids equal {}; spans {:?}, expected {:?}",
                found == ids,
                &tokens.spans[..n.min(tokens.spans.len())],
                &spans[..n],
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} texts differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn the_tiny_tokenizer_equals_the_reference_on_nasty_texts() {
    let file = fs::read(model_folder(CROSS).join("tokenizer.json")).unwrap();
    compare(
        &Tokenizer::from_json(&file).unwrap(),
        &json("tests/golden/tokenizer.json"),
    );
}

#[test]
fn the_real_tokenizer_equals_the_reference_on_nasty_texts() {
    let folder = crate::known_answers::fetched("ms-marco-minilm-l12-v2");
    let file = fs::read(folder.join("tokenizer.json")).unwrap();
    compare(
        &Tokenizer::from_json(&file).unwrap(),
        &json("tests/golden/tokenizer-real.json"),
    );
}

#[test]
fn a_limit_stops_reading_and_keeps_the_first_tokens() {
    let file = fs::read(model_folder(CROSS).join("tokenizer.json")).unwrap();
    let tokenizer = Tokenizer::from_json(&file).unwrap();
    let text = "the old stone bridge [SEP] over the river ".repeat(50);
    let all = tokenizer.encode(&text, usize::MAX);
    for limit in [0, 1, 7, 8, 100] {
        let some = tokenizer.encode(&text, limit);
        assert_eq!(some.ids, all.ids[..limit]);
        assert_eq!(some.spans, all.spans[..limit]);
    }
}
