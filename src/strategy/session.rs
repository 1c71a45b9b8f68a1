//! One run of a strategy: it asks about positions, the session finds the texts, keeps the books and
//! the limits, tells the observer, and in the end makes the ranking of what was decided.
//!
//! Positions are the candidates in first-stage order, so a lower position wins a tie. The ways to
//! ask are in `session/`: a judge, a language model in its place, and models that give more.

use super::prune::Walk;
use super::seams::AnyObserver;
use super::{Cost, Extras, Outcome, Progress, Ranked, Seams, Task, Warning, rank};
use crate::error::Error;

mod by_judge;
mod by_llm;
mod by_pass;

pub(super) use by_pass::unit;

/// What came of a question.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// A number for each document of the group, where one was given; higher is better.
    Numbers(Vec<Option<f32>>),
    /// Not usable after the repair either.
    Unusable,
    /// Not asked: a limit is reached, and every later question would meet it too.
    Spent,
}

impl Answer {
    /// The group best first: by number, then by position; what has no number keeps its order, last.
    /// An unusable answer leaves the group as it was.
    pub(super) fn order(&self, group: &[usize]) -> Vec<usize> {
        let Self::Numbers(numbers) = self else {
            return group.to_vec();
        };
        let mut judged: Vec<(f32, usize)> = (numbers.iter().zip(group))
            .filter_map(|(number, &position)| Some(((*number)?, position)))
            .collect();
        judged.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let judged = judged.into_iter().map(|(_, position)| position);
        let left = (numbers.iter().zip(group)).filter(|(number, _)| number.is_none());
        judged.chain(left.map(|(_, &position)| position)).collect()
    }
}

/// What a strategy decided about the candidates.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// A number for each position, where there is one.
    Scores(Vec<Option<f32>>),
    /// Positions, best first; those not named follow in first-stage order.
    Order(Vec<usize>),
}

/// The state of a run.
pub(super) struct Session<'a> {
    pub(super) task: &'a Task<'a>,
    pub(super) seams: &'a Seams<'a>,
    pub(super) extras: Extras,
    observer: &'a mut dyn AnyObserver,
    /// Indexes of the candidates, in first-stage order.
    candidates: Vec<usize>,
    /// Indexes of the documents pruned beforehand, likewise.
    pruned: Vec<usize>,
    /// Whether each position was shown to anyone.
    seen: Vec<bool>,
    /// Numbers a pointwise judge has given, for the query they were given for.
    alone: (String, Vec<Option<f32>>),
    cost: Cost,
    steps: usize,
    spent: Option<&'static str>,
    problem: Option<String>,
    missing: usize,
}

impl<'a> Session<'a> {
    /// # Errors
    /// `invalid_argument` for a task that makes no sense.
    pub(super) fn new(
        task: &'a Task<'a>,
        seams: &'a Seams<'a>,
        observer: &'a mut dyn AnyObserver,
    ) -> Result<Self, Error> {
        task.check()?;
        let mut candidates = task.first_stage_order();
        let mut kept = candidates.len();
        if let (Some(prune), Some(scores)) = (task.prune, task.first_stage) {
            let sorted: Vec<f32> = candidates.iter().map(|&index| scores[index]).collect();
            kept = prune.keep(&sorted);
        }
        let pruned = candidates.split_off(kept);
        let extras = Extras {
            saved: pruned.len(),
            ..Extras::default()
        };
        Ok(Self {
            task,
            seams,
            extras,
            observer,
            seen: vec![false; candidates.len()],
            candidates,
            pruned,
            alone: (String::new(), Vec::new()),
            cost: Cost::default(),
            steps: 0,
            spent: None,
            problem: None,
            missing: 0,
        })
    }

    /// Tells the observer that nothing is done of at most `steps`.
    ///
    /// # Errors
    /// The observer's.
    pub(super) async fn start(&mut self, steps: usize) -> Result<(), Error> {
        self.steps = steps;
        self.step().await
    }

    /// Number of candidates.
    pub(super) fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Places to settle: `k`, or fewer when the task returns fewer.
    pub(super) fn places(&self, k: usize) -> usize {
        k.min(self.task.top_n.unwrap_or(k))
    }

    /// The place in the task's documents.
    pub(super) fn index(&self, position: usize) -> usize {
        self.candidates[position]
    }

