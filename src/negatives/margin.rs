//! The local check: how the judge scores a page for a positive and for its negatives.
//!
//! margin = score(positive) - score(negative). A margin of 0 or less means that the judge cannot
//! tell the negative from the positive: it is fooled, and that negative is worth most.

use super::group::{Negative, TrainingGroup};
use crate::error::Error;
use crate::strategy::{Group, Judge};

/// The judge's score of `document` for each query. Cost: one judgement a query, in one call.
///
/// # Errors
/// The judge's; `internal` when it answers with another count than asked, or with NaN.
pub async fn scores<J: Judge>(
    judge: &J,
    document: &str,
    queries: &[&str],
) -> Result<Vec<f32>, Error> {
    let asked: Vec<(&str, &str)> = queries.iter().map(|query| (*query, document)).collect();
    pairs(judge, &asked).await
}

/// The judge's score of each (query, document), each judged alone, in one call.
pub(crate) async fn pairs<J: Judge>(judge: &J, pairs: &[(&str, &str)]) -> Result<Vec<f32>, Error> {
    let documents: Vec<[&str; 1]> = pairs.iter().map(|(_, document)| [*document]).collect();
    let groups: Vec<Group<'_>> = (pairs.iter().zip(&documents))
        .map(|((query, _), documents)| Group { query, documents })
        .collect();
    let answers = judge.judge(&groups).await?;
    let shape = answers.len() == pairs.len() && answers.iter().all(|answer| answer.len() == 1);
    let scores = answers.concat();
    if !shape || scores.iter().any(|score| score.is_nan()) {
        let what = format!(
            "asked for {} scores, one each, found others or NaN",
            pairs.len()
        );
        return Err(Error::Internal { what });
    }
    Ok(scores)
}

/// Sorts negatives by margin, the smallest (hardest) first, so that the fooled ones lead; those
/// without one come last; ties keep their order.
pub fn hardest_first(negatives: &mut [Negative]) {
    negatives.sort_by(|a, b| {
        let margin = |n: &Negative| n.margin.unwrap_or(f32::INFINITY);
        margin(a).total_cmp(&margin(b))
    });
}

/// Query discrimination: the share of (page, positive, negative) in which the positive scores
/// higher; `None` without a scored negative.
#[must_use]
pub fn discrimination(groups: &[TrainingGroup]) -> Option<f32> {
    let margins = || {
        groups
            .iter()
            .flat_map(|g| &g.negatives)
            .filter_map(|n| n.margin)
    };
    let told = margins().filter(|&margin| margin > 0.0).count();
    match margins().count() {
        0 => None,
        all => Some(told as f32 / all as f32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negative(margin: Option<f32>) -> Negative {
        Negative {
            query: format!("{margin:?}"),
            property: None,
            from: None,
            to: None,
            votes: None,
            score: None,
            margin,
        }
    }

    #[test]
    fn the_fooled_come_first_and_the_unscored_last() {
        let mut all: Vec<Negative> = [Some(2.0), None, Some(-1.0), Some(0.0)]
            .map(negative)
            .into();
        hardest_first(&mut all);
        let order: Vec<Option<f32>> = all.iter().map(|n| n.margin).collect();
        assert_eq!(order, [Some(-1.0), Some(0.0), Some(2.0), None]);
    }

    #[test]
    fn discrimination_is_the_share_told_apart_and_a_tie_is_not() {
        let group = |margins: &[Option<f32>]| TrainingGroup {
            negatives: margins.iter().copied().map(negative).collect(),
            ..TrainingGroup::default()
        };
        let groups = [
            group(&[Some(1.0), Some(0.0), None]),
            group(&[Some(-1.0), Some(3.0)]),
        ];
        assert_eq!(discrimination(&groups), Some(0.5));
        assert_eq!(discrimination(&[group(&[None])]), None);
    }

    struct Odd(Vec<Vec<f32>>);

    impl Judge for Odd {
        fn max_group(&self) -> usize {
            1
        }

        async fn judge(&self, _: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
            Ok(self.0.clone())
        }
    }

    #[test]
    fn a_judge_that_answers_nan_or_another_count_is_an_error() {
        let ask = |answer| pollster::block_on(scores(&Odd(answer), "page", &["a", "b"]));
        assert_eq!(ask(vec![vec![1.0], vec![2.0]]), Ok(vec![1.0, 2.0]));
        for odd in [
            vec![vec![1.0, 2.0]],
            vec![vec![1.0, 2.0], vec![]],
            vec![vec![1.0], vec![f32::NAN]],
        ] {
            assert_eq!(ask(odd).map_err(|e| e.code()), Err("internal"));
        }
    }
}
