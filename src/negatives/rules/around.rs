//! Questions that leave a sentence as it stands and take only the answer out: a time, a number that
//! begins it, or its subject. For sentences that have no fact to ask for in a better way.
//!
//! "In 1996, Bruce Perens replaced Ian Murdock" becomes "In which year was it that Bruce Perens
//! replaced Ian Murdock?": no inversion, so neither the subject nor the verb need be found, only
//! that there is one. Stiff English, but nothing that a reranker or a reader would misread.

use core::ops::Range;

use super::clause::{Clause, LEADS, PRONOUNS, RELATIVE, strong};
use super::find::{Fact, Kind, is_month, is_number};
use super::lexicon::{DETERMINERS, Form, PREPOSITIONS, among};
use super::question::Asked;
use super::sentence::Sentence;

/// Words of a statement, without its fact.
const WORDS: core::ops::RangeInclusive<usize> = 4..=20;

impl Sentence<'_> {
    /// The question for a fact, asked around it.
    pub(crate) fn ask_around(&self, fact: &Fact) -> Option<Asked> {
        let query = match fact.kind {
            Kind::Year | Kind::Date => self.when_was_it(fact),
            Kind::Quantity if fact.tokens.start == 0 => self.counted_subject(fact),
            Kind::Quantity if fact.tokens.start >= 2 => self.there_were(fact),
            _ => None,
        }?;
        let worth = 3;
        let answer = self.bytes(&fact.tokens);
        Some(Asked {
            query,
            answer,
            worth,
        })
    }

    /// "What compresses files using the block sorting algorithm?"
    pub(crate) fn ask_subject(&self, clause: &Clause) -> Option<Asked> {
        let (subject, rest) = (&clause.subject, &clause.rest);
        let (first, verb) = (self.word(subject.start), self.word(clause.at));
        let many = self.tokens[subject.clone()]
            .iter()
            .any(|t| t.lower == "and");
        let asks_for_one = match clause.verb.form {
            Form::Auxiliary => {
                among(" is was has ", verb) && !among(" a an the ", self.word(rest.start))
            }
            Form::Past | Form::Third => true,
            Form::Plain => false,
        };
        // A name may be somebody's: "what" would be wrong, and "who" as well.
        let own_name = self.tokens[subject.start].capital && !self.common(subject.start);
        let acts = clause.verb.form != Form::Third;
        let name = own_name
            && acts
            && !self.lexicon.is_entity(first)
            && !self.tokens[subject.clone()]
                .iter()
                .any(|t| t.lower.contains(|c: char| c.is_ascii_digit()));
        let vague = among(
            " this these that those such it each every any some another other same ",
            first,
        ) || among(
            " not also still now that very so to ",
            self.word(rest.start),
        );
        let misread = self.tokens[subject.clone()].iter().any(|t| {
            self.lexicon
                .verb(&t.lower)
                .is_some_and(|verb| verb.form == Form::Auxiliary)
        });
        let unclear = many || name || vague || misread;
        if unclear || !asks_for_one || !(4..=18).contains(&rest.len()) {
            return None;
        }
        let tail = self.slice(&(clause.at..rest.end));
        let lead = self.lead_text(clause);
        let query = self.tidy(&format!("What {tail} {lead}?"))?;
        let answer = self.bytes(subject);
        let worth = 2;
        Some(Asked {
            query,
            answer,
            worth,
        })
    }

    /// "When was it that Debian 3.1 was released for the same architectures?"
    fn when_was_it(&self, fact: &Fact) -> Option<String> {
        let (start, end) = (fact.tokens.start, fact.tokens.end);
        let before = start.checked_sub(1).map_or("", |at| self.word(at));
        let which = match (before, fact.kind) {
            ("in" | "during", Kind::Year) => "In which year was it that",
            ("in" | "on" | "during", Kind::Date) => "When was it that",
            // "was released June 6th, 2005": a date may go without a preposition.
            (word, Kind::Date) if self.lexicon.is_participle(word) => "When was it that",
            _ => return None,
        };
        let phrase = match among(" in on during ", before) {
            true => start - 1,
            false => start,
        };
        let whole = end >= self.tokens.len()
            || self.tokens[end - 1].mark.is_some()
            || among(PREPOSITIONS, self.word(end))
            || self.word(end) == "and";
        // "In January or February", "from 1996 to 1998", "in 1996 and 1997": not one answer.
        let spans = among(" to until through or ", self.word(end))
            || self.word(end) == "and"
                && !self.tokens[end..]
                    .iter()
                    .skip(1)
                    .any(|t| strong(self.lexicon, t))
            || phrase > 0 && among(" or and to ", self.word(phrase - 1));
        if !whole || spans {
            return None;
        }
        let statement = match phrase {
            0 => {
                self.tokens[end - 1].mark.filter(|&mark| mark == ',')?;
                self.slice(&self.statement(end, end)?)
            }
            _ => {
                let from = self.beginning(phrase)?;
                let all = self.statement(from, phrase)?;
                let after = self.slice(&(end..all.end.max(end)));
                format!("{} {after}", self.lowered(&(from..phrase)))
            }
        };
        // What the question says must not say when.
        let dated = self.plain(&statement)?;
        let words = dated.split(' ').count();
        WORDS.contains(&words).then(|| format!("{which} {dated}?"))
    }

    /// "Over 400 developers maintained them in 1998."
    fn counted_subject(&self, fact: &Fact) -> Option<String> {
        let next = fact.things.end;
        let verb = self.tokens.get(next)?;
        if fact.things.is_empty() || !strong(self.lexicon, verb) || verb.mark.is_some() {
            return None;
        }
        let statement = self.statement(0, next)?;
        let (things, rest) = (self.slice(&fact.things), self.slice(&(next..statement.end)));
        self.tidy(&format!("How many {things} {rest}?"))
    }

    /// "There were around 15,000 binary packages.", "At the end of 1892, there were 32 companies."
    fn there_were(&self, fact: &Fact) -> Option<String> {
        let there = fact.tokens.start - 2;
        let be = self.word(there + 1);
        let led = there > 0
            && among(LEADS, self.word(0))
            && self.tokens[there - 1].mark == Some(',')
            && !self.tokens[..there]
                .iter()
                .any(|t| among(PRONOUNS, &t.lower));
        let begins = self.word(there) == "there" && (there == 0 || led);
        if !begins || !among(" is are was were ", be) || fact.things.is_empty() {
            return None;
        }
        let statement = self.statement(there, fact.things.end)?;
        // "32 companies here and 14 companies there" is two answers.
        let mut ends = fact.things.end..statement.end;
        let end = ends.find(|&at| self.word(at) == "and" && is_number(self.word(at + 1)));
        let rest = self.slice(&(fact.things.end..end.unwrap_or(statement.end)));
        let lead = self.lowered(&(0..there));
        let lead = lead.trim_end_matches(',');
        let things = self.slice(&fact.things);
        // "there" is no reference here.
        let rest = self.plain(&format!("{things} {rest} {lead}"))?;
        Some(format!(
            "How many {} {be} there{}?",
            things,
            rest.strip_prefix(&things)?
        ))
    }

    /// Where the statement that holds token `inside` begins: at the sentence, or after its lead.
    fn beginning(&self, inside: usize) -> Option<usize> {
        let comma = self.tokens[..inside]
            .iter()
            .position(|t| t.mark == Some(','));
        match comma {
            Some(comma) if among(LEADS, self.word(0)) && comma + 2 < inside => None,
            Some(comma) if comma < 3 && !self.tokens[0].capital => Some(comma + 1),
            _ => Some(0),
        }
    }

    /// The statement from token `from`, up to where something else begins; it has a verb, and no
    /// word at its beginning that stands for another sentence's. `inside` belongs to it.
    fn statement(&self, from: usize, inside: usize) -> Option<Range<usize>> {
        let first = self.word(from);
        if first.is_empty()
            || among(PRONOUNS, first) && first != "there"
            || among(RELATIVE, first)
            || among(" this these that those ", first)
        {
            return None;
        }
        let mut end = self.tokens.len();
        for at in from..self.tokens.len() {
            let mark = self.tokens[at].mark;
            let after = self.tokens.get(at + 1);
            let stop = match mark {
                Some('.' | ';' | ':' | '—' | '–' | '!' | '?') => true,
                // "Espoo, Finland", "May 22nd, 2006" go on.
                Some(',') => {
                    !after.is_some_and(|t| {
                        t.capital || t.lower.starts_with(|c: char| c.is_ascii_digit())
                    }) && !is_month(&self.tokens[at])
                }
                _ => false,
            };
            let other = at > from
                && mark.is_none()
                && after.is_some_and(|t| {
                    among(
                        " which who whom while whereas although because but ",
                        &t.lower,
                    )
                });
            if stop || other {
                end = at + 1;
                break;
            }
        }
        // A list that a cut at its comma would falsify.
        let cut_list = self.tokens[end - 1].mark == Some(',')
            && self.tokens[end..]
                .iter()
                .take(8)
                .any(|t| among(" and or ", &t.lower))
            && !self.tokens.get(end).is_some_and(|t| {
                among(" and but which who while with as ", &t.lower)
                    || among(PREPOSITIONS, &t.lower)
            });
        let verb = self.tokens[from + 1..end]
            .iter()
            .any(|t| !t.capital && (strong(self.lexicon, t)));
        let subject = self.tokens[from..end]
            .iter()
            .take(2)
            .all(|t| !among(" to or ", &t.lower));
        let starts = !among(PREPOSITIONS, first) || among(DETERMINERS, first);
        (end > inside && verb && !cut_list && subject && starts).then_some(from..end)
    }
}
