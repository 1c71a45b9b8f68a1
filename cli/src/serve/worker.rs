//! The threads that own the models: questions in by a channel, answers back by another each. The reranker's takes all questions
//! that wait and scores them in common batches; new ones join between two batches, those whose client has gone are dropped there.
//!
//! A thread ends when its device is lost or it panics. Then nothing can be answered any more and the server ends too, for whoever
//! started it to start it again.

use std::collections::VecDeque;
use std::sync::{Arc, mpsc};
use std::thread;

use anyhow::{Context, Result};
use foliorank::reranker::{Embeddings, Progress, TextKind};
use foliorank::{Error, Ranking, Reranker};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, oneshot};

use super::gate::{Gate, Working};
use super::metrics::Metrics;
use super::problem::Problem;
use super::shapes::Question;
use super::texts::Texts;

/// Bytes of text taken in between two batches: those under way do not wait long for new ones.
const INTAKE: usize = 1 << 20;

/// What `/v1/models` tells of a model.
#[derive(Debug, Clone)]
pub(super) struct Info {
    pub(super) name: String,
    pub(super) max_length: usize,
    pub(super) licence: String,
    pub(super) device: &'static str,
}

/// A model in a thread of its own: questions `Q`, answers `A`.
#[derive(Debug)]
pub(super) struct Model<Q, A> {
    pub(super) info: Info,
    jobs: mpsc::Sender<Job<Q, A>>,
}

/// A question on its way. Its client has gone when the reply is closed.
#[derive(Debug)]
struct Job<Q, A> {
    question: Arc<Q>,
    ticket: Ticket<A>,
}

/// What of a question stays with it while it is worked on.
#[derive(Debug)]
struct Ticket<A> {
    reply: oneshot::Sender<Result<A, Error>>,
    progress: Option<UnboundedSender<Progress>>,
    /// Batches that were told.
    told: Option<usize>,
    working: Option<Working>,
}

/// What the threads of all models share.
#[derive(Debug, Clone)]
pub(super) struct Shop {
    pub(super) gate: Arc<Gate>,
    pub(super) metrics: Arc<Metrics>,
    /// Told when a thread has ended.
    pub(super) ended: Arc<Notify>,
    /// Requests in common batches at once.
    pub(super) concurrency: usize,
}

/// Raised by the end of a thread, whatever ended it.
struct Alarm(Arc<Notify>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl<Q, A> Model<Q, A>
where
    Q: Send + Sync + 'static,
    A: Send + 'static,
{
    fn start(
        reranker: Reranker,
        shop: Shop,
        work: fn(&Reranker, &mpsc::Receiver<Job<Q, A>>, &Shop),
    ) -> Result<Self> {
        let manifest = reranker.manifest();
        let info = Info {
            name: manifest.name.clone(),
            max_length: manifest.max_length,
            licence: manifest.licence.clone(),
            device: reranker.device().name(),
        };
        let (jobs, questions) = mpsc::channel();
        thread::Builder::new()
            .name(info.name.clone())
            .spawn(move || {
                let _alarm = Alarm(Arc::clone(&shop.ended));
                work(&reranker, &questions, &shop);
            })
            .context("starting a model's thread")?;
        Ok(Self { info, jobs })
    }

    /// The answer to a question. Dropping the future withdraws the question.
    pub(super) async fn ask(
        &self,
        question: Arc<Q>,
        progress: Option<UnboundedSender<Progress>>,
    ) -> Result<A, Problem> {
        let ended = || Problem::new("internal", "the model's thread has ended");
        let (reply, answer) = oneshot::channel();
        let ticket = Ticket {
            reply,
            progress,
            told: None,
            working: None,
        };
        let job = Job { question, ticket };
        self.jobs.send(job).map_err(|_| ended())?;
        Ok(answer.await.map_err(|_| ended())??)
    }
}

impl Model<Question, Ranking> {
    pub(super) fn reranker(reranker: Reranker, shop: Shop) -> Result<Self> {
        Self::start(reranker, shop, rank)
    }
}

impl Model<Texts, Embeddings> {
    pub(super) fn embedder(reranker: Reranker, shop: Shop) -> Result<Self> {
        Self::start(reranker, shop, embed)
    }
}

impl<A> Ticket<A> {
    /// Tells of progress, if there is any; false when nobody listens.
    fn tell(&mut self, progress: Progress) -> bool {
        if let Some(sender) = &self.progress
            && self.told != Some(progress.batch)
        {
            self.told = Some(progress.batch);
            // Whoever has gone is noticed by the reply.
            let _ = sender.send(progress);
        }
        !self.reply.is_closed()
    }
}

fn rank(reranker: &Reranker, jobs: &mpsc::Receiver<Job<Question, Ranking>>, shop: &Shop) {
    let mut waiting = VecDeque::new();
    let mut together = reranker.together::<Ticket<Ranking>>();
    loop {
        if together.is_empty() && waiting.is_empty() {
            match jobs.recv() {
                Ok(job) => waiting.push_back(job),
                Err(_) => return,
            }
        }
        waiting.extend(jobs.try_iter());
        waiting.retain(|job| !job.ticket.reply.is_closed());
        let mut read = 0;
        while together.len() < shop.concurrency && read < INTAKE {
            let Some(Job {
                question,
                mut ticket,
            }) = waiting.pop_front()
            else {
                break;
            };
            read += question.bytes();
            ticket.working = Some(shop.gate.work());
            let Question {
                query,
                documents,
                options,
                ..
            } = &*question;
            pollster::block_on(together.add(ticket, query, documents, options));
        }
        together.retain(Ticket::tell);
        if together.is_empty() {
            continue;
        }
        let answers = pollster::block_on(together.step());
        shop.metrics.batch();
        let mut lost = false;
        for (mut ticket, answer) in answers {
            if let Ok(Ranking { usage, .. }) = &answer {
                let _ = ticket.tell(Progress {
                    batch: usage.batches,
                    batches: usage.batches,
                    tokens: usage.tokens,
                    total_tokens: usage.tokens,
                });
            }
            lost |= matches!(answer, Err(Error::DeviceLost { .. }));
            drop(ticket.working.take());
            // Nobody may be there to take it.
            let _ = ticket.reply.send(answer);
        }
        if lost {
            return;
        }
    }
}

fn embed(reranker: &Reranker, jobs: &mpsc::Receiver<Job<Texts, Embeddings>>, shop: &Shop) {
    for Job {
        question,
        mut ticket,
    } in jobs
    {
        if ticket.reply.is_closed() {
            continue;
        }
        let working = shop.gate.work();
        let observe = async |progress: Progress| {
            if progress.batch > 0 {
                shop.metrics.batch();
            }
            ticket.tell(progress).then_some(()).ok_or(Error::Aborted)
        };
        let answer = reranker.embed(&question.texts, TextKind::Document, observe);
        let answer = pollster::block_on(answer);
        let lost = matches!(answer, Err(Error::DeviceLost { .. }));
        drop(working);
        let _ = ticket.reply.send(answer);
        if lost {
            return;
        }
    }
}
