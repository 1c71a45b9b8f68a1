//! Integration tests of the library, one binary: the committed tiny models against references by
//! independent implementations, and every kind of bad input. See `tests/golden/README.md`.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod alone;
mod bad_input;
mod bm25;
mod embed;
mod golden;
mod invariants;
mod kernels;
mod known_answers;
mod metrics;
mod support;
mod together;
mod tokens;
