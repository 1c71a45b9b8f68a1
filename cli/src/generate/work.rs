//! The pages, several at once, each on a thread of its own; finished ones are taken from the disk.
//!
//! The first error stops the run: no page is begun after it, and pages under way stop before their
//! next call. Their answers are kept, so nothing is lost but the time.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use anyhow::{Context, Result, ensure};
use foliorank::Error;
use foliorank::negatives::{
    AmongPages, Funnel, Job, Layout, Ledger, LlmUsage, Outcome, PROMPTS_VERSION, RULES_VERSION,
    Seams, Seat, Settings, TrainingGroup, export, generate, generate_by_rules,
};
use foliorank::retrieval::bm25::Parameters;
use foliorank::retrieval::{Analysis, Bm25};
use serde_json::json;

use super::client::Client;
use super::input::Input;
use super::store::{Finished, Store};
use super::{GenerateArgs, Named, clock};
use crate::models::sha256;
use crate::progress::Progress;

/// What a run gave.
#[derive(Debug, Default)]
pub(super) struct All {
    /// In the order of the pages.
    pub(super) groups: Vec<TrainingGroup>,
    pub(super) funnel: Funnel,
    pub(super) usage: LlmUsage,
    pub(super) pages: usize,
    /// Pages finished, now or before.
    pub(super) finished: usize,
    /// Of these, before.
    pub(super) reused: usize,
    pub(super) cost: f64,
    pub(super) stopped: Option<Error>,
}

/// Everything that a page needs.
struct Run<'a, J> {
    pages: &'a [Input],
    clients: Option<&'a [Client; 2]>,
    judge: &'a J,
    settings: Settings,
    store: Store,
    ledger: Ledger,
    index: Bm25,
    /// What else than the page decides its groups.
    circumstances: String,
    state: Mutex<State>,
}

struct State {
    done: Vec<Option<Finished>>,
    all: All,
    progress: Progress,
}

/// Makes groups of all pages and writes them.
pub(super) fn all<J: Named>(
    arguments: &GenerateArgs,
    pages: &[Input],
    clients: Option<&[Client; 2]>,
    judge: &J,
) -> Result<All> {
    let settings = arguments.settings();
    settings.check()?;
    check_images(arguments, pages, clients.is_some())?;
    let usual = arguments.out.with_added_extension("cache");
    let folder = arguments.cache.as_deref().unwrap_or(&usual);
    let mut index = Bm25::new(Analysis::ENGLISH, Parameters::default())?;
    for Input { page, .. } in pages {
        index.add(&page.text)?;
    }
    let run = Run {
        circumstances: circumstances(pages, clients, judge, &settings),
        store: Store::open(folder)?,
        ledger: Ledger::new(arguments.budget()),
        state: Mutex::new(State {
            done: vec![None; pages.len()],
            all: All {
                pages: pages.len(),
                ..All::default()
            },
            progress: Progress::new(name(clients), "pages", pages.len()),
        }),
        pages,
        clients,
        judge,
        settings,
        index,
    };
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..usize::from(arguments.parallel).min(pages.len()) {
            scope.spawn(|| {
                while !run.is_stopped() {
                    let index = next.fetch_add(1, Relaxed);
                    if index >= pages.len() {
                        break;
                    }
                    run.page(index);
                }
            });
        }
    });
    let cost = run.ledger.cost();
    let state = run.state.into_inner();
    let State { done, mut all, .. } = state.unwrap_or_else(std::sync::PoisonError::into_inner);
    all.cost = cost;
    for page in done.into_iter().flatten() {
        add(&mut all.funnel, &page.funnel);
        all.groups.extend(page.groups);
    }
    write(&arguments.out, &export(&all.groups, arguments.layout())?)?;
    Ok(all)
}

