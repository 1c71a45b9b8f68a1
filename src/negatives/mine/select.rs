//! Fewer and better: thinning by random projections, and selection by likeness to target questions.

use std::collections::HashMap;

use super::super::settings::within;
use super::pca::{Vectors, cosine};
use crate::error::Error;
use crate::random::Random;

/// Keeps at most `each` rows of every bucket of a `SimHash` (signs of random projections; Charikar
/// 2002; the hashing half of GAIS, arXiv:2502.20293): near rows fall into the same bucket. Rows
/// are taken in order, so put the hardest first. `bits` 1..=64: more bits, finer buckets.
///
/// # Errors
/// `invalid_argument` for `bits` or `each` out of range.
pub fn thin(vectors: &Vectors, bits: usize, each: usize, seed: u64) -> Result<Vec<usize>, Error> {
    within("bits", bits, 1..=64)?;
    within("each", each, 1..=1_000_000)?;
    let mut random = Random::new(seed);
    let planes: Vec<Vec<f64>> = (0..bits)
        .map(|_| (0..vectors.width()).map(|_| random.normal()).collect())
        .collect();
    let mut buckets: HashMap<u64, usize> = HashMap::new();
    Ok((0..vectors.rows())
        .filter(|&row| {
            let side = |plane: &Vec<f64>| {
                vectors
                    .row(row)
                    .iter()
                    .zip(plane)
                    .map(|(v, p)| f64::from(*v) * p)
                    .sum::<f64>()
                    > 0.0
            };
            let hash = planes
                .iter()
                .fold(0_u64, |hash, plane| hash << 1 | u64::from(side(plane)));
            let held = buckets.entry(hash).or_default();
            *held += 1;
            *held <= each
        })
        .collect())
}

/// How likeness to several targets becomes one number (the paper's way is not known to us).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Closeness {
    /// To the nearest target.
    #[default]
    Nearest,
    /// To all targets on average.
    Mean,
}

/// The share (0.01..=1, rounded up) of rows most like the target questions, most like first.
/// After BETR (arXiv:2507.12466), without its classifier: rows are few enough to compare them all.
///
/// # Errors
/// `invalid_argument` for a share out of range, no target, or targets of another width.
pub fn select_like(
    rows: &Vectors,
    targets: &Vectors,
    closeness: Closeness,
    share: f32,
) -> Result<Vec<usize>, Error> {
    within("share", share, 0.01..=1.0)?;
    if targets.rows() == 0 || targets.width() != rows.width() {
        let expected = format!("at least one row of width {}", rows.width());
        let found = format!("{} of width {}", targets.rows(), targets.width());
        return Err(Error::argument("targets", expected, found));
    }
    let like = |row: usize| {
        let each = (0..targets.rows()).map(|target| cosine(rows.row(row), targets.row(target)));
        match closeness {
            Closeness::Nearest => each.fold(f32::NEG_INFINITY, f32::max),
            Closeness::Mean => each.sum::<f32>() / targets.rows() as f32,
        }
    };
    let scores: Vec<f32> = (0..rows.rows()).map(like).collect();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    order.truncate((scores.len() as f32 * share).ceil() as usize);
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_a_bucket_and_opposites_do_not() {
        let vectors = Vectors::new(2, vec![1.0, 0.5, 2.0, 1.0, -1.0, -0.5, 1.0, 0.5]).unwrap();
        for seed in 0..20 {
            assert_eq!(thin(&vectors, 16, 1, seed), Ok(vec![0, 2]));
            assert_eq!(thin(&vectors, 16, 2, seed), Ok(vec![0, 1, 2]));
        }
        assert!(thin(&vectors, 0, 1, 0).is_err() && thin(&vectors, 65, 1, 0).is_err());
    }

    #[test]
    fn more_bits_keep_more() {
        let mut random = Random::new(2);
        let values: Vec<f32> = (0..900).map(|_| random.normal() as f32).collect();
        let vectors = Vectors::new(3, values).unwrap();
        let kept = |bits| thin(&vectors, bits, 1, 4).unwrap().len();
        assert!(
            kept(1) <= 2 && kept(1) < kept(6) && kept(6) < kept(20),
            "{} {} {}",
            kept(1),
            kept(6),
            kept(20)
        );
    }

    #[test]
    fn rows_most_like_a_target_are_selected() {
        let rows = Vectors::new(2, vec![1.0, 0.0, 0.0, 1.0, 0.7, 0.7, -1.0, 0.0]).unwrap();
        let targets = Vectors::new(2, vec![1.0, 0.0, 0.0, 2.0]).unwrap();
        assert_eq!(
            select_like(&rows, &targets, Closeness::Nearest, 0.5),
            Ok(vec![0, 1])
        );
        assert_eq!(
            select_like(&rows, &targets, Closeness::Mean, 0.25),
            Ok(vec![2])
        );
        assert!(
            select_like(
                &rows,
                &Vectors::new(1, vec![1.0]).unwrap(),
                Closeness::Mean,
                0.5
            )
            .is_err()
        );
    }
}
