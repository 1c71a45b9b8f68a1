//! What is asked about a group of documents when a language model answers in a judge's place: the
//! prompt, the schema of the answer, and the reading of it.
//!
//! An answer is a JSON object; text or thinking around it is cut off. Reading is strict: numbers in
//! range, none twice. What is wrong is said in words that go back to the model for one repair.

use serde_json::{Map, Value, json};

use super::answer::{bare_word, ids, object, pairs_of};
use super::prompt::{Labels, Listing};
use crate::llm::LlmRequest;

/// A question about a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question<'a> {
    /// Does this one document answer the query? 1 yes, 0 no.
    Relevant,
    /// Which of two is better? 1 for it, 0 for the other.
    Pair,
    /// Which is the best? 1 for it, 0 for the others.
    Best,
    /// Sort; the best `top` are enough. The number of documents placed below, none for the rest.
    Order { top: usize },
    /// As [`Self::Order`], shown what the lexical score of each is.
    OrderScored { top: usize },
    /// Sort the pages of a grid; as [`Self::Order`] of all.
    Grid,
    /// 0 to 10 for each.
    Grades,
    /// Share of these parts of the query that each covers, 0..1.
    Checklist(&'a [String]),
}

/// A usable answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// For each document of the group; higher is better.
    pub(super) numbers: Vec<Option<f32>>,
    /// Documents that should have a number and have none.
    pub(super) missing: usize,
}

impl Question<'_> {
    /// How documents are called in this question's prompt.
    pub(super) fn labels(self) -> Labels {
        match self {
            Self::Pair => Labels::Letters,
            _ => Labels::Numbers,
        }
    }

    pub(super) fn request(self, listing: &Listing<'_>, max_tokens: Option<u32>) -> LlmRequest {
        let n = listing.documents.len();
        let template = match self {
            Self::Relevant => include_str!("prompts/relevant.txt"),
            Self::Pair => include_str!("prompts/pair.txt"),
            Self::Best => include_str!("prompts/best.txt"),
            Self::Order { .. } => include_str!("prompts/order.txt"),
            Self::OrderScored { .. } => include_str!("prompts/order_scored.txt"),
            Self::Grid => include_str!("prompts/grid.txt"),
            Self::Grades => include_str!("prompts/grades.txt"),
            Self::Checklist(_) => include_str!("prompts/checklist.txt"),
        };
        let top = self.top(n).to_string();
        let parts = match self {
            Self::Checklist(facets) => facets,
            _ => &[],
        };
        let facets: Vec<String> = (parts.iter().enumerate())
            .map(|(i, facet)| format!("{}. {facet}", i + 1))
            .collect();
        let (facets, facet_count) = (facets.join("\n"), parts.len().to_string());
        let more = [
            ("top", top.as_str()),
            ("facets", &facets),
            ("facet_count", &facet_count),
        ];
        LlmRequest {
            system: listing.system(&more),
            user: listing.fill(template, &more),
            images: Vec::new(),
            schema: Some(self.schema(n)),
            max_tokens,
            temperature: 0.0,
        }
    }

    /// Reads the answer about a group of `n`.
    ///
    /// # Errors
    /// What is wrong, for the model to mend.
    pub(super) fn read(self, text: &str, n: usize) -> Result<Reading, String> {
        let mut numbers = vec![None; n];
        let only = |winner: usize| Reading {
            numbers: (0..n)
                .map(|i| Some(f32::from(u8::from(i == winner))))
                .collect(),
            missing: 0,
        };
        match self {
            Self::Relevant => {
                let word = word(text, "relevant", &["yes", "no"])?;
                let number = f32::from(u8::from(word == 0));
                numbers.fill(Some(number));
            }
            Self::Pair => return word(text, "better", &["A", "B"]).map(only),
            Self::Best => {
                let fields = object(text)?;
                let best = fields.get("best").into_iter().collect::<Vec<_>>();
                let &[winner] = ids(&best, n)?.as_slice() else {
                    return Err("the field \"best\" is missing".into());
                };
                return Ok(only(winner));
            }
            Self::Order { .. } | Self::OrderScored { .. } | Self::Grid => {
                let ranking = list(&object(text)?, "ranking")?;
                let order = ids(&ranking.iter().collect::<Vec<_>>(), n)?;
                if order.is_empty() {
                    return Err("the ranking is empty".into());
                }
                for (place, &i) in order.iter().enumerate() {
                    numbers[i] = Some((n - place) as f32);
                }
                let missing = self.top(n).saturating_sub(order.len());
                return Ok(Reading { numbers, missing });
            }
            Self::Grades => {
                for (i, score) in pairs_of(&object(text)?, "scores", "score", n)? {
                    let score = score.as_f64().filter(|score| (0.0..=10.0).contains(score));
                    let score = score.ok_or("a score is not a number from 0 to 10")?;
                    numbers[i] = Some(score as f32);
                }
            }
            Self::Checklist(facets) => {
                for (i, marks) in pairs_of(&object(text)?, "marks", "marks", n)? {
                    numbers[i] = Some(covered(&marks, facets.len())?);
                }
            }
        }
        let missing = numbers.iter().filter(|number| number.is_none()).count();
        if missing == n && n > 0 {
            return Err("no document was judged".into());
        }
        Ok(Reading { numbers, missing })
    }

    /// Documents that an order must name.
    fn top(self, n: usize) -> usize {
        match self {
            Self::Order { top } | Self::OrderScored { top } => top.min(n),
            _ => n,
        }
    }

    /// JSON Schema of the answer about a group of `n`.
    fn schema(self, n: usize) -> Value {
        let id = json!({"type": "integer", "minimum": 1, "maximum": n});
        let rows = |name: &str, value: Value| {
            let row = closed(&[("id", id.clone()), (name, value)]);
            json!({"type": "array", "items": row})
        };
        match self {
            Self::Relevant => {
                closed(&[("relevant", json!({"type": "string", "enum": ["yes", "no"]}))])
            }
            Self::Pair => closed(&[("better", json!({"type": "string", "enum": ["A", "B"]}))]),
            Self::Best => closed(&[("best", id)]),
            Self::Order { .. } | Self::OrderScored { .. } | Self::Grid => {
                closed(&[("ranking", json!({"type": "array", "items": id}))])
            }
            Self::Grades => {
                let score = json!({"type": "number", "minimum": 0, "maximum": 10});
                closed(&[("scores", rows("score", score))])
            }
            Self::Checklist(_) => {
                let mark = json!({"type": "integer", "minimum": 0, "maximum": 2});
                let marks = json!({"type": "array", "items": mark});
                closed(&[("marks", rows("marks", marks))])
            }
        }
    }
}

