//! From texts to numbers: tokenise, window, batch, forward; for page scores also the best window.

use core::future::Future;
use core::ops::Range;
use core::pin::Pin;
use std::borrow::Cow;

use super::{Options, Progress, Reranker, TextKind, Usage};
use crate::batch::{Batch, Sequence, plan};
use crate::device::DeviceKind;
use crate::error::Error;
use crate::page::best;
use crate::tokenizer::Tokens;

/// Text tokenised between two chances to abort, in bytes.
const TOKENIZE_STEP: usize = 1 << 20;

/// Scores of all documents, in input order.
pub(super) struct Scored {
    pub(super) pages: Vec<Page>,
    pub(super) usage: Usage,
}

/// What is asked of the network.
#[derive(Clone, Copy)]
pub(super) enum Question<'a> {
    /// A score of each window for this query.
    Scores(&'a str),
    /// What each window is alone: a vector, or some.
    Vectors(TextKind),
}

/// A question as the network takes it.
struct Side<'a> {
    question: Question<'a>,
    /// The query's tokens, none for vectors.
    query: &'a [u32],
    /// What the query is to a network that reads texts alone.
    vector: Option<&'a [f32]>,
}

/// What the network answered about.
pub(super) struct Asked {
    tokens: Vec<Tokens>,
    windows: Vec<Window>,
    pub(super) usage: Usage,
}

/// Hears the network's answer about a window, by its place. Every window comes once, in any order.
pub(super) type Keep<'a> = dyn FnMut(usize, &[f32]) + 'a;

/// What hears of progress, behind a pointer: the trip is compiled once for all of them.
pub(super) trait Observe {
    fn observe(&mut self, progress: Progress) -> Heard<'_>;
}

type Heard<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

impl<T: AsyncFnMut(Progress) -> Result<(), Error>> Observe for T {
    fn observe(&mut self, progress: Progress) -> Heard<'_> {
        Box::pin(self(progress))
    }
}

/// A document's raw score and the byte span of the window that earned it.
pub(super) struct Page {
    /// Which one.
    pub(super) document: usize,
    pub(super) score: f32,
    pub(super) passage: Range<usize>,
}

/// A window: which document, which of its tokens.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) document: usize,
    pub(super) tokens: Range<usize>,
}

impl Reranker {
    pub(super) async fn score(
        &self,
        query: &str,
        documents: &[impl AsRef<str>],
        options: &Options,
        mut observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
    ) -> Result<Scored, Error> {
        let question = Question::Scores(query);
        let documents: Vec<&str> = documents.iter().map(AsRef::as_ref).collect();
        let mut scores = Vec::new();
        let mut keep = |window: usize, row: &[f32]| {
            scores.resize(scores.len().max(window + 1), f32::NAN);
            scores[window] = row[0];
        };
        let asked = self.ask(question, &documents, options, &mut observe, &mut keep);
        let asked = asked.await?;
        Ok(Scored {
            pages: pages(&asked.windows, &scores, &asked.tokens),
            usage: asked.usage,
        })
    }

    /// Tells `keep` the network's answer for every window of every document. Cost: a forward pass a
    /// batch.
    pub(super) async fn ask(
        &self,
        question: Question<'_>,
        documents: &[&str],
        options: &Options,
        observe: &mut dyn Observe,
        keep: &mut Keep<'_>,
    ) -> Result<Asked, Error> {
        let query = match question {
            Question::Scores(query) => self.query(query),
            Question::Vectors(_) => Vec::new(),
        };
        let tokens = self.tokenize(documents, options, observe).await?;
        let room = self.room(&query);
        let windows = cut(&tokens, options, room);
        let frame = self.manifest.max_length - room;
        let vector = match question {
            Question::Scores(_) => self.query_vector(&query).await?,
            Question::Vectors(_) => None,
        };
        let ids = |window: &Window| &tokens[window.document].ids[window.tokens.clone()];
        let open = self.open(windows.iter().map(ids), vector.as_deref(), keep);
        let lengths = open
            .iter()
            .map(|&index| windows[index].tokens.len() + frame);
        let lengths: Vec<usize> = lengths.collect();
        let plan = plan(&lengths, self.network.batch_tokens(), self.network.layout());
        let mut progress = Progress {
            batches: plan.batches.len(),
            total_tokens: plan.tokens,
            ..Progress::default()
        };
        observe.observe(progress).await?;
        let asked = Side {
            question,
            query: &query,
            vector: vector.as_deref(),
        };
        for places in &plan.batches {
            let indices = places.iter().map(|&place| open[place]);
            let rows: Vec<(usize, &[u32])> =
                indices.map(|index| (index, ids(&windows[index]))).collect();
            progress.tokens += self.answer(&asked, &rows, keep).await?;
            progress.batch += 1;
            observe.observe(progress).await?;
        }

        let usage = Usage {
            tokens: plan.tokens,
            batches: plan.batches.len(),
            padded_tokens: plan.padded_tokens,
            passages: windows.len(),
        };
        Ok(Asked {
            tokens,
            windows,
            usage,
        })
    }

