//! Single-property edits of a question whose new value does not stand on the page.
//!
//! Years move by a few, numbers by a tenth to the double in the same format, names and nouns give
//! way to siblings of the lexicon or, for a name it does not know, to an invented one. Each word
//! of the new value is looked up on the page in all its forms before the edit is offered.

use super::super::property::{Property, is_year};
use super::super::text::possessive;
use super::find::{Token, is_month, is_number, tokens};
use super::lexicon::{DETERMINERS, Lexicon, MONTHS, PREPOSITIONS, among, plural};
use super::seen::Seen;
use super::values::{MONTH_DAYS, day_of_month, other_numbers, other_versions, other_years};
use core::ops::Range;

/// A changed question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edited {
    pub(crate) query: String,
    pub(crate) property: Property,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// Most edits of one place in a question.
const EACH: usize = 4;
const HEADS: [&str; 8] = [
    "Halden",
    "Corvus",
    "Meridian",
    "Ashford",
    "Norvale",
    "Tamarind",
    "Bellweather",
    "Lindqvist",
];
const PEOPLE: [&str; 6] = [
    "Helen Marsh",
    "Jonas Lindqvist",
    "Priya Raman",
    "Tomas Novak",
    "Ruth Calder",
    "Samuel Osei",
];
const FIELDS: [&str; 7] = [
    "Health",
    "Education",
    "Finance",
    "Transport",
    "Agriculture",
    "Justice",
    "Defence",
];
const PLACES: [&str; 8] = [
    "Aberdeen", "Tampere", "Ghent", "Porto", "Leipzig", "Galway", "Turin", "Uppsala",
];
const ORDINALS: [&str; 12] = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth",
];
/// Adjectives that go with nearly every noun.
const PLAIN_ADJECTIVES: &str = " new old total annual average first second third last main other own current former local \
    national regional foreign domestic public private large small big major minor official additional entire whole overall \
    good net gross monthly weekly daily early late recent previous next final young western eastern northern southern ";
/// Nouns that are none of their kind in "a function of", "a class of".
const IDIOMS: &str = " function class area range volume body model branch family library ";
const GIVEN: &str = " mary john james robert michael linda david anna maria peter paul susan karen lars erik ingrid hanna \
    jan eva nils ole kari marta thomas sarah laura emma olga ivan richard ian bruce jane alice henry george martin elena ";

