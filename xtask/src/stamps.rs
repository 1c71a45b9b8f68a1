//! Whether a variant must be built again: a stamp of everything cargo would read, kept beside the result. Cargo's own answer
//! is not enough here, because both variants write the same file and so each looks stale to it after the other.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::project::Project;

/// The content of files and some words, as one number. It changes with the compiler's release too, which does no harm.
pub(crate) fn hash(files: &[PathBuf], words: &[&str]) -> String {
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(file).ok().hash(&mut hasher);
    }
    words.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// A stamp file: the hash, then the sources it is of, relative to the root.
pub(crate) struct Stamp {
    file: PathBuf,
}

impl Stamp {
    pub(crate) fn at(file: PathBuf) -> Self {
        Self { file }
    }

    /// True when the sources of the last build and the settings are what they were.
    pub(crate) fn is_current(&self, project: &Project, settings: &str) -> bool {
        let Ok(text) = fs::read_to_string(&self.file) else {
            return false;
        };
        let mut lines = text.lines();
        let old = lines.next().unwrap_or_default();
        let sources: Vec<_> = lines.map(str::to_owned).collect();
        old == sources_hash(project, &sources, settings)
    }

    pub(crate) fn remove(&self) {
        // It may not be there; what cannot be removed is written over when the build is done.
        let _ = fs::remove_file(&self.file);
    }

    /// `depends` is the .d file cargo leaves beside the module.
    pub(crate) fn write(&self, project: &Project, settings: &str, depends: &Path) -> Result<()> {
        let text = fs::read_to_string(depends)
            .with_context(|| format!("cargo left no {}", depends.display()))?;
        let sources = sources(&text, &project.root);
        let stamp = format!(
            "{}\n{}\n",
            sources_hash(project, &sources, settings),
            sources.join("\n")
        );
        Ok(fs::write(&self.file, stamp)?)
    }
}

fn sources_hash(project: &Project, sources: &[String], settings: &str) -> String {
    let always = [
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain.toml",
        "www/node_modules/binaryen/package.json",
    ];
    let files: Vec<_> = always
        .into_iter()
        .chain(sources.iter().map(String::as_str))
        .map(|file| project.root.join(file))
        .collect();
    hash(&files, &[settings, &sources.join("\n")])
}

/// The files after the colon, where a space within a name is written `\ `; relative to the root where they lie in it.
fn sources(depends: &str, root: &Path) -> Vec<String> {
    let list = depends
        .split_once(": ")
        .map_or("", |(_, list)| list)
        .lines()
        .next()
        .unwrap_or_default();
    let names = list.replace("\\ ", "\0");
    let names = names.split_whitespace().map(|name| name.replace('\0', " "));
    names
        .map(|name| {
            Path::new(&name)
                .strip_prefix(root)
                .map_or(name.clone(), |inside| inside.to_string_lossy().into_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_relative_and_may_have_spaces() {
        let text =
            "/t/foliorank.wasm: /my\\ code/src/lib.rs /my\\ code/src/wasm.rs /else/where.rs\n";
        assert_eq!(
            sources(text, Path::new("/my code")),
            ["src/lib.rs", "src/wasm.rs", "/else/where.rs"]
        );
    }

    #[test]
    fn a_stamp_is_current_until_a_source_or_a_setting_changes() -> Result<()> {
        let root = std::env::temp_dir().join(format!("foliorank-stamp-{}", std::process::id()));
        fs::create_dir_all(&root)?;
        let project = Project {
            root: root.clone(),
            cache: root.clone(),
            target: root.clone(),
        };
        fs::write(root.join("lib.rs"), "one")?;
        fs::write(
            root.join("module.d"),
            format!("module: {}\n", root.join("lib.rs").display()),
        )?;
        let stamp = Stamp::at(root.join("stamp"));
        assert!(!stamp.is_current(&project, "a"));
        stamp.write(&project, "a", &root.join("module.d"))?;
        assert!(stamp.is_current(&project, "a"));
        assert!(!stamp.is_current(&project, "b"));
        fs::write(root.join("lib.rs"), "two")?;
        assert!(!stamp.is_current(&project, "a"));
        fs::remove_dir_all(root)?;
        Ok(())
    }
}
