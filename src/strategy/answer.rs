//! What a language model wrote, as JSON: found between thinking, fences and chatter, then checked.
//!
//! Problems are said without repeating the model's words: they go back into a prompt.

use serde_json::{Map, Value};

use crate::llm::{json_object, said};

/// The object in `text`.
///
/// # Errors
/// What is wrong, for the model to mend.
pub(super) fn object(text: &str) -> Result<Map<String, Value>, String> {
    json_object(text)
        .and_then(|body| serde_json::from_str(body).ok())
        .ok_or_else(|| "there is no JSON object in it".into())
}

/// The only word of `text`, without quotes or a full stop.
pub(super) fn bare_word(text: &str) -> Option<String> {
    let mut words = said(text).split_whitespace();
    let word = words.next().filter(|_| words.next().is_none())?;
    Some(word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned())
}

/// Document numbers, 1 to `n` and none twice, as positions from 0.
///
/// # Errors
/// What is wrong, for the model to mend.
pub(super) fn ids(values: &[&Value], n: usize) -> Result<Vec<usize>, String> {
    let mut found = Vec::with_capacity(values.len());
    for value in values {
        let id = value.as_u64().and_then(|id| usize::try_from(id).ok());
        let id = id.filter(|id| (1..=n).contains(id));
        let id = id.ok_or_else(|| format!("a document's number is not one of 1 to {n}"))? - 1;
        if found.contains(&id) {
            return Err(format!("document {} is named twice", id + 1));
        }
        found.push(id);
    }
    Ok(found)
}

/// The rows `{"id": N, value: ...}` of a list, ids checked, as position and value.
///
/// # Errors
/// What is wrong, for the model to mend.
pub(super) fn pairs_of(
    fields: &Map<String, Value>,
    list: &str,
    value: &str,
    n: usize,
) -> Result<Vec<(usize, Value)>, String> {
    let rows = fields.get(list).and_then(Value::as_array);
    let rows = rows.ok_or_else(|| format!("the field \"{list}\" must be a list"))?;
    let columns: Option<Vec<(&Value, &Value)>> = (rows.iter())
        .map(|row| row.get("id").zip(row.get(value)))
        .collect();
    let columns =
        columns.ok_or_else(|| format!("an entry of \"{list}\" lacks \"id\" or \"{value}\""))?;
    let names: Vec<&Value> = columns.iter().map(|(id, _)| *id).collect();
    let values = columns.iter().map(|(_, value)| (*value).clone());
    Ok(ids(&names, n)?.into_iter().zip(values).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_among_other_text() {
        for text in [
            r#"{"a": 1}"#,
            "Sure:\n```json\n{\"a\": 1}\n```\nDone.",
            "<think>{not this}</think>\n{\"a\": 1}",
        ] {
            assert_eq!(object(text).unwrap()["a"], 1, "{text}");
        }
        for text in ["", "}{", "[1]", "{\"a\": ", "{} {}"] {
            object(text).unwrap_err();
        }
    }

    #[test]
    fn a_bare_word_loses_its_quotes_and_more_words_are_none() {
        assert_eq!(bare_word(" \"A\".\n").as_deref(), Some("A"));
        assert_eq!(bare_word("yes no"), None);
        assert_eq!(bare_word(""), None);
    }
}
