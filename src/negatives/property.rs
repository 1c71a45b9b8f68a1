//! Property edits: a question changed in one property, and the check that it is only that one.
//!
//! After Fin-HNQue (arXiv:2505.22584): the property kinds are the paper's, plus the user's own. A
//! model names what it changed from and to; the check puts the new value in the old one's place
//! and compares all words with the edit, so a change anywhere else is found.

use core::ops::Range;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::funnel::Death;
use super::text::{lower, lower_words, possessive, words};
use crate::error::Error;

/// What an edit may change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Property {
    /// A calendar or fiscal year.
    Year,
    /// A company, person, place, product or other name.
    Entity,
    /// A count, price, percentage or measure.
    Number,
    /// What is measured: revenue, profit, headcount.
    Metric,
    /// What it is measured of: dividends, stocks, customers.
    Subject,
    /// A line of business or a part of the whole: cloud, retail.
    Segment,
    /// The user's own, by name: "machine type".
    Custom(String),
}

/// A checked edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where the old value stands in the positive, in bytes.
    pub span: Range<usize>,
    /// The old value.
    pub from: String,
    /// The new value.
    pub to: String,
}

impl Property {
    /// The six of the paper.
    pub const PAPER: [Self; 6] = [
        Self::Year,
        Self::Entity,
        Self::Number,
        Self::Metric,
        Self::Subject,
        Self::Segment,
    ];

    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Custom(name) if name.trim().is_empty() || name.len() > 80 => Err(
                Error::argument("property", "a name of 1 to 80 bytes", format!("\"{name}\"")),
            ),
            _ => Ok(()),
        }
    }
}

/// `year`, `entity`, …, `custom:machine type`.
impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year => f.write_str("year"),
            Self::Entity => f.write_str("entity"),
            Self::Number => f.write_str("number"),
            Self::Metric => f.write_str("metric"),
            Self::Subject => f.write_str("subject"),
            Self::Segment => f.write_str("segment"),
            Self::Custom(name) => write!(f, "custom:{name}"),
        }
    }
}

impl FromStr for Property {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(name) = text.strip_prefix("custom:") {
            let property = Self::Custom(name.trim().to_owned());
            return property.check().map(|()| property);
        }
        let known = Self::PAPER.into_iter().find(|p| p.to_string() == text);
        known.ok_or_else(|| {
            let expected = "year, entity, number, metric, subject, segment or custom:NAME";
            Error::argument("property", expected, format!("\"{text}\""))
        })
    }
}

impl From<Property> for String {
    fn from(property: Property) -> Self {
        property.to_string()
    }
}

