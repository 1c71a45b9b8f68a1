//! Bad input of every kind: a stable code, or a sound answer, and nothing lost.

use foliorank::page::Windows;
use foliorank::reranker::Progress;
use foliorank::{Error, Manifest, Options};
use sha2::{Digest, Sha256};

use crate::support::{CROSS, Parts, model_folder, raw, rerank, scores, texts, tiny};

fn parts() -> Parts {
    Parts::read(&model_folder(CROSS))
}

/// The tiny model with other weights, its manifest made to agree.
pub(crate) fn with_weights(change: impl FnOnce(&mut Vec<u8>)) -> Parts {
    let mut parts = parts();
    let sha256 = |bytes: &[u8]| -> String {
        Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    let (before, length) = (sha256(&parts.weights), parts.weights.len());
    change(&mut parts.weights);
    parts.manifest = (parts.manifest)
        .replace(&before, &sha256(&parts.weights))
        .replace(
            &format!("\"bytes\": {length}"),
            &format!("\"bytes\": {}", parts.weights.len()),
        );
    parts
}

/// Edits the safetensors header, keeping its length by padding with spaces.
fn edit_header(weights: &mut [u8], from: &str, to: &str) {
    let length = u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(weights[8..8 + length].to_vec()).unwrap();
    assert!(header.contains(from), "{header}");
    let edited = format!("{:<length$}", header.trim_end().replace(from, to));
    assert_eq!(edited.len(), length, "the edit must not grow the header");
    weights[8..8 + length].copy_from_slice(edited.as_bytes());
}

/// Adds a tensor of one number to a safetensors file.
fn add_tensor(weights: &mut Vec<u8>, name: &str) {
    let length = u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(weights[8..8 + length].to_vec()).unwrap();
    let (from, to) = (weights.len() - 8 - length, weights.len() - 4 - length);
    let entry =
        format!(",\"{name}\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[{from},{to}]}}}}");
    let mut header = header.trim_end().strip_suffix('}').unwrap().to_owned() + &entry;
    header += &" ".repeat(header.len().next_multiple_of(8) - header.len());
    let numbers = weights.split_off(8 + length);
    *weights = (header.len() as u64).to_le_bytes().to_vec();
    weights.extend(header.into_bytes());
    weights.extend(numbers);
    weights.extend(1.0_f32.to_le_bytes());
}

fn error(parts: Parts) -> Error {
    parts.load().map(|_| ()).unwrap_err()
}

#[test]
fn an_empty_query_or_no_documents_give_an_empty_ranking() {
    let reranker = tiny(CROSS);
    assert!(
        rerank(&reranker, "  ", &["text"], &raw())
            .unwrap()
            .results
            .is_empty()
    );
    assert!(
        rerank(&reranker, "query", &[""; 0], &raw())
            .unwrap()
            .results
            .is_empty()
    );
}

#[test]
fn empty_binary_and_emoji_documents_are_scored_like_any_other() {
    let reranker = tiny(CROSS);
    let binary: String = (0..=255_u8).map(char::from).collect();
    let documents = [
        "".into(),
        binary,
        "\u{1f980}\u{1f468}\u{200d}\u{1f469}".repeat(50),
        "\u{fffd}\0".into(),
    ];
    let scores = scores(&reranker, "stone bridge", &documents);
    assert!(scores.iter().all(|score| score.is_finite()), "{scores:?}");
}

#[test]
fn a_ten_megabyte_document_is_read_up_to_its_limit() {
    let reranker = tiny(CROSS);
    let page = "the old stone bridge over the river ".repeat(10 * 1024 * 1024 / 36);
    let options = Options {
        max_tokens_per_document: Some(4096),
        ..raw()
    };
    let ranking = rerank(&reranker, "stone", &[page], &options).unwrap();
    assert_eq!(ranking.results.len(), 1);
    assert!(ranking.usage.tokens < 10_000, "{:?}", ranking.usage);
}

#[test]
fn a_query_longer_than_the_model_leaves_room_for_the_document() {
    let reranker = tiny(CROSS);
    let query = "winter ".repeat(5000);
    let found = scores(&reranker, &query, &["stone bridge", "river"]);
    assert!((found[0] - found[1]).abs() > 1e-4, "{found:?}");
}

#[test]
fn options_out_of_range_are_refused() {
    let reranker = tiny(CROSS);
    for options in [
        Options {
            top_n: Some(0),
            ..raw()
        },
        Options {
            max_tokens_per_document: Some(0),
            ..raw()
        },
        Options {
            windows: Windows {
                size: 4,
                overlap: 0,
            },
            ..raw()
        },
        Options {
            windows: Windows {
                size: 64,
                overlap: 64,
            },
            ..raw()
        },
    ] {
        let error = rerank(&reranker, "q", &["d"], &options).unwrap_err();
        assert_eq!(error.code(), "invalid_argument", "{error}");
    }
}

#[test]
fn an_observer_stops_the_work_at_once_and_the_next_call_is_sound() {
    let reranker = tiny(CROSS);
    let documents = texts(100);
    for stop_at in [0, 1, 3] {
        let mut heard = Vec::new();
        let observe = async |progress: Progress| {
            heard.push(progress.batch);
            if progress.batch == stop_at {
                Err(Error::Aborted)
            } else {
                Ok(())
            }
        };
        let options = Options::default();
        let call = reranker.rerank("stone", &documents, &options, observe);
        assert_eq!(pollster::block_on(call).unwrap_err().code(), "aborted");
        assert_eq!(heard.last(), Some(&stop_at));
    }
    assert_eq!(
        rerank(&reranker, "stone", &documents, &raw())
            .unwrap()
            .results
            .len(),
        100
    );
}

#[test]
fn truncated_and_tampered_files_fail_their_checksum() {
    let mut truncated = parts();
    truncated.weights.truncate(1000);
    let mut tampered = parts();
    *tampered.weights.last_mut().unwrap() ^= 1;
    let mut tokenizer = parts();
    tokenizer.tokenizer[100] ^= 1;
    for parts in [truncated, tampered, tokenizer] {
        let error = error(parts);
        assert_eq!(error.code(), "checksum", "{error}");
    }
}

#[test]
fn a_missing_an_unused_and_a_misshapen_tensor_are_named() {
    let renamed = with_weights(|w| edit_header(w, "\"pooler.bias\"", "\"pooler.bia\""));
    let reshaped = with_weights(|w| edit_header(w, "[407,32]", "[32,407]"));
    let retyped = with_weights(|w| {
        edit_header(
            w,
            "\"classifier.bias\":{\"dtype\":\"F32\"",
            "\"classifier.bias\":{\"dtype\":\"I32\"",
        );
    });
    let surplus = with_weights(|weights| add_tensor(weights, "surplus.bias"));
    for (parts, tensor) in [
        (renamed, "pooler.bias"),
        (surplus, "surplus.bias"),
        (reshaped, "embeddings.word.weight"),
        (retyped, "classifier.bias"),
    ] {
        let error = error(parts);
        assert_eq!(error.code(), "weights", "{error}");
        assert!(error.to_string().contains(tensor), "{error}");
    }
    let error = error(with_weights(|weights| weights.truncate(4)));
    assert_eq!(error.code(), "weights", "{error}");
}

#[test]
fn not_a_number_in_the_weights_is_an_error_not_a_ranking() {
    let parts = with_weights(|weights| {
        let from = weights.len() - 20_000;
        weights[from..]
            .chunks_exact_mut(4)
            .for_each(|n| n.copy_from_slice(&f32::NAN.to_le_bytes()));
    });
    let reranker = parts.load().unwrap();
    let error = rerank(&reranker, "stone", &["bridge"], &raw()).unwrap_err();
    assert_eq!(error.code(), "internal", "{error}");
    let error = pollster::block_on(reranker.self_test()).unwrap_err();
    assert_eq!(error.code(), "self_test", "{error}");
}

#[test]
fn a_self_test_that_misses_its_known_answer_fails() {
    let mut parts = parts();
    parts.manifest = parts
        .manifest
        .replace("\"score\": 0.60279", "\"score\": 0.70279");
    let reranker = parts.load().unwrap();
    let error = pollster::block_on(reranker.self_test()).unwrap_err();
    assert_eq!(error.code(), "self_test", "{error}");
}

#[test]
fn a_manifest_that_does_not_hold_together_is_refused() {
    let json = parts().manifest;
    for (from, to) in [
        ("\"bert-cross-encoder\"", "\"gpt\""),
        ("\"bert-cross-encoder\"", "\"bert-bi-encoder\""),
        ("\"format\": 1", "\"format\": 2"),
        ("\"heads\": 4", "\"heads\": 5"),
        ("\"layers\": 2", "\"layers\": 0"),
        ("\"max_length\": 128", "\"max_length\": 129"),
        ("\"score\": \"logit\"", "\"score\": \"cosine\""),
        ("\"format\": 1", "\"format\": 1, \"extra\": true"),
        ("\"first_token\"", "\"none\""),
        (
            "\"format\": 1",
            "\"format\": 1, \"markers\": {\"query\": 1, \"document\": 2}",
        ),
    ] {
        assert!(json.contains(from), "{from}");
        let error = Manifest::from_json(&json.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.code(), "manifest", "{to}: {error}");
    }
}

#[test]
fn a_tokenizer_of_another_kind_is_refused() {
    for (from, to) in [
        ("\"WordPiece\"", "\"BPE\""),
        ("BertNormalizer", "NFC"),
        ("\"[SEP]\"", "\"[END]\""),
    ] {
        let mut parts = parts();
        let text = String::from_utf8(parts.tokenizer.clone()).unwrap();
        assert!(text.contains(from), "{from}");
        parts.tokenizer = text.replace(from, to).into_bytes();
        let error = foliorank::tokenizer::Tokenizer::from_json(&parts.tokenizer).unwrap_err();
        assert_eq!(error.code(), "tokenizer", "{to}: {error}");
    }
}
