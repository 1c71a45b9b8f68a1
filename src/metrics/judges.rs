//! Figures about a judge instead of a ranking: does it contradict itself when two documents change
//! places, and does it tell a query that a page answers from one that it does not.

/// Which of two documents a judge preferred, by the place it was shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// The one shown first.
    First,
    /// The one shown second.
    Second,
    /// Neither.
    Neither,
}

impl Preference {
    /// The preference that two scores express, in the order shown; equal scores express none.
    #[must_use]
    pub fn of(first: f32, second: f32) -> Self {
        if first > second {
            Self::First
        } else if second > first {
            Self::Second
        } else {
            Self::Neither
        }
    }

    const fn swapped(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
            Self::Neither => Self::Neither,
        }
    }
}

/// Share of pairs on which a judge contradicts itself, 0..=1; `None` without pairs. Each pair is
/// asked as (a, b) and as (b, a); unless both answers name the same document, or both none, they
/// conflict. Pairwise ranking prompting (arXiv:2306.17563) counts such a pair as a tie.
pub fn conflict_rate(pairs: impl IntoIterator<Item = (Preference, Preference)>) -> Option<f64> {
    share(pairs.into_iter().map(|(ab, ba)| ab != ba.swapped()))
}

/// Share of (page, positive query, negative query) triples in which the page scores higher for the
/// positive, 0..=1; `None` without triples. Each item is (positive, negative); equal scores, and
/// NaN, count against the judge: it was fooled.
pub fn query_discrimination(triples: impl IntoIterator<Item = (f32, f32)>) -> Option<f64> {
    share(triples.into_iter().map(|(pos, neg)| pos > neg))
}

fn share(answers: impl Iterator<Item = bool>) -> Option<f64> {
    let (mut yes, mut all) = (0_u32, 0_u32);
    for answer in answers {
        yes += u32::from(answer);
        all += 1;
    }
    (all > 0).then(|| f64::from(yes) / f64::from(all))
}

#[cfg(test)]
mod tests {
    use super::Preference::{First, Neither, Second};
    use super::*;

    #[test]
    fn a_pair_conflicts_unless_both_orders_name_the_same_document() {
        let agree = [(First, Second), (Second, First), (Neither, Neither)];
        assert_eq!(conflict_rate(agree), Some(0.0));
        let conflict = [
            (First, First),
            (Second, Second),
            (First, Neither),
            (Neither, Second),
        ];
        assert_eq!(conflict_rate(conflict), Some(1.0));
        assert_eq!(
            conflict_rate(agree.into_iter().chain([(First, First)])),
            Some(0.25)
        );
        assert_eq!(conflict_rate([]), None);
    }

    #[test]
    fn a_judge_that_always_takes_the_first_place_conflicts_on_every_pair() {
        let biased = |_: f32, _: f32| Preference::of(1.0, 0.0);
        let pairs = [(1.0, 2.0), (5.0, 3.0)].map(|(a, b)| (biased(a, b), biased(b, a)));
        assert_eq!(conflict_rate(pairs), Some(1.0));
        let fair = [(1.0, 2.0), (5.0, 3.0), (4.0, 4.0)];
        let pairs = fair.map(|(a, b)| (Preference::of(a, b), Preference::of(b, a)));
        assert_eq!(conflict_rate(pairs), Some(0.0));
    }

    #[test]
    fn a_tie_is_not_a_positive_told_from_a_negative() {
        let triples = [(0.9, 0.1), (0.4, 0.4), (0.2, 0.3), (f32::NAN, 0.0)];
        assert_eq!(query_discrimination(triples), Some(0.25));
        assert_eq!(query_discrimination([]), None);
    }
}
