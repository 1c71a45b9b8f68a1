//! The page behind a call of the variant `logic`: the models it answers for, and who hears of
//! progress. The seams `Judge`, `Llm` and `Embedder` are questions to it.
//!
//! What the page throws comes out of the call unchanged, whatever lay between.

use std::cell::RefCell;

use js_sys::{Float32Array, Promise, Reflect};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{ImageFile, encode, into_js};
use crate::error::Error;
use crate::llm::{Llm, LlmAnswer, LlmImage, LlmRequest, MediaType};
use crate::strategy::{Embedder, Group, Judge, Pages};

#[wasm_bindgen]
extern "C" {
    /// `{ ask(kind, payload): Promise<unknown>, progress(progress): Promise<boolean> }`, as
    /// www/src/logic/service.ts makes it for each call.
    pub type Host;

    #[wasm_bindgen(method, catch)]
    fn ask(this: &Host, kind: &str, payload: JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn progress(this: &Host, progress: JsValue) -> Result<Promise, JsValue>;
}

/// A call's page, and what it has thrown.
pub(super) struct Page {
    host: Host,
    thrown: RefCell<Option<(Error, JsValue)>>,
}

/// What the page's answer should have been.
pub(super) struct Expected {
    pub(super) kind: &'static str,
    pub(super) what: &'static str,
}

impl Page {
    pub(super) fn new(host: Host) -> Self {
        let thrown = RefCell::new(None);
        Self { host, thrown }
    }

    /// Tells of progress; an error when the page wants no more.
    pub(super) async fn observe(&self, progress: &impl Serialize) -> Result<(), Error> {
        let told = encode(progress).and_then(|progress| self.host.progress(progress));
        let Ok(told) = told else {
            return Err(Error::Aborted);
        };
        match JsFuture::from(told).await {
            Ok(go_on) if go_on != JsValue::FALSE => Ok(()),
            _ => Err(Error::Aborted),
        }
    }

    /// The error to throw: the page's own where this comes from it.
    pub(super) fn error(&self, error: Error) -> JsValue {
        match self.thrown.take() {
            Some((known, thrown)) if known == error => thrown,
            _ => into_js(error),
        }
    }

    pub(super) async fn ask(&self, kind: &str, payload: &impl Serialize) -> Result<JsValue, Error> {
        let asked = encode(payload).and_then(|payload| self.host.ask(kind, payload));
        let answer = match asked {
            Ok(answer) => JsFuture::from(answer).await,
            Err(thrown) => Err(thrown),
        };
        answer.map_err(|thrown| {
            let error = meaning(&thrown);
            self.thrown.replace(Some((error.clone(), thrown)));
            error
        })
    }

    pub(super) async fn ask_for<T: DeserializeOwned>(
        &self,
        expected: Expected,
        payload: &impl Serialize,
    ) -> Result<T, Error> {
        let answer = self.ask(expected.kind, payload).await?;
        serde_wasm_bindgen::from_value(answer)
            .map_err(|error| Error::argument(expected.kind, expected.what, error))
    }
}

/// What a thrown value is to the library: the codes that it acts on, and `internal`.
fn meaning(thrown: &JsValue) -> Error {
    let field = |name: &str| {
        let value = Reflect::get(thrown, &name.into()).ok();
        value.and_then(|value| value.as_string())
    };
    let what = field("message").unwrap_or_default();
    match field("code").as_deref() {
        Some("aborted") => Error::Aborted,
        Some("llm") => Error::Llm { what },
        Some("budget") => Error::Budget { what },
        _ => Error::Internal { what },
    }
}

/// The page's judge: its reranker, or a function of the caller's.
pub(super) struct PageJudge<'a> {
    pub(super) page: &'a Page,
    /// Documents that one group may hold.
    pub(super) max_group: usize,
}

#[derive(Serialize)]
struct JudgeQuestion<'a> {
    groups: Vec<JudgeGroup<'a>>,
}

#[derive(Serialize)]
struct JudgeGroup<'a> {
    query: &'a str,
    documents: &'a [&'a str],
}

