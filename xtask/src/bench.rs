//! `cargo xtask bench`: builds what is measured, exports the same weights for the peers, and starts bench/run.mjs, which measures.
//! The peers' npm packages and the Python that writes ONNX are the benchmark's own; the product needs neither.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::config::Config;
use crate::plan;
use crate::project::{self, Project};
use crate::python;
use crate::setup;
use crate::toolchain;
use crate::wasm::{self, Mode};

/// What is built here, and what bench/run.mjs is told.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    build: Build,
    /// For bench/options.mjs, which knows them.
    passed: Vec<String>,
}

#[derive(Debug, PartialEq)]
enum Build {
    /// Models, the variants that are measured, and the page.
    Needed,
    /// Measure www/dist as it is.
    Nothing,
}

impl Options {
    pub(crate) fn parse(arguments: &[&str]) -> Self {
        let passed = arguments.iter().filter(|word| **word != "--no-build");
        Self {
            passed: passed.map(ToString::to_string).collect(),
            build: if arguments.contains(&"--no-build") {
                Build::Nothing
            } else {
                Build::Needed
            },
        }
    }

    /// The WASM variants the devices need; all unless one device is named.
    fn variants(&self) -> &'static [&'static str] {
        let mut words = self.passed.iter().map(String::as_str);
        match words.find(|word| *word == "--device").and(words.next()) {
            Some("cpu") => &["cpu", "cpu-relaxed"],
            Some("webgpu") => &["gpu"],
            _ => &["cpu", "cpu-relaxed", "gpu"],
        }
    }
}

pub(crate) fn run(project: &Project, config: &Config, options: &Options) -> Result<()> {
    setup::tools(project)?;
    // A slip in an option is told before the builds, not after.
    project::run(node(project, "bench/options.mjs").args(&options.passed))?;
    setup::npm_packages(project)?;
    setup::npm_packages_of(project, &project.root.join("bench"))?;
    if options.build == Build::Needed {
        toolchain::ensure(project)?;
        plan::models(project, &[])?;
        for name in options.variants() {
            wasm::build(project, config, name, Mode::Release)?;
        }
        plan::page(project)?;
    }
    let models = export(project)?;
    project::run(
        node(project, "bench/run.mjs")
            .args(&options.passed)
            .env("CHROMIUM", setup::chromium()?)
            .env("FOLIORANK_MODELS", project.models())
            .env("FOLIORANK_BENCH_MODELS", models),
    )
}

fn node(project: &Project, script: &str) -> Command {
    let mut node = Command::new("node");
    node.current_dir(&project.root).arg(script);
    node
}

/// Our weights as ONNX, in the cache; the script does nothing when they are there.
fn export(project: &Project) -> Result<PathBuf> {
    let models = project.cache.join("bench/models");
    project::run(
        Command::new(python::environment(
            project,
            "bench/venv",
            "bench/requirements.txt",
        )?)
        .arg(project.root.join("bench/export_onnx.py"))
        .arg(project.models())
        .arg(project.cache.join("downloads"))
        .arg(&models),
    )?;
    Ok(models)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_variants_that_are_measured_are_built() {
        for (line, variants) in [
            ("", &["cpu", "cpu-relaxed", "gpu"][..]),
            ("--quick --device all", &["cpu", "cpu-relaxed", "gpu"]),
            ("--device cpu --rounds 2", &["cpu", "cpu-relaxed"]),
            ("--no-build --device webgpu", &["gpu"]),
        ] {
            let words: Vec<_> = line.split_whitespace().collect();
            assert_eq!(Options::parse(&words).variants(), variants, "{line}");
        }
    }

    #[test]
    fn no_build_stays_here_and_the_rest_is_passed_on() {
        let options = Options::parse(&["--quick", "--no-build", "--rounds", "2"]);
        assert_eq!(options.passed, ["--quick", "--rounds", "2"]);
        assert_eq!(options.build, Build::Nothing);
        assert_eq!(Options::parse(&["--quick"]).build, Build::Needed);
    }
}
