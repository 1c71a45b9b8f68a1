//! OpenAI's embeddings request, and its answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use foliorank::reranker::Embeddings;
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::problem::Problem;

/// How vectors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Float,
    Base64,
}

/// An embeddings request.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) texts: Vec<String>,
    format: Format,
}

impl Texts {
    /// Decodes a body; `most` texts are allowed.
    pub(super) fn decode(body: Map<String, Value>, most: usize) -> Result<Self, Problem> {
        let mut fields = Fields(body);
        let texts = match fields.0.get("input") {
            Some(Value::String(_)) => vec![fields.text("input")?],
            _ => fields.strings("input", most)?,
        };
        let format = match fields.0.remove("encoding_format") {
            None | Some(Value::Null) => Format::Float,
            Some(Value::String(name)) if name == "float" => Format::Float,
            Some(Value::String(name)) if name == "base64" => Format::Base64,
            other => {
                let expected = "\"float\" or \"base64\"";
                return Err(Fields::wrong("encoding_format", expected, other.as_ref()));
            }
        };
        Ok(Self { texts, format })
    }

    pub(super) fn encode(&self, embeddings: &Embeddings, model: &str) -> Value {
        let vectors = (embeddings.vectors).chunks_exact(embeddings.dimensions.max(1));
        let data = vectors.enumerate().map(|(index, vector)| {
            let embedding: Value = match self.format {
                Format::Float => vector.iter().map(|&number| f64::from(number)).collect(),
                Format::Base64 => {
                    let bytes: Vec<u8> = vector.iter().flat_map(|n| n.to_le_bytes()).collect();
                    STANDARD.encode(bytes).into()
                }
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        });
        let data: Vec<Value> = data.collect();
        let tokens = embeddings.usage.tokens;
        json!({
            "object": "list", "data": data, "model": model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        })
    }
}
