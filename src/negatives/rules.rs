//! Hard negatives without a language model: templates over the values that a page states.
//!
//! What it is: a handful of English sentence forms, a list of verbs and lists of exchangeable
//! words. It reads plain English statements, asks for their years, dates, amounts, quantities and
//! names, and changes one property of a question to a value that stands nowhere on the page. What
//! it is not: it does not understand the page. It misses most sentences, its questions keep the
//! page's wording, an edit may ask for something absurd, and "not on the page" is a word lookup:
//! a value that the page implies (a sum, a synonym it does not list) is not seen. Other languages
//! give nothing. Good for a demonstration without a key, not instead of a verified run.

use core::ops::Range;

use super::desk::LlmUsage;
use super::funnel::{Death, Funnel};
use super::group::{Negative, Positive, Source, TrainingGroup};
use super::margin::{hardest_first, pairs, scores};
use super::property::check_edit;
use super::run::{Job, Outcome, Progress, Stage};
use super::segment::sentences;
use super::settings::Settings;
use super::text::near_duplicate;
use crate::error::Error;
use crate::strategy::Judge;

mod around;
mod clause;
mod edit;
mod find;
mod lexicon;
mod question;
mod seen;
mod sentence;
mod values;

#[cfg(test)]
mod tests;

use lexicon::Lexicon;
use seen::Seen;

/// Version of the rules; part of every group made by them.
pub const RULES_VERSION: &str = "rules-3";

/// Sentences in one passage that the judge sees.
const PASSAGE: usize = 3;
/// Questions of one sentence.
const PER_SENTENCE: usize = 2;
/// Edits that the judge sees for each that is to be kept.
const JUDGED: usize = 4;
/// Other passages that may answer an edit: those most like its positive.
const RIVALS: usize = 3;

/// A question by rule, not yet verified by the judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The question.
    pub query: String,
    /// Byte span of the answer on the page.
    pub answer: Range<usize>,
    /// Byte span of the sentence on the page.
    pub sentence: Range<usize>,
    /// 3 asks for a value, 2 for a name or meaning, 1 yes or no.
    pub worth: u8,
    /// Its edits, each checked to change its property only, and absent from the page.
    pub negatives: Vec<Negative>,
}

/// All questions that the rules find on a page, in reading order, and what fell on the way.
/// Deterministic; cost linear in the page.
#[must_use]
pub fn drafts(page: &str, near_duplicate_at: f32) -> (Vec<Draft>, Funnel) {
    let lexicon = Lexicon::get();
    let seen = Seen::new(page, lexicon);
    let mut funnel = Funnel::default();
    let mut drafts: Vec<Draft> = Vec::new();
    for sentence in sentences(page) {
        for (query, answer, worth) in questions(&page[sentence.clone()], lexicon, &seen) {
            funnel.positives.generated += 1;
            if drafts
                .iter()
                .any(|d| near_duplicate(&d.query, &query, near_duplicate_at))
            {
                funnel.positives.died(Death::Duplicate);
                continue;
            }
            let negatives = negatives(&query, &seen, lexicon, &mut funnel);
            drafts.push(Draft {
                answer: sentence.start + answer.start..sentence.start + answer.end,
                sentence: sentence.clone(),
                query,
                worth,
                negatives,
            });
        }
    }
    // A question that another sentence answers is no negative, whoever made it.
    let queries: Vec<String> = drafts.iter().map(|d| d.query.clone()).collect();
    for draft in &mut drafts {
        let before = draft.negatives.len();
        draft.negatives.retain(|n| {
            !queries
                .iter()
                .any(|q| near_duplicate(q, &n.query, near_duplicate_at))
        });
        funnel
            .negatives
            .died_many(Death::SamePositive, before - draft.negatives.len());
    }
    let before = drafts.len();
    drafts.retain(|draft| !draft.negatives.is_empty());
    funnel
        .positives
        .died_many(Death::NoNegative, before - drafts.len());
    (drafts, funnel)
}

/// Questions of one sentence with their answers' spans in it.
fn questions(sentence: &str, lexicon: &Lexicon, seen: &Seen) -> Vec<(String, Range<usize>, u8)> {
    if !sentence.ends_with(['.', '"', '”', ')', ';']) || sentence.contains(['|', '\t', '=', '{'])
    {
        return Vec::new();
    }
    // Same length, so that spans stay true on the page.
    let flat = sentence::without_asides(&sentence.replace(['\n', '\r'], " "));
    let mut asked = asked(&flat, lexicon, seen);
    // "The survey shows that …": what is told is a sentence, too.
    if let Some(told) = sentence::told(&flat) {
        let from = told.start;
        asked.extend(
            self::asked(&flat[told], lexicon, seen)
                .into_iter()
                .map(|a| {
                    let answer = from + a.answer.start..from + a.answer.end;
                    question::Asked { answer, ..a }
                }),
        );
    }
    asked.sort_by_key(|a| core::cmp::Reverse(a.worth));
    let yes_no = asked.iter().any(|a| a.worth > 1);
    asked.retain(|a| a.worth > 1 || !yes_no);
    asked.truncate(PER_SENTENCE);
    asked
        .into_iter()
        .map(|a| (a.query, a.answer, a.worth))
        .collect()
}

