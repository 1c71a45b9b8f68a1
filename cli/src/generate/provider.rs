//! Language models by HTTP: what each kind of server wants to be asked and how it answers.
//!
//! Requests and answers only, no network. Structured output goes the way that each API documents:
//! a strict JSON Schema (OpenAI and the servers that speak its language), one forced tool
//! (Anthropic), a response schema (Google). A key goes into a header, never into a URL.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use foliorank::llm::{LlmAnswer, LlmImage, LlmRequest};
use serde_json::{Value, json};

use super::form::Form;

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// OpenAI, and all servers that speak its language.
    OpenAi,
    /// Anthropic's Messages.
    Anthropic,
    /// Google's Gemini.
    Google,
}

/// A model where it is served, as `--llm` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(super) kind: Kind,
    /// Without a slash at its end, and without credentials.
    pub(super) base: String,
}

/// A request as it goes out, without the key.
pub(super) struct Call {
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    /// The header that carries the key, and what stands before the key in it.
    pub(super) key_header: (&'static str, &'static str),
    pub(super) body: Value,
}

/// `openai`, `openai:URL`, and so on.
impl FromStr for Endpoint {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, url) = text.split_once(':').unwrap_or((text, ""));
        let (kind, usual) = match name {
            "openai" => (Kind::OpenAi, "https://api.openai.com/v1"),
            "anthropic" => (Kind::Anthropic, "https://api.anthropic.com/v1"),
            "google" => (
                Kind::Google,
                "https://generativelanguage.googleapis.com/v1beta",
            ),
            _ => bail!("expected none, openai[:URL], anthropic[:URL] or google[:URL]"),
        };
        let base = if url.is_empty() { usual } else { url };
        let (scheme, rest) = base.split_once("://").unwrap_or(("", base));
        ensure!(
            matches!(scheme, "http" | "https"),
            "the URL begins with neither http:// nor https://"
        );
        let host = rest.split('/').next().unwrap_or_default();
        // A message with the URL would show the password.
        ensure!(
            !host.contains('@') && !base.contains(['?', '#']),
            "no credentials in the URL; a key comes from the environment"
        );
        Ok(Self {
            kind,
            base: base.trim_end_matches('/').to_owned(),
        })
    }
}

/// As it is written into groups: who serves the model, and where.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            Kind::OpenAi => "openai",
            Kind::Anthropic => "anthropic",
            Kind::Google => "google",
        };
        write!(f, "{name}:{}", self.base)
    }
}

impl Endpoint {
    /// Environment variables that may hold the key, the first one set counts.
    pub(super) fn key_variables(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::OpenAi => &["OPENAI_API_KEY"],
            Kind::Anthropic => &["ANTHROPIC_API_KEY"],
            Kind::Google => &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        }
    }

    /// Whether a key may travel there: encrypted, or within this machine.
    pub(super) fn is_private(&self) -> bool {
        let rest = self.base.strip_prefix("http://");
        rest.is_none_or(|rest| {
            let host = rest.split('/').next().unwrap_or_default();
            let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
            let loopback = |ip: std::net::Ipv4Addr| ip.is_loopback();
            name == "localhost" || name == "[::1]" || name.parse().is_ok_and(loopback)
        })
    }

    /// The request in a form, which only servers that speak OpenAI's language differ in.
    pub(super) fn call(&self, model: &str, request: &LlmRequest, form: Form) -> Call {
        let Self { base, .. } = self;
        match self.kind {
            Kind::OpenAi => Call {
                url: format!("{base}/chat/completions"),
                headers: Vec::new(),
                key_header: ("authorization", "Bearer "),
                body: self.openai(model, request, form),
            },
            Kind::Anthropic => Call {
                url: format!("{base}/messages"),
                headers: vec![("anthropic-version", "2023-06-01".into())],
                key_header: ("x-api-key", ""),
                body: anthropic(model, request),
            },
            Kind::Google => Call {
                url: format!("{base}/models/{model}:generateContent"),
                headers: Vec::new(),
                key_header: ("x-goog-api-key", ""),
                body: google(request),
            },
        }
    }

    fn openai(&self, model: &str, request: &LlmRequest, form: Form) -> Value {
        let mut body = json!({
            "model": model,
            "messages": [
                {"role": "system", "content": form.system(request)},
                {"role": "user", "content": content(request, openai_image)},
            ],
            "temperature": request.temperature,
        });
        // OpenAI has renamed it; the servers that speak its language know the old name.
        let limit = match self.base.contains("api.openai.com") {
            true => "max_completion_tokens",
            false => "max_tokens",
        };
        if let Some(most) = request.max_tokens {
            body[limit] = json!(most);
        }
        let schema = request.schema.as_ref();
        if let Some(format) = schema.and_then(|schema| form.response_format(schema)) {
            body["response_format"] = format;
        }
        body
    }

    /// The answer in a provider's body.
    ///
    /// # Errors
    /// When it has none: what is missing.
    pub(super) fn read(&self, body: &Value) -> Result<LlmAnswer> {
        let count = |path: &str| body.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let text = |path: &str| body.pointer(path).and_then(Value::as_str);
        let (text, input, output) = match self.kind {
            Kind::OpenAi => {
                let message = "/choices/0/message";
                if let Some(refusal) = text(&format!("{message}/refusal")) {
                    bail!("the model refused: {refusal}");
                }
                let text = text(&format!("{message}/content")).map(str::to_owned);
                (text, "/usage/prompt_tokens", "/usage/completion_tokens")
            }
            Kind::Anthropic => {
                let parts = body["content"].as_array().into_iter().flatten();
                let part = |part: &Value| match part["type"].as_str() {
                    Some("tool_use") => Some(part["input"].to_string()),
                    Some("text") => part["text"].as_str().map(str::to_owned),
                    _ => None,
                };
                let text = parts.filter_map(part).next_back();
                (text, "/usage/input_tokens", "/usage/output_tokens")
            }
            Kind::Google => {
                let parts = body.pointer("/candidates/0/content/parts");
                let parts = parts.and_then(Value::as_array).map(|parts| {
                    let texts = parts.iter().filter_map(|part| part["text"].as_str());
                    texts.collect::<String>()
                });
                let usage = "/usageMetadata";
                return Ok(LlmAnswer {
                    text: parts.context("no text in the answer")?,
                    input_tokens: count(&format!("{usage}/promptTokenCount")),
                    output_tokens: count(&format!("{usage}/candidatesTokenCount"))
                        + count(&format!("{usage}/thoughtsTokenCount")),
                });
            }
        };
        Ok(LlmAnswer {
            text: text.context("no text in the answer")?,
            input_tokens: count(input),
            output_tokens: count(output),
        })
    }
}

