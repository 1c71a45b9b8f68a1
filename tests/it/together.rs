//! Requests ranked side by side: each gets the answer it would have got alone, whatever becomes of
//! the others.

use std::collections::BTreeMap;
use std::fs;

use foliorank::page::Windows;
use foliorank::reranker::Together;
use foliorank::tokenizer::Tokenizer;
use foliorank::{Error, Options, Ranking, Reranker};

use crate::bad_input::with_weights;
use crate::support::{
    BI, CROSS, Parts, assert_close, model_folder, raw, rerank, root, texts, tiny,
};

type Answers = BTreeMap<&'static str, Result<Ranking, Error>>;

fn add(
    together: &mut Together<'_, &'static str>,
    key: &'static str,
    (query, documents): (&str, &[String]),
    options: &Options,
) {
    pollster::block_on(together.add(key, query, documents, options));
}

/// Steps until all are answered; at most so many as would be an endless loop otherwise.
fn finish(together: &mut Together<'_, &'static str>) -> Answers {
    let mut answers = Answers::new();
    for _ in 0..1000 {
        answers.extend(pollster::block_on(together.step()));
        if together.is_empty() {
            return answers;
        }
    }
    panic!("{} requests are never answered", together.len());
}

fn int8() -> Reranker {
    let file = root().join(format!("tests/golden/{CROSS}.int8.safetensors"));
    with_weights(|weights| *weights = fs::read(file).unwrap())
        .load()
        .unwrap()
}

