//! Text to terms: Unicode words (UAX 29) in lower case, with English stop words and English stemming
//! (Snowball, Porter 2) where asked for. No language is guessed; ideographs are a term each.

use core::fmt;

use rust_stemmers::{Algorithm, Stemmer};
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// Lucene's English list.
const ENGLISH: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these",
    "they", "this", "to", "was", "will", "with",
];

/// How text becomes terms; stored with an index, so that queries are read as its documents were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analysis {
    /// What is done to word endings.
    pub stemming: Stemming,
    /// Which words are left out.
    pub stop_words: StopWords,
}

/// What is done to word endings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stemming {
    /// Words are terms as they stand.
    #[default]
    None,
    /// Snowball's English stemmer, possessives included.
    English,
}

/// Which words are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopWords {
    /// None.
    #[default]
    None,
    /// Lucene's 33 English ones.
    English,
}

impl Analysis {
    /// English stemming and stop words.
    pub const ENGLISH: Self = Self {
        stemming: Stemming::English,
        stop_words: StopWords::English,
    };

    /// The terms of `text` in its order, repeats and all.
    pub fn terms(self, text: &str) -> impl Iterator<Item = String> {
        let stemmer = match self.stemming {
            Stemming::None => None,
            Stemming::English => Some(Stemmer::create(Algorithm::English)),
        };
        let words = text.unicode_words().map(str::to_lowercase);
        words
            .filter(move |word| match self.stop_words {
                StopWords::None => true,
                StopWords::English => !ENGLISH.contains(&word.as_str()),
            })
            .map(move |word| match &stemmer {
                None => word,
                // The stemmer knows the typewriter's apostrophe only.
                Some(stemmer) => stemmer.stem(&word.replace('\u{2019}', "'")).into_owned(),
            })
    }
}

impl fmt::Display for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stemming = match self.stemming {
            Stemming::None => "words",
            Stemming::English => "english stems",
        };
        let stop_words = match self.stop_words {
            StopWords::None => "no stop words",
            StopWords::English => "english stop words",
        };
        write!(f, "{stemming}, {stop_words}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(analysis: Analysis, text: &str) -> Vec<String> {
        analysis.terms(text).collect()
    }

    #[test]
    fn words_are_unicode_words_in_lower_case() {
        let plain = Analysis::default();
        let text = "The ÉCOLE's 3.5 kg; e-mail (don\u{2019}t!) Straße 城市 \u{1f600}";
        let expected = [
            "the",
            "école's",
            "3.5",
            "kg",
            "e",
            "mail",
            "don\u{2019}t",
            "straße",
            "城",
            "市",
        ];
        assert_eq!(terms(plain, text), expected);
        assert!(terms(plain, " -- \u{1f600} … ").is_empty());
    }

    #[test]
    fn english_drops_stop_words_and_endings() {
        let text = "The patients\u{2019} and the patient's relational studies are ponies running";
        let expected = ["patient", "patient", "relat", "studi", "poni", "run"];
        assert_eq!(terms(Analysis::ENGLISH, text), expected);
        let stems = Analysis {
            stop_words: StopWords::None,
            ..Analysis::ENGLISH
        };
        assert_eq!(terms(stems, "the ponies"), ["the", "poni"]);
    }
}
