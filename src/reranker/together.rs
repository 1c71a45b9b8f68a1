//! Requests ranked side by side: their windows share batches, and each is answered as soon as its
//! own are scored (continuous batching: Yu et al. 2022, Orca).
//!
//! Batches are filled by turns, a window of each request, so that a short request does not wait
//! for the end of a long one and none starves. What fails or is withdrawn fails or goes alone.

use core::cmp::Reverse;
use std::collections::VecDeque;

use super::score::{Window, cut, pages};
use super::{Options, Progress, Ranking, Reranker, Usage};
use crate::batch::{Sequence, Space};
use crate::error::Error;
use crate::tokenizer::Tokens;

/// Requests under way on one model; `K` is what the caller knows each by.
#[derive(Debug)]
pub struct Together<'a, K> {
    reranker: &'a Reranker,
    /// The oldest first.
    requests: VecDeque<Request<K>>,
}

#[derive(Debug)]
struct Request<K> {
    key: K,
    work: Result<Work, Error>,
}

/// What of a request is still to do, and what is done.
#[derive(Debug, Default)]
struct Work {
    options: Options,
    query: Vec<u32>,
    /// The query's vector when the network compares vectors.
    vector: Option<Vec<f32>>,
    tokens: Vec<Tokens>,
    windows: Vec<Window>,
    /// Tokens of a sequence that are not the document's.
    frame: usize,
    /// Windows in no batch yet, the shortest first: they are taken from the end.
    waiting: Vec<usize>,
    scores: Vec<f32>,
    usage: Usage,
    tokens_done: usize,
}

/// A window in a batch: of which request, which of its windows.
struct Row {
    request: usize,
    window: usize,
}

impl Reranker {
    /// A place to rank several requests at once.
    #[must_use]
    pub fn together<K>(&self) -> Together<'_, K> {
        Together {
            reranker: self,
            requests: VecDeque::new(),
        }
    }
}

