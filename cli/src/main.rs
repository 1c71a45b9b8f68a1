//! Native `foliorank`: fetch models, rerank files, evaluate, make hard negatives, serve. Arguments and printing only; the library does the work.

use clap::{Parser, Subcommand};

mod eval;
mod generate;
mod models;
mod progress;
mod rerank;
mod serve;

#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure first stages and rerankers on judged data.
    Eval(eval::EvalArgs),
    /// Make hard-negative queries from pages, as training data.
    Generate(Box<generate::GenerateArgs>),
    /// Fetch models into the cache and convert them.
    Models(models::ModelsArgs),
    /// Rank files, or requests from standard input, for a query.
    Rerank(rerank::RerankArgs),
    /// Answer rerank and embeddings requests over HTTP.
    Serve(Box<serve::ServeArgs>),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Models(arguments) => models::run(arguments),
        Command::Rerank(arguments) => rerank::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
    }
}