/// All questions of a sentence on one line.
fn asked(flat: &str, lexicon: &Lexicon, seen: &Seen) -> Vec<question::Asked> {
    let tokens = find::tokens(flat);
    let is_common = |word: &str| is_common(word, &tokens, lexicon, seen);
    let at_hand = sentence::Sentence {
        text: flat,
        tokens: &tokens,
        lexicon,
        is_common: &is_common,
    };
    let facts = find::facts(&tokens, lexicon);
    let mut asked = Vec::new();
    for clause in clause::clauses(&tokens, lexicon) {
        asked.extend(facts.iter().flat_map(|fact| at_hand.ask(&clause, fact)));
        asked.extend(at_hand.ask_whole(&clause));
    }
    if asked.iter().all(|a| a.worth < 2) {
        asked.extend(facts.iter().filter_map(|fact| at_hand.ask_around(fact)));
        let clauses = clause::clauses(&tokens, lexicon);
        asked.extend(
            clauses
                .iter()
                .filter_map(|clause| at_hand.ask_subject(clause)),
        );
    }
    asked
}

/// Whether the word that begins a sentence has its capital only from there.
fn is_common(word: &str, tokens: &[find::Token], lexicon: &Lexicon, seen: &Seen) -> bool {
    let listed =
        lexicon::among(lexicon::DETERMINERS, word) || lexicon::among(lexicon::PREPOSITIONS, word);
    let mass = ["tion", "ment", "ness", "ance", "ence"]
        .iter()
        .any(|end| word.ends_with(end));
    if listed
        || word == "you"
        || mass && !seen.is_name(word)
        || seen.is_plain(word)
        || lexicon.is_noun(word)
        || find::is_number(word)
    {
        return true;
    }
    if seen.is_name(word)
        || lexicon.is_entity(word)
        || word.contains(|c: char| c.is_ascii_digit() || c == '\'')
    {
        return false;
    }
    // "Net debt fell" is common; "Northwind Energy fell" and "Northwind fell" are names.
    let next = tokens.get(1);
    let alone = next.is_some_and(|t| {
        lexicon
            .verb(&t.lower)
            .is_some_and(|v| v.form != lexicon::Form::Plain)
    });
    let plural = word.ends_with('s') && !word.ends_with("ss")
        || matches!(word, "people" | "women" | "men" | "children");
    !next.is_some_and(|t| t.capital) && (!alone || plural)
}

fn negatives(query: &str, seen: &Seen, lexicon: &Lexicon, funnel: &mut Funnel) -> Vec<Negative> {
    let (made, on_page) = edit::edits(query, seen, lexicon);
    let tally = &mut funnel.negatives;
    tally.generated += (made.len() + on_page) as u64;
    tally.died_many(Death::OnPage, on_page);
    let mut sound = Vec::new();
    for edited in made {
        match check_edit(
            &edited.property,
            query,
            &edited.query,
            &edited.from,
            &edited.to,
        ) {
            Ok(change) => sound.push(Negative {
                query: edited.query,
                property: Some(edited.property),
                from: Some(change.from),
                to: Some(change.to),
                votes: None,
                score: None,
                margin: None,
            }),
            Err(death) => tally.died(death),
        }
    }
    sound
}

/// Makes training groups of a page without a language model, verified by lookup and by the judge.
///
/// A positive stays when the judge ranks the passage with its answer among the first
/// [`Settings::consistent_within`] of the page for it; a negative dies when one of the 3 other
/// passages that the judge finds most like the positive scores at least what the answer's passage
/// scores for the positive. Settings that speak of models are not used. Cost: for each positive
/// passages + 1 judgements, 4 for each of its edits, of which at most 4 are judged for each
/// negative to be kept, and 1 of the whole page for each negative kept: the hardest for the
/// passage with the answer.
///
/// # Errors
/// `invalid_argument`. The judge's and `observe`'s end up in [`Outcome::stopped`].
pub async fn generate_by_rules<J: Judge>(
    job: &Job,
    judge: &J,
    settings: &Settings,
    mut observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
) -> Result<Outcome, Error> {
    settings.check()?;
    settings.check_page(&job.page.text, None)?;
    let (drafts, funnel) = drafts(&job.page.text, settings.near_duplicate);
    let mut outcome = Outcome {
        funnel,
        ..Outcome::default()
    };
    let order = by_worth(&drafts);
    let total = order.len();
    for (done, index) in order.into_iter().enumerate() {
        let draft = &drafts[index];
        if outcome.groups.len() == settings.positives {
            outcome.funnel.positives.died(Death::Surplus);
            outcome
                .funnel
                .negatives
                .died_many(Death::Surplus, draft.negatives.len());
            continue;
        }
        let progress = Progress {
            stage: Stage::Judge,
            done,
            total,
            usage: LlmUsage::default(),
            funnel: outcome.funnel.clone(),
        };
        let step = match observe(progress).await {
            Ok(()) => verified(job, judge, settings, draft, &mut outcome.funnel).await,
            Err(stop) => Err(stop),
        };
        match step {
            Ok(group) => outcome.groups.extend(group),
            Err(error) => {
                outcome.stopped = Some(error);
                break;
            }
        }
    }
    let place = |group: &TrainingGroup| group.positive.span.as_ref().map_or(0, |span| span.start);
    outcome.groups.sort_by_key(place);
    Ok(outcome)
}

