//! `foliorank eval`: first stages and rerankers on judged data, as a table, run files and a report.
//!
//! Every combination asked for is a row. Answers and vectors are kept in the output folder, so a stopped
//! evaluation goes on where it was, and another fusion costs nothing.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use foliorank::metrics::Gain;
use foliorank::retrieval::Fusion;
use foliorank::retrieval::bm25::Parameters;
use foliorank::strategy::{Need, Strategy};

mod answers;
mod beir;
mod bootstrap;
mod dataset;
mod first_stage;
mod html;
mod judge;
mod rankify;
mod report;
mod sparse;
mod t2ranking;
mod trec;
mod trial;
mod vectors;

use answers::Answers;
use dataset::{Dataset, Part};
use first_stage::{Candidates, Embed, Encoders, FirstStage, Search, Terms};
pub(crate) use judge::run;
use trial::{Label, Rerank, Spent, Trial};
use vectors::KeptVectors;

/// Arguments of `foliorank eval`.
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// BEIR or T2Ranking folders, or Rankify files.
    #[arg(long, required = true, value_delimiter = ',', value_name = "PATH")]
    data: Vec<PathBuf>,
    /// Part of the data to evaluate on.
    #[arg(long, default_value = "test")]
    split: String,
    /// Evaluate on this many queries, spread evenly over the part.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    queries: Option<u32>,
    /// Lowest grade that counts as relevant to MRR and recall; T2Ranking has 2, the others 1.
    #[arg(long, value_name = "GRADE", value_parser = clap::value_parser!(u32).range(1..))]
    relevant_from: Option<u32>,
    /// What a grade is worth to nDCG.
    #[arg(long, value_enum, default_value_t = GainKind::Linear)]
    gain: GainKind,
    /// Where candidates come from.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "bm25")]
    first_stage: Vec<FirstStage>,
    /// Candidates a query.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// How BM25 cuts text into terms.
    #[arg(long, value_enum, default_value_t = Terms::English)]
    terms: Terms,
    /// BM25: how soon a repeated term stops counting.
    #[arg(long, default_value_t = Parameters::default().k1)]
    k1: f32,
    /// BM25: how much a document's length counts against it.
    #[arg(long, default_value_t = Parameters::default().b)]
    b: f32,
    /// Rerank with these models, by name or folder; the first stage alone is always a row.
    #[arg(long, value_delimiter = ',', value_name = "MODEL")]
    model: Vec<String>,
    /// Gives vectors to the first stages dense and hybrid, by name or folder.
    #[arg(long, value_name = "MODEL")]
    embedder: Option<String>,
    /// Gives weights to the first stage sparse, by name or folder.
    #[arg(long, value_name = "MODEL")]
    sparse_encoder: Option<String>,
    /// How to ask a model, as in prp-heapsort:k=10; may be given more than once.
    #[arg(long, default_value = "pointwise", value_name = "STRATEGY")]
    strategy: Vec<Asking>,
    /// How to mix a reranking with the first stage: none, z:ALPHA, minmax:ALPHA, rrf, logrank.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "none",
        value_name = "FUSION"
    )]
    fuse: Vec<Fuse>,
    /// Folder for table.md, report.html, run files, CSVs, and what was computed.
    #[arg(long, default_value = "eval", value_name = "FOLDER")]
    out: PathBuf,
}

/// [`Gain`], as an argument.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum GainKind {
    /// The grade.
    Linear,
    /// 2^grade - 1.
    Exponential,
}

/// A strategy that a local model can be asked with, as it was written.
#[derive(Debug, Clone)]
struct Asking {
    text: String,
    strategy: Strategy,
}

impl std::str::FromStr for Asking {
    type Err = foliorank::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let strategy = Strategy::parse(text)?;
        let is_judges =
            |need: &Need| matches!(need, Need::Pointwise | Need::Pairwise | Need::Listwise);
        let needs = strategy.describe().needs;
        if !needs.iter().all(is_judges) {
            return Err(foliorank::Error::InvalidArgument {
                argument: "strategy",
                expected: "one that needs a judge only".into(),
                found: format!("{text}, which needs {needs:?}"),
            });
        }
        let text = text.to_owned();
        Ok(Self { text, strategy })
    }
}

/// A fusion or none.
#[derive(Debug, Clone, Copy)]
struct Fuse(Option<Fusion>);

impl std::str::FromStr for Fuse {
    type Err = foliorank::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(None)),
            text => text.parse().map(|fusion| Self(Some(fusion))),
        }
    }
}

