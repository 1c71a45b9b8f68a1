//! Versions written in two places: the crate and the npm package, wasm-bindgen and the library that reads its output, the
//! compiler's release.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use toml::Value;

use super::{at, read, read_toml};
use crate::debian;

pub(super) fn wasm_bindgen(root: &Path) -> Result<()> {
    let lock = fs::read(root.join("Cargo.lock")).context("Cargo.lock")?;
    let [library, tool] =
        ["wasm-bindgen", "wasm-bindgen-cli-support"].map(|name| locked_version(&lock, name));
    ensure!(
        library.is_some() && library == tool,
        "expected the same version twice in Cargo.lock, found {library:?} and {tool:?}"
    );
    Ok(())
}

/// The version Cargo.lock has of a package.
fn locked_version(lock: &[u8], name: &str) -> Option<String> {
    let lock: Value = toml::from_str(std::str::from_utf8(lock).ok()?).ok()?;
    let packages = lock.get("package")?.as_array()?;
    let package = packages
        .iter()
        .find(|package| package.get("name").and_then(Value::as_str) == Some(name))?;
    package.get("version")?.as_str().map(str::to_owned)
}

pub(super) fn releases(root: &Path) -> Result<()> {
    let krate = workspace_value(root, "version")?;
    let package: serde_json::Value = serde_json::from_str(&read(root, "www/package.json")?)?;
    ensure!(
        package["version"] == krate.as_str(),
        "Cargo.toml has {krate}, www/package.json has {}",
        package["version"]
    );
    let lock: serde_json::Value = serde_json::from_str(&read(root, "www/package-lock.json")?)?;
    ensure!(
        lock["version"] == krate.as_str(),
        "Cargo.toml has {krate}, www/package-lock.json has {}",
        lock["version"]
    );
    newest_heading_is(&read(root, "CHANGELOG.md")?, &krate)
}

/// The changelog's newest heading is this version, or what comes after it.
fn newest_heading_is(changelog: &str, version: &str) -> Result<()> {
    let heading = changelog
        .lines()
        .find_map(|line| line.strip_prefix("## "))
        .context("CHANGELOG.md has no `## ` heading")?;
    let name = heading
        .split([' ', ']'])
        .next()
        .unwrap_or(heading)
        .trim_start_matches('[')
        .trim_start_matches('v');
    ensure!(
        name == version || name == "Unreleased",
        "CHANGELOG.md begins with {name}, expected {version} or Unreleased"
    );
    Ok(())
}

pub(super) fn rust(root: &Path) -> Result<()> {
    let oldest = workspace_value(root, "rust-version")?;
    let toolchain = read_toml(root, "rust-toolchain.toml")?;
    let channel = at(&toolchain, &["toolchain", "channel"])
        .and_then(Value::as_str)
        .context("rust-toolchain.toml names no channel")?;
    let same = channel == oldest
        || channel
            .strip_prefix(&oldest)
            .is_some_and(|rest| rest.starts_with('.'));
    ensure!(
        same,
        "Cargo.toml has rust-version {oldest}, rust-toolchain.toml has {channel}"
    );
    let fallback = format!("{}.{}", debian::OLDEST.0, debian::OLDEST.1);
    ensure!(
        channel.starts_with(&format!("{fallback}.")),
        "rust-toolchain.toml has {channel}, debian::OLDEST in xtask has {fallback}"
    );
    let container = read(root, "Containerfile")?;
    ensure!(
        container.contains(&format!("FROM rust:{channel}-")),
        "rust-toolchain.toml has {channel}, the Containerfile builds with another"
    );
    Ok(())
}

fn workspace_value(root: &Path, key: &str) -> Result<String> {
    let manifest = read_toml(root, "Cargo.toml")?;
    let value = at(&manifest, &["workspace", "package", key]).and_then(Value::as_str);
    value
        .map(str::to_owned)
        .with_context(|| format!("Cargo.toml has no {key} in [workspace.package]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_heading_is_the_version_or_unreleased() {
        for changelog in [
            "# C\n\n## 0.1.0\n## 0.0.1\n",
            "## [0.1.0] - 2026-11-21",
            "## v0.1.0",
            "## Unreleased\n## 0.0.9",
            "## [Unreleased]",
        ] {
            assert!(newest_heading_is(changelog, "0.1.0").is_ok(), "{changelog}");
        }
        for changelog in ["# no heading", "## 0.2.0", "## 0.0.9\n## 0.1.0"] {
            assert!(
                newest_heading_is(changelog, "0.1.0").is_err(),
                "{changelog}"
            );
        }
    }

    #[test]
    fn a_locked_version_is_found_by_the_whole_name() {
        let lock = b"[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1.0.0\"\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(
            locked_version(lock, "wasm-bindgen").as_deref(),
            Some("0.2.130")
        );
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}
