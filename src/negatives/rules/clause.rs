//! A sentence as clauses: what leads in, the subject, the verb, and the rest, as token ranges.
//!
//! No parser: the first finite verb after at most eleven words of subject. Whatever is not plainly
//! of that form (pronoun subjects, relative clauses before the verb, lists cut by commas) gives no
//! clause, so that no question is built on a misreading.

use core::ops::Range;

use super::super::property::is_year;
use super::find::{Token, is_month, is_number};
use super::lexicon::{DETERMINERS, Form, Lexicon, PREPOSITIONS, Verb, among};

/// A clause of a sentence.
#[derive(Debug, Clone)]
pub(crate) struct Clause {
    /// "In 2021", "If the file exists": comes last in a question.
    pub(crate) lead: Range<usize>,
    pub(crate) subject: Range<usize>,
    pub(crate) verb: Verb,
    /// The verb's token.
    pub(crate) at: usize,
    pub(crate) rest: Range<usize>,
}

pub(super) const LEADS: &str = " in on by during at after before since until from under if when for within between throughout \
    to with where as per across among unless despite ";
const DISCOURSE: &str = " however moreover furthermore also therefore thus hence additionally finally similarly \
    meanwhile overall consequently instead then nevertheless besides likewise today note but and so yet still again ";
const DISCOURSE_PAIRS: [&str; 9] = [
    "in addition",
    "for example",
    "for instance",
    "as a",
    "in particular",
    "in contrast",
    "by contrast",
    "in fact",
    "in general",
];
pub(super) const PRONOUNS: &str = " it they he she we i this these that those them there here its their our his her my who \
    which what both one such none neither either others another ";
pub(super) const RELATIVE: &str =
    " which that who whose whom where when if while because although not never what how ";
const BREAKERS: &str = " which who whose whom where while whereas but and up down compared because although with so \
    making as after before since rather if unless though including such especially mainly mostly ";
const ADVERBS: &str = " also now still then already always often usually normally generally typically currently \
    only again soon later originally recently initially finally nearly almost just ";
/// Verbs whose past is a participle as well and that stand without an object.
const LONE: &str = " add agree amount appear apply argue arrive attend begin belong borrow change close collect combine \
    come compete conclude connect consist contribute continue cooperate cross debut decide depend develop differ \
    emerge end engage enter escape evolve exist extend fail finish focus follow function gather halve happen hope invest \
    join land last launch learn lead listen live look lose meet merge migrate move negotiate occur open operate \
    originate participate pass pay perform pioneer point range rank react read refer rely remain reopen reside resign \
    respond result retire return roll run search sell serve settle shift sign spread stand start stop study succeed suffer \
    survive switch tend trade train travel turn vote wait walk win work ";
const MODALS: &str = " will would can could may might must shall should ";

/// The clauses of a sentence.
pub(crate) fn clauses(tokens: &[Token], lexicon: &Lexicon) -> Vec<Clause> {
    if !(4..=60).contains(&tokens.len()) {
        return Vec::new();
    }
    let (lead, start) = bare_lead(tokens).unwrap_or_else(|| lead(tokens));
    let mut clauses = Vec::new();
    let mut from = start;
    let mut subject = None;
    // "S rose by 5% and fell by 2%", "S rose and costs fell": at most three clauses.
    for _ in 0..3 {
        let own = if let Some(at) = finite(tokens, from, lexicon) {
            let trimmed = trim_subject(tokens, from..at);
            if !good_subject(tokens, &trimmed, &tokens[at].lower) {
                break;
            }
            subject = Some(trimmed);
            at
        } else if subject.is_some() && tokens.get(from).is_some_and(|t| strong(lexicon, t)) {
            from
        } else {
            break;
        };
        let Some(subject) = subject.clone() else {
            break;
        };
        let Some(verb) = lexicon.verb(&tokens[own].lower).cloned() else {
            break;
        };
        let means = matches!(tokens[own].lower.as_str(), "means" | "mean")
            || tokens.get(own + 1).is_some_and(|t| t.lower == "mean");
        let (rest, next) = match means {
            // A meaning is taken whole, lists and all.
            true => (Some(own + 1..tokens.len()), None),
            false => rest(tokens, own + 1, lexicon),
        };
        let Some(rest) = rest else { break };
        clauses.push(Clause {
            lead: lead.clone(),
            subject,
            verb: main_verb(verb, tokens, own, lexicon),
            at: own,
            rest,
        });
        match next {
            Some(next) => from = next,
            None => break,
        }
    }
    clauses
}

