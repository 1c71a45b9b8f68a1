//! Context-aware rewriting (CAR): an ambiguous query is rewritten in the light of the first stage's
//! best documents, and every document is judged for the rewritten one.
//!
//! After Anand et al. 2023 (arXiv:2308.16753), who rewrite training queries with their relevant
//! document; at search time the first stage's best stand in for it. Cost: 1 call, n judgements.

use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::prune::at_least_1;
use super::session::{Session, Verdict};
use super::transform::rewritten;
use crate::error::Error;

/// Pointwise judgements of a rewritten query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewrite {
    /// Documents shown to the one who rewrites, from 1.
    pub context: usize,
}

impl Default for Rewrite {
    fn default() -> Self {
        Self { context: 3 }
    }
}

impl Plan for Rewrite {
    fn describe(&self) -> Description {
        Description {
            name: "car",
            family: Family::Transform,
            summary: "rewrites the query with the first stage's best in view, then pointwise",
            cost: "1 call and n judgements",
            needs: &[Need::Llm, Need::Pointwise],
            options: &["context"],
            paper: "arXiv:2308.16753",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        Bound {
            transforms: usize::from(n > 0),
            ..Bound::judgements(n)
        }
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match option {
            "context" => assign(&mut self.context, option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        at_least_1("strategy.context", self.context)
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let query = rewritten(session, self.context).await?;
        let query = query.as_deref().unwrap_or(session.task.query);
        session.score_alone(query, None).await.map(Verdict::Scores)
    }
}
