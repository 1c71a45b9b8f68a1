//! Words that the rules know: verbs with their forms, sets of exchangeable words, small lists.
//!
//! English only, and only what is listed in `verbs.txt` and `siblings.txt`: a sentence with
//! another verb gives no question. Precision over reach.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::super::property::Property;
use super::super::text::singular;

/// How a verb stands in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// is, has, must, …: goes before the subject in a question.
    Auxiliary,
    /// rose, opened.
    Past,
    /// rises, opens.
    Third,
    /// rise, open.
    Plain,
}

/// A form of a verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verb {
    pub(crate) form: Form,
    pub(crate) base: String,
    /// Takes "by" an amount and "to" a level.
    pub(crate) change: bool,
}

/// A set of words that can stand in each other's place.
#[derive(Debug)]
pub(crate) struct Siblings {
    pub(crate) property: Property,
    pub(crate) words: Vec<&'static str>,
    /// Its words have other meanings: used only where another of them stands on the page.
    pub(crate) topical: bool,
}

/// All that the rules know.
#[derive(Debug)]
pub(crate) struct Lexicon {
    verbs: HashMap<String, Verb>,
    participles: HashMap<String, String>,
    /// Base to past and participle, where irregular or listed.
    forms: HashMap<String, (String, String)>,
    pub(crate) siblings: Vec<Siblings>,
    /// Listed words in lower case: all but names, and names.
    nouns: HashSet<String>,
    entities: HashSet<String>,
    /// First words of listed nouns, in both numbers.
    starts: HashSet<String>,
}

const AUXILIARIES: &str =
    " is are was were has have had will would can could may might must shall should do does did ";

pub(crate) const PREPOSITIONS: &str = " of in on at to for by with from within after before across over among through \
    into between during since until under about against without per throughout as than via upon along \
    towards toward behind beyond near inside outside despite like unless while whilst if when where \
    because so although though whether ";

pub(crate) const DETERMINERS: &str = " the a an this that these those its their our his her your my each every any some all no both another such ";

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Whether `list` (words between spaces) has `word`.
pub(crate) fn among(list: &str, word: &str) -> bool {
    !word.is_empty() && list.split_ascii_whitespace().any(|known| known == word)
}

impl Lexicon {
    /// The one lexicon, read on first use.
    pub(crate) fn get() -> &'static Self {
        static LEXICON: OnceLock<Lexicon> = OnceLock::new();
        LEXICON.get_or_init(Self::new)
    }

    fn new() -> Self {
        let mut lexicon = Self {
            verbs: HashMap::new(),
            participles: HashMap::new(),
            forms: HashMap::new(),
            siblings: siblings(),
            nouns: HashSet::new(),
            entities: HashSet::new(),
            starts: HashSet::new(),
        };
        for set in &lexicon.siblings {
            let lower = set.words.iter().map(|word| word.to_lowercase());
            if set.property == Property::Entity {
                lexicon.entities.extend(lower);
                continue;
            }
            for word in lower {
                let first = word.split(' ').next().unwrap_or_default();
                lexicon.starts.extend([first.to_owned(), plural(first)]);
                lexicon.nouns.insert(word);
            }
        }
        let text = include_str!("verbs.txt");
        let (irregular, regular) = text.split_once("= regular").unwrap_or((text, ""));
        for line in irregular.lines().filter(|l| !l.starts_with(['#', '='])) {
            if let [base, past, participle] = line.split_whitespace().collect::<Vec<_>>()[..] {
                lexicon.add(base, past, participle);
            }
        }
        for base in regular.split_whitespace() {
            let past = past(base.trim_start_matches(['~', '-']));
            lexicon.add(base, &past, &past);
        }
        for word in AUXILIARIES.split_ascii_whitespace() {
            let verb = Verb {
                form: Form::Auxiliary,
                base: word.to_owned(),
                change: false,
            };
            lexicon.verbs.insert(word.to_owned(), verb);
        }
        lexicon
    }

    fn add(&mut self, base: &str, past: &str, participle: &str) {
        let (change, is_noun) = (base.starts_with('~'), base.starts_with('-'));
        let base = base.trim_start_matches(['~', '-']);
        let third = plural(base);
        let forms = [
            (past, Form::Past),
            (third.as_str(), Form::Third),
            (base, Form::Plain),
        ];
        for (word, form) in forms.into_iter().take(if is_noun { 1 } else { 3 }) {
            let verb = Verb {
                form,
                base: base.to_owned(),
                change,
            };
            self.verbs.entry(word.to_owned()).or_insert(verb);
        }
        self.participles
            .insert(participle.to_owned(), base.to_owned());
        let forms = (past.to_owned(), participle.to_owned());
        self.forms.insert(base.to_owned(), forms);
    }

    /// The verb that a lower-case word can be.
    pub(crate) fn verb(&self, word: &str) -> Option<&Verb> {
        self.verbs.get(word)
    }

    /// Whether a lower-case word is a past participle.
    pub(crate) fn is_participle(&self, word: &str) -> bool {
        self.participles.contains_key(word) || (word.ends_with("ed") && word.len() > 4)
    }

    /// The base of a verb's form; the word without plural otherwise.
    pub(crate) fn lemma(&self, word: &str) -> String {
        let verb = self.verbs.get(word).map(|verb| &verb.base);
        let base = verb.or_else(|| self.participles.get(word));
        base.cloned().unwrap_or_else(|| singular(word))
    }

    /// Whether a lower-case word is a listed name.
    pub(crate) fn is_entity(&self, word: &str) -> bool {
        self.entities.contains(word)
    }

    /// Whether a listed noun may begin with this lower-case word.
    pub(crate) fn may_start_noun(&self, word: &str) -> bool {
        self.starts.contains(word)
    }

    /// Verb `base` in the form that `like` is of its own base.
    pub(crate) fn inflect(&self, base: &str, like: &str) -> String {
        let own = self.lemma(like);
        let regular = || (past(base), past(base));
        let (past, participle) = self.forms.get(base).cloned().unwrap_or_else(regular);
        match like {
            _ if like == own => base.to_owned(),
            _ if like == plural(&own) => plural(base),
            _ if self.participles.contains_key(like) => participle,
            _ => past,
        }
    }

    /// Whether a lower-case word, in either number, is a listed noun.
    pub(crate) fn is_noun(&self, word: &str) -> bool {
        self.nouns.contains(word) || self.nouns.contains(&singular(word))
    }
}

