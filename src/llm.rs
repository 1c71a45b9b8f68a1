//! The language model behind strategies and hard negatives, as one question: a prompt in, text out.
//!
//! Who carries it is not this crate's business: JavaScript in a browser, an HTTP client natively, a
//! script in tests. Prompts are ours and live in files; whoever asks validates what comes back.

use serde::de::IgnoredAny;

use crate::error::Error;

/// What is asked of a language model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LlmRequest {
    /// Instructions, apart from any document's text.
    pub system: String,
    /// The task and the documents, fenced and labelled as data.
    pub user: String,
    /// JSON Schema of the answer; `None` asks for plain text.
    pub schema: Option<serde_json::Value>,
    /// Most tokens of the answer; `None` leaves it to the provider.
    pub max_tokens: Option<u32>,
    /// 0 for verdicts and rankings, higher for variety.
    pub temperature: f32,
}

/// What a language model answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LlmAnswer {
    /// The text, JSON when a schema was given (and not yet validated).
    pub text: String,
    /// Tokens read, as the provider counts them; 0 when it does not say.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

/// What was said after thinking aloud.
pub(crate) fn said(text: &str) -> &str {
    let thought = text.rfind("</think>").map(|end| end + "</think>".len());
    text[thought.unwrap_or(0)..].trim()
}

/// Places in an answer where an object may begin that are tried; prose has few braces.
const BEGINNINGS: usize = 64;

/// The JSON object in an answer, for models like to add fences and greetings: what was said, cut to
/// the outermost braces, or where that is no JSON to the first whole object that has a field.
pub(crate) fn json_object(text: &str) -> Option<&str> {
    let text = said(text);
    let (start, end) = text.find('{').zip(text.rfind('}'))?;
    let outermost = text.get(start..=end)?;
    if serde_json::from_str::<IgnoredAny>(outermost).is_ok() {
        return Some(outermost);
    }
    for (at, _) in text.match_indices('{').take(BEGINNINGS) {
        let rest = &text[at..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(_)) if rest[..values.byte_offset()].contains(':') => {
                return Some(&rest[..values.byte_offset()]);
            }
            // Cut off: what is whole inside of it is not the answer.
            Some(Err(error)) if error.is_eof() => break,
            _ => {}
        }
    }
    // Whoever reads it learns from the outermost braces what is wrong.
    Some(outermost)
}

/// Answers requests.
#[expect(
    async_fn_in_trait,
    reason = "WASM futures are not Send; callers are generic over the model"
)]
pub trait Llm {
    /// One answer.
    ///
    /// # Errors
    /// `llm` when the provider fails for good (retries are the provider's), `aborted`.
    async fn complete(&self, request: &LlmRequest) -> Result<LlmAnswer, Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_among_other_braces() {
        let object = "{\"a\": [{\"b\": \"}\"}]}";
        for around in [
            ("", ""),
            ("```json\n", "\n```"),
            ("As {asked}, {} and {{1}}: ", ". {Sic}"),
            ("<think>{\"c\": 1}</think>", " Or {\"d\": 2}"),
        ] {
            let text = format!("{}{object}{}", around.0, around.1);
            assert_eq!(json_object(&text), Some(object), "{text}");
        }
        assert_eq!(json_object("{\"a\": [1 }"), Some("{\"a\": [1 }"));
        let cut = "{\"a\": [{\"b\": 1}";
        assert_eq!(json_object(cut), Some(cut));
        assert_eq!(json_object("{\"a\": [1"), None);
        assert_eq!(json_object(&"{".repeat(100_000)), None);
        let deep = format!("{}}}", "{\"a\":".repeat(100_000));
        assert_eq!(json_object(&deep), Some(deep.as_str()));
    }
}
