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
use super::text::{lower_words, words};
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
    let spans = words(positive);
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

fn folded(text: &str) -> Vec<String> {
    let fold = |word: String| if word == "a" { "an".to_owned() } else { word };
    lower_words(text).into_iter().map(fold).collect()
}

/// Whether a change from one to the other is a change of `property`.
fn is_value(property: &Property, from: &str, to: &str) -> bool {
    let named = |text: &str| {
        let significant = |word: &Range<usize>| text[word.clone()].chars().next();
        let firsts: Vec<char> = words(text).iter().filter_map(significant).collect();
        firsts.iter().any(|c| !c.is_lowercase())
    };
    match property {
        Property::Year => years(from).is_some() && years(to).is_some(),
        Property::Number => {
            let counts = |text: &str| has_number(text) && years(text).is_none();
            counts(from) && counts(to)
        }
        Property::Entity => {
            named(from) && named(to) && !is_bare_number(from) && !is_bare_number(to)
        }
        // A changed figure would be a second property.
        Property::Metric | Property::Subject | Property::Segment => digits(from) == digits(to),
        Property::Custom(_) => true,
    }
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
mod tests {
    use super::*;
    use crate::random::Random;

    const POSITIVE: &str =
        "How much revenue did Northwind Energy report for its cloud unit in 2021?";

    fn check(property: &Property, edited: &str, from: &str, to: &str) -> Result<Change, Death> {
        check_edit(property, POSITIVE, edited, from, to)
    }

    #[test]
    fn an_edit_of_the_property_alone_is_located() {
        let edited = "How much revenue did Northwind Energy report for its cloud unit in 2019?";
        let change = check(&Property::Year, edited, "2021", "2019").unwrap();
        assert_eq!(&POSITIVE[change.span], "2021");
        let edited = "how much revenue did an Orion Gas Ltd report for its cloud unit in 2021";
        let error = check(
            &Property::Entity,
            edited,
            "Northwind Energy",
            "Orion Gas Ltd",
        );
        assert_eq!(error, Err(Death::EditElsewhere), "an article came in");
        let edited = "How much revenue did Orion Gas Ltd report for its cloud unit in 2021?";
        assert!(
            check(
                &Property::Entity,
                edited,
                "Northwind Energy",
                "Orion Gas Ltd"
            )
            .is_ok()
        );
    }

    #[test]
    fn a_change_outside_the_span_is_found_wherever_it_is() {
        let to = "2019";
        let honest = POSITIVE.replace("2021", to);
        let count = words(&honest).len();
        for at in 0..count {
            for extra in ["", "other"] {
                let mut spoiled: Vec<&str> =
                    words(&honest).iter().map(|w| &honest[w.clone()]).collect();
                if spoiled[at] == to {
                    continue;
                }
                if extra.is_empty() {
                    spoiled.remove(at);
                } else {
                    spoiled[at] = extra;
                }
                let result = check(&Property::Year, &spoiled.join(" "), "2021", to);
                assert_eq!(
                    result,
                    Err(Death::EditElsewhere),
                    "word {at} of {spoiled:?}"
                );
            }
        }
    }

    #[test]
    fn a_change_of_another_kind_than_the_property_dies() {
        let cases = [
            (Property::Year, "2021", "Oslo"),
            (Property::Number, "2021", "2019"),
            (Property::Entity, "cloud", "retail"),
            (Property::Metric, "2021", "2019"),
        ];
        for (property, from, to) in cases {
            let edited = POSITIVE.replace(from, to);
            assert_eq!(
                check(&property, &edited, from, to),
                Err(Death::EditWrongKind),
                "{property}"
            );
        }
        let edited = POSITIVE.replace("revenue", "profit");
        assert!(check(&Property::Metric, &edited, "revenue", "profit").is_ok());
        assert!(
            check(
                &Property::Custom("measure".into()),
                &edited,
                "revenue",
                "profit"
            )
            .is_ok()
        );
    }

    #[test]
    fn an_unchanged_or_misreported_edit_dies() {
        let same = check(&Property::Year, POSITIVE, "2021", "2021");
        assert_eq!(same, Err(Death::EditUnchanged));
        let edited = POSITIVE.replace("2021", "2019");
        assert_eq!(
            check(&Property::Year, &edited, "2020", "2019"),
            Err(Death::EditElsewhere)
        );
        assert_eq!(
            check(&Property::Year, &edited, "2021", "2018"),
            Err(Death::EditElsewhere)
        );
        assert_eq!(
            check(&Property::Year, &edited, "", "2019"),
            Err(Death::EditElsewhere)
        );
    }

    #[test]
    fn every_occurrence_or_one_may_change_and_articles_follow() {
        let positive = "Did sales in 2020 beat the plan for 2020?";
        let year = Property::Year;
        let both = check_edit(
            &year,
            positive,
            "Did sales in 2018 beat the plan for 2018?",
            "2020",
            "2018",
        );
        let one = check_edit(
            &year,
            positive,
            "Did sales in 2020 beat the plan for 2018?",
            "2020",
            "2018",
        );
        assert!(both.is_ok() && one.is_ok());
        let positive = "Which bank gave a loan to the firm?";
        let edited = "Which bank gave an advance to the firm?";
        assert!(check_edit(&Property::Subject, positive, edited, "loan", "advance").is_ok());
    }

    #[test]
    fn any_replacement_in_any_question_passes_and_keeps_the_rest() {
        let mut random = Random::new(11);
        for round in 0..500 {
            let n = 3 + random.below(12);
            let question: Vec<String> = (0..n)
                .map(|i| format!("w{}x{i}", random.below(50)))
                .collect();
            let start = random.below(n);
            let end = start + 1 + random.below((n - start).min(3));
            let to = format!("new{round} value");
            let mut edited = question.clone();
            edited.splice(start..end, [to.clone()]);
            let from = question[start..end.min(n)].join(" ");
            let custom = Property::Custom("thing".into());
            let (positive, edited) = (question.join(" ") + "?", edited.join(" "));
            let change = check_edit(&custom, &positive, &edited, &from, &to).unwrap();
            assert_eq!(change.from, from);
            let rebuilt = format!(
                "{}{to}{}",
                &positive[..change.span.start],
                &positive[change.span.end..]
            );
            assert_eq!(lower_words(&rebuilt), lower_words(&edited));
        }
    }

    #[test]
    fn properties_are_read_as_they_are_written() {
        for property in Property::PAPER
            .into_iter()
            .chain([Property::Custom("machine type".into())])
        {
            assert_eq!(property.to_string().parse(), Ok(property));
        }
        assert!("colour".parse::<Property>().is_err() && "custom: ".parse::<Property>().is_err());
        assert!(years("FY21").is_some() && years("fiscal year 2021").is_some());
        assert!(years("2021 revenue").is_none() && years("3021").is_none());
    }
}