/// Indices, those worth most first; among equals those with many edits, then spread over the page.
fn by_worth(drafts: &[Draft]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    let second = |i: usize| i > 0 && drafts[i - 1].sentence == drafts[i].sentence;
    let key = |&i: &usize| {
        (
            drafts[i]
                .worth
                .min(2 + u8::from(drafts[i].negatives.len() > 2)),
            !second(i),
            drafts[i].negatives.len().min(8),
        )
    };
    order.sort_by_key(|i| core::cmp::Reverse(key(i)));
    order
}

async fn verified<J: Judge>(
    job: &Job,
    judge: &J,
    settings: &Settings,
    draft: &Draft,
    funnel: &mut Funnel,
) -> Result<Option<TrainingGroup>, Error> {
    let page = &job.page.text;
    let passages = passages(page);
    let own = passages
        .iter()
        .position(|p| p.contains(&draft.sentence.start))
        .unwrap_or(0);
    // The first edit of every place comes first, so this keeps all kinds.
    let judged = draft.negatives.len().min(JUDGED * settings.negatives);
    let (edits, surplus) = draft.negatives.split_at(judged);
    funnel.negatives.died_many(Death::Surplus, surplus.len());
    let asked: Vec<(&str, &str)> = (passages.iter())
        .map(|p| (draft.query.as_str(), &page[p.clone()]))
        .collect();
    let first = pairs(judge, &asked).await?;
    let rank = 1 + first.iter().filter(|&&score| score > first[own]).count();
    if rank > settings.consistent_within {
        funnel.positives.died(Death::Inconsistent);
        funnel.negatives.died_many(Death::Inconsistent, edits.len());
        return Ok(None);
    }
    // An edit is about what its positive is about: the same passages may answer it.
    let mut rivals: Vec<usize> = (0..passages.len()).filter(|&at| at != own).collect();
    rivals.sort_by(|&a, &b| first[b].total_cmp(&first[a]));
    rivals.truncate(RIVALS);
    let asked: Vec<(&str, &str)> = (edits.iter())
        .flat_map(|n| {
            let passage = |at: usize| (n.query.as_str(), &page[passages[at].clone()]);
            core::iter::once(own)
                .chain(rivals.iter().copied())
                .map(passage)
        })
        .collect();
    let others = pairs(judge, &asked).await?;
    let mut sound: Vec<(&Negative, f32)> = Vec::new();
    for (negative, row) in edits.iter().zip(others.chunks(rivals.len() + 1)) {
        if row[1..].iter().any(|&score| score >= first[own]) {
            funnel.negatives.died(Death::AnsweredElsewhere);
        } else {
            sound.push((negative, row[0]));
        }
    }
    // Whole pages are long: only the hardest for the answer's own passage are scored on all of it.
    sound.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let surplus = sound.len().saturating_sub(settings.negatives);
    funnel.negatives.died_many(Death::Surplus, surplus);
    sound.truncate(settings.negatives);
    let queries: Vec<&str> = core::iter::once(draft.query.as_str())
        .chain(sound.iter().map(|(negative, _)| negative.query.as_str()))
        .collect();
    let whole = scores(judge, page, &queries).await?;
    let mut negatives: Vec<Negative> = (sound.iter().zip(&whole[1..]))
        .map(|(&(negative, _), &score)| Negative {
            score: Some(score),
            margin: Some(whole[0] - score),
            ..negative.clone()
        })
        .collect();
    if negatives.is_empty() {
        funnel.positives.died(Death::NoNegative);
        return Ok(None);
    }
    hardest_first(&mut negatives);
    funnel.positives.kept += 1;
    funnel.negatives.kept += negatives.len() as u64;
    Ok(Some(TrainingGroup {
        page: job.page.clone(),
        positive: Positive {
            query: draft.query.clone(),
            answer: Some(page[draft.answer.clone()].to_owned()),
            span: Some(draft.answer.clone()),
            votes: None,
            score: Some(whole[0]),
        },
        restated: Vec::new(),
        negatives,
        source: Source {
            provider: "rules".into(),
            model: "templates".into(),
            verifier: "lookup+judge".into(),
            prompts_version: RULES_VERSION.into(),
            time: job.time.clone(),
        },
    }))
}

/// The page in blocks of a few sentences.
fn passages(page: &str) -> Vec<Range<usize>> {
    let sentences = sentences(page);
    (sentences.chunks(PASSAGE))
        .map(|block| block[0].start..block[block.len() - 1].end)
        .collect()
}
