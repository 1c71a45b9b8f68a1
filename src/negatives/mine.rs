//! Page negatives from vectors and scores: given several pages, which of them are hard negatives
//! for a query. No networks here; vectors and scores come in.
//!
//! The rules are alternatives, never chained: [`both_distances`] demands that a negative is nearer
//! to the query than the positive is, [`under_ceiling`] that it is farther.

use super::settings::within;
use crate::error::Error;
use crate::random::Random;

mod pca;
mod select;

pub use pca::{Vectors, concatenate, pca};
pub use select::{Closeness, select_like, thin};

/// Meghwani & Agarwal et al. 2025 (arXiv:2505.18366): for a query Q with positive page P, the page
/// D nearest to Q with d(Q,D) < d(Q,P) and d(Q,D) < d(P,D), d being the cosine distance; `None`
/// when no page has both. `vectors` holds pages and queries in one space, best [`concatenate`]d
/// from several embedders and reduced by [`pca`]; `query`, `positive` and `pages` are its rows.
///
/// # Errors
/// `invalid_argument` for a row that is not there.
pub fn both_distances(
    vectors: &Vectors,
    query: usize,
    positive: usize,
    pages: &[usize],
) -> Result<Option<usize>, Error> {
    for &row in pages.iter().chain([&query, &positive]) {
        if row >= vectors.rows() {
            let expected = format!("rows under {}", vectors.rows());
            return Err(Error::argument("row", expected, row));
        }
    }
    let distance = |a, b| 1.0 - vectors.cosine(a, b);
    let limit = distance(query, positive);
    let survivors = (pages.iter().copied())
        .filter(|&page| page != positive && page != query)
        .map(|page| (page, distance(query, page)))
        .filter(|&(page, near)| near < limit && near < distance(positive, page));
    Ok(survivors
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(page, _)| page))
}

/// Where the ceiling for negatives lies, below the positive's score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ceiling {
    /// NV-Retriever (arXiv:2407.15831), TopK-PercPos: a share of the positive's score, 0.5..=1;
    /// the paper's 0.95. On few or alike pages that may leave nothing; 0.8 has been used there.
    Share(f32),
    /// The same paper's TopK-MarginPos: the positive's score less a margin, 0..=10.
    Margin(f32),
}

impl Default for Ceiling {
    fn default() -> Self {
        Self::Share(0.95)
    }
}

/// The up to `count` pages that score highest among those under the ceiling, best first.
/// `scores[positive]` is the positive's. Below zero a share would lie above the score, so there
/// the distance to it is mirrored.
///
/// # Errors
/// `invalid_argument` for a ceiling out of range, a positive that is not there, or NaN.
pub fn under_ceiling(
    scores: &[f32],
    positive: usize,
    ceiling: Ceiling,
    count: usize,
) -> Result<Vec<usize>, Error> {
    let anchor = anchor(scores, positive)?;
    let limit = match ceiling {
        Ceiling::Share(share) => {
            within("share", share, 0.5..=1.0)?;
            anchor - (1.0 - share) * anchor.abs()
        }
        Ceiling::Margin(margin) => {
            within("margin", margin, 0.0..=10.0)?;
            anchor - margin
        }
    };
    let mut under = below(scores, positive, |score| score < limit);
    under.truncate(count);
    Ok(under)
}

/// What [`cyclic`] picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picks {
    /// Pages, `count` of them unless there is no other page than the positive.
    pub pages: Vec<usize>,
    /// No page was under the ceiling, so these are drawn at random (the paper gives them score 1).
    pub random: bool,
}

/// UniME-V2 (arXiv:2510.13515): drop pages that the judge scores above score(positive) - `beta`,
/// then pick every `step`-th of the rest, highest first, round after round until `count` are
/// picked; fewer are repeated, and with none left `count` others are drawn by `seed`. The paper:
/// step 5, at least 10.
///
/// # Errors
/// `invalid_argument` for a positive that is not there, NaN, `beta` under 0, `step` or `count` 0.
pub fn cyclic(scores: &[f32], positive: usize, beta: f32, pick: Pick) -> Result<Picks, Error> {
    let anchor = anchor(scores, positive)?;
    within("beta", beta, 0.0..=1000.0)?;
    within("step", pick.step, 1..=1000)?;
    within("count", pick.count, 1..=10_000)?;
    let under = below(scores, positive, |score| score <= anchor - beta);
    let random = under.is_empty();
    let pages: Vec<usize> = if random {
        let others: Vec<usize> = (0..scores.len()).filter(|&i| i != positive).collect();
        let drawn = Random::new(pick.seed).draw(others.len(), pick.count);
        drawn.into_iter().map(|i| others[i]).collect()
    } else {
        let rounds = 0..pick.step.min(under.len());
        rounds
            .flat_map(|first| under.iter().skip(first).step_by(pick.step))
            .copied()
            .collect()
    };
    let pages = pages
        .iter()
        .copied()
        .cycle()
        .take(if pages.is_empty() { 0 } else { pick.count });
    Ok(Picks {
        pages: pages.collect(),
        random,
    })
}

/// How [`cyclic`] picks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick {
    /// Distance between picks of one round, 1..=1000.
    pub step: usize,
    /// Picks, 1..=10000.
    pub count: usize,
    /// For the draw when nothing is left.
    pub seed: u64,
}

impl Default for Pick {
    fn default() -> Self {
        Self {
            step: 5,
            count: 10,
            seed: 0,
        }
    }
}

