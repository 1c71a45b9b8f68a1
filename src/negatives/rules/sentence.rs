//! A sentence at hand: its words and stretches of text, and what may stand in a finished question.

use core::ops::Range;

use super::clause::Clause;
use super::find::{Token, tokens};
use super::lexicon::{DETERMINERS, Form, Lexicon, PREPOSITIONS, among};

/// A sentence at hand.
pub(crate) struct Sentence<'a> {
    pub(crate) text: &'a str,
    pub(crate) tokens: &'a [Token],
    pub(crate) lexicon: &'a Lexicon,
    /// Says whether a word begins the sentence in a capital only for that reason.
    pub(crate) is_common: &'a dyn Fn(&str) -> bool,
}

const ORGANISATIONS: &str = " ltd inc corp plc gmbh ab as oy group company university ministry agency committee council \
    foundation bank institute association commission department authority energy board office project holdings \
    software systems society trust union federation ";

/// Verbs that tell a fact; "suggests" and "hopes" tell none.
const TELLING: &str = " shows show showed states state stated estimates estimate estimated reports report reported finds \
    find found indicates indicate indicated says say said notes noted reveals reveal revealed confirms confirm confirmed \
    announces announced concludes concluded observed ";

impl Sentence<'_> {
    /// White space, capitals and marks put right; `None` for what does not read as a question.
    pub(super) fn tidy(&self, query: &str) -> Option<String> {
        self.plain(query).map(|text| capital(&text) + "?")
    }

    /// As [`tidy`](Self::tidy), for a part of a question.
    pub(super) fn plain(&self, query: &str) -> Option<String> {
        let mut text = String::with_capacity(query.len());
        let mut depth = 0_i32;
        for c in query.chars() {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                _ if depth == 0 => text.push(c),
                _ => {}
            }
        }
        let mut words: Vec<&str> = text.trim_end_matches('?').split_whitespace().collect();
        let trim = [',', ';', ':', '.', '—', '–'];
        if let Some(last) = words.last_mut() {
            *last = last.trim_end_matches(trim);
        }
        words.retain(|word| !word.is_empty());
        let last = words.last()?.to_lowercase();
        let dangling = among(PREPOSITIONS, &last)
            || among(DETERMINERS, &last)
            || among(" and or but is are was were ", &last);
        let joined = words.join(" ").replace(" ,", ",");
        let quotes = joined.matches('"').count() % 2 == 1
            || joined.matches('“').count() != joined.matches('”').count();
        let double = words.windows(2).any(|pair| {
            pair[0].eq_ignore_ascii_case(pair[1])
                || among(" in on by at for to of ", pair[0]) && among(" in on by at of ", pair[1])
        });
        let pointed = (words.windows(2))
            .any(|pair| among(" of in on at by for to from with ", pair[0]) && pair[1] == "that");
        let vague = pointed || words.iter().any(|w| {
            among(
                " it they this these those them he she here above below following thereof i me my we us our ",
                &w.to_lowercase(),
            )
        });
        let odd = depth != 0
            || quotes
            || double
            || vague
            || joined.contains("\u{2010} ")
            || joined.contains([':', '|', '\\', '{', '<', '_', '=']);
        ((4..=26).contains(&words.len()) && !dangling && !odd).then_some(joined)
    }

    /// What may come after the answer without being part of it.
    pub(super) fn may_follow(&self, at: usize, rest: &Range<usize>) -> bool {
        if at >= rest.end || self.tokens[at - 1].mark.is_some() {
            return true;
        }
        let word = self.word(at);
        among(PREPOSITIONS, word) && word != "per" && word != "than"
            || among(
                " and or a the its each every annually yearly daily today ",
                word,
            )
            || word.ends_with("ly")
    }

    /// "up to 5 files or 3 directories": a number after "or" makes the answer one of two.
    pub(super) fn capped(&self, at: usize, end: usize) -> bool {
        at < end && among(" or ", self.word(at))
    }

    /// The noun phrase from `start`: up to the next preposition, conjunction or mark.
    pub(super) fn phrase(&self, start: usize, limit: usize) -> Range<usize> {
        let mut end = start;
        while end < limit
            && !among(PREPOSITIONS, self.word(end))
            && !among(" and or ", self.word(end))
        {
            end += 1;
            if self.tokens[end - 1].mark.is_some() {
                break;
            }
        }
        start..end
    }

    pub(super) fn lexicon_change(&self, clause: &Clause) -> bool {
        let next = self.word(clause.rest.start);
        let done = clause.verb.form == Form::Auxiliary && self.lexicon.is_participle(next);
        done && self
            .lexicon
            .verb(&self.lexicon.lemma(next))
            .is_some_and(|v| v.change)
    }

    pub(super) fn is_organisation(&self, tokens: &Range<usize>) -> bool {
        self.tokens[tokens.clone()]
            .iter()
            .any(|t| among(ORGANISATIONS, &t.lower))
    }

    pub(super) fn is_unit(&self, things: &Range<usize>) -> bool {
        let units = " metres meters kilometres km kg tonnes hours days weeks months years minutes seconds bytes mb gb tb degrees litres hectares mw gw gwh kwh \
            tons miles feet inches yards acres pounds gallons barrels bushels bales ounces ";
        // "gross tons"
        let last = things.end.checked_sub(1).map_or("", |at| self.word(at));
        (1..=2).contains(&things.len()) && among(units, last)
    }

    /// Whether a subject is a quantity itself: "the consumption of cotton".
    pub(super) fn is_measure(&self, subject: &Range<usize>) -> bool {
        let measures = " number total sum average consumption production output mileage capacity population volume \
            amount size length weight enrolment enrollment membership circulation attendance turnover tonnage yield \
            harvest demand supply stock balance limit threshold minimum maximum default ";
        let of = (subject.clone().find(|&at| self.word(at) == "of")).unwrap_or(subject.end);
        (of.checked_sub(1))
            .is_some_and(|at| subject.contains(&at) && among(measures, self.word(at)))
    }

    pub(super) fn common(&self, at: usize) -> bool {
        (self.is_common)(&self.tokens[at].lower)
    }

    pub(super) fn subject_text(&self, subject: &Range<usize>) -> String {
        self.lowered(subject)
    }

    pub(super) fn lead_text(&self, clause: &Clause) -> String {
        let text = self.lowered(&clause.lead);
        text.trim_end_matches(',').to_owned()
    }

    /// The tokens' text, without the capital that only the place in the sentence gave.
    pub(super) fn lowered(&self, range: &Range<usize>) -> String {
        let text = self.slice(range);
        let first = self
            .tokens
            .get(range.start)
            .filter(|t| !range.is_empty() && t.capital && range.start == 0);
        match first {
            Some(token) if self.common(range.start) && !text.starts_with(['"', '“']) => {
                format!(
                    "{}{}",
                    token.lower,
                    &text[token.span.len().min(text.len())..]
                )
            }
            _ => text,
        }
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |t| t.lower.as_str())
    }

    pub(super) fn bytes(&self, tokens: &Range<usize>) -> Range<usize> {
        match tokens.is_empty() {
            true => 0..0,
            false => self.tokens[tokens.start].span.start..self.tokens[tokens.end - 1].span.end,
        }
    }

    /// The text of some tokens with the marks inside and right around it.
    pub(super) fn slice(&self, tokens: &Range<usize>) -> String {
        if tokens.is_empty() || tokens.start >= tokens.end {
            return String::new();
        }
        let mut span = self.bytes(tokens);
        let opens = |c: char| matches!(c, '"' | '“' | '(' | '/');
        while let Some(c) = self.text[..span.start]
            .chars()
            .next_back()
            .filter(|c| opens(*c))
        {
            span.start -= c.len_utf8();
        }
        let closes = |c: char| matches!(c, '"' | '”' | ')' | ',');
        while let Some(c) = self.text[span.end..].chars().next().filter(|c| closes(*c)) {
            span.end += c.len_utf8();
        }
        self.text[span].trim_end_matches(',').to_owned()
    }
}

