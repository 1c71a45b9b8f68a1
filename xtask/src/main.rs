//! `cargo xtask <command>`: set-up, builds, checks and tests, for people and for CI alike. The rest of the project is the
//! product; this is how it is made. It runs on Linux and macOS.

// In a test, a message beside the panic is what one wants.
#![cfg_attr(test, allow(clippy::expect_used))]

mod bench;
mod budgets;
mod config;
mod crates;
mod debian;
mod demo;
mod opcodes;
mod pairs;
mod plan;
mod project;
mod python;
mod setup;
mod stamps;
mod steps;
mod toolchain;
mod wasm;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use config::Config;
use project::Project;
use wasm::Mode;

/// Every command, its options, and what it does.
const COMMANDS: [(&str, &str, &str); 8] = [
    (
        "setup",
        "",
        "install or name everything the other commands need",
    ),
    (
        "check",
        "",
        "formatting, types, lints, documentation, pairs kept by hand",
    ),
    (
        "test",
        "[--quick]",
        "check, and the tests; --quick leaves out WASM and the browser",
    ),
    (
        "wasm",
        "[variant] [--dev]",
        "build the WASM variants of wasm-pack.toml and check their sizes and instructions",
    ),
    (
        "size",
        "[--crates]",
        "the sizes of what is built, against the budgets; --crates builds, and says whose code it is",
    ),
    (
        "models",
        "[arguments]",
        "fetch the models into the cache, through `foliorank models`",
    ),
    (
        "demo",
        "[--port N] [--no-serve]",
        "build everything and serve the page on this machine",
    ),
    (
        "bench",
        "[--no-build] [options]",
        "measure against onnxruntime-web and transformers.js in Chromium; options: bench/README.md",
    ),
];

const DEFAULT_PORT: u16 = 8417;

#[derive(Debug, PartialEq)]
enum Request {
    Help,
    Setup,
    Check,
    Test(Extent),
    Wasm { variant: Option<String>, dev: bool },
    Size { crates: bool },
    Models(Vec<String>),
    Demo { port: u16, serve: bool },
    Bench(bench::Options),
}

/// How much `test` runs.
#[derive(Debug, PartialEq)]
enum Extent {
    Quick,
    Usual,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments).and_then(perform) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// False when a step failed, which the report of the steps has told.
fn perform(request: Request) -> Result<bool> {
    let project = Project::find()?;
    let config = || Config::read(&project.root);
    match request {
        Request::Help => println!("{}", help()),
        Request::Setup => setup::everything(&project)?,
        Request::Check => return Ok(steps::run_all(&plan::check(&project))),
        Request::Test(extent) => {
            let config = config()?;
            let steps = match extent {
                Extent::Quick => plan::quick(&project),
                Extent::Usual => plan::test(&project, &config),
            };
            return Ok(steps::run_all(&steps));
        }
        Request::Wasm { variant, dev } => {
            let config = config()?;
            let names = variant.map_or_else(
                || config.variant.keys().cloned().collect(),
                |name| vec![name],
            );
            build_variants(
                &project,
                &config,
                &names,
                if dev { Mode::Dev } else { Mode::Release },
            )?;
        }
        Request::Size { crates: false } => budgets::print_table(&project, &config()?)?,
        Request::Size { crates: true } => {
            let config = config()?;
            for name in config.variant.keys() {
                let module = wasm::with_names(&project, &config, name)?;
                println!("{}", crates::table(name, &crates::sizes(&module)?));
            }
        }
        Request::Models(arguments) => plan::models(&project, &arguments)?,
        Request::Demo { port, serve } => {
            demo::run(&project, &config()?, &demo::Options { port, serve })?
        }
        Request::Bench(options) => bench::run(&project, &config()?, &options)?,
    }
    Ok(true)
}

