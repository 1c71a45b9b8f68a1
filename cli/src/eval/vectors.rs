//! Vectors of texts, kept in a file as they come, so that a stopped evaluation does not embed twice.
//!
//! A file belongs to one embedder. It has the number of dimensions (u32) and then records: SHA-256 of the
//! kind and the text, and the vector in f32, all little-endian. A torn last record is dropped.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use foliorank::reranker::TextKind;
use sha2::{Digest, Sha256};

use super::first_stage::{Embed, Encoder};

type Key = [u8; 32];

/// An embedder that knows what it embedded before.
pub(crate) struct KeptVectors<'a> {
    embedder: &'a dyn Embed,
    kept: RefCell<Kept>,
}

struct Kept {
    file: File,
    /// 0 until the first vector.
    dimensions: usize,
    known: HashMap<Key, Vec<f32>>,
}

impl<'a> KeptVectors<'a> {
    /// Opens or starts the embedder's file in a folder.
    pub(crate) fn open(embedder: &'a dyn Embed, folder: &Path) -> Result<Self> {
        let settings = crate::models::sha256(embedder.settings().as_bytes());
        let path = folder.join(format!("vectors-{}.bin", &settings[..16]));
        let kept = Kept::open(&path).with_context(|| format!("vectors in {}", path.display()))?;
        let kept = RefCell::new(kept);
        Ok(Self { embedder, kept })
    }
}

impl Encoder for KeptVectors<'_> {
    fn name(&self) -> &str {
        self.embedder.name()
    }

    fn settings(&self) -> String {
        self.embedder.settings()
    }
}

impl Embed for KeptVectors<'_> {
    fn embed(&self, texts: &[&str], kind: TextKind) -> Result<Vec<Vec<f32>>> {
        let mut kept = self.kept.borrow_mut();
        let keys: Vec<Key> = texts.iter().map(|text| key(kind, text)).collect();
        let missing: Vec<usize> = (0..texts.len())
            .filter(|&i| !kept.known.contains_key(&keys[i]))
            .collect();
        if !missing.is_empty() {
            let unknown: Vec<&str> = missing.iter().map(|&i| texts[i]).collect();
            let vectors = self.embedder.embed(&unknown, kind)?;
            ensure!(
                vectors.len() == missing.len(),
                "{}: expected {} vectors, found {}",
                self.name(),
                missing.len(),
                vectors.len()
            );
            kept.add(missing.iter().map(|&i| keys[i]).zip(vectors))?;
        }
        Ok(keys.iter().map(|key| kept.known[key].clone()).collect())
    }
}

impl Kept {
    fn open(path: &Path) -> Result<Self> {
        let bytes = if path.exists() {
            fs::read(path)?
        } else {
            Vec::new()
        };
        let (mut dimensions, mut known, mut whole) = (0, HashMap::new(), 0);
        if let Some((head, records)) = bytes.split_first_chunk::<4>() {
            dimensions = u32::from_le_bytes(*head) as usize;
            ensure!(dimensions > 0, "expected vectors, found something else");
            whole = head.len();
            for record in records.chunks_exact(size_of::<Key>() + 4 * dimensions) {
                let (key, vector) = record.split_at(size_of::<Key>());
                let numbers = vector.as_chunks::<4>().0.iter();
                let numbers = numbers.map(|&bytes| f32::from_le_bytes(bytes));
                known.insert(key.try_into()?, numbers.collect());
                whole += record.len();
            }
        }
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(path)?;
        file.set_len(whole as u64)?;
        Ok(Self {
            file,
            dimensions,
            known,
        })
    }

    /// They are on disk when this returns.
    fn add(&mut self, entries: impl Iterator<Item = (Key, Vec<f32>)>) -> Result<()> {
        let mut bytes = Vec::new();
        for (key, vector) in entries {
            if self.dimensions == 0 {
                self.dimensions = vector.len();
                bytes.extend(u32::try_from(vector.len())?.to_le_bytes());
            }
            let (expected, found) = (self.dimensions, vector.len());
            ensure!(
                expected == found,
                "expected vectors of {expected} numbers, found {found}"
            );
            bytes.extend(key);
            bytes.extend(vector.iter().flat_map(|number| number.to_le_bytes()));
            self.known.insert(key, vector);
        }
        self.file.write_all(&bytes).context("keeping vectors")
    }
}

fn key(kind: TextKind, text: &str) -> Key {
    let kind: &[u8] = match kind {
        TextKind::Document => b"document\n",
        TextKind::Query => b"query\n",
    };
    Sha256::new()
        .chain_update(kind)
        .chain_update(text)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Length and kind as a vector.
    struct Lengths(Cell<usize>);

    impl Encoder for Lengths {
        fn name(&self) -> &str {
            "lengths"
        }

        fn settings(&self) -> String {
            "lengths".into()
        }
    }

    impl Embed for Lengths {
        fn embed(&self, texts: &[&str], kind: TextKind) -> Result<Vec<Vec<f32>>> {
            self.0.set(self.0.get() + texts.len());
            let kind = f32::from(u8::from(kind == TextKind::Query));
            Ok((texts.iter())
                .map(|text| vec![text.len() as f32, kind])
                .collect())
        }
    }

    #[test]
    fn a_text_is_embedded_once_for_each_kind_also_after_a_restart() {
        let (folder, lengths) = (tempfile::tempdir().unwrap(), Lengths(Cell::new(0)));
        let open = || KeptVectors::open(&lengths, folder.path()).unwrap();
        let vectors = open();
        let document = |vectors: &KeptVectors<'_>, texts: &[&str]| {
            vectors.embed(texts, TextKind::Document).unwrap()
        };
        assert_eq!(document(&vectors, &["a"]), [[1.0, 0.0]]);
        assert_eq!(document(&vectors, &["bb", "a"]), [[2.0, 0.0], [1.0, 0.0]]);
        let query = vectors.embed(&["a"], TextKind::Query).unwrap();
        assert_eq!(query, [[1.0, 1.0]]);
        assert_eq!(lengths.0.get(), 3);
        assert_eq!(
            document(&open(), &["a", "ccc", "bb"]),
            [[1.0, 0.0], [3.0, 0.0], [2.0, 0.0]]
        );
        assert_eq!(lengths.0.get(), 4);
    }

    #[test]
    fn a_torn_last_record_is_embedded_again() {
        let (folder, lengths) = (tempfile::tempdir().unwrap(), Lengths(Cell::new(0)));
        let open = || KeptVectors::open(&lengths, folder.path()).unwrap();
        let texts = ["a", "bb"];
        let whole = open().embed(&texts, TextKind::Document).unwrap();
        let path = fs::read_dir(folder.path()).unwrap().next();
        let path = path.unwrap().unwrap().path();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        assert_eq!(open().embed(&texts, TextKind::Document).unwrap(), whole);
        assert_eq!(lengths.0.get(), 3);
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}
