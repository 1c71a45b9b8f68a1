//! What a page says, for looking up values in all their forms.

use core::ops::Range;
use std::collections::HashSet;

use super::super::property::{NUMBER_WORDS, is_year};
use super::super::text::{contains_words, is_currency, lower_words};
use super::find::{Token, tokens};
use super::lexicon::{Lexicon, among};

/// What the page says, for looking up values.
pub(crate) struct Seen {
    lower: Vec<String>,
    lemmas: Vec<String>,
    /// Lower-case words that stand on the page in lower case.
    plain: HashSet<String>,
    /// Lower-case forms of words with a capital that no sentence begins with.
    names: HashSet<String>,
    numbers: Vec<f64>,
    spans: Vec<Range<u32>>,
}

impl Seen {
    pub(crate) fn new(page: &str, lexicon: &Lexicon) -> Self {
        let lower = lower_words(page);
        let all = tokens(page);
        let year = |t: &Token| t.lower.parse::<u32>().ok().filter(|_| is_year(&t.lower));
        // "2015 to 2020", "2015-2020", "between 2015 and 2020" speak of the years between.
        let mut spans: Vec<Range<u32>> = (all.windows(3))
            .filter(|w| among(" to and until through ", &w[1].lower))
            .filter_map(|w| Some(year(&w[0])?..year(&w[2])? + 1))
            .collect();
        for word in &lower {
            if let Some((from, to)) = word.split_once(['-', '/', '–'])
                && is_year(from)
                && let Ok(end) = format!("{}{to}", &from[..4 - to.len().min(4)]).parse::<u32>()
            {
                spans.push(from.parse().unwrap_or(end)..end + 1);
            }
        }
        Self {
            lemmas: lower.iter().map(|word| lexicon.lemma(word)).collect(),
            plain: all
                .iter()
                .filter(|t| !t.capital)
                .map(|t| t.lower.clone())
                .collect(),
            names: (all.windows(2))
                .filter(|w| {
                    w[1].capital
                        && w[0].mark.is_none()
                        && !page[w[0].span.end..w[1].span.start].contains('\n')
                })
                .map(|w| w[1].lower.clone())
                .collect(),
            numbers: lower.iter().filter_map(|word| value(word)).collect(),
            spans,
            lower,
        }
    }

    /// Whether a word stands on the page without a capital.
    pub(crate) fn is_plain(&self, lower: &str) -> bool {
        self.plain.contains(lower)
    }

    /// Whether a word stands on the page with a capital of its own.
    pub(crate) fn is_name(&self, lower: &str) -> bool {
        self.names.contains(lower)
    }

    /// Whether a new value stands on the page in any form.
    pub(crate) fn has(&self, value_text: &str, lexicon: &Lexicon) -> bool {
        let words = lower_words(value_text);
        let lemmas: Vec<String> = words.iter().map(|word| lexicon.lemma(word)).collect();
        if contains_words(&self.lower, &words) || contains_words(&self.lemmas, &lemmas) {
            return true;
        }
        let [word] = &words[..] else { return false };
        if is_year(word) {
            let short = &word[2..];
            let fiscal = |w: &String| {
                w.strip_prefix("fy")
                    .is_some_and(|y| y == short || y == word)
                    || w.starts_with(word.as_str()) && w.contains(['-', '/', '–'])
            };
            let year = word.parse().unwrap_or(0);
            return self.lower.iter().any(fiscal) || self.spans.iter().any(|s| s.contains(&year));
        }
        value(word).is_some_and(|v| self.numbers.iter().any(|n| (n - v).abs() < 1e-9))
    }
}

/// The number that a lower-case word is.
pub(super) fn value(word: &str) -> Option<f64> {
    let figures: String = word
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let plain = word.trim_start_matches(is_currency).trim_end_matches('%');
    if plain
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
        && !figures.is_empty()
    {
        return figures.parse().ok();
    }
    let parts: Option<Vec<usize>> = word
        .split('-')
        .map(|p| NUMBER_WORDS.iter().position(|w| *w == p))
        .collect();
    let unit = |i: &usize| if *i > 20 { (i - 18) * 10 } else { *i };
    parts
        .filter(|p| !p.is_empty())
        .map(|p| p.iter().map(unit).sum::<usize>() as f64)
}
