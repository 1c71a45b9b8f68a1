//! Two ways to judge fewer documents: candidate pruning before any strategy, early exit while a
//! pointwise one walks down the first stage. Both off by default.
//!
//! Martinico et al. 2026 (arXiv:2601.05200): keep a candidate when its first-stage score is at
//! least `(1 - alpha)` times the k-th; stop after `beta` candidates in a row that miss the top k.

use crate::error::Error;

/// Candidate pruning by first-stage score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prune {
    /// Rank whose score is the yardstick, from 1. The best `k` always stay.
    pub k: usize,
    /// How far below the k-th score a candidate may lie, as a share of it: 0 keeps only those as
    /// good, 1 keeps every positive score.
    pub alpha: f32,
}

impl Prune {
    /// How many of the best candidates stay. `scores` are the first stage's, best first.
    ///
    /// For a negative k-th score the margin is a share of its size, so that it still lies below.
    #[must_use]
    pub fn keep(&self, scores: &[f32]) -> usize {
        let Some(&kth) = self.k.checked_sub(1).and_then(|last| scores.get(last)) else {
            return scores.len();
        };
        let threshold = kth - self.alpha * kth.abs();
        scores.partition_point(|&score| score >= threshold)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        at_least_1("prune.k", self.k)?;
        if (0.0..=1.0).contains(&self.alpha) {
            return Ok(());
        }
        Err(Error::argument("prune.alpha", "0 to 1", self.alpha))
    }
}

/// Early exit from a walk down the first stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlyExit {
    /// Size of the top that a candidate must enter, from 1.
    pub k: usize,
    /// Candidates in a row that may miss it before the walk stops, from 1.
    pub beta: usize,
}

impl Default for EarlyExit {
    fn default() -> Self {
        Self { k: 10, beta: 10 }
    }
}

impl EarlyExit {
    pub(super) fn check(&self) -> Result<(), Error> {
        at_least_1("earlyExit.k", self.k)?;
        at_least_1("earlyExit.beta", self.beta)
    }
}

/// The state of a walk with [`EarlyExit`].
#[derive(Debug)]
pub(super) struct Walk {
    exit: EarlyExit,
    /// The best `k` scores, best first.
    top: Vec<f32>,
    misses: usize,
}

impl Walk {
    pub(super) fn new(exit: EarlyExit) -> Self {
        let top = Vec::new();
        Self {
            exit,
            top,
            misses: 0,
        }
    }

    /// Takes the next candidate's score.
    pub(super) fn push(&mut self, score: f32) {
        let place = self.top.partition_point(|&better| better >= score);
        if place == self.exit.k {
            self.misses += 1;
            return;
        }
        self.misses = 0;
        self.top.insert(place, score);
        self.top.truncate(self.exit.k);
    }

    pub(super) fn is_over(&self) -> bool {
        self.misses >= self.exit.beta
    }

    /// Candidates that must be judged before the walk can be over, so that they can go together.
    pub(super) fn next(&self) -> usize {
        let missing = self.exit.k - self.top.len();
        if missing > 0 {
            return missing;
        }
        self.exit.beta - self.misses
    }
}

pub(super) fn at_least_1(argument: &'static str, value: usize) -> Result<(), Error> {
    if value == 0 {
        return Err(Error::argument(argument, "at least 1", 0));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_stay_down_to_a_share_of_the_kth_score() {
        let scores = [10.0, 8.0, 7.2, 7.1, 1.0];
        assert_eq!(Prune { k: 2, alpha: 0.1 }.keep(&scores), 3);
        assert_eq!(Prune { k: 2, alpha: 0.0 }.keep(&scores), 2);
        assert_eq!(Prune { k: 2, alpha: 1.0 }.keep(&scores), 5);
        assert_eq!(Prune { k: 9, alpha: 0.0 }.keep(&scores), 5);
        assert_eq!(Prune { k: 1, alpha: 0.5 }.keep(&[]), 0);
    }

    #[test]
    fn negative_first_stage_scores_never_prune_the_top_k() {
        let scores = [-1.0, -2.0, -2.1, -3.0];
        assert_eq!(Prune { k: 2, alpha: 0.1 }.keep(&scores), 3);
    }

    #[test]
    fn the_walk_is_over_after_beta_misses_in_a_row_and_a_hit_starts_again() {
        let mut walk = Walk::new(EarlyExit { k: 2, beta: 2 });
        assert_eq!(walk.next(), 2);
        for score in [5.0, 4.0, 1.0, 4.5, 4.4] {
            walk.push(score);
            assert!(!walk.is_over(), "{score}");
        }
        assert_eq!(walk.next(), 1, "one miss so far");
        walk.push(4.5);
        assert!(walk.is_over(), "a tie with the k-th is a miss");
    }
}
