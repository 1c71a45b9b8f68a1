//! Answers of rerankers, kept as JSON Lines so that a stopped evaluation goes on where it was.
//!
//! An answer is used again for the same settings, query and candidates only. A torn last line, as a
//! killed run leaves it, is dropped.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// One query's reranked candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Data set, first stage, model and strategy, with everything that changes the answer.
    pub(crate) settings: String,
    pub(crate) query: String,
    pub(crate) seconds: f64,
    /// Groups put to the judge.
    #[serde(default)]
    pub(crate) judgements: usize,
    /// Document ids and scores, best first.
    pub(crate) ranking: Vec<(String, f32)>,
}

/// Answers by settings and query.
#[derive(Debug)]
pub(crate) struct Answers {
    file: File,
    known: HashMap<(String, String), Answer>,
}

impl Answers {
    /// Opens or starts a file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let context = || format!("answers in {}", path.display());
        let text = if path.exists() {
            fs::read_to_string(path).with_context(context)?
        } else {
            String::new()
        };
        let whole = text.rfind('\n').map_or(0, |last| last + 1);
        let mut known = HashMap::new();
        for (index, line) in text[..whole].lines().enumerate() {
            let answer: Answer = serde_json::from_str(line)
                .with_context(|| format!("{}, line {}", path.display(), index + 1))?;
            known.insert((answer.settings.clone(), answer.query.clone()), answer);
        }
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(path);
        let file = file.with_context(context)?;
        file.set_len(whole as u64).with_context(context)?;
        Ok(Self { file, known })
    }

    /// The answer for these candidates, if there is one.
    pub(crate) fn get(&self, settings: &str, query: &str, candidates: &[&str]) -> Option<&Answer> {
        let answer = self.known.get(&(settings.into(), query.into()))?;
        let found: HashSet<&str> = answer.ranking.iter().map(|(id, _)| &**id).collect();
        let same = found.len() == candidates.len()
            && candidates.iter().all(|candidate| found.contains(candidate));
        same.then_some(answer)
    }

    /// Keeps an answer; it is on disk when this returns.
    pub(crate) fn add(&mut self, answer: Answer) -> Result<()> {
        let line = serde_json::to_string(&answer)? + "\n";
        self.file.write_all(line.as_bytes())?;
        let key = (answer.settings.clone(), answer.query.clone());
        self.known.insert(key, answer);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(query: &str) -> Answer {
        Answer {
            settings: "s".into(),
            query: query.into(),
            seconds: 0.5,
            judgements: 2,
            ranking: vec![("b".into(), 2.0), ("a".into(), 0.1)],
        }
    }

    #[test]
    fn answers_are_found_again_for_the_same_settings_query_and_candidates_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.jsonl");
        Answers::open(&path).unwrap().add(answer("1")).unwrap();
        let answers = Answers::open(&path).unwrap();
        assert_eq!(answers.get("s", "1", &["a", "b"]), Some(&answer("1")));
        for (settings, query, candidates) in [
            ("t", "1", &["a", "b"][..]),
            ("s", "2", &["a", "b"]),
            ("s", "1", &["a", "c"]),
            ("s", "1", &["a"]),
        ] {
            assert_eq!(answers.get(settings, query, candidates), None);
        }
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.jsonl");
        let mut answers = Answers::open(&path).unwrap();
        answers.add(answer("1")).unwrap();
        answers.add(answer("2")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..text.len() - 9]).unwrap();

        let mut answers = Answers::open(&path).unwrap();
        assert!(answers.get("s", "1", &["a", "b"]).is_some());
        assert!(answers.get("s", "2", &["a", "b"]).is_none());
        answers.add(answer("2")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_line_in_the_middle_that_cannot_be_read_is_an_error_with_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.jsonl");
        fs::write(&path, "{}\n").unwrap();
        let error = format!("{:#}", Answers::open(&path).unwrap_err());
        assert!(error.contains("line 1"), "{error}");
    }
}
