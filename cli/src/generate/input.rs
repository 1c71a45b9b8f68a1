//! Pages from files: text and Markdown as they are, HTML as text, PDF through `pdftotext`.
//!
//! A PDF gives a page a page; every other file is one. Images are not read. PDF readers in Rust
//! either lack text in layout order or change what burn is built with, so poppler's tool does it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use foliorank::negatives::Page;
use html2text::render::TrivialDecorator;

/// Columns of HTML as text: nothing is wrapped.
const COLUMNS: usize = 100_000;

/// The pages of a file, or of all files below a folder, in the order of their names.
pub(super) fn pages(input: &Path, pdf_to_text: &str) -> Result<Vec<Page>> {
    let mut files = Vec::new();
    if input.is_dir() {
        collect(input, &mut files)?;
        files.sort();
    } else {
        files.push(input.to_owned());
    }
    let mut pages = Vec::new();
    for file in &files {
        let name = file
            .strip_prefix(input)
            .ok()
            .filter(|rest| rest.parent().is_some());
        let name = name.unwrap_or(Path::new(file.file_name().unwrap_or_default()));
        let id = name.to_string_lossy().replace('\\', "/");
        pages.extend(of_file(file, &id, pdf_to_text)?);
    }
    pages.retain(|page| !page.text.trim().is_empty());
    ensure!(
        !pages.is_empty(),
        "{}: no text, Markdown, HTML or PDF with text in it",
        input.display()
    );
    Ok(pages)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if kind(&path).is_some() {
            files.push(path);
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Html,
    Pdf,
}

fn kind(path: &Path) -> Option<Kind> {
    let ending = path.extension()?.to_str()?.to_lowercase();
    Some(match ending.as_str() {
        "txt" | "text" | "md" | "markdown" | "rst" => Kind::Text,
        "html" | "htm" | "xhtml" => Kind::Html,
        "pdf" => Kind::Pdf,
        _ => return None,
    })
}

fn of_file(file: &Path, id: &str, pdf_to_text: &str) -> Result<Vec<Page>> {
    let page = |id: String, text: String| Page { id, text };
    let reading = || format!("reading {}", file.display());
    // A file named on the command line is text when its name does not say otherwise.
    match kind(file).unwrap_or(Kind::Text) {
        Kind::Text => {
            let bytes = fs::read(file).with_context(reading)?;
            let Ok(text) = String::from_utf8(bytes) else {
                bail!("{}: not UTF-8 text", file.display());
            };
            Ok(vec![page(id.to_owned(), text)])
        }
        Kind::Html => {
            let bytes = fs::read(file).with_context(reading)?;
            let text = html(&bytes).with_context(reading)?;
            Ok(vec![page(id.to_owned(), text)])
        }
        Kind::Pdf => {
            let text = pdf(file, pdf_to_text)?;
            let pages = text.trim_end_matches('\u{c}').split('\u{c}').enumerate();
            Ok(pages
                .map(|(i, text)| page(format!("{id}#page={}", i + 1), text.to_owned()))
                .collect())
        }
    }
}

/// HTML as text alone: no marks for links, emphasis or headings.
fn html(bytes: &[u8]) -> Result<String> {
    let plain = html2text::config::with_decorator(TrivialDecorator::new());
    Ok(plain.string_from_read(bytes, COLUMNS)?)
}

fn pdf(file: &Path, program: &str) -> Result<String> {
    let mut command = Command::new(program);
    // "-" would be read as an option by no version: the path comes with its folder.
    let path = fs::canonicalize(file).with_context(|| format!("reading {}", file.display()))?;
    command.args(["-enc", "UTF-8", "-q"]).arg(path).arg("-");
    let output = command.output().with_context(|| {
        format!(
            "running {program} for {}; install poppler's pdftotext or name it with --pdf-to-text",
            file.display()
        )
    })?;
    ensure!(
        output.status.success(),
        "{program} cannot read {}: {}",
        file.display(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_pages_in_order_and_leaves_other_files_alone() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "b/two.html",
            "<h1>Two</h1><p>A <a href='x'>link</a> &amp; 5 <b>mills</b>.</p><script>x()</script>",
        );
        write("a.md", "One.");
        write("empty.txt", " \n");
        write("code.rs", "fn main() {}");
        let pages = pages(folder.path(), "none").unwrap();
        let found: Vec<(&str, &str)> = (pages.iter())
            .map(|p| (p.id.as_str(), p.text.trim()))
            .collect();
        assert_eq!(found[0], ("a.md", "One."));
        assert_eq!(found[1].0, "b/two.html");
        assert!(
            found[1].1.contains("A link & 5 mills.") && !found[1].1.contains("x()"),
            "{}",
            found[1].1
        );
        assert_eq!(found.len(), 2);
        let one = super::pages(&folder.path().join("code.rs"), "none").unwrap();
        assert_eq!((one.len(), one[0].id.as_str()), (1, "code.rs"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(pages(folder.path(), "none").is_err());
        let path = folder.path().join("bad.txt");
        fs::write(&path, [0xff, 0xfe, 0x41]).unwrap();
        let error = pages(&path, "none").unwrap_err().to_string();
        assert!(
            error.contains("bad.txt") && error.contains("UTF-8"),
            "{error}"
        );
        let pdf = folder.path().join("a.pdf");
        fs::write(&pdf, "%PDF-1.4").unwrap();
        let error = format!("{:#}", pages(&pdf, "no-such-program").unwrap_err());
        assert!(error.contains("pdftotext"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_pdf_gives_a_page_a_page() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("reader");
        fs::write(&program, "#!/bin/sh\nprintf 'First.\\f\\fThird.\\f'\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let pdf = folder.path().join("a.pdf");
        fs::write(&pdf, "%PDF-1.4").unwrap();
        let pages = pages(&pdf, program.to_str().unwrap()).unwrap();
        let found: Vec<(&str, &str)> = (pages.iter())
            .map(|p| (p.id.as_str(), p.text.as_str()))
            .collect();
        assert_eq!(
            found,
            [("a.pdf#page=1", "First."), ("a.pdf#page=3", "Third.")]
        );
    }
}