    /// The windows that the network has to read: `keep` is told the score of those it read before.
    fn open<'t>(
        &self,
        windows: impl Iterator<Item = &'t [u32]>,
        query: Option<&[f32]>,
        keep: &mut Keep<'_>,
    ) -> Vec<usize> {
        let Some(query) = query.filter(|_| self.keeps()) else {
            return (0..windows.count()).collect();
        };
        let mut kept = self.kept.borrow_mut();
        kept.begin();
        let mut open = Vec::new();
        for (index, ids) in windows.enumerate() {
            match kept.get(ids) {
                Some(row) => keep(index, &[self.network.likeness(query, row)]),
                None => open.push(index),
            }
        }
        open
    }

    /// Tells `keep` the network's answers for a batch of windows, by place and tokens; gives how many
    /// tokens it had.
    async fn answer(
        &self,
        asked: &Side<'_>,
        windows: &[(usize, &[u32])],
        keep: &mut Keep<'_>,
    ) -> Result<usize, Error> {
        let sequence = |(_, ids): &(usize, &[u32])| match asked.question {
            Question::Scores(_) => self.sequence(asked.query, ids),
            Question::Vectors(kind) => self.alone(kind, ids),
        };
        let sequences: Vec<Sequence> = windows.iter().map(sequence).collect();
        let batch = self.pad(&sequences);
        match (asked.question, asked.vector.filter(|_| self.keeps())) {
            (Question::Scores(_), None) => {
                let scores = self.run(&batch, asked.vector).await?;
                for ((index, _), score) in windows.iter().zip(scores) {
                    keep(*index, &[score]);
                }
            }
            (Question::Scores(_), Some(query)) => {
                let rows = self.network.vectors(&batch).await?;
                for ((index, ids), row) in windows.iter().zip(rows) {
                    keep(*index, &[self.network.likeness(query, &row)]);
                    self.kept.borrow_mut().put(ids, row);
                }
            }
            (Question::Vectors(_), _) => {
                let rows = self.network.vectors(&batch).await?;
                for ((index, _), row) in windows.iter().zip(&rows) {
                    keep(*index, row);
                }
            }
        }
        Ok(sequences.iter().map(|sequence| sequence.ids.len()).sum())
    }

    /// Whether what documents are to the network is kept: on a GPU it would first have to leave it.
    fn keeps(&self) -> bool {
        self.device == DeviceKind::Cpu
    }

    /// Ids and byte spans of each document, as far as the options read it.
    pub(super) async fn tokenize(
        &self,
        documents: &[&str],
        options: &Options,
        observe: &mut dyn Observe,
    ) -> Result<Vec<Tokens>, Error> {
        let limit = options.max_tokens_per_document.unwrap_or(usize::MAX);
        let mut tokens = Vec::with_capacity(documents.len());
        let mut progress = Progress::default();
        let mut read = 0;
        for document in documents {
            let encoded = self.tokenizer.encode(document, limit);
            read += document.len();
            progress.total_tokens += encoded.len();
            tokens.push(encoded);
            if read >= TOKENIZE_STEP {
                read = 0;
                observe.observe(progress).await?;
            }
        }
        Ok(tokens)
    }

    /// The query's ids with the model's prefix, whole up to half of the model's length.
    pub(super) fn query(&self, query: &str) -> Vec<u32> {
        let text = self.prefixed(query);
        self.tokenizer
            .encode(&text, self.manifest.max_length / 2)
            .ids
    }

    /// A query as the model reads it.
    pub(super) fn prefixed<'q>(&self, query: &'q str) -> Cow<'q, str> {
        match self.manifest.query_prefix.as_str() {
            "" => Cow::Borrowed(query),
            prefix => Cow::Owned(prefix.to_owned() + query),
        }
    }

    /// Document tokens that fit beside the query.
    pub(super) fn room(&self, query: &[u32]) -> usize {
        self.manifest.max_length - self.sequence(query, &[]).ids.len()
    }

    /// A document's tokens as the network takes them: `[CLS] query [SEP] document [SEP]` in two
    /// segments for a cross-encoder, the document alone for others.
    pub(super) fn sequence(&self, query: &[u32], document: &[u32]) -> Sequence {
        if self.network.architecture().is_pairwise() {
            self.joined(&[query, document])
        } else {
            self.alone(TextKind::Document, document)
        }
    }

    /// A text's tokens alone: `[CLS] text [SEP]`, with the model's marker of the kind before the text.
    pub(super) fn alone(&self, kind: TextKind, text: &[u32]) -> Sequence {
        match (self.manifest.markers, kind) {
            (None, _) => self.joined(&[text]),
            (Some(markers), TextKind::Query) => self.joined(&[&[&[markers.query], text].concat()]),
            (Some(markers), TextKind::Document) => {
                self.joined(&[&[&[markers.document], text].concat()])
            }
        }
    }

    fn joined(&self, texts: &[&[u32]]) -> Sequence {
        let mut ids = vec![self.tokenizer.first];
        let mut second_from = 0;
        for text in texts {
            ids.extend_from_slice(text);
            ids.push(self.tokenizer.separator);
            if second_from == 0 {
                second_from = ids.len();
            }
        }
        Sequence { ids, second_from }
    }

    pub(super) fn pad(&self, sequences: &[Sequence]) -> Batch {
        let positions = self.manifest.dimensions.positions;
        Batch::new(sequences, self.tokenizer.padding, positions)
    }

    /// What the query is to a network that reads texts alone: a vector, or some.
    pub(super) async fn query_vector(&self, query: &[u32]) -> Result<Option<Vec<f32>>, Error> {
        if self.network.architecture().is_pairwise() {
            return Ok(None);
        }
        let batch = self.pad(&[self.alone(TextKind::Query, query)]);
        Ok(self.network.vectors(&batch).await?.pop())
    }

    /// One raw score a row: the logit, or the likeness to what the query is.
    pub(super) async fn run(
        &self,
        batch: &Batch,
        query: Option<&[f32]>,
    ) -> Result<Vec<f32>, Error> {
        let Some(query) = query else {
            return self.network.logits(batch).await;
        };
        self.network.likenesses(batch, query).await
    }
}

