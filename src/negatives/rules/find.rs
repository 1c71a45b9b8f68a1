//! What a sentence states: years, dates, money, percentages, quantities and names, with their
//! places as ranges of tokens.

use core::ops::Range;

use super::super::property::{NUMBER_WORDS, is_year};
use super::super::text::{is_currency, lower, words};
use super::lexicon::{DETERMINERS, Lexicon, MONTHS, PREPOSITIONS, among};

/// A word of a sentence.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// Byte span in the sentence.
    pub(crate) span: Range<usize>,
    pub(crate) lower: String,
    /// The first mark after it before the next word, if any (a space is none).
    pub(crate) mark: Option<char>,
    /// Begins with a capital letter.
    pub(crate) capital: bool,
}

/// What kind of answer a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Year,
    Date,
    Money,
    Percent,
    /// A number of things; `things` is what follows.
    Quantity,
    /// A number of nothing named, right after is or was.
    Number,
    Name,
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) kind: Kind,
    /// Tokens of the value, with "about" or "at least" before it.
    pub(crate) tokens: Range<usize>,
    /// Tokens of what is counted, after the value.
    pub(crate) things: Range<usize>,
}

const SCALES: &str = " hundred thousand million billion trillion m bn ";
const CURRENCIES: &str = " dollars euros euro pounds crowns kronor yen usd eur gbp nok sek dkk ";
const APPROXIMATE: &str =
    " about around approximately nearly almost roughly some over exactly only just under ";
const PLURALS: &str = " people men women children staff feet data km kg mb gb tb mw gw kw kwh gwh mwh m cm mm \
    tonnes series species aircraft police ";
/// Ends in s and is no plural, or is a verb more often than a noun.
const NOT_PLURAL: &str =
    " is was has does its this plus versus across as less always perhaps access process ";

/// Words of a sentence.
pub(crate) fn tokens(sentence: &str) -> Vec<Token> {
    let spans = words(sentence);
    let next = |i: usize| spans.get(i + 1).map_or(sentence.len(), |s| s.start);
    (spans.iter().enumerate())
        .map(|(i, span)| Token {
            lower: lower(&sentence[span.clone()]),
            mark: sentence[span.end..next(i)]
                .chars()
                .find(|c| !c.is_whitespace()),
            capital: sentence[span.start..].starts_with(char::is_uppercase),
            span: span.clone(),
        })
        .collect()
}

/// Whether a token is a number in figures or words (no year-like test).
pub(crate) fn is_number(word: &str) -> bool {
    let figures = word.trim_start_matches(is_currency).trim_end_matches('%');
    let any = figures.starts_with(|c: char| c.is_ascii_digit());
    (any && figures
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, ',' | '.')))
        || word
            .split('-')
            .all(|part| NUMBER_WORDS[2..].contains(&part))
}

/// Facts of a sentence, in order, without overlaps.
pub(crate) fn facts(tokens: &[Token], lexicon: &Lexicon) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let fact = date(tokens, i)
            .or_else(|| year(tokens, i))
            .or_else(|| amount(tokens, i, lexicon))
            .or_else(|| name(tokens, i));
        match fact {
            Some(fact) => {
                i = fact.tokens.end.max(i + 1);
                facts.push(fact);
            }
            None => i += 1,
        }
    }
    facts
}

fn fact(kind: Kind, tokens: Range<usize>) -> Fact {
    Fact {
        kind,
        things: tokens.end..tokens.end,
        tokens,
    }
}

pub(crate) fn is_month(token: &Token) -> bool {
    token.capital && MONTHS.iter().any(|m| m.to_lowercase() == token.lower)
}