/// "has 12 files" has a main verb, "has opened" an auxiliary.
fn main_verb(verb: Verb, tokens: &[Token], at: usize, lexicon: &Lexicon) -> Verb {
    let have = matches!(verb.base.as_str(), "have" | "has" | "had");
    let auxiliary = tokens[at + 1..]
        .iter()
        .take(3)
        .any(|t| lexicon.is_participle(&t.lower) || among(" been had ", &t.lower));
    if !have || auxiliary {
        return verb;
    }
    let form = match verb.base.as_str() {
        "had" => Form::Past,
        "has" => Form::Third,
        _ => Form::Plain,
    };
    Verb {
        form,
        base: "have".into(),
        change: false,
    }
}

/// "In 1880 the capital was": a year that leads in without a comma.
fn bare_lead(tokens: &[Token]) -> Option<(Range<usize>, usize)> {
    let end = match tokens {
        [_, month, year, ..] if is_month(month) && is_year(&year.lower) => 3,
        [_, year, ..] if is_year(&year.lower) => 2,
        _ => return None,
    };
    let next = tokens.get(end)?.lower.as_str();
    let goes_on = among(PREPOSITIONS, next) || among(" and or alone ", next) || is_number(next);
    let bare = among(" in during by since ", &tokens[0].lower)
        && tokens[..end].iter().all(|t| t.mark.is_none());
    (bare && !goes_on).then_some((0..end, end))
}

/// The introduction up to its comma, and where the clause proper begins.
fn lead(tokens: &[Token]) -> (Range<usize>, usize) {
    let Some(comma) = tokens.iter().take(14).position(|t| t.mark == Some(',')) else {
        return (0..0, 0);
    };
    let first = tokens[0].lower.as_str();
    let pair = format!("{first} {}", tokens.get(1).map_or("", |t| t.lower.as_str()));
    if among(DISCOURSE, first) || DISCOURSE_PAIRS.contains(&pair.as_str()) {
        return (0..0, comma + 1);
    }
    let clean = tokens[..=comma].iter().all(|t| !among(PRONOUNS, &t.lower));
    match among(LEADS, first) && clean {
        true => (0..comma + 1, comma + 1),
        false => (0..0, 0),
    }
}

/// The first finite verb after `from`.
fn finite(tokens: &[Token], from: usize, lexicon: &Lexicon) -> Option<usize> {
    for at in from + 1..(from + 12).min(tokens.len()) {
        let (token, before) = (&tokens[at], &tokens[at - 1]);
        if before.mark.is_some_and(|m| m != '"' && m != '”') || among(RELATIVE, &token.lower) {
            return None;
        }
        let Some(verb) = lexicon.verb(&token.lower).filter(|_| !token.capital) else {
            continue;
        };
        let determined = among(DETERMINERS, &before.lower) || among(PREPOSITIONS, &before.lower);
        // A verb soon after makes this one a noun or a participle: "the mills opened in 1990 were".
        let mut later = tokens[at + 1..].iter().take(7);
        let clear = |t: &&Token| {
            t.mark.is_none() && !among(RELATIVE, &t.lower) && !among(" and or ", &t.lower)
        };
        let another = later
            .clone()
            .take_while(clear)
            .chain(later.find(|t| !clear(t)))
            .any(|t| auxiliary(lexicon, t));
        let takes = match verb.form {
            Form::Auxiliary => true,
            Form::Past => {
                let next = tokens.get(at + 1).map_or("", |t| t.lower.as_str());
                let participle = lexicon.is_participle(&token.lower);
                // "The plants established since 1890": a verb that wants an object has none here.
                let lone = !verb.change && !among(LONE, &verb.base);
                // "The wages earned were": the verb comes next.
                let twice = among(" was were is are had has have ", next);
                let hidden = participle
                    && (twice
                        || among(PREPOSITIONS, next) && (another || lone)
                        || next == "by" && !verb.change);
                !determined && !hidden
            }
            Form::Third => {
                !determined && !another && !token.capital && !before.lower.ends_with("'s")
            }
            Form::Plain => {
                let many = before.lower.ends_with('s') && !before.lower.ends_with("ss")
                    || among(" you people men women children ", &before.lower);
                !determined && !another && many && !token.capital
            }
        };
        if takes {
            return Some(at);
        }
    }
    None
}

