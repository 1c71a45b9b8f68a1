//! From texts to page scores: tokenise, window, batch, forward, best window.

use core::ops::Range;

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

/// A document's raw score and the byte span of the window that earned it.
pub(super) struct Page {
    pub(super) score: f32,
    pub(super) passage: Range<usize>,
}

/// A window: which document, which of its tokens.
struct Window {
    document: usize,
    tokens: Range<usize>,
}

impl Reranker {
    pub(super) async fn score(
        &self,
        query: &str,
        documents: &[impl AsRef<str>],
        options: &Options,
        mut observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
    ) -> Result<Scored, Error> {
        let query = self.query(query);
        let tokens = self.tokenize(documents, options, &mut observe).await?;
        let room = self.room(&query);
        let windows: Vec<Window> = (tokens.iter().enumerate())
            .flat_map(|(document, tokens)| {
                let cut = options.windows.cut(tokens.len(), room);
                cut.into_iter()
                    .map(move |tokens| Window { document, tokens })
            })
            .collect();
        let frame = self.manifest.max_length - room;
        let lengths: Vec<usize> = windows.iter().map(|w| w.tokens.len() + frame).collect();
        let plan = plan(&lengths, self.network.batch_tokens(), self.network.layout());

        let vector = self.query_vector(&query).await?;
        let mut scores = vec![f32::NAN; windows.len()];
        let mut progress = Progress {
            batches: plan.batches.len(),
            total_tokens: plan.tokens,
            ..Progress::default()
        };
        observe(progress).await?;
        for indices in &plan.batches {
            let sequences: Vec<Sequence> = indices
                .iter()
                .map(|&index| {
                    let window = &windows[index];
                    self.sequence(&query, &tokens[window.document].ids[window.tokens.clone()])
                })
                .collect();
            let answers = self.run(&self.pad(&sequences), vector.as_deref()).await?;
            for (&index, score) in indices.iter().zip(answers) {
                scores[index] = score;
            }
            progress.batch += 1;
            progress.tokens += sequences.iter().map(|s| s.ids.len()).sum::<usize>();
            observe(progress).await?;
        }

        Ok(Scored {
            pages: pages(&windows, &scores, &tokens),
            usage: Usage {
                tokens: plan.tokens,
                batches: plan.batches.len(),
                padded_tokens: plan.padded_tokens,
                passages: windows.len(),
            },
        })
    }

    async fn tokenize(
        &self,
        documents: &[impl AsRef<str>],
        options: &Options,
        observe: &mut impl AsyncFnMut(Progress) -> Result<(), Error>,
    ) -> Result<Vec<Tokens>, Error> {
        let limit = options.max_tokens_per_document.unwrap_or(usize::MAX);
        let mut tokens = Vec::with_capacity(documents.len());
        let mut progress = Progress::default();
        let mut read = 0;
        for document in documents {
            let encoded = self.tokenizer.encode(document.as_ref(), limit);
            read += document.as_ref().len();
            progress.total_tokens += encoded.len();
            tokens.push(encoded);
            if read >= TOKENIZE_STEP {
                read = 0;
                observe(progress).await?;
            }
        }
        Ok(tokens)
    }

    /// The query's ids, whole up to half of the model's length.
    pub(super) fn query(&self, query: &str) -> Vec<u32> {
        self.tokenizer
            .encode(query, self.manifest.max_length / 2)
            .ids
    }

    /// Document tokens that fit beside the query.
    fn room(&self, query: &[u32]) -> usize {
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
        let cosine = |vector: &Vec<f32>| vector.iter().zip(query).map(|(a, b)| a * b).sum();
        Ok(vectors.iter().map(cosine).collect())
    }
}

/// The best window of each document. Windows are in document order, at least one each.
fn pages(windows: &[Window], scores: &[f32], tokens: &[Tokens]) -> Vec<Page> {
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
