//! Rankify files: a JSON list of questions, each with the contexts its retriever found. A context that
//! has the answer is relevant; the contexts' order is the first stage `given`.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use foliorank::retrieval::Hit;
use serde::Deserialize;
use serde_json::Value;

use super::beir::join;
use super::dataset::{Dataset, Document, Query};

#[derive(Deserialize)]
struct Question {
    question: String,
    contexts: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    /// A number or a string.
    id: Value,
    #[serde(default)]
    title: Option<String>,
    text: String,
    has_answer: bool,
    /// A number, a string with one, or nothing.
    #[serde(default)]
    score: Value,
}

pub(super) fn read(file: &Path) -> Result<Dataset> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let questions: Vec<Question> = serde_json::from_slice(&bytes).with_context(|| {
        let what = "expected a list of questions with contexts (Rankify)";
        format!("{}: {what}", file.display())
    })?;
    let mut dataset = Dataset {
        relevant_from: 1,
        ..Dataset::default()
    };
    let mut places: HashMap<String, u32> = HashMap::new();
    for (number, question) in questions.into_iter().enumerate() {
        let mut query = Query {
            id: number.to_string(),
            text: question.question,
            ..Query::default()
        };
        for (rank, found) in question.contexts.into_iter().enumerate() {
            let id = plain(&found.id);
            let score = plain(&found.score).parse().unwrap_or(-(rank as f32));
            if found.has_answer {
                query.grades.insert(id.clone(), 1);
            }
            let documents = &mut dataset.documents;
            let document = match places.get(&id) {
                Some(&place) => place,
                None => {
                    let place = u32::try_from(documents.len())?;
                    documents.push(Document {
                        id: id.clone(),
                        text: join(found.title.as_deref().unwrap_or(""), &found.text),
                    });
                    places.insert(id, place);
                    place
                }
            };
            if query.given.iter().all(|hit| hit.document != document) {
                query.given.push(Hit { document, score });
            }
        }
        dataset.queries.push(query);
    }
    Ok(dataset)
}

/// A string without its quotes, anything else as JSON writes it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::dataset::Part;

    const FILE: &str = r#"[
      {"question": "where?", "answers": ["here"], "contexts": [
        {"id": 7, "title": "T", "text": "there", "score": "12.5", "has_answer": false},
        {"id": "x", "text": "here", "score": 3, "has_answer": true},
        {"id": 7, "title": "T", "text": "there", "has_answer": false}]},
      {"question": "who?", "answers": [], "contexts": [
        {"id": "x", "text": "here", "has_answer": false}]}]"#;

    #[test]
    fn contexts_are_the_collection_and_the_first_stage() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("nq-test.json");
        fs::write(&file, FILE).unwrap();
        let part = Part {
            split: String::new(),
            queries: None,
            relevant_from: None,
        };
        let dataset = Dataset::read(&file, &part).unwrap();
        assert_eq!((&*dataset.name, dataset.documents.len()), ("nq-test", 2));
        assert_eq!(dataset.documents[0].text, "T there");
        assert_eq!((dataset.queries.len(), dataset.unjudged), (1, 1));
        let query = &dataset.queries[0];
        let given: Vec<(u32, f32)> = query.given.iter().map(|h| (h.document, h.score)).collect();
        assert_eq!(given, [(0, 12.5), (1, 3.0)]);
        assert_eq!(query.grades.get("x"), Some(&1));
    }
}