/// The text alone, or images and then the text, which models read best in this order.
fn content(request: &LlmRequest, part: impl Fn(&LlmImage) -> Value) -> Value {
    if request.images.is_empty() {
        return json!(request.user);
    }
    let mut parts: Vec<Value> = request.images.iter().map(part).collect();
    parts.push(json!({"type": "text", "text": request.user}));
    Value::Array(parts)
}

fn openai_image(image: &LlmImage) -> Value {
    let url = format!(
        "data:{};base64,{}",
        image.media_type.name(),
        STANDARD.encode(&image.data)
    );
    json!({"type": "image_url", "image_url": {"url": url}})
}

fn anthropic_image(image: &LlmImage) -> Value {
    let (name, data) = (image.media_type.name(), STANDARD.encode(&image.data));
    json!({"type": "image", "source": {"type": "base64", "media_type": name, "data": data}})
}

fn google_image(image: &LlmImage) -> Value {
    let (name, data) = (image.media_type.name(), STANDARD.encode(&image.data));
    json!({"inlineData": {"mimeType": name, "data": data}})
}

fn anthropic(model: &str, request: &LlmRequest) -> Value {
    let mut body = json!({
        "model": model,
        "system": request.system,
        "messages": [{"role": "user", "content": content(request, anthropic_image)}],
        "max_tokens": request.max_tokens.unwrap_or(4096),
        // The API's range ends at 1.
        "temperature": request.temperature.min(1.0),
    });
    if let Some(schema) = &request.schema {
        body["tools"] = json!([{
            "name": "answer", "description": "Gives the answer.", "input_schema": schema,
        }]);
        body["tool_choice"] = json!({"type": "tool", "name": "answer"});
    }
    body
}

fn google(request: &LlmRequest) -> Value {
    let mut config = json!({"temperature": request.temperature});
    if let Some(most) = request.max_tokens {
        config["maxOutputTokens"] = json!(most);
    }
    if let Some(schema) = &request.schema {
        config["responseMimeType"] = json!("application/json");
        config["responseJsonSchema"] = schema.clone();
    }
    let mut parts: Vec<Value> = request.images.iter().map(google_image).collect();
    parts.push(json!({"text": request.user}));
    json!({
        "systemInstruction": {"parts": [{"text": request.system}]},
        "contents": [{"role": "user", "parts": parts}],
        "generationConfig": config,
    })
}

#[cfg(test)]
mod tests {
    use foliorank::llm::MediaType;

    use super::*;

    fn request() -> LlmRequest {
        LlmRequest {
            system: "be exact".into(),
            user: "the page".into(),
            images: Vec::new(),
            schema: Some(json!({"type": "object"})),
            max_tokens: Some(7),
            temperature: 2.0,
        }
    }