fn date(tokens: &[Token], i: usize) -> Option<Fact> {
    let at = |k: usize| tokens.get(k);
    let day = |k: usize| {
        at(k).is_some_and(|t| {
            let bare = t.lower.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h']);
            bare.len() <= 2 && bare.parse::<u8>().is_ok_and(|d| (1..=31).contains(&d))
        })
    };
    let month = |k: usize| at(k).is_some_and(is_month);
    let year = |k: usize| at(k).is_some_and(|t| is_year(&t.lower));
    let both = day(i) && month(i + 1) || month(i) && day(i + 1);
    let end = if both {
        if year(i + 2) { i + 3 } else { i + 2 }
    } else if month(i) && year(i + 1) {
        i + 2
    } else {
        return None;
    };
    Some(fact(Kind::Date, i..end))
}

fn year(tokens: &[Token], i: usize) -> Option<Fact> {
    let token = &tokens[i];
    let range = (1500..2150).contains(&token.lower.parse::<u32>().ok()?);
    let before = i.checked_sub(1).map(|k| &tokens[k]);
    let led = before.is_none_or(|t| {
        among(" in since by until from to of during before after and for fiscal year between early late mid ", &t.lower)
    });
    (is_year(&token.lower) && range && led).then(|| fact(Kind::Year, i..i + 1))
}

fn amount(tokens: &[Token], i: usize, lexicon: &Lexicon) -> Option<Fact> {
    let start = i;
    let i = i + modifier(&tokens[i..]);
    let token = tokens.get(i)?;
    if !is_number(&token.lower) || (i > start && is_year(&token.lower)) {
        return None;
    }
    let mut end = i + 1;
    let joined = |k: usize| tokens[k - 1].mark.is_none();
    while end < tokens.len() && joined(end) && among(SCALES, &tokens[end].lower) {
        end += 1;
    }
    let next = tokens
        .get(end)
        .filter(|_| joined(end))
        .map_or("", |t| t.lower.as_str());
    if token.lower.starts_with(is_currency) {
        return Some(fact(Kind::Money, start..end));
    }
    if among(CURRENCIES, next) {
        return Some(fact(Kind::Money, start..end + 1));
    }
    if token.lower.ends_with('%') {
        return Some(fact(Kind::Percent, start..end));
    }
    if next == "percent" || next == "per" && tokens.get(end + 1).is_some_and(|t| t.lower == "cent")
    {
        let end = if next == "percent" { end + 1 } else { end + 2 };
        return Some(fact(Kind::Percent, start..end));
    }
    let Some(things) = things(tokens, end, lexicon) else {
        let be = start > 0 && among(" is are was were ", &tokens[start - 1].lower);
        let whole = tokens[end - 1].mark.is_some() || end == tokens.len();
        return (be && whole).then(|| fact(Kind::Number, start..end));
    };
    Some(Fact {
        kind: Kind::Quantity,
        tokens: start..end,
        things,
    })
}

/// Tokens of "at least", "more than", "about" before a number.
fn modifier(tokens: &[Token]) -> usize {
    let word = |k: usize| tokens.get(k).map_or("", |t| t.lower.as_str());
    let number = |k: usize| tokens.get(k).is_some_and(|t| is_number(&t.lower));
    let two = matches!(
        (word(0), word(1)),
        ("at", "least" | "most")
            | ("more" | "less" | "fewer" | "greater", "than")
            | ("up", "to")
            | ("as", "many")
            | ("well", "over")
    );
    match () {
        () if word(0) == "no"
            && among(" more less fewer later ", word(1))
            && word(2) == "than"
            && number(3) =>
        {
            3
        }
        () if two && number(2) => 2,
        () if among(APPROXIMATE, word(0)) && number(1) => 1,
        () => 0,
    }
}

