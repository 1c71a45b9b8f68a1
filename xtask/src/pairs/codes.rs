//! The codes of errors, written three times: in Rust, in TypeScript (which has a few of its own), and in the README.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Codes of what only JavaScript does: fetching, and storing in the browser.
const JAVASCRIPT_ONLY: [&str; 2] = ["download", "storage"];

pub(super) fn agree(root: &Path) -> Result<()> {
    let rust = super::read(root, "src/error.rs")?;
    let typescript = super::read(root, "www/src/errors.ts")?;
    let readme = super::read(root, "README.md")?;
    compare(
        in_rust(&rust)?,
        between(&typescript, "ERROR_CODES = [", "]", '"')?,
        between(&readme, "- **Errors** have a", "\n\n", '`')?,
    )
}

fn compare(
    mut rust: BTreeSet<&str>,
    typescript: BTreeSet<&str>,
    mut readme: BTreeSet<&str>,
) -> Result<()> {
    ensure!(!rust.is_empty(), "src/error.rs has no codes");
    rust.extend(JAVASCRIPT_ONLY);
    readme.remove("code");
    for (name, found) in [("www/src/errors.ts", typescript), ("README.md", readme)] {
        let wrong: Vec<_> = rust.symmetric_difference(&found).collect();
        ensure!(
            wrong.is_empty(),
            "{name} and src/error.rs differ in {wrong:?}"
        );
    }
    Ok(())
}

/// The strings of `Error::code`.
fn in_rust(source: &str) -> Result<BTreeSet<&str>> {
    let (_, rest) = source
        .split_once("fn code(")
        .context("src/error.rs has no fn code")?;
    let body = rest.split("\n    }\n").next().unwrap_or(rest);
    Ok(quoted(body, '"'))
}

fn between<'a>(text: &'a str, from: &str, to: &str, quote: char) -> Result<BTreeSet<&'a str>> {
    let (_, rest) = text
        .split_once(from)
        .with_context(|| format!("no \"{from}\" to read the codes after"))?;
    Ok(quoted(rest.split(to).next().unwrap_or(rest), quote))
}

/// The words between quotes.
fn quoted(text: &str, quote: char) -> BTreeSet<&str> {
    let word =
        |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    text.split(quote).skip(1).step_by(2).filter(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_is_missing_anywhere_is_named() {
        let all = BTreeSet::from(["aborted", "download", "storage"]);
        let rust = BTreeSet::from(["aborted"]);
        assert!(compare(rust.clone(), all.clone(), all.clone()).is_ok());
        let fewer = BTreeSet::from(["aborted", "download"]);
        for (typescript, readme) in [(&all, &fewer), (&fewer, &all)] {
            let error = compare(rust.clone(), typescript.clone(), readme.clone());
            let error = error.expect_err("storage is missing").to_string();
            assert!(error.contains("storage"), "{error}");
        }
        let more = BTreeSet::from(["aborted", "budget"]);
        assert!(compare(more, all.clone(), all).is_err());
    }

    #[test]
    fn codes_are_read_from_where_they_stand() -> Result<()> {
        let rust = "const fn code(&self) -> &'static str {\n match self { A => \"one_two\", B => \"b\" }\n    }\n fn other() { \"c\" }";
        assert_eq!(in_rust(rust)?, BTreeSet::from(["one_two", "b"]));
        let list = "export const ERROR_CODES = [\n  \"x\", \"y\",\n] as const; \"z\"";
        assert_eq!(
            between(list, "ERROR_CODES = [", "]", '"')?,
            BTreeSet::from(["x", "y"])
        );
        assert!(between(list, "no such", "]", '"').is_err());
        Ok(())
    }
}
