//! The wasm32 toolchain where rustup can fetch none: Debian's compiler, its standard library compiled once from Debian's
//! sources, and a linker, put together as a sysroot in the user's cache. Nothing is written outside of it, except that apt
//! installs the packages when we are root on Debian.

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::project::{Project, on_path, output, run};
use crate::setup::apt_install;
use crate::toolchain::{TARGET, own_sysroot};

pub(crate) const CARGO: &str = "/usr/bin/cargo";
pub(crate) const CLIPPY: &str = "/usr/bin/cargo-clippy";
const RUSTC: &str = "/usr/bin/rustc";
const SOURCES: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";
const PACKAGES: [&str; 4] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "libstd-rust-web-dev",
];
/// The oldest release that compiles this project; a test keeps it equal to rust-version in Cargo.toml.
pub(crate) const OLDEST: (u32, u32) = (1, 95);

/// What `rustc -vV` says.
struct Version {
    release: String,
    host: String,
    llvm_major: String,
}

/// The sysroot, where it was made before for the compiler that is installed now.
pub(crate) fn ready(project: &Project) -> Option<PathBuf> {
    let sysroot = sysroot(project, &version().ok()?);
    sysroot.is_dir().then_some(sysroot)
}

/// Installs what is missing and makes the sysroot: about a minute.
pub(crate) fn build(project: &Project) -> Result<PathBuf> {
    if ![RUSTC, CARGO, SOURCES]
        .iter()
        .all(|file| Path::new(file).is_file())
    {
        apt_install(&PACKAGES)?;
    }
    let version = version()?;
    ensure!(
        release_number(&version.release) >= Some(OLDEST),
        "Debian's rustc is {}, and {}.{} or newer is needed: apt-get update && apt-get install {}",
        version.release,
        OLDEST.0,
        OLDEST.1,
        PACKAGES.join(" ")
    );
    let linker = linker(project, &version)?;
    let done = sysroot(project, &version);
    // Made under another name and renamed at the end: an interrupted run leaves nothing that looks ready.
    let making = done.with_extension("part");
    if making.exists() {
        fs::remove_dir_all(&making)?;
    }
    let host = making.join("lib/rustlib").join(&version.host);
    fs::create_dir_all(making.join("bin"))?;
    fs::create_dir_all(host.join("bin"))?;
    symlink(
        Path::new("/usr/lib/rustlib")
            .join(&version.host)
            .join("lib"),
        host.join("lib"),
    )?;
    symlink(linker, host.join("bin/rust-lld"))?;
    symlink(CARGO, making.join("bin/cargo"))?;
    for tool in ["rustc", "rustdoc"] {
        wrapper(&making.join("bin").join(tool), &format!("/usr/bin/{tool}"))?;
    }
    compile_std(&making)?;
    try_out(&making)?;
    fs::rename(&making, &done)?;
    println!(
        "{TARGET} for {RUSTC} {} is in {}",
        version.release,
        done.display()
    );
    println!(
        "To use it by hand: rustup toolchain link web {}, then cargo +web",
        done.display()
    );
    Ok(done)
}

/// clippy for Debian's compiler.
pub(crate) fn ensure_clippy() -> Result<()> {
    if Path::new(CLIPPY).is_file() {
        Ok(())
    } else {
        apt_install(&["rust-web-clippy"])
    }
}

fn sysroot(project: &Project, version: &Version) -> PathBuf {
    project
        .cache
        .join("wasm-toolchain")
        .join(format!("debian-{}", version.release.replace('.', "-")))
}

fn version() -> Result<Version> {
    parse_version(&output(
        Command::new(RUSTC).arg("-vV").env_remove("LD_LIBRARY_PATH"),
    )?)
}

fn parse_version(text: &str) -> Result<Version> {
    let value = |key: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        line.map(str::to_owned)
            .with_context(|| format!("`rustc -vV` says nothing of \"{key}\""))
    };
    let llvm = value("LLVM version")?;
    let llvm_major = llvm.split('.').next().unwrap_or(&llvm).to_owned();
    Ok(Version {
        release: value("release")?,
        host: value("host")?,
        llvm_major,
    })
}

