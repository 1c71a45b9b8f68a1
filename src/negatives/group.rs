//! A training group: one page, one positive query, its hard negatives, and where all came from.

use core::ops::Range;

use serde::{Deserialize, Serialize};

use super::property::Property;

/// One line of the JSONL export.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingGroup {
    /// The page.
    pub page: Page,
    /// The query that the page answers.
    pub positive: Positive,
    /// The positive in other words, still a positive.
    #[serde(default)]
    pub restated: Vec<Restatement>,
    /// Queries that look the same and that the page does not answer, those that fool the judge
    /// first, then the hardest first.
    pub negatives: Vec<Negative>,
    /// Where it came from.
    #[serde(default)]
    pub source: Source,
}

/// A page by name and text, and the name of its image where it was made from one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The caller's name for it: a path, a URL, a page number.
    pub id: String,
    /// Its text; empty where there is only an image.
    pub text: String,
    /// The caller's name for its image; the image itself is not part of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// The two prompts' verdicts: whether the page answers the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Votes {
    /// The first prompt says answerable.
    pub a: bool,
    /// The second prompt says answerable.
    pub b: bool,
}

/// A positive query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Positive {
    /// The query.
    pub query: String,
    /// The answer, where one is known.
    #[serde(default)]
    pub answer: Option<String>,
    /// Where the answer stands in the page's text, in bytes, where that is known.
    #[serde(default)]
    pub span: Option<Range<usize>>,
    /// The language model's verdicts; none for a rule-based query.
    #[serde(default)]
    pub votes: Option<Votes>,
    /// The judge's score of the page for it.
    #[serde(default)]
    pub score: Option<f32>,
}

/// How a positive was said again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// In other words, from the query alone.
    Rephrase,
    /// Made precise, with the page as context (CAR, arXiv:2308.16753).
    Rewrite,
}

/// A positive in other words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restatement {
    /// How.
    pub way: Way,
    /// The query.
    pub query: String,
    /// The verdicts on it.
    pub votes: Votes,
}

/// A hard negative query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Negative {
    /// The query.
    pub query: String,
    /// The one property changed; `None` for a free variant.
    #[serde(default)]
    pub property: Option<Property>,
    /// What stood there and what stands there now, with a property.
    #[serde(default)]
    pub from: Option<String>,
    /// See `from`.
    #[serde(default)]
    pub to: Option<String>,
    /// The language model's verdicts; none for a rule-based query.
    #[serde(default)]
    pub votes: Option<Votes>,
    /// The judge's score of the page for it.
    #[serde(default)]
    pub score: Option<f32>,
    /// Score of the positive less this score; 0 or less fools the judge.
    #[serde(default)]
    pub margin: Option<f32>,
}

/// Who made a group, with what, when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Who serves the generator, or `rules`.
    pub provider: String,
    /// The generator.
    pub model: String,
    /// The verifier as `provider/model`, or the check's name.
    pub verifier: String,
    /// Version of the prompts, or of the rules.
    pub prompts_version: String,
    /// When, as the caller says it (RFC 3339): the library has no clock in a browser.
    pub time: String,
}

impl Votes {
    /// A positive stays only when both prompts say answerable.
    #[must_use]
    pub const fn keep_positive(self) -> bool {
        self.a && self.b
    }

    /// A negative dies when either prompt says answerable.
    #[must_use]
    pub const fn keep_negative(self) -> bool {
        !self.a && !self.b
    }
}
