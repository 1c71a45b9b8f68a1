//! What the machine must have besides cargo: node, npm, python3 with pip, rustfmt and clippy, Chromium, the npm packages.
//! Missing pieces are installed where that is possible (apt as root, rustup components, npm), else named with their command.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::debian::can_install;
use crate::project::{Project, on_path, output, run};
use crate::toolchain;

const OLDEST_NODE: u32 = 20;
/// Names of Chromium and Chrome on the PATH, then places where it lies outside of it.
const CHROMIUM_NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
const CHROMIUM_FILES: [&str; 2] = [
    "/usr/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// A name, how to look for it, and the Debian packages that have it.
type Tool = (&'static str, fn() -> Result<()>, &'static [&'static str]);

/// Everything the tests need.
pub(crate) fn everything(project: &Project) -> Result<()> {
    tools(project)?;
    toolchain::ensure(project)?;
    npm_packages(project)?;
    vulkan()?;
    println!("Chromium: {}", chromium()?.display());
    Ok(())
}

/// node, npm, python3, pip, rustfmt and clippy. All that is missing is reported at once.
pub(crate) fn tools(project: &Project) -> Result<()> {
    let mut missing = Vec::new();
    let needed: [Tool; 3] = [
        ("node", node, &["nodejs"]),
        ("npm", npm, &["npm"]),
        ("python3 with pip", pip, &["python3", "python3-pip"]),
    ];
    for (name, look, packages) in needed {
        let found = look().or_else(|first| {
            apt_install(packages)
                .map_err(|second| second.context(format!("{first:#}")))
                .and_then(|()| look())
        });
        if let Err(error) = found {
            missing.push(format!("{name}: {error:#}"));
        }
    }
    for (command, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if output(project.cargo().args([command, "--version"])).is_err() {
            let add = run(Command::new("rustup").current_dir(&project.root).args([
                "component",
                "add",
                component,
            ]));
            missing.extend(add.err().map(|error| format!("{component}: {error:#}")));
        }
    }
    if !missing.is_empty() {
        bail!("the machine lacks:\n  {}", missing.join("\n  "));
    }
    Ok(())
}

fn node() -> Result<()> {
    let version = output(Command::new("node").arg("--version"))?;
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    if major < Some(OLDEST_NODE) {
        bail!(
            "node is {version}, expected {OLDEST_NODE} or newer: install a newer one with your system's package manager or nvm"
        );
    }
    Ok(())
}

fn npm() -> Result<()> {
    output(Command::new("npm").arg("--version")).map(drop)
}

fn pip() -> Result<()> {
    output(Command::new("python3").args(["-m", "pip", "--version"])).map(drop)
}

/// The npm packages of www.
pub(crate) fn npm_packages(project: &Project) -> Result<()> {
    npm_packages_of(project, &project.www())
}

/// `npm ci` in a folder, unless the lock file is the one that was installed: then no network is needed.
pub(crate) fn npm_packages_of(project: &Project, folder: &Path) -> Result<()> {
    let modules = folder.join("node_modules");
    let lock_file = folder.join("package-lock.json");
    let lock =
        fs::read(&lock_file).with_context(|| format!("{} is missing", lock_file.display()))?;
    let mut hasher = DefaultHasher::new();
    lock.hash(&mut hasher);
    let stamp = format!("{:016x}\n", hasher.finish());
    let stamp_file = modules.join(".xtask-stamp");
    if fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        return Ok(());
    }
    let npm = |arguments: &[&str]| {
        let mut command = project.npm();
        command.current_dir(folder).args(arguments);
        run(command.args(["--no-audit", "--no-fund"]))
    };
    // A registry without the packages of other platforms makes `npm ci` refuse the lock file that came from it.
    npm(&["ci"])
        .or_else(|_| npm(&["install", "--no-save"]))
        .with_context(|| {
            format!(
                "npm could not install the packages of {}",
                lock_file.display()
            )
        })?;
    fs::create_dir_all(modules)?;
    Ok(fs::write(stamp_file, stamp)?)
}

/// An adapter for the native WebGPU tests. On Linux that is a Vulkan driver: the GPU's, else Mesa's software one.
pub(crate) fn vulkan() -> Result<()> {
    if env::consts::OS != "linux" || env::var_os("VK_DRIVER_FILES").is_some() {
        return Ok(());
    }
    let drivers = || {
        let folders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
        let files = folders
            .into_iter()
            .filter_map(|folder| fs::read_dir(folder).ok());
        files.flatten().count() > 0
    };
    if !drivers() {
        apt_install(&["libvulkan1", "mesa-vulkan-drivers"])
            .context("no Vulkan driver for the native WebGPU tests")?;
    }
    Ok(())
}

/// Chromium for the browser tests: the one `CHROMIUM` names, else one that is installed, else apt's.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM").map(PathBuf::from) {
        if named.is_file() {
            return Ok(named);
        }
        bail!("CHROMIUM names {}, which is no file", named.display());
    }
    if let Some(found) = installed_chromium() {
        return Ok(found);
    }
    apt_install(&["chromium"]).context("Chromium is needed for the browser tests; one elsewhere is named with CHROMIUM=/path/to/it")?;
    installed_chromium().context("the package chromium is installed and has no /usr/bin/chromium")
}

fn installed_chromium() -> Option<PathBuf> {
    let named = CHROMIUM_NAMES.iter().find_map(|name| on_path(name));
    named.or_else(|| {
        CHROMIUM_FILES
            .iter()
            .map(PathBuf::from)
            .find(|file| file.is_file())
    })
}

/// Installs Debian packages when we are root on Debian, without removing others; else the error is the command to give.
pub(crate) fn apt_install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = format!("apt-get update && apt-get install --no-install-recommends {list}");
    if !can_install() {
        bail!("install it, on Debian as root with: {by_hand}");
    }
    run(Command::new("apt-get")
        .arg("update")
        .env("DEBIAN_FRONTEND", "noninteractive"))
    .and_then(|()| {
        let mut install = Command::new("apt-get");
        install
            .args(["install", "--yes", "--no-remove", "--no-install-recommends"])
            .args(packages);
        run(install.env("DEBIAN_FRONTEND", "noninteractive"))
    })
    .with_context(|| format!("apt could not install {list}; see above, then: {by_hand}"))
}
