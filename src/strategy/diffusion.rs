//! Diffusion: each document's vector is drawn towards its neighbours among the candidates, the
//! query's towards the best of them; no pass of any model.
//!
//! SuperGlobal, Shao et al. 2023 (arXiv:2308.06954), whose image vectors have no negative numbers:
//! for text try the mean, and negative similarities weigh nothing here. Cost: m^2 dot products.

use super::feedback::dot;
use super::plan::{Bound, Description, Family, Need, Plan, assign};
use super::prune::at_least_1;
use super::session::{Answer, Session, Verdict};
use crate::error::Error;

/// Reranking by refined vectors. A score is the mean of two dot products: of the refined document
/// with the query, and with the query made of the best refined documents.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Diffusion {
    /// Candidates that take part, from 1; the rest stays below in first-stage order.
    pub pool: usize,
    /// Neighbours of each (K): as many, and the document itself, make the new vector.
    pub neighbours: usize,
    /// A neighbour's weight is this times its similarity; the document's own is 1.
    pub beta: f32,
    /// How the best `neighbours + 1` become a query. As option: `expansion`, max or mean.
    pub expansion: Expansion,
}

/// How vectors become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expansion {
    /// The largest of each dimension.
    Max,
    /// The mean of each dimension.
    Mean,
}

impl Default for Diffusion {
    fn default() -> Self {
        Self {
            pool: 400,
            neighbours: 9,
            beta: 0.15,
            expansion: Expansion::Max,
        }
    }
}

impl Diffusion {
    /// Each row drawn towards its nearest rows.
    fn refined(&self, rows: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let refine = |(own, row): (usize, &Vec<f32>)| {
            let mut near: Vec<(f32, usize)> = (rows.iter().enumerate())
                .filter(|(other, _)| *other != own)
                .map(|(other, vector)| (dot(row, vector), other))
                .collect();
            near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            near.truncate(self.neighbours);
            let (mut sum, mut total) = (row.clone(), 1.0);
            for (similarity, other) in near {
                let weight = self.beta * similarity.max(0.0);
                total += weight;
                for (x, y) in sum.iter_mut().zip(&rows[other]) {
                    *x += weight * y;
                }
            }
            sum.iter_mut().for_each(|x| *x /= total);
            sum
        };
        rows.iter().enumerate().map(refine).collect()
    }

    fn expand(&self, rows: &[&Vec<f32>]) -> Vec<f32> {
        let Some((first, rest)) = rows.split_first() else {
            return Vec::new();
        };
        let mut query = (*first).clone();
        for row in rest {
            for (x, y) in query.iter_mut().zip(*row) {
                *x = match self.expansion {
                    Expansion::Max => x.max(*y),
                    Expansion::Mean => *x + y,
                };
            }
        }
        if self.expansion == Expansion::Mean {
            query.iter_mut().for_each(|x| *x /= rows.len() as f32);
        }
        query
    }

    fn scores(&self, query: &[f32], rows: &[Vec<f32>]) -> Vec<f32> {
        let refined = self.refined(rows);
        let first: Vec<f32> = refined.iter().map(|row| dot(query, row)).collect();
        let answer = Answer::Numbers(first.iter().copied().map(Some).collect());
        let all: Vec<usize> = (0..rows.len()).collect();
        let best: Vec<&Vec<f32>> = (answer.order(&all).into_iter())
            .take(self.neighbours + 1)
            .map(|row| &refined[row])
            .collect();
        let expanded = self.expand(&best);
        (refined.iter().zip(first))
            .map(|(row, first)| (first + dot(&expanded, row)) / 2.0)
            .collect()
    }
}

impl Plan for Diffusion {
    fn describe(&self) -> Description {
        Description {
            name: "diffusion",
            family: Family::Vectors,
            summary: "refines cached vectors by their neighbours and scores again",
            cost: "0 passes; min(n, pool)^2 dot products",
            needs: &[Need::Vectors],
            options: &["pool", "neighbours", "beta", "expansion"],
            paper: "arXiv:2308.06954",
        }
    }

    fn at_most(&self, _: usize) -> Bound {
        Bound::default()
    }

    fn set(&mut self, option: &str, value: &str) -> Result<bool, Error> {
        match (option, value) {
            ("pool", _) => assign(&mut self.pool, option, value),
            ("neighbours", _) => assign(&mut self.neighbours, option, value),
            ("beta", _) => assign(&mut self.beta, option, value),
            ("expansion", "max" | "mean") => {
                let is_max = value == "max";
                self.expansion = if is_max {
                    Expansion::Max
                } else {
                    Expansion::Mean
                };
                Ok(true)
            }
            ("expansion", _) => Err(Error::argument("strategy", "expansion=max or mean", value)),
            _ => Ok(false),
        }
    }

    fn check(&self) -> Result<(), Error> {
        at_least_1("strategy.pool", self.pool)?;
        if self.beta.is_finite() && self.beta >= 0.0 {
            return Ok(());
        }
        Err(Error::argument("strategy.beta", "at least 0", self.beta))
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let (query, documents) = session.vectors()?;
        let pool = &documents[..self.pool.min(documents.len())];
        let mut scores: Vec<Option<f32>> =
            self.scores(&query, pool).into_iter().map(Some).collect();
        scores.resize(documents.len(), None);
        Ok(Verdict::Scores(scores))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_formula() {
        let rows = [vec![1.0, 0.0], vec![0.6, 0.8], vec![0.0, 1.0]];
        let one = Diffusion {
            neighbours: 1,
            beta: 0.5,
            ..Diffusion::default()
        };
        // Neighbours: 0-1 (0.6), 1-2 (0.8), 2-1 (0.8); weights 0.3, 0.4, 0.4.
        let refined = [
            [1.18 / 1.3, 0.24 / 1.3],
            [0.6 / 1.4, 1.2 / 1.4],
            [0.24 / 1.4, 1.32 / 1.4],
        ];
        // The query (1, 0) likes 0 and 1 best; the larger of each dimension is (a, b).
        let (a, b) = (1.18 / 1.3, 1.2 / 1.4);
        let found = one.scores(&[1.0, 0.0], &rows);
        for (found, [x, y]) in found.iter().zip(refined) {
            let expected: f32 = (x + a * x + b * y) / 2.0;
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        let mean = Diffusion {
            expansion: Expansion::Mean,
            ..one
        };
        let (a, b) = (
            (1.18 / 1.3 + 0.6 / 1.4) / 2.0,
            (0.24 / 1.3 + 1.2 / 1.4) / 2.0,
        );
        let found = mean.scores(&[1.0, 0.0], &rows);
        for (found, [x, y]) in found.iter().zip(refined) {
            let expected: f32 = (x + a * x + b * y) / 2.0;
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