/// The counted things from token `start`: up to five words, the last of them plural.
fn things(tokens: &[Token], start: usize, lexicon: &Lexicon) -> Option<Range<usize>> {
    let mut last_plural = None;
    for (k, token) in tokens.iter().enumerate().skip(start).take(5) {
        if tokens[k - 1].mark.is_some() && k >= start {
            break;
        }
        let word = token.lower.as_str();
        let stops = among(PREPOSITIONS, word)
            || among(DETERMINERS, word)
            || among(" and or not but ", word);
        // A verb after the things ends them; the first word may look like one ("open cases").
        let verb = k > start
            && last_plural.is_some()
            && (lexicon.verb(word).is_some() || lexicon.is_participle(word));
        if stops || verb || is_number(word) || !word.chars().any(char::is_alphabetic) {
            break;
        }
        let plural = among(PLURALS, word)
            || (word.len() > 3
                && word.ends_with('s')
                && !word.ends_with("ss")
                && !word.ends_with("us")
                && !among(NOT_PLURAL, word));
        if plural {
            last_plural = Some(k + 1);
        }
    }
    last_plural.map(|end| start..end)
}

/// A run of capitalised words, not at the beginning of the sentence alone.
fn name(tokens: &[Token], i: usize) -> Option<Fact> {
    let fits = |k: usize| {
        tokens.get(k).is_some_and(|t| {
            t.capital
                && !is_month(t)
                && !among(
                    " i the a an this these in on at it we our you if when for ",
                    &t.lower,
                )
        })
    };
    if !fits(i) {
        return None;
    }
    let mut end = i + 1;
    while fits(end) && tokens[end - 1].mark.is_none() {
        end += 1;
    }
    // "of" and "and" inside a name: Bank of Norway.
    if tokens.get(end).is_some_and(|t| t.lower == "of")
        && tokens[end - 1].mark.is_none()
        && fits(end + 1)
        && end - i <= 2
    {
        end += 2;
    }
    (i > 0 || end - i > 1).then(|| fact(Kind::Name, i..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sentence: &str) -> Vec<(Kind, String, String)> {
        let tokens = tokens(sentence);
        let text = |range: &Range<usize>| match range.is_empty() {
            true => String::new(),
            false => {
                sentence[tokens[range.start].span.start..tokens[range.end - 1].span.end].to_owned()
            }
        };
        (facts(&tokens, Lexicon::get()).iter())
            .map(|f| (f.kind, text(&f.tokens), text(&f.things)))
            .collect()
    }

    fn is(kind: Kind, value: &str, things: &str) -> (Kind, String, String) {
        (kind, value.to_owned(), things.to_owned())
    }

    #[test]
    fn values_are_found_with_their_modifiers_and_what_they_count() {
        let sentence = "On 31 March 2021 the Bank of Norway lent $4.2 million to more than 4,120 small firms, 12.5% of all.";
        let expected = [
            is(Kind::Date, "31 March 2021", ""),
            is(Kind::Name, "Bank of Norway", ""),
            is(Kind::Money, "$4.2 million", ""),
            is(Kind::Quantity, "more than 4,120", "small firms"),
            is(Kind::Percent, "12.5%", ""),
        ];
        assert_eq!(found(sentence), expected);
    }

    #[test]
    fn words_are_numbers_and_years_are_not_counts() {
        let expected = [
            is(Kind::Year, "1998", ""),
            is(Kind::Quantity, "twenty-two", "mills"),
        ];
        assert_eq!(
            found("Since 1998 there are twenty-two mills here."),
            expected
        );
        assert_eq!(
            found("They need 2000 boxes."),
            [is(Kind::Quantity, "2000", "boxes")]
        );
        assert_eq!(
            found("Its length in 1860 was about 30,626."),
            [
                is(Kind::Year, "1860", ""),
                is(Kind::Number, "about 30,626", "")
            ]
        );
        assert!(found("The mark was 30 higher than before.").is_empty());
        assert!(found("See section 4 and version 2.0 of it.").is_empty());
        assert_eq!(
            found("It costs 30 per cent more, or 40 euros."),
            [
                is(Kind::Percent, "30 per cent", ""),
                is(Kind::Money, "40 euros", "")
            ]
        );
    }
}
