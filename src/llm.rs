//! The language model behind strategies and hard negatives, as one question: a prompt in, text out.
//!
//! Who carries it is not this crate's business: JavaScript in a browser, an HTTP client natively, a
//! script in tests. Prompts are ours and live in files; whoever asks validates what comes back.

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

/// The JSON object in an answer: what was said, cut to the outermost braces, for models like to add
/// fences and greetings.
pub(crate) fn json_object(text: &str) -> Option<&str> {
    let text = said(text);
    let (start, end) = text.find('{').zip(text.rfind('}'))?;
    text.get(start..=end)
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
