//! What `check` and `test` consist of, cheapest first. The names of the steps are what `needs` refers to.
//!
//! xtask is compiled apart from the other packages: in one command its dependencies' features would join theirs, and all of
//! burn would be compiled again for the commands that leave xtask out.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::config::Config;
use crate::pairs;
use crate::project::{Project, run, run_within};
use crate::python;
use crate::setup;
use crate::steps::{Step, step};
use crate::toolchain;
use crate::wasm::{self, Mode};

/// A shader compiled in software is slow; a test that hangs is slower.
const BROWSER_LIMIT: Duration = Duration::from_secs(30 * 60);
const PACKAGES: [&str; 3] = ["--workspace", "--exclude", "xtask"];

/// `cargo xtask check`.
pub(crate) fn check(project: &Project) -> Vec<Step<'_>> {
    vec![
        step("tools", &[], || setup::tools(project)),
        step("npm packages", &["tools"], || setup::npm_packages(project)),
        step("rustfmt", &["tools"], || {
            run(project.cargo().args(["fmt", "--all", "--check"]))
        }),
        step("pairs kept by hand", &[], || {
            pairs::check_all(&project.root)
        }),
        step("TypeScript", &["npm packages"], || {
            run(project.npm().args(["run", "typecheck"]))
        }),
        step("clippy of xtask", &["tools"], || {
            run(project.cargo().args([
                "clippy",
                "--package",
                "xtask",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]))
        }),
        step("clippy", &["tools"], || {
            run(project.cargo().arg("clippy").args(PACKAGES).args([
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]))
        }),
        step("rustdoc", &["tools"], || {
            run(project
                .cargo()
                .args(["doc", "--no-deps", "--lib"])
                .args(PACKAGES)
                .env("RUSTDOCFLAGS", "-D warnings"))
        }),
    ]
}

/// `cargo xtask test --quick`: no WASM and no browser.
pub(crate) fn quick<'a>(project: &'a Project) -> Vec<Step<'a>> {
    let mut steps = check(project);
    steps.extend([
        step("tests of xtask", &[], || {
            run(project.cargo().args(["test", "--package", "xtask"]))
        }),
        step("models", &["tools"], || models(project, &[])),
        // Not blocked by the models: the tests that want one say so themselves, and most want none.
        step("Vulkan driver", &[], setup::vulkan),
        step("native tests", &["Vulkan driver"], || {
            run(project.cargo().arg("test").args(PACKAGES))
        }),
        step("tests of the package", &["npm packages"], || {
            run(project.npm().arg("test"))
        }),
        step("tests of the benchmark", &["tools"], || {
            let files = test_files(&project.root, Path::new("bench/test"))?;
            run(Command::new("node")
                .current_dir(&project.root)
                .arg("--test")
                .args(files))
        }),
    ]);
    steps
}

/// The two steps of a WASM variant: build, and the checks of what was built.
macro_rules! variant {
    ($project:ident, $config:ident, $name:literal) => {
        [
            step(
                concat!("wasm ", $name),
                &["wasm32 standard library"],
                || wasm::build($project, $config, $name, Mode::Release),
            ),
            step(
                concat!("wasm ", $name, ": sizes and instructions"),
                &[concat!("wasm ", $name)],
                || wasm::check($project, $config, $name),
            ),
        ]
    };
}

/// What tests of the whole package need: every variant, the page, and these.
macro_rules! package_and {
    ($($more:literal),+ $(,)?) => {
        &["wasm cpu", "wasm cpu-relaxed", "wasm gpu", "wasm logic", "wasm images", "page", $($more),+]
    };
}

/// `cargo xtask test`.
pub(crate) fn test<'a>(project: &'a Project, config: &'a Config) -> Vec<Step<'a>> {
    let mut steps = quick(project);
    steps.extend([step("wasm32 standard library", &["tools"], || {
        toolchain::ensure(project).map(drop)
    })]);
    steps.extend(variant!(project, config, "cpu"));
    steps.extend(variant!(project, config, "cpu-relaxed"));
    steps.extend(variant!(project, config, "gpu"));
    steps.extend(variant!(project, config, "logic"));
    steps.extend(variant!(project, config, "images"));
    steps.extend([
        step("clippy for wasm32", &["wasm32 standard library"], || {
            wasm::clippy(project, config)
        }),
        step("page", &["npm packages"], || page(project)),
        step("Chromium", &[], || {
            setup::chromium().map(|file| println!("{}", file.display()))
        }),
        step("browser tests", package_and!["models", "Chromium"], || {
            browser_tests(project)
        }),
        step("app packages", &["tools"], || app_packages(project)),
        step(
            "apps of bundlers",
            package_and!["app packages", "Chromium"],
            || app_tests(project),
        ),
        step("edge packages", &["tools"], || {
            setup::npm_packages_of(project, &project.root.join("tests/edge"))
        }),
        step("Python clients", &["tools"], || {
            python_clients(project).map(drop)
        }),
        step(
            "edge tests",
            package_and![
                "edge packages",
                "Python clients",
                // Builds the native server, and fetches the model it serves.
                "models",
                "Vulkan driver",
            ],
            || edge_tests(project),
        ),
    ]);
    steps
}

