//! Builds the variants of wasm-pack.toml into www/dist/wasm/<variant>: cargo, wasm-bindgen as a library, wasm-opt where the
//! variant asks for it, then the checks. Nothing is done where nothing changed (`stamps.rs`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::budgets::{self, grouped};
use crate::config::{Config, Variant};
use crate::opcodes;
use crate::project::{Project, run};
use crate::stamps::{self, Stamp};
use crate::toolchain::{self, TARGET, WasmToolchain};

/// How a variant is built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    /// The variant's profile and wasm-opt, and the checks.
    Release,
    /// Cargo's dev profile, for a quick look: no wasm-opt and no budgets.
    Dev,
}

/// Builds one variant; the result is in www/dist.
pub(crate) fn build(project: &Project, config: &Config, name: &str, mode: Mode) -> Result<()> {
    let variant = config.get(name)?;
    let toolchain = toolchain::ensure(project)?;
    let folder = project.target.join("wasm-variants").join(match mode {
        Mode::Release => name.to_owned(),
        Mode::Dev => format!("{name}-dev"),
    });
    let (bound, bound_stamp) = (folder.join("bound"), folder.join("bound.stamp"));
    fs::create_dir_all(&folder)?;
    let stamp = Stamp::at(folder.join("sources.stamp"));
    // Not the budgets and the instruction sets: they change what is said of the result, not the result.
    let Variant {
        features,
        rustflags,
        crate_rustflags,
        profile,
        wasm_opt,
        ..
    } = variant;
    let compiler = toolchain.version(project)?;
    let settings = format!(
        "{features:?} {rustflags:?} {crate_rustflags:?} {profile} {wasm_opt:?} {mode:?} {compiler}"
    );
    if stamp.is_current(project, &settings) && bound.is_dir() {
        println!("{name}: unchanged since the last build");
    } else {
        stamp.remove();
        let module = compile(project, &toolchain, variant, mode)?;
        // A change that leaves the module as it was, say of a comment, does not cost a run of wasm-opt.
        let new = stamps::hash(std::slice::from_ref(&module), &[&settings]);
        if !bound.is_dir() || !fs::read_to_string(&bound_stamp).is_ok_and(|old| old == new) {
            // A failure below must not leave an older stamp beside what is half done.
            let _ = fs::remove_file(&bound_stamp);
            let names = match mode {
                Mode::Release => Names::Dropped,
                Mode::Dev => Names::Kept,
            };
            bind(&module, &bound, names)?;
            if mode == Mode::Release && !variant.wasm_opt.is_empty() {
                optimise(project, &variant.wasm_opt, &bound.join("foliorank_bg.wasm"))?;
            }
            fs::write(&bound_stamp, new)?;
        }
        stamp.write(project, &settings, &module.with_extension("d"))?;
    }
    let output = output_folder(project, name);
    mirror(&bound, &output)?;
    if mode == Mode::Dev {
        println!(
            "{name}: a dev build in {}; sizes and instructions are not checked",
            output.display()
        );
    }
    Ok(())
}

/// Reports instructions and sizes of a built variant; fails with every broken rule at once.
pub(crate) fn check(project: &Project, config: &Config, name: &str) -> Result<()> {
    let variant = config.get(name)?;
    let file = output_folder(project, name).join("foliorank_bg.wasm");
    let wasm = fs::read(&file)
        .with_context(|| format!("{name} is not built: run `cargo xtask wasm {name}`"))?;
    let counts = opcodes::count(&wasm).with_context(|| file.display().to_string())?;
    let size = budgets::measure(&wasm)?;
    let listed: Vec<_> = counts
        .iter()
        .map(|(set, count)| format!("{set} {}", grouped(*count)))
        .collect();
    println!(
        "{name}: {} bytes raw, {} gzip; instructions: {}",
        grouped(size.raw),
        grouped(size.gzip),
        listed.join(", ")
    );
    let mut problems = opcodes::problems(variant, &counts);
    problems.extend(budgets::problems(variant, size));
    if !problems.is_empty() {
        bail!("variant {name}:\n  {}", problems.join("\n  "));
    }
    Ok(())
}

/// The module of a variant as it is delivered, but with the names of its functions.
pub(crate) fn with_names(project: &Project, config: &Config, name: &str) -> Result<Vec<u8>> {
    let toolchain = toolchain::ensure(project)?;
    let variant = config.get(name)?;
    let module = compile(project, &toolchain, variant, Mode::Release)?;
    let folder = project
        .target
        .join("wasm-variants")
        .join(name)
        .join("named");
    bind(&module, &folder, Names::Kept)?;
    let file = folder.join("foliorank_bg.wasm");
    if !variant.wasm_opt.is_empty() {
        let flags = [&variant.wasm_opt[..], &["-g".to_owned()]].concat();
        optimise(project, &flags, &file)?;
    }
    fs::read(&file).with_context(|| file.display().to_string())
}

