//! From texts to numbers: tokenise, window, batch, forward; for page scores also the best window.

use core::future::Future;
use core::ops::Range;
use core::pin::Pin;
use std::borrow::Cow;

use super::{Options, Progress, Reranker, Usage};
use crate::batch::{Batch, Sequence, plan};
use crate::error::Error;
use crate::manifest::Architecture;
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
    /// A vector of each window.
    Vectors,
}

/// The network's answers.
pub(super) struct Answers {
    tokens: Vec<Tokens>,
    windows: Vec<Window>,
    /// Row after row, in the order of the windows.
    pub(super) numbers: Vec<f32>,
    pub(super) usage: Usage,
}

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
        let answers = (self.ask(question, &documents, options, &mut observe)).await?;
        Ok(Scored {
            pages: pages(&answers.windows, &answers.numbers, &answers.tokens),
            usage: answers.usage,
        })
    }

    /// The network's answer for every window of every document. Cost: a forward pass a batch.
    pub(super) async fn ask(
        &self,
        question: Question<'_>,
        documents: &[&str],
        options: &Options,
        observe: &mut dyn Observe,
    ) -> Result<Answers, Error> {
        let (query, width) = match question {
            Question::Scores(query) => (self.query(query), 1),
            Question::Vectors => (Vec::new(), self.manifest.dimensions.hidden),
        };
        let tokens = self.tokenize(documents, options, observe).await?;
        let room = self.room(&query);
        let windows = cut(&tokens, options, room);
        let frame = self.manifest.max_length - room;
        let lengths: Vec<usize> = windows.iter().map(|w| w.tokens.len() + frame).collect();
        let plan = plan(&lengths, self.network.batch_tokens(), self.network.layout());

        let vector = match question {
            Question::Scores(_) => self.query_vector(&query).await?,
            Question::Vectors => None,
        };
        let mut numbers = vec![f32::NAN; width * windows.len()];
        let mut progress = Progress {
            batches: plan.batches.len(),
            total_tokens: plan.tokens,
            ..Progress::default()
        };
        observe.observe(progress).await?;
        for indices in &plan.batches {
            let sequences: Vec<Sequence> = indices
                .iter()
                .map(|&index| {
                    let window = &windows[index];
                    self.sequence(&query, &tokens[window.document].ids[window.tokens.clone()])
                })
                .collect();
            let batch = self.pad(&sequences);
            let rows = match question {
                Question::Scores(_) => self.run(&batch, vector.as_deref()).await?,
                Question::Vectors => self.network.vectors(&batch).await?.concat(),
            };
            for (&index, row) in indices.iter().zip(rows.chunks(width)) {
                numbers[index * width..][..width].copy_from_slice(row);
            }
            progress.batch += 1;
            progress.tokens += sequences.iter().map(|s| s.ids.len()).sum::<usize>();
            observe.observe(progress).await?;
        }

        let usage = Usage {
            tokens: plan.tokens,
            batches: plan.batches.len(),
            padded_tokens: plan.padded_tokens,
            passages: windows.len(),
        };
        Ok(Answers {
            tokens,
            windows,
            numbers,
            usage,
        })
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
    /// segments for a cross-encoder, `[CLS] document [SEP]` for a bi-encoder.
    pub(super) fn sequence(&self, query: &[u32], document: &[u32]) -> Sequence {
        match self.network.architecture() {
            Architecture::BertCrossEncoder => self.joined(&[query, document]),
            Architecture::BertBiEncoder => self.joined(&[document]),
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

    /// The query's vector when the network compares vectors.
    pub(super) async fn query_vector(&self, query: &[u32]) -> Result<Option<Vec<f32>>, Error> {
        match self.network.architecture() {
            Architecture::BertCrossEncoder => Ok(None),
            Architecture::BertBiEncoder => {
                let batch = self.pad(&[self.joined(&[query])]);
                Ok(self.network.vectors(&batch).await?.pop())
            }
        }
    }

    /// One raw score a row: the logit, or the cosine to the query's vector.
    pub(super) async fn run(
        &self,
        batch: &Batch,
        query: Option<&[f32]>,
    ) -> Result<Vec<f32>, Error> {
        let Some(query) = query else {
            return self.network.logits(batch).await;
        };
        let vectors = self.network.vectors(batch).await?;
        Ok(vectors.iter().map(|vector| cosine(vector, query)).collect())
    }
}

/// Of vectors of unit length.
pub(super) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The windows of documents, in document order, at least one each.
pub(super) fn cut(tokens: &[Tokens], options: &Options, room: usize) -> Vec<Window> {
    (tokens.iter().enumerate())
        .flat_map(|(document, tokens)| {
            let cut = options.windows.cut(tokens.len(), room);
            cut.into_iter()
                .map(move |tokens| Window { document, tokens })
        })
        .collect()
}

/// The best window of each document. Windows are in document order, at least one each.
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
            score: scores[chosen],
            passage,
        });
    }
    pages
}