fn release_number(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

/// rust-lld of the rustup toolchain, or LLVM's lld, which is the same program.
fn linker(project: &Project, version: &Version) -> Result<PathBuf> {
    let rustup = own_sysroot(project).ok().map(|root| {
        root.join("lib/rustlib")
            .join(&version.host)
            .join("bin/rust-lld")
    });
    let find = || {
        let llvm = PathBuf::from(format!("/usr/lib/llvm-{}/bin/lld", version.llvm_major));
        let named = on_path(&format!("lld-{}", version.llvm_major));
        rustup
            .clone()
            .into_iter()
            .chain([llvm])
            .chain(named)
            .chain(on_path("rust-lld"))
            .find(|file| file.is_file())
    };
    if let Some(linker) = find() {
        return Ok(linker);
    }
    let package = format!("lld-{}", version.llvm_major);
    apt_install(&[package.as_str()])?;
    find().with_context(|| format!("{package} is installed and has no lld"))
}

/// A script that starts `program` with the sysroot it lies in, wherever that is moved.
fn wrapper(file: &Path, program: &str) -> Result<()> {
    let script = format!(
        "#!/bin/sh\nexec {program} --sysroot \"$(cd \"$(dirname \"$0\")/..\" && pwd)\" \"$@\"\n"
    );
    fs::write(file, script)?;
    Ok(fs::set_permissions(
        file,
        fs::Permissions::from_mode(0o755),
    )?)
}

/// Compiles std with an empty crate and keeps its libraries.
fn compile_std(sysroot: &Path) -> Result<()> {
    let empty = sysroot.join("empty");
    fs::create_dir_all(empty.join("src"))?;
    fs::write(
        empty.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    fs::write(
        empty.join("src/lib.rs"),
        "//! Nothing: compiling it compiles std.\n",
    )?;
    let mut cargo = Command::new(CARGO);
    cargo.current_dir(&empty).args([
        "build",
        "--release",
        "--target",
        TARGET,
        "-Zbuild-std=std,panic_abort",
    ]);
    // The compiler is a stable one; build-std is what we came for.
    cargo
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", RUSTC)
        .env("CARGO_TARGET_DIR", empty.join("target"));
    for variable in [
        "RUSTUP_TOOLCHAIN",
        "LD_LIBRARY_PATH",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC_WRAPPER",
    ] {
        cargo.env_remove(variable);
    }
    run(&mut cargo).context("compiling std for wasm32 from Debian's sources")?;

    let library = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&library)?;
    for entry in fs::read_dir(empty.join("target").join(TARGET).join("release/deps"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libempty-") {
            fs::copy(entry.path(), library.join(name))?;
        }
    }
    Ok(fs::remove_dir_all(empty)?)
}

/// Compiles and links a module that uses std, so that a sysroot that does not work is never kept.
fn try_out(sysroot: &Path) -> Result<()> {
    let (source, module) = (sysroot.join("try.rs"), sysroot.join("try.wasm"));
    fs::write(
        &source,
        "#[unsafe(no_mangle)]\npub extern \"C\" fn words(n: u32) -> usize { format!(\"{n}\").len() }\n",
    )?;
    let mut rustc = Command::new(sysroot.join("bin/rustc"));
    rustc
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "cdylib",
            "--target",
            TARGET,
            "-o",
        ])
        .arg(&module)
        .arg(&source);
    run(rustc.env_remove("LD_LIBRARY_PATH"))
        .context("trying out the new wasm32 standard library")?;
    if !fs::read(&module)?.starts_with(b"\0asm") {
        bail!("the linker left no WASM module");
    }
    fs::remove_file(source)?;
    Ok(fs::remove_file(module)?)
}

/// Whether apt may be called: root on a system that has it.
pub(crate) fn can_install() -> bool {
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0");
    root && on_path("apt-get").is_some() && env::consts::OS == "linux"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compilers_version_is_read_from_its_own_words() {
        let text = "rustc 1.96.0 (ac68faa20 2026-05-25)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.96.0\nLLVM version: 22.1.8";
        let version = parse_version(text).expect("complete");
        assert_eq!(
            (version.release.as_str(), version.host.as_str()),
            ("1.96.0", "x86_64-unknown-linux-gnu")
        );
        assert_eq!(version.llvm_major, "22");
        assert!(parse_version("rustc 1.96.0").is_err());
    }

    #[test]
    fn an_older_release_is_too_old_even_where_its_text_sorts_later() {
        assert!(release_number("1.100.0") >= Some(OLDEST));
        assert!(release_number("1.85.0") < Some(OLDEST));
        assert!(release_number("nonsense") < Some(OLDEST));
    }
}
