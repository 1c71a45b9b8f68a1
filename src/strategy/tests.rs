//! Strategies against judges and models whose truth is known.

mod costs;
mod ranks;
