//! What a run keeps on disk, so that a stopped one goes on: answers by request, and finished pages.
//!
//! A file is complete or not there: written beside its place, flushed, then renamed. Nothing here
//! knows a key, and answers come without it (see `client`).

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use foliorank::Error;
use foliorank::llm::LlmAnswer;
use foliorank::negatives::{Cache, Funnel, TrainingGroup};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A folder of answers and pages.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    written: AtomicU64,
}

/// A page that is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Finished {
    pub(super) groups: Vec<TrainingGroup>,
    pub(super) funnel: Funnel,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    text: String,
    input_tokens: u64,
    output_tokens: u64,
}

impl Store {
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let store = Self {
            folder: folder.to_owned(),
            written: AtomicU64::new(0),
        };
        for kind in ["answers", "pages"] {
            fs::create_dir_all(folder.join(kind)).map_err(|error| store.failed(&error))?;
        }
        Ok(store)
    }

    /// A finished page, if it is there.
    pub(super) fn page(&self, key: &str) -> Result<Option<Finished>, Error> {
        self.read(&self.path("pages", key))
    }

    pub(super) fn keep_page(&self, key: &str, page: &Finished) -> Result<(), Error> {
        self.write(&self.path("pages", key), page)
    }

    fn path(&self, kind: &str, key: &str) -> PathBuf {
        self.folder.join(kind).join(format!("{key}.json"))
    }

    fn read<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, Error> {
        match fs::read(path) {
            // What cannot be read, of an older version or a broken disk, is as good as not there.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn write(&self, path: &Path, value: &impl Serialize) -> Result<(), Error> {
        let turn = self.written.fetch_add(1, Relaxed);
        let own = format!("{}-{turn}.part", std::process::id());
        let part = self.folder.join(own);
        let write = || {
            let mut file = File::create(&part)?;
            file.write_all(&serde_json::to_vec(value)?)?;
            file.sync_data()?;
            fs::rename(&part, path)
        };
        write().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        let what = format!("the cache in {}: {error}", self.folder.display());
        Error::Internal { what }
    }
}

impl Cache for Store {
    async fn get(&self, key: &str) -> Result<Option<LlmAnswer>, Error> {
        let answer: Option<Answer> = self.read(&self.path("answers", key))?;
        Ok(answer.map(|answer| LlmAnswer {
            text: answer.text,
            input_tokens: answer.input_tokens,
            output_tokens: answer.output_tokens,
        }))
    }

    async fn put(&self, key: &str, answer: &LlmAnswer) -> Result<(), Error> {
        let answer = Answer {
            text: answer.text.clone(),
            input_tokens: answer.input_tokens,
            output_tokens: answer.output_tokens,
        };
        self.write(&self.path("answers", key), &answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_pages_outlive_the_process_and_broken_files_count_as_missing() {
        let folder = tempfile::tempdir().unwrap();
        let answer = LlmAnswer {
            text: "{\"a\": 1}".into(),
            input_tokens: 3,
            output_tokens: 2,
        };
        let page = Finished {
            groups: vec![TrainingGroup::default()],
            funnel: Funnel::default(),
        };
        let store = Store::open(folder.path()).unwrap();
        pollster::block_on(store.put("k", &answer)).unwrap();
        store.keep_page("p", &page).unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(pollster::block_on(store.get("k")), Ok(Some(answer)));
        assert_eq!(pollster::block_on(store.get("other")), Ok(None));
        assert_eq!(store.page("p"), Ok(Some(page)));
        fs::write(folder.path().join("pages/p.json"), "{\"groups\": [").unwrap();
        assert_eq!(store.page("p"), Ok(None));
        let left = fs::read_dir(folder.path()).unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().ends_with(".part")
        });
        assert_eq!(left.count(), 0);
    }
}
