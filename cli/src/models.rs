//! `foliorank models`: brings public models into the cache, converted to our files and checked.
//!
//! A model is cached, or its manifest's sources are tried in order; whichever way it came, the result must
//! have the SHA-256s of the manifest, which is compiled in. Reading a model is the library's business.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

mod cache;
mod checkpoint;
mod convert;
mod hub;
mod layout;
mod model;
mod onnx;
mod progress;
mod quantise;
mod rename;
mod source;
mod tokenizer;
mod wheel;

pub(crate) use cache::{root as cache_folder, sha256, write};
use layout::Dtype;
use model::Model;

/// Arguments of `foliorank models`.
#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    /// Models to fetch; all of them when none is named.
    names: Vec<String>,
    /// Only say which models there are and which are cached.
    #[arg(long)]
    list: bool,
    /// Folder with the upstream files, for machines without a network.
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
    /// Fetch and convert even what is cached.
    #[arg(long)]
    force: bool,
    /// How to store weights; anything but a model's own goes to a folder of its own, NAME-DTYPE.
    #[arg(long, value_name = "DTYPE")]
    dtype: Option<Dtype>,
}

/// What to fetch, and where to.
#[derive(Debug)]
pub(crate) struct FetchOptions {
    /// Models by name; all when empty.
    pub(crate) names: Vec<String>,
    /// Folder with upstream files, used in place of the manifest's sources.
    pub(crate) from: Option<PathBuf>,
    /// Ignore what is cached.
    pub(crate) force: bool,
    /// Store weights otherwise than the manifest says.
    pub(crate) dtype: Option<Dtype>,
    /// Folder that holds `models/` and `downloads/`.
    pub(crate) cache: PathBuf,
    /// The hub or a mirror of it.
    pub(crate) endpoint: String,
}

impl FetchOptions {
    /// The user's cache and hub, everything else as usual.
    pub(crate) fn new(names: Vec<String>) -> Result<Self> {
        let (cache, endpoint) = (cache::root()?, hub::endpoint());
        Ok(Self {
            names,
            from: None,
            force: false,
            dtype: None,
            cache,
            endpoint,
        })
    }
}

/// A model that is now in the cache.
#[derive(Debug)]
pub(crate) struct FetchedModel {
    /// As in the manifest.
    pub(crate) name: String,
    /// Has model.json, the tokenizer and the weights.
    pub(crate) folder: PathBuf,
    /// "cached", or the source it came from.
    pub(crate) source: String,
}

/// Runs the command.
pub(crate) fn run(args: ModelsArgs) -> Result<()> {
    let mut options = FetchOptions::new(args.names)?;
    (options.from, options.force, options.dtype) = (args.from, args.force, args.dtype);
    if args.list {
        for model in Model::chosen(&options)? {
            let state = if model.is_cached() {
                "cached"
            } else {
                "not fetched"
            };
            println!(
                "{}  {state}  {}, {}",
                model.manifest.name, model.manifest.title, model.manifest.licence
            );
        }
        return Ok(());
    }
    for model in fetch(&options)? {
        println!(
            "{}  {}  {}",
            model.name,
            model.source,
            model.folder.display()
        );
    }
    Ok(())
}

/// Brings the named models into the cache.
pub(crate) fn fetch(options: &FetchOptions) -> Result<Vec<FetchedModel>> {
    let models = Model::chosen(options)?;
    let _turn = cache::lock(&options.cache)?;
    models.iter().map(|model| model.fetch(options)).collect()
}

#[cfg(test)]
#[path = "models/test.rs"]
mod tests;
