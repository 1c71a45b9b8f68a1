//! The part of `tokenizer.json` that a BERT WordPiece tokenizer needs, checked to be just that.

use std::collections::HashMap;

use serde::Deserialize;

use super::{Tokenizer, normalize::Normalizer, word_piece::Vocabulary};
use crate::error::Error;

#[derive(Deserialize)]
struct File {
    normalizer: NormalizerFile,
    pre_tokenizer: Typed,
    model: Model,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct NormalizerFile {
    r#type: String,
    clean_text: bool,
    handle_chinese_chars: bool,
    strip_accents: Option<bool>,
    lowercase: bool,
}

#[derive(Deserialize)]
struct Typed {
    r#type: String,
}

#[derive(Deserialize)]
struct Model {
    #[serde(default = "word_piece")]
    r#type: String,
    unk_token: String,
    continuing_subword_prefix: String,
    max_input_chars_per_word: usize,
    vocab: HashMap<String, u32>,
}

fn word_piece() -> String {
    "WordPiece".into()
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    #[serde(default)]
    normalized: bool,
}

pub(super) fn parse(json: &[u8]) -> Result<Tokenizer, Error> {
    let fault = |what: String| Error::Tokenizer { what };
    let file: File = serde_json::from_slice(json).map_err(|error| fault(error.to_string()))?;
    for (field, expected, found) in [
        ("normalizer", "BertNormalizer", &file.normalizer.r#type),
        (
            "pre_tokenizer",
            "BertPreTokenizer",
            &file.pre_tokenizer.r#type,
        ),
        ("model", "WordPiece", &file.model.r#type),
    ] {
        if found != expected {
            return Err(fault(format!(
                "{field}.type: expected {expected}, found {found}"
            )));
        }
    }
    for token in &file.added_tokens {
        let plain = !(token.single_word || token.lstrip || token.rstrip || token.normalized);
        if !plain || !token.content.starts_with('[') {
            let content = &token.content;
            return Err(fault(format!(
                "added_tokens: expected plain special tokens in brackets, found {content}"
            )));
        }
    }
    let id = |piece: &str| {
        (file.model.vocab.get(piece).copied()).ok_or_else(|| {
            fault(format!(
                "model.vocab: expected {piece}, found no such piece"
            ))
        })
    };
    let (first, separator, padding) = (id("[CLS]")?, id("[SEP]")?, id("[PAD]")?);
    let unknown = id(&file.model.unk_token)?;

    Ok(Tokenizer {
        normalizer: Normalizer {
            clean_text: file.normalizer.clean_text,
            separate_cjk: file.normalizer.handle_chinese_chars,
            strip_accents: file
                .normalizer
                .strip_accents
                .unwrap_or(file.normalizer.lowercase),
            lowercase: file.normalizer.lowercase,
        },
        special: (file.added_tokens.into_iter())
            .map(|token| (token.content, token.id))
            .collect(),
        first,
        separator,
        padding,
        vocabulary: Vocabulary::new(
            file.model.vocab,
            &file.model.continuing_subword_prefix,
            unknown,
            file.model.max_input_chars_per_word,
        ),
    })
}
