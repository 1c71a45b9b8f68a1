//! ANNCUR: the judge's scores of a few documents, and what other queries scored on all of them,
//! tell roughly what the judge would say of the rest; the most promising are judged after all.
//!
//! Yadav et al. 2022 (arXiv:2210.12579): scores are c U R, with the judged row c, anchor queries'
//! scores R and the pseudo-inverse U of its judged columns, here with a ridge. Cost: at most
//! anchors + rescored judgements; the anchor queries' n each are paid beforehand.

use super::linear::{dot, ridge};
use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::prune::at_least_1;
use super::question::Question;
use super::session::{Answer, Session, Verdict};
use crate::error::Error;
use crate::random::Random;

/// Approximate scores for all, exact ones for the best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anncur {
    /// Documents judged to begin with, from 1, drawn at random.
    pub anchors: usize,
    /// Documents judged after the approximation, from 1: its best.
    pub rescored: usize,
    /// Penalty against wild coefficients, as a share of the scores' mean square; 0 for none.
    pub ridge: f32,
    /// Decides the documents judged to begin with.
    pub seed: u64,
}

impl Default for Anncur {
    fn default() -> Self {
        Self {
            anchors: 10,
            rescored: 10,
            ridge: 1e-3,
            seed: 0,
        }
    }
}

impl Anncur {
    async fn judge(
        session: &mut Session<'_>,
        positions: &[usize],
        scores: &mut [Option<f32>],
    ) -> Result<(), Error> {
        let groups: Vec<Vec<usize>> = positions.iter().map(|&position| vec![position]).collect();
        let answers = session.ask(Question::Relevant, &groups).await?;
        for (&position, answer) in positions.iter().zip(answers) {
            if let Answer::Numbers(numbers) = answer {
                scores[position] = numbers.first().copied().flatten();
            }
        }
        Ok(())
    }

    /// What the known scores and the anchor queries' rows say about every document.
    fn approximate(&self, rows: &[Vec<f64>], known: &[Option<f32>]) -> Vec<f64> {
        let judged: Vec<(usize, f64)> = (known.iter().enumerate())
            .filter_map(|(position, score)| Some((position, f64::from((*score)?))))
            .collect();
        // The new query as a mix of the anchor queries, fitted where all have scores. With a ridge
        // this mix, times R, equals c U R.
        let columns: Vec<Vec<f64>> = (rows.iter())
            .map(|row| judged.iter().map(|(position, _)| row[*position]).collect())
            .collect();
        let target: Vec<f64> = judged.iter().map(|(_, score)| *score).collect();
        let mix = ridge(&columns, &target, f64::from(self.ridge));
        (0..known.len())
            .map(|position| {
                let column: Vec<f64> = rows.iter().map(|row| row[position]).collect();
                dot(&mix, &column)
            })
            .collect()
    }
}

impl Plan for Anncur {
    fn describe(&self) -> Description {
        Description {
            name: "anncur",
            family: Family::Vectors,
            summary: "judges a few, infers the rest from other queries' scores, judges the best",
            cost: "at most min(n, anchors + rescored) judgements",
            needs: &[Need::Pointwise, Need::Anchors],
            options: &["anchors", "rescored", "ridge", "seed"],
            paper: "arXiv:2210.12579",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        Bound::judgements(n.min(self.anchors.saturating_add(self.rescored)))
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match option {
            "anchors" => assign(&mut self.anchors, option, value),
            "rescored" => assign(&mut self.rescored, option, value),
            "ridge" => assign(&mut self.ridge, option, value),
            "seed" => assign(&mut self.seed, option, value),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        at_least_1("strategy.anchors", self.anchors)?;
        at_least_1("strategy.rescored", self.rescored)?;
        if self.ridge.is_finite() && self.ridge >= 0.0 {
            return Ok(());
        }
        Err(Error::argument("strategy.ridge", "at least 0", self.ridge))
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let n = session.len();
        let rows = session.anchors()?;
        let mut drawn = Random::new(self.seed).permutation(n);
        drawn.truncate(self.anchors);
        drawn.sort_unstable();
        let mut known = vec![None; n];
        Self::judge(session, &drawn, &mut known).await?;
        if known.iter().all(Option::is_none) {
            return Ok(Verdict::Scores(known));
        }
        let guess = self.approximate(&rows, &known);
        let mut open: Vec<usize> = (0..n).filter(|p| !drawn.contains(p)).collect();
        open.sort_by(|&a, &b| guess[b].total_cmp(&guess[a]).then(a.cmp(&b)));
        open.truncate(self.rescored);
        Self::judge(session, &open, &mut known).await?;
        // A guess puts nothing above what was judged for being promising.
        let lowest = (open.iter().filter_map(|&p| known[p])).fold(f32::INFINITY, f32::min);
        let highest = (0..n)
            .filter(|&p| known[p].is_none())
            .map(|p| guess[p] as f32);
        let above = (highest.fold(f32::NEG_INFINITY, f32::max) - lowest).max(0.0);
        let scores =
            (known.iter().zip(guess)).map(|(known, guess)| known.or(Some(guess as f32 - above)));
        Ok(Verdict::Scores(scores.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_low_rank_are_told_from_a_few() {
        // Three tastes; each anchor query and the new one mix them, so rank 3 is all there is.
        let mut random = Random::new(5);
        let mut number = || random.below(2001) as f64 / 1000.0 - 1.0;
        let tastes: Vec<Vec<f64>> = (0..3)
            .map(|_| (0..40).map(|_| number()).collect())
            .collect();
        let mut query = || -> Vec<f64> {
            let mix = [number(), number(), number()];
            (0..40)
                .map(|d| (0..3).map(|t| mix[t] * tastes[t][d]).sum())
                .collect()
        };
        let rows: Vec<Vec<f64>> = (0..6).map(|_| query()).collect();
        let truth = query();
        let mut known = vec![None; 40];
        for position in [1, 8, 15, 22, 29, 36] {
            known[position] = Some(truth[position] as f32);
        }
        let strategy = Anncur {
            ridge: 1e-7,
            ..Anncur::default()
        };
        for (found, truth) in strategy.approximate(&rows, &known).iter().zip(&truth) {
            assert!((found - truth).abs() < 1e-3, "{found} {truth}");
        }
        known[8..].fill(None);
        let found = strategy.approximate(&rows, &known);
        let worst = found.iter().zip(&truth).map(|(a, b)| (a - b).abs());
        assert!(
            worst.fold(0.0, f64::max) > 0.1,
            "one document is not enough"
        );
    }
}
