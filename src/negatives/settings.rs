//! Every number of the pipeline, with its range.

use core::fmt::Display;
use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::property::Property;
use crate::error::Error;
use crate::llm::LlmImage;

/// How a page becomes training groups. The defaults are `DocReRank`'s where the paper gives one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// Positive queries asked for, 1..=50. The paper's number is not published.
    pub candidates: usize,
    /// Positives kept, each a training group, 1..=50. The paper keeps one a page.
    pub positives: usize,
    /// A positive stays when its page is among the first so many for it, 1..=100.
    pub consistent_within: usize,
    /// Free variants asked for of each positive, 0..=50. The paper: 12.
    pub variants: usize,
    /// Properties to change, one prompt each; none is the paper's plain mode.
    pub properties: Vec<Property>,
    /// Edits asked for of each property, 1..=20.
    pub edits: usize,
    /// Negatives kept of each positive, hardest first, 1..=20. The paper: 3.
    pub negatives: usize,
    /// Share of content words at which two queries count as one, 0.5..=1.
    pub near_duplicate: f32,
    /// Share of positives to rephrase, 0..=1. The paper: a half.
    pub rephrase: f32,
    /// Share of positives to rewrite with the page as context (CAR), 0..=1.
    pub rewrite: f32,
    /// Candidates in one verification prompt, 1..=50; negatives have their positive among them.
    pub verify_at_once: usize,
    /// Temperature of generation, 0..=2; verification is always at 0.
    pub temperature: f32,
    /// Longest query in words, 4..=200.
    pub query_words: usize,
    /// Longest page in bytes, 200..=1000000; a longer one is refused, never cut.
    pub page_bytes: usize,
    /// Decides every draw.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            candidates: 10,
            positives: 6,
            consistent_within: 2,
            variants: 12,
            properties: Vec::new(),
            edits: 2,
            negatives: 3,
            near_duplicate: 0.9,
            rephrase: 0.5,
            rewrite: 0.0,
            verify_at_once: 12,
            temperature: 0.8,
            query_words: 60,
            page_bytes: 48_000,
            seed: 0,
        }
    }
}

impl Settings {
    /// Checks every range.
    ///
    /// # Errors
    /// `invalid_argument` that names the first setting out of range.
    pub fn check(&self) -> Result<(), Error> {
        within("candidates", self.candidates, 1..=50)?;
        within("positives", self.positives, 1..=50)?;
        within("consistentWithin", self.consistent_within, 1..=100)?;
        within("variants", self.variants, 0..=50)?;
        within("edits", self.edits, 1..=20)?;
        within("negatives", self.negatives, 1..=20)?;
        within("nearDuplicate", self.near_duplicate, 0.5..=1.0)?;
        within("rephrase", self.rephrase, 0.0..=1.0)?;
        within("rewrite", self.rewrite, 0.0..=1.0)?;
        within("verifyAtOnce", self.verify_at_once, 1..=50)?;
        within("temperature", self.temperature, 0.0..=2.0)?;
        within("queryWords", self.query_words, 4..=200)?;
        within("pageBytes", self.page_bytes, 200..=1_000_000)?;
        if self.variants == 0 && self.properties.is_empty() {
            let expected = "variants or at least one property";
            return Err(Error::argument("variants", expected, "neither"));
        }
        self.properties.iter().try_for_each(Property::check)
    }

    /// Checks the page against its limit; with an image it needs no text.
    pub(crate) fn check_page(&self, page: &str, image: Option<&LlmImage>) -> Result<(), Error> {
        if page.trim().is_empty() && image.is_none() {
            let expected = "some text, or an image and a language model that sees";
            return Err(Error::argument("page", expected, "none"));
        }
        if page.len() > self.page_bytes {
            let expected = format!("at most {} bytes; cut it into pages", self.page_bytes);
            return Err(Error::argument("page", expected, page.len()));
        }
        Ok(())
    }
}

/// Checks one number; NaN is in no range.
pub(crate) fn within<T: PartialOrd + Display>(
    argument: &'static str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    let expected = format!("{} to {}", range.start(), range.end());
    Err(Error::argument(argument, expected, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_range_and_every_number_is_checked() {
        assert_eq!(Settings::default().check(), Ok(()));
        type Spoil = (&'static str, fn(&mut Settings));
        let spoil: [Spoil; 15] = [
            ("candidates", |s| s.candidates = 0),
            ("positives", |s| s.positives = 51),
            ("consistentWithin", |s| s.consistent_within = 0),
            ("variants", |s| s.variants = 51),
            ("variants", |s| s.variants = 0),
            ("edits", |s| s.edits = 0),
            ("negatives", |s| s.negatives = 21),
            ("nearDuplicate", |s| s.near_duplicate = 0.4),
            ("rephrase", |s| s.rephrase = f32::NAN),
            ("rewrite", |s| s.rewrite = -0.1),
            ("verifyAtOnce", |s| s.verify_at_once = 0),
            ("temperature", |s| s.temperature = 2.1),
            ("queryWords", |s| s.query_words = 3),
            ("pageBytes", |s| s.page_bytes = 10),
            ("property", |s| {
                s.properties = vec![Property::Custom(" ".into())]
            }),
        ];
        for (name, spoil) in spoil {
            let mut settings = Settings::default();
            spoil(&mut settings);
            let error = settings.check().unwrap_err();
            assert_eq!(error.code(), "invalid_argument");
            assert!(error.to_string().starts_with(name), "{name}: {error}");
        }
    }

    #[test]
    fn a_page_is_refused_rather_than_cut() {
        let settings = Settings::default();
        let check = |page: &str| settings.check_page(page, None);
        assert!(check(&"x".repeat(48_001)).is_err());
        assert!(check(" \n").is_err());
        assert_eq!(check("Some text."), Ok(()));
    }
}
