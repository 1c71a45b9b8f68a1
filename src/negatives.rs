//! Hard negatives from one page: queries that look like its own and cannot be answered from it.
//!
//! After `DocReRank` (Wasserman et al. 2025, arXiv:2505.22584): from the page's image as in the
//! paper, from its text, or from both. [`generate`] runs it with language models behind [`Llm`](crate::llm::Llm);
//! [`generate_by_rules`] does without one; [`Funnel`] says what every candidate died of. No network, no clock, no burn.

mod answer;
mod consistency;
mod desk;
mod export;
mod funnel;
mod group;
mod margin;
mod mine;
mod prompt;
mod property;
mod rules;
mod run;
mod segment;
mod settings;
mod text;

pub use consistency::{AmongPages, Consistency, OnlyPage};
pub use desk::{Budget, Cache, Ledger, LlmUsage, MemoryCache, Prices, Seat, request_key};
pub use export::{Layout, export, import};
pub use funnel::{Death, Funnel, Tally};
pub use group::{Negative, Page, Positive, Restatement, Source, TrainingGroup, Votes, Way};
pub use margin::{discrimination, hardest_first, scores};
pub use mine::{
    Ceiling, Closeness, Pick, Picks, Vectors, both_distances, concatenate, cyclic, pca, sample,
    select_like, thin, under_ceiling,
};
pub use prompt::PROMPTS_VERSION;
pub use property::{Change, Property, check_edit};
pub use rules::{Draft, RULES_VERSION, drafts, generate_by_rules};
pub use run::{Job, Outcome, Progress, Seams, Stage, generate};
pub use segment::{Segment, plans, segments, sentences};
pub use settings::Settings;
pub use text::{near_duplicate, similarity};
