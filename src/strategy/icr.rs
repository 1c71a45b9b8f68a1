//! ICR: how much the query's tokens attend to each document's, less what the content-free query
//! "N/A" attends to; tokens that fall far below their document's mean are left out.
//!
//! Chen et al. 2024 (arXiv:2410.02642). No text is generated, and the order needs no letters. Cost:
//! 2 passes for all n documents, the second a short one for a model that keeps its cache.

use super::plan::{Bound, Description, Family, Need, Plan};
use super::seams::AttentionPrompt;
use super::session::{Session, Verdict};
use crate::error::Error;

/// Two passes over all documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Icr;

/// The query without content that shows a model's own preferences.
const CONTENT_FREE: &str = "N/A";

impl Plan for Icr {
    fn describe(&self) -> Description {
        Description {
            name: "icr",
            family: Family::Internals,
            summary: "sorts by the query's attention to each document, calibrated",
            cost: "2 passes, none for fewer than 2 documents",
            needs: &[Need::Attention],
            options: &[],
            paper: "arXiv:2410.02642",
        }
    }

    fn at_most(&self, n: usize) -> Bound {
        Bound::passes(if n < 2 { 0 } else { 2 })
    }

    fn set(&mut self, _: &str, _: &str) -> Result<bool, Error> {
        Ok(false)
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn run(&self, session: &mut Session<'_>) -> Result<Verdict, Error> {
        let all: Vec<usize> = (0..session.len()).collect();
        if all.len() < 2 {
            return Ok(Verdict::Order(all));
        }
        let texts = session.excerpts(&all);
        let documents = (texts.iter().enumerate())
            .map(|(i, text)| format!("[{}] {text}", i + 1))
            .collect();
        let mut prompt = AttentionPrompt {
            before: include_str!("prompts/icr_before.txt").into(),
            documents,
            after: include_str!("prompts/icr_after.txt")
                .trim_end_matches('\n')
                .into(),
            query: CONTENT_FREE.into(),
        };
        let Some(bias) = session.attention(&prompt).await? else {
            return Ok(Verdict::Order(Vec::new()));
        };
        prompt.query = session.task.query.into();
        let Some(found) = session.attention(&prompt).await? else {
            return Ok(Verdict::Order(Vec::new()));
        };
        session.saw_all();
        let scores: Result<Vec<_>, Error> = (found.iter().zip(&bias))
            .map(|(found, bias)| calibrated(found, bias).map(Some))
            .collect();
        Ok(Verdict::Scores(scores?))
    }
}

/// The sum of a document's token weights above the bias, without tokens at or below the mean less
/// two standard deviations.
fn calibrated(found: &[f32], bias: &[f32]) -> Result<f32, Error> {
    if found.len() != bias.len() {
        let (a, b) = (bias.len(), found.len());
        let what = format!("a document had {a} tokens in one pass and {b} in the next");
        return Err(Error::Internal { what });
    }
    let weights: Vec<f32> = found.iter().zip(bias).map(|(a, b)| a - b).collect();
    let count = weights.len() as f32;
    if weights.len() < 2 {
        return Ok(weights.iter().sum());
    }
    let mean = weights.iter().sum::<f32>() / count;
    let squares = weights.iter().map(|weight| (weight - mean).powi(2));
    let deviation = (squares.sum::<f32>() / (count - 1.0)).sqrt();
    let threshold = mean - 2.0 * deviation;
    // Equal weights have no outliers, yet none of them is above the mean.
    let kept = weights
        .iter()
        .filter(|&&w| deviation == 0.0 || w > threshold);
    Ok(kept.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bias_is_taken_away_and_outliers_below_are_left_out() {
        // mean 0.8, deviation sqrt(3.6): -5 lies below 0.8 - 2 x 1.897.
        let found = [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, -4.0];
        let score = calibrated(&found, &[1.0; 10]).unwrap();
        assert!((score - 9.0).abs() < 1e-6, "{score}");
        assert_eq!(calibrated(&[3.0, 1.0], &[1.0, 1.0]).unwrap(), 2.0);
        assert_eq!(calibrated(&[0.5; 4], &[0.25; 4]).unwrap(), 1.0);
        assert_eq!(calibrated(&[], &[]).unwrap(), 0.0);
    }

    #[test]
    fn passes_that_disagree_about_tokens_are_a_fault() {
        assert_eq!(calibrated(&[1.0], &[]).unwrap_err().code(), "internal");
    }
}
