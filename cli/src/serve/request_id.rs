//! What an answer and the log call a request by: the client's own id where it is a decent one.

use std::hash::{BuildHasher, RandomState};

use axum::http::{HeaderMap, HeaderValue};

#[derive(Debug, Clone)]
pub(super) struct RequestId(HeaderValue);

const LONGEST: usize = 128;

impl RequestId {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get("x-request-id").filter(|value| {
            let decent = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
            (1..=LONGEST).contains(&value.len()) && value.as_bytes().iter().all(decent)
        });
        Self(given.cloned().unwrap_or_else(random))
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// A UUID of version 4. Unlikely to come twice, which is all it is for: it is no secret.
fn random() -> HeaderValue {
    // The seed of a hash map's hasher is the system's randomness, changed for every one.
    let half = || RandomState::new().hash_one(());
    let bits = (u128::from(half()) << 64) | u128::from(half());
    let bits = bits & !(0xf << 76) | (4 << 76);
    let bits = bits & !(0b11 << 62) | (0b10 << 62);
    let hex = format!("{bits:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    HeaderValue::from_str(&parts.join("-")).unwrap_or(HeaderValue::from_static("unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(given: &str) -> String {
        let given = HeaderValue::from_str(given).unwrap();
        let headers = HeaderMap::from_iter([("x-request-id".parse().unwrap(), given)]);
        RequestId::of(&headers).as_str().to_owned()
    }

    #[test]
    fn a_decent_id_is_kept_and_another_is_made_otherwise() {
        assert_eq!(id("abc-1.2_Z"), "abc-1.2_Z");
        for given in ["", "a b", "é", &"x".repeat(129)] {
            let made = id(given);
            let lengths: Vec<usize> = made.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{made}");
            assert_eq!(&made[14..15], "4");
            assert!("89ab".contains(&made[19..20]), "{made}");
        }
    }

    #[test]
    fn no_id_comes_twice() {
        let mut ids: Vec<String> = (0..1000).map(|_| id("")).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 1000);
    }
}
