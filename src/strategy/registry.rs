//! Every strategy by its name, and the one way to run any: what JavaScript and the command line
//! call.

use core::str::FromStr;

use super::plan::Plan;
use super::session::{Session, Verdict};
use super::{
    Anncur, Bound, Checklist, Description, Diffusion, Facets, First, Groupwise, Icr, InsertRank,
    Listwise, Need, Outcome, Pairs, Pairwise, Pointwise, Progress, PromptFeedback, Rewrite,
    Rocchio, Seams, Setwise, Square, Task,
};
use crate::error::Error;

/// A strategy with its options.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is documented where it is defined")]
pub enum Strategy {
    Pointwise(Pointwise),
    Pairwise(Pairwise),
    Setwise(Setwise),
    Listwise(Listwise),
    Groupwise(Groupwise),
    InsertRank(InsertRank),
    First(First),
    Icr(Icr),
    Rocchio(Rocchio),
    PromptFeedback(PromptFeedback),
    Diffusion(Diffusion),
    Anncur(Anncur),
    Rewrite(Rewrite),
    Facets(Facets),
    Checklist(Checklist),
    Square(Square),
}

/// Calls a [`Plan`]'s method on whatever strategy it is.
macro_rules! with_plan {
    ($strategy:expr, $plan:ident => $call:expr) => {
        match $strategy {
            Strategy::Pointwise($plan) => $call,
            Strategy::Pairwise($plan) => $call,
            Strategy::Setwise($plan) => $call,
            Strategy::Listwise($plan) => $call,
            Strategy::Groupwise($plan) => $call,
            Strategy::InsertRank($plan) => $call,
            Strategy::First($plan) => $call,
            Strategy::Icr($plan) => $call,
            Strategy::Rocchio($plan) => $call,
            Strategy::PromptFeedback($plan) => $call,
            Strategy::Diffusion($plan) => $call,
            Strategy::Anncur($plan) => $call,
            Strategy::Rewrite($plan) => $call,
            Strategy::Facets($plan) => $call,
            Strategy::Checklist($plan) => $call,
            Strategy::Square($plan) => $call,
        }
    };
}

impl Strategy {
    /// Every strategy there is, with its default options.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::Pointwise(Pointwise::default()),
            Self::Pairwise(Pairwise::new(Pairs::All)),
            Self::Pairwise(Pairwise::new(Pairs::Heap)),
            Self::Pairwise(Pairwise::new(Pairs::Sliding)),
            Self::Setwise(Setwise::default()),
            Self::Listwise(Listwise::sliding()),
            Self::Listwise(Listwise::full()),
            Self::Groupwise(Groupwise::default()),
            Self::InsertRank(InsertRank::default()),
            Self::First(First::default()),
            Self::Icr(Icr),
            Self::Rocchio(Rocchio::default()),
            Self::PromptFeedback(PromptFeedback::default()),
            Self::Diffusion(Diffusion::default()),
            Self::Anncur(Anncur::default()),
            Self::Rewrite(Rewrite::default()),
            Self::Facets(Facets::default()),
            Self::Checklist(Checklist::default()),
            Self::Square(Square::default()),
        ]
    }

    /// The strategy of that name, with options after a colon: `prp-sliding:k=3,orders=1`.
    ///
    /// # Errors
    /// `invalid_argument` for a name or option there is not, or a value out of range.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (name, options) = text.split_once(':').unwrap_or((text, ""));
        let all = Self::all();
        let Some(mut strategy) = all.iter().copied().find(|s| s.describe().name == name) else {
            let names: Vec<&str> = all.iter().map(|s| s.describe().name).collect();
            let expected = format!("one of {}", names.join(", "));
            return Err(Error::argument("strategy", expected, name));
        };
        for option in options.split(',').filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            let is_known = with_plan!(&mut strategy, plan => plan.set(key, value))?;
            if !is_known {
                let known = strategy.describe().options.join(", ");
                let expected = format!("options of {name}: {known}");
                return Err(Error::argument("strategy", expected, key));
            }
        }
        strategy.check()?;
        Ok(strategy)
    }

    /// What it is and what it needs.
    #[must_use]
    pub fn describe(&self) -> Description {
        with_plan!(self, plan => plan.describe())
    }

    /// What it asks at most for `n` candidates, with these options. Options out of range, which
    /// [`Self::run`] refuses, cost nothing.
    #[must_use]
    pub fn at_most(&self, n: usize) -> Bound {
        match self.check() {
            Ok(()) => with_plan!(self, plan => plan.at_most(n)),
            Err(_) => Bound::default(),
        }
    }

    fn check(&self) -> Result<(), Error> {
        with_plan!(self, plan => plan.check())
    }

    /// Ranks the task's documents. No documents, or a blank query for a strategy that reads it,
    /// give an empty ranking.
    ///
    /// `observe` hears before the first question and after each batch of answers, and may stop the
    /// work with an error. Cost: at most [`Self::at_most`], and one repair for each LLM call.
    ///
    /// # Errors
    /// `invalid_argument` for a task or options that make no sense, or when `seams` lack what the
    /// strategy needs; what `observe` returns; what the models report; `internal` when one answers
    /// NaN or another count than asked. A limit or an unusable answer is a warning, not an error.
    pub async fn run(
        &self,
        task: &Task<'_>,
        seams: &Seams<'_>,
        mut observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
    ) -> Result<Outcome, Error> {
        self.check()?;
        let mut session = Session::new(task, seams, &mut observe)?;
        self.check_needs(task, seams)?;
        let reads_query = self.describe().needs != [Need::Vectors];
        if task.documents.is_empty() || (reads_query && task.query.trim().is_empty()) {
            return Ok(Outcome::default());
        }
        let bound = self.at_most(session.len());
        session.start(bound.judgements + bound.passes).await?;
        let verdict: Verdict = with_plan!(self, plan => plan.run(&mut session).await)?;
        session.finish(verdict)
    }

    /// Before any question, so that nothing is paid for a run that cannot end.
    fn check_needs(&self, task: &Task<'_>, seams: &Seams<'_>) -> Result<(), Error> {
        let description = self.describe();
        for need in description.needs {
            let (argument, is_there) = match need {
                Need::Pointwise | Need::Pairwise | Need::Listwise => {
                    ("judge", seams.judge.is_some() || seams.llm.is_some())
                }
                Need::Llm => ("llm", seams.llm.is_some()),
                Need::Embedder => ("embedder", seams.embedder.is_some()),
                Need::Letters => ("letters", seams.letters.is_some()),
                Need::Attention => ("attention", seams.attention.is_some()),
                Need::Vectors => ("vectors", seams.vectors.is_some()),
                Need::Anchors => ("anchors", seams.anchors.is_some()),
                Need::FirstStage => ("firstStage", task.first_stage.is_some()),
                Need::Pages => ("pages", seams.pages.is_some()),
            };
            if !is_there {
                let expected = format!("what {} needs", description.name);
                return Err(Error::argument(argument, expected, "none"));
            }
        }
        Ok(())
    }
}

impl FromStr for Strategy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// Ranks a task with the strategy of that name: [`Strategy::parse`], then [`Strategy::run`].
///
/// # Errors
/// Those of both.
pub async fn rerank_with(
    name: &str,
    task: &Task<'_>,
    seams: &Seams<'_>,
    observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
) -> Result<Outcome, Error> {
    Strategy::parse(name)?.run(task, seams, observe).await
}