impl<J: Named> Run<'_, J> {
    fn page(&self, index: usize) {
        let page = &self.pages[index];
        let key = sha256(
            json!([page.page, page.seen(), self.circumstances])
                .to_string()
                .as_bytes(),
        );
        let known = self.store.page(&key);
        let (finished, usage, stopped, reused) = match known {
            Ok(Some(finished)) => (finished, LlmUsage::default(), None, true),
            Ok(None) => {
                let outcome = self.generate(index, page);
                let usage = outcome.usage;
                let finished = Finished {
                    groups: outcome.groups,
                    funnel: outcome.funnel,
                };
                let kept = match outcome.stopped {
                    None => self.store.keep_page(&key, &finished).err(),
                    stopped => stopped,
                };
                (finished, usage, kept, false)
            }
            Err(error) => {
                self.with(|state| state.all.stopped = Some(error));
                return;
            }
        };
        self.with(|state| {
            let all = &mut state.all;
            all.usage.calls += usage.calls;
            all.usage.cached += usage.cached;
            all.usage.repairs += usage.repairs;
            all.usage.input_tokens += usage.input_tokens;
            all.usage.output_tokens += usage.output_tokens;
            if stopped.is_none() {
                all.finished += 1;
                all.reused += usize::from(reused);
                state.progress.step();
            }
            // What stopped the run is told, not that the others were stopped by it.
            let first = stopped.filter(|error| *error != Error::Aborted);
            state.all.stopped = state.all.stopped.take().or(first);
            state.done[index] = Some(finished);
        });
    }

    fn generate(&self, index: usize, page: &Input) -> Outcome {
        let job = Job {
            page: page.page.clone(),
            image: page.image.clone(),
            positives: Vec::new(),
            time: clock::now(),
        };
        let observe = async |_| match self.is_stopped() {
            true => Err(Error::Aborted),
            false => Ok(()),
        };
        let outcome = match self.clients {
            None => {
                let run = generate_by_rules(&job, self.judge, &self.settings, observe);
                pollster::block_on(run)
            }
            Some([generator, verifier]) => {
                let (writes, verifies) = (
                    generator.endpoint.to_string(),
                    verifier.endpoint.to_string(),
                );
                let seat = |llm, provider, model| Seat {
                    llm,
                    provider,
                    model,
                };
                let seams = Seams {
                    generator: seat(generator, writes.as_str(), generator.model.as_str()),
                    verifier: seat(verifier, verifies.as_str(), verifier.model.as_str()),
                    judge: self.judge,
                    consistency: &AmongPages {
                        index: &self.index,
                        document: index,
                        within: self.settings.consistent_within,
                    },
                    cache: &self.store,
                    ledger: &self.ledger,
                };
                pollster::block_on(generate(&job, &seams, &self.settings, observe))
            }
        };
        // A page that is refused, being too long say, ends the run like any other error.
        outcome.unwrap_or_else(|error| Outcome {
            stopped: Some(error),
            ..Outcome::default()
        })
    }

    fn is_stopped(&self) -> bool {
        let mut stopped = false;
        self.with(|state| stopped = state.all.stopped.is_some());
        stopped
    }

    fn with(&self, change: impl FnOnce(&mut State)) {
        let state = self.state.lock();
        change(&mut state.unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

/// What a page without text cannot be used for, before anything is asked or paid.
fn check_images(arguments: &GenerateArgs, pages: &[Input], has_llm: bool) -> Result<()> {
    let Some(Input { page, .. }) = pages.iter().find(|page| page.page.text.trim().is_empty())
    else {
        return Ok(());
    };
    ensure!(
        has_llm,
        "{}: an image, which the rules cannot read; name a language model that sees with --llm",
        page.id
    );
    ensure!(
        arguments.layout() != Layout::Triplets,
        "{}: an image, and triplets are made of text; use --format groups or colhnque",
        page.id
    );
    Ok(())
}

fn name(clients: Option<&[Client; 2]>) -> String {
    clients.map_or_else(
        || "by rules".to_owned(),
        |[generator, _]| format!("with {}", generator.model),
    )
}

fn circumstances<J: Named>(
    pages: &[Input],
    clients: Option<&[Client; 2]>,
    judge: &J,
    settings: &Settings,
) -> String {
    let seats = clients.map(|clients| {
        let seat = |client: &Client| format!("{} {}", client.endpoint, client.model);
        // The other pages decide whether a positive is consistent.
        let texts: Vec<&str> = pages.iter().map(|page| page.page.text.as_str()).collect();
        let texts = sha256(json!(texts).to_string().as_bytes());
        (clients.each_ref().map(seat), texts)
    });
    let versions = [PROMPTS_VERSION, RULES_VERSION, env!("CARGO_PKG_VERSION")];
    format!("{settings:?} {seats:?} {} {versions:?}", judge.name())
}

fn add(all: &mut Funnel, page: &Funnel) {
    let pairs = [
        (&mut all.positives, &page.positives),
        (&mut all.negatives, &page.negatives),
        (&mut all.restated, &page.restated),
    ];
    for (all, page) in pairs {
        all.generated += page.generated;
        all.kept += page.kept;
        for (death, n) in &page.deaths {
            *all.deaths.entry(*death).or_default() += n;
        }
    }
}

/// Written beside its place and renamed, so that a reader never sees half of it.
fn write(out: &Path, text: &str) -> Result<()> {
    let part = out.with_added_extension("part");
    let written = fs::write(&part, text).and_then(|()| fs::rename(&part, out));
    written.with_context(|| format!("writing {}", out.display()))
}
