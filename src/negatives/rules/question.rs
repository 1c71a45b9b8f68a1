//! Clauses and facts as questions: which words ask for the fact, and the clause in question order.
//!
//! Templates, not understanding: each function below is one form of English question. When no form
//! fits, there is no question.

use core::ops::Range;

use super::clause::{Clause, is_modal};
use super::find::{Fact, Kind, is_number};
use super::lexicon::{DETERMINERS, Form, PREPOSITIONS, among};
use super::sentence::{Sentence, capital};

/// A question with the place of its answer in the sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) query: String,
    /// Byte span of the answer in the sentence.
    pub(crate) answer: Range<usize>,
    /// Higher is better: 3 asks for a value, 2 for a name or place, 1 yes or no.
    pub(crate) worth: u8,
}

const COMPARATIVES: &str = " higher lower more less above below larger smaller faster slower longer shorter cheaper better worse greater fewer ";
const MEASURES: &str = " long high tall wide deep old thick ";
const ASKABLE: &str =
    " in for within after by with across at from to on among through into over until before since ";
const AGENTIVE: &str = " acquire found establish write develop announce appoint publish sign lead design build invent \
    create release approve introduce fund finance organise organize win buy sell launch discover maintain commission \
    order issue propose start adopt grant donate ";
const LOCATED: &str = " based located headquartered held born built situated stored found published installed kept moored buried ";

