//! Words with their places, and when two queries are the same one.
//!
//! A word is a run of letters and digits with the marks inside it (`4,120`, `don't`, `x86-64`), a
//! currency sign before and a per cent sign after; a CJK character is a word of its own. Two
//! queries are near duplicates when they hold the same values (words with a digit) and the
//! Jaccard similarity of their sets of content words, plural endings folded, reaches a threshold.
//! Word order is not looked at: "did A beat B" and "did B beat A" count as the same.

use core::ops::Range;
use std::collections::BTreeSet;

/// Words that say how a question is asked, not what is asked.
const FUNCTION_WORDS: &str = " a an the of in on at to for by with from and or is are was were be \
    been being do does did has have had will would can could may might must shall should what \
    which who whom whose when where why how much many there that this these those it its as than \
    please tell me i we you your our their ";

/// Byte spans of the words of `text`.
pub(crate) fn words(text: &str) -> Vec<Range<usize>> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let end_of = |i: usize| chars.get(i).map_or(text.len(), |&(at, _)| at);
    let mut spans = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let (start, c) = chars[i];
        let next = chars.get(i + 1).map(|&(_, c)| c);
        let sign = is_currency(c) && next.is_some_and(|c| c.is_ascii_digit());
        if !c.is_alphanumeric() && !sign {
            i += 1;
            continue;
        }
        i += 1;
        if !is_cjk(c) {
            while let Some(&(_, c)) = chars.get(i) {
                let inner = matches!(c, '\'' | '’' | '-' | '.' | ',' | '/' | '&' | '_' | '+');
                let next = chars.get(i + 1).map(|&(_, c)| c);
                let before_digit = chars[i - 1].1.is_ascii_digit();
                let goes_on = match next {
                    // A comma holds digits together and nothing else.
                    Some(n) if c == ',' => before_digit && n.is_ascii_digit(),
                    Some(n) => n.is_alphanumeric(),
                    None => false,
                };
                if (c.is_alphanumeric() && !is_cjk(c)) || (inner && goes_on) {
                    i += 1;
                } else {
                    break;
                }
            }
            if chars.get(i).is_some_and(|&(_, c)| c == '%') {
                i += 1;
            }
        }
        spans.push(start..end_of(i));
    }
    spans
}

/// A word as it is compared with others: in lower case, with the plain apostrophe.
pub(crate) fn lower(word: &str) -> String {
    word.to_lowercase().replace('’', "'")
}

/// A word without the `'s` of a possessive, and that ending as it is written.
pub(crate) fn possessive(word: &str) -> (&str, &str) {
    let bare = word.strip_suffix("'s").or(word.strip_suffix("’s"));
    word.split_at(bare.unwrap_or(word).len())
}

/// Lower-case words of `text`.
pub(crate) fn lower_words(text: &str) -> Vec<String> {
    (words(text).into_iter())
        .map(|span| lower(&text[span]))
        .collect()
}

/// `text` as its lower-case words with single spaces: case, punctuation and layout are gone.
pub(crate) fn normalise(text: &str) -> String {
    lower_words(text).join(" ")
}

/// Runs of white space as one space each.
pub(crate) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the words of `needle` follow each other somewhere in `haystack`.
pub(crate) fn contains_words(haystack: &[String], needle: &[String]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|w| w == needle)
}

/// Jaccard similarity of the sets of content words, 0..1; 1 when neither has any.
#[must_use]
pub fn similarity(a: &str, b: &str) -> f32 {
    let (a, b) = (content(a), content(b));
    let union = a.union(&b).count();
    if union == 0 {
        return 1.0;
    }
    a.intersection(&b).count() as f32 / union as f32
}

/// Whether `a` and `b` ask the same thing in nearly the same words; `threshold` is that of
/// [`similarity`]. Queries that differ in a value never do.
#[must_use]
pub fn near_duplicate(a: &str, b: &str, threshold: f32) -> bool {
    if normalise(a) == normalise(b) {
        return true;
    }
    let values = |text: &str| -> Vec<String> {
        let mut values = lower_words(text);
        values.retain(|word| word.chars().any(|c| c.is_ascii_digit()));
        values.sort_unstable();
        values
    };
    values(a) == values(b) && !content(a).is_empty() && similarity(a, b) >= threshold
}

/// Content words of `text`, plural endings folded.
pub(crate) fn content(text: &str) -> BTreeSet<String> {
    (lower_words(text).iter())
        .filter(|word| !is_function_word(word))
        .map(|word| singular(word))
        .collect()
}

/// Whether a lower-case word says how is asked, not what.
pub(crate) fn is_function_word(word: &str) -> bool {
    FUNCTION_WORDS.split(' ').any(|known| known == word)
}

/// A lower-case word without its plural ending.
pub(crate) fn singular(word: &str) -> String {
    let (word, _) = possessive(word);
    if let Some(stem) = word.strip_suffix("ies")
        && stem.len() > 2
    {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => word.to_owned(),
    }
}

pub(crate) fn is_currency(c: char) -> bool {
    matches!(c, '$' | '€' | '£' | '¥' | '₹' | '₽' | '₩')
}

fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_signs_and_lose_their_punctuation() {
        let text = "Don't pay €4,120.50 (12%), x86-64 or /etc/passwd. 東京!";
        let found: Vec<&str> = words(text).into_iter().map(|w| &text[w]).collect();
        let expected = [
            "Don't",
            "pay",
            "€4,120.50",
            "12%",
            "x86-64",
            "or",
            "etc/passwd",
            "東",
            "京",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_same_question_in_other_words_of_form_is_a_near_duplicate() {
        let a = "What was the revenue of Acme in 2020?";
        assert!(near_duplicate(
            a,
            "How much revenue did Acme have in 2020?",
            0.9
        ));
        assert!(near_duplicate(
            a,
            "what was  the Revenues of ACME, in 2020",
            0.9
        ));
    }

    #[test]
    fn a_changed_value_or_a_changed_content_word_is_another_question() {
        let a = "What was the revenue of Acme in 2020?";
        assert!(!near_duplicate(
            a,
            "What was the revenue of Acme in 2021?",
            0.5
        ));
        assert!(!near_duplicate(
            a,
            "What was the profit of Acme in 2020?",
            0.9
        ));
        assert!(!near_duplicate("What is it?", "Which are these?", 0.9));
    }

    #[test]
    fn similarity_is_symmetric_and_one_for_itself() {
        let texts = [
            "How many ports?",
            "Which ports are open?",
            "",
            "港口 2020",
            "the of",
        ];
        for a in texts {
            assert!((similarity(a, a) - 1.0).abs() < f32::EPSILON);
            for b in texts {
                assert!((similarity(a, b) - similarity(b, a)).abs() < f32::EPSILON);
            }
        }
    }

    #[test]
    fn plurals_fold_and_short_words_stay() {
        for (word, stem) in [
            ("cities", "city"),
            ("boxes", "box"),
            ("classes", "class"),
            ("gas", "gas"),
            ("status", "status"),
            ("analysis", "analysis"),
            ("ports", "port"),
            ("glass", "glass"),
        ] {
            assert_eq!(singular(word), stem);
        }
    }
}
