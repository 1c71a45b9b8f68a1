//! Refusals as HTTP: a stable code, the status that goes with it, and a body that Cohere's clients read too.
//! The twin of www/edge/problem.ts. Errors of the library keep their codes.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use foliorank::Error;
use serde_json::{Value, json};

/// A request that is not answered with a ranking, and why.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    code: &'static str,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            header: None,
        }
    }

    pub(super) fn argument(message: impl Into<String>) -> Self {
        Self::new("invalid_argument", message)
    }

    pub(super) fn with(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        match self.code {
            "invalid_argument" => StatusCode::BAD_REQUEST,
            "unauthorized" => StatusCode::UNAUTHORIZED,
            "not_found" => StatusCode::NOT_FOUND,
            "method_not_allowed" => StatusCode::METHOD_NOT_ALLOWED,
            "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
            "busy" => StatusCode::TOO_MANY_REQUESTS,
            "timeout" => StatusCode::GATEWAY_TIMEOUT,
            "no_webgpu" | "device_lost" | "out_of_memory" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) fn body(&self, request_id: &str) -> Value {
        let Self { code, message, .. } = self;
        json!({"message": message, "error": {"code": code, "message": message}, "request_id": request_id})
    }

    /// The refusal of this request. What is the server's fault is told on standard error.
    pub(super) fn response(&self, request_id: &str) -> Response {
        self.tell(request_id);
        let mut response = Response::new(Body::from(self.body(request_id).to_string()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.extend(self.header.clone());
        response
    }

    pub(super) fn tell(&self, request_id: &str) {
        if self.status().is_server_error() {
            eprintln!("{request_id}: {}: {}", self.code, self.message);
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// For [`super::handler`], which knows the request's id and writes the body.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
