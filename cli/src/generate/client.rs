//! Asks a language model over HTTP: time-outs, retries that honour Retry-After, and a key that
//! nobody sees.
//!
//! The key lives in this struct and in one request header. Whatever comes back, answers and
//! errors, is searched for it before it goes on: a server that echoes its headers must not bring
//! it into the cache, the output or an error.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use foliorank::Error;
use foliorank::llm::{Llm, LlmAnswer, LlmRequest};
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Response, StatusCode, header};

use super::form::{Form, Taken, may_be_refused};
use super::provider::{Endpoint, Kind};

/// Longest text of a provider that an error repeats, in characters.
const OWN_WORDS: usize = 300;
/// Largest answer read, in bytes.
const LARGEST: u64 = 16 << 20;

/// When to give up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Attempts after the first.
    pub(super) retries: u32,
    /// Of one attempt, from connecting to the last byte.
    pub(super) timeout: Duration,
    /// Before the first retry; doubled for each further one. Retry-After counts where it is given.
    pub(super) pause: Duration,
    /// A longer Retry-After ends the run instead.
    pub(super) longest_pause: Duration,
}

/// A key; shown as stars.
#[derive(Clone)]
pub(super) struct Key(String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

impl Key {
    /// The first of the variables that is set and not empty.
    pub(super) fn from_environment(
        names: &[&str],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Option<Self> {
        let set = names.iter().filter_map(|name| variable(name));
        set.map(|key| key.trim().to_owned())
            .find(|key| !key.is_empty())
            .map(Self)
    }
}

/// A model at its endpoint; its clones share what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Client {
    agent: Agent,
    pub(super) endpoint: Endpoint,
    pub(super) model: String,
    key: Option<Key>,
    patience: Patience,
    taken: Arc<Taken>,
}

/// Why an attempt failed.
enum Failed {
    /// Another attempt may do better, after so long.
    Again(String, Option<Duration>),
    /// Asked for JSON in another form it may do better.
    Form(String),
    ForGood(String),
}

impl Client {
    pub(super) fn new(
        endpoint: Endpoint,
        model: String,
        key: Option<Key>,
        patience: Patience,
    ) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(patience.timeout))
            .max_redirects(0)
            .user_agent(concat!("foliorank/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self {
            agent,
            // Over plain HTTP a key would be read by whoever is on the way.
            key: key.filter(|_| endpoint.is_private()),
            endpoint,
            model,
            patience,
            taken: Arc::default(),
        }
    }

    /// One attempt, in the forms that the server may take.
    fn attempt(&self, request: &LlmRequest) -> Result<LlmAnswer, Failed> {
        let mut form = self.taken.form();
        loop {
            let what = match self.send(request, form) {
                Ok(answer) => {
                    if request.schema.is_some() {
                        self.taken.answered(form, &answer.text);
                    }
                    return Ok(answer);
                }
                Err(Failed::Form(what)) => what,
                Err(failed) => return Err(failed),
            };
            form = self.taken.refused(form).ok_or(Failed::ForGood(what))?;
        }
    }

    fn send(&self, request: &LlmRequest, form: Form) -> Result<LlmAnswer, Failed> {
        let call = self.endpoint.call(&self.model, request, form);
        let mut post = self.agent.post(&call.url);
        for (name, value) in &call.headers {
            post = post.header(*name, value);
        }
        if let Some(Key(key)) = &self.key {
            let (name, before) = call.key_header;
            post = post.header(name, format!("{before}{key}"));
        }
        let sent = post
            .header(header::CONTENT_TYPE, "application/json")
            .send(call.body.to_string());
        let response = sent.map_err(|error| Failed::Again(error.to_string(), None))?;
        let status = response.status();
        let wait = retry_after(&response);
        let mut body = response.into_body();
        let text = body.with_config().limit(LARGEST).read_to_string();
        if !status.is_success() {
            let words = text.unwrap_or_default();
            let what = format!("HTTP {}: {}", status.as_u16(), own_words(&words));
            let passing = matches!(
                status,
                StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS
            );
            let differs = self.endpoint.kind == Kind::OpenAi && request.schema.is_some();
            return Err(match passing || status.is_server_error() {
                _ if differs && may_be_refused(status, &words) => Failed::Form(what),
                true => Failed::Again(what, wait),
                false => Failed::ForGood(what),
            });
        }
        let text = text.map_err(|error| Failed::Again(error.to_string(), None))?;
        let body: Value = serde_json::from_str(&text)
            .map_err(|error| Failed::Again(format!("the answer is no JSON: {error}"), None))?;
        let answer = self.endpoint.read(&body);
        answer.map_err(|error| Failed::ForGood(error.to_string()))
    }

    /// `text` without the key.
    fn hide(&self, text: &str) -> String {
        match &self.key {
            Some(Key(key)) => text.replace(key.as_str(), "***"),
            None => text.to_owned(),
        }
    }
}

impl Llm for Client {
    async fn complete(&self, request: &LlmRequest) -> Result<LlmAnswer, Error> {
        let Patience {
            retries,
            pause,
            longest_pause,
            ..
        } = self.patience;
        let mut tried = 0;
        loop {
            let (what, wait) = match self.attempt(request) {
                Ok(answer) => {
                    let text = self.hide(&answer.text);
                    return Ok(LlmAnswer { text, ..answer });
                }
                Err(Failed::ForGood(what) | Failed::Form(what)) => (what, None),
                Err(Failed::Again(what, wait)) => {
                    let wait = wait.unwrap_or(pause * 2_u32.pow(tried.min(6)));
                    (what, Some(wait).filter(|&wait| wait <= longest_pause))
                }
            };
            let Some(wait) = wait.filter(|_| tried < retries) else {
                let attempts = tried + 1;
                let what = format!("{}, after {attempts} attempts: {what}", self.endpoint);
                return Err(Error::Llm {
                    what: self.hide(&what),
                });
            };
            thread::sleep(wait);
            tried += 1;
        }
    }
}

/// Retry-After in seconds; a date is not read, and the usual pause then counts.
fn retry_after(response: &Response<ureq::Body>) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?;
    let seconds: f64 = value.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The message in a provider's error, else the start of its body.
fn own_words(body: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(body).ok();
    let message = parsed.as_ref().and_then(|body| {
        let error = &body["error"];
        error["message"].as_str().or(error.as_str())
    });
    let text = message.unwrap_or(body).trim();
    text.chars().take(OWN_WORDS).collect()
}
