//! `foliorank rerank`: files for one query, or JSON Lines requests for many.
//!
//! A request is `{"query": …, "documents": [text, …]}`; its answer is one line with `results`
//! (index, score, passage as byte span) and `usage`, in the order of the requests.

use std::fs;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use foliorank::page::Windows;
use foliorank::{DeviceKind, Manifest, Options, Ranking, Reranker, Scores};
use serde::Deserialize;
use serde_json::json;

/// Arguments of `foliorank rerank`.
#[derive(Debug, Args)]
pub(crate) struct RerankArgs {
    /// Name of a model in the cache, or a folder with a model.json.
    #[arg(long, default_value = "ms-marco-minilm-l12-v2")]
    model: String,
    /// Where the model runs: cpu, or webgpu (Vulkan, Metal or DX12 here).
    #[arg(long, default_value = "cpu")]
    device: DeviceKind,
    /// What to rank for; without it requests are read from standard input.
    #[arg(long, short)]
    query: Option<String>,
    /// Text files to rank, each one document.
    files: Vec<PathBuf>,
    /// Keep the best N.
    #[arg(long, value_name = "N")]
    top_n: Option<usize>,
    /// Give the model's own numbers instead of 0..1.
    #[arg(long)]
    raw_scores: bool,
    /// Read at most this many tokens of each document.
    #[arg(long, value_name = "TOKENS")]
    max_tokens_per_document: Option<usize>,
    /// Tokens in a window of a document that does not fit.
    #[arg(long, value_name = "TOKENS", default_value_t = Windows::default().size)]
    window: usize,
    /// Tokens that a window shares with the one before it.
    #[arg(long, value_name = "TOKENS", default_value_t = Windows::default().overlap)]
    overlap: usize,
    /// One JSON line for each query.
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    query: String,
    documents: Vec<String>,
}

pub(crate) fn run(arguments: &RerankArgs) -> Result<()> {
    let reranker = pollster::block_on(load(&arguments.model, arguments.device))?;
    let mut out = std::io::stdout().lock();
    let Some(query) = &arguments.query else {
        return answer_requests(&reranker, arguments, &mut out);
    };
    if arguments.files.is_empty() {
        bail!("name the files to rank, or leave out --query and give requests on standard input");
    }
    let documents = (arguments.files.iter())
        .map(|file| {
            let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        })
        .collect::<Result<Vec<String>>>()?;
    let ranking = rank(&reranker, query, &documents, arguments)?;
    if arguments.json {
        return write_json(&ranking, &mut out);
    }
    for (rank, result) in ranking.results.iter().enumerate() {
        let file = arguments.files[result.index].display();
        let passage = &documents[result.index][result.passage.clone()];
        let start: String = passage.split_whitespace().collect::<Vec<_>>().join(" ");
        let start: String = start.chars().take(100).collect();
        writeln!(
            out,
            "{:>3}  {:>8.4}  {file}\n     {start}",
            rank + 1,
            result.score
        )?;
    }
    Ok(())
}

fn answer_requests(
    reranker: &Reranker,
    arguments: &RerankArgs,
    out: &mut impl Write,
) -> Result<()> {
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let request: Request = serde_json::from_str(&line)
            .with_context(|| format!("standard input, line {}", number + 1))?;
        let ranking = rank(reranker, &request.query, &request.documents, arguments)?;
        write_json(&ranking, out)?;
    }
    Ok(())
}

fn write_json(ranking: &Ranking, out: &mut impl Write) -> Result<()> {
    let results: Vec<_> = (ranking.results.iter())
        .map(|result| {
            let passage = [result.passage.start, result.passage.end];
            json!({"index": result.index, "score": result.score, "passage": passage})
        })
        .collect();
    let usage = ranking.usage;
    let line = json!({"results": results, "usage": {
        "tokens": usage.tokens, "batches": usage.batches,
        "padded_tokens": usage.padded_tokens, "passages": usage.passages}});
    Ok(writeln!(out, "{line}")?)
}

fn rank(
    reranker: &Reranker,
    query: &str,
    documents: &[String],
    arguments: &RerankArgs,
) -> Result<Ranking> {
    let options = Options {
        top_n: arguments.top_n,
        scores: if arguments.raw_scores {
            Scores::Raw
        } else {
            Scores::Relevance
        },
        max_tokens_per_document: arguments.max_tokens_per_document,
        windows: Windows {
            size: arguments.window,
            overlap: arguments.overlap,
        },
        share: None,
    };
    let ranking = reranker.rerank(query, documents, &options, async |_| Ok(()));
    Ok(pollster::block_on(ranking)?)
}

/// A model by name or folder, self-tested on the device.
pub(crate) async fn load(model: &str, device: DeviceKind) -> Result<Reranker> {
    let folder = if Path::new(model).join("model.json").exists() {
        PathBuf::from(model)
    } else {
        crate::models::cache_folder()?.join("models").join(model)
    };
    let read = |name: &str| {
        let file = folder.join(name);
        fs::read(&file).with_context(|| {
            format!(
                "reading {}; `foliorank models {model}` fetches it",
                file.display()
            )
        })
    };
    let manifest = Manifest::from_json(&String::from_utf8(read("model.json")?)?)?;
    let tokenizer = read(&manifest.files.tokenizer.path)?;
    let weights = read(&manifest.files.weights.path)?;
    let reranker = Reranker::from_parts(manifest, &tokenizer, weights, device).await?;
    reranker.self_test().await?;
    Ok(reranker)
}
