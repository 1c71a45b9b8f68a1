//! Two rankings of the same query as one: by ranks (reciprocal, logarithmic) or by scores (z-score,
//! min-max). Zero-shot rerankers often make a good first stage worse; a mix is the usual remedy.
//!
//! Documents are matched by number. Ties keep the order of the first ranking, then of the second.

use core::fmt;
use core::str::FromStr;
use std::collections::{HashMap, HashSet};

use super::Hit;
use crate::error::Error;

/// How two rankings become one. `alpha` (0..=1) is the share of the first ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fusion {
    /// Sum of 1 / (k + rank), 0 for a ranking that has not the document (Cormack et al. 2009).
    ReciprocalRank {
        /// How soon ranks stop mattering; 60 in the paper.
        k: f32,
    },
    /// alpha z(first) + (1 - alpha) z(second), scores standardised over each ranking (ERank,
    /// arXiv:2509.00520). A document that a ranking has not gets that ranking's lowest.
    ZScore {
        /// Share of the first ranking.
        alpha: f32,
    },
    /// As `ZScore`, with scores moved to 0..=1 in each ranking; the hybrid of GroupRank
    /// (arXiv:2511.11653) has alpha 0.5.
    MinMax {
        /// Share of the first ranking.
        alpha: f32,
    },
    /// -0.5 ln(rank) - 0.5 ln(rank) (GroupRank). A document that a ranking has not stands after its
    /// last.
    LogRank,
}

impl Fusion {
    /// Fuses two rankings, each best first without repeats. All documents of both come out, best
    /// first; scores are those of the formula and mean nothing elsewhere.
    #[must_use]
    pub fn fuse(self, first: &[Hit], second: &[Hit]) -> Vec<Hit> {
        match self {
            Self::ReciprocalRank { k } => sum(&[reciprocal(first, k), reciprocal(second, k)]),
            Self::LogRank => sum(&[logarithmic(first), logarithmic(second)]),
            Self::ZScore { alpha } => {
                let [first, second] = [first, second].map(standardised);
                sum(&[weighted(first, alpha), weighted(second, 1.0 - alpha)])
            }
            Self::MinMax { alpha } => {
                let [first, second] = [first, second].map(stretched);
                sum(&[weighted(first, alpha), weighted(second, 1.0 - alpha)])
            }
        }
    }
}

/// Reciprocal-rank fusion of any number of rankings.
#[must_use]
pub fn reciprocal_rank(rankings: &[&[Hit]], k: f32) -> Vec<Hit> {
    let parts: Vec<Part> = rankings.iter().map(|hits| reciprocal(hits, k)).collect();
    sum(&parts)
}

/// What a ranking adds to each of its documents, and to all others.
struct Part {
    hits: Vec<Hit>,
    missing: f32,
}

fn reciprocal(hits: &[Hit], k: f32) -> Part {
    by_rank(hits, |rank| 1.0 / (k + rank), 0.0)
}

fn logarithmic(hits: &[Hit]) -> Part {
    let score = |rank: f32| -0.5 * rank.ln();
    by_rank(hits, score, score(hits.len() as f32 + 1.0))
}

fn by_rank(hits: &[Hit], score: impl Fn(f32) -> f32, missing: f32) -> Part {
    let hits = (hits.iter().enumerate())
        .map(|(index, hit)| Hit {
            document: hit.document,
            score: score(index as f32 + 1.0),
        })
        .collect();
    Part { hits, missing }
}

/// Mean 0, deviation 1; all 0 when the scores are equal.
fn standardised(hits: &[Hit]) -> Part {
    let n = hits.len() as f64;
    let scores = || hits.iter().map(|hit| f64::from(hit.score));
    let mean = scores().sum::<f64>() / n;
    let variance = scores().map(|score| (score - mean).powi(2)).sum::<f64>() / n;
    moved(hits, mean, variance.sqrt())
}