/// A token for which the network has no number.
fn with_a_poisonous_word(word: &str) -> Reranker {
    let tokenizer = Parts::read(&model_folder(CROSS)).tokenizer;
    let id = Tokenizer::from_json(&tokenizer)
        .unwrap()
        .encode(word, 1)
        .ids[0] as usize;
    let parts = with_weights(|weights| {
        let header = u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize;
        let json: serde_json::Value = serde_json::from_slice(&weights[8..8 + header]).unwrap();
        let words = &json["embeddings.word.weight"];
        let width = words["shape"][1].as_u64().unwrap() as usize;
        let from = 8 + header + words["data_offsets"][0].as_u64().unwrap() as usize;
        let row = from + 4 * id * width;
        weights[row..row + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    parts.load().unwrap()
}

#[test]
fn requests_side_by_side_get_the_answers_they_would_get_alone() {
    let small = Options {
        windows: Windows::given(Some(16), None),
        top_n: Some(7),
        ..raw()
    };
    let texts = texts(220);
    let requests: [(&str, &str, &[String], Options); 5] = [
        ("many", "stone bridge", &texts[..60], Options::default()),
        ("long", "winter", &texts[140..], small),
        ("one", "a long river in winter", &texts[12..13], raw()),
        ("no query", " ", &texts[..3], raw()),
        ("nothing", "river", &[], raw()),
    ];
    for (name, reranker) in [(CROSS, tiny(CROSS)), (BI, tiny(BI)), ("int8", int8())] {
        // What one of them cost must not depend on the others.
        reranker.keep_documents(0);
        let mut together = reranker.together();
        for (key, query, documents, options) in &requests {
            add(&mut together, key, (query, documents), options);
        }
        let answers = finish(&mut together);
        for (key, query, documents, options) in &requests {
            let found = answers[key].as_ref().unwrap();
            let alone = rerank(&reranker, query, documents, options).unwrap();
            let scores = |ranking: &Ranking| -> Vec<f32> {
                ranking.results.iter().map(|result| result.score).collect()
            };
            assert_close(
                &scores(found),
                &scores(&alone),
                2e-5,
                &format!("{name}: {key}"),
            );
            for (found, alone) in found.results.iter().zip(&alone.results) {
                assert_eq!(
                    (found.index, &found.passage),
                    (alone.index, &alone.passage),
                    "{name}: {key}"
                );
            }
            let counts = |ranking: &Ranking| (ranking.usage.tokens, ranking.usage.passages);
            assert_eq!(counts(found), counts(&alone), "{name}: {key}");
        }
    }
}

#[test]
fn what_is_wrong_with_one_request_is_the_answer_of_that_one_alone() {
    let reranker = with_a_poisonous_word("winter");
    let good: Vec<String> = vec!["stone bridge".into(), "a river".into()];
    let bad: Vec<String> = vec!["stone bridge".into(), "a winter".into()];
    let refused = Options {
        top_n: Some(0),
        ..raw()
    };
    let mut together = reranker.together();
    add(&mut together, "first", ("stone", &good), &raw());
    add(&mut together, "poison", ("stone", &bad), &raw());
    add(&mut together, "options", ("stone", &good), &refused);
    add(&mut together, "last", ("river", &good), &raw());
    let answers = finish(&mut together);
    let code = |key: &str| answers[key].as_ref().map_err(Error::code).map(|_| ());
    assert_eq!(code("poison"), Err("internal"));
    assert_eq!(code("options"), Err("invalid_argument"));
    for (key, query) in [("first", "stone"), ("last", "river")] {
        let alone = rerank(&reranker, query, &good, &raw()).unwrap();
        assert_eq!(answers[key].as_ref().unwrap().results.len(), 2);
        for (found, alone) in (answers[key].as_ref().unwrap().results.iter()).zip(alone.results) {
            assert_eq!(found.index, alone.index);
            assert!((found.score - alone.score).abs() < 2e-5);
        }
    }
}

#[test]
fn a_request_that_is_withdrawn_is_not_answered_and_the_others_are() {
    let reranker = tiny(CROSS);
    let (long, short) = (texts(120), texts(8));
    let mut together = reranker.together();
    add(&mut together, "withdrawn", ("winter", &long), &raw());
    add(&mut together, "kept", ("winter", &short), &raw());
    let first = pollster::block_on(together.step());
    assert!(first.iter().all(|(key, _)| *key != "withdrawn"));
    together.retain(|key, _| *key != "withdrawn");
    let mut answers = finish(&mut together);
    answers.extend(first);
    assert_eq!(answers.keys().collect::<Vec<_>>(), [&"kept"]);
    let alone = rerank(&reranker, "winter", &short, &raw()).unwrap();
    let found = answers["kept"].as_ref().unwrap();
    assert_eq!(found.results.len(), alone.results.len());
    assert!((found.results[0].score - alone.results[0].score).abs() < 2e-5);
}

#[test]
fn a_short_request_that_comes_late_is_answered_before_a_long_one_ends() {
    let reranker = tiny(CROSS);
    let (long, short) = (texts(120), texts(3));
    let mut together = reranker.together();
    add(&mut together, "long", ("winter", &long), &raw());
    assert!(pollster::block_on(together.step()).is_empty());
    add(&mut together, "short", ("river", &short), &raw());
    // A batch of the plain path has four rows of this width, of which the short one gets two.
    assert!(pollster::block_on(together.step()).is_empty());
    let answers = pollster::block_on(together.step());
    let keys: Vec<&str> = answers.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, ["short"]);
    assert_eq!(together.len(), 1);
    assert!(finish(&mut together)["long"].is_ok());
}

#[test]
fn progress_never_goes_back_and_ends_with_all_tokens() {
    let reranker = tiny(CROSS);
    let mut together = reranker.together();
    add(&mut together, "a", ("winter", &texts(60)), &raw());
    add(&mut together, "b", ("river", &texts(90)), &raw());
    let mut heard: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    let mut answers = Answers::new();
    while !together.is_empty() {
        together.retain(|key, progress| {
            assert!(progress.batch <= progress.batches && progress.tokens <= progress.total_tokens);
            let parts = (progress.tokens, progress.total_tokens);
            heard.entry(key).or_default().push(parts);
            true
        });
        answers.extend(pollster::block_on(together.step()));
    }
    for (key, heard) in heard {
        let total = answers[key].as_ref().unwrap().usage.tokens;
        assert_eq!(heard[0], (0, total));
        assert!(heard.len() > 2, "{heard:?}");
        assert!(
            heard.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "{heard:?}"
        );
    }
}