/// clippy over the WASM boundary; not of the gpu variant, because checking burn for WebGPU again takes too long.
pub(crate) fn clippy(project: &Project, config: &Config) -> Result<()> {
    for name in ["cpu", "images", "logic"] {
        let mut command = toolchain::ensure(project)?.clippy(project)?;
        features(
            command.args([
                "clippy",
                "--package",
                "foliorank",
                "--lib",
                "--target",
                TARGET,
            ]),
            config.get(name)?,
        );
        run(command.args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

fn output_folder(project: &Project, name: &str) -> PathBuf {
    project.www().join("dist").join("wasm").join(name)
}

/// The module as cargo leaves it. Cargo decides whether it is fresh.
fn compile(
    project: &Project,
    toolchain: &WasmToolchain,
    variant: &Variant,
    mode: Mode,
) -> Result<PathBuf> {
    let profile = if mode == Mode::Dev {
        "dev"
    } else {
        variant.profile.as_str()
    };
    let mut command = toolchain.cargo(project);
    // `cargo rustc` gives what follows `--` to the root crate and to no other.
    features(
        command.args([
            "rustc",
            "--package",
            "foliorank",
            "--lib",
            "--target",
            TARGET,
            "--profile",
            profile,
        ]),
        variant,
    );
    run(command.arg("--").args(&variant.crate_rustflags))?;
    // Cargo's folder for the dev profile has another name.
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(project
        .target
        .join(TARGET)
        .join(folder)
        .join("foliorank.wasm"))
}

fn features(command: &mut Command, variant: &Variant) {
    command
        .arg("--no-default-features")
        .arg("--features")
        .arg(variant.features.join(","));
    // The encoded variable alone counts: exactly these flags, whatever the caller's RUSTFLAGS or configuration are.
    command.env("CARGO_ENCODED_RUSTFLAGS", variant.rustflags.join("\u{1f}"));
}

/// Whether functions keep their names.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Names {
    Kept,
    Dropped,
}

fn bind(module: &Path, folder: &Path, names: Names) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    println!("wasm-bindgen {}", module.display());
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name("foliorank")
        .typescript(true)
        .remove_producers_section(true);
    // Half of the file otherwise; kept in a dev build, for stack traces.
    bindgen.remove_name_section(names == Names::Dropped);
    bindgen.web(true)?.generate(folder).context("wasm-bindgen")
}

/// Runs the wasm-opt of the npm package `binaryen` in place.
fn optimise(project: &Project, flags: &[String], file: &Path) -> Result<()> {
    let tool = project.www().join("node_modules/.bin/wasm-opt");
    if !tool.exists() {
        bail!(
            "wasm-pack.toml asks for wasm-opt: add `binaryen` to the devDependencies of www/package.json, or empty `wasm_opt`"
        );
    }
    let optimised = file.with_extension("opt");
    run(Command::new(tool)
        .current_dir(&project.root)
        .args(flags)
        .arg(file)
        .arg("--output")
        .arg(&optimised))?;
    fs::rename(optimised, file).context("wasm-opt left no file")
}

/// Makes `to` hold the files of `from` and no others; a file that is the same already keeps its time.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if !from.join(entry.file_name()).exists() {
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?
            } else {
                fs::remove_file(entry.path())?
            }
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            mirror(&entry.path(), &target)?;
        } else {
            let bytes = fs::read(entry.path())?;
            if !fs::read(&target).is_ok_and(|old| old == bytes) {
                fs::write(&target, bytes)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_has_the_new_files_and_drops_the_old_ones() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("foliorank-mirror-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        fs::create_dir_all(from.join("snippets"))?;
        fs::create_dir_all(to.join("gone"))?;
        fs::write(from.join("foliorank.js"), "new")?;
        fs::write(from.join("snippets/a.js"), "a")?;
        fs::write(to.join("foliorank.js"), "old")?;
        fs::write(to.join("stale.js"), "old")?;
        mirror(&from, &to)?;
        assert_eq!(fs::read_to_string(to.join("foliorank.js"))?, "new");
        assert_eq!(fs::read_to_string(to.join("snippets/a.js"))?, "a");
        assert!(!to.join("stale.js").exists() && !to.join("gone").exists());
        fs::remove_dir_all(folder)?;
        Ok(())
    }
}
