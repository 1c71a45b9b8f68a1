//! A data set to evaluate on: documents, queries with their judgements, and for some its own first
//! stage. Read from BEIR folders, T2Ranking folders or Rankify files; which one is seen from the files.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use foliorank::retrieval::Hit;

use super::{beir, rankify, t2ranking};

/// Documents, queries, judgements.
#[derive(Debug, Default)]
pub(crate) struct Dataset {
    /// Name of the folder or file.
    pub(crate) name: String,
    pub(crate) documents: Vec<Document>,
    /// Those that have a relevant document.
    pub(crate) queries: Vec<Query>,
    /// Queries left out because nothing is relevant to them.
    pub(crate) unjudged: usize,
    /// Lowest grade that counts as relevant.
    pub(crate) relevant_from: u32,
}

#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) text: String,
}

#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(crate) id: String,
    pub(crate) text: String,
    /// By document id; documents that are not in the collection among them.
    pub(crate) grades: HashMap<String, u32>,
    /// What the data set's own first stage found: places in `documents`, best first.
    pub(crate) given: Vec<Hit>,
}

/// Which part to read.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// `test`, `dev`…; Rankify has none.
    pub(crate) split: String,
    /// Read this many queries, spread evenly; all when `None`.
    pub(crate) queries: Option<usize>,
    /// Lowest grade that counts as relevant; the data set's usual one when `None`.
    pub(crate) relevant_from: Option<u32>,
}

/// Grades by query id and document id.
pub(super) type Judgements = HashMap<String, HashMap<String, u32>>;

impl Dataset {
    /// Reads a data set.
    pub(crate) fn read(path: &Path, part: &Part) -> Result<Self> {
        let mut dataset = if path.join("corpus.jsonl").exists() {
            beir::read(path, &part.split)?
        } else if path.join("collection.tsv").exists() {
            t2ranking::read(path, &part.split)?
        } else if path.is_file() {
            rankify::read(path)?
        } else {
            bail!(
                "{}: expected a folder with corpus.jsonl (BEIR) or collection.tsv (T2Ranking), or a \
                 Rankify JSON file",
                path.display()
            );
        };
        let name = path.canonicalize()?;
        let name = name.file_stem().unwrap_or_default();
        dataset.name = name.to_string_lossy().into_owned();
        if let Some(grade) = part.relevant_from {
            dataset.relevant_from = grade;
        }
        let from = dataset.relevant_from;
        let before = dataset.queries.len();
        (dataset.queries).retain(|query| query.grades.values().any(|&grade| grade >= from));
        dataset.unjudged = before - dataset.queries.len();
        ensure!(
            !dataset.queries.is_empty() && !dataset.documents.is_empty(),
            "{}: expected documents and judged queries, found {} and {}",
            path.display(),
            dataset.documents.len(),
            dataset.queries.len()
        );
        if let Some(wanted) = part.queries {
            dataset.queries = spread(dataset.queries, wanted);
        }
        Ok(dataset)
    }
}

/// `wanted` of the items at even distances, the first among them.
fn spread<T>(items: Vec<T>, wanted: usize) -> Vec<T> {
    let all = items.len();
    (items.into_iter().enumerate())
        .filter(|(index, _)| (index * wanted) / all != ((index + 1) * wanted) / all)
        .take(wanted)
        .map(|(_, item)| item)
        .collect()
}

/// Queries in the order of the file with the judgements they have.
pub(super) fn judged(
    queries: impl IntoIterator<Item = (String, String)>,
    mut judgements: Judgements,
) -> Vec<Query> {
    (queries.into_iter())
        .filter_map(|(id, text)| {
            let grades = judgements.remove(&id)?;
            Some(Query {
                id,
                text,
                grades,
                given: Vec::new(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_evenly_and_never_larger_than_what_there_is() {
        for (all, wanted, expected) in [
            (10, 3, vec![3, 6, 9]),
            (4, 4, vec![0, 1, 2, 3]),
            (3, 5, vec![0, 1, 2]),
            (300, 1, vec![299]),
        ] {
            assert_eq!(spread((0..all).collect(), wanted), expected);
        }
        assert_eq!(spread((0..809).collect(), 50).len(), 50);
    }

    #[test]
    fn a_path_that_is_no_data_set_says_what_was_expected() {
        let folder = tempfile::tempdir().unwrap();
        let part = Part {
            split: "test".into(),
            queries: None,
            relevant_from: None,
        };
        let error = Dataset::read(folder.path(), &part).unwrap_err();
        assert!(error.to_string().contains("corpus.jsonl"), "{error}");
    }
}
