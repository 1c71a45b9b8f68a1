//! What a model should answer: JSON Schemas, and the same as types.
//!
//! Nothing is trusted: the object is read strictly, and whoever asked checks the content.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::llm::json_object;

/// Questions for plans.
#[derive(Debug, Deserialize)]
pub(crate) struct Positives {
    pub(crate) queries: Vec<Planned>,
}

/// A question for a plan, numbered from 1.
#[derive(Debug, Deserialize)]
pub(crate) struct Planned {
    pub(crate) query: String,
    #[serde(default)]
    pub(crate) answer: String,
}

/// Questions alone.
#[derive(Debug, Deserialize)]
pub(crate) struct Variants {
    pub(crate) queries: Vec<String>,
}

/// Changed questions.
#[derive(Debug, Deserialize)]
pub(crate) struct Edits {
    pub(crate) edits: Vec<Edit>,
}

/// A changed question and what was changed.
#[derive(Debug, Deserialize)]
pub(crate) struct Edit {
    pub(crate) query: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// Reworded questions.
#[derive(Debug, Deserialize)]
pub(crate) struct Restated {
    pub(crate) queries: Vec<Numbered>,
}

/// A reworded question, numbered from 1.
#[derive(Debug, Deserialize)]
pub(crate) struct Numbered {
    pub(crate) number: usize,
    pub(crate) query: String,
}

/// Verdicts on questions.
#[derive(Debug, Deserialize)]
pub(crate) struct Verdicts {
    pub(crate) verdicts: Vec<Verdict>,
}

/// A verdict on a question, numbered from 1.
#[derive(Debug, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) number: usize,
    pub(crate) answerable: bool,
}

/// An answer that has a schema.
pub(crate) trait Answer: DeserializeOwned {
    fn schema() -> Value;
}

impl Answer for Positives {
    fn schema() -> Value {
        list(
            "queries",
            &[
                ("plan", "integer"),
                ("query", "string"),
                ("answer", "string"),
            ],
        )
    }
}

impl Answer for Variants {
    fn schema() -> Value {
        object(&json!({"queries": {"type": "array", "items": {"type": "string"}}}))
    }
}

impl Answer for Edits {
    fn schema() -> Value {
        list(
            "edits",
            &[("query", "string"), ("from", "string"), ("to", "string")],
        )
    }
}

impl Answer for Restated {
    fn schema() -> Value {
        list("queries", &[("number", "integer"), ("query", "string")])
    }
}

impl Answer for Verdicts {
    fn schema() -> Value {
        let fields = [
            ("number", "integer"),
            ("evidence", "string"),
            ("answerable", "boolean"),
        ];
        list("verdicts", &fields)
    }
}

/// Reads an answer; the error is a complaint to put to the model.
pub(crate) fn read<T: Answer>(text: &str) -> Result<T, String> {
    let body = json_object(text).ok_or("it has no whole JSON object")?;
    serde_json::from_str(body).map_err(|error| error.to_string())
}

fn list(name: &str, fields: &[(&str, &str)]) -> Value {
    let properties: serde_json::Map<String, Value> = (fields.iter())
        .map(|(field, kind)| ((*field).to_owned(), json!({ "type": kind })))
        .collect();
    object(&json!({ name: {"type": "array", "items": object(&Value::Object(properties))} }))
}

/// Every property required and no other allowed, as strict structured output wants it.
fn object(properties: &Value) -> Value {
    let names: Vec<&String> = properties
        .as_object()
        .into_iter()
        .flat_map(|o| o.keys())
        .collect();
    json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_among_fences_and_greetings() {
        let text = "Sure!\n```json\n{\"queries\": [\"a?\", \"b?\"]}\n```\nDone.";
        assert_eq!(read::<Variants>(text).unwrap().queries, ["a?", "b?"]);
    }

    #[test]
    fn broken_or_other_json_is_a_complaint() {
        for text in [
            "",
            "}{",
            "no",
            "{\"queries\": [\"a?\"",
            "{\"queries\": \"a\"}",
            "{}",
            "{\"queries\": [1]}",
        ] {
            assert!(read::<Variants>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn schemas_are_strict_and_what_they_allow_can_be_read() {
        let schema = Verdicts::schema();
        let item = &schema["properties"]["verdicts"]["items"];
        assert_eq!(item["required"].as_array().map(Vec::len), Some(3));
        assert_eq!(item["additionalProperties"], json!(false));
        let text = r#"{"verdicts": [{"number": 1, "evidence": "", "answerable": true}]}"#;
        let verdict = &read::<Verdicts>(text).unwrap().verdicts[0];
        assert!(verdict.number == 1 && verdict.answerable);
    }
}
