//! Reads a JSON body within a limit. What announces more is refused before a byte is read, what turns out to be more as soon as it
//! does. Time is the caller's business. The twin of www/edge/body.ts.

use std::error::Error as _;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, header};
use http_body_util::LengthLimitError;
use serde_json::{Map, Value};

use super::problem::Problem;

/// The body's JSON object.
pub(super) async fn read_json(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Map<String, Value>, Problem> {
    let too_large = || Problem::new("too_large", format!("the body may have {limit} bytes"));
    let announced = (headers.get(header::CONTENT_LENGTH))
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        .unwrap_or(0);
    if announced > limit as u64 {
        return Err(too_large());
    }
    let bytes = to_bytes(body, limit).await.map_err(|error| {
        if (error.source()).is_some_and(|source| source.is::<LengthLimitError>()) {
            too_large()
        } else {
            Problem::argument("the body is cut short")
        }
    })?;
    // A byte order mark is no part of the text.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Problem::argument("the body is cut short or not UTF-8"))?;
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Problem::argument(format!("the body must be JSON: {error}")))?;
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(Problem::argument("the body must be a JSON object")),
    }
}
