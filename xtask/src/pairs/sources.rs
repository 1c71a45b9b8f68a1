//! Rules for the source files: which module may import what, a header in every file, and how long a file may be.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

const LINES: usize = 500;
const ENDINGS: [&str; 4] = [".rs", ".ts", ".mjs", ".css"];
/// Modules of `src/` without tensors: the first that would become crates of their own.
const PURE: [&str; 7] = [
    "image",
    "strategy",
    "page",
    "tokenizer",
    "metrics",
    "negatives",
    "retrieval",
];
/// Of these, the ones that get images and grids from their caller.
const BLIND: [&str; 2] = ["negatives", "strategy"];
const JAVASCRIPT: [&str; 3] = ["wasm_bindgen", "js_sys", "web_sys"];

/// `wasm -> reranker -> {strategy, page, batch, tokenizer, nn, weights, device}`: the two ends of it, which are easy to break.
pub(super) fn imports(root: &Path) -> Result<()> {
    let mut broken = Vec::new();
    for file in under(root, "src")?
        .iter()
        .filter(|file| file.ends_with(".rs"))
    {
        let source = fs::read_to_string(root.join(file)).with_context(|| file.clone())?;
        let module = file.trim_start_matches("src/").trim_end_matches(".rs");
        broken.extend(
            forbidden(module, &source)
                .into_iter()
                .map(|name| format!("{file} names {name}")),
        );
    }
    ensure!(broken.is_empty(), "{}", broken.join("; "));
    Ok(())
}

/// What a module names and may not.
fn forbidden(module: &str, source: &str) -> Vec<String> {
    let within = |parent: &str| {
        module == parent
            || module
                .strip_prefix(parent)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    let code: Vec<_> = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line))
        .collect();
    let mut paths = paths(&code.join("\n"));
    paths.retain(|path| {
        let first = path.first().map_or("", String::as_str);
        let network =
            (first == "crate" || first == "super") && path.iter().any(|part| part == "nn");
        let tensors = first == "burn" || first.starts_with("burn_");
        let images = (first == "crate" || first == "super")
            && (path.iter())
                .find(|part| *part != "super" && *part != "crate")
                .is_some_and(|part| part == "image");
        let javascript = JAVASCRIPT.contains(&first) || first == "wasm_bindgen_futures";
        (PURE.iter().any(|pure| within(pure)) && (network || tensors))
            || (BLIND.iter().any(|blind| within(blind)) && images)
            || (!within("wasm") && javascript)
    });
    let mut names: Vec<_> = paths.iter().map(|path| path.join("::")).collect();
    names.sort();
    names.dedup();
    names
}

/// Every path in the code with its groups written out: `use a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    // The path before each open group, and the path being read.
    let mut groups: Vec<Vec<String>> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut rest = code.chars().peekable();
    while let Some(character) = rest.next() {
        if character.is_alphanumeric() || character == '_' {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            path.push(std::mem::take(&mut word));
        }
        if character == ':' && rest.next_if_eq(&':').is_some() {
            if rest.next_if_eq(&'{').is_some() {
                groups.push(
                    groups
                        .last()
                        .into_iter()
                        .flatten()
                        .chain(&path)
                        .cloned()
                        .collect(),
                );
                path.clear();
            }
            continue;
        }
        if !path.is_empty() {
            found.push(
                groups
                    .last()
                    .into_iter()
                    .flatten()
                    .chain(&path)
                    .cloned()
                    .collect(),
            );
            path.clear();
        }
        if character == '}' {
            groups.pop();
        }
    }
    found
}

/// Every source file says at its top what it is, and ends before it is too long to read.
pub(super) fn files(root: &Path) -> Result<()> {
    let mut broken = Vec::new();
    for folder in [
        "src", "cli", "xtask", "tests", "www", "bench", "benches", "examples",
    ] {
        for file in under(root, folder)?
            .iter()
            .filter(|file| ENDINGS.iter().any(|ending| file.ends_with(ending)))
        {
            let text = fs::read_to_string(root.join(file)).with_context(|| file.clone())?;
            let lines = text.lines().count();
            if lines > LINES {
                broken.push(format!(
                    "{file} has {lines} lines, expected at most {LINES}"
                ));
            }
            let headers: &[&str] = if file.ends_with(".rs") {
                &["//!"]
            } else {
                &["//", "/*", "#!"]
            };
            if !headers.iter().any(|header| text.starts_with(header)) {
                broken.push(format!(
                    "{file} does not begin with a comment that says what it does"
                ));
            }
        }
    }
    ensure!(broken.is_empty(), "{}", broken.join("; "));
    Ok(())
}

/// The files under a folder, relative to the root, without what is built, fetched or generated; none when it is not there.
pub(super) fn under(root: &Path, folder: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    if !root.join(folder).is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        if !entry.file_type()?.is_dir() {
            found.push(path);
        } else if !["node_modules", "dist", "golden", "target"].contains(&name.as_str())
            && !name.starts_with('.')
        {
            found.extend(under(root, &path)?);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_written_out() {
        let written: Vec<_> = paths("use crate::{nn::{self, Network}, page::Page};\nuse std::fmt;")
            .iter()
            .map(|path| path.join("::"))
            .collect();
        for expected in [
            "crate::nn::self",
            "crate::nn::Network",
            "crate::page::Page",
            "std::fmt",
        ] {
            assert!(
                written.iter().any(|path| path == expected),
                "{expected} in {written:?}"
            );
        }
    }

    #[test]
    fn tensors_are_forbidden_where_only_control_flow_belongs() {
        for (module, source) in [
            ("strategy", "use burn::tensor::Tensor;"),
            ("strategy/pairwise", "fn f(x: crate::nn::Network) {}"),
            (
                "page",
                "use crate::{\n    error::Error,\n    nn::Network,\n};",
            ),
            ("tokenizer/words", "use super::super::nn;"),
            ("retrieval/bm25", "let x = burn_store::load();"),
            ("retrieval/dense", "use crate::nn::Network;"),
            ("retrieval", "use burn::tensor::Tensor;"),
            ("image/scale", "use burn::tensor::Tensor;"),
            ("strategy/square", "use crate::image::grid;"),
            ("negatives/run", "let file = super::super::image::prepare;"),
        ] {
            assert_eq!(forbidden(module, source).len(), 1, "{module}: {source}");
        }
        for (module, source) in [
            ("nn", "use burn::tensor::Tensor;"),
            ("reranker/score", "use crate::nn::Network;"),
            ("pages", "use burn::tensor::Tensor;"),
            (
                "page",
                "// burn::tensor is not used here\nuse crate::tokenizer::Tokenizer;",
            ),
            ("strategy", "self.nn(1)"),
            ("negatives/run", "use crate::llm::image;"),
            ("wasm/image", "use crate::image::prepare;"),
        ] {
            assert_eq!(
                forbidden(module, source),
                Vec::<String>::new(),
                "{module}: {source}"
            );
        }
    }

    #[test]
    fn only_the_boundary_knows_javascript() {
        let source = "use wasm_bindgen::prelude::*;\nuse js_sys::Promise;";
        assert_eq!(forbidden("reranker", source).len(), 2);
        assert!(
            forbidden("wasm", source).is_empty() && forbidden("wasm/errors", source).is_empty()
        );
    }
}
