//! The routes, and what goes around them: request ids, CORS, refusals, metrics. With `handler.rs` the twin of www/edge/handler.ts;
//! tests/edge/native.test.mjs compares the two.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::handler::{Server, Shared, embeddings, health, metrics, models, rerank};
use super::metrics::Metrics;
use super::problem::Problem;
use super::request_id::RequestId;

/// Paths and their method.
const ROUTES: [(&str, &str); 7] = [
    ("/health", "GET"),
    ("/v1/models", "GET"),
    ("/metrics", "GET"),
    ("/rerank", "POST"),
    ("/v1/rerank", "POST"),
    ("/v2/rerank", "POST"),
    ("/v1/embeddings", "POST"),
];

/// The path as it is written in the routes, without a slash behind it.
fn plain(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some("") | None => path,
        Some(plain) => plain,
    }
}

pub(super) fn router(server: Arc<Server>) -> Router {
    let handlers = [
        get(health),
        get(models),
        get(metrics),
        post(rerank),
        post(rerank),
        post(rerank),
        post(embeddings),
    ];
    let mut routes = Router::new();
    for ((path, _), handler) in ROUTES.into_iter().zip(handlers) {
        routes = (routes.route(path, handler.clone())).route(&format!("{path}/"), handler);
    }
    let routes = routes
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .with_state(Arc::clone(&server));
    // Around the whole: a layer of the routes themselves would have axum's own Allow put on its answers.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn_with_state(server, around))
}

async fn not_found(request: Request) -> Problem {
    let known = ROUTES.map(|(path, _)| path).join(", ");
    let path = plain(request.uri().path());
    Problem::new("not_found", format!("there is no {path}; there is {known}"))
}

async fn not_allowed(request: Request) -> Problem {
    let path = plain(request.uri().path());
    let (method, allowed) = if ROUTES.contains(&(path, "GET")) {
        ("GET", "GET, OPTIONS")
    } else {
        ("POST", "POST, OPTIONS")
    };
    Problem::new("method_not_allowed", format!("{path} expects {method}"))
        .with(header::ALLOW, HeaderValue::from_static(allowed))
}

/// Counts a request however it ends: when the client goes, its future is dropped before there is a status.
struct Counted<'a> {
    metrics: &'a Metrics,
    route: &'static str,
    begun: Instant,
    /// Until it is known: what proxies write when the client has gone.
    status: u16,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let seconds = self.begun.elapsed().as_secs_f64();
        self.metrics.answered(self.route, self.status, seconds);
    }
}

async fn around(State(server): Shared, mut request: Request, next: Next) -> Response {
    let path = plain(request.uri().path());
    let mut counted = Counted {
        metrics: &server.metrics,
        route: (ROUTES.into_iter())
            .find(|(route, _)| *route == path)
            .map_or("other", |(route, _)| route),
        begun: Instant::now(),
        status: 499,
    };
    let id = RequestId::of(request.headers());
    let cors = server.origins.headers(request.method(), request.headers());
    request.extensions_mut().insert(id.clone());
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.response(id.as_str());
    }
    response.headers_mut().extend(cors);
    (response.headers_mut()).insert(HeaderName::from_static("x-request-id"), id.header());
    counted.status = response.status().as_u16();
    drop(counted);
    response
}