/// The plural of a noun, and the third person of a verb.
pub(crate) fn plural(word: &str) -> String {
    let vowel_y = ["ay", "ey", "oy", "uy"]
        .iter()
        .any(|end| word.ends_with(end));
    if word.ends_with('y') && !vowel_y {
        return format!("{}ies", &word[..word.len() - 1]);
    }
    if let Some(stem) = word.strip_suffix("man") {
        return format!("{stem}men");
    }
    let hiss = ["s", "x", "ch", "sh", "z"]
        .iter()
        .any(|end| word.ends_with(end));
    match word {
        "go" | "do" => format!("{word}es"),
        _ if hiss => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

fn past(base: &str) -> String {
    let vowel_y = ["ay", "ey", "oy"].iter().any(|end| base.ends_with(end));
    match base {
        _ if base.ends_with('e') => format!("{base}d"),
        _ if base.ends_with('y') && !vowel_y => format!("{}ied", &base[..base.len() - 1]),
        _ => format!("{base}ed"),
    }
}

fn siblings() -> Vec<Siblings> {
    let lines = include_str!("siblings.txt").lines();
    let set = |line: &'static str| {
        let (kind, words) = line.split_once(": ")?;
        let topical = kind.starts_with('~');
        let kind = kind.trim_start_matches('~');
        let property = kind
            .parse()
            .unwrap_or_else(|_| Property::Custom(kind.to_owned()));
        let words = words.split(", ").map(str::trim).collect();
        Some(Siblings {
            property,
            words,
            topical,
        })
    };
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(set)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_derived_as_english_has_them() {
        let lexicon = Lexicon::get();
        for (word, form, base) in [
            ("rose", Form::Past, "rise"),
            ("employed", Form::Past, "employ"),
            ("carries", Form::Third, "carry"),
            ("acquired", Form::Past, "acquire"),
            ("carried", Form::Past, "carry"),
            ("is", Form::Auxiliary, "is"),
            ("reaches", Form::Third, "reach"),
            ("contain", Form::Plain, "contain"),
            ("filtered", Form::Past, "filter"),
        ] {
            let verb = lexicon.verb(word).unwrap();
            assert_eq!((verb.form, verb.base.as_str()), (form, base), "{word}");
        }
        assert!(lexicon.verb("archives").is_none() && lexicon.verb("archived").is_some());
        assert!(lexicon.verb("rose").unwrap().change && !lexicon.verb("opened").unwrap().change);
        assert!(lexicon.is_participle("built") && lexicon.lemma("fell") == "fall");
    }

    #[test]
    fn every_line_of_the_siblings_is_a_set_of_at_least_two_different_words() {
        let lexicon = Lexicon::get();
        assert!(lexicon.siblings.len() > 90);
        for set in &lexicon.siblings {
            let unique: std::collections::BTreeSet<_> = set.words.iter().collect();
            assert!(
                unique.len() == set.words.len() && unique.len() > 1,
                "{set:?}"
            );
        }
    }

    #[test]
    fn plurals_are_built() {
        for (one, many) in [
            ("city", "cities"),
            ("day", "days"),
            ("bus", "buses"),
            ("fisherman", "fishermen"),
            ("branch", "branches"),
        ] {
            assert_eq!(plural(one), many);
        }
    }
}
