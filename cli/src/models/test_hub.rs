//! A hub on this machine for tests: serves bytes by path, honours Range, cuts answers on demand.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a path answers.
#[derive(Clone, Default)]
pub(super) struct Page {
    /// The whole file.
    pub(super) body: Vec<u8>,
    /// The connection ends after so many bytes of the first answer.
    pub(super) cut_once: Option<usize>,
}

/// A server that lives until the test process ends.
pub(super) struct Hub {
    /// For `FetchOptions`.
    pub(super) endpoint: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    pages: HashMap<String, Page>,
    requests: Vec<String>,
}

impl Hub {
    /// Starts it, empty.
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &shared);
            }
        });
        Self { endpoint, state }
    }

    /// Serves a file of a repository.
    pub(super) fn put(&self, repository: &str, path: &str, page: Page) {
        let path = format!("/{repository}/resolve/main/{path}");
        self.state.lock().unwrap().pages.insert(path, page);
    }

    /// What was asked for since the last call: path and Range.
    pub(super) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let lines = BufReader::new(stream.try_clone().unwrap())
        .lines()
        .map_while(Result::ok);
    let request: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let path = request[0].split(' ').nth(1).unwrap().to_owned();
    let range = request.iter().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("range: bytes=")
            .map(str::to_owned)
    });
    let mut state = state.lock().unwrap();
    state.requests.push(
        format!("{path} {}", range.clone().unwrap_or_default())
            .trim()
            .into(),
    );
    let Some(page) = state.pages.get_mut(&path) else {
        write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        return;
    };
    let total = page.body.len();
    let start: usize = range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
    let (status, extra) = match start {
        0 => ("200 OK", String::new()),
        _ if start >= total => ("416 Range Not Satisfiable", String::new()),
        _ => (
            "206 Partial Content",
            format!("Content-Range: bytes {start}-{}/{total}\r\n", total - 1),
        ),
    };
    let rest = &page.body[start.min(total)..];
    let sent = page.cut_once.take().map_or(rest, |cut| &rest[..cut]);
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{extra}Content-Length: {}\r\nConnection: close\r\n\r\n",
        rest.len()
    )
    .unwrap();
    stream.write_all(sent).unwrap();
}
