//! Pages from files: text and Markdown as they are, HTML as text, PDF through `pdftotext`, images
//! as a language model sees them.
//!
//! A PDF gives a page a page; every other file is one, but an image and a text of the same name
//! are one page. What a PDF page looks like is not read. PDF readers in Rust
//! either lack text in layout order or change what burn is built with, so poppler's tool does it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use foliorank::image::{ImageOptions, prepare};
use foliorank::llm::LlmImage;
use foliorank::negatives::Page;
use html2text::render::TrivialDecorator;

use crate::models::sha256;

/// Columns of HTML as text: nothing is wrapped.
const COLUMNS: usize = 100_000;

/// How files are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    /// The program for PDF.
    pub(super) pdf_to_text: &'a str,
    pub(super) image: ImageOptions,
}

/// A page as it goes into the pipeline.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) page: Page,
    pub(super) image: Option<LlmImage>,
}

impl Input {
    /// What tells its image from others.
    pub(super) fn seen(&self) -> Option<String> {
        self.image.as_ref().map(|image| sha256(&image.data))
    }
}

/// The pages of a file, or of all files below a folder, in the order of their names.
pub(super) fn pages(input: &Path, reading: &Reading<'_>) -> Result<Vec<Input>> {
    let mut files = Vec::new();
    if input.is_dir() {
        collect(input, &mut files)?;
        files.sort();
    } else {
        files.push(input.to_owned());
    }
    let pairs = pairs(&files);
    let paired: BTreeSet<&PathBuf> = pairs.values().copied().collect();
    let mut pages = Vec::new();
    for file in &files {
        if paired.contains(file) {
            continue;
        }
        let mut read = of_file(file, &id(input, file), reading)?;
        if let (Some(image), [page]) = (pairs.get(file.as_path()), read.as_mut_slice()) {
            page.image = Some(image_of(image, reading)?);
            page.page.image = Some(id(input, image));
        }
        pages.extend(read);
    }
    pages.retain(|page| page.image.is_some() || !page.page.text.trim().is_empty());
    ensure!(
        !pages.is_empty(),
        "{}: no text, Markdown, HTML, PDF with text in it, PNG, JPEG or WebP",
        input.display()
    );
    Ok(pages)
}

/// A file's name in groups: its path below `input`, or its own name where it is that.
fn id(input: &Path, file: &Path) -> String {
    let name = file
        .strip_prefix(input)
        .ok()
        .filter(|rest| rest.parent().is_some());
    let name = name.unwrap_or(Path::new(file.file_name().unwrap_or_default()));
    name.to_string_lossy().replace('\\', "/")
}

/// The image of each text: the only one, for the only text, of that name without its ending.
fn pairs(files: &[PathBuf]) -> BTreeMap<&Path, &PathBuf> {
    let mut names: BTreeMap<PathBuf, (Vec<&PathBuf>, Vec<&PathBuf>)> = BTreeMap::new();
    for file in files {
        let (texts, images) = names.entry(file.with_extension("")).or_default();
        match kind(file) {
            Some(Kind::Image) => images.push(file),
            Some(Kind::Text | Kind::Html) => texts.push(file),
            Some(Kind::Pdf) | None => {}
        }
    }
    let pairs = names.into_values();
    let pairs = pairs.filter_map(|(texts, images)| match (&*texts, &*images) {
        ([text], [image]) => Some(((*text).as_path(), *image)),
        _ => None,
    });
    pairs.collect()
}

/// An image as a language model sees it.
fn image_of(file: &Path, reading: &Reading<'_>) -> Result<LlmImage> {
    let shown = || format!("reading {}", file.display());
    // Before its bytes get memory; `prepare` would only find out after.
    let bytes = fs::metadata(file).with_context(shown)?.len();
    let most = reading.image.max_bytes;
    ensure!(
        bytes <= most as u64,
        "{}: {bytes} bytes, expected at most {most}",
        file.display()
    );
    let file = fs::read(file).with_context(shown)?;
    prepare(&file, &reading.image).with_context(shown)
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
    Image,
}

