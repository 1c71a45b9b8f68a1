//! First stages: the candidates of every query, and how fast they were found.

use std::fmt;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use foliorank::retrieval::bm25::Parameters;
use foliorank::retrieval::{Analysis, Bm25, Hit};

use super::dataset::Dataset;

/// The first stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FirstStage {
    /// BM25 over all documents.
    Bm25,
    /// What the data set's own retriever found (Rankify).
    Given,
}

/// How text becomes terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Terms {
    /// English stems, stop words left out.
    English,
    /// Words as they stand.
    Words,
}

/// How to find candidates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search {
    /// Candidates a query.
    pub(crate) top: usize,
    pub(crate) terms: Terms,
    pub(crate) parameters: Parameters,
}

/// Candidates of each query, in the order of the data set's.
#[derive(Debug)]
pub(crate) struct Candidates {
    /// What was done, with everything that changes the candidates.
    pub(crate) label: String,
    pub(crate) hits: Vec<Vec<Hit>>,
    /// Time for all queries; `None` when nothing was searched.
    pub(crate) seconds: Option<f64>,
}

impl FirstStage {
    /// Finds the candidates of every query.
    pub(crate) fn search(self, dataset: &Dataset, search: Search) -> Result<Candidates> {
        match self {
            Self::Bm25 => bm25(dataset, search),
            Self::Given => given(dataset, search),
        }
    }
}

impl fmt::Display for FirstStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bm25 => "bm25",
            Self::Given => "given",
        })
    }
}

fn bm25(dataset: &Dataset, search: Search) -> Result<Candidates> {
    let analysis = match search.terms {
        Terms::English => Analysis::ENGLISH,
        Terms::Words => Analysis::default(),
    };
    let mut index = Bm25::new(analysis, search.parameters)?;
    for document in &dataset.documents {
        index.add(&document.text)?;
    }
    let started = Instant::now();
    let queries = dataset.queries.iter();
    let hits = queries.map(|query| index.search(&query.text, search.top));
    let hits: Vec<_> = hits.collect();
    let Parameters { k1, b } = search.parameters;
    Ok(Candidates {
        label: format!("bm25 k1 {k1} b {b} {analysis}, top {}", search.top),
        hits,
        seconds: Some(started.elapsed().as_secs_f64()),
    })
}

fn given(dataset: &Dataset, search: Search) -> Result<Candidates> {
    let queries = dataset.queries.iter();
    let hits = queries.map(|query| query.given.iter().take(search.top).copied().collect());
    let hits: Vec<Vec<Hit>> = hits.collect();
    ensure!(
        hits.iter().any(|hits| !hits.is_empty()),
        "{} brings no first stage of its own; use --first-stage bm25",
        dataset.name
    );
    Ok(Candidates {
        label: format!("given, top {}", search.top),
        hits,
        seconds: None,
    })
}
