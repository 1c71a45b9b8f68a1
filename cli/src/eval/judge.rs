//! `foliorank eval` with the library's own models: the only file of the command that knows them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

use anyhow::Result;
use foliorank::reranker::{Embeddings, Progress, TextKind};
use foliorank::strategy::{Group, Seams, Task};
use foliorank::{DeviceKind, Error, Judge, Reranker};

use super::first_stage::{Embed, Encoder, Encoders, SparseIndex};
use super::sparse::{KeptIndexes, Weigh};
use super::trial::{Rerank, Reranked};
use super::{Asking, EvalArgs, evaluate};

/// Runs the command.
pub(crate) fn run(arguments: &EvalArgs) -> Result<()> {
    let load = |model: &String| pollster::block_on(crate::rerank::load(model, DeviceKind::Cpu));
    let mut models: Vec<Box<dyn Rerank>> = Vec::new();
    for model in &arguments.model {
        let judge = Rc::new(Remembering::new(load(model)?));
        models.extend(arguments.strategy.iter().map(|asking| {
            Box::new(Model::new(Rc::clone(&judge), asking.clone())) as Box<dyn Rerank>
        }));
    }
    let embedder = arguments.embedder.as_ref().map(load).transpose()?;
    let sparse = arguments.sparse_encoder.as_ref().map(load).transpose()?;
    let sparse = sparse.as_ref().map(|encoder| KeptIndexes {
        encoder,
        folder: arguments.out.clone(),
    });
    let encoders = Encoders {
        embedder: embedder.as_ref().map(|model| model as &dyn Embed),
        sparse: sparse.as_ref().map(|model| model as &dyn SparseIndex),
    };
    print!("{}", evaluate(arguments, &models, encoders)?);
    Ok(())
}

/// A judge that remembers, for the same pairs come again with every strategy and first stage.
struct Remembering {
    reranker: Reranker,
    /// Score and seconds of a query and a document.
    known: RefCell<HashMap<(String, String), (f32, f64)>>,
    /// Seconds of what was remembered since they were last taken.
    spared: Cell<f64>,
}

impl Remembering {
    fn new(reranker: Reranker) -> Self {
        Self {
            reranker,
            known: RefCell::default(),
            spared: Cell::new(0.0),
        }
    }
}

impl Judge for Remembering {
    fn max_group(&self) -> usize {
        self.reranker.max_group()
    }

    async fn judge(&self, groups: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
        let pair = |query: &str, document: &str| (query.to_owned(), document.to_owned());
        let mut missing: Vec<(&str, &str)> = Vec::new();
        for group in groups {
            for document in group.documents {
                match self.known.borrow().get(&pair(group.query, document)) {
                    Some((_, seconds)) => self.spared.set(self.spared.get() + seconds),
                    None if missing.contains(&(group.query, document)) => {}
                    None => missing.push((group.query, document)),
                }
            }
        }
        let singles: Vec<[&str; 1]> = missing.iter().map(|(_, document)| [*document]).collect();
        let asked: Vec<Group<'_>> = (missing.iter().zip(&singles))
            .map(|((query, _), documents)| Group { query, documents })
            .collect();
        let started = Instant::now();
        let scores = self.reranker.judge(&asked).await?;
        let seconds = started.elapsed().as_secs_f64() / missing.len().max(1) as f64;
        let mut known = self.known.borrow_mut();
        for ((query, document), score) in missing.iter().zip(scores.iter().flatten()) {
            known.insert(pair(query, document), (*score, seconds));
        }
        let score = |query: &str, document: &str| known[&pair(query, document)].0;
        Ok((groups.iter())
            .map(|group| {
                let documents = group.documents.iter();
                documents
                    .map(|document| score(group.query, document))
                    .collect()
            })
            .collect())
    }
}

struct Model {
    judge: Rc<Remembering>,
    asking: Asking,
    name: String,
}

impl Model {
    fn new(judge: Rc<Remembering>, asking: Asking) -> Self {
        let model = &judge.reranker.manifest().name;
        let name = match asking.text.as_str() {
            "pointwise" => model.clone(),
            strategy => format!("{model} {strategy}"),
        };
        Self {
            judge,
            asking,
            name,
        }
    }
}

impl Rerank for Model {
    fn name(&self) -> &str {
        &self.name
    }

    fn settings(&self) -> String {
        let weights = &self.judge.reranker.manifest().files.weights.sha256;
        format!("{} {weights} {:?}", self.name, self.asking.strategy)
    }

    fn rank(&self, query: &str, documents: &[&str]) -> Result<Reranked> {
        let task = Task {
            query,
            documents,
            ..Task::default()
        };
        let seams = Seams {
            judge: Some(&*self.judge),
            ..Seams::default()
        };
        let run = (self.asking.strategy).run(&task, &seams, async |_| Ok(()));
        let outcome = pollster::block_on(run)?;
        Ok(Reranked {
            ranking: outcome.ranking,
            judgements: outcome.cost.judgements,
            known_seconds: self.judge.spared.take(),
        })
    }
}

impl Encoder for Reranker {
    fn name(&self) -> &str {
        &self.manifest().name
    }

    fn settings(&self) -> String {
        let manifest = self.manifest();
        format!("{} {}", manifest.name, manifest.files.weights.sha256)
    }
}

impl Weigh for Reranker {
    fn weigh(&self, texts: &[&str], kind: TextKind) -> Result<Vec<Vec<(u32, f32)>>> {
        let weights = self.embed_sparse(texts, kind, async |_: Progress| Ok(()));
        Ok(pollster::block_on(weights)?.texts)
    }
}

impl Embed for Reranker {
    fn embed(&self, texts: &[&str], kind: TextKind) -> Result<Vec<Vec<f32>>> {
        let embed = Self::embed(self, texts, kind, async |_: Progress| Ok(()));
        let Embeddings {
            vectors,
            dimensions,
            ..
        } = pollster::block_on(embed)?;
        Ok(vectors.chunks(dimensions).map(<[f32]>::to_vec).collect())
    }
}
