//! The engine: a model on a device, for the variants `cpu` and `gpu`.

use core::cell::Cell;
use core::str::FromStr;

use js_sys::{Float32Array, Function, Object, Promise, Reflect, Uint8Array, Uint32Array};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{decode, encode, into_js};
use crate::device::DeviceKind;
use crate::error::Error;
use crate::manifest::{Architecture, Manifest, ScoreKind};
use crate::page::{Share, Windows, utf16};
use crate::reranker::{self, Options, Progress, Ranking, Reranker, Scores, TextKind, warm_up};

/// A loaded model on a device.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    reranker: Reranker,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RerankOptions {
    top_n: Option<u32>,
    raw_scores: bool,
    max_tokens_per_document: Option<u32>,
    window: Option<u32>,
    overlap: Option<u32>,
    share: Option<Share>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    model: &'a str,
    architecture: &'static str,
    device: &'static str,
    parameters: usize,
    max_length: usize,
    score: ScoreKind,
    licence: &'a str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchProgress {
    batch: usize,
    batches: usize,
    tokens: usize,
    total_tokens: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsageAndTiming {
    usage: Usage,
    timing: Timing,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    tokens: usize,
    batches: usize,
    padded_tokens: usize,
    passages: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Timing {
    tokenize_ms: f64,
    score_ms: f64,
}

#[wasm_bindgen]
impl Engine {
    /// Checks the files against the manifest and puts the model on `device` (cpu or webgpu). The
    /// SHA-256 of the weights, in hexadecimal, is computed here unless it is given.
    ///
    /// # Errors
    /// A JavaScript error with a code, as every method here.
    pub async fn load(
        manifest: String,
        tokenizer: Uint8Array,
        weights: Uint8Array,
        device: String,
        digest: Option<String>,
    ) -> Result<Self, JsValue> {
        let parts = async {
            let device = DeviceKind::from_str(&device)?;
            let manifest = Manifest::from_json(&manifest)?;
            let (tokenizer, weights) = (tokenizer.to_vec(), weights.to_vec());
            Reranker::from_digested(manifest, &tokenizer, weights, digest, device).await
        };
        let reranker = parts.await.map_err(into_js)?;
        Ok(Self { reranker })
    }

    /// Milliseconds of one pass of a one-layer network of this shape, after an unmeasured pass.
    ///
    /// # Errors
    /// `manifest`, `no_webgpu`, or what the device reports.
    #[wasm_bindgen(js_name = warmUp)]
    pub async fn warm_up(manifest: String, device: String) -> Result<f64, JsValue> {
        let time = async {
            let device = DeviceKind::from_str(&device)?;
            let manifest = Manifest::from_json(&manifest)?;
            warm_up(&manifest, device).await?;
            let before = now();
            warm_up(&manifest, device).await?;
            Ok(now() - before)
        };
        time.await.map_err(into_js)
    }

    /// The largest difference to the known answers.
    ///
    /// # Errors
    /// `self_test` when it exceeds the manifest's tolerance.
    #[wasm_bindgen(js_name = selfTest)]
    pub async fn self_test(&self) -> Result<f32, JsValue> {
        self.reranker.self_test().await.map_err(into_js)
    }

    /// What is loaded, and where.
    ///
    /// # Errors
    /// `internal` only.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let manifest = self.reranker.manifest();
        encode(&Info {
            model: &manifest.name,
            architecture: manifest.architecture.name(),
            device: self.reranker.device().name(),
            parameters: self.reranker.parameters(),
            max_length: manifest.max_length,
            score: manifest.score,
            licence: &manifest.licence,
            version: env!("CARGO_PKG_VERSION"),
        })
    }

    /// Ranks documents; `on_batch` is awaited after every batch and aborts by resolving false.
    ///
    /// # Errors
    /// `invalid_argument`, `aborted`, or what the device reports.
    pub async fn rerank(
        &self,
        query: String,
        documents: Vec<String>,
        options: JsValue,
        on_batch: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let options = rerank_options(options).map_err(into_js)?;
        let clock = Clock::start();
        let observe = observer(on_batch.as_ref(), &clock);
        let ranking = self
            .reranker
            .rerank(&query, &documents, &options, observe)
            .await
            .map_err(into_js)?;
        ranking_to_js(&ranking, &documents, clock.stop())
    }

    /// What texts are to a model that reads them alone; `kind` is `query` or `document`.
    ///
    /// `vectors` are rows of `dimensions` numbers: one a text for a bi-encoder; for late interaction
    /// one a token, `lengths` of them for each text. For a sparse encoder they are the weights of the
    /// word pieces `ids`, likewise.
    ///
    /// # Errors
    /// As [`Self::rerank`].
    pub async fn embed(
        &self,
        texts: Vec<String>,
        kind: &str,
        on_batch: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let kind = match kind {
            "query" => TextKind::Query,
            _ => TextKind::Document,
        };
        let clock = Clock::start();
        let observe = observer(on_batch.as_ref(), &clock);
        let embedded = self.embedding(&texts, kind, observe).await;
        let (usage, fields) = embedded.map_err(into_js)?;
        with_fields(costs(usage, clock.stop())?, &fields)
    }
}

