//! The index of the sparse first stage, kept as a file beside the vectors, for making it takes minutes.
//!
//! A file belongs to one encoder and one collection: its name says which.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use foliorank::reranker::TextKind;
use foliorank::retrieval::Sparse;

use super::dataset::Dataset;
use super::first_stage::{Encoder, PORTION, SparseIndex};
use crate::progress::Progress;

/// Turns texts into weights of word pieces.
pub(crate) trait Weigh: Encoder {
    /// Ids of word pieces and their weights, for each text.
    fn weigh(&self, texts: &[&str], kind: TextKind) -> Result<Vec<Vec<(u32, f32)>>>;
}

/// A sparse encoder whose indexes are kept in a folder.
pub(crate) struct KeptIndexes<'a> {
    pub(crate) encoder: &'a dyn Weigh,
    pub(crate) folder: PathBuf,
}

impl KeptIndexes<'_> {
    fn file(&self, dataset: &Dataset) -> PathBuf {
        let mut bytes = self.encoder.settings().into_bytes();
        for document in &dataset.documents {
            bytes.extend((document.text.len() as u64).to_le_bytes());
            bytes.extend(document.text.as_bytes());
        }
        let name = crate::models::sha256(&bytes);
        self.folder.join(format!("sparse-{}.json", &name[..16]))
    }
}

impl SparseIndex for KeptIndexes<'_> {
    fn name(&self) -> &str {
        self.encoder.name()
    }

    fn index(&self, dataset: &Dataset) -> Result<Sparse> {
        let file = self.file(dataset);
        if file.exists() {
            let kept = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
            return serde_json::from_slice(&kept)
                .with_context(|| format!("the index in {}; remove it", file.display()));
        }
        let portions = dataset.documents.chunks(PORTION);
        let what = format!("{} weighed by {}", dataset.name, self.name());
        let mut progress = Progress::new(what, "portions", portions.len());
        let mut index = Sparse::new();
        for portion in portions {
            let texts: Vec<&str> = portion.iter().map(|document| &*document.text).collect();
            for weights in self.encoder.weigh(&texts, TextKind::Document)? {
                index.add(&weights)?;
            }
            progress.step();
        }
        let (expected, found) = (dataset.documents.len(), index.len());
        ensure!(
            expected == found,
            "{}: expected weights of {expected} documents, found {found}",
            self.name()
        );
        crate::models::write(&file, &serde_json::to_vec(&index)?)?;
        Ok(index)
    }

    fn query(&self, text: &str) -> Result<Vec<(u32, f32)>> {
        let weights = self.encoder.weigh(&[text], TextKind::Query)?;
        let first = weights.into_iter().next();
        first.context("the sparse encoder gave no weights")
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::dataset::Document;
    use super::*;

    /// The length of each word, by its first letter; counts texts.
    struct Letters(Cell<usize>);

    impl Encoder for Letters {
        fn name(&self) -> &str {
            "letters"
        }

        fn settings(&self) -> String {
            "letters".into()
        }
    }

    impl Weigh for Letters {
        fn weigh(&self, texts: &[&str], _: TextKind) -> Result<Vec<Vec<(u32, f32)>>> {
            self.0.set(self.0.get() + texts.len());
            let weight = |word: &str| (u32::from(word.as_bytes()[0]), word.len() as f32);
            let text = |text: &&str| text.split(' ').map(weight).collect();
            Ok(texts.iter().map(text).collect())
        }
    }

    fn dataset(texts: &[&str]) -> Dataset {
        let documents = texts.iter().enumerate().map(|(id, text)| Document {
            id: id.to_string(),
            text: (*text).to_owned(),
        });
        Dataset {
            documents: documents.collect(),
            ..Dataset::default()
        }
    }

    #[test]
    fn a_collection_is_weighed_once_and_another_one_anew() {
        let (folder, letters) = (tempfile::tempdir().unwrap(), Letters(Cell::new(0)));
        let indexes = KeptIndexes {
            encoder: &letters,
            folder: folder.path().to_owned(),
        };
        let first = dataset(&["ab c", "a", "dd"]);
        let index = indexes.index(&first).unwrap();
        let query = indexes.query("aaa").unwrap();
        let found: Vec<(u32, f32)> = (index.search(&query, 9).unwrap().iter())
            .map(|hit| (hit.document, hit.score))
            .collect();
        assert_eq!(found, [(0, 6.0), (1, 3.0)]);
        assert_eq!(indexes.index(&first).unwrap(), index);
        assert_eq!(letters.0.get(), 4, "kept");
        assert_ne!(
            indexes.index(&dataset(&["ab c", "ad", "d"])).unwrap(),
            index
        );
        assert_eq!(letters.0.get(), 7, "another collection");
    }

    #[test]
    fn a_damaged_file_is_named() {
        let (folder, letters) = (tempfile::tempdir().unwrap(), Letters(Cell::new(0)));
        let indexes = KeptIndexes {
            encoder: &letters,
            folder: folder.path().to_owned(),
        };
        let collection = dataset(&["a"]);
        indexes.index(&collection).unwrap();
        let file = indexes.file(&collection);
        fs::write(&file, "{").unwrap();
        let error = format!("{:#}", indexes.index(&collection).unwrap_err());
        assert!(error.contains(&file.display().to_string()), "{error}");
    }
}
