//! The language model behind strategies and hard negatives, as one question: a prompt in, text out.
//!
//! Who carries it is not this crate's business: JavaScript in a browser, an HTTP client natively, a
//! script in tests. Prompts are ours and live in files; whoever asks validates what comes back.

use std::fmt;
use std::sync::Arc;

use serde::de::IgnoredAny;

use crate::error::Error;

/// What an image's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `image/png`.
    Png,
    /// `image/jpeg`.
    Jpeg,
}

impl MediaType {
    /// As requests name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
}

/// An image beside a request's text, as `image::prepare` makes it.
/// A copy shares its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct LlmImage {
    /// What the bytes are.
    pub media_type: MediaType,
    /// A whole file.
    pub data: Arc<[u8]>,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl fmt::Debug for LlmImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height, .. } = self;
        let (name, bytes) = (self.media_type.name(), self.data.len());
        write!(f, "LlmImage({name}, {width} x {height}, {bytes} bytes)")
    }
}

impl LlmRequest {
    /// Tokens of its images, see [`LlmImage::tokens`].
    #[must_use]
    pub fn image_tokens(&self) -> u64 {
        self.images.iter().map(LlmImage::tokens).sum()
    }
}

impl LlmImage {
    /// Tokens that a model may read it as: one for 500 pixels, which is more than hosted models
    /// count for a page at their default detail.
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        (self.width as u64 * self.height as u64).div_ceil(500)
    }
}

/// What is asked of a language model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LlmRequest {
    /// Instructions, apart from any document's text.
    pub system: String,
    /// The task and the documents, fenced and labelled as data.
    pub user: String,
    /// What `user` speaks of as attached, in that order; only models that see can answer.
    pub images: Vec<LlmImage>,
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