    #[test]
    fn an_endpoint_is_read_as_it_is_written_and_credentials_are_refused_unseen() {
        for (text, whole) in [
            ("openai", "openai:https://api.openai.com/v1"),
            (
                "openai:http://127.0.0.1:8080/v1/",
                "openai:http://127.0.0.1:8080/v1",
            ),
            (
                "google:https://example.org/x",
                "google:https://example.org/x",
            ),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), whole);
        }
        for bad in [
            "mistral",
            "openai:ftp://example.org",
            "openai:http://me:secret@example.org/v1",
            "google:https://example.org/?key=secret",
        ] {
            let error = bad.parse::<Endpoint>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_key_travels_encrypted_or_not_beyond_this_machine() {
        for (url, private) in [
            ("https://example.org", true),
            ("http://127.0.0.1:8080/v1", true),
            ("http://localhost:1234", true),
            ("http://example.org/v1", false),
            ("http://127.0.0.1.example.org/v1", false),
            ("http://192.168.1.7:8080", false),
        ] {
            let endpoint: Endpoint = format!("openai:{url}").parse().unwrap();
            assert_eq!(endpoint.is_private(), private, "{url}");
        }
    }

    #[test]
    fn each_provider_is_asked_for_the_schema_in_its_own_way() {
        let asked = |name: &str, form| {
            let endpoint = name.parse::<Endpoint>().unwrap();
            endpoint.call("m", &request(), form).body
        };
        let body = |name: &str| asked(name, Form::Schema);
        let openai = body("openai:http://127.0.0.1:1/v1");
        assert_eq!(openai["response_format"]["json_schema"]["strict"], true);
        assert_eq!(
            (&openai["max_tokens"], &openai["messages"][1]["content"]),
            (&json!(7), &json!("the page"))
        );
        assert_eq!(body("openai")["max_completion_tokens"], 7);
        for (form, format) in [
            (Form::Object, json!({"type": "json_object"})),
            (Form::Words, Value::Null),
        ] {
            let body = asked("openai", form);
            assert_eq!(body["response_format"], format);
            let system = body["messages"][0]["content"].as_str().unwrap();
            let schema = request().schema.unwrap().to_string();
            assert!(
                system.starts_with("be exact") && system.ends_with(&schema),
                "{system}"
            );
        }
        let anthropic = body("anthropic");
        assert_eq!(
            anthropic["tool_choice"]["name"],
            anthropic["tools"][0]["name"]
        );
        assert_eq!(
            (&anthropic["temperature"], &anthropic["system"]),
            (&json!(1.0), &json!("be exact"))
        );
        let google = body("google");
        assert_eq!(
            google["generationConfig"]["responseJsonSchema"]["type"],
            "object"
        );
        assert_eq!(google["contents"][0]["parts"][0]["text"], "the page");
    }

    #[test]
    fn each_provider_gets_an_image_in_its_own_way_before_the_text() {
        let image = LlmImage {
            media_type: MediaType::Jpeg,
            data: [0xff, 0xd8, 0xff].as_slice().into(),
            width: 1,
            height: 1,
        };
        let request = LlmRequest {
            images: vec![image],
            ..request()
        };
        let body = |name: &str| {
            name.parse::<Endpoint>()
                .unwrap()
                .call("m", &request, Form::Schema)
                .body
        };
        let text = json!({"type": "text", "text": "the page"});
        assert_eq!(
            body("openai")["messages"][1]["content"],
            json!([
                {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/"}},
                text,
            ])
        );
        assert_eq!(
            body("anthropic")["messages"][0]["content"],
            json!([
                {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/"}},
                text,
            ])
        );
        assert_eq!(
            body("google")["contents"][0]["parts"],
            json!([
                {"inlineData": {"mimeType": "image/jpeg", "data": "/9j/"}},
                {"text": "the page"},
            ])
        );
    }

    #[test]
    fn each_provider_s_answer_is_read_with_its_tokens() {
        let bodies = [
            (
                "openai",
                json!({"choices": [{"message": {"content": "{}"}}], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
            ),
            (
                "anthropic",
                json!({"content": [{"type": "text", "text": "Well."}, {"type": "tool_use", "input": {}}], "usage": {"input_tokens": 3, "output_tokens": 2}}),
            ),
            (
                "google",
                json!({"candidates": [{"content": {"parts": [{"text": "{"}, {"text": "}"}]}}], "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1, "thoughtsTokenCount": 1}}),
            ),
        ];
        for (name, body) in bodies {
            let answer = name.parse::<Endpoint>().unwrap().read(&body).unwrap();
            let found = (
                answer.text.as_str(),
                answer.input_tokens,
                answer.output_tokens,
            );
            assert_eq!(found, ("{}", 3, 2), "{name}");
            assert!(
                name.parse::<Endpoint>()
                    .unwrap()
                    .read(&json!({"other": 1}))
                    .is_err()
            );
        }
    }
}