    pub(super) fn text(&self, position: usize) -> &'a str {
        self.task.documents[self.candidates[position]]
    }

    /// How many of `wanted` judgements or passes the limit leaves.
    fn room(&mut self, wanted: usize) -> usize {
        let done = self.cost.judgements + self.cost.passes;
        let left = (self.task.limits.judgements).map_or(wanted, |limit| limit.saturating_sub(done));
        if left < wanted {
            self.spent = Some("judgements");
        }
        left.min(wanted)
    }

    fn see(&mut self, positions: &[usize]) {
        for &position in positions {
            self.seen[position] = true;
        }
    }

    /// Notes that everything was looked at.
    pub(super) fn saw_all(&mut self) {
        self.seen.fill(true);
    }

    async fn step(&mut self) -> Result<(), Error> {
        let progress = Progress {
            step: self.cost.judgements + self.cost.passes,
            steps: self.steps,
            cost: self.cost,
        };
        self.observer.observe_boxed(progress).await
    }

    /// Scores candidates one by one, all or until `walk` is over.
    ///
    /// # Errors
    /// The judge's, the LLM's, the observer's.
    pub(super) async fn score_alone(
        &mut self,
        query: &str,
        mut walk: Option<Walk>,
    ) -> Result<Vec<Option<f32>>, Error> {
        let n = self.len();
        let mut scores = Vec::with_capacity(n);
        while scores.len() < n && !walk.as_ref().is_some_and(Walk::is_over) {
            let next = walk.as_ref().map_or(n, Walk::next).min(n - scores.len());
            let groups: Vec<Vec<usize>> = (scores.len()..scores.len() + next)
                .map(|position| vec![position])
                .collect();
            let question = super::question::Question::Relevant;
            let answers = self.ask_for(query, question, &groups).await?;
            for answer in &answers {
                let score = match answer {
                    Answer::Numbers(numbers) => numbers.first().copied().flatten(),
                    Answer::Unusable | Answer::Spent => None,
                };
                if let (Some(walk), Some(score)) = (&mut walk, score) {
                    walk.push(score);
                }
                scores.push(score);
            }
            if answers.contains(&Answer::Spent) {
                scores.resize(n, None);
                return Ok(scores);
            }
        }
        self.extras.saved += n - scores.len();
        scores.resize(n, None);
        Ok(scores)
    }

    /// The ranking that `verdict` means, with everything that was not placed.
    ///
    /// # Errors
    /// `internal` when a score is NaN.
    pub(super) fn finish(self, verdict: Verdict) -> Result<Outcome, Error> {
        let all = self.task.documents.len();
        let mut placed = vec![false; self.len()];
        let mut ranking: Vec<Ranked> = match verdict {
            Verdict::Scores(scores) => {
                let positions: Vec<usize> = (0..scores.len())
                    .filter(|&position| scores[position].is_some())
                    .collect();
                let scores: Vec<f32> = scores.into_iter().flatten().collect();
                (rank(&scores, None)?.into_iter())
                    .map(|ranked| Ranked {
                        index: positions[ranked.index],
                        score: ranked.score,
                    })
                    .collect()
            }
            Verdict::Order(order) => (order.into_iter().enumerate())
                .map(|(place, index)| Ranked {
                    index,
                    score: (all - 1 - place) as f32,
                })
                .collect(),
        };
        for ranked in &mut ranking {
            placed[ranked.index] = true;
            ranked.index = self.candidates[ranked.index];
        }
        let score = ranking.last().map_or(0.0, |ranked| ranked.score);
        let unplaced = (self.candidates.iter().zip(&placed)).filter(|(_, placed)| !**placed);
        let rest = unplaced.map(|(index, _)| index).chain(&self.pruned);
        ranking.extend(rest.map(|&index| Ranked { index, score }));
        ranking.truncate(self.task.top_n.unwrap_or(usize::MAX));
        let judged = self.seen.iter().filter(|seen| **seen).count();
        Ok(Outcome {
            ranking,
            cost: self.cost,
            judged,
            warnings: self.warnings(judged),
            extras: self.extras,
        })
    }

    fn warnings(&self, judged: usize) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if let Some(limit) = self.spent {
            let unjudged = self.len() - judged;
            warnings.push(Warning::Budget { limit, unjudged });
        }
        if let Some(problem) = self.problem.clone() {
            let answers = self.extras.unusable_answers;
            warnings.push(Warning::Unusable { answers, problem });
        }
        if self.extras.repaired_answers > 0 {
            let answers = self.extras.repaired_answers;
            warnings.push(Warning::Repaired { answers });
        }
        if self.missing > 0 {
            let documents = self.missing;
            warnings.push(Warning::Missing { documents });
        }
        warnings
    }
}