fn kind(path: &Path) -> Option<Kind> {
    let ending = path.extension()?.to_str()?.to_lowercase();
    Some(match ending.as_str() {
        "txt" | "text" | "md" | "markdown" | "rst" => Kind::Text,
        "html" | "htm" | "xhtml" => Kind::Html,
        "pdf" => Kind::Pdf,
        "png" | "jpg" | "jpeg" | "webp" => Kind::Image,
        _ => return None,
    })
}

fn of_file(file: &Path, id: &str, how: &Reading<'_>) -> Result<Vec<Input>> {
    let page = |id: String, text: String| Input {
        page: Page {
            id,
            text,
            image: None,
        },
        image: None,
    };
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
            let text = pdf(file, how.pdf_to_text)?;
            let pages = text.trim_end_matches('\u{c}').split('\u{c}').enumerate();
            Ok(pages
                .map(|(i, text)| page(format!("{id}#page={}", i + 1), text.to_owned()))
                .collect())
        }
        Kind::Image => {
            let mut one = page(id.to_owned(), String::new());
            one.page.image = Some(id.to_owned());
            one.image = Some(image_of(file, how)?);
            Ok(vec![one])
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
    use super::super::test_images::png;
    use super::*;

    fn pages(input: &Path, pdf_to_text: &str) -> Result<Vec<Input>> {
        let image = ImageOptions {
            longest_side: 100,
            ..ImageOptions::default()
        };
        super::pages(input, &Reading { pdf_to_text, image })
    }

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
            .map(|p| (p.page.id.as_str(), p.page.text.trim()))
            .collect();
        assert_eq!(found[0], ("a.md", "One."));
        assert_eq!(found[1].0, "b/two.html");
        assert!(
            found[1].1.contains("A link & 5 mills.") && !found[1].1.contains("x()"),
            "{}",
            found[1].1
        );
        assert_eq!(found.len(), 2);
        let one = self::pages(&folder.path().join("code.rs"), "none").unwrap();
        assert_eq!((one.len(), one[0].page.id.as_str()), (1, "code.rs"));
    }

    #[test]
    fn an_image_is_a_page_or_that_of_the_text_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["alone.PNG", "both.jpg", "twice.png", "twice.webp"] {
            // The bytes say what it is, not the name.
            fs::write(at(name), png(400, 200)).unwrap();
        }
        for name in ["both.txt", "twice.txt", "text.md"] {
            fs::write(at(name), "Ten mills.").unwrap();
        }
        let pages = pages(folder.path(), "none").unwrap();
        let found: Vec<(&str, &str, Option<&str>)> = (pages.iter())
            .map(|p| {
                (
                    p.page.id.as_str(),
                    p.page.text.as_str(),
                    p.page.image.as_deref(),
                )
            })
            .collect();
        let (text, own) = ("Ten mills.", |name| (name, "", Some(name)));
        assert_eq!(
            found,
            [
                own("alone.PNG"),
                ("both.txt", text, Some("both.jpg")),
                ("text.md", text, None),
                own("twice.png"),
                ("twice.txt", text, None),
                own("twice.webp"),
            ]
        );
        for page in pages {
            let size = page.image.map(|image| (image.width, image.height));
            assert_eq!(size, page.page.image.map(|_| (100, 50)));
        }
    }

    #[test]
    fn an_image_that_is_broken_or_too_large_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.png");
        fs::write(&path, &png(40, 40)[..60]).unwrap();
        let error = format!("{:#}", pages(&path, "none").unwrap_err());
        assert!(
            error.contains("page.png") && error.contains("PNG"),
            "{error}"
        );
        // Sparse: it takes no room on the disk.
        let file = fs::File::create(&path).unwrap();
        file.set_len((32 << 20) + 1).unwrap();
        let error = pages(&path, "none").unwrap_err().to_string();
        assert!(error.contains("33554433 bytes"), "{error}");
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
            .map(|p| (p.page.id.as_str(), p.page.text.as_str()))
            .collect();
        assert_eq!(
            found,
            [("a.pdf#page=1", "First."), ("a.pdf#page=3", "Third.")]
        );
    }
}