impl EvalArgs {
    fn gain(&self) -> Gain {
        match self.gain {
            GainKind::Linear => Gain::Linear,
            GainKind::Exponential => Gain::Exponential,
        }
    }

    fn search(&self) -> Search {
        let parameters = Parameters {
            k1: self.k1,
            b: self.b,
        };
        Search {
            top: self.top as usize,
            terms: self.terms,
            parameters,
        }
    }
}

/// Evaluates everything asked for with these rerankers, writes the output folder and gives the table.
fn evaluate(
    arguments: &EvalArgs,
    rerankers: &[Box<dyn Rerank>],
    encoders: Encoders<'_>,
) -> Result<String> {
    let folder = &arguments.out;
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let mut answers = Answers::open(&folder.join("answers.jsonl"))?;
    let embedder = (encoders.embedder)
        .map(|embedder| KeptVectors::open(embedder, folder))
        .transpose()?;
    let encoders = Encoders {
        embedder: embedder.as_ref().map(|embedder| embedder as &dyn Embed),
        ..encoders
    };
    let part = Part {
        split: arguments.split.clone(),
        queries: arguments.queries.map(|queries| queries as usize),
        relevant_from: arguments.relevant_from,
    };
    let mut trials: Vec<(usize, Trial)> = Vec::new();
    let mut datasets: Vec<Dataset> = Vec::new();
    for path in &arguments.data {
        let dataset = Dataset::read(path, &part)?;
        if datasets.iter().any(|known| known.name == dataset.name) {
            bail!("two data sets are called {}; rename one", dataset.name);
        }
        eprintln!(
            "{}: {} documents, {} queries, {} more without a relevant document",
            dataset.name,
            dataset.documents.len(),
            dataset.queries.len(),
            dataset.unjudged
        );
        let stages = first_stages(arguments, &dataset, encoders)?;
        for trial in on_dataset(arguments, &dataset, &stages, rerankers, &mut answers)? {
            trials.push((datasets.len(), trial));
        }
        datasets.push(dataset);
    }
    let (places, trials): (Vec<usize>, Vec<Trial>) = trials.into_iter().unzip();
    let (gain, top) = (arguments.gain(), arguments.top as usize);
    let rows = report::rows(&trials, gain, top);
    for (row, place) in rows.iter().zip(places) {
        report::write(folder, &datasets[place], row, gain, top)?;
    }
    let table = report::markdown(&rows, top);
    let write = |name: &str, text: &str| {
        let file: &Path = &folder.join(name);
        fs::write(file, text).with_context(|| format!("writing {}", file.display()))
    };
    write("table.md", &table)?;
    write("report.html", &html::page(&rows, top))?;
    Ok(table)
}

/// Each first stage asked for, with its candidates.
fn first_stages(
    arguments: &EvalArgs,
    dataset: &Dataset,
    encoders: Encoders<'_>,
) -> Result<Vec<(FirstStage, Candidates)>> {
    let search = arguments.search();
    let mut found = Vec::new();
    for stage in &arguments.first_stage {
        let candidates = stage.search(dataset, search, encoders, &found)?;
        found.push((*stage, candidates));
    }
    Ok(found)
}

fn on_dataset(
    arguments: &EvalArgs,
    dataset: &Dataset,
    stages: &[(FirstStage, Candidates)],
    rerankers: &[Box<dyn Rerank>],
    answers: &mut Answers,
) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for (first_stage, candidates) in stages {
        let label = |reranker: &str, fuse: &str| Label {
            dataset: dataset.name.clone(),
            first_stage: first_stage.to_string(),
            reranker: reranker.to_owned(),
            fuse: fuse.to_owned(),
        };
        let spent = Spent {
            seconds: candidates.seconds,
            ..Spent::default()
        };
        let (first, none) = (candidates.hits.clone(), label("none", "none"));
        trials.push(Trial::new(dataset, none, first, spent));
        for reranker in rerankers {
            let (rankings, spent) = trial::rerank(dataset, candidates, &**reranker, answers)?;
            for fuse in &arguments.fuse {
                let (name, rankings) = match fuse.0 {
                    None => ("none".to_owned(), rankings.clone()),
                    Some(fusion) => {
                        let fused = trial::fuse(fusion, &candidates.hits, &rankings);
                        (fusion.to_string(), fused)
                    }
                };
                let label = label(reranker.name(), &name);
                trials.push(Trial::new(dataset, label, rankings, spent));
            }
        }
    }
    Ok(trials)
}

#[cfg(test)]
#[path = "eval/test.rs"]
mod tests;
