//! The funnel: how many were made, how many are kept, and what the others died of.
//!
//! `generated == kept + all deaths` holds for every tally that a finished run returns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Why a candidate is not in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Death {
    /// The answer that should have held it was not what the schema asks, twice.
    Malformed,
    /// The query is empty, or longer than the settings allow.
    Length,
    /// It is the positive again, or nearly.
    SamePositive,
    /// It is another candidate again, or nearly.
    Duplicate,
    /// A negative that only the first prompt calls answerable; a positive that only it calls
    /// unanswerable.
    PromptA,
    /// As `PromptA`, by the second prompt.
    PromptB,
    /// Both prompts spoke against it.
    BothPrompts,
    /// A prompt gave no verdict on it.
    NoVerdict,
    /// A prompt denied, twice, that the page answers the positive beside it, which it had affirmed
    /// alone: what it says of the negatives is worth nothing.
    Control,
    /// The positive's own page was not among the top k for it.
    Inconsistent,
    /// The edit changes nothing.
    EditUnchanged,
    /// The edit changes something outside the property's span.
    EditElsewhere,
    /// What changed is not a value of the property.
    EditWrongKind,
    /// The new value stands on the page.
    OnPage,
    /// The answer is not on the page.
    NoAnswer,
    /// Another passage of the page scores at least as high as the positive's own.
    AnsweredElsewhere,
    /// No sound negative was found for the positive.
    NoNegative,
    /// Sound, but more than were to be kept.
    Surplus,
}

/// One kind of candidate, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Candidates made; an answer that could not be read counts as one.
    pub generated: u64,
    /// Candidates in the result.
    pub kept: u64,
    /// The others.
    pub deaths: BTreeMap<Death, u64>,
}

/// All candidates of a run, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funnel {
    /// Positive queries.
    pub positives: Tally,
    /// Hard-negative queries: variants and property edits.
    pub negatives: Tally,
    /// Positives said in other words.
    pub restated: Tally,
}

impl Tally {
    /// Counts a death.
    pub(crate) fn died(&mut self, death: Death) {
        self.died_many(death, 1);
    }

    /// Counts `n` deaths of one kind.
    pub(crate) fn died_many(&mut self, death: Death, n: usize) {
        if n > 0 {
            *self.deaths.entry(death).or_default() += n as u64;
        }
    }

    /// All deaths.
    #[must_use]
    pub fn dead(&self) -> u64 {
        self.deaths.values().sum()
    }

    /// Deaths of one kind.
    #[must_use]
    pub fn dead_of(&self, death: Death) -> u64 {
        self.deaths.get(&death).copied().unwrap_or(0)
    }
}