/// Has the native `foliorank` fetch the models that are not in the cache. It is built as the tests build it: by itself it
/// would have other features, and burn would be compiled again.
pub(crate) fn models(project: &Project, arguments: &[String]) -> Result<()> {
    run(project.cargo().arg("build").args(PACKAGES))?;
    let foliorank = project
        .target
        .join("debug")
        .join(format!("foliorank{}", env::consts::EXE_SUFFIX));
    run(Command::new(foliorank)
        .current_dir(&project.root)
        .arg("models")
        .args(arguments))
}

/// The package and the demo page in www/dist.
pub(crate) fn page(project: &Project) -> Result<()> {
    run(project.npm().args(["run", "build"]))
}

fn browser_tests(project: &Project) -> Result<()> {
    let files = test_files(&project.root, Path::new("tests/browser"))?;
    ensure!(!files.is_empty(), "tests/browser has no *.test.mjs");
    let artefacts = env::var_os("FOLIORANK_ARTEFACTS")
        .map_or_else(|| project.target.join("artefacts"), PathBuf::from);
    fs::create_dir_all(&artefacts)?;
    println!(
        "What the tests leave to be looked at is in {}",
        artefacts.display()
    );
    let mut node = Command::new("node");
    node.current_dir(&project.root)
        .args(["--test", "--test-concurrency=1"])
        .args(files);
    node.env("CHROMIUM", setup::chromium()?)
        .env("FOLIORANK_MODELS", project.models())
        .env("FOLIORANK_ARTEFACTS", artefacts);
    run_within(&mut node, BROWSER_LIMIT)
}

/// Vite and Next.js.
fn app_packages(project: &Project) -> Result<()> {
    for app in ["vite", "next"] {
        setup::npm_packages_of(project, &project.root.join("tests/apps").join(app))?;
    }
    Ok(())
}

/// The package, from its tarball, in the apps that its users have.
fn app_tests(project: &Project) -> Result<()> {
    let mut node = Command::new("node");
    node.current_dir(&project.root)
        .env("CHROMIUM", setup::chromium()?)
        .args(["--test", "--test-concurrency=1"])
        .args(test_files(&project.root, Path::new("tests/apps"))?);
    run_within(&mut node, BROWSER_LIMIT)
}

/// The clients of PyPI that the server must satisfy.
fn python_clients(project: &Project) -> Result<PathBuf> {
    python::environment(project, "clients/venv", "tests/edge/requirements.txt")
}

/// The templates of www/edge on the runtimes that they are for, and the native server.
fn edge_tests(project: &Project) -> Result<()> {
    let mut node = Command::new("node");
    node.current_dir(&project.root)
        .env("CARGO_TARGET_DIR", &project.target)
        .env("FOLIORANK_CLIENTS", python_clients(project)?)
        .env("FOLIORANK_MODELS", project.models())
        .args(["--test", "--test-concurrency=1"])
        .args(test_files(&project.root, Path::new("tests/edge"))?);
    run_within(&mut node, BROWSER_LIMIT)
}

/// Every *.test.mjs under a folder, relative to the root and sorted. Named one by one: what `node --test <folder>` takes
/// differs between versions of node.
fn test_files(root: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() == "node_modules" {
                continue;
            }
            files.extend(test_files(root, &path)?);
        } else if path.to_string_lossy().ends_with(".test.mjs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::mistakes;

    #[test]
    fn every_step_comes_after_the_steps_it_needs() -> Result<()> {
        let project = Project::find()?;
        let config = Config::read(&project.root)?;
        assert_eq!(mistakes(&test(&project, &config)), Vec::<String>::new());
        assert_eq!(mistakes(&quick(&project)), Vec::<String>::new());
        Ok(())
    }
}
