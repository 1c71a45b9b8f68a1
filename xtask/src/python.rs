//! Python environments of the project's own, made from a file of requirements and kept in the cache.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::project::{self, Project};
use crate::setup;
use crate::stamps;

/// The Python of an environment with the packages of a requirements file, both named from the cache and the root.
pub(crate) fn environment(project: &Project, folder: &str, requirements: &str) -> Result<PathBuf> {
    let folder = project.cache.join(folder);
    let requirements = project.root.join(requirements);
    let python = folder.join("bin/python");
    let stamp = stamps::hash(std::slice::from_ref(&requirements), &[]);
    let stamp_file = folder.join("xtask-stamp");
    if python.is_file() && fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        return Ok(python);
    }
    let create = || {
        project::run(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )
    };
    create()
        .or_else(|first| {
            // Debian keeps what a new environment needs in a package of its own.
            setup::apt_install(&["python3-venv"])
                .map_err(|second| second.context(format!("{first:#}")))
                .and_then(|()| create())
        })
        .with_context(|| {
            format!(
                "cannot make a Python environment for {}",
                requirements.display()
            )
        })?;
    project::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(requirements),
    )?;
    fs::write(stamp_file, stamp)?;
    Ok(python)
}