/// Builds all, then checks all, so that every broken rule is reported.
fn build_variants(project: &Project, config: &Config, names: &[String], mode: Mode) -> Result<()> {
    for name in names {
        wasm::build(project, config, name, mode)?;
    }
    if mode == Mode::Dev {
        return Ok(());
    }
    let errors: Vec<_> = names
        .iter()
        .filter_map(|name| wasm::check(project, config, name).err())
        .collect();
    if !errors.is_empty() {
        bail!(
            "{}",
            errors
                .iter()
                .map(|error| format!("{error:#}"))
                .collect::<Vec<_>>()
                .join("\n")
        );
    }
    Ok(())
}

fn parse(arguments: &[String]) -> Result<Request> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (command, rest) = arguments
        .split_first()
        .map_or(("help", &[][..]), |(command, rest)| (*command, rest));
    Ok(match (command, rest) {
        ("help" | "--help" | "-h", _) => Request::Help,
        ("setup", []) => Request::Setup,
        ("check", []) => Request::Check,
        ("test", []) => Request::Test(Extent::Usual),
        ("test", ["--quick"]) => Request::Test(Extent::Quick),
        ("size", []) => Request::Size { crates: false },
        ("size", ["--crates"]) => Request::Size { crates: true },
        ("models", rest) => Request::Models(rest.iter().map(ToString::to_string).collect()),
        ("wasm", rest) => parse_wasm(rest)?,
        ("demo", rest) => parse_demo(rest)?,
        ("bench", rest) => Request::Bench(bench::Options::parse(rest)),
        _ => bail!(
            "`cargo xtask {}` is not a command.\n{}",
            arguments.join(" "),
            help()
        ),
    })
}

fn parse_wasm(arguments: &[&str]) -> Result<Request> {
    let (mut variant, mut dev) = (None, false);
    for argument in arguments {
        match *argument {
            "--dev" => dev = true,
            name if !name.starts_with('-') && variant.is_none() => variant = Some(name.to_owned()),
            other => bail!("`cargo xtask wasm` does not know \"{other}\"\n{}", help()),
        }
    }
    Ok(Request::Wasm { variant, dev })
}

fn parse_demo(arguments: &[&str]) -> Result<Request> {
    let (mut port, mut serve) = (DEFAULT_PORT, true);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match *argument {
            "--no-serve" => serve = false,
            "--port" => {
                let value = arguments.next().context("--port expects a number")?;
                port = value
                    .parse()
                    .with_context(|| format!("--port expects 1 to 65535, found \"{value}\""))?;
            }
            other => bail!("`cargo xtask demo` does not know \"{other}\"\n{}", help()),
        }
    }
    Ok(Request::Demo { port, serve })
}

fn help() -> String {
    let lines = COMMANDS.iter().map(|(name, options, what)| {
        format!("  cargo xtask {:<30} {what}", format!("{name} {options}"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request> {
        parse(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn every_command_in_the_help_is_understood() {
        for (name, _, _) in COMMANDS {
            assert!(parsed(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn options_are_understood() -> Result<()> {
        assert_eq!(parsed("test --quick")?, Request::Test(Extent::Quick));
        assert_eq!(
            parsed("wasm gpu --dev")?,
            Request::Wasm {
                variant: Some("gpu".into()),
                dev: true
            }
        );
        assert_eq!(
            parsed("wasm")?,
            Request::Wasm {
                variant: None,
                dev: false
            }
        );
        assert_eq!(
            parsed("demo --port 9000 --no-serve")?,
            Request::Demo {
                port: 9000,
                serve: false
            }
        );
        assert_eq!(
            parsed("models --force a")?,
            Request::Models(vec!["--force".into(), "a".into()])
        );
        assert_eq!(
            parsed("bench --quick --no-build")?,
            Request::Bench(bench::Options::parse(&["--no-build", "--quick"]))
        );
        Ok(())
    }

    #[test]
    fn what_is_not_understood_is_an_error_that_lists_the_commands() {
        for line in [
            "tests",
            "test --fast",
            "wasm cpu gpu",
            "demo --port",
            "demo --port 99999",
            "check now",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        let error = parsed("tests").expect_err("not a command").to_string();
        assert!(error.contains("cargo xtask test [--quick]"), "{error}");
    }
}