impl Engine {
    async fn embedding(
        &self,
        texts: &[String],
        kind: TextKind,
        observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
    ) -> Result<(reranker::Usage, Vec<(&'static str, JsValue)>), Error> {
        let reranker = &self.reranker;
        let numbers = |numbers: &[f32]| ("vectors", Float32Array::from(numbers).into());
        let whole = |name, numbers: &[u32]| (name, Uint32Array::from(numbers).into());
        let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        match reranker.manifest().architecture {
            Architecture::BertLateInteraction => {
                let embedded = reranker.embed_tokens(texts, kind, observe).await?;
                let width = embedded.dimensions;
                let lengths: Vec<u32> = (embedded.texts.iter())
                    .map(|rows| length(rows.len() / width))
                    .collect();
                let fields = vec![
                    numbers(&embedded.texts.concat()),
                    ("dimensions", width.into()),
                    whole("lengths", &lengths),
                ];
                Ok((embedded.usage, fields))
            }
            Architecture::BertSparseEncoder => {
                let embedded = reranker.embed_sparse(texts, kind, observe).await?;
                let lengths: Vec<u32> =
                    embedded.texts.iter().map(|row| length(row.len())).collect();
                let (ids, weights): (Vec<u32>, Vec<f32>) =
                    embedded.texts.concat().into_iter().unzip();
                let fields = vec![
                    numbers(&weights),
                    (
                        "dimensions",
                        reranker.manifest().dimensions.vocabulary.into(),
                    ),
                    whole("lengths", &lengths),
                    whole("ids", &ids),
                ];
                Ok((embedded.usage, fields))
            }
            _ => {
                let embedded = reranker.embed(texts, kind, observe).await?;
                let fields = vec![
                    numbers(&embedded.vectors),
                    ("dimensions", embedded.dimensions.into()),
                ];
                Ok((embedded.usage, fields))
            }
        }
    }
}

/// When a call began, and when its texts were tokens.
struct Clock {
    started: f64,
    tokenized: Cell<f64>,
}

impl Clock {
    fn start() -> Self {
        let started = now();
        Self {
            started,
            tokenized: Cell::new(started),
        }
    }

    fn stop(&self) -> Timing {
        Timing {
            tokenize_ms: self.tokenized.get() - self.started,
            score_ms: now() - self.tokenized.get(),
        }
    }
}

/// What hears of progress.
fn observer<'a>(
    on_batch: Option<&'a Function>,
    clock: &'a Clock,
) -> impl AsyncFnMut(Progress) -> Result<(), Error> + 'a {
    async move |progress: Progress| {
        if progress.batch == 0 {
            clock.tokenized.set(now());
        }
        report(on_batch, progress).await
    }
}

fn rerank_options(options: JsValue) -> Result<Options, Error> {
    let options: RerankOptions = decode(options)?;
    let tokens = |given: Option<u32>| given.map(|tokens| tokens as usize);
    Ok(Options {
        top_n: options.top_n.map(|n| n as usize),
        scores: if options.raw_scores {
            Scores::Raw
        } else {
            Scores::Relevance
        },
        max_tokens_per_document: options.max_tokens_per_document.map(|n| n as usize),
        windows: Windows::given(tokens(options.window), tokens(options.overlap)),
        share: options.share,
    })
}

async fn report(on_batch: Option<&Function>, progress: Progress) -> Result<(), Error> {
    let Some(on_batch) = on_batch else {
        return Ok(());
    };
    let progress = encode(&BatchProgress {
        batch: progress.batch,
        batches: progress.batches,
        tokens: progress.tokens,
        total_tokens: progress.total_tokens,
    });
    let answer = progress
        .and_then(|progress| on_batch.call1(&JsValue::UNDEFINED, &progress))
        .map(|answer| JsFuture::from(Promise::resolve(&answer)));
    let Ok(answer) = answer else {
        return Err(Error::Aborted);
    };
    match answer.await {
        Ok(go_on) if go_on != JsValue::FALSE => Ok(()),
        _ => Err(Error::Aborted),
    }
}

fn ranking_to_js(
    ranking: &Ranking,
    documents: &[String],
    timing: Timing,
) -> Result<JsValue, JsValue> {
    let results = &ranking.results;
    let order: Vec<u32> = results.iter().map(|result| result.index as u32).collect();
    let scores: Vec<f32> = results.iter().map(|result| result.score).collect();
    let passages: Vec<u32> = (results.iter())
        .flat_map(|result| {
            let span = utf16(&documents[result.index], &result.passage);
            [span.start as u32, span.end as u32]
        })
        .collect();
    let fields: [(&str, JsValue); 3] = [
        ("order", Uint32Array::from(&order[..]).into()),
        ("scores", Float32Array::from(&scores[..]).into()),
        ("passages", Uint32Array::from(&passages[..]).into()),
    ];
    with_fields(costs(ranking.usage, timing)?, &fields)
}

fn costs(usage: reranker::Usage, timing: Timing) -> Result<Object, JsValue> {
    let costs = encode(&UsageAndTiming {
        usage: Usage {
            tokens: usage.tokens,
            batches: usage.batches,
            padded_tokens: usage.padded_tokens,
            passages: usage.passages,
        },
        timing,
    })?;
    Ok(costs.into())
}

fn with_fields(object: Object, fields: &[(&str, JsValue)]) -> Result<JsValue, JsValue> {
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value)?;
    }
    Ok(object.into())
}

/// Milliseconds on the host's steady clock, in windows and workers alike.
fn now() -> f64 {
    Reflect::get(&js_sys::global(), &"performance".into())
        .ok()
        .and_then(|clock| clock.dyn_into::<web_sys::Performance>().ok())
        .map_or_else(js_sys::Date::now, |clock| clock.now())
}
