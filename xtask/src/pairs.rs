//! Things written in two places that must agree, each with a check: versions, features, flags, README commands. `check`
//! runs them all and reports every one that is broken; versions are in `pairs/versions.rs`, the rules
//! for source files in `pairs/sources.rs`.

mod codes;
mod sources;
mod versions;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use toml::Value;

use crate::COMMANDS;
use crate::config::Config;

type Check = fn(&Path) -> Result<()>;

const CHECKS: [(&str, Check); 11] = [
    ("wasm-pack metadata and wasm-pack.toml", wasm_pack_metadata),
    ("default features and the cpu variant", default_features),
    (
        "compiler flags in .cargo/config.toml and wasm-pack.toml",
        compiler_flags,
    ),
    (
        "wasm-bindgen and wasm-bindgen-cli-support",
        versions::wasm_bindgen,
    ),
    (
        "versions of the crate, the package and the changelog",
        versions::releases,
    ),
    (
        "rust-version, rust-toolchain.toml, the Debian fallback and the Containerfile",
        versions::rust,
    ),
    ("commands in the README and in xtask", readme_commands),
    ("the README's code and the test that runs it", readme_code),
    (
        "error codes in Rust, TypeScript and the README",
        codes::agree,
    ),
    ("import direction", sources::imports),
    ("file headers and lengths", sources::files),
];

pub(crate) fn check_all(root: &Path) -> Result<()> {
    let broken: Vec<_> = CHECKS
        .iter()
        .filter_map(|(name, check)| Some(format!("{name}: {:#}", check(root).err()?)))
        .collect();
    ensure!(broken.is_empty(), "\n  {}", broken.join("\n  "));
    Ok(())
}

/// wasm-pack reads `profile.release` for a plain build and `profile.custom` for `--profile <name>`.
fn wasm_pack_metadata(root: &Path) -> Result<()> {
    let manifest = read_toml(root, "Cargo.toml")?;
    let cpu = &Config::read(root)?.variant["cpu"];
    let flags: Vec<_> = cpu
        .wasm_opt
        .iter()
        .map(|flag| Value::from(flag.as_str()))
        .collect();
    let expected = if flags.is_empty() {
        Value::from(false)
    } else {
        Value::from(flags)
    };
    for profile in ["release", "custom"] {
        let found = at(
            &manifest,
            &[
                "package",
                "metadata",
                "wasm-pack",
                "profile",
                profile,
                "wasm-opt",
            ],
        );
        ensure!(
            found == Some(&expected),
            "expected wasm-opt = {expected} in [package.metadata.wasm-pack.profile.{profile}], found {found:?}"
        );
    }
    let profiles = at(&manifest, &["profile"]).and_then(Value::as_table);
    for (name, variant) in &Config::read(root)?.variant {
        let known = profiles.is_some_and(|profiles| profiles.contains_key(&variant.profile));
        ensure!(
            known || variant.profile == "release",
            "variant {name} has profile {}, which Cargo.toml does not have",
            variant.profile
        );
    }
    Ok(())
}

/// wasm-pack passes no features, so a plain `wasm-pack build` makes what the defaults are: the cpu variant.
fn default_features(root: &Path) -> Result<()> {
    let manifest = read_toml(root, "Cargo.toml")?;
    let features = at(&manifest, &["features"])
        .and_then(Value::as_table)
        .context("Cargo.toml has no [features]")?;
    let config = Config::read(root)?;
    for (name, variant) in &config.variant {
        let unknown: Vec<_> = variant
            .features
            .iter()
            .filter(|feature| !features.contains_key(*feature))
            .collect();
        ensure!(
            unknown.is_empty(),
            "variant {name} has the features {unknown:?}, which Cargo.toml does not have"
        );
    }
    let default: BTreeSet<_> = features
        .get("default")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let cpu: BTreeSet<_> = config
        .get("cpu")?
        .features
        .iter()
        .map(String::as_str)
        .collect();
    ensure!(
        default == cpu,
        "expected the default features to be those of the cpu variant, {cpu:?}, found {default:?}"
    );
    Ok(())
}

fn compiler_flags(root: &Path) -> Result<()> {
    let cargo = read_toml(root, ".cargo/config.toml")?;
    let flags =
        at(&cargo, &["target", crate::toolchain::TARGET, "rustflags"]).and_then(Value::as_array);
    let flags: Vec<_> = flags
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let cpu = &Config::read(root)?.variant["cpu"].rustflags;
    ensure!(
        flags == *cpu,
        "expected {cpu:?} in .cargo/config.toml, found {flags:?}"
    );
    Ok(())
}

fn readme_commands(root: &Path) -> Result<()> {
    let readme = read(root, "README.md")?;
    let named = commands(&readme);
    for needed in ["demo", "test"] {
        ensure!(
            named.contains(needed),
            "README.md does not name `cargo xtask {needed}`"
        );
    }
    for command in named {
        ensure!(
            COMMANDS.iter().any(|(name, _, _)| *name == command),
            "README.md names `cargo xtask {command}`, which xtask does not have"
        );
    }
    Ok(())
}

/// The words after `cargo xtask`.
fn commands(text: &str) -> BTreeSet<&str> {
    let words = text.split("cargo xtask ").skip(1).filter_map(|rest| {
        rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .next()
    });
    words.filter(|word| !word.is_empty()).collect()
}

/// JavaScript in the README, and a browser test that reads the README and runs it.
fn readme_code(root: &Path) -> Result<()> {
    let readme = read(root, "README.md")?;
    let blocks = readme
        .lines()
        .filter(|line| {
            matches!(
                line.trim_end(),
                "```js" | "```javascript" | "```ts" | "```typescript"
            )
        })
        .count();
    ensure!(
        blocks > 0,
        "expected a js or ts block in README.md, found none"
    );
    let tests = sources::under(root, "tests/browser")?;
    let reads = |file: &String| {
        file.ends_with(".mjs") && read(root, file).is_ok_and(|text| text.contains("README.md"))
    };
    ensure!(
        tests.iter().any(reads),
        "no file in tests/browser reads README.md to run its code"
    );
    Ok(())
}

fn at<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().try_fold(value, |value, key| value.get(key))
}

fn read(root: &Path, file: &str) -> Result<String> {
    fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}"))
}

fn read_toml(root: &Path, file: &str) -> Result<Value> {
    match toml::from_str(&read(root, file)?) {
        Ok(value) => Ok(value),
        Err(error) => bail!("{file}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask lies in the root")
    }

    #[test]
    fn everything_written_twice_agrees() -> Result<()> {
        check_all(root())
    }

    #[test]
    fn commands_are_the_words_after_cargo_xtask() {
        let text = "run `cargo xtask demo` or\n    cargo xtask test --quick\nand cargo xtask wasm, then `cargo xtask <command>`";
        assert_eq!(commands(text), BTreeSet::from(["demo", "test", "wasm"]));
    }
}