/// Edits of `question`, sound ones and, second, how many fell because the value is on the page.
pub(crate) fn edits(question: &str, seen: &Seen, lexicon: &Lexicon) -> (Vec<Edited>, usize) {
    let tokens = tokens(question);
    let mut proposals: Vec<(Range<usize>, Property, Vec<String>)> = Vec::new();
    let mut k = 1;
    while k < tokens.len() {
        let token = &tokens[k];
        if is_year(&token.lower) {
            proposals.push((k..k + 1, Property::Year, other_years(&token.lower)));
        } else if is_month(token) {
            let day = [tokens.get(k + 1), Some(&tokens[k - 1])];
            let day = day
                .into_iter()
                .flatten()
                .find_map(|t| day_of_month(&t.lower));
            let others = (MONTHS.iter().zip(MONTH_DAYS))
                .filter(|(m, days)| {
                    m.to_lowercase() != token.lower && day.is_none_or(|day| day <= *days)
                })
                .map(|(m, _)| (*m).to_owned());
            proposals.push((k..k + 1, Property::Custom("month".into()), others.collect()));
        } else if is_number(&token.lower)
            && !tokens.get(k + 1).is_some_and(is_month)
            && !is_month(&tokens[k - 1])
        {
            let written = &question[token.span.clone()];
            let named = tokens[k - 1].capital && k > 1 && tokens[k - 1].mark.is_none();
            let versions = tokens[k.saturating_sub(2)..k]
                .iter()
                .any(|t| among(" version versions release releases ", &t.lower));
            let version = named || versions;
            let others = match version.then(|| other_versions(written)).flatten() {
                Some(versions) => versions,
                None => other_numbers(written),
            };
            proposals.push((k..k + 1, Property::Number, others));
        } else if let Some(at) = ORDINALS.iter().position(|word| *word == token.lower) {
            let near = [at + 1, at + 2, at + 3, at.wrapping_sub(1)];
            let others = near.iter().filter_map(|&i| ORDINALS.get(i));
            let others = others.map(|word| (*word).to_owned()).collect();
            proposals.push((k..k + 1, Property::Custom("ordinal".into()), others));
        } else {
            let end = name_end(&tokens, k, seen, lexicon);
            if end > k {
                let (range, others) = other_names(question, &tokens, k..end, lexicon);
                proposals.push((range, Property::Entity, others));
                k = end;
                continue;
            }
            proposals.extend(opposite(&tokens, k, lexicon));
            if let Some((range, property, others)) = siblings(&tokens, k, seen, lexicon) {
                let end = range.end;
                proposals.push((range, property, others));
                k = end;
                continue;
            }
        }
        k += 1;
    }
    let (mut turns, mut on_page) = (Vec::new(), 0);
    for (range, property, others) in proposals {
        let span = tokens[range.start].span.start..tokens[range.end - 1].span.end;
        let from = &question[span.clone()];
        let mut left = EACH;
        for to in others {
            let to = like(from, &to);
            let (bare, _) = possessive(&to);
            if left == 0 {
                break;
            }
            if seen.has(bare, lexicon) {
                on_page += 1;
                continue;
            }
            left -= 1;
            let query = article(&question[..span.start], &to) + &question[span.end..];
            turns.push((
                EACH - left,
                Edited {
                    query,
                    property: property.clone(),
                    from: from.to_owned(),
                    to,
                },
            ));
        }
    }
    // The first of every place, then the second: whoever keeps the first few keeps several kinds.
    turns.sort_by_key(|(turn, _)| *turn);
    (
        turns.into_iter().map(|(_, edited)| edited).collect(),
        on_page,
    )
}

/// Where a name that begins at `k` ends; `k` when there is none.
fn name_end(tokens: &[Token], k: usize, seen: &Seen, lexicon: &Lexicon) -> usize {
    let fits = |i: usize| {
        tokens.get(i).is_some_and(|t| {
            let (bare, _) = possessive(&t.lower);
            t.capital
                && bare.len() > 1
                && !is_month(t)
                && !among(PREPOSITIONS, bare)
                && !among(DETERMINERS, bare)
        })
    };
    if !fits(k) {
        return k;
    }
    let mut end = k + 1;
    while fits(end) && tokens[end - 1].mark.is_none() {
        end += 1;
    }
    if end < tokens.len() && tokens[end].lower == "of" && fits(end + 1) && end == k + 1 {
        end += 2;
        while fits(end) {
            end += 1;
        }
    }
    let (bare, _) = possessive(&tokens[k].lower);
    let ordinary =
        seen.is_plain(bare) || lexicon.is_noun(bare) || bare.contains('-') && seen.is_plain(bare);
    let whole: Vec<&str> = tokens[k..end].iter().map(|t| t.lower.as_str()).collect();
    if lexicon.is_noun(&whole.join(" ")) {
        return k;
    }
    if end == k + 1 && ordinary { k } else { end }
}