impl Sentence<'_> {
    /// All questions that a clause gives for a fact of the sentence.
    pub(crate) fn ask(&self, clause: &Clause, fact: &Fact) -> Vec<Asked> {
        let inside =
            |range: &Range<usize>| range.start <= fact.tokens.start && fact.tokens.end <= range.end;
        let question = if inside(&clause.subject) {
            self.subject(clause, fact)
        } else if inside(&clause.rest) {
            self.rest(clause, fact)
        } else if inside(&clause.lead) {
            self.lead(clause, fact)
        } else {
            None
        };
        let worth = if fact.kind == Kind::Name { 2 } else { 3 };
        // "What was the yield?" is answered by the number with its unit.
        let end = match &question {
            Some(asked) if asked.starts_with("What ") => fact.things.end,
            _ => fact.tokens.end,
        };
        let answer = self.bytes(&(fact.tokens.start..end));
        (question.into_iter())
            .filter_map(|query| self.tidy(&query))
            .map(|query| Asked {
                query,
                answer: answer.clone(),
                worth,
            })
            .collect()
    }

    /// Questions about the whole clause: what a thing is, what a word means, whether one may.
    pub(crate) fn ask_whole(&self, clause: &Clause) -> Option<Asked> {
        let subject = clause.subject.clone();
        let verb = self.word(clause.at);
        let named =
            self.tokens[subject.start].capital && !self.common(subject.start) && subject.len() <= 4;
        let first = self.word(clause.rest.start);
        let (query, worth) = if among(" is are ", verb)
            && named
            && among(" a an the ", first)
            && clause.rest.len() >= 4
            && clause.lead.is_empty()
        {
            (format!("What {verb} {}?", self.slice(&subject)), 2)
        } else if among(" means mean ", self.word(clause.at)) || verb == "shall" && first == "mean"
        {
            (
                format!("What does {} mean?", self.subject_text(&subject)),
                2,
            )
        } else if is_modal(verb)
            && !among(" will would could might ", verb)
            && first != "not"
            && (3..=16).contains(&clause.rest.len())
        {
            let modal = if verb == "shall" { "must" } else { verb };
            (
                self.inverted(clause, modal, core::slice::from_ref(&clause.rest), ""),
                1,
            )
        } else {
            return None;
        };
        let answer = self.bytes(&(clause.at..clause.rest.end));
        self.tidy(&query).map(|query| Asked {
            query,
            answer,
            worth,
        })
    }

    /// The fact begins the subject: no inversion.
    fn subject(&self, clause: &Clause, fact: &Fact) -> Option<String> {
        let subject = &clause.subject;
        if fact.tokens.start != subject.start {
            return None;
        }
        let after = self.slice(&(fact.tokens.end..subject.end));
        let tail = self.slice(&(clause.at..clause.rest.end));
        let lead = self.lead_text(clause);
        match fact.kind {
            Kind::Quantity if !fact.things.is_empty() => {
                Some(format!("How many {after} {tail} {lead}?"))
            }
            Kind::Percent if after.starts_with("of ") => {
                Some(format!("What percentage {after} {tail} {lead}?"))
            }
            Kind::Money if after.is_empty() => Some(format!("How much {tail} {lead}?")),
            Kind::Name
                if after.is_empty() && clause.verb.form == Form::Past && clause.rest.len() >= 2 =>
            {
                let organisation = self.is_organisation(&fact.tokens);
                let who = if organisation {
                    "Which organisation"
                } else {
                    "Who"
                };
                let known = among(AGENTIVE, &clause.verb.base);
                known.then(|| format!("{who} {tail} {lead}?"))
            }
            _ => None,
        }
    }

    /// The fact is the introduction's: "In 2021, …".
    fn lead(&self, clause: &Clause, fact: &Fact) -> Option<String> {
        let before = &clause.lead.start..&fact.tokens.start;
        let whole = fact.tokens.end == clause.lead.end && *before.start + 1 == *before.end;
        let which = self.when(fact, self.word(clause.lead.start))?;
        if !whole || clause.verb.form == Form::Auxiliary && clause.rest.len() < 2 {
            return None;
        }
        let bare = Clause {
            lead: 0..0,
            ..clause.clone()
        };
        Some(self.inverted(&bare, "", core::slice::from_ref(&clause.rest), &which))
    }

    /// The fact is behind the verb.
    fn rest(&self, clause: &Clause, fact: &Fact) -> Option<String> {
        let (a, b) = (fact.tokens.start, fact.tokens.end);
        let rest = &clause.rest;
        let direct = a == rest.start;
        let before = if a > rest.start { self.word(a - 1) } else { "" };
        let after = if b < rest.end { self.word(b) } else { "" };
        let be = among(" is are was were ", self.word(clause.at));
        let change = clause.verb.change || self.lexicon_change(clause);
        let ask = |which: &str, keep: &[Range<usize>]| Some(self.inverted(clause, "", keep, which));
        let without = |from: usize, to: usize| [rest.start..from, to..rest.end];

        if matches!(fact.kind, Kind::Year | Kind::Date) {
            let fiscal = before == "fiscal" && a >= rest.start + 2;
            let from = if fiscal {
                a - 2
            } else {
                a.checked_sub(1).filter(|&p| p >= rest.start)?
            };
            let which = self.when(fact, self.word(from))?;
            let which = if fiscal {
                which.replace("year", "fiscal year")
            } else {
                which
            };
            let empty = clause.verb.form == Form::Auxiliary && from == rest.start && b == rest.end;
            // "between 1990 and 1995", "from 1990 to 1995": half of a span is no answer.
            let span =
                among(" to and until ", after) && among(" from between since ", self.word(from));
            return if empty || span {
                None
            } else {
                ask(&which, &without(from, b))
            };
        }
        if fact.kind == Kind::Name {
            return self.name(clause, fact, before);
        }
        if fact.kind == Kind::Number {
            let whole = direct && be && self.may_follow(b, rest);
            let gone = b..rest.end;
            return whole.then(|| self.inverted(clause, "", core::slice::from_ref(&gone), "What"));
        }
        let things = self.slice(&fact.things);
        let mut things = things;
        let mut end = if fact.kind == Kind::Quantity {
            fact.things.end
        } else {
            b
        };
        // "9.4 terawatt hours of electricity" is counted as a whole.
        if fact.kind == Kind::Quantity
            && end < rest.end
            && self.word(end) == "of"
            && self.may_follow(end, rest)
        {
            let np = self.phrase(end + 1, rest.end);
            things = format!("{things} of {}", self.slice(&np));
            end = np.end;
        }
        let next = if end < rest.end { self.word(end) } else { "" };
        let pair = next == "and" && is_number(self.word(end + 1));
        let span = next == "and" && among(" between from ", before);
        if end < b || pair || span || self.capped(end, rest.end) {
            return None;
        }
        let what = match fact.kind {
            Kind::Percent => "what percentage".to_owned(),
            Kind::Money => "how much".to_owned(),
            _ => format!("how many {things}"),
        };
        let by = before == "by" && (a == rest.start + 1 || change);
        let from = if by { a - 1 } else { a };
        if change && (direct || by) && self.may_follow(end, rest) {
            let which = match fact.kind {
                Kind::Percent => "By what percentage".to_owned(),
                Kind::Money => "By how much".to_owned(),
                _ => format!("By how many {things}"),
            };
            return ask(&which, &without(from, end));
        }
        if change && before == "to" && self.may_follow(end, rest) {
            let which = match fact.kind {
                Kind::Percent => "To what percentage".to_owned(),
                Kind::Money => "To what amount".to_owned(),
                _ => format!("To how many {things}"),
            };
            // "rose by 12% to": the other answer goes.
            let other = a - 1 - rest.start <= 4
                && a - 1 > rest.start
                && !among(" from in ", self.word(rest.start));
            let start = if other { a - 1 } else { rest.start };
            let keep = if other
                && !self.tokens[rest.start..start]
                    .iter()
                    .any(|t| t.lower.chars().any(|c| c.is_ascii_digit()))
            {
                rest.start
            } else {
                start
            };
            return ask(&which, &[keep..a - 1, end..rest.end]);
        }
        if change {
            return None;
        }
        // "at least 30 days before": the object is the phrase up to the next preposition.
        if direct && be {
            return self.direct_be(clause, fact, after);
        }
        let lexical = clause.verb.form != Form::Auxiliary;
        let purpose = lexical && a == rest.start + 2 && self.word(rest.start) == "to";
        let participle = !lexical
            && a == rest.start + 1
            && !among(" not also only ", self.word(rest.start))
            && !be;
        let passive =
            be && a == rest.start + 1 && self.lexicon.is_participle(self.word(rest.start));
        if (direct && lexical)
            || purpose
            || participle
            || (passive
                && among(
                    " awarded granted paid given sent lent allocated fined ",
                    self.word(rest.start),
                ))
        {
            if !self.may_follow(end, rest) {
                return None;
            }
            if fact.kind == Kind::Percent && next == "of" {
                let np = self.phrase(end + 1, rest.end);
                let which = format!("What percentage of {}", self.slice(&np));
                return ask(&which, &[rest.start..a, np.end..rest.end]);
            }
            return ask(&capital(&what), &without(a, end));
        }
        if among(ASKABLE, before) && a > rest.start && self.may_follow(end, rest) {
            // A preposition in front: "in how many countries".
            if fact.kind == Kind::Money && !among(" for at from with to ", before) {
                return None;
            }
            if a - 1 == rest.start && !lexical {
                return None;
            }
            let which = format!("{} {what}", capital(before));
            let of = fact.kind == Kind::Percent && next == "of";
            let (which, end) = match of {
                true => {
                    let np = self.phrase(end + 1, rest.end);
                    (format!("{which} of {}", self.slice(&np)), np.end)
                }
                false => (which, end),
            };
            return ask(&which, &without(a - 1, end));
        }
        if before == "of" && lexical && fact.kind != Kind::Quantity {
            // "reported revenue of $4 million".
            let mut np = rest.start..a - 1;
            while np.len() > 1 && among(DETERMINERS, self.word(np.start)) {
                np.start += 1;
            }
            let plain = (1..=3).contains(&np.len())
                && !self.tokens[np.clone()]
                    .iter()
                    .any(|t| among(PREPOSITIONS, &t.lower) || among(DETERMINERS, &t.lower));
            if plain && self.may_follow(end, rest) {
                return ask(
                    &format!("What {}", self.slice(&np)),
                    core::slice::from_ref(&(end..rest.end)),
                );
            }
        }
        None
    }

    /// "was $4 million", "were 40% of sales", "is 320 metres long", "was 5% higher than".
    fn direct_be(&self, clause: &Clause, fact: &Fact, after: &str) -> Option<String> {
        let rest = &clause.rest;
        let end = if fact.things.is_empty() {
            fact.tokens.end
        } else {
            fact.things.end
        };
        let next = if end < rest.end { self.word(end) } else { "" };
        let ask = |which: &str, keep: Range<usize>| Some(self.inverted(clause, "", &[keep], which));
        if among(MEASURES, next) {
            return ask(&format!("How {next}"), end + 1..rest.end);
        }
        if among(COMPARATIVES, next) {
            let by = match fact.kind {
                Kind::Percent => "By what percentage".to_owned(),
                Kind::Quantity => format!("By how many {}", self.slice(&fact.things)),
                _ => "By how much".to_owned(),
            };
            return ask(&by, end..rest.end);
        }
        match fact.kind {
            Kind::Percent if after == "of" => {
                let np = self.phrase(end + 1, rest.end);
                ask(
                    &format!("What percentage of {}", self.slice(&np)),
                    np.end..rest.end,
                )
            }
            Kind::Money if self.may_follow(end, rest) => ask("How much", end..rest.end),
            Kind::Percent if self.may_follow(end, rest) => ask("What", end..rest.end),
            Kind::Quantity
                if self.may_follow(end, rest)
                    && (self.is_unit(&fact.things) || self.is_measure(&clause.subject)) =>
            {
                ask("What", end..rest.end)
            }
            _ => None,
        }
    }

    fn name(&self, clause: &Clause, fact: &Fact, before: &str) -> Option<String> {
        let (a, b) = (fact.tokens.start, fact.tokens.end);
        let rest = &clause.rest;
        let passive = among(" is are was were be been ", self.word(clause.at))
            || a >= 3 && self.word(a - 3) == "been";
        let participle =
            a >= rest.start + 2 && self.lexicon.is_participle(self.word(a - 2)) && passive;
        let whole = b == rest.end
            || among(
                " in on for at to with from after during by and ",
                self.word(b),
            )
            || self.tokens[b - 1].mark.is_some();
        if !participle || !whole || self.tokens.get(b).is_some_and(|t| t.lower == "and") {
            return None;
        }
        let keep = [rest.start..a - 1, b..rest.end];
        let done = self.word(a - 2);
        match before {
            "by" => {
                let who = if self.is_organisation(&fact.tokens) {
                    "By which organisation"
                } else {
                    "By whom"
                };
                let agent = among(AGENTIVE, &self.lexicon.lemma(done));
                agent.then(|| self.inverted(clause, "", &keep, who))
            }
            "in" | "at" if among(LOCATED, done) => Some(self.inverted(clause, "", &keep, "Where")),
            _ => None,
        }
    }

    /// "In which year", "When", "Since when": for a preposition and a year or date.
    fn when(&self, fact: &Fact, preposition: &str) -> Option<String> {
        let dated = fact.kind == Kind::Date;
        Some(match (preposition, dated) {
            ("in" | "during" | "on", true) => "When".into(),
            ("in" | "during", false) => "In which year".into(),
            ("by" | "since" | "until" | "before" | "after", true) => {
                format!("{} when", capital(preposition))
            }
            ("by" | "since" | "until" | "before" | "after", false) => {
                format!("{} which year", capital(preposition))
            }
            _ => return None,
        })
    }

    /// `which` + auxiliary + subject + verb + kept parts of the rest + introduction.
    fn inverted(&self, clause: &Clause, modal: &str, keep: &[Range<usize>], which: &str) -> String {
        let subject = self.subject_text(&clause.subject);
        let kept: Vec<String> = keep.iter().map(|range| self.slice(range)).collect();
        let (kept, lead) = (kept.join(" "), self.lead_text(clause));
        let base = &clause.verb.base;
        let verb = match clause.verb.form {
            Form::Auxiliary => {
                let auxiliary = if modal.is_empty() {
                    self.word(clause.at)
                } else {
                    modal
                };
                return format!("{which} {auxiliary} {subject} {kept} {lead}?");
            }
            Form::Past => "did",
            Form::Third => "does",
            Form::Plain => "do",
        };
        format!("{which} {verb} {subject} {base} {kept} {lead}?")
    }
}
