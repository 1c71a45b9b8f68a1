//! What a strategy gives back: the ranking, what it cost, and what went less than well.
//!
//! Nothing is ever lost: every document of the task that `top_n` leaves room for is in the ranking,
//! judged or not. A warning says when a budget or an unusable answer left some where they were.

use core::fmt;

use serde::Serialize;

use super::Ranked;

/// A ranking and how it came about.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Best first. The score is the strategy's own number; where it has only an order, the number
    /// of documents placed below. Documents it left unplaced follow in first-stage order with the
    /// lowest score above them.
    pub ranking: Vec<Ranked>,
    /// What was asked.
    pub cost: Cost,
    /// Documents that a judge or model was shown, or whose vectors were compared.
    pub judged: usize,
    /// What the caller should know, each kind once.
    pub warnings: Vec<Warning>,
    /// What some strategies find out on the way.
    pub extras: Extras,
}

/// What was asked of the models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Groups put to the judge, or questions to the LLM in its place. A judge of single documents
    /// answers larger groups from at most one score a document and query.
    pub judgements: usize,
    /// Forward passes for an embedding, letters' logits or attention.
    pub passes: usize,
    /// LLM calls, repairs and query transforms included.
    pub calls: usize,
    /// Tokens that the LLM read: its provider's count, else a quarter of the bytes.
    pub input_tokens: u64,
    /// Tokens that the LLM wrote, likewise.
    pub output_tokens: u64,
}

/// Findings beside the ranking.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Extras {
    /// Pairs that were asked about in both orders.
    pub pairs: usize,
    /// Pairs whose two answers named different documents.
    pub conflicts: usize,
    /// LLM answers that were usable at once.
    pub valid_answers: usize,
    /// LLM answers that were usable after one repair.
    pub repaired_answers: usize,
    /// LLM answers that were not usable after the repair either.
    pub unusable_answers: usize,
    /// Documents spared by candidate pruning or early exit.
    pub saved: usize,
    /// The rewritten query, or the facets of the query.
    pub queries: Vec<String>,
}

impl Extras {
    /// Share of pairs with two answers that contradict each other, 0..1; `None` without pairs.
    /// High means that the judge follows the order of the documents more than their text.
    #[must_use]
    pub fn conflict_rate(&self) -> Option<f32> {
        (self.pairs > 0).then(|| self.conflicts as f32 / self.pairs as f32)
    }
}

/// Something that made the ranking less than it could be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "code",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
#[non_exhaustive]
pub enum Warning {
    /// A limit stopped the questions.
    Budget {
        /// `judgements`, `calls` or `tokens`.
        limit: &'static str,
        /// Documents that nothing was asked about.
        unjudged: usize,
    },
    /// Answers stayed unusable after one repair; what they were to decide is in first-stage order.
    Unusable {
        /// How many.
        answers: usize,
        /// What was wrong with the first of them.
        problem: String,
    },
    /// Answers were usable after one repair.
    Repaired {
        /// How many.
        answers: usize,
    },
    /// Answers left documents out; these follow the others in the order they had.
    Missing {
        /// How many.
        documents: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget { limit, unjudged } => write!(
                f,
                "the limit of {limit} was reached with {unjudged} documents unjudged; the rest is \
                 in first-stage order"
            ),
            Self::Unusable { answers, problem } => write!(
                f,
                "{answers} answers stayed unusable ({problem}); what they were to decide is in \
                 first-stage order"
            ),
            Self::Repaired { answers } => write!(f, "{answers} answers needed a repair"),
            Self::Missing { documents } => write!(
                f,
                "answers left out {documents} documents; these follow in the order they had"
            ),
        }
    }
}

/// How far a strategy is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Judgements and passes done.
    pub step: usize,
    /// Judgements and passes at most.
    pub steps: usize,
    /// What it has cost so far.
    pub cost: Cost,
}
