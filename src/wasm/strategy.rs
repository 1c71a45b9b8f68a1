//! Strategies for JavaScript: what there is, a run of one, and the fusion with the first stage.

use js_sys::{Float32Array, Object, Reflect, Uint32Array};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::host::{Host, Page, PageEmbedder, PageImages, PageJudge, PageLlm, TextKind};
use super::{decode, encode, into_js};
use crate::error::Error;
use crate::retrieval::{Fusion, Hit};
use crate::strategy::{
    AnyJudge, Cost, Description, Extras, Limits, Need, Outcome, Progress, Prune, Ranked, Seams,
    Strategy, Task, Vectors, Warning, rank,
};

/// Every strategy with its family, cost, needs and options.
///
/// # Errors
/// `internal` only.
#[wasm_bindgen]
pub fn strategies() -> Result<JsValue, JsValue> {
    let all: Vec<Description> = (Strategy::all().iter()).map(Strategy::describe).collect();
    encode(&all)
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct StrategyOptions {
    /// Name and options, as in `prp-sliding:k=3`.
    strategy: String,
    first_stage: Option<Vec<f32>>,
    top_n: Option<usize>,
    prune: Option<PruneOptions>,
    excerpt: Option<usize>,
    limits: LimitOptions,
    /// Scores of anchor queries, a row each.
    anchors: Option<Vec<Vec<f32>>>,
    judge: JudgeOptions,
    /// Whether the page answers `llm`.
    llm: bool,
    /// Whether the page answers `embed`.
    embedder: bool,
    /// Whether the page answers `grid`.
    pages: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PruneOptions {
    k: usize,
    alpha: f32,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct LimitOptions {
    judgements: Option<usize>,
    calls: Option<usize>,
    tokens: Option<u64>,
    answer_tokens: Option<u32>,
    parallel: Option<usize>,
}

/// Who judges.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct JudgeOptions {
    /// Documents that one group may hold.
    max_group: usize,
    /// Whether a language model, where there is one, judges in its place.
    gives_way: bool,
}

impl Default for JudgeOptions {
    fn default() -> Self {
        Self {
            max_group: 1,
            gives_way: true,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    name: &'static str,
    ranking: &'a [Ranked],
    #[serde(flatten)]
    cost: Cost,
    judged: usize,
    warnings: Vec<Told<'a>>,
    conflict_rate: Option<f32>,
    #[serde(flatten)]
    extras: &'a Extras,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    warning: &'a Warning,
    message: String,
}

/// Ranks `documents` with a strategy; `host` answers what it asks.
///
/// # Errors
/// As `Strategy::run`; what the page throws.
#[wasm_bindgen(js_name = runStrategy)]
pub async fn run_strategy(
    query: String,
    documents: Vec<String>,
    options: JsValue,
    host: Host,
) -> Result<JsValue, JsValue> {
    let page = Page::new(host);
    let run = async {
        let options: StrategyOptions = decode(options)?;
        let strategy = Strategy::parse(&options.strategy)?;
        let outcome = run(&strategy, &query, &documents, &options, &page).await?;
        Ok((strategy, outcome))
    };
    let (strategy, outcome) = run.await.map_err(|error| page.error(error))?;
    encode(&Report {
        name: strategy.describe().name,
        ranking: &outcome.ranking,
        cost: outcome.cost,
        judged: outcome.judged,
        warnings: (outcome.warnings.iter())
            .map(|warning| Told {
                warning,
                message: warning.to_string(),
            })
            .collect(),
        conflict_rate: outcome.extras.conflict_rate(),
        extras: &outcome.extras,
    })
}

async fn run(
    strategy: &Strategy,
    query: &str,
    documents: &[String],
    options: &StrategyOptions,
    page: &Page,
) -> Result<Outcome, Error> {
    let needs = strategy.describe().needs;
    let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
    let (llm, embedder) = (PageLlm { page, kind: "llm" }, PageEmbedder { page });
    let judge = PageJudge {
        page,
        max_group: options.judge.max_group,
    };
    let pages = PageImages { page };
    let is_llms = options.llm && options.judge.gives_way && !needs.contains(&Need::Llm);
    let anchors: Option<Vec<&[f32]>> =
        (options.anchors.as_ref()).map(|rows| rows.iter().map(Vec::as_slice).collect());
    let mut vectors = (Vec::new(), Vec::new());
    if options.embedder && needs.contains(&Need::Vectors) && !documents.is_empty() {
        vectors.0 = embedder.embed(&[query], TextKind::Query).await?;
        vectors.1 = embedder.embed(&documents, TextKind::Document).await?;
    }
    let width = vectors.0.len();
    let rows: Vec<&[f32]> = vectors.1.chunks(width.max(1)).collect();
    let seams = Seams {
        judge: (!is_llms).then_some(&judge as &dyn AnyJudge),
        llm: if options.llm { Some(&llm) } else { None },
        embedder: if options.embedder {
            Some(&embedder)
        } else {
            None
        },
        vectors: (width > 0).then_some(Vectors {
            query: &vectors.0,
            documents: &rows,
        }),
        pages: if options.pages { Some(&pages) } else { None },
        anchors: anchors.as_deref(),
        ..Seams::default()
    };
    let limits = &options.limits;
    let task = Task {
        query,
        documents: &documents,
        first_stage: options.first_stage.as_deref(),
        top_n: options.top_n,
        prune: (options.prune.as_ref()).map(|&PruneOptions { k, alpha }| Prune { k, alpha }),
        excerpt: options.excerpt,
        limits: Limits {
            judgements: limits.judgements,
            calls: limits.calls,
            tokens: limits.tokens,
            answer_tokens: limits.answer_tokens,
            parallel: limits.parallel,
        },
    };
    let observe = async |progress: Progress| page.observe(&progress).await;
    strategy.run(&task, &seams, observe).await
}

/// A ranking (`order` best first, with its `scores`) fused with the first stage's scores of all
/// documents: `{ order, scores }`. The first stage is the first ranking, whose share alpha is.
///
/// # Errors
/// `invalid_argument` for a fusion there is not, or scores that are not numbers.
#[wasm_bindgen]
pub fn fuse(
    fusion: &str,
    first_stage: Vec<f32>,
    order: Vec<u32>,
    scores: Vec<f32>,
) -> Result<JsValue, JsValue> {
    let fused = || -> Result<Vec<Hit>, Error> {
        let fusion: Fusion = fusion.parse()?;
        if let Some(index) = first_stage.iter().position(|score| !score.is_finite()) {
            let found = format!("{} for document {index}", first_stage[index]);
            return Err(Error::argument("firstStage", "finite scores", found));
        }
        let first: Vec<Hit> = (rank(&first_stage, None)?.iter())
            .map(|ranked| Hit {
                document: ranked.index as u32,
                score: ranked.score,
            })
            .collect();
        let second: Vec<Hit> = (order.iter().zip(&scores))
            .map(|(&document, &score)| Hit { document, score })
            .collect();
        Ok(fusion.fuse(&first, &second))
    };
    hits(&fused().map_err(into_js)?)
}

/// Hits as `{ order, scores }`.
pub(super) fn hits(hits: &[Hit]) -> Result<JsValue, JsValue> {
    let order: Vec<u32> = hits.iter().map(|hit| hit.document).collect();
    let scores: Vec<f32> = hits.iter().map(|hit| hit.score).collect();
    let object = Object::new();
    Reflect::set(&object, &"order".into(), &Uint32Array::from(&order[..]))?;
    Reflect::set(&object, &"scores".into(), &Float32Array::from(&scores[..]))?;
    Ok(object.into())
}
