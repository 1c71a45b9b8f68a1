//! First stages: find the candidates that a reranker is worth asking about, and mix rankings.
//!
//! Vectors and token weights come in from outside; nothing here knows a network, a file or a page.
//! Every index is exact, adds and removes documents one at a time, and is `serde`-serialisable with
//! a schema version. Documents are numbered as they come, from 0, and a number is never used again,
//! so ties are broken by insertion. Indexes that are fed in step agree on the numbers.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::error::Error;

pub mod analysis;
pub mod bm25;
mod bytes;
pub mod dense;
pub mod fusion;
pub mod hybrid;
mod inverted;
pub mod late;
mod rows;
pub mod sparse;
mod top;

pub use analysis::Analysis;
pub use bm25::Bm25;
pub use dense::Dense;
pub use fusion::Fusion;
pub use hybrid::Hybrid;
pub use late::Late;
pub use rows::Precision;
pub use sparse::Sparse;

/// A document that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The number that the index gave it.
    pub document: u32,
    /// Higher is better; what it means is the index's to say.
    pub score: f32,
}

/// What an embedder makes of a text.
#[derive(Debug, Clone, Copy)]
pub enum Vector<'a> {
    /// One vector: a bi-encoder.
    Dense(&'a [f32]),
    /// One vector a token, row after row: late interaction.
    Late {
        /// `[tokens, width]`.
        rows: &'a [f32],
        /// Numbers in a row, at least 1.
        width: usize,
    },
    /// A weight for some tokens of the vocabulary: a sparse encoder.
    Sparse {
        /// Which tokens.
        ids: &'a [u32],
        /// 0 or more, one a token.
        weights: &'a [f32],
    },
}

impl Vector<'_> {
    /// `dense`, `late` or `sparse`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense",
            Self::Late { .. } => "late",
            Self::Sparse { .. } => "sparse",
        }
    }
}

/// Version of a stored index. One of another version is not read: it has to be built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Schema<const VERSION: u32>(u32);

impl<const VERSION: u32> Schema<VERSION> {
    const CURRENT: Self = Self(VERSION);
}

impl<'de, const VERSION: u32> Deserialize<'de> for Schema<VERSION> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = u32::deserialize(deserializer)?;
        if found == VERSION {
            return Ok(Self(found));
        }
        let expected = format!("schema {VERSION}; build the index again");
        let error = Error::argument("index", expected, format!("schema {found}"));
        Err(de::Error::custom(error))
    }
}

/// The error of a stored index whose parts do not fit together.
fn damaged(what: &str) -> Error {
    Error::argument("index", "parts that fit together; build it again", what)
}

/// Makes `number` the next one of an index that has given out `count` of them, those between as if
/// their documents had been removed.
fn skip(count: &mut usize, number: u32) -> Result<(), Error> {
    if (number as usize) < *count {
        let expected = format!("a number from {count} on");
        return Err(Error::argument("document", expected, number));
    }
    *count = number as usize;
    Ok(())
}

/// The number of the document that comes after `count` others, removed ones included.
fn number(count: usize) -> Result<u32, Error> {
    u32::try_from(count)
        .map_err(|_| Error::argument("document", "at most 2^32 documents ever", count))
}
