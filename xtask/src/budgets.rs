//! Sizes of what a reader downloads, as it is and after gzip -9, against the budgets of wasm-pack.toml.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};

use crate::config::{Config, Variant};
use crate::project::Project;

/// Bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Size {
    pub(crate) raw: u64,
    pub(crate) gzip: u64,
}

pub(crate) fn measure(bytes: &[u8]) -> Result<Size> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(Size {
        raw: bytes.len() as u64,
        gzip: encoder.finish()?.len() as u64,
    })
}

/// One line for each budget that is exceeded.
pub(crate) fn problems(variant: &Variant, size: Size) -> Vec<String> {
    [("raw", size.raw, variant.budget_raw_bytes), ("gzip", size.gzip, variant.budget_gzip_bytes)]
        .into_iter()
        .filter(|(_, found, budget)| found > budget)
        .map(|(what, found, budget)| {
            format!(
                "expected at most {} bytes {what}, found {} ({} too many): see what grew; a budget only goes down",
                grouped(budget),
                grouped(found),
                grouped(found - budget)
            )
        })
        .collect()
}

/// Prints every variant with its budgets, then the package's JavaScript. Fails when a variant is not built or too large.
pub(crate) fn print_table(project: &Project, config: &Config) -> Result<()> {
    let dist = project.www().join("dist");
    let mut rows = String::new();
    let mut broken = Vec::new();
    for (name, variant) in &config.variant {
        let folder = dist.join("wasm").join(name);
        let missing = || format!("{name} is not built: run `cargo xtask wasm {name}`");
        let size = measure(&fs::read(folder.join("foliorank_bg.wasm")).with_context(missing)?)?;
        row(
            &mut rows,
            &format!("wasm/{name}/foliorank_bg.wasm"),
            size,
            Some(variant),
        );
        broken.extend(
            problems(variant, size)
                .into_iter()
                .map(|problem| format!("{name}: {problem}")),
        );
        row(
            &mut rows,
            &format!("wasm/{name}/foliorank.js"),
            measure(&fs::read(folder.join("foliorank.js"))?)?,
            None,
        );
    }
    for file in scripts(&dist) {
        row(
            &mut rows,
            &file,
            measure(&fs::read(dist.join(&file))?)?,
            None,
        );
    }
    println!(
        "{:<34} {:>12} {:>12} {:>12} {:>12}",
        "www/dist/", "raw", "budget", "gzip -9", "budget"
    );
    print!("{rows}");
    anyhow::ensure!(broken.is_empty(), "{}", broken.join("\n"));
    Ok(())
}

fn row(table: &mut String, name: &str, size: Size, variant: Option<&Variant>) {
    let budget = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), grouped);
    let (raw, gzip) = (
        variant.map(|v| v.budget_raw_bytes),
        variant.map(|v| v.budget_gzip_bytes),
    );
    let (raw, gzip) = (budget(raw), budget(gzip));
    // Writing to a String cannot fail.
    let _ = writeln!(
        table,
        "{name:<34} {:>12} {raw:>12} {:>12} {gzip:>12}",
        grouped(size.raw),
        grouped(size.gzip)
    );
}

/// The .js files of dist and dist/demo, sorted; none when the page is not built.
fn scripts(dist: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["", "demo/"] {
        for entry in fs::read_dir(dist.join(folder))
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".js") {
                found.push(format!("{folder}{name}"));
            }
        }
    }
    found.sort();
    found
}

/// 1234567 -> 1,234,567.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_budgets_are_reported_when_both_are_exceeded() {
        let text = "features=[]\nrustflags=[]\nprofile='wasm'\nwasm_opt=[]\nforbid=[]\nrequire=[]\nbudget_raw_bytes=1000\nbudget_gzip_bytes=100";
        let variant: Variant = toml::from_str(text).expect("a variant");
        assert!(
            problems(
                &variant,
                Size {
                    raw: 1000,
                    gzip: 100
                }
            )
            .is_empty()
        );
        let broken = problems(
            &variant,
            Size {
                raw: 1_234_567,
                gzip: 101,
            },
        );
        assert_eq!(broken.len(), 2);
        assert!(
            broken[0].starts_with(
                "expected at most 1,000 bytes raw, found 1,234,567 (1,233,567 too many)"
            ),
            "{broken:?}"
        );
        assert!(broken[1].contains("(1 too many)"), "{broken:?}");
    }

    #[test]
    fn a_size_counts_bytes_before_and_after_gzip() {
        let size = measure(&[0; 100_000]).expect("memory is writable");
        assert_eq!(size.raw, 100_000);
        assert!((100..300).contains(&size.gzip), "{size:?}");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            [0, 999, 1000, 12_345_678].map(grouped),
            ["0", "999", "1,000", "12,345,678"]
        );
    }
}
