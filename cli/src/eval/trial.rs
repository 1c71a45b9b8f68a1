//! One row of the table: a first stage, perhaps reranked, perhaps fused, on one data set.
//!
//! The reranker is a seam, so that this file knows no network.

use std::time::Instant;

use anyhow::{Result, ensure};
use foliorank::metrics::{Gain, Judged};
use foliorank::retrieval::{Fusion, Hit};
use foliorank::strategy::Ranked;

use super::answers::{Answer, Answers};
use super::dataset::{Dataset, Query};
use super::first_stage::Candidates;
use crate::progress::Progress;

/// Ranks documents for a query.
pub(crate) trait Rerank {
    /// Name for the table.
    fn name(&self) -> &str;

    /// Everything that changes the answers: model, weights, strategy.
    fn settings(&self) -> String;

    /// All `documents`, best first.
    fn rank(&self, query: &str, documents: &[&str]) -> Result<Reranked>;
}

/// What a reranker gives for a query.
#[derive(Debug, Default)]
pub(crate) struct Reranked {
    pub(crate) ranking: Vec<Ranked>,
    /// Groups put to the judge.
    pub(crate) judgements: usize,
    /// What took no time now because it was known from an earlier row, as it took then.
    pub(crate) known_seconds: f64,
}

/// What a row of the table is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) dataset: String,
    pub(crate) first_stage: String,
    /// `none` for the first stage alone.
    pub(crate) reranker: String,
    pub(crate) fuse: String,
}

/// A row: each query's ranking, and what it cost.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) label: Label,
    /// In the order of the data set's queries.
    pub(crate) rankings: Vec<Vec<Hit>>,
    pub(crate) judged: Vec<Judged>,
    /// Of the last stage.
    pub(crate) spent: Spent,
}

/// What all queries of a row took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// `None` when nothing was computed.
    pub(crate) seconds: Option<f64>,
    /// Groups put to a judge; `None` when there is none.
    pub(crate) judgements: Option<usize>,
}

impl Trial {
    /// A row of rankings that are there.
    pub(crate) fn new(
        dataset: &Dataset,
        label: Label,
        rankings: Vec<Vec<Hit>>,
        spent: Spent,
    ) -> Self {
        let pairs = dataset.queries.iter().zip(&rankings);
        let judged = pairs.map(|(query, hits)| judge(dataset, query, hits));
        Self {
            label,
            judged: judged.collect(),
            rankings,
            spent,
        }
    }

    pub(crate) fn queries_per_second(&self) -> Option<f64> {
        let seconds = self.spent.seconds.filter(|&seconds| seconds > 0.0)?;
        Some(self.judged.len() as f64 / seconds)
    }

    /// For each query.
    pub(crate) fn judgements(&self) -> Option<f64> {
        Some(self.spent.judgements? as f64 / self.judged.len() as f64)
    }

    /// nDCG@10 of each query.
    pub(crate) fn ndcg(&self, gain: Gain) -> Vec<f64> {
        self.judged.iter().map(|j| j.ndcg(10, gain)).collect()
    }

    /// Name of the row's files.
    pub(crate) fn file_name(&self) -> String {
        let Label {
            dataset,
            first_stage,
            reranker,
            fuse,
        } = &self.label;
        let name = format!("{dataset}-{first_stage}-{reranker}-{fuse}");
        let plain = |c: char| {
            if c.is_alphanumeric() || "-.".contains(c) {
                c
            } else {
                '_'
            }
        };
        name.chars().map(plain).collect()
    }
}

fn judge(dataset: &Dataset, query: &Query, hits: &[Hit]) -> Judged {
    let grade = |hit: &Hit| {
        let id = &dataset.documents[hit.document as usize].id;
        query.grades.get(id).copied().unwrap_or(0)
    };
    Judged::new(hits.iter().map(grade), query.grades.values().copied())
        .relevant_from(dataset.relevant_from)
}

/// Reranks the candidates of every query, with answers taken from `answers` where they are known.
/// Gives the rankings and what they took, then or now.
pub(crate) fn rerank(
    dataset: &Dataset,
    candidates: &Candidates,
    reranker: &dyn Rerank,
    answers: &mut Answers,
) -> Result<(Vec<Vec<Hit>>, Spent)> {
    let settings = format!(
        "{}, {} documents; {}; {}",
        dataset.name,
        dataset.documents.len(),
        candidates.label,
        reranker.settings()
    );
    let what = format!("{} with {}", dataset.name, reranker.name());
    let mut progress = Progress::new(what, "queries", dataset.queries.len());
    let (mut seconds, mut judgements) = (0.0, 0);
    let mut rankings = Vec::with_capacity(dataset.queries.len());
    for (query, hits) in dataset.queries.iter().zip(&candidates.hits) {
        let documents = |hit: &Hit| &dataset.documents[hit.document as usize];
        let ids: Vec<&str> = hits.iter().map(|hit| &*documents(hit).id).collect();
        let answer = match answers.get(&settings, &query.id, &ids) {
            Some(answer) => answer.clone(),
            None => {
                let texts: Vec<&str> = hits.iter().map(|hit| &*documents(hit).text).collect();
                let started = Instant::now();
                let Reranked {
                    ranking: ranked,
                    judgements,
                    known_seconds,
                } = reranker.rank(&query.text, &texts)?;
                let all = ranked.len() == ids.len() && ranked.iter().all(|r| r.index < ids.len());
                ensure!(
                    all,
                    "{}: expected a ranking of {} documents, found one of {}",
                    reranker.name(),
                    ids.len(),
                    ranked.len()
                );
                let answer = Answer {
                    settings: settings.clone(),
                    query: query.id.clone(),
                    seconds: started.elapsed().as_secs_f64() + known_seconds,
                    judgements,
                    ranking: (ranked.iter())
                        .map(|ranked| (ids[ranked.index].to_owned(), ranked.score))
                        .collect(),
                };
                answers.add(answer.clone())?;
                answer
            }
        };
        seconds += answer.seconds;
        judgements += answer.judgements;
        rankings.push(as_hits(&answer, &ids, hits));
        progress.step();
    }
    let spent = Spent {
        seconds: Some(seconds),
        judgements: Some(judgements),
    };
    Ok((rankings, spent))
}

/// An answer's documents as the first stage numbers them.
fn as_hits(answer: &Answer, ids: &[&str], hits: &[Hit]) -> Vec<Hit> {
    let place = |id: &str| ids.iter().position(|known| *known == id);
    (answer.ranking.iter())
        .filter_map(|(id, score)| {
            Some(Hit {
                document: hits[place(id)?].document,
                score: *score,
            })
        })
        .collect()
}

/// Rankings of the first stage and of the reranker as one, query by query.
pub(crate) fn fuse(fusion: Fusion, first: &[Vec<Hit>], second: &[Vec<Hit>]) -> Vec<Vec<Hit>> {
    let pairs = first.iter().zip(second);
    pairs
        .map(|(first, second)| fusion.fuse(first, second))
        .collect()
}
