//! How good rankings are: nDCG, reciprocal rank, average precision, recall and the cubic discount
//! of a judged ranking, and two figures about judges: the conflict rate and query discrimination.
//!
//! Numbers only: no files, no averages over data sets with their own rules. The definitions are
//! `trec_eval`'s where it has them, and are tested against `pytrec_eval` and `ir_measures`.

mod judges;

pub use judges::{Preference, conflict_rate, query_discrimination};

/// What a grade is worth to [`Judged::ndcg`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Gain {
    /// The grade itself, as `trec_eval` and BEIR have it.
    #[default]
    Linear,
    /// 2^grade - 1, as Burges et al. 2005 have it; T2Ranking and gdeval use it.
    Exponential,
}

impl Gain {
    fn of(self, grade: u32) -> f64 {
        match self {
            Self::Linear => f64::from(grade),
            Self::Exponential => f64::from(grade).exp2() - 1.0,
        }
    }
}

/// One query's ranking with its judgements. Every metric is in 0..=1, and 0 when nothing is
/// relevant. A cut `k` counts ranks; `usize::MAX` means the whole ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Grade at each rank, best rank first.
    ranked: Vec<u32>,
    /// Grades of all judged documents, highest first, without zeros.
    ideal: Vec<u32>,
    relevant_from: u32,
}

impl Judged {
    /// `ranked` is the grade at each rank (0 where a document was not judged, no document twice);
    /// `judged` the grades of all judged documents of the query, in any order.
    /// A grade of 1 or more is relevant, see [`Judged::relevant_from`].
    #[must_use]
    pub fn new(
        ranked: impl IntoIterator<Item = u32>,
        judged: impl IntoIterator<Item = u32>,
    ) -> Self {
        let mut ideal: Vec<u32> = judged.into_iter().filter(|&grade| grade > 0).collect();
        ideal.sort_unstable_by(|a, b| b.cmp(a));
        Self {
            ranked: ranked.into_iter().collect(),
            ideal,
            relevant_from: 1,
        }
    }

    /// Counts only documents of this grade (at least 1) or more as relevant. nDCG keeps the grades.
    #[must_use]
    pub fn relevant_from(mut self, grade: u32) -> Self {
        self.relevant_from = grade.max(1);
        self
    }

    /// Relevant documents among all judged ones.
    #[must_use]
    pub fn relevant(&self) -> usize {
        self.ideal.iter().filter(|&&g| self.is_relevant(g)).count()
    }

    /// Relevant documents among the first `k`.
    #[must_use]
    pub fn hits(&self, k: usize) -> usize {
        self.hit_ranks(k).count()
    }

    /// Normalised discounted cumulative gain: gain / log2(rank + 1) summed, over the best sum that
    /// these judgements allow. Järvelin & Kekäläinen 2002.
    #[must_use]
    pub fn ndcg(&self, k: usize, gain: Gain) -> f64 {
        let sum = |grades: &[u32]| -> f64 {
            (grades.iter().take(k).enumerate())
                .map(|(index, &grade)| gain.of(grade) / (index as f64 + 2.0).log2())
                .sum()
        };
        ratio(sum(&self.ranked), sum(&self.ideal))
    }

    /// 1 / rank of the first relevant document within `k`; its mean over queries is MRR@k.
    #[must_use]
    pub fn reciprocal_rank(&self, k: usize) -> f64 {
        self.hit_ranks(k).next().map_or(0.0, |rank| 1.0 / rank)
    }

    /// AP@k: precision at the rank of each relevant document within `k`, summed, over all relevant
    /// documents (not over the smaller of those and `k`). Its mean over queries is MAP.
    #[must_use]
    pub fn average_precision(&self, k: usize) -> f64 {
        let precisions = self.hit_ranks(k).zip(1_u32..);
        let sum: f64 = precisions.map(|(rank, hits)| f64::from(hits) / rank).sum();
        ratio(sum, self.relevant() as f64)
    }

    /// Share of the relevant documents that are among the first `k`. Its mean over queries is the
    /// macro recall; see [`micro_recall`] for the other.
    #[must_use]
    pub fn recall(&self, k: usize) -> f64 {
        ratio(self.hits(k) as f64, self.relevant() as f64)
    }

    /// Hits weigh 1 / rank^3, over the best sum possible: the reward of MM-R5 (arXiv:2506.12364).
    /// Little but the first rank counts.
    #[must_use]
    pub fn cubic_discount(&self, k: usize) -> f64 {
        let weight = |rank: f64| rank.powi(-3);
        let best = (1..=self.relevant().min(k)).map(|rank| weight(rank as f64));
        ratio(self.hit_ranks(k).map(weight).sum(), best.sum())
    }

    fn is_relevant(&self, grade: u32) -> bool {
        grade >= self.relevant_from
    }

    /// 1-based ranks of the relevant documents within `k`.
    fn hit_ranks(&self, k: usize) -> impl Iterator<Item = f64> {
        (self.ranked.iter().take(k).enumerate())
            .filter(|&(_, &grade)| self.is_relevant(grade))
            .map(|(index, _)| index as f64 + 1.0)
    }
}

/// Relevant documents found within `k` over all queries, over those there are: queries with many
/// relevant documents count more than in the mean of [`Judged::recall`]. 0 when nothing is relevant.
#[must_use]
pub fn micro_recall(queries: &[Judged], k: usize) -> f64 {
    let hits: usize = queries.iter().map(|query| query.hits(k)).sum();
    let relevant: usize = queries.iter().map(Judged::relevant).sum();
    ratio(hits as f64, relevant as f64)
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_ranking_has_every_metric_at_one() {
        let judged = Judged::new([3, 2, 1, 0], [1, 0, 3, 2]);
        for value in [
            judged.ndcg(10, Gain::Linear),
            judged.ndcg(10, Gain::Exponential),
            judged.reciprocal_rank(10),
            judged.average_precision(10),
            judged.recall(10),
            judged.cubic_discount(10),
        ] {
            assert!((value - 1.0).abs() < 1e-12, "{value}");
        }
    }

    #[test]
    fn nothing_relevant_nothing_ranked_and_no_ranks_to_look_at_are_zero() {
        let found = [
            (Judged::new([0, 0], [0]), 10),
            (Judged::new([], [1]), 10),
            (Judged::new([1], [1]), 0),
        ];
        for (judged, k) in found {
            let sum = judged.ndcg(k, Gain::Linear)
                + judged.reciprocal_rank(k)
                + judged.average_precision(k)
                + judged.recall(k)
                + judged.cubic_discount(k);
            assert_eq!(sum, 0.0, "{judged:?}");
        }
    }

    #[test]
    fn a_threshold_changes_what_is_relevant_and_not_what_is_gained() {
        let loose = Judged::new([1, 2], [1, 2]);
        let strict = loose.clone().relevant_from(2);
        assert_eq!(loose.reciprocal_rank(10), 1.0);
        assert_eq!(strict.reciprocal_rank(10), 0.5);
        assert_eq!(strict.relevant(), 1);
        assert_eq!(strict.ndcg(10, Gain::Linear), loose.ndcg(10, Gain::Linear));
    }
}