impl<K> Together<'_, K> {
    /// Takes a request in. Cost: its texts are cut into tokens here, and not kept; for a
    /// bi-encoder also a forward pass for the query. What is wrong with it is its answer.
    pub async fn add(
        &mut self,
        key: K,
        query: &str,
        documents: &[impl AsRef<str>],
        options: &Options,
    ) {
        let documents: Vec<&str> = documents.iter().map(AsRef::as_ref).collect();
        let work = self.reranker.prepare(query, &documents, options).await;
        self.requests.push_back(Request { key, work });
    }

    /// Requests under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Shows how far each request is, and drops those that `keep` denies; the others do not
    /// notice. The batches of a progress are an estimate while they are shared.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut K, Progress) -> bool) {
        let budget = self.reranker.network.batch_tokens();
        self.requests
            .retain_mut(|Request { key, work }| match work {
                Ok(work) => keep(key, work.progress(budget)),
                Err(_) => true,
            });
    }

    /// Scores one batch and gives the answers that are complete then, each as
    /// [`Reranker::rerank`] would have given it. A batch that the device refuses is the answer of
    /// every request in it. Cost: one forward pass, none without requests.
    pub async fn step(&mut self) -> Vec<(K, Result<Ranking, Error>)> {
        let (rows, space) = self.fill();
        if !rows.is_empty() {
            match self.run(&rows).await {
                Ok(scores) => self.distribute(&rows, &scores, &space),
                Err(error) => {
                    for row in &rows {
                        self.requests[row.request].work = Err(error.clone());
                    }
                }
            }
        }
        self.take_answers()
    }

    /// The next batch, by turns.
    fn fill(&mut self) -> (Vec<Row>, Space) {
        let network = &self.reranker.network;
        let mut space = Space::new(network.batch_tokens(), network.layout());
        let mut rows = Vec::new();
        loop {
            let before = rows.len();
            for (request, Request { work, .. }) in self.requests.iter_mut().enumerate() {
                let Ok(work) = work else { continue };
                let Some(&window) = work.waiting.last() else {
                    continue;
                };
                if space.take(work.length(window)) {
                    work.waiting.pop();
                    rows.push(Row { request, window });
                }
            }
            if rows.len() == before {
                return (rows, space);
            }
        }
    }

    async fn run(&self, rows: &[Row]) -> Result<Vec<f32>, Error> {
        let work = |row: &Row| self.requests[row.request].work.as_ref().ok();
        let sequences: Vec<Sequence> = (rows.iter())
            .filter_map(|row| Some(work(row)?.sequence(row.window, self.reranker)))
            .collect();
        let batch = self.reranker.pad(&sequences);
        let vectors = rows.iter().map(|row| work(row)?.vector.as_deref());
        let Some(queries) = vectors.collect::<Option<Vec<&[f32]>>>() else {
            return self.reranker.network.logits(&batch).await;
        };
        let vectors = self.reranker.network.vectors(&batch).await?;
        let pairs = vectors.iter().zip(queries);
        let network = &self.reranker.network;
        let likeness = |(vector, query): (&Vec<f32>, &[f32])| network.likeness(query, vector);
        Ok(pairs.map(likeness).collect())
    }

    fn distribute(&mut self, rows: &[Row], scores: &[f32], space: &Space) {
        let mut counted = vec![false; self.requests.len()];
        for (row, &score) in rows.iter().zip(scores) {
            let Ok(work) = &mut self.requests[row.request].work else {
                continue;
            };
            let length = work.length(row.window);
            work.scores[row.window] = score;
            work.tokens_done += length;
            work.usage.padded_tokens += space.padding(length);
            if !core::mem::replace(&mut counted[row.request], true) {
                work.usage.batches += 1;
            }
        }
    }

    fn take_answers(&mut self) -> Vec<(K, Result<Ranking, Error>)> {
        let (done, under_way): (VecDeque<_>, VecDeque<_>) = (self.requests.drain(..))
            .partition(|request| (request.work.as_ref()).map_or(true, |w| w.waiting.is_empty()));
        self.requests = under_way;
        done.into_iter()
            .map(|Request { key, work }| {
                let answer = work.and_then(|work| {
                    let pages = pages(&work.windows, &work.scores, &work.tokens);
                    self.reranker.ranking(&pages, &work.options, work.usage)
                });
                (key, answer)
            })
            .collect()
    }
}

impl Reranker {
    async fn prepare(
        &self,
        query: &str,
        documents: &[&str],
        options: &Options,
    ) -> Result<Work, Error> {
        options.check()?;
        if query.trim().is_empty() || documents.is_empty() {
            return Ok(Work::default());
        }
        let mut silent = async |_: Progress| Ok(());
        let tokens = self.tokenize(documents, options, &mut silent).await?;
        let query = self.query(query);
        let room = self.room(&query);
        let windows = cut(&tokens, options, room);
        let mut work = Work {
            options: options.clone(),
            vector: self.query_vector(&query).await?,
            scores: vec![f32::NAN; windows.len()],
            waiting: (0..windows.len()).collect(),
            frame: self.manifest.max_length - room,
            query,
            tokens,
            windows,
            ..Work::default()
        };
        let lengths = (0..work.windows.len()).map(|window| work.length(window));
        work.usage = Usage {
            tokens: lengths.sum(),
            passages: work.windows.len(),
            ..Usage::default()
        };
        let windows = &work.windows;
        (work.waiting).sort_by_key(|&window| (windows[window].tokens.len(), Reverse(window)));
        Ok(work)
    }
}

impl Work {
    /// Tokens of a window's sequence.
    fn length(&self, window: usize) -> usize {
        self.windows[window].tokens.len() + self.frame
    }

    fn sequence(&self, window: usize, reranker: &Reranker) -> Sequence {
        let Window { document, tokens } = &self.windows[window];
        reranker.sequence(&self.query, &self.tokens[*document].ids[tokens.clone()])
    }

    fn progress(&self, budget: usize) -> Progress {
        let left = self.usage.tokens - self.tokens_done;
        Progress {
            batch: self.usage.batches,
            batches: self.usage.batches + left.div_ceil(budget),
            tokens: self.tokens_done,
            total_tokens: self.usage.tokens,
        }
    }
}
