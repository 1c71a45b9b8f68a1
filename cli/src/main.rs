//! Native `foliorank`: fetch models, rerank files. Arguments and printing only; the library does the work.

use clap::{Parser, Subcommand};

mod models;
mod rerank;

#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fetch models into the cache and convert them.
    Models(models::ModelsArgs),
    /// Rank files, or requests from standard input, for a query.
    Rerank(rerank::RerankArgs),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Models(arguments) => models::run(arguments),
        Command::Rerank(arguments) => rerank::run(&arguments),
    }
}