/// 0 for the lowest, 1 for the highest; all 0 when the scores are equal.
fn stretched(hits: &[Hit]) -> Part {
    let scores = || hits.iter().map(|hit| f64::from(hit.score));
    let lowest = scores().fold(f64::INFINITY, f64::min);
    let highest = scores().fold(f64::NEG_INFINITY, f64::max);
    moved(hits, lowest, highest - lowest)
}

fn moved(hits: &[Hit], origin: f64, unit: f64) -> Part {
    let score = |hit: &Hit| {
        let distance = f64::from(hit.score) - origin;
        if unit > 0.0 {
            (distance / unit) as f32
        } else {
            0.0
        }
    };
    let hits: Vec<Hit> = (hits.iter())
        .map(|hit| Hit {
            document: hit.document,
            score: score(hit),
        })
        .collect();
    let lowest = hits.iter().map(|hit| hit.score).min_by(f32::total_cmp);
    Part {
        missing: lowest.unwrap_or(0.0),
        hits,
    }
}

fn weighted(mut part: Part, weight: f32) -> Part {
    part.missing *= weight;
    for hit in &mut part.hits {
        hit.score *= weight;
    }
    part
}

fn sum(parts: &[Part]) -> Vec<Hit> {
    let tables: Vec<HashMap<u32, f32>> = (parts.iter())
        .map(|part| part.hits.iter().map(|h| (h.document, h.score)).collect())
        .collect();
    let mut met = HashSet::new();
    let mut fused: Vec<Hit> = (parts.iter().flat_map(|part| &part.hits))
        .filter(|hit| met.insert(hit.document))
        .map(|&Hit { document, .. }| {
            let parts = parts.iter().zip(&tables);
            let score = parts.map(|(part, table)| *table.get(&document).unwrap_or(&part.missing));
            let score = score.sum();
            Hit { document, score }
        })
        .collect();
    // Stable, so ties stay in the order in which documents were first met.
    fused.sort_by(|a, b| b.score.total_cmp(&a.score));
    fused
}

