//! First stages: the candidates of every query, and how fast they were found.
//!
//! Encoders are seams, so that this file knows no network.

use std::fmt;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use foliorank::reranker::TextKind;
use foliorank::retrieval::bm25::Parameters;
use foliorank::retrieval::{Analysis, Bm25, Dense, Fusion, Hit, Precision, Sparse};

use super::dataset::Dataset;
use crate::progress::Progress;

/// Documents embedded between two lines of progress.
pub(super) const PORTION: usize = 64;

/// What reads texts alone.
pub(crate) trait Encoder {
    /// Name for the table.
    fn name(&self) -> &str;

    /// Everything that changes what it gives: model, weights.
    fn settings(&self) -> String;
}

/// Turns texts into vectors.
pub(crate) trait Embed: Encoder {
    /// A vector a text.
    fn embed(&self, texts: &[&str], kind: TextKind) -> Result<Vec<Vec<f32>>>;
}

/// What the first stages may ask.
#[derive(Clone, Copy, Default)]
pub(crate) struct Encoders<'a> {
    pub(crate) embedder: Option<&'a dyn Embed>,
    pub(crate) sparse: Option<&'a dyn SparseIndex>,
}

/// Documents as weights of word pieces, in an index.
pub(crate) trait SparseIndex {
    /// Name for the table.
    fn name(&self) -> &str;

    /// All documents, in their order.
    fn index(&self, dataset: &Dataset) -> Result<Sparse>;

    /// A query's weights.
    fn query(&self, text: &str) -> Result<Vec<(u32, f32)>>;
}

/// The first stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FirstStage {
    /// BM25 over all documents.
    Bm25,
    /// Vectors of all documents, by the embedder.
    Dense,
    /// Weights of word pieces, by the sparse encoder.
    Sparse,
    /// BM25 and dense by reciprocal ranks.
    Hybrid,
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
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    /// What was done, with everything that changes the candidates.
    pub(crate) label: String,
    pub(crate) hits: Vec<Vec<Hit>>,
    /// Time for all queries; `None` when nothing was searched.
    pub(crate) seconds: Option<f64>,
}

impl FirstStage {
    /// Finds the candidates of every query; `found` before are not looked for again.
    pub(crate) fn search(
        self,
        dataset: &Dataset,
        search: Search,
        encoders: Encoders<'_>,
        found: &[(Self, Candidates)],
    ) -> Result<Candidates> {
        if let Some((_, known)) = found.iter().find(|(stage, _)| *stage == self) {
            return Ok(known.clone());
        }
        let side = |stage: Self| stage.search(dataset, search, encoders, found);
        let embedder =
            || (encoders.embedder).context("dense and hybrid need vectors: add --embedder MODEL");
        let needs_sparse = "sparse needs weights: add --sparse-encoder MODEL";
        match self {
            Self::Bm25 => bm25(dataset, search),
            Self::Dense => dense(dataset, search, embedder()?),
            Self::Sparse => sparse(dataset, search, encoders.sparse.context(needs_sparse)?),
            Self::Hybrid => Ok(hybrid(search, &side(Self::Bm25)?, &side(Self::Dense)?)),
            Self::Given => given(dataset, search),
        }
    }
}

impl fmt::Display for FirstStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bm25 => "bm25",
            Self::Dense => "dense",
            Self::Sparse => "sparse",
            Self::Hybrid => "hybrid",
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

fn dense(dataset: &Dataset, search: Search, embedder: &dyn Embed) -> Result<Candidates> {
    let what = format!("{} embedded by {}", dataset.name, embedder.name());
    let mut progress = Progress::new(what, "portions", dataset.documents.len().div_ceil(PORTION));
    let mut index: Option<Dense> = None;
    for portion in dataset.documents.chunks(PORTION) {
        let texts: Vec<&str> = portion.iter().map(|document| &*document.text).collect();
        for vector in embedder.embed(&texts, TextKind::Document)? {
            let index = match &mut index {
                Some(index) => index,
                None => index.insert(Dense::new(vector.len(), Precision::F32)?),
            };
            index.add(&vector)?;
        }
        progress.step();
    }
    let index = index.context("there are no documents to embed")?;
    let started = Instant::now();
    let mut hits = Vec::with_capacity(dataset.queries.len());
    for query in &dataset.queries {
        let vectors = embedder.embed(&[&query.text], TextKind::Query)?;
        let vector = vectors.first().context("the embedder gave no vector")?;
        hits.push(index.search(vector, search.top)?);
    }
    Ok(Candidates {
        label: format!("dense {}, top {}", embedder.name(), search.top),
        hits,
        seconds: Some(started.elapsed().as_secs_f64()),
    })
}

fn sparse(dataset: &Dataset, search: Search, encoder: &dyn SparseIndex) -> Result<Candidates> {
    let index = encoder.index(dataset)?;
    let started = Instant::now();
    let queries = dataset.queries.iter();
    let hits = queries.map(|query| Ok(index.search(&encoder.query(&query.text)?, search.top)?));
    let hits = hits.collect::<Result<_>>()?;
    Ok(Candidates {
        label: format!("sparse {}, top {}", encoder.name(), search.top),
        hits,
        seconds: Some(started.elapsed().as_secs_f64()),
    })
}

fn hybrid(search: Search, words: &Candidates, vectors: &Candidates) -> Candidates {
    let fusion = Fusion::ReciprocalRank { k: 60.0 };
    let pairs = words.hits.iter().zip(&vectors.hits);
    let hits = pairs.map(|(words, vectors)| {
        let mut fused = fusion.fuse(words, vectors);
        fused.truncate(search.top);
        fused
    });
    Candidates {
        label: format!("{fusion} of {} and {}", words.label, vectors.label),
        hits: hits.collect(),
        seconds: words.seconds.zip(vectors.seconds).map(|(a, b)| a + b),
    }
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
