//! One model: whether it is cached, and the way from a source through conversion into its folder.
//!
//! Whatever the source, the files must have the SHA-256s that the manifest pins, or they are not installed.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use foliorank::manifest::Manifest;

use super::convert::{self, Converted};
use super::layout::Dtype;
use super::{FetchOptions, FetchedModel, cache, source};

/// The manifests of the models that can be fetched.
pub(super) const MANIFESTS: [&str; 5] = [
    include_str!("../../../models/ms-marco-minilm-l12-v2/model.json"),
    include_str!("../../../models/all-minilm-l6-v2/model.json"),
    include_str!("../../../models/bge-small-en-v1.5/model.json"),
    include_str!("../../../models/answerai-colbert-small-v1/model.json"),
    include_str!("../../../models/splade-tiny/model.json"),
];

/// A manifest and where its files go.
pub(super) struct Model {
    json: String,
    pub(super) manifest: Manifest,
    folder: PathBuf,
    dtype: Dtype,
}

impl Model {
    /// The models that the options name, in the order of [`MANIFESTS`].
    pub(super) fn chosen(options: &FetchOptions) -> Result<Vec<Self>> {
        let all = MANIFESTS
            .map(|json| Self::new(json, options))
            .into_iter()
            .collect::<Result<Vec<_>>>()?;
        let known: Vec<String> = all
            .iter()
            .map(|model| model.manifest.name.clone())
            .collect();
        if let Some(unknown) = options.names.iter().find(|name| !known.contains(name)) {
            bail!(
                "no model is called {unknown}; there are {}",
                known.join(", ")
            );
        }
        let wanted =
            |model: &Self| options.names.is_empty() || options.names.contains(&model.manifest.name);
        Ok(all.into_iter().filter(wanted).collect())
    }

    /// A model by its manifest.
    pub(super) fn new(json: &str, options: &FetchOptions) -> Result<Self> {
        let manifest = Manifest::from_json(json)?;
        let pinned = Dtype::from(manifest.files.weights.dtype);
        let dtype = options.dtype.unwrap_or(pinned);
        let folder = if dtype == pinned {
            manifest.name.clone()
        } else {
            format!("{}-{}", manifest.name, dtype.name())
        };
        let folder = options.cache.join("models").join(folder);
        Ok(Self {
            json: json.into(),
            manifest,
            folder,
            dtype,
        })
    }

    fn is_pinned(&self) -> bool {
        self.dtype == Dtype::from(self.manifest.files.weights.dtype)
    }

    /// Whether the cache holds files that match the manifest; for another dtype, the one beside them.
    pub(super) fn is_cached(&self) -> bool {
        let expected = if self.is_pinned() {
            Ok(self.manifest.clone())
        } else {
            Manifest::from_json(&self.cached_json())
        };
        expected.is_ok_and(|Manifest { files, .. }| {
            let (tokenizer, weights) = (files.tokenizer, files.weights);
            cache::holds(&self.folder.join(tokenizer.path), &tokenizer.sha256)
                && cache::holds(&self.folder.join(weights.path), &weights.sha256)
        })
    }

    fn cached_json(&self) -> String {
        fs::read_to_string(self.folder.join("model.json")).unwrap_or_default()
    }

    /// Brings it into the cache, unless it is there.
    pub(super) fn fetch(&self, options: &FetchOptions) -> Result<FetchedModel> {
        let done = |source: String| FetchedModel {
            name: self.manifest.name.clone(),
            folder: self.folder.clone(),
            source,
        };
        if !options.force && self.is_cached() {
            // A newer program may say more about the same files.
            if self.is_pinned() && self.cached_json() != self.json {
                cache::write(&self.folder.join("model.json"), self.json.as_bytes())?;
            }
            return Ok(done("cached".into()));
        }
        eprintln!("{}", self.manifest.title);
        let mut reasons = Vec::new();
        for (name, upstream) in source::all(&self.manifest, options) {
            let result = upstream()
                .and_then(|upstream| convert::convert(&self.manifest, &upstream, self.dtype))
                .and_then(|converted| self.install(&converted));
            match result {
                Ok(()) => return Ok(done(name)),
                Err(error) => {
                    eprintln!("  {name}: {error:#}");
                    reasons.push(format!("\n  {name}: {error:#}"));
                }
            }
        }
        bail!(
            "{} could not be had from any source:{}",
            self.manifest.name,
            reasons.concat()
        )
    }

    /// Checks the files against the manifest and puts them in place, the manifest last.
    fn install(&self, converted: &Converted) -> Result<()> {
        let Converted {
            tokenizer,
            weights,
            loss,
        } = converted;
        eprintln!(
            "  {} of {} rows rounded to {}; worst difference {:.3e} {}",
            loss.rounded_rows,
            loss.rows,
            self.dtype.name(),
            loss.worst,
            loss.tensor
        );
        let files = &self.manifest.files;
        let mut wrong = differs(
            &files.tokenizer.path,
            tokenizer,
            &files.tokenizer.sha256,
            files.tokenizer.bytes,
        );
        let mut json = self.json.clone();
        if self.is_pinned() {
            wrong.extend(differs(
                &files.weights.path,
                weights,
                &files.weights.sha256,
                files.weights.bytes,
            ));
        } else {
            json = self.repinned(weights)?;
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("; "));
        fs::create_dir_all(&self.folder)
            .with_context(|| format!("creating {}", self.folder.display()))?;
        cache::write(&self.folder.join(&files.tokenizer.path), tokenizer)?;
        cache::write(&self.folder.join(&files.weights.path), weights)?;
        cache::write(&self.folder.join("model.json"), json.as_bytes())
    }

    /// The manifest of the same model stored as another dtype.
    fn repinned(&self, weights: &[u8]) -> Result<String> {
        let mut json: serde_json::Value = serde_json::from_str(&self.json)?;
        let dtype = self.dtype.name();
        json["name"] = format!("{}-{dtype}", self.manifest.name).into();
        json["title"] = format!("{}, stored as {dtype}", self.manifest.title).into();
        let file = &mut json["files"]["weights"];
        file["bytes"] = weights.len().into();
        file["sha256"] = cache::sha256(weights).into();
        file["dtype"] = dtype.into();
        Ok(serde_json::to_string_pretty(&json)? + "\n")
    }
}

/// What is wrong with a converted file, if anything; also what to pin when a manifest is new.
fn differs(path: &str, bytes: &[u8], sha256: &str, size: u64) -> Vec<String> {
    let (found, found_size) = (cache::sha256(bytes), bytes.len());
    if found == sha256 && found_size as u64 == size {
        return Vec::new();
    }
    vec![format!(
        "converted {path}: expected {size} bytes, sha256 {sha256}, found {found_size} bytes, sha256 {found}"
    )]
}
