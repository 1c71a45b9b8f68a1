//! `foliorank eval` with the library's own models: the only file of the command that knows them.

use anyhow::Result;
use foliorank::Reranker;
use foliorank::strategy::{Ranked, pointwise};

use super::trial::Rerank;
use super::{EvalArgs, Strategy, evaluate};

/// Runs the command.
pub(crate) fn run(arguments: &EvalArgs) -> Result<()> {
    let load = |model: &String| -> Result<Box<dyn Rerank>> {
        let reranker = pollster::block_on(crate::rerank::load(model, foliorank::DeviceKind::Cpu))?;
        let strategy = arguments.strategy;
        Ok(Box::new(Model { reranker, strategy }))
    };
    let models = arguments.model.iter().map(load);
    print!(
        "{}",
        evaluate(arguments, &models.collect::<Result<Vec<_>>>()?)?
    );
    Ok(())
}

struct Model {
    reranker: Reranker,
    strategy: Strategy,
}

impl Rerank for Model {
    fn name(&self) -> &str {
        &self.reranker.manifest().name
    }

    fn settings(&self) -> String {
        let weights = &self.reranker.manifest().files.weights.sha256;
        format!("{} {weights} {:?}", self.name(), self.strategy)
    }

    fn rank(&self, query: &str, documents: &[&str]) -> Result<Vec<Ranked>> {
        match self.strategy {
            Strategy::Pointwise => {
                let ranking = pointwise(&self.reranker, query, documents, None);
                Ok(pollster::block_on(ranking)?)
            }
        }
    }
}
