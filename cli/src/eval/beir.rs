//! BEIR folders: `corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv` (header, then query, document,
//! grade). A document's text is its title and its text.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::dataset::{Dataset, Document, Judgements, judged};
use super::trec;

#[derive(Deserialize)]
struct Entry {
    _id: String,
    #[serde(default)]
    title: String,
    text: String,
}

pub(super) fn read(folder: &Path, split: &str) -> Result<Dataset> {
    let documents =
        lines(&folder.join("corpus.jsonl"))?
            .into_iter()
            .map(|Entry { _id, title, text }| Document {
                id: _id,
                text: join(&title, &text),
            });
    let queries = lines(&folder.join("queries.jsonl"))?.into_iter();
    let judgements = qrels(&folder.join("qrels").join(format!("{split}.tsv")))?;
    Ok(Dataset {
        documents: documents.collect(),
        queries: judged(
            queries.map(|entry: Entry| (entry._id, entry.text)),
            judgements,
        ),
        relevant_from: 1,
        ..Dataset::default()
    })
}

/// Title and text as one.
pub(super) fn join(title: &str, text: &str) -> String {
    if title.is_empty() {
        text.to_owned()
    } else {
        format!("{title} {text}")
    }
}

fn lines<T: DeserializeOwned>(file: &Path) -> Result<Vec<T>> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    (text.lines().enumerate())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("{}, line {}", file.display(), index + 1))
        })
        .collect()
}

fn qrels(file: &Path) -> Result<Judgements> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let mut judgements = Judgements::new();
    for (index, line) in text.lines().enumerate() {
        let columns: Vec<&str> = line.split('\t').collect();
        let header = index == 0 && columns.first() == Some(&"query-id");
        if header || line.trim().is_empty() {
            continue;
        }
        let judgement = match columns[..] {
            [query, document, grade] => trec::grade(grade).map(|grade| (query, document, grade)),
            _ => Err(anyhow!(
                "expected query, document and grade with tabs between, found {line:?}"
            )),
        };
        let (query, document, grade) =
            judgement.with_context(|| format!("{}, line {}", file.display(), index + 1))?;
        let grades = judgements.entry(query.to_owned()).or_default();
        grades.insert(document.to_owned(), grade);
    }
    Ok(judgements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::dataset::Part;

    const CORPUS: &str = r#"{"_id": "d1", "title": "Bridges", "text": "of stone"}
{"_id": "d2", "text": "the river", "metadata": {}}
"#;
    const QUERIES: &str = r#"{"_id": "q1", "text": "stone bridge"}
{"_id": "q2", "text": "nothing is relevant"}
{"_id": "q3", "text": "not in this split"}
"#;

    fn folder(qrels: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("qrels")).unwrap();
        for (file, text) in [
            ("corpus.jsonl", CORPUS),
            ("queries.jsonl", QUERIES),
            ("qrels/test.tsv", qrels),
        ] {
            fs::write(folder.path().join(file), text).unwrap();
        }
        folder
    }

    fn part() -> Part {
        Part {
            split: "test".into(),
            queries: None,
            relevant_from: None,
        }
    }

    #[test]
    fn documents_queries_and_grades_come_out_and_unjudged_queries_are_counted() {
        let folder = folder("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\tgone\t-1\nq2\td2\t0\n");
        let dataset = Dataset::read(folder.path(), &part()).unwrap();
        assert_eq!(dataset.documents[0].text, "Bridges of stone");
        assert_eq!(dataset.documents[1].text, "the river");
        assert_eq!((dataset.queries.len(), dataset.unjudged), (1, 1));
        let query = &dataset.queries[0];
        assert_eq!((&*query.id, &*query.text), ("q1", "stone bridge"));
        assert_eq!((query.grades["d1"], query.grades["gone"]), (2, 0));
    }

    #[test]
    fn a_line_that_is_not_a_judgement_is_named() {
        for bad in ["q1 d1 2", "q1\td1\tyes"] {
            let folder = folder(&format!("query-id\tcorpus-id\tscore\n{bad}\n"));
            let error = Dataset::read(folder.path(), &part()).unwrap_err();
            let text = format!("{error:#}");
            assert!(text.contains("line 2: expected"), "{text}");
        }
    }
}
