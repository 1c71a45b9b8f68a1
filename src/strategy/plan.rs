//! What every strategy can say of itself, and do: the inside of [`Strategy`](super::Strategy).

use core::str::FromStr;

use serde::Serialize;

use super::session::{Session, Verdict};
use crate::error::Error;

/// A strategy with its options.
pub(super) trait Plan {
    /// What it is.
    fn describe(&self) -> Description;

    /// What it asks at most for `n` candidates.
    fn at_most(&self, n: usize) -> Bound;

    /// Sets an option by name; `false` when it has no such option.
    ///
    /// # Errors
    /// `invalid_argument` when the value does not parse.
    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error>;

    /// # Errors
    /// `invalid_argument` for options out of range.
    fn check(&self) -> Result<(), Error>;

    /// # Errors
    /// Those of what it asks, and the observer's.
    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error>;
}

/// What a strategy is, for menus and documents.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// Its name, as [`Strategy::parse`](super::Strategy::parse) takes it.
    pub name: &'static str,
    /// What kind of question it asks.
    pub family: Family,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// What it costs for `n` candidates, in judgements, calls or passes.
    pub cost: &'static str,
    /// What [`Seams`](super::Seams) and the task must offer.
    pub needs: &'static [Need],
    /// Options that a name can carry, as in `prp-sliding:k=3`.
    pub options: &'static [&'static str],
    /// Where it is from.
    pub paper: &'static str,
}

/// Kinds of strategies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// One document at a time.
    Pointwise,
    /// Two documents at a time.
    Pairwise,
    /// The best of a few.
    Setwise,
    /// The order of a window.
    Listwise,
    /// Scores for a group.
    Groupwise,
    /// What a causal model shows beside its text.
    Internals,
    /// Arithmetic on cached vectors or scores.
    Vectors,
    /// Another query, or several, for the same question.
    Transform,
}

/// Something a strategy cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// A judge of single documents, or an LLM in its place.
    Pointwise,
    /// A judge of pairs (or of single documents), or an LLM.
    Pairwise,
    /// A judge of larger groups (or of single documents), or an LLM.
    Listwise,
    /// An LLM, whatever judge there is.
    Llm,
    /// An embedder of queries.
    Embedder,
    /// A model that shows the logits of letters.
    Letters,
    /// A model that shows its attention.
    Attention,
    /// Cached vectors.
    Vectors,
    /// Scores of anchor queries.
    Anchors,
    /// First-stage scores.
    FirstStage,
    /// Page images.
    Pages,
}

/// What a strategy asks at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bound {
    /// Judgements.
    pub judgements: usize,
    /// Passes of an embedder or a model that shows its inside.
    pub passes: usize,
    /// LLM calls about the query alone.
    pub transforms: usize,
}

impl Bound {
    /// LLM calls when an LLM answers for the judge; each may need one more, for a repair.
    #[must_use]
    pub const fn calls(&self) -> usize {
        self.judgements + self.transforms
    }

    pub(super) fn judgements(judgements: usize) -> Self {
        Self {
            judgements,
            ..Self::default()
        }
    }

    pub(super) fn passes(passes: usize) -> Self {
        Self {
            passes,
            ..Self::default()
        }
    }
}

/// Sets `field` from text; always true, for [`Plan::set`].
pub(super) fn assign<T: FromStr>(field: &mut T, option: &str, value: &str) -> Result<bool, Error> {
    *field = value.parse().map_err(|_| {
        let expected = format!("a number for {option}");
        Error::argument("strategy", expected, value)
    })?;
    Ok(true)
}