fn other_names(
    question: &str,
    tokens: &[Token],
    range: Range<usize>,
    lexicon: &Lexicon,
) -> (Range<usize>, Vec<String>) {
    let text = &question[tokens[range.start].span.start..tokens[range.end - 1].span.end];
    let (bare, ending) = possessive(text);
    for set in lexicon
        .siblings
        .iter()
        .filter(|s| s.property == Property::Entity)
    {
        if set.words.contains(&bare) {
            // Neighbours first: the lists are in order of likeness.
            let at = set.words.iter().position(|w| *w == bare).unwrap_or(0);
            let n = set.words.len();
            let others = (1..n).map(|i| set.words[(at + i) % n].to_owned()).collect();
            return (range, others);
        }
    }
    let words: Vec<&str> = bare.split_whitespace().collect();
    let turn = bare.len() % HEADS.len();
    let heads = (0..HEADS.len()).map(|i| HEADS[(i + turn) % HEADS.len()]);
    // "XLogFlush" and "PostgreSQL" are spelt like nothing that could be invented.
    let inner = |word: &&str| word.chars().skip(1).any(char::is_uppercase);
    let acronym = words.iter().any(|word| inner(word) && word.len() > 3)
        || bare.chars().all(|c| c.is_uppercase() || !c.is_alphabetic())
        || bare.chars().any(|c| c.is_ascii_digit());
    let others: Vec<String> = match words[..] {
        _ if acronym => Vec::new(),
        [first, _] if among(GIVEN, &first.to_lowercase()) => {
            PEOPLE.iter().map(|p| (*p).to_owned()).collect()
        }
        // "Ministry of Energy", "Bank of Norway": another field, another place.
        [_, "of", _] if !ending.is_empty() => Vec::new(),
        [head, "of", last] => {
            let fields = among(
                " ministry department institute faculty secretary minister ",
                &head.to_lowercase(),
            );
            let others: &[&str] = if fields { &FIELDS } else { &PLACES };
            let other = others.iter().filter(|o| **o != last);
            other.map(|other| format!("{head} of {other}")).collect()
        }
        [_] if range.start > 0 && among(" in near at ", &tokens[range.start - 1].lower) => {
            PLACES.iter().map(|place| (*place).to_owned()).collect()
        }
        [_, .., last] => heads.map(|head| format!("{head} {last}")).collect(),
        _ => heads.map(str::to_owned).collect(),
    };
    (range, others)
}

type Proposal = (Range<usize>, Property, Vec<String>);

/// Rise for fall, opened for closed, largest for smallest.
fn opposite(tokens: &[Token], k: usize, lexicon: &Lexicon) -> Option<Proposal> {
    let token = &tokens[k];
    let lemma = lexicon.lemma(&token.lower);
    let is_verb = lexicon.verb(&token.lower).is_some() || lexicon.is_participle(&token.lower);
    let before = &tokens[k - 1].lower;
    // "open source", "an open case", "many open cases": only a verb has an opposite that is a verb.
    let adjective = among(DETERMINERS, before)
        || among(" many much few several more most other how ", before)
        || token.lower == "open" && tokens.get(k + 1).is_some_and(|t| t.lower == "source");
    let after = tokens.get(k + 1).map_or("", |t| t.lower.as_str());
    // "no longer", "every single row", "in parallel with", "is written to the log".
    let idiom = token.lower == "longer" && before == "no"
        || token.lower == "single" && before == "every"
        || among(PREPOSITIONS, before) && (among(PREPOSITIONS, after) || after.is_empty())
        || lexicon.is_participle(&token.lower)
            && among(" is are was were be been ", before)
            && among(PREPOSITIONS, after);
    for set in lexicon
        .siblings
        .iter()
        .filter(|s| s.property == Property::Custom("opposite".into()))
    {
        let verb = lexicon.verb(set.words[0]).is_some() || lexicon.verb(set.words[1]).is_some();
        let own = if verb {
            lemma.as_str()
        } else {
            token.lower.as_str()
        };
        let Some(at) = set.words.iter().position(|w| *w == own) else {
            continue;
        };
        if verb && (!is_verb || adjective) || !verb && idiom || token.capital {
            continue;
        }
        let other = set.words[1 - at];
        let other = if verb {
            lexicon.inflect(other, &token.lower)
        } else {
            other.to_owned()
        };
        return Some((k..k + 1, set.property.clone(), vec![other]));
    }
    None
}