fn auxiliary(lexicon: &Lexicon, token: &Token) -> bool {
    lexicon
        .verb(&token.lower)
        .is_some_and(|v| v.form == Form::Auxiliary)
}

/// A verb that is hardly anything else.
pub(super) fn strong(lexicon: &Lexicon, token: &Token) -> bool {
    lexicon
        .verb(&token.lower)
        .is_some_and(|v| matches!(v.form, Form::Auxiliary | Form::Past | Form::Third))
}

fn trim_subject(tokens: &[Token], subject: Range<usize>) -> Range<usize> {
    let adverb = |t: &Token| {
        among(ADVERBS, &t.lower)
            || t.lower.ends_with("ly")
                && t.lower.len() > 5
                && t.lower != "supply"
                && t.lower != "family"
                && t.lower != "assembly"
    };
    let mut range = subject;
    while range.len() > 1 && adverb(&tokens[range.end - 1]) {
        range.end -= 1;
    }
    range
}

fn good_subject(tokens: &[Token], subject: &Range<usize>, verb: &str) -> bool {
    let Some(last) = subject.clone().last() else {
        return false;
    };
    let words = || tokens[subject.clone()].iter().map(|t| t.lower.as_str());
    let ending = &tokens[last].lower;
    let first = &tokens[subject.start].lower;
    let bad_end =
        among(PREPOSITIONS, ending) || among(DETERMINERS, ending) || among(" and or to ", ending);
    let verbish =
        among(PREPOSITIONS, first) || among(" and or but nor yet so to please see note ", first);
    // "The mileage of railways in the country in 1860 was": a measure has many words.
    let most = 2 + usize::from(among(" was were is are ", verb));
    let many = words()
        .filter(|w| among(" of in for on at from by with to ", w))
        .count()
        > most;
    !bad_end && !verbish && !many && !words().any(|w| among(PRONOUNS, w) || among(RELATIVE, w))
}

/// The rest of a clause from `start`, and where the next clause begins. `None` when it holds a
/// list that a cut at a comma would falsify.
fn rest(
    tokens: &[Token],
    start: usize,
    lexicon: &Lexicon,
) -> (Option<Range<usize>>, Option<usize>) {
    for at in start..tokens.len() {
        let token = &tokens[at];
        let word = token.lower.as_str();
        if at > start && among(" and but or ", word) {
            // Another verb after it: the end of this clause, and maybe the begin of another.
            let ahead = tokens[at + 1..]
                .iter()
                .take(7)
                .position(|t| strong(lexicon, t) && !t.capital);
            let plain = tokens[at + 1..]
                .iter()
                .take(ahead.unwrap_or(0))
                .all(|t| t.mark.is_none() && !among(RELATIVE, &t.lower));
            // "and employs 4,120 people" has a verb, "and reports to the board" may have none.
            let third = ahead == Some(0)
                && lexicon
                    .verb(&tokens[at + 1].lower)
                    .is_some_and(|v| v.form == Form::Third);
            let object = tokens.get(at + 2).map_or("", |t| t.lower.as_str());
            let noun = third
                && !among(DETERMINERS, object)
                && !is_number(object)
                && !among(" about over nearly up ", object);
            if ahead.is_some() && plain && !noun {
                return (Some(start..at), Some(at + 1).filter(|_| word == "and"));
            }
        }
        if at > start + 2 && matches!(word, "provided" | "unless" | "if" | "except") {
            return (Some(start..at), None);
        }
        if at > start
            && matches!(
                word,
                "which" | "who" | "while" | "whereas" | "although" | "because"
            )
        {
            // "the point from which": the preposition goes with it.
            let led = among(PREPOSITIONS, &tokens[at - 1].lower);
            return (Some(start..at - usize::from(led)), None);
        }
        match token.mark {
            // "August 6, 2010" is one date.
            Some(',') if is_day_before_year(tokens, at) => {}
            Some(',') => {
                let after = tokens.get(at + 1).map_or("", |t| t.lower.as_str());
                let dated = is_month(token)
                    || tokens
                        .get(at + 1)
                        .is_some_and(|t| t.lower.starts_with(|c: char| c.is_ascii_digit()));
                let listed = tokens[at + 1..]
                    .iter()
                    .take(9)
                    .any(|t| among(" and or ", &t.lower));
                if listed && !among(BREAKERS, after) && !dated {
                    return (None, None);
                }
                let next = (after == "and").then_some(at + 2);
                return (Some(start..at + 1), next);
            }
            Some('.' | ';' | ':' | '—' | '–' | '!') => return (Some(start..at + 1), None),
            _ => {}
        }
    }
    (Some(start..tokens.len()), None)
}

