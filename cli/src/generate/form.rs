//! How a server that speaks OpenAI's language is asked for JSON, and what it was found to take.
//!
//! The strict schema is asked for first. A server that refuses it is asked for any JSON object, and
//! one that refuses that too is asked in words alone; both get the schema in words. What worked is
//! remembered, so nothing is refused twice; a refusal costs no tokens and is no call of the budget.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use foliorank::llm::LlmRequest;
use serde_json::{Value, json};
use ureq::http::StatusCode;

/// Before the schema where it goes in words.
pub(super) const IN_WORDS: &str =
    "Answer with one JSON object and nothing around it. It must follow this JSON Schema:";

/// A way to ask for JSON; the later, the more servers take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Schema,
    Object,
    Words,
}

impl Form {
    fn next(self) -> Option<Self> {
        match self {
            Self::Schema => Some(Self::Object),
            Self::Object => Some(Self::Words),
            Self::Words => None,
        }
    }

    /// OpenAI's `response_format`.
    pub(super) fn response_format(self, schema: &Value) -> Option<Value> {
        match self {
            Self::Schema => Some(json!({
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": true, "schema": schema},
            })),
            Self::Object => Some(json!({"type": "json_object"})),
            Self::Words => None,
        }
    }

    /// The request's instructions, with the schema where the server does not see it otherwise.
    pub(super) fn system(self, request: &LlmRequest) -> Cow<'_, str> {
        match &request.schema {
            Some(schema) if self != Self::Schema => {
                format!("{}\n\n{IN_WORDS}\n{schema}", request.system).into()
            }
            _ => request.system.as_str().into(),
        }
    }
}

/// Whether a refusal may be about the form. What it is about is seldom said in a way to rely on, so
/// most refusals are tried once more; a breakdown only where the server names the schema.
pub(super) fn may_be_refused(status: StatusCode, words: &str) -> bool {
    let named = ["response_format", "json_schema", "json schema", "grammar"];
    match status.as_u16() {
        400 | 415 | 422 | 501 => true,
        500 => {
            let words = words.to_lowercase();
            named.iter().any(|name| words.contains(name))
        }
        _ => false,
    }
}

/// What one model at one server takes; nothing until it has answered once.
#[derive(Debug, Default)]
pub(super) struct Taken(Mutex<Option<Form>>);

impl Taken {
    /// The form to ask in.
    pub(super) fn form(&self) -> Form {
        self.with(|taken| taken.unwrap_or(Form::Schema))
    }

    /// The form to try after `form` was refused; none when the form cannot have been the reason.
    pub(super) fn refused(&self, form: Form) -> Option<Form> {
        match self.with(|taken| *taken) {
            Some(taken) if taken == form => None,
            // Found by whoever asked at the same time.
            Some(taken) if taken > form => Some(taken),
            _ => form.next(),
        }
    }

    /// Remembers what was answered in. A text without any object says that the form was ignored:
    /// from now on the schema goes in words.
    pub(super) fn answered(&self, form: Form, text: &str) {
        let ignored = !text.contains('{') && !text.trim().is_empty();
        let form = if ignored { Form::Words } else { form };
        // Whoever asked at the same time may know more.
        self.with(|taken| *taken = (*taken).max(Some(form)));
    }

    fn with<T>(&self, change: impl FnOnce(&mut Option<Form>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_worked_is_not_doubted_and_what_others_found_is_kept() {
        let taken = Taken::default();
        assert_eq!(taken.refused(Form::Schema), Some(Form::Object));
        assert_eq!(taken.form(), Form::Schema, "a refusal alone proves nothing");
        taken.answered(Form::Object, "{}");
        assert_eq!(taken.form(), Form::Object);
        assert_eq!(taken.refused(Form::Object), None);
        assert_eq!(
            taken.refused(Form::Schema),
            Some(Form::Object),
            "asked meanwhile"
        );
        taken.answered(Form::Schema, "{}");
        assert_eq!(taken.form(), Form::Object);
        taken.answered(Form::Object, " ");
        assert_eq!(taken.form(), Form::Object, "nothing was said");
        taken.answered(Form::Object, "Certainly!");
        assert_eq!(taken.form(), Form::Words);
        assert_eq!(taken.refused(Form::Words), None);
    }

    #[test]
    fn a_breakdown_is_a_refusal_only_where_it_names_the_schema() {
        for (status, words, refused) in [
            (400, "", true),
            (422, "", true),
            (501, "", true),
            (500, "failed to parse grammar", true),
            (500, "Unsupported Response_Format", true),
            (500, "out of memory", false),
            (401, "json_schema", false),
            (429, "json_schema", false),
            (503, "json_schema", false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(may_be_refused(status, words), refused, "{status} {words}");
        }
    }
}
