//! A compiler with a standard library for wasm32: the one that runs us where it has the target, else `rustup target add`,
//! else the Debian compiler (`debian.rs`). The choice is made again on every call and costs one `rustc --print`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::debian;
use crate::project::{Project, output, run};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Which cargo builds for wasm32.
pub(crate) enum WasmToolchain {
    /// The toolchain of rust-toolchain.toml.
    Own,
    /// Debian's compiler with a standard library of our own, in this sysroot.
    Debian(PathBuf),
}

impl WasmToolchain {
    pub(crate) fn cargo(&self, project: &Project) -> Command {
        match self {
            Self::Own => project.cargo(),
            Self::Debian(sysroot) => {
                let mut command = project.cargo_at(debian::CARGO.into());
                // Both would send the child back to the toolchain that runs us.
                command
                    .env_remove("RUSTUP_TOOLCHAIN")
                    .env_remove("LD_LIBRARY_PATH");
                command
                    .env("RUSTC", sysroot.join("bin/rustc"))
                    .env("RUSTDOC", sysroot.join("bin/rustdoc"));
                command
            }
        }
    }

    /// What `rustc -vV` says.
    pub(crate) fn version(&self, project: &Project) -> Result<String> {
        let rustc = match self {
            Self::Own => own_rustc(),
            Self::Debian(sysroot) => sysroot.join("bin/rustc"),
        };
        output(Command::new(rustc).current_dir(&project.root).arg("-vV"))
    }

    /// Starts clippy; its first argument is `clippy`, as cargo's is.
    pub(crate) fn clippy(&self, project: &Project) -> Result<Command> {
        let Self::Debian(sysroot) = self else {
            return Ok(self.cargo(project));
        };
        debian::ensure_clippy()?;
        let mut command = self.cargo(project);
        // `cargo clippy` would find rustup's cargo-clippy first; and clippy-driver does not start RUSTC, which is what knows
        // the sysroot.
        command.env("SYSROOT", sysroot).env("CARGO", debian::CARGO);
        let mut clippy = Command::new(debian::CLIPPY);
        clippy.current_dir(&project.root);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => clippy.env(name, value),
                None => clippy.env_remove(name),
            };
        }
        Ok(clippy)
    }
}

/// Finds or makes a compiler for wasm32.
///
/// `FOLIORANK_WASM_TOOLCHAIN=debian` goes the Debian way although the target is there.
pub(crate) fn ensure(project: &Project) -> Result<WasmToolchain> {
    let forced = env::var_os("FOLIORANK_WASM_TOOLCHAIN").is_some_and(|value| value == "debian");
    if !forced && has_std(&own_sysroot(project)?) {
        return Ok(WasmToolchain::Own);
    }
    if let Some(sysroot) = debian::ready(project) {
        return Ok(WasmToolchain::Debian(sysroot));
    }
    let mut reason = "FOLIORANK_WASM_TOOLCHAIN asks for it".to_owned();
    if !forced {
        match run(Command::new("rustup")
            .current_dir(&project.root)
            .args(["target", "add", TARGET]))
        {
            Ok(()) if has_std(&own_sysroot(project)?) => return Ok(WasmToolchain::Own),
            Ok(()) => {
                reason = format!(
                    "`rustup target add {TARGET}` left no standard library in the toolchain of rust-toolchain.toml"
                )
            }
            Err(error) => reason = format!("{error:#}"),
        }
    }
    println!("No wasm32 standard library from rustup ({reason}); trying Debian's compiler");
    let context = || {
        format!(
            "no compiler for {TARGET}. Where rustup works: `rustup target add {TARGET}`. It said: {reason}"
        )
    };
    debian::build(project)
        .map(WasmToolchain::Debian)
        .with_context(context)
}

/// The sysroot of the compiler beside the cargo that runs us.
pub(crate) fn own_sysroot(project: &Project) -> Result<PathBuf> {
    let mut rustc = Command::new(own_rustc());
    Ok(output(
        rustc
            .current_dir(&project.root)
            .args(["--print", "sysroot"]),
    )?
    .into())
}

fn own_rustc() -> PathBuf {
    let beside = env::var_os("CARGO").map(|cargo| PathBuf::from(cargo).with_file_name("rustc"));
    beside
        .filter(|rustc| rustc.is_file())
        .unwrap_or_else(|| "rustc".into())
}

fn has_std(sysroot: &Path) -> bool {
    let library = |name: &str| name.starts_with("libstd-") && name.ends_with(".rlib");
    let entries = fs::read_dir(sysroot.join("lib/rustlib").join(TARGET).join("lib"));
    entries
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| library(&entry.file_name().to_string_lossy()))
}