/// The schema of an object with exactly these fields.
pub(super) fn closed(fields: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> = (fields.iter())
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": false,
    })
}

/// Which of `words` the answer is, as the field or as its only word.
fn word(text: &str, field: &str, words: &[&str]) -> Result<usize, String> {
    let found = match object(text) {
        Ok(fields) => (fields.get(field).and_then(Value::as_str)).map(str::to_owned),
        Err(_) => bare_word(text),
    };
    found
        .and_then(|found| {
            words
                .iter()
                .position(|word| word.eq_ignore_ascii_case(&found))
        })
        .ok_or_else(|| format!("the field \"{field}\" must be one of {}", words.join(", ")))
}

fn list(fields: &Map<String, Value>, name: &str) -> Result<Vec<Value>, String> {
    (fields.get(name).and_then(Value::as_array).cloned())
        .ok_or_else(|| format!("the field \"{name}\" must be a list"))
}

/// Marks of 0 to 2 as a share of all that could be had.
fn covered(marks: &Value, facets: usize) -> Result<f32, String> {
    let marks: Option<Vec<u64>> = (marks.as_array())
        .map(|marks| marks.iter().map(Value::as_u64).collect())
        .unwrap_or_default();
    let marks = (marks.filter(|marks| marks.iter().all(|&mark| mark <= 2)))
        .filter(|marks| marks.len() == facets)
        .ok_or_else(|| format!("marks must be {facets} numbers from 0 to 2"))?;
    Ok(marks.iter().sum::<u64>() as f32 / (2 * facets).max(1) as f32)
}
