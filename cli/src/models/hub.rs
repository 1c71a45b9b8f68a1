//! Downloads one file from the Hugging Face hub (or a mirror with its layout), resuming where it was cut.
//!
//! The SHA-256 the manifest pins decides: a file with another one is refused, whatever its name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use foliorank::manifest::SourceFile;
use ureq::Agent;
use ureq::http::{Response, StatusCode, header};

use super::cache;
use super::progress::Progress;

/// Used where `HF_ENDPOINT` is not set.
const HUB: &str = "https://huggingface.co";
/// Short, so that a machine without a network soon goes on to the next source.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(15);
/// A connection slower than this is cut, and resumed by the next attempt.
const BODY: Duration = Duration::from_secs(20 * 60);
const ATTEMPTS: usize = 5;

/// A repository at a revision.
pub(crate) struct Repository<'a> {
    /// From `HF_ENDPOINT`, or the hub itself.
    pub(crate) endpoint: &'a str,
    /// `owner/name`.
    pub(crate) name: &'a str,
    /// Branch, tag or commit.
    pub(crate) revision: &'a str,
}

/// `HF_ENDPOINT`, or the hub.
pub(crate) fn endpoint() -> String {
    let set = std::env::var("HF_ENDPOINT")
        .ok()
        .filter(|value| !value.is_empty());
    set.unwrap_or_else(|| HUB.into())
}

impl Repository<'_> {
    /// The file in `downloads`, fetched unless it is there already.
    pub(crate) fn fetch(&self, file: &SourceFile, downloads: &Path) -> Result<PathBuf> {
        let base = file.path.rsplit('/').next().unwrap_or(&file.path);
        // Named by content: what a cut download left can only ever be resumed into the same file.
        let path = downloads.join(format!(
            "{}-{base}",
            file.sha256.get(..16).unwrap_or(&file.sha256)
        ));
        if cache::holds(&path, &file.sha256) {
            return Ok(path);
        }
        let part = path.with_added_extension("part");
        let url = format!(
            "{}/{}/resolve/{}/{}",
            self.endpoint.trim_end_matches('/'),
            self.name,
            self.revision,
            file.path
        );
        download(&url, &part)?;
        let found = cache::sha256_of(&part)?;
        if found != file.sha256 {
            fs::remove_file(&part)?;
            bail!("{url}: expected sha256 {}, found {found}", file.sha256);
        }
        fs::rename(&part, &path)?;
        Ok(path)
    }
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .timeout_recv_body(Some(BODY))
        .user_agent(concat!("foliorank/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

/// Completes `part`. A connection cut after some progress is taken up again at once.
fn download(url: &str, part: &Path) -> Result<()> {
    let agent = agent();
    for attempt in 1.. {
        let have = part.metadata().map_or(0, |metadata| metadata.len());
        let mut request = agent.get(url);
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let response = request.call().with_context(|| url.to_owned())?;
        let from = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT => have,
            // The part is as long as the file or longer; the check of the sum has the last word.
            StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => return Ok(()),
            status => bail!("{url}: HTTP {status}"),
        };
        match receive(response, part, from) {
            Ok(()) => return Ok(()),
            Err(error) => {
                let now = part.metadata().map_or(0, |metadata| metadata.len());
                if attempt == ATTEMPTS || now <= have {
                    return Err(error).with_context(|| {
                        format!("{url}: cut after {now} bytes; the next run resumes")
                    });
                }
            }
        }
    }
    Ok(())
}

fn receive(response: Response<ureq::Body>, part: &Path, from: u64) -> Result<()> {
    if from > 0 {
        let range = response
            .headers()
            .get(header::CONTENT_RANGE)
            .and_then(|value| value.to_str().ok());
        let expected = format!("bytes {from}-");
        ensure!(
            range.is_some_and(|range| range.starts_with(&expected)),
            "asked for the bytes from {from}, was sent {range:?}"
        );
    }
    let length = response.body().content_length();
    let mut file: File = if from > 0 {
        OpenOptions::new().append(true).open(part)?
    } else {
        File::create(part)?
    };
    let mut progress = Progress::new(part, from, length.map(|length| from + length));
    let mut body = response.into_body().into_reader();
    let mut piece = vec![0; 1 << 16];
    let mut received = 0;
    loop {
        match body.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => {
                file.write_all(&piece[..count])?;
                received += count as u64;
                progress.add(count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    ensure!(
        length.is_none_or(|length| length == received),
        "the connection ended after {received} of {} bytes",
        length.unwrap_or_default()
    );
    Ok(())
}
