//! What the strategies' tests share: documents with a known worth, and judges and models that know
//! it and count what they are asked.

use std::cell::{Cell, RefCell};

use super::{
    Attention, AttentionPrompt, Embedder, Group, Judge, Letters, Limits, Outcome, Pages, Progress,
    Seams, Strategy, Task,
};
use crate::error::Error;
use crate::llm::{LlmImage, MediaType};
use crate::random::Random;

mod scripted;

pub(super) use scripted::{Manner, Scripted, fenced, shown};

/// Documents whose texts say what they are worth, in an order that the worth does not follow.
pub(super) fn documents(n: usize) -> Vec<String> {
    (Random::new(n as u64).permutation(n).into_iter())
        .map(|worth| format!("text of worth {worth}"))
        .collect()
}

/// The last number of a text.
pub(super) fn worth(text: &str) -> usize {
    let words = text.split_whitespace().rev();
    words
        .filter_map(|word| word.parse().ok())
        .next()
        .unwrap_or(0)
}

/// Indexes of `texts`, best first.
pub(super) fn true_order(texts: &[&str]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(worth(texts[i])));
    order
}

pub(super) fn order(outcome: &Outcome) -> Vec<usize> {
    outcome.ranking.iter().map(|ranked| ranked.index).collect()
}

/// Share of pairs in the true order: 1 perfect, 0.5 chance.
pub(super) fn agreement(texts: &[&str], found: &[usize]) -> f32 {
    let worths: Vec<usize> = found.iter().map(|&i| worth(texts[i])).collect();
    let pairs = (0..worths.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    let right = pairs
        .clone()
        .filter(|&(a, b)| worths[a] > worths[b])
        .count();
    right as f32 / pairs.count() as f32
}

pub(super) fn task<'a>(documents: &'a [&'a str]) -> Task<'a> {
    Task {
        query: "what is worth most?",
        documents,
        ..Task::default()
    }
}

/// Runs to the end, unobserved.
pub(super) fn run(name: &str, task: &Task<'_>, seams: &Seams<'_>) -> Result<Outcome, Error> {
    let strategy = Strategy::parse(name)?;
    pollster::block_on(strategy.run(task, seams, async |_: Progress| Ok(())))
}

/// A judge of groups that knows the worth.
pub(super) struct Knowing {
    pub(super) group: usize,
    /// What a document's number is, from its text and its place in the group.
    pub(super) number: fn(&str, usize) -> f32,
    pub(super) asked: Cell<usize>,
    pub(super) largest: Cell<usize>,
}

impl Knowing {
    pub(super) fn new(group: usize) -> Self {
        Self {
            group,
            number: |text, _| worth(text) as f32,
            asked: Cell::new(0),
            largest: Cell::new(0),
        }
    }
}

impl Judge for Knowing {
    fn max_group(&self) -> usize {
        self.group
    }

    async fn judge(&self, groups: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
        self.asked.set(self.asked.get() + groups.len());
        let number = |(place, text): (usize, &&str)| (self.number)(text, place);
        Ok((groups.iter())
            .map(|group| {
                self.largest
                    .set(self.largest.get().max(group.documents.len()));
                group.documents.iter().enumerate().map(number).collect()
            })
            .collect())
    }
}

/// Models that know the worth of what their prompts show.
#[derive(Default)]
pub(super) struct Inside {
    pub(super) passes: Cell<usize>,
    pub(super) prompts: RefCell<Vec<String>>,
    pub(super) ties: bool,
}

impl Inside {
    fn number(&self, text: &str) -> f32 {
        self.passes.set(self.passes.get() + 1);
        self.prompts.borrow_mut().push(text.to_owned());
        0.0
    }
}

impl Letters for Inside {
    async fn letters(&self, prompt: &str, count: usize) -> Result<Vec<f32>, Error> {
        self.number(prompt);
        let shown = shown(prompt);
        assert_eq!(shown.len(), count, "one letter a document");
        assert_eq!(shown[0].0, "A");
        Ok((shown.iter())
            .map(|(_, text)| if self.ties { 1.0 } else { worth(text) as f32 })
            .collect())
    }
}

impl Attention for Inside {
    /// Earlier documents get more, whatever the query: the bias that calibration takes away.
    async fn attention(&self, prompt: &AttentionPrompt) -> Result<Vec<Vec<f32>>, Error> {
        self.number(&prompt.query);
        let is_query = prompt.query != "N/A" && !self.ties;
        let weight = |(place, text): (usize, &String)| {
            let found = if is_query { worth(text) as f32 } else { 0.0 };
            vec![found + 1000.0 / (1 + place) as f32; 4]
        };
        Ok(prompt.documents.iter().enumerate().map(weight).collect())
    }
}

impl Embedder for Inside {
    /// The direction in which worth grows.
    async fn embed_query(&self, text: &str) -> Result<Vec<f32>, Error> {
        self.number(text);
        Ok(vec![1.0, 0.0])
    }
}

/// Pages that show their texts: a "grid" of them is a list.
pub(super) struct Album<'a> {
    pub(super) texts: &'a [String],
    pub(super) grids: RefCell<Vec<Vec<usize>>>,
}

impl<'a> Album<'a> {
    pub(super) fn new(texts: &'a [String]) -> Self {
        let grids = RefCell::default();
        Self { texts, grids }
    }
}

impl Pages for Album<'_> {
    async fn grid(&self, documents: &[usize]) -> Result<LlmImage, Error> {
        self.grids.borrow_mut().push(documents.to_vec());
        let texts: Vec<&str> = documents.iter().map(|&i| self.texts[i].as_str()).collect();
        Ok(LlmImage {
            media_type: MediaType::Png,
            data: texts.join("\n").into_bytes().into(),
            width: 100,
            height: 100,
        })
    }
}