/// The windows of documents, in document order, at least one each where all are asked for.
pub(super) fn cut(tokens: &[Tokens], options: &Options, room: usize) -> Vec<Window> {
    (tokens.iter().enumerate())
        .flat_map(|(document, tokens)| {
            let mut cut = options.windows.cut(tokens.len(), room);
            if let Some(share) = options.share {
                cut = cut[share.windows(cut.len())].to_vec();
            }
            cut.into_iter()
                .map(move |tokens| Window { document, tokens })
        })
        .collect()
}

/// The best window of each document that has any. Windows are in document order.
pub(super) fn pages(windows: &[Window], scores: &[f32], tokens: &[Tokens]) -> Vec<Page> {
    let mut pages = Vec::with_capacity(tokens.len());
    let mut from = 0;
    for group in windows.chunk_by(|a, b| a.document == b.document) {
        let scores = &scores[from..from + group.len()];
        from += group.len();
        let nan = scores.iter().position(|score| score.is_nan());
        let chosen = nan.unwrap_or_else(|| best(scores));
        let window = &group[chosen];
        let spans = &tokens[window.document].spans[window.tokens.clone()];
        let passage = match (spans.first(), spans.last()) {
            (Some(first), Some(last)) => first.0 as usize..last.1 as usize,
            _ => 0..0,
        };
        pages.push(Page {
            document: window.document,
            score: scores[chosen],
            passage,
        });
    }
    pages
}
