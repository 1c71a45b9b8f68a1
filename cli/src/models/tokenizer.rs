//! Our copy of a `tokenizer.json`: the same tokenizer without padding and truncation, in canonical bytes.
//!
//! Upstream files pad every text to 512 tokens, which a reranker must not. Keys are sorted, so that two
//! upstream spellings of one tokenizer give one file.

use anyhow::{Context, Result};
use serde_json::Value;

/// Converts the upstream file.
pub(crate) fn convert(upstream: &[u8]) -> Result<Vec<u8>> {
    let mut tokenizer: Value =
        serde_json::from_slice(upstream).context("tokenizer.json is not JSON")?;
    let fields = tokenizer
        .as_object_mut()
        .context("tokenizer.json is not an object")?;
    fields.insert("padding".into(), Value::Null);
    fields.insert("truncation".into(), Value::Null);
    tokenizer.sort_all_objects();
    Ok(serde_json::to_vec(&tokenizer)?)
}

#[cfg(test)]
mod tests {
    use super::convert;

    #[test]
    fn padding_and_truncation_go_and_key_order_does_not_matter() {
        let a = r#"{"version": "1.0", "truncation": {"max_length": 512}, "padding": {"pad_id": 0}, "model": {"b": 1, "a": 0}}"#;
        let b = r#"{"model": {"a": 0, "b": 1}, "padding": null, "version": "1.0"}"#;
        let converted = convert(a.as_bytes()).unwrap();
        assert_eq!(converted, convert(b.as_bytes()).unwrap());
        let expected =
            r#"{"model":{"a":0,"b":1},"padding":null,"truncation":null,"version":"1.0"}"#;
        assert_eq!(String::from_utf8(converted).unwrap(), expected);
    }
}
