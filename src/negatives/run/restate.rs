//! Positives in other words: rephrased from the query alone, or rewritten with the page (CAR).
//!
//! The label stays positive, so what comes back is verified like a positive and counted apart. Who
//! is restated is drawn by the seed.

use super::super::answer::{Numbered, Restated};
use super::super::desk::{Cache, Question};
use super::super::funnel::Death;
use super::super::group::{Positive, Restatement, Way};
use super::super::prompt::{Family, numbered};
use super::super::text::{collapse, normalise};
use super::verify::against;
use super::{Consistency, Progress, Run, Stage, Step, answer_tokens};
use crate::error::Error;
use crate::llm::Llm;
use crate::random::Random;
use crate::strategy::Judge;

impl<G, V, J, K, C, F> Run<'_, G, V, J, K, C, F>
where
    G: Llm,
    V: Llm,
    J: Judge,
    K: Consistency,
    C: Cache,
    F: AsyncFnMut(Progress) -> Result<(), Error>,
{
    /// For each positive, what it is said as besides.
    pub(super) async fn restate(
        &mut self,
        positives: &[Positive],
    ) -> Result<Vec<Vec<Restatement>>, Error> {
        let mut all = vec![Vec::new(); positives.len()];
        let ways = [
            (Way::Rephrase, self.settings.rephrase),
            (Way::Rewrite, self.settings.rewrite),
        ];
        for (salt, (way, share)) in ways.into_iter().enumerate() {
            let chosen = chosen(positives.len(), share, self.settings.seed ^ salt as u64);
            if chosen.is_empty() {
                continue;
            }
            let queries: Vec<&str> = chosen
                .iter()
                .map(|&i| positives[i].query.as_str())
                .collect();
            let made = self.ask_restated(way, &queries).await?;
            let sound = self.sound(&made, &queries).await?;
            for (place, restatement) in sound {
                all[chosen[place]].push(Restatement { way, ..restatement });
            }
        }
        Ok(all)
    }

    async fn ask_restated(&mut self, way: Way, queries: &[&str]) -> Result<Vec<Numbered>, Error> {
        self.progress(
            Stage::Restate,
            Step {
                done: 0,
                total: queries.len(),
            },
        )
        .await?;
        let family = match way {
            Way::Rephrase => Family::Rephrase,
            Way::Rewrite => Family::Rewrite,
        };
        let list = numbered("questions", queries.iter().copied());
        let images = match way {
            // From the query alone.
            Way::Rephrase => &[],
            Way::Rewrite => self.job.image.as_slice(),
        };
        let question = Question {
            family,
            values: &[("queries", &list), ("page", &self.page())],
            images,
            max_tokens: answer_tokens(queries.len()),
            temperature: self.settings.temperature,
        };
        let answer: Option<Restated> = self.desk.ask(&self.seams.generator, &question).await?;
        if answer.is_none() {
            self.funnel.restated.generated += 1;
            self.funnel.restated.died(Death::Malformed);
        }
        let mut made = answer.map(|answer| answer.queries).unwrap_or_default();
        made.truncate(queries.len());
        self.funnel.restated.generated += made.len() as u64;
        Ok(made)
    }

    /// Those that are new, fit and are called answerable by both prompts, with their places.
    async fn sound(
        &mut self,
        made: &[Numbered],
        queries: &[&str],
    ) -> Result<Vec<(usize, Restatement)>, Error> {
        let mut fresh: Vec<(usize, String)> = Vec::new();
        for Numbered { number, query } in made {
            let query = collapse(query);
            let place = number.checked_sub(1).filter(|&place| place < queries.len());
            let Some(place) = place.filter(|p| fresh.iter().all(|(taken, _)| taken != p)) else {
                self.funnel.restated.died(Death::Duplicate);
                continue;
            };
            if !self.fits(&query) {
                self.funnel.restated.died(Death::Length);
            } else if normalise(&query) == normalise(queries[place]) {
                self.funnel.restated.died(Death::SamePositive);
            } else {
                fresh.push((place, query));
            }
        }
        let list: Vec<&str> = fresh.iter().map(|(_, query)| query.as_str()).collect();
        let step = Step {
            done: 0,
            total: list.len(),
        };
        let votes = self.verify(&list, None, Stage::Restate, step).await?;
        let mut sound = Vec::new();
        for ((place, query), votes) in fresh.into_iter().zip(votes) {
            match votes {
                Ok(votes) if votes.keep_positive() => {
                    self.funnel.restated.kept += 1;
                    sound.push((
                        place,
                        Restatement {
                            way: Way::Rephrase,
                            query,
                            votes,
                        },
                    ));
                }
                other => self.funnel.restated.died(against(other, false)),
            }
        }
        Ok(sound)
    }
}

/// Which of `n` are restated: the share, rounded to the nearest, drawn by the seed, in order.
fn chosen(n: usize, share: f32, seed: u64) -> Vec<usize> {
    let count = (n as f32 * share).round() as usize;
    let mut chosen = Random::new(seed).draw(n, count);
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_positives_are_chosen_and_the_seed_decides_which() {
        assert_eq!(chosen(8, 0.5, 1).len(), 4);
        assert_eq!(chosen(8, 0.5, 1), chosen(8, 0.5, 1));
        let different: std::collections::BTreeSet<_> =
            (0..20).map(|seed| chosen(8, 0.5, seed)).collect();
        assert!(different.len() > 5);
        assert!(chosen(5, 0.0, 1).is_empty() && chosen(5, 1.0, 1) == [0, 1, 2, 3, 4]);
    }
}
