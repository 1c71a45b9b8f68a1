//! Takes connections until it is told to end, then lets what is under way finish.
//!
//! hyper's own loop is used and not axum's, because that has no time limit for headers: a client that sends half of them would
//! keep its connection for ever.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at once; more wait in the system's queue.
const CONNECTIONS: usize = 1024;
/// After a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// What a connection may cost in time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// For the headers of a request.
    pub(super) headers: Duration,
    /// For what is under way when the end is asked for.
    pub(super) end: Duration,
}

/// Serves until `end`. False when something was still under way after its time.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    times: Times,
    end: impl Future<Output = ()>,
) -> bool {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(times.headers);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut end = pin!(end);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = &mut end => break,
            next = next => next,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Answers are small and written at once.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off is no event.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    tokio::time::timeout(times.end, graceful.shutdown())
        .await
        .is_ok()
}
