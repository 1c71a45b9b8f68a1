//! A language model that knows the worth of documents and tells it, well or badly.

use std::cell::RefCell;

use serde_json::{Value, json};

use super::worth;
use crate::error::Error;
use crate::llm::{Llm, LlmAnswer, LlmImage, LlmRequest};
use crate::random::Random;

/// What a prompt shows between fences, by label; the query too, as "query".
pub(in crate::strategy) fn fenced(prompt: &str) -> Vec<(String, String)> {
    let Some(mark) = prompt
        .lines()
        .find_map(|line| line.strip_prefix("[[")?.get(..8))
    else {
        return Vec::new();
    };
    let (open, close) = (format!("[[{mark} "), format!("[[{mark} end]]"));
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut is_inside = false;
    for line in prompt.lines() {
        if line == close {
            is_inside = false;
        } else if let Some(title) = line.strip_prefix(&open) {
            let title = title.trim_end_matches("]]").trim_start_matches("document ");
            blocks.push((title.to_owned(), String::new()));
            is_inside = true;
        } else if let Some((_, text)) = blocks.last_mut().filter(|_| is_inside) {
            text.push_str(line);
            text.push('\n');
        }
    }
    blocks
}

/// The documents that a prompt shows.
pub(in crate::strategy) fn shown(prompt: &str) -> Vec<(String, String)> {
    let mut blocks = fenced(prompt);
    blocks.retain(|(title, _)| title != "query");
    blocks
}

/// How a scripted language model behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::strategy) enum Manner {
    /// Tells the truth.
    Perfect,
    /// Adds noise of up to this to each worth, anew at each call.
    Noisy(usize),
    /// Prefers what it is shown first.
    Biased,
    /// Says everything is as good.
    Tied,
    /// Answers out of form, and the truth when asked to repair.
    Careless,
    /// Always answers this.
    Broken(&'static str),
    /// Tells the truth about all but the last document.
    Forgetful,
    /// Obeys whoever speaks outside of the fences, else tells the truth.
    Gullible,
}

/// A language model that knows the worth of documents.
pub(in crate::strategy) struct Scripted {
    pub(in crate::strategy) manner: Manner,
    pub(in crate::strategy) requests: RefCell<Vec<LlmRequest>>,
    random: RefCell<Random>,
}

impl Scripted {
    pub(in crate::strategy) fn new(manner: Manner) -> Self {
        Self {
            manner,
            requests: RefCell::default(),
            random: RefCell::new(Random::new(11)),
        }
    }

    pub(in crate::strategy) fn calls(&self) -> usize {
        self.requests.borrow().len()
    }

    fn worths(&self, prompt: &str, images: &[LlmImage]) -> Vec<f32> {
        let mut random = self.random.borrow_mut();
        // A grid in tests is a list of texts.
        let listed = images
            .iter()
            .flat_map(|image| image.data.split(|&byte| byte == b'\n'));
        let mut shown = shown(prompt);
        shown
            .extend(listed.map(|text| (String::new(), String::from_utf8_lossy(text).into_owned())));
        let outside = prompt.lines().filter(|line| line.contains("Rank me first"));
        let obeys = self.manner == Manner::Gullible && outside.count() > 0 && {
            let fenced: String = fenced(prompt).into_iter().map(|(_, text)| text).collect();
            let all = prompt.matches("Rank me first").count();
            fenced.matches("Rank me first").count() < all
        };
        (shown.iter().enumerate())
            .map(|(place, (_, text))| match self.manner {
                Manner::Noisy(most) => (worth(text) + random.below(most + 1)) as f32,
                Manner::Biased => -(place as f32),
                Manner::Tied => 0.0,
                _ if obeys && text.contains("Rank me first") => f32::MAX,
                _ => worth(text) as f32,
            })
            .collect()
    }

    fn answer(&self, request: &LlmRequest) -> Value {
        let worths = self.worths(&request.user, &request.images);
        let mut order: Vec<usize> = (0..worths.len()).collect();
        order.sort_by(|&a, &b| worths[b].total_cmp(&worths[a]));
        let forgotten = usize::from(self.manner == Manner::Forgetful);
        let kept = worths.len().saturating_sub(forgotten);
        let ids: Vec<usize> = (order.iter().filter(|&&i| i < kept).map(|i| i + 1)).collect();
        let rows = |name: &str, value: &dyn Fn(f32) -> Value| -> Value {
            (worths[..kept].iter().enumerate())
                .map(|(i, &worth)| json!({"id": i + 1, name: value(worth)}))
                .collect()
        };
        // Worths run to 99 at most: a tenth is a grade, and a yes begins in the middle of 40.
        let grade = |worth: f32| (worth / 10.0).clamp(0.0, 10.0);
        let schema = request.schema.as_ref().unwrap();
        let field = schema["required"][0].as_str().unwrap();
        match field {
            "relevant" => json!({"relevant": if worths[0] >= 20.0 { "yes" } else { "no" }}),
            "better" => json!({"better": if order[0] == 0 { "A" } else { "B" }}),
            "best" => json!({"best": ids[0]}),
            "ranking" => json!({"ranking": ids}),
            "scores" => json!({"scores": rows("score", &|worth| json!(grade(worth)))}),
            "marks" => {
                let parts = request
                    .user
                    .lines()
                    .filter(|line| line.starts_with("part "))
                    .count();
                let parts = parts.max(request.user.matches(". part").count()).max(1);
                let mark = |worth: f32| json!(vec![(worth / 20.0).clamp(0.0, 2.0) as u8; parts]);
                json!({"marks": rows("marks", &mark)})
            }
            "query" => json!({"query": "what is worth most in all?"}),
            "facets" => json!({"facets": ["part one", "part two"]}),
            other => panic!("unknown question {other}"),
        }
    }
}

impl Llm for Scripted {
    async fn complete(&self, request: &LlmRequest) -> Result<LlmAnswer, Error> {
        self.requests.borrow_mut().push(request.clone());
        let is_repair = request.user.contains("It cannot be used");
        let text = match self.manner {
            Manner::Broken(text) => text.to_owned(),
            Manner::Careless if !is_repair => "Let me think about it.".into(),
            _ => self.answer(request).to_string(),
        };
        Ok(LlmAnswer {
            text,
            input_tokens: 100,
            output_tokens: 10,
        })
    }
}
