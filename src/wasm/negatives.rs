//! Hard negatives for JavaScript: a run on one page, and groups to files and back.
//!
//! The page answers for the models and keeps the answers paid for. Spans cross as UTF-16 code units.

use js_sys::Reflect;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::host::{Expected, Host, MadeImage, Page, PageJudge, PageLlm};
use super::{decode, encode};
use crate::error::Error;
use crate::llm::LlmAnswer;
use crate::negatives::{
    AmongPages, Budget, Cache, Funnel, Job, Layout, Ledger, LlmUsage, Outcome, Prices, Progress,
    Seams, Seat, Settings, TrainingGroup, discrimination, export, generate, generate_by_rules,
    import,
};
use crate::page::utf16;
use crate::retrieval::bm25::Parameters;
use crate::retrieval::{Analysis, Bm25};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RunOptions {
    /// Its name.
    id: String,
    text: String,
    /// As the variant `images` has prepared it.
    image: Option<MadeImage>,
    /// Other pages that a positive must not belong to.
    others: Vec<String>,
    /// Positives that exist already.
    positives: Vec<String>,
    /// Now, RFC 3339.
    time: String,
    /// Who writes; nobody: by rules.
    generator: Option<Named>,
    /// Who verifies, if not who writes.
    verifier: Option<Named>,
    settings: Settings,
    limits: LimitOptions,
    /// Whether the page keeps answers.
    cache: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Named {
    provider: String,
    model: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct LimitOptions {
    calls: Option<u64>,
    tokens: Option<u64>,
    cost: Option<f64>,
    price_in: f64,
    price_out: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    groups: Vec<TrainingGroup>,
    funnel: Funnel,
    usage: Usage,
    discrimination: Option<f32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    calls: u64,
    cached: u64,
    repairs: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    stage: crate::negatives::Stage,
    done: usize,
    total: usize,
    usage: Usage,
    funnel: Funnel,
}

impl Usage {
    fn new(usage: LlmUsage, cost: f64) -> Self {
        Self {
            calls: usage.calls,
            cached: usage.cached,
            repairs: usage.repairs,
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cost,
        }
    }
}

/// Makes training groups of a page; `host` answers what it asks.
///
/// The result has `stopped`, an error, when it ended early with what was finished until then.
///
/// # Errors
/// `invalid_argument`.
#[wasm_bindgen(js_name = generateNegatives)]
pub async fn generate_negatives(options: JsValue, host: Host) -> Result<JsValue, JsValue> {
    let page = Page::new(host);
    let run = async {
        let options: RunOptions = decode(options)?;
        run(options, &page).await
    };
    let (outcome, cost) = run.await.map_err(|error| page.error(error))?;
    let mut groups = outcome.groups;
    let discrimination = discrimination(&groups);
    groups.iter_mut().for_each(to_utf16);
    let result = encode(&Made {
        groups,
        funnel: outcome.funnel,
        usage: Usage::new(outcome.usage, cost),
        discrimination,
    })?;
    if let Some(error) = outcome.stopped {
        Reflect::set(&result, &"stopped".into(), &page.error(error))?;
    }
    Ok(result)
}

async fn run(options: RunOptions, page: &Page) -> Result<(Outcome, f64), Error> {
    let RunOptions {
        settings, limits, ..
    } = options;
    let ledger = Ledger::new(Budget {
        calls: limits.calls,
        tokens: limits.tokens,
        cost: limits.cost,
        prices: Prices {
            input: limits.price_in,
            output: limits.price_out,
        },
    });
    let observe = async |progress: Progress| {
        let told = Told {
            stage: progress.stage,
            done: progress.done,
            total: progress.total,
            usage: Usage::new(progress.usage, ledger.cost()),
            funnel: progress.funnel,
        };
        page.observe(&told).await
    };
    let image = options.image.map(MadeImage::read).transpose()?;
    let job = Job {
        page: crate::negatives::Page {
            image: image.as_ref().map(|_| options.id.clone()),
            id: options.id,
            text: options.text,
        },
        image,
        positives: options.positives,
        time: options.time,
    };
    let judge = PageJudge { page, max_group: 1 };
    let outcome = match &options.generator {
        None => generate_by_rules(&job, &judge, &settings, observe).await?,
        Some(generator) => {
            let (llm, other) = (
                PageLlm { page, kind: "llm" },
                PageLlm {
                    page,
                    kind: "verifier",
                },
            );
            let verifier = options.verifier.as_ref();
            let (checker, named) = verifier.map_or((&llm, generator), |named| (&other, named));
            let mut index = Bm25::new(Analysis::ENGLISH, Parameters::default())?;
            index.add(&job.page.text)?;
            for other in &options.others {
                index.add(other)?;
            }
            let seams = Seams {
                generator: seat(&llm, generator),
                verifier: seat(checker, named),
                judge: &judge,
                consistency: &AmongPages {
                    index: &index,
                    document: 0,
                    within: settings.consistent_within,
                },
                cache: &PageCache {
                    page,
                    keeps: options.cache,
                },
                ledger: &ledger,
            };
            generate(&job, &seams, &settings, observe).await?
        }
    };
    Ok((outcome, ledger.cost()))
}

fn seat<'a, 'b>(llm: &'a PageLlm<'b>, named: &'a Named) -> Seat<'a, PageLlm<'b>> {
    Seat {
        llm,
        provider: &named.provider,
        model: &named.model,
    }
}

/// The page's store of answers.
struct PageCache<'a> {
    page: &'a Page,
    keeps: bool,
}

#[derive(Serialize)]
struct Key<'a> {
    key: &'a str,
}