/// `rrf`, `rrf:K`, `z:ALPHA`, `minmax:ALPHA` or `logrank`, as on the command line.
impl FromStr for Fusion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let expected = "rrf, rrf:K above 0, z:ALPHA or minmax:ALPHA from 0 to 1, or logrank";
        let refused = || Error::argument("fuse", expected, text);
        let (name, number) = match text.split_once(':') {
            None => (text, None),
            Some((name, number)) => (name, Some(number.parse::<f32>().map_err(|_| refused())?)),
        };
        let share = |alpha: &f32| (0.0..=1.0).contains(alpha);
        match (name, number) {
            ("rrf", None) => Ok(Self::ReciprocalRank { k: 60.0 }),
            ("rrf", Some(k)) if k > 0.0 && k.is_finite() => Ok(Self::ReciprocalRank { k }),
            ("z", Some(alpha)) if share(&alpha) => Ok(Self::ZScore { alpha }),
            ("minmax", Some(alpha)) if share(&alpha) => Ok(Self::MinMax { alpha }),
            ("logrank", None) => Ok(Self::LogRank),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for Fusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReciprocalRank { k } => write!(f, "rrf:{k}"),
            Self::ZScore { alpha } => write!(f, "z:{alpha}"),
            Self::MinMax { alpha } => write!(f, "minmax:{alpha}"),
            Self::LogRank => f.write_str("logrank"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(list: &[(u32, f32)]) -> Vec<Hit> {
        let hit = |&(document, score)| Hit { document, score };
        list.iter().map(hit).collect()
    }

    #[track_caller]
    fn check(found: &[Hit], expected: &[(u32, f32)]) {
        let documents: Vec<u32> = found.iter().map(|hit| hit.document).collect();
        let wanted: Vec<u32> = expected.iter().map(|pair| pair.0).collect();
        assert_eq!(documents, wanted, "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            let close = (found.score - expected.1).abs() < 1e-5;
            assert!(close, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn reciprocal_ranks_are_summed_over_the_rankings_that_have_a_document() {
        let (a, b) = (hits(&[(4, 9.0), (7, 8.0)]), hits(&[(7, 0.1), (1, 0.0)]));
        let rrf = Fusion::ReciprocalRank { k: 60.0 };
        let expected = [
            (7, 1.0 / 62.0 + 1.0 / 61.0),
            (4, 1.0 / 61.0),
            (1, 1.0 / 62.0),
        ];
        check(&rrf.fuse(&a, &b), &expected);
        check(&reciprocal_rank(&[&a, &b], 60.0), &expected);
        let thrice = reciprocal_rank(&[&a, &b, &a], 60.0);
        check(&thrice[..1], &[(7, 2.0 / 62.0 + 1.0 / 61.0)]);
    }

    #[test]
    fn z_scores_are_mixed_by_alpha_and_a_missing_document_counts_as_the_lowest() {
        // Means 2 and 20, deviations sqrt(2/3) and 10.
        let (a, b) = (
            hits(&[(0, 3.0), (1, 2.0), (2, 1.0)]),
            hits(&[(2, 30.0), (1, 10.0)]),
        );
        let z = 1.5_f32.sqrt();
        let fused = Fusion::ZScore { alpha: 0.25 }.fuse(&a, &b);
        let expected = [(2, -0.25 * z + 0.75), (0, 0.25 * z - 0.75), (1, 0.0 - 0.75)];
        check(&fused, &expected);
        check(
            &Fusion::ZScore { alpha: 1.0 }.fuse(&a, &b),
            &[(0, z), (1, 0.0), (2, -z)],
        );
    }

    #[test]
    fn min_max_moves_each_ranking_to_zero_and_one() {
        let (a, b) = (
            hits(&[(0, 5.0), (1, 3.0), (2, 1.0)]),
            hits(&[(3, -1.0), (1, -3.0)]),
        );
        let fused = Fusion::MinMax { alpha: 0.5 }.fuse(&a, &b);
        check(&fused, &[(0, 0.5), (3, 0.5), (1, 0.25), (2, 0.0)]);
    }

    #[test]
    fn log_ranks_are_halved_and_a_missing_document_stands_after_the_last() {
        let (a, b) = (
            hits(&[(0, 5.0), (1, 3.0)]),
            hits(&[(1, 1.0), (2, 0.5), (0, 0.1)]),
        );
        let fused = Fusion::LogRank.fuse(&a, &b);
        let ln = |rank: f32| 0.5 * rank.ln();
        check(
            &fused,
            &[(1, -ln(2.0)), (0, -ln(3.0)), (2, -ln(3.0) - ln(2.0))],
        );
    }

    #[test]
    fn equal_scores_and_empty_rankings_change_no_order() {
        let a = hits(&[(5, 1.0), (3, 1.0), (4, 1.0)]);
        for fusion in [
            Fusion::ZScore { alpha: 0.5 },
            Fusion::MinMax { alpha: 0.5 },
            Fusion::ReciprocalRank { k: 60.0 },
            Fusion::LogRank,
        ] {
            for (first, second) in [(&a[..], &a[..]), (&a, &[]), (&[], &a)] {
                let fused = fusion.fuse(first, second);
                let found: Vec<u32> = fused.iter().map(|hit| hit.document).collect();
                assert_eq!(found, [5, 3, 4], "{fusion}");
            }
            assert!(fusion.fuse(&[], &[]).is_empty());
        }
    }

    #[test]
    fn a_fusion_is_read_as_it_is_written() {
        for text in ["rrf:60", "rrf:1.5", "z:0.5", "minmax:0", "logrank"] {
            assert_eq!(text.parse::<Fusion>().unwrap().to_string(), text);
        }
        assert_eq!("rrf".parse(), Ok(Fusion::ReciprocalRank { k: 60.0 }));
        for text in [
            "",
            "z",
            "z:",
            "z:1.5",
            "z:nan",
            "rrf:0",
            "logrank:1",
            "mean",
        ] {
            let error = text.parse::<Fusion>().unwrap_err();
            assert_eq!(error.code(), "invalid_argument", "{text}");
        }
    }
}
