//! `foliorank serve`: the HTTP API of www/edge/openapi.json, natively. Requests that come together are scored together.
//!
//! Arguments, start and end; `serve/routes.rs` has the routes, `serve/worker.rs` the models.

use std::env;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use foliorank::DeviceKind;
use foliorank::manifest::Architecture;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::rerank::load;

mod access;
mod body;
mod fields;
mod gate;
mod handler;
mod listen;
mod metrics;
mod problem;
mod request_id;
mod routes;
mod shapes;
mod stream;
mod texts;
mod worker;

use access::{Origins, Tokens, VARIABLE};
use gate::Gate;
use handler::{Limits, Server};
use listen::Times;
use metrics::Metrics;
use routes::router;
use worker::{Model, Shop};

/// Arguments of `foliorank serve`. Tokens that may call: the environment variable FOLIORANK_TOKENS ("a,b"), or --tokens-file.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Name of a model in the cache, or a folder with a model.json.
    #[arg(long, default_value = "ms-marco-minilm-l12-v2")]
    model: String,
    /// A bi-encoder for /v1/embeddings, likewise.
    #[arg(long)]
    embedder: Option<String>,
    /// Where the models run: cpu, or webgpu (Vulkan, Metal or DX12 here).
    #[arg(long, default_value = "cpu")]
    device: DeviceKind,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// File with the tokens that may call, one a line. Without it and FOLIORANK_TOKENS everybody may.
    #[arg(long, value_name = "FILE")]
    tokens_file: Option<PathBuf>,
    /// Origin that pages may call from, "*" for all; may be given several times.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// Bytes of a body.
    #[arg(long, default_value_t = 10 << 20, value_parser = at_least_one)]
    body_bytes: usize,
    /// Documents or texts of a request.
    #[arg(long, default_value_t = 1000, value_parser = at_least_one)]
    documents: usize,
    /// Requests scored together; 1 scores one after the other.
    #[arg(long, default_value_t = 32, value_parser = at_least_one)]
    concurrency: usize,
    /// Requests that may wait for that; one more is answered 429.
    #[arg(long, default_value_t = 64)]
    queue: usize,
    /// Milliseconds for a request, waiting included.
    #[arg(long, default_value_t = 60_000, value_parser = at_least_one)]
    timeout_ms: usize,
    /// Milliseconds for what is under way when the server is told to end.
    #[arg(long, default_value_t = 10_000)]
    end_ms: u64,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("expected a whole number above 0".into()),
    }
}

pub(crate) fn run(arguments: &ServeArgs) -> Result<()> {
    let gate = Gate::new(arguments.concurrency + arguments.queue);
    let metrics = Arc::new(Metrics::default());
    let shop = Shop {
        gate: Arc::clone(&gate),
        metrics: Arc::clone(&metrics),
        ended: Arc::new(Notify::new()),
        concurrency: arguments.concurrency,
    };
    let variable = env::var(VARIABLE).ok();
    let tokens = Tokens::read(arguments.tokens_file.as_deref(), variable.as_deref())?;
    let load = |model: &str| pollster::block_on(load(model, arguments.device));
    let reranker = Model::reranker(load(&arguments.model)?, shop.clone())?;
    let embedder = match &arguments.embedder {
        Some(model) => {
            let embedder = load(model)?;
            ensure!(
                embedder.manifest().architecture == Architecture::BertBiEncoder,
                "--embedder: expected a bi-encoder, found {model}, which is none"
            );
            Some(Model::embedder(embedder, shop.clone())?)
        }
        None => None,
    };
    let server = Server {
        reranker,
        embedder,
        gate,
        metrics,
        limits: Limits {
            body_bytes: arguments.body_bytes,
            documents: arguments.documents,
            time: Duration::from_millis(arguments.timeout_ms as u64),
        },
        tokens,
        origins: Origins(arguments.origins.clone()),
    };
    // The models' threads compute; these only read, write and wait.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let ended = runtime.block_on(listen(arguments, server, &shop.ended));
    // A request that took too long is not waited for.
    runtime.shutdown_background();
    ended
}

async fn listen(arguments: &ServeArgs, server: Server, ended: &Notify) -> Result<()> {
    let address = (arguments.host, arguments.port);
    let listener = (TcpListener::bind(address).await)
        .with_context(|| format!("listening on {}:{}", arguments.host, arguments.port))?;
    println!("listening on http://{}", listener.local_addr()?);
    let times = Times {
        headers: server.limits.time,
        end: Duration::from_millis(arguments.end_ms),
    };
    let mut is_failure = false;
    let mut told = std::pin::pin!(told_to_end()?);
    let end = async {
        tokio::select! {
            () = &mut told => {}
            () = ended.notified() => is_failure = true,
        }
    };
    if !listen::serve(listener, router(Arc::new(server)), times, end).await {
        eprintln!("not all that was under way could be finished in time");
    }
    if is_failure {
        bail!("a model's thread has ended: its device was lost, or see above");
    }
    Ok(())
}

/// Waits for ctrl-c or, on Unix, SIGTERM. Both are heard from the call on.
fn told_to_end() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).context("listening for SIGTERM")?
    };
    #[cfg(unix)]
    let terminated = async move {
        terminate.recv().await;
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    Ok(async {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminated => {}
        }
    })
}