#[derive(Serialize)]
struct Entry<'a> {
    key: &'a str,
    answer: Kept,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    text: String,
    input_tokens: u64,
    output_tokens: u64,
}

impl Cache for PageCache<'_> {
    async fn get(&self, key: &str) -> Result<Option<LlmAnswer>, Error> {
        if !self.keeps {
            return Ok(None);
        }
        let expected = Expected {
            kind: "cached",
            what: "an answer that was kept, or null",
        };
        let kept: Option<Kept> = self.page.ask_for(expected, &Key { key }).await?;
        Ok(kept.map(|kept| LlmAnswer {
            text: kept.text,
            input_tokens: kept.input_tokens,
            output_tokens: kept.output_tokens,
        }))
    }

    async fn put(&self, key: &str, answer: &LlmAnswer) -> Result<(), Error> {
        if !self.keeps {
            return Ok(());
        }
        let answer = Kept {
            text: answer.text.clone(),
            input_tokens: answer.input_tokens,
            output_tokens: answer.output_tokens,
        };
        self.page.ask("keep", &Entry { key, answer }).await?;
        Ok(())
    }
}

/// Groups as JSONL. `layout`: groups, triplets or colhnque.
///
/// # Errors
/// `invalid_argument`.
#[wasm_bindgen(js_name = exportGroups)]
pub fn export_groups(groups: JsValue, layout: &str) -> Result<String, JsValue> {
    let text = || -> Result<String, Error> {
        let mut groups: Vec<TrainingGroup> = decode(groups)?;
        groups.iter_mut().for_each(to_bytes);
        export(&groups, layout_of(layout)?)
    };
    text().map_err(super::into_js)
}

/// Groups from JSONL.
///
/// # Errors
/// `invalid_argument` that names the line.
#[wasm_bindgen(js_name = importGroups)]
pub fn import_groups(text: &str, layout: &str) -> Result<JsValue, JsValue> {
    let groups = || -> Result<Vec<TrainingGroup>, Error> {
        let mut groups = import(text, layout_of(layout)?)?;
        groups.iter_mut().for_each(to_utf16);
        Ok(groups)
    };
    encode(&groups().map_err(super::into_js)?)
}

fn layout_of(name: &str) -> Result<Layout, Error> {
    match name {
        "groups" => Ok(Layout::Groups),
        "triplets" => Ok(Layout::Triplets),
        "colhnque" => Ok(Layout::ColHnQue),
        other => {
            let expected = "groups, triplets or colhnque";
            Err(Error::argument("format", expected, format!("\"{other}\"")))
        }
    }
}

fn to_utf16(group: &mut TrainingGroup) {
    let text = &group.page.text;
    let span = group.positive.span.take();
    let span = span.filter(|span| text.get(span.clone()).is_some());
    group.positive.span = span.map(|span| utf16(text, &span));
}

fn to_bytes(group: &mut TrainingGroup) {
    let mut units = 0;
    let mut bytes = std::collections::HashMap::new();
    for (at, c) in group.page.text.char_indices() {
        bytes.insert(units, at);
        units += c.len_utf16();
    }
    bytes.insert(units, group.page.text.len());
    let at = |unit: usize| bytes.get(&unit).copied();
    let span = group.positive.span.take();
    group.positive.span = span.and_then(|span| Some(at(span.start)?..at(span.end)?));
}
