//! `cargo xtask demo`: fetches and builds everything the page needs and serves it to this machine only.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::config::Config;
use crate::plan;
use crate::project::Project;
use crate::setup;
use crate::toolchain;
use crate::wasm::{self, Mode};

pub(crate) struct Options {
    pub(crate) port: u16,
    pub(crate) serve: bool,
}

/// Returns only when there is nothing to serve or something failed.
pub(crate) fn run(project: &Project, config: &Config, options: &Options) -> Result<()> {
    setup::tools(project)?;
    toolchain::ensure(project)?;
    setup::npm_packages(project)?;
    plan::models(project, &[])?;
    for name in config.variant.keys() {
        wasm::build(project, config, name, Mode::Release)?;
    }
    plan::page(project)?;
    if !options.serve {
        println!("\nThe page is in {}", project.www().join("dist").display());
        return Ok(());
    }
    println!(
        "\n  Open http://127.0.0.1:{}/demo/ in a browser. Ctrl-C ends it.\n",
        options.port
    );
    // The server takes our place, so that every signal reaches it.
    let mut server = Command::new("node");
    server.current_dir(&project.root).args([
        "www/serve.mjs",
        &options.port.to_string(),
        "www/dist",
    ]);
    let error = server.arg(project.models()).arg("models").exec();
    Err(error).context("cannot start `node www/serve.mjs`")
}
