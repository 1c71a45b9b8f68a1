//! What answers each route: authorisation, the body, a place, the model, the answer or its events, within the time.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use foliorank::Ranking;
use foliorank::reranker::{Embeddings, Progress};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::access::{Origins, Tokens};
use super::body::read_json;
use super::gate::Gate;
use super::metrics::Metrics;
use super::problem::Problem;
use super::request_id::RequestId;
use super::shapes::Question;
use super::stream::Events;
use super::texts::Texts;
use super::worker::Model;

/// What a request may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) body_bytes: usize,
    /// Documents or texts of a request.
    pub(super) documents: usize,
    /// For a request, waiting included.
    pub(super) time: Duration,
}

/// What answers.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) reranker: Model<Question, Ranking>,
    pub(super) embedder: Option<Model<Texts, Embeddings>>,
    pub(super) gate: Arc<Gate>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) limits: Limits,
    /// Everybody may call when `None`.
    pub(super) tokens: Option<Tokens>,
    pub(super) origins: Origins,
}

pub(super) type Shared = State<Arc<Server>>;

/// A request that may be answered.
pub(super) struct Authorised;

impl FromRequestParts<Arc<Server>> for Authorised {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Problem> {
        match &server.tokens {
            Some(tokens) => tokens.check(&parts.headers).map(|()| Self),
            None => Ok(Self),
        }
    }
}

fn answer(value: &Value) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], value.to_string()).into_response()
}

/// The models are there before the port opens.
pub(super) async fn health(State(server): Shared) -> Response {
    let info = &server.reranker.info;
    answer(&json!({"status": "ok", "model": info.name, "device": info.device}))
}

pub(super) async fn models(_: Authorised, State(server): Shared) -> Response {
    let infos = [
        Some(&server.reranker.info),
        server.embedder.as_ref().map(|embedder| &embedder.info),
    ];
    let data = infos.into_iter().flatten().map(|info| {
        json!({
            "id": info.name, "object": "model", "owned_by": "foliorank",
            "max_length": info.max_length, "licence": info.licence,
        })
    });
    answer(&json!({"object": "list", "data": data.collect::<Vec<Value>>()}))
}

pub(super) async fn metrics(_: Authorised, State(server): Shared) -> Response {
    let format = HeaderValue::from_static("text/plain; version=0.0.4");
    let text = server.metrics.text(server.gate.load());
    ([(header::CONTENT_TYPE, format)], text).into_response()
}

pub(super) async fn rerank(
    _: Authorised,
    State(server): Shared,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Problem> {
    respond(server, Kind::Rerank, id, request).await
}

pub(super) async fn embeddings(
    _: Authorised,
    State(server): Shared,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Problem> {
    if server.embedder.is_none() {
        return Err(no_embedder());
    }
    respond(server, Kind::Embed, id, request).await
}

fn no_embedder() -> Problem {
    Problem::new("not_found", "this server has no embedder")
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Rerank,
    Embed,
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT);
    accepted
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/event-stream"))
}

async fn respond(
    server: Arc<Server>,
    kind: Kind,
    id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    if !wants_stream(request.headers()) {
        return Ok(answer(&server.work(kind, &id, request, None).await?));
    }
    let (sender, progress) = unbounded_channel();
    let work = async move {
        match server.work(kind, &id, request, Some(sender)).await {
            Ok(value) => ("result", value),
            Err(problem) => {
                problem.tell(id.as_str());
                ("error", problem.body(id.as_str()))
            }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Events::body(progress, work)).into_response())
}

impl Server {
    /// The answer to a request, within the time. The body is decoded before the gate, so that nonsense takes no place.
    async fn work(
        &self,
        kind: Kind,
        id: &RequestId,
        request: Request,
        progress: Option<UnboundedSender<Progress>>,
    ) -> Result<Value, Problem> {
        let Limits {
            body_bytes, time, ..
        } = self.limits;
        let work = async {
            let (parts, body) = request.into_parts();
            let body = read_json(&parts.headers, body, body_bytes).await?;
            match kind {
                Kind::Rerank => self.rank(body, id, progress).await,
                Kind::Embed => self.embed(body, progress).await,
            }
        };
        tokio::time::timeout(time, work).await.unwrap_or_else(|_| {
            let message = format!("expected an answer within {} ms", time.as_millis());
            Err(Problem::new("timeout", message))
        })
    }

    async fn rank(
        &self,
        body: Map<String, Value>,
        id: &RequestId,
        progress: Option<UnboundedSender<Progress>>,
    ) -> Result<Value, Problem> {
        let question = Arc::new(Question::decode(body, self.limits.documents)?);
        let _place = self.gate.enter()?;
        let ranking = self.reranker.ask(Arc::clone(&question), progress).await?;
        (self.metrics).scored(question.documents.len(), ranking.usage.tokens);
        Ok(question.encode(&ranking, &self.reranker.info.name, id.as_str()))
    }

    async fn embed(
        &self,
        body: Map<String, Value>,
        progress: Option<UnboundedSender<Progress>>,
    ) -> Result<Value, Problem> {
        let embedder = self.embedder.as_ref().ok_or_else(no_embedder)?;
        let texts = Arc::new(Texts::decode(body, self.limits.documents)?);
        let _place = self.gate.enter()?;
        let embeddings = embedder.ask(Arc::clone(&texts), progress).await?;
        (self.metrics).scored(texts.texts.len(), embeddings.usage.tokens);
        Ok(texts.encode(&embeddings, &embedder.info.name))
    }
}
