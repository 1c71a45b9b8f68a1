//! The model cache on disk: where it is, whether a file is the right one, and atomic writing.
//!
//! A finished file appears by rename, so a reader never sees half of one.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// `$FOLIORANK_CACHE`, else `$XDG_CACHE_HOME`, else `~/.cache`; our folder is `foliorank` below it.
pub(crate) fn root() -> Result<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("FOLIORANK_CACHE")
        .or_else(|| set("XDG_CACHE_HOME"))
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .map(|base| base.join("foliorank"))
        .context("no cache folder: set FOLIORANK_CACHE")
}

/// Lower-case hexadecimal SHA-256 of bytes.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(Sha256::digest(bytes).as_slice())
}

/// Lower-case hexadecimal SHA-256 of a file, read in pieces.
pub(crate) fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hexadecimal(digest.finalize().as_slice())),
            count => digest.update(&piece[..count]),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a file is there and has this SHA-256.
pub(crate) fn holds(path: &Path, sha256: &str) -> bool {
    sha256_of(path).is_ok_and(|found| found == sha256)
}

/// Writes a file by way of a temporary neighbour.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("new");
    fs::write(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .with_context(|| format!("writing {}", path.display()))
}

/// Holds the cache against a second process until dropped; waits for its turn.
pub(crate) fn lock(cache: &Path) -> Result<File> {
    let path = cache.join("models.lock");
    let lock = || -> io::Result<File> {
        fs::create_dir_all(cache)?;
        let file = File::create(&path)?;
        file.lock()?;
        Ok(file)
    };
    lock().with_context(|| format!("locking {}", path.display()))
}
