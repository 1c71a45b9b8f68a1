//! Strategies against judges and models whose truth is known.

mod answers;
mod costs;
mod judges;
mod limits;
mod models;
mod prompts;
mod ranks;
mod square;