/// `sentence` with blanks for what stands in brackets, a citation say: as long as before. One with
/// a bracket that is not closed is left as it is.
pub(super) fn without_asides(sentence: &str) -> String {
    let mut depth = 0_usize;
    let mut text = String::with_capacity(sentence.len());
    for c in sentence.chars() {
        let (opens, closes) = (matches!(c, '(' | '['), matches!(c, ')' | ']'));
        if closes && depth == 0 {
            return sentence.to_owned();
        }
        depth += usize::from(opens);
        match depth {
            0 => text.push(c),
            _ => text.extend(core::iter::repeat_n(' ', c.len_utf8())),
        }
        depth -= usize::from(closes);
    }
    match depth {
        0 => text,
        _ => sentence.to_owned(),
    }
}

/// What a sentence tells on the word of somebody: behind "shows that", as bytes.
pub(super) fn told(sentence: &str) -> Option<Range<usize>> {
    let tokens = tokens(sentence);
    let tells = |pair: &[Token]| {
        among(TELLING, &pair[0].lower) && pair[0].mark.is_none() && pair[1].lower == "that"
    };
    let that = 1 + tokens.windows(2).position(tells)?;
    let first = tokens
        .get(that + 1)
        .filter(|_| tokens[that].mark.is_none())?;
    Some(first.span.start..sentence.len())
}

/// `text` with a capital letter first.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}