/// Every seam filled, all of them telling the truth or all of them undecided.
pub(super) struct World {
    pub(super) texts: Vec<String>,
    pub(super) judge: Knowing,
    pub(super) inside: Inside,
    pub(super) llm: Scripted,
    pub(super) first_stage: Vec<f32>,
    vectors: Vec<Vec<f32>>,
    anchors: Vec<f32>,
}

impl World {
    pub(super) fn new(n: usize) -> Self {
        let texts = documents(n);
        let angle = |text: &String| 1.5 - 1.4 * worth(text) as f32 / n as f32;
        Self {
            judge: Knowing::new(1000),
            inside: Inside::default(),
            llm: Scripted::new(Manner::Perfect),
            first_stage: (0..n).map(|i| (n - i) as f32).collect(),
            vectors: (texts.iter().map(angle))
                .map(|angle| vec![angle.cos(), angle.sin()])
                .collect(),
            anchors: texts.iter().map(|text| 1.0 + worth(text) as f32).collect(),
            texts,
        }
    }

    /// One in which every document is as good as any other.
    pub(super) fn tied(n: usize) -> Self {
        let mut world = Self::new(n);
        world.judge.number = |_, _| 1.0;
        world.inside.ties = true;
        world.llm.manner = Manner::Tied;
        world.vectors.fill(vec![1.0, 0.0]);
        world.anchors.fill(1.0);
        world
    }

    /// Runs `work` with a task and all seams.
    pub(super) fn with<T>(
        &self,
        limits: Limits,
        work: impl FnOnce(&Task<'_>, &Seams<'_>) -> T,
    ) -> T {
        let documents: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let rows: Vec<&[f32]> = self.vectors.iter().map(Vec::as_slice).collect();
        let anchors: [&[f32]; 1] = [&self.anchors];
        let task = Task {
            first_stage: Some(&self.first_stage),
            limits,
            ..task(&documents)
        };
        let seams = Seams {
            judge: Some(&self.judge),
            llm: Some(&self.llm),
            embedder: Some(&self.inside),
            letters: Some(&self.inside),
            attention: Some(&self.inside),
            vectors: Some(super::Vectors {
                query: &[1.0, 0.0],
                documents: &rows,
            }),
            anchors: Some(&anchors),
            pages: Some(&Album::new(&self.texts)),
        };
        work(&task, &seams)
    }
}
