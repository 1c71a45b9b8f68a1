//! Where things are, and how commands are started: the root, the user's cache, the one shared target folder.
//! It knows nothing of what the commands do.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The folders every command needs.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    /// `<cache>/foliorank`: the target folder, the models and, where needed, a wasm32 toolchain.
    pub(crate) cache: PathBuf,
    pub(crate) target: PathBuf,
}

impl Project {
    pub(crate) fn find() -> Result<Self> {
        // Cargo sets the variable when it starts us; the path of the build is right when the binary is started by hand.
        let manifest =
            env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest)
            .parent()
            .context("xtask lies in the project's root folder")?
            .to_path_buf();
        let cache = cache_folder(|name| env::var_os(name).map(PathBuf::from))?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => env::current_dir()?.join(folder),
            None => cache.join("target"),
        };
        Ok(Self {
            root,
            cache,
            target,
        })
    }

    pub(crate) fn www(&self) -> PathBuf {
        self.root.join("www")
    }

    /// Where the fetched models lie.
    pub(crate) fn models(&self) -> PathBuf {
        self.cache.join("models")
    }

    /// The cargo that started us, with the shared target folder.
    pub(crate) fn cargo(&self) -> Command {
        self.cargo_at(env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from))
    }

    pub(crate) fn cargo_at(&self, cargo: PathBuf) -> Command {
        let mut command = Command::new(cargo);
        command
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("FOLIORANK_MODELS", self.models());
        command
    }

    pub(crate) fn npm(&self) -> Command {
        let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
        command.current_dir(self.www());
        command
    }
}

/// `foliorank` in `FOLIORANK_CACHE`, else in `XDG_CACHE_HOME`, else in `~/.cache`.
fn cache_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.as_os_str().is_empty());
    let parent = set("FOLIORANK_CACHE")
        .or_else(|| set("XDG_CACHE_HOME"))
        .or_else(|| {
            set("HOME")
                .or_else(|| set("USERPROFILE"))
                .map(|home| home.join(".cache"))
        })
        .context("no home folder: set FOLIORANK_CACHE to a folder for builds and models")?;
    Ok(parent.join("foliorank"))
}

/// Runs a command to its end, its output going where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", line(command));
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

/// Like [`run`], but ends the command after `limit`: one hanging test must not swallow the report of the others.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    println!("$ {}", line(command));
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| cannot_start(command))?;
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("`{}` ended with {status}", line(command)),
            None if started.elapsed() > limit => {
                child.kill()?;
                child.wait()?;
                bail!("`{}` was ended after {} s", line(command), limit.as_secs());
            }
            None => sleep(Duration::from_millis(100)),
        }
    }
}

/// What a command prints, trimmed; an error when it cannot be started or fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| cannot_start(command))?;
    if !output.status.success() {
        bail!(
            "`{}` ended with {}: {}",
            line(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn cannot_start(command: &Command) -> String {
    format!(
        "cannot start `{}`; is it installed and on the PATH?",
        command.get_program().display()
    )
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned();
    command.get_args().fold(name, |line, argument| {
        format!("{line} {}", argument.to_string_lossy())
    })
}

/// The first file called `name` on the PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(set: &[(&str, &str)]) -> Option<PathBuf> {
        cache_folder(|name| {
            set.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.into())
        })
        .ok()
    }

    #[test]
    fn the_cache_folder_is_the_named_one_then_the_desktops_then_the_homes() {
        assert_eq!(
            folder(&[("FOLIORANK_CACHE", "/a"), ("XDG_CACHE_HOME", "/b")]),
            Some("/a/foliorank".into())
        );
        assert_eq!(
            folder(&[
                ("FOLIORANK_CACHE", ""),
                ("XDG_CACHE_HOME", "/b"),
                ("HOME", "/h")
            ]),
            Some("/b/foliorank".into())
        );
        assert_eq!(
            folder(&[("HOME", "/h")]),
            Some("/h/.cache/foliorank".into())
        );
        assert_eq!(folder(&[]), None);
    }

    #[test]
    fn a_command_that_fails_is_an_error_that_names_it() {
        let error = run(Command::new("false").arg("now"))
            .expect_err("false fails")
            .to_string();
        assert!(error.contains("`false now` ended with"), "{error}");
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let error = run_within(Command::new("sleep").arg("60"), Duration::from_millis(200))
            .expect_err("too slow");
        assert!(error.to_string().contains("was ended after"), "{error}");
    }
}
