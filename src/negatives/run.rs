//! The runner: a page in, training groups out, stage by stage, through the `Llm` and `Judge` seams.
//!
//! `DocReRank` (arXiv:2505.22584), with the page's text, its image or both: positives, two-prompt verification, consistency,
//! hard negatives, verification again, local check. Generator and verifier may be different
//! models, as in the paper. The caller hears before every call and may stop; what is finished is
//! returned with the reason, and what was paid for is in the cache.

use serde::{Deserialize, Serialize};

use super::consistency::Consistency;
use super::desk::{Cache, Desk, Ledger, LlmUsage, Seat};
use super::funnel::Funnel;
use super::group::{Page, Source, TrainingGroup};
use super::prompt::{PROMPTS_VERSION, page};
use super::settings::Settings;
use crate::error::Error;
use crate::llm::{Llm, LlmImage};
use crate::strategy::Judge;

mod negative;
mod positive;
mod restate;
mod verify;

#[cfg(test)]
mod tests;

/// What a run stands on.
#[derive(Debug)]
pub struct Seams<'a, G, V, J, K, C> {
    /// Writes queries.
    pub generator: Seat<'a, G>,
    /// Says what is answerable; better not the generator.
    pub verifier: Seat<'a, V>,
    /// Scores the page for queries.
    pub judge: &'a J,
    /// Where the page comes for a query among all pages.
    pub consistency: &'a K,
    /// Keeps answers.
    pub cache: &'a C,
    /// What may be spent, and is.
    pub ledger: &'a Ledger,
}

/// What to work on.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// The page.
    pub page: Page,
    /// Its image, for models that see: they write and verify by it, and by the text where there is
    /// some. A page without text is neither looked for among others nor scored by the judge, so
    /// its queries have no score and no margin.
    pub image: Option<LlmImage>,
    /// Positives that exist already: they are verified, and none is generated.
    pub positives: Vec<String>,
    /// Written into the groups (RFC 3339).
    pub time: String,
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Writing positives.
    Positives,
    /// Verifying positives, two prompts.
    VerifyPositives,
    /// Looking for the page with each positive.
    Consistency,
    /// Saying positives in other words, and verifying that.
    Restate,
    /// Writing variants and edits of one positive.
    Negatives,
    /// Verifying negatives, two prompts.
    VerifyNegatives,
    /// Scoring with the judge.
    Judge,
}

/// How far a run is. `done` and `total` count positives from `Negatives` on, else calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What comes next.
    pub stage: Stage,
    /// Done of this stage.
    pub done: usize,
    /// In all.
    pub total: usize,
    /// Asked so far.
    pub usage: LlmUsage,
    /// What became of the candidates so far: not all that were generated are kept or dead yet.
    pub funnel: Funnel,
}

/// What a run gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Finished groups.
    pub groups: Vec<TrainingGroup>,
    /// What became of every candidate.
    pub funnel: Funnel,
    /// What was asked.
    pub usage: LlmUsage,
    /// Why the run ended early: `aborted`, `budget`, `llm`, or the judge's or cache's error. The
    /// funnel is then that of the part done.
    pub stopped: Option<Error>,
}

/// Makes training groups of a page.
///
/// `observe` hears before every call to a model or judge and may stop the run with an error.
/// Cost, with defaults and no properties: 1 call for positives, 2 to verify them, 1 and 2 for
/// restating, then 1 and 2 for each positive kept (more when candidates exceed
/// [`Settings::verify_at_once`]), 1 for each property; malformed answers cost one more each, and so
/// do verdicts that deny a negative's own positive.
///
/// # Errors
/// `invalid_argument` before anything is asked. All else ends up in [`Outcome::stopped`].
pub async fn generate<G: Llm, V: Llm, J: Judge, K: Consistency, C: Cache>(
    job: &Job,
    seams: &Seams<'_, G, V, J, K, C>,
    settings: &Settings,
    observe: impl AsyncFnMut(Progress) -> Result<(), Error>,
) -> Result<Outcome, Error> {
    settings.check()?;
    settings.check_page(&job.page.text, job.image.as_ref())?;
    let mut run = Run {
        job,
        seams,
        settings,
        observe,
        desk: Desk {
            cache: seams.cache,
            ledger: seams.ledger,
            usage: LlmUsage::default(),
        },
        funnel: Funnel::default(),
        groups: Vec::new(),
    };
    let stopped = run.all().await.err();
    Ok(Outcome {
        groups: run.groups,
        funnel: run.funnel,
        usage: run.desk.usage,
        stopped,
    })
}

struct Run<'a, G, V, J, K, C, F> {
    job: &'a Job,
    seams: &'a Seams<'a, G, V, J, K, C>,
    settings: &'a Settings,
    observe: F,
    desk: Desk<'a, C>,
    funnel: Funnel,
    groups: Vec<TrainingGroup>,
}

impl<G, V, J, K, C, F> Run<'_, G, V, J, K, C, F>
where
    G: Llm,
    V: Llm,
    J: Judge,
    K: Consistency,
    C: Cache,
    F: AsyncFnMut(Progress) -> Result<(), Error>,
{
    async fn all(&mut self) -> Result<(), Error> {
        let positives = self.positives().await?;
        let restated = self.restate(&positives).await?;
        // What the page answers: no negative may say one of these again.
        let mut answered: Vec<String> = positives.iter().map(|p| p.query.clone()).collect();
        answered.extend(restated.iter().flatten().map(|r| r.query.clone()));

        let total = positives.len();
        for (done, (positive, restated)) in positives.into_iter().zip(restated).enumerate() {
            let step = Step { done, total };
            let (positive, negatives) = self.negatives(positive, &answered, step).await?;
            self.groups.push(TrainingGroup {
                page: self.job.page.clone(),
                positive,
                restated,
                negatives,
                source: self.source(),
            });
        }
        Ok(())
    }

    async fn progress(&mut self, stage: Stage, step: Step) -> Result<(), Error> {
        let Step { done, total } = step;
        (self.observe)(Progress {
            stage,
            done,
            total,
            usage: self.desk.usage,
            funnel: self.funnel.clone(),
        })
        .await
    }

    /// Whether there is something to search and to score.
    fn has_text(&self) -> bool {
        !self.job.page.text.trim().is_empty()
    }

    /// The page as prompts have it; its image goes beside them.
    fn page(&self) -> String {
        page(&self.job.page.text, self.job.image.is_some())
    }

    fn fits(&self, query: &str) -> bool {
        (1..=self.settings.query_words).contains(&query.split_whitespace().count())
            && query.chars().any(char::is_alphanumeric)
    }

    fn source(&self) -> Source {
        let Seams {
            generator,
            verifier,
            ..
        } = self.seams;
        Source {
            provider: generator.provider.to_owned(),
            model: generator.model.to_owned(),
            verifier: format!("{}/{}", verifier.provider, verifier.model),
            prompts_version: PROMPTS_VERSION.to_owned(),
            time: self.job.time.clone(),
        }
    }
}

#[derive(Clone, Copy)]
struct Step {
    done: usize,
    total: usize,
}

/// Longest answer for `items` queries, in tokens: generous, for models that write more than asked.
fn answer_tokens(items: usize) -> u32 {
    256 + 160 * u32::try_from(items.min(100)).unwrap_or(100)
}
