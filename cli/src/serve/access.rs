//! Who may call: tokens for whoever asks, origins for pages. Tokens come from the environment or a file, never from the command
//! line, where every user of the machine reads them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use axum::http::{HeaderMap, HeaderValue, Method, header};

use super::problem::Problem;

/// The environment variable with the tokens, separated by commas.
pub(super) const VARIABLE: &str = "FOLIORANK_TOKENS";

/// Tokens of which a request must bring one.
pub(super) struct Tokens(Vec<String>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} tokens", self.0.len())
    }
}

impl Tokens {
    /// From a file, one a line, else from what the variable holds; `None` when there is neither. A source without a token is a
    /// mistake and not an open door.
    pub(super) fn read(file: Option<&Path>, variable: Option<&str>) -> Result<Option<Self>> {
        let (text, source) = match (file, variable) {
            (Some(file), _) => {
                let source = file.display().to_string();
                let text = fs::read_to_string(file).with_context(|| format!("reading {source}"))?;
                (text, source)
            }
            (None, Some(text)) => (text.to_owned(), VARIABLE.to_owned()),
            (None, None) => return Ok(None),
        };
        let tokens = text.split([',', '\n']).map(str::trim);
        let tokens: Vec<String> = (tokens.filter(|token| !token.is_empty()))
            .map(str::to_owned)
            .collect();
        ensure!(!tokens.is_empty(), "{source}: expected tokens, found none");
        Ok(Some(Self(tokens)))
    }

    /// Refuses a request that brings none of them with `unauthorized`.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let given = headers.get(header::AUTHORIZATION);
        let given = given.map_or(&b""[..], HeaderValue::as_bytes);
        let given = match given.split_at_checked(7) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token,
            _ => b"",
        };
        // Every token is compared, so that the time does not tell which.
        let known = self.0.iter().filter(|token| same(token.as_bytes(), given));
        if known.count() > 0 {
            return Ok(());
        }
        let message = "expected a known token as `Authorization: Bearer …`";
        Err(Problem::new("unauthorized", message)
            .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
    }
}

/// Compares in a time that does not depend on where the two differ.
fn same(known: &[u8], given: &[u8]) -> bool {
    let mut difference = known.len() ^ given.len();
    for (index, byte) in known.iter().enumerate() {
        let other = given.get(index % given.len().max(1)).copied();
        difference |= usize::from(byte ^ other.unwrap_or(0));
    }
    std::hint::black_box(difference) == 0
}

/// Origins that pages may call from; `*` for all.
#[derive(Debug)]
pub(super) struct Origins(pub(super) Vec<String>);

impl Origins {
    /// The headers that an answer to this request needs.
    pub(super) fn headers(&self, method: &Method, request: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if self.0.is_empty() {
            return headers;
        }
        headers.insert(header::VARY, HeaderValue::from_static("origin"));
        let listed = |origin: &&HeaderValue| {
            let known = |known: &String| known == "*" || known.as_bytes() == origin.as_bytes();
            self.0.iter().any(known)
        };
        let Some(origin) = request.get(header::ORIGIN).filter(listed) else {
            return headers;
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let mut add = |name, value| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        add(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "x-request-id, retry-after",
        );
        if method == Method::OPTIONS {
            add(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS");
            add(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, content-type, x-request-id",
            );
            add(header::ACCESS_CONTROL_MAX_AGE, "86400");
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_from_the_file_or_the_variable_and_none_is_a_mistake() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        fs::write(&file, "one\r\n\n two \n").unwrap();
        let read = |file: Option<&Path>, variable| {
            Tokens::read(file, variable).map(|tokens| tokens.map(|tokens| tokens.0))
        };
        let tokens = |tokens: [&str; 2]| Some(tokens.map(str::to_owned).to_vec());
        assert_eq!(
            read(Some(&file), Some("no")).unwrap(),
            tokens(["one", "two"])
        );
        assert_eq!(read(None, Some("a,b,")).unwrap(), tokens(["a", "b"]));
        assert_eq!(read(None, None).unwrap(), None);
        fs::write(&file, "\n").unwrap();
        for (file, variable) in [
            (Some(&*file), Some("a")),
            (None, Some("")),
            (None, Some(",")),
        ] {
            assert!(read(file, variable).is_err());
        }
        assert!(read(Some(&folder.path().join("none")), None).is_err());
    }

    #[test]
    fn only_a_whole_token_is_the_same() {
        for (given, is_same) in [
            ("abc", true),
            ("", false),
            ("ab", false),
            ("abcabc", false),
            ("abd", false),
        ] {
            assert_eq!(same(b"abc", given.as_bytes()), is_same, "{given}");
        }
    }
}