fn is_day_before_year(tokens: &[Token], at: usize) -> bool {
    let month = at
        .checked_sub(1)
        .is_some_and(|before| is_month(&tokens[before]));
    month && tokens.get(at + 1).is_some_and(|t| is_year(&t.lower))
}

/// Whether a lower-case word is a modal verb.
pub(crate) fn is_modal(word: &str) -> bool {
    among(MODALS, word)
}

#[cfg(test)]
mod tests {
    use super::super::find::tokens;
    use super::*;

    fn parts(sentence: &str) -> Vec<[String; 4]> {
        let tokens = tokens(sentence);
        let text = |r: &Range<usize>| {
            tokens[r.clone()]
                .iter()
                .map(|t| t.lower.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        (clauses(&tokens, Lexicon::get()).iter())
            .map(|c| {
                [
                    text(&c.lead),
                    text(&c.subject),
                    c.verb.base.clone(),
                    text(&c.rest),
                ]
            })
            .collect()
    }

    fn is(lead: &str, subject: &str, verb: &str, rest: &str) -> [String; 4] {
        [lead, subject, verb, rest].map(str::to_owned)
    }

    #[test]
    fn the_first_finite_verb_parts_subject_and_rest() {
        let found = parts(
            "In 2021, the mills opened in 1990 were sold for $4 million, which surprised many.",
        );
        assert_eq!(
            found,
            [is(
                "in 2021",
                "the mills opened in 1990",
                "were",
                "sold for $4 million"
            )]
        );
        let found = parts("Revenue rose by 5% and costs fell by 2%.");
        assert_eq!(
            found,
            [
                is("", "revenue", "rise", "by 5%"),
                is("", "costs", "fall", "by 2%")
            ]
        );
        let found = parts("The port opened in 1990 and closed in 2001.");
        assert_eq!(
            found,
            [
                is("", "the port", "open", "in 1990"),
                is("", "the port", "close", "in 2001")
            ]
        );
    }

    #[test]
    fn a_year_leads_in_without_a_comma() {
        let found = parts("In 1880 the capital invested in mills was $5 million.");
        assert_eq!(
            found,
            [is(
                "in 1880",
                "the capital invested in mills",
                "was",
                "$5 million"
            )]
        );
        let found = parts("In May 1880 sales rose by 5%.");
        assert_eq!(found, [is("in may 1880", "sales", "rise", "by 5%")]);
        for sentence in [
            "In 1880 and 1881 sales rose by 5%.",
            "In 1880 alone sales rose by 5%.",
            "In 1880 it rose by 5%.",
        ] {
            assert!(parts(sentence).is_empty(), "{sentence}");
        }
    }

    #[test]
    fn a_participle_without_its_object_is_no_verb_of_the_clause() {
        for sentence in [
            "The plants established since 1890 and up to 1892 in short.",
            "The estimate submitted to the board by 3 of its members indicates little.",
        ] {
            assert!(parts(sentence).is_empty(), "{:?}", parts(sentence));
        }
        assert_eq!(
            parts("In 1880 the wages earned were $5."),
            [is("in 1880", "the wages earned", "were", "$5")]
        );
        assert_eq!(parts("The port opened since 1890 to all ships.").len(), 1);
    }

    #[test]
    fn a_preposition_goes_with_the_relative_clause_that_it_leads() {
        let found = parts("The record holds the point in the log from which the server starts.");
        assert_eq!(found[0][3], "the point in the log");
    }

    #[test]
    fn what_is_not_plain_gives_no_clause() {
        for sentence in [
            "It rose by 5% in 2021.",
            "This section describes the files.",
            "The plan covers roads, bridges and ports in 12 cities.",
            "What the plan covers is known to 12 people.",
            "Results of 12 trials in short.",
        ] {
            assert!(
                parts(sentence).is_empty(),
                "{sentence}: {:?}",
                parts(sentence)
            );
        }
    }

    #[test]
    fn have_with_an_object_is_a_main_verb() {
        assert_eq!(
            parts("The archive has 59,000 packages in total.")[0][2],
            "have"
        );
        assert_eq!(parts("The archive has gained 900 packages.")[0][2], "has");
    }
}