/// Siblings of the listed noun that begins at `k`, the longest first.
fn siblings(tokens: &[Token], k: usize, seen: &Seen, lexicon: &Lexicon) -> Option<Proposal> {
    if !lexicon.may_start_noun(&tokens[k].lower) {
        return None;
    }
    let before = tokens[k - 1].lower.as_str();
    let noun_place = among(DETERMINERS, before)
        || among(PREPOSITIONS, before)
        || among(" many much percentage and or ", before);
    if lexicon.verb(&tokens[k].lower).is_some() && !noun_place {
        return None;
    }
    // "As a function of", "an area of research".
    let next = tokens.get(k + 1).map_or("", |t| t.lower.as_str());
    if next == "of" && among(" a an ", before) && among(IDIOMS, &tokens[k].lower) {
        return None;
    }
    // "Secretary of the Treasury" is a name, "mixed models" are a kind of their own.
    let noun_place = noun_place || lexicon.verb(before).is_some();
    let part = tokens[k].capital
        && (next == "of"
            || [k - 1, k + 1]
                .iter()
                .any(|&at| at > 0 && is_capital(tokens, at)));
    if part || !(noun_place || among(PLAIN_ADJECTIVES, before)) {
        return None;
    }
    let mut best: Option<(usize, usize, Proposal)> = None;
    for set in &lexicon.siblings {
        if set.property == Property::Entity || set.property == Property::Custom("opposite".into()) {
            continue;
        }
        for word in &set.words {
            let parts: Vec<&str> = word.split(' ').collect();
            let end = k + parts.len();
            if end > tokens.len() || tokens[k..end - 1].iter().any(|t| t.mark.is_some()) {
                continue;
            }
            let last = parts[parts.len() - 1];
            let here = |i: usize| tokens[k + i].lower.as_str();
            let head = parts[..parts.len() - 1]
                .iter()
                .enumerate()
                .all(|(i, part)| here(i) == *part);
            let (one, many) = (
                here(parts.len() - 1) == last,
                here(parts.len() - 1) == plural(last),
            );
            // "file names" are no kind of file: a socket has none.
            let compound =
                !many && end < tokens.len() && is_noun_after(&tokens[end - 1..=end], lexicon);
            if !head || !(one || many) || compound {
                continue;
            }
            let known = set.words.iter().filter(|w| seen.has(w, lexicon)).count();
            if set.topical && known < 2 {
                continue;
            }
            if best
                .as_ref()
                .is_some_and(|(length, others, _)| (*length, *others) >= (parts.len(), known))
            {
                continue;
            }
            let shares = |other: &&&str| !other.split(' ').any(|part| parts.contains(&part));
            let number = |other: &&str| {
                if many {
                    plural(other)
                } else {
                    (*other).to_owned()
                }
            };
            let at = set.words.iter().position(|w| w == word).unwrap_or(0);
            let turned: Vec<&str> = set.words[at..]
                .iter()
                .chain(&set.words[..at])
                .copied()
                .collect();
            let others = turned.iter().filter(shares).map(number).collect();
            best = Some((parts.len(), known, (k..end, set.property.clone(), others)));
        }
    }
    best.map(|(_, _, proposal)| proposal)
}

fn is_capital(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|t| t.capital)
}

/// Whether the second of two words may be a noun that the first one describes.
fn is_noun_after(pair: &[Token], lexicon: &Lexicon) -> bool {
    let [first, second] = pair else { return false };
    let word = second.lower.as_str();
    let other = among(PREPOSITIONS, word)
        || among(DETERMINERS, word)
        || among(" and or but not be been only also which who that ", word)
        || lexicon.is_participle(word)
        || lexicon.verb(word).is_some()
        || word.ends_with("ly");
    first.mark.is_none() && !other && word.chars().all(char::is_alphabetic)
}

/// `to` with the capitals and the 's of `from`.
fn like(from: &str, to: &str) -> String {
    let mut text = to.to_owned();
    let capital = from.starts_with(char::is_uppercase) && to.starts_with(char::is_lowercase);
    if capital {
        let title = |word: &str| {
            word.chars().next().map_or_else(String::new, |c| {
                c.to_uppercase().chain(word.chars().skip(1)).collect()
            })
        };
        text = text
            .split(' ')
            .map(title)
            .collect::<Vec<String>>()
            .join(" ");
    }
    text + possessive(from).1
}

/// `before` and `to`, with a or an as `to` wants it.
fn article(before: &str, to: &str) -> String {
    let trimmed = before.trim_end();
    let long_u = ["us", "uni", "eu"]
        .iter()
        .any(|start| to.to_lowercase().starts_with(start));
    let vowel = !long_u && to.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O']);
    for (article, other, wants) in [(" a", " an", true), (" an", " a", false)] {
        if let Some(head) = trimmed.strip_suffix(article)
            && vowel == wants
        {
            return format!("{head}{other} {to}");
        }
    }
    format!("{before}{to}")
}
