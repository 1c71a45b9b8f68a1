//! Questions put to a language model: within the limits, some side by side, one repair each.

use std::collections::VecDeque;

use super::super::join::join;
use super::super::prompt::{Listing, excerpt, repair};
use super::super::question::Question;
use super::{Answer, Session};
use crate::error::Error;
use crate::llm::{LlmAnswer, LlmImage, LlmRequest};

/// What a conversation is for, in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conversation {
    /// Counts as a judgement.
    Judgement,
    /// Counts as a call only.
    Transform,
}

/// What came of a conversation.
#[derive(Debug, Clone, PartialEq)]
enum Got<T> {
    Read(T),
    Unusable,
    Spent,
}

/// A request that waits, and whether it is a repair.
struct Turn {
    place: usize,
    request: LlmRequest,
    is_repair: bool,
}

impl Session<'_> {
    /// Asks the language model, whatever judge there is.
    ///
    /// # Errors
    /// `invalid_argument` without one; the LLM's and the observer's.
    pub(in super::super) async fn ask_llm(
        &mut self,
        query: &str,
        question: Question<'_>,
        groups: &[Vec<usize>],
    ) -> Result<Vec<Answer>, Error> {
        let mut requests = Vec::with_capacity(groups.len());
        for group in groups {
            let listing = Listing {
                query,
                documents: self.excerpts(group),
                scores: match question {
                    Question::OrderScored { .. } => self.scaled(group)?,
                    _ => Vec::new(),
                },
                labels: question.labels(),
            };
            let mut request = question.request(&listing, self.task.limits.answer_tokens);
            if question == Question::Grid {
                request.images.push(self.grid(group).await?);
            }
            requests.push(request);
        }
        let read = |place: usize, text: &str| question.read(text, groups[place].len());
        let got = (self.converse_all(requests, Conversation::Judgement, read)).await?;
        let mut answers = Vec::with_capacity(got.len());
        for (got, group) in got.into_iter().zip(groups) {
            if got != Got::Spent {
                self.see(group);
            }
            answers.push(match got {
                Got::Read(reading) => {
                    self.missing += reading.missing;
                    Answer::Numbers(reading.numbers)
                }
                Got::Unusable => Answer::Unusable,
                Got::Spent => Answer::Spent,
            });
        }
        Ok(answers)
    }

    /// One question that is not about a group; `None` when its answer is unusable or a limit is
    /// reached, which the warnings say.
    ///
    /// # Errors
    /// The LLM's and the observer's.
    pub(in super::super) async fn converse<T>(
        &mut self,
        request: LlmRequest,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        let read = |_, text: &str| read(text);
        let got = (self.converse_all(vec![request], Conversation::Transform, read)).await?;
        Ok(got.into_iter().next().and_then(|got| match got {
            Got::Read(value) => Some(value),
            Got::Unusable | Got::Spent => None,
        }))
    }

    async fn converse_all<T>(
        &mut self,
        requests: Vec<LlmRequest>,
        conversation: Conversation,
        read: impl Fn(usize, &str) -> Result<T, String>,
    ) -> Result<Vec<Got<T>>, Error> {
        let llm = (self.seams.llm).ok_or_else(|| Error::argument("llm", "an LLM", "none"))?;
        let mut got: Vec<Got<T>> = requests.iter().map(|_| Got::Spent).collect();
        let mut queue: VecDeque<Turn> = (requests.into_iter().enumerate())
            .map(|(place, request)| Turn {
                place,
                request,
                is_repair: false,
            })
            .collect();
        while !queue.is_empty() {
            let wave = self.affordable(&queue, conversation);
            if wave == 0 {
                break;
            }
            let turns: Vec<Turn> = queue.drain(..wave).collect();
            let calls = turns.iter().map(|turn| llm.complete_boxed(&turn.request));
            let answers = join(calls.collect()).await;
            let mut repairs = Vec::new();
            for (turn, answer) in turns.into_iter().zip(answers) {
                let answer = answer?;
                self.book(&turn, &answer, conversation);
                match read(turn.place, &answer.text) {
                    Ok(value) => {
                        got[turn.place] = Got::Read(value);
                        if turn.is_repair {
                            self.extras.repaired_answers += 1;
                        } else {
                            self.extras.valid_answers += 1;
                        }
                    }
                    Err(problem) if turn.is_repair => {
                        got[turn.place] = Got::Unusable;
                        self.extras.unusable_answers += 1;
                        self.problem.get_or_insert(problem);
                    }
                    Err(problem) => repairs.push(Turn {
                        request: repair(&turn.request, &answer.text, &problem),
                        is_repair: true,
                        ..turn
                    }),
                }
            }
            for turn in repairs.into_iter().rev() {
                queue.push_front(turn);
            }
            self.step().await?;
        }
        Ok(got)
    }

    /// How many of the next turns the limits let go together; 0 ends the conversation.
    fn affordable(&mut self, queue: &VecDeque<Turn>, conversation: Conversation) -> usize {
        let limits = self.task.limits;
        let mut wave = limits.parallel.unwrap_or(1).min(queue.len());
        if conversation == Conversation::Judgement {
            let new = |turn: &&Turn| !turn.is_repair;
            let fresh = queue.iter().take(wave).filter(new).count();
            wave -= fresh - self.room(fresh);
        }
        let calls = (limits.calls).map_or(wave, |limit| limit.saturating_sub(self.cost.calls));
        let tokens = limits.tokens.unwrap_or(u64::MAX);
        let mut projected = self.cost.input_tokens + self.cost.output_tokens;
        let fits = (queue.iter().take(wave))
            .take_while(|turn| {
                projected = projected.saturating_add(estimate(&turn.request));
                projected <= tokens
            })
            .count();
        if calls < wave {
            self.spent = Some("calls");
        }
        // With some under way the estimate may prove too high, and the rest may still be had.
        if fits == 0 && wave.min(calls) > 0 {
            self.spent = Some("tokens");
        }
        wave.min(calls).min(fits)
    }

    fn book(&mut self, turn: &Turn, answer: &LlmAnswer, conversation: Conversation) {
        self.cost.calls += 1;
        if conversation == Conversation::Judgement && !turn.is_repair {
            self.cost.judgements += 1;
        }
        self.cost.input_tokens += match answer.input_tokens {
            0 => estimate(&turn.request),
            tokens => tokens,
        };
        self.cost.output_tokens += match answer.output_tokens {
            0 => quarter(answer.text.len()),
            tokens => tokens,
        };
    }

    /// What prompts show of each position's text.
    pub(in super::super) fn excerpts(&self, positions: &[usize]) -> Vec<&str> {
        (positions.iter())
            .map(|&position| excerpt(self.text(position), self.task.excerpt))
            .collect()
    }

    /// The positions' pages as one image.
    async fn grid(&self, positions: &[usize]) -> Result<LlmImage, Error> {
        let pages = self.seams.pages;
        let pages = pages.ok_or_else(|| Error::argument("pages", "page images", "none"))?;
        let documents: Vec<usize> = positions.iter().map(|&p| self.index(p)).collect();
        pages.grid_boxed(&documents).await
    }

    /// First-stage scores of positions, from 0 for the task's lowest to 100 for its highest.
    fn scaled(&self, positions: &[usize]) -> Result<Vec<String>, Error> {
        let scores = self.task.scores()?;
        let lowest = scores.iter().copied().fold(f32::INFINITY, f32::min);
        let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let span = (highest - lowest).max(f32::MIN_POSITIVE);
        let scale = |&position: &usize| {
            let score = scores[self.index(position)];
            format!("{:.0}", 100.0 * (score - lowest) / span)
        };
        Ok(positions.iter().map(scale).collect())
    }
}

fn estimate(request: &LlmRequest) -> u64 {
    quarter(request.system.len() + request.user.len()) + request.image_tokens()
}

/// Tokens of so many bytes, roughly: four bytes each, as for English.
fn quarter(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}