/// Draws `count` pages without repetition, each with a chance of softmax(score / `temperature`)
/// among those left (CoRNStack, arXiv:2412.01007, lowers the temperature as training goes on).
/// Gumbel-top-k: highest of score / temperature plus Gumbel noise. The positive is never drawn.
///
/// # Errors
/// `invalid_argument` for a temperature not in 0.001..=1000, a positive that is not there, or NaN.
pub fn sample(
    scores: &[f32],
    positive: usize,
    temperature: f32,
    count: usize,
    seed: u64,
) -> Result<Vec<usize>, Error> {
    anchor(scores, positive)?;
    within("temperature", temperature, 0.001..=1000.0)?;
    let mut random = Random::new(seed);
    let mut keyed: Vec<(usize, f64)> = (scores.iter().enumerate())
        .map(|(i, &score)| {
            (
                i,
                f64::from(score) / f64::from(temperature) - (-random.unit().ln()).ln(),
            )
        })
        .filter(|&(i, _)| i != positive)
        .collect();
    keyed.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(keyed.into_iter().take(count).map(|(i, _)| i).collect())
}

fn anchor(scores: &[f32], positive: usize) -> Result<f32, Error> {
    if scores.iter().any(|score| score.is_nan()) {
        return Err(Error::argument("scores", "numbers", "NaN"));
    }
    scores.get(positive).copied().ok_or_else(|| {
        Error::argument(
            "positive",
            format!("an index under {}", scores.len()),
            positive,
        )
    })
}

/// Other pages whose score passes, highest first, ties by index.
fn below(scores: &[f32], positive: usize, passes: impl Fn(f32) -> bool) -> Vec<usize> {
    let mut under: Vec<usize> = (0..scores.len())
        .filter(|&i| i != positive && passes(scores[i]))
        .collect();
    under.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    under
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_must_be_nearer_to_the_query_than_the_positive_and_than_to_the_positive() {
        let angle = |degrees: f32| [degrees.to_radians().cos(), degrees.to_radians().sin()];
        // Query 0, positive 40; 35 is near the query's positive, -20 is not, -60 is far.
        let rows: Vec<[f32; 2]> = [0.0, 40.0, 35.0, -20.0, -60.0].map(angle).into();
        let vectors = Vectors::new(2, rows.concat()).unwrap();
        assert_eq!(both_distances(&vectors, 0, 1, &[1, 2, 3, 4]), Ok(Some(3)));
        assert_eq!(both_distances(&vectors, 0, 1, &[1, 2, 4]), Ok(None));
        assert!(both_distances(&vectors, 0, 9, &[1]).is_err());
    }

    #[test]
    fn the_two_rules_never_agree_when_scores_are_positive_similarities() {
        let mut random = Random::new(5);
        for _ in 0..200 {
            let values: Vec<f32> = (0..30).map(|_| random.unit() as f32).collect();
            let vectors = Vectors::new(3, values).unwrap();
            let scores: Vec<f32> = (0..10).map(|row| vectors.cosine(0, row)).collect();
            let near = both_distances(&vectors, 0, 1, &(1..10).collect::<Vec<_>>()).unwrap();
            let far = under_ceiling(&scores, 1, Ceiling::default(), 10).unwrap();
            assert!(near.is_none_or(|page| !far.contains(&page)));
        }
    }

    #[test]
    fn the_ceiling_keeps_the_best_under_it_and_works_below_zero() {
        let scores = [0.5, 1.0, 0.96, 0.94, 0.2];
        assert_eq!(
            under_ceiling(&scores, 1, Ceiling::default(), 2),
            Ok(vec![3, 0])
        );
        assert_eq!(
            under_ceiling(&scores, 1, Ceiling::Margin(0.03), 9),
            Ok(vec![2, 3, 0, 4])
        );
        let scores = [-1.0, -1.01, -1.2];
        assert_eq!(
            under_ceiling(&scores, 0, Ceiling::default(), 9),
            Ok(vec![2])
        );
        assert!(under_ceiling(&scores, 0, Ceiling::Share(0.4), 9).is_err());
        assert!(under_ceiling(&[f32::NAN], 0, Ceiling::default(), 9).is_err());
    }

    #[test]
    fn cyclic_picks_walk_the_ranks_in_steps_repeat_and_fall_back() {
        let scores: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let pick = Pick {
            step: 5,
            count: 4,
            seed: 0,
        };
        let picks = cyclic(&scores, 11, 1.0, pick).unwrap();
        assert_eq!((picks.pages, picks.random), (vec![10, 5, 0, 9], false));
        let picks = cyclic(&[0.0, 1.0, 2.0], 2, 1.5, pick).unwrap();
        assert_eq!(picks.pages, [0, 0, 0, 0]);
        let picks = cyclic(&[5.0, 6.0, 2.0], 2, 0.0, pick).unwrap();
        assert!(picks.random && picks.pages.len() == 4 && !picks.pages.contains(&2));
        assert_eq!(cyclic(&[1.0], 0, 0.0, pick).map(|p| p.pages), Ok(vec![]));
        assert!(cyclic(&scores, 11, 1.0, Pick { step: 0, ..pick }).is_err());
    }

    #[test]
    fn samples_follow_the_softmax_and_a_cold_one_is_the_top() {
        let scores = [1.0, 0.0, 9.0, 2.0];
        assert_eq!(sample(&scores, 2, 0.001, 3, 1), Ok(vec![3, 0, 1]));
        let n = 4000;
        let first = |seed| sample(&scores, 2, 1.0, 1, seed).unwrap()[0];
        let threes = (0..n).filter(|&seed| first(seed) == 3).count() as f64 / n as f64;
        let expected = 2_f64.exp() / (2_f64.exp() + 1_f64.exp() + 1.0);
        assert!((threes - expected).abs() < 0.03, "{threes} {expected}");
        assert!((0..n).all(|seed| first(seed) != 2));
    }
}