impl Judge for PageJudge<'_> {
    fn max_group(&self) -> usize {
        self.max_group
    }

    async fn judge(&self, groups: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
        let group = |&Group { query, documents }| JudgeGroup { query, documents };
        let groups = groups.iter().map(group).collect();
        let expected = Expected {
            kind: "judge",
            what: "numbers for each group",
        };
        self.page.ask_for(expected, &JudgeQuestion { groups }).await
    }
}

/// A language model of the caller's.
pub(super) struct PageLlm<'a> {
    pub(super) page: &'a Page,
    /// `llm`, or `verifier` where there are two.
    pub(super) kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LlmQuestion<'a> {
    system: &'a str,
    user: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<ImageFile<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    temperature: f32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LlmReply {
    text: String,
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
}

impl Llm for PageLlm<'_> {
    async fn complete(&self, request: &LlmRequest) -> Result<LlmAnswer, Error> {
        let question = LlmQuestion {
            system: &request.system,
            user: &request.user,
            images: request.images.iter().map(ImageFile::new).collect(),
            schema: request.schema.as_ref(),
            max_tokens: request.max_tokens,
            temperature: request.temperature,
        };
        let expected = Expected {
            kind: self.kind,
            what: "an object with a string `text`, and whole numbers of tokens",
        };
        let reply: LlmReply = self.page.ask_for(expected, &question).await?;
        Ok(LlmAnswer {
            text: reply.text,
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
        })
    }
}

/// An image as the variant `images` has made it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MadeImage {
    data: serde_bytes::ByteBuf,
    media_type: String,
    width: u32,
    height: u32,
}

impl MadeImage {
    pub(super) fn read(self) -> Result<LlmImage, Error> {
        let media_type = [MediaType::Png, MediaType::Jpeg]
            .into_iter()
            .find(|media_type| media_type.name() == self.media_type);
        let expected = "image/png or image/jpeg";
        let refused = || Error::argument("image.mediaType", expected, &self.media_type);
        Ok(LlmImage {
            media_type: media_type.ok_or_else(refused)?,
            data: self.data.as_slice().into(),
            width: self.width,
            height: self.height,
        })
    }
}

/// The documents' images, which the page has.
pub(super) struct PageImages<'a> {
    pub(super) page: &'a Page,
}

#[derive(Serialize)]
struct GridQuestion<'a> {
    documents: &'a [usize],
}

impl Pages for PageImages<'_> {
    async fn grid(&self, documents: &[usize]) -> Result<LlmImage, Error> {
        let expected = Expected {
            kind: "grid",
            what: "an image",
        };
        let question = GridQuestion { documents };
        let image: MadeImage = self.page.ask_for(expected, &question).await?;
        image.read()
    }
}

/// The page's embedder.
pub(super) struct PageEmbedder<'a> {
    pub(super) page: &'a Page,
}

#[derive(Serialize)]
struct EmbedQuestion<'a> {
    texts: &'a [&'a str],
    kind: &'static str,
}

/// What texts are embedded as.
#[derive(Clone, Copy)]
pub(super) enum TextKind {
    Query,
    Document,
}

impl PageEmbedder<'_> {
    /// The vectors of `texts`, row after row.
    pub(super) async fn embed(&self, texts: &[&str], kind: TextKind) -> Result<Vec<f32>, Error> {
        let kind = match kind {
            TextKind::Query => "query",
            TextKind::Document => "document",
        };
        let question = EmbedQuestion { texts, kind };
        let answer = self.page.ask("embed", &question).await?;
        let vectors = Reflect::get(&answer, &"vectors".into()).ok();
        let vectors = vectors.and_then(|vectors| vectors.dyn_into::<Float32Array>().ok());
        vectors
            .map(|vectors| vectors.to_vec())
            .ok_or_else(|| Error::argument("embed", "a Float32Array `vectors`", "something else"))
    }
}

impl Embedder for PageEmbedder<'_> {
    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, Error> {
        self.embed(&[text], TextKind::Query).await
    }
}
