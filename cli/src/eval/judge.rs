//! `foliorank eval` with the library's own models: the only file of the command that knows them.

use std::rc::Rc;

use anyhow::Result;
use foliorank::reranker::{Embeddings, Progress, TextKind};
use foliorank::strategy::{Ranked, Seams, Task};
use foliorank::{DeviceKind, Reranker};

use super::first_stage::Embed;
use super::trial::Rerank;
use super::{Asking, EvalArgs, evaluate};

/// Runs the command.
pub(crate) fn run(arguments: &EvalArgs) -> Result<()> {
    let load = |model: &String| pollster::block_on(crate::rerank::load(model, DeviceKind::Cpu));
    let mut models: Vec<Box<dyn Rerank>> = Vec::new();
    for model in &arguments.model {
        let reranker = Rc::new(load(model)?);
        models.extend(arguments.strategy.iter().map(|asking| {
            Box::new(Model::new(Rc::clone(&reranker), asking.clone())) as Box<dyn Rerank>
        }));
    }
    let embedder = arguments.embedder.as_ref().map(load).transpose()?;
    let embedder = embedder.as_ref().map(|model| model as &dyn Embed);
    print!("{}", evaluate(arguments, &models, embedder)?);
    Ok(())
}

struct Model {
    reranker: Rc<Reranker>,
    asking: Asking,
    name: String,
}

impl Model {
    fn new(reranker: Rc<Reranker>, asking: Asking) -> Self {
        let model = &reranker.manifest().name;
        let name = match asking.text.as_str() {
            "pointwise" => model.clone(),
            strategy => format!("{model} {strategy}"),
        };
        Self {
            reranker,
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
        let weights = &self.reranker.manifest().files.weights.sha256;
        format!("{} {weights} {:?}", self.name, self.asking.strategy)
    }

    fn rank(&self, query: &str, documents: &[&str]) -> Result<Vec<Ranked>> {
        let task = Task {
            query,
            documents,
            ..Task::default()
        };
        let seams = Seams {
            judge: Some(&*self.reranker),
            ..Seams::default()
        };
        let run = (self.asking.strategy).run(&task, &seams, async |_| Ok(()));
        Ok(pollster::block_on(run)?.ranking)
    }
}

impl Embed for Reranker {
    fn name(&self) -> &str {
        &self.manifest().name
    }

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