impl TryFrom<String> for Property {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

/// Checks that `edited` is `positive` with `from` replaced by `to` and nothing else, and that both
/// are values of `property`. Case, punctuation and a/an do not count as changes; all occurrences
/// of `from` may have changed, or one.
///
/// # Errors
/// `EditUnchanged`, `EditElsewhere` or `EditWrongKind`.
pub fn check_edit(
    property: &Property,
    positive: &str,
    edited: &str,
    from: &str,
    to: &str,
) -> Result<Change, Death> {
    let spans = parts(positive);
    let (old, new) = (folded(positive), folded(edited));
    let (from_words, to_words) = (folded(from), folded(to));
    if old == new || from_words == to_words {
        return Err(Death::EditUnchanged);
    }
    if from_words.is_empty() || to_words.is_empty() {
        return Err(Death::EditElsewhere);
    }
    let n = from_words.len();
    let places: Vec<usize> = (0..=old.len().saturating_sub(n))
        .filter(|&at| old[at..].starts_with(&from_words))
        .collect();
    let replaced = |places: &[usize]| {
        let mut words = Vec::with_capacity(new.len());
        let mut at = 0;
        for &place in places.iter().filter(|&&p| p + n <= old.len()) {
            if place < at {
                continue;
            }
            words.extend_from_slice(&old[at..place]);
            words.extend_from_slice(&to_words);
            at = place + n;
        }
        words.extend_from_slice(&old[at..]);
        words
    };
    let one = places.iter().find(|&&place| replaced(&[place]) == new);
    let all = || places.first().filter(|_| replaced(&places) == new);
    let at = *one.or_else(all).ok_or(Death::EditElsewhere)?;
    if !is_value(property, from, to) {
        return Err(Death::EditWrongKind);
    }
    let span = spans[at].start..spans[at + n - 1].end;
    Ok(Change {
        from: positive[span.clone()].to_owned(),
        to: to.trim().to_owned(),
        span,
    })
}

/// Words, the `'s` of a possessive by itself: a name may be given with it or without.
fn parts(text: &str) -> Vec<Range<usize>> {
    let apart = |span: Range<usize>| {
        let (bare, _) = possessive(&text[span.clone()]);
        let end = span.start + bare.len();
        [span.start..end, end..span.end]
    };
    let both = words(text).into_iter().flat_map(apart);
    both.filter(|part| !part.is_empty()).collect()
}

fn folded(text: &str) -> Vec<String> {
    let fold = |part: Range<usize>| {
        let word = lower(&text[part]);
        if word == "a" { "an".to_owned() } else { word }
    };
    parts(text).into_iter().map(fold).collect()
}

/// Whether a change from one to the other is a change of `property`.
fn is_value(property: &Property, from: &str, to: &str) -> bool {
    match property {
        Property::Year => years(from).is_some() && years(to).is_some(),
        Property::Number => {
            let counts = |text: &str| has_number(text) && years(text).is_none();
            counts(from) && counts(to)
        }
        Property::Entity => are_names(from, to),
        // A changed figure would be a second property.
        Property::Metric | Property::Subject | Property::Segment => digits(from) == digits(to),
        Property::Custom(_) => true,
    }
}

/// Whether both may be names: with a word that does not begin in lower case, or goes on otherwise than
/// it began (`lme4`, `openGauss`). Where one is of that kind, the other may be in lower case (`nlme`).
fn are_names(from: &str, to: &str) -> bool {
    let any =
        |text: &str, holds: fn(&str) -> bool| words(text).into_iter().any(|w| holds(&text[w]));
    let capital = |word: &str| !word.starts_with(char::is_lowercase);
    let coded = |word: &str| {
        word.starts_with(char::is_lowercase)
            && word.contains(|c: char| c.is_uppercase() || c.is_ascii_digit())
    };
    let named = |text| any(text, capital) || any(text, coded);
    let alike = any(from, coded) && words(from).len() == words(to).len();
    !is_bare_number(from) && !is_bare_number(to) && named(from) && (named(to) || alike)
}

/// The year that `text` is about, if it is about nothing else: `2021`, `FY21`, `fiscal year 2021`.
pub(crate) fn years(text: &str) -> Option<Vec<String>> {
    let words = lower_words(text);
    let fiscal = |w: &str| {
        matches!(
            w,
            "fy" | "fiscal" | "year" | "financial" | "the" | "in" | "of"
        )
    };
    let span = |w: &str| {
        let mut parts = w.split(['-', '/', '–']);
        let first = parts.next().is_some_and(is_year);
        first && parts.all(|p| p.len() <= 4 && p.parse::<u16>().is_ok())
    };
    let short = |w: &str| {
        let tail = w.strip_prefix("fy").unwrap_or_default();
        is_year(tail) || (tail.len() == 2 && tail.parse::<u8>().is_ok())
    };
    let quarter = |w: &str| matches!(w, "q1" | "q2" | "q3" | "q4" | "h1" | "h2");
    let fits = |w: &String| span(w) || short(w) || fiscal(w) || quarter(w);
    let any = words.iter().any(|w| span(w) || short(w));
    (any && words.iter().all(fits)).then_some(words)
}

/// Whether a word is a year between 1000 and 2199.
pub(crate) fn is_year(word: &str) -> bool {
    word.len() == 4
        && word.bytes().all(|b| b.is_ascii_digit())
        && (word.starts_with('1') || word.starts_with("20") || word.starts_with("21"))
}

/// Numbers as words, `zero` first; beyond twenty the tens.
pub(crate) const NUMBER_WORDS: [&str; 28] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
];

fn has_number(text: &str) -> bool {
    let more = [
        "hundred", "thousand", "million", "billion", "half", "third", "quarter", "dozen",
    ];
    let word = |w: &String| {
        w.chars().any(|c| c.is_ascii_digit())
            || w.split('-')
                .any(|p| NUMBER_WORDS.contains(&p) || more.contains(&p))
    };
    lower_words(text).iter().any(word)
}

fn is_bare_number(text: &str) -> bool {
    (lower_words(text).iter()).all(|w| !w.chars().any(char::is_alphabetic))
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests;
