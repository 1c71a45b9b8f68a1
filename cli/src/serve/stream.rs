//! A body of server-sent events: `progress` as often as there is any, then `result` or `error`.
//!
//! The body drives the work itself, so dropping it, which is what happens when the client leaves, ends the work.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use foliorank::reranker::Progress;
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

/// The last event: its name and data.
type Last = (&'static str, Value);

/// The events of some work.
pub(super) struct Events<F> {
    progress: UnboundedReceiver<Progress>,
    state: State<F>,
}

enum State<F> {
    Working(Pin<Box<F>>),
    /// Progress may be left to tell.
    Done(Last),
    Told,
}

impl<F: Future<Output = Last> + Send + 'static> Events<F> {
    pub(super) fn body(progress: UnboundedReceiver<Progress>, work: F) -> Body {
        let state = State::Working(Box::pin(work));
        Body::new(Self { progress, state })
    }
}

fn frame(event: &str, data: &Value) -> Frame<Bytes> {
    Frame::data(format!("event: {event}\ndata: {data}\n\n").into())
}

fn shown(progress: Progress) -> Value {
    json!({
        "type": "batch", "batch": progress.batch, "batches": progress.batches,
        "tokens": progress.tokens, "totalTokens": progress.total_tokens, "threads": 1,
    })
}

impl<F: Future<Output = Last>> HttpBody for Events<F> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // The work first: it is what makes progress come.
        if let State::Working(work) = &mut self.state
            && let Poll::Ready(last) = work.as_mut().poll(context)
        {
            self.state = State::Done(last);
        }
        if let Poll::Ready(Some(progress)) = self.progress.poll_recv(context) {
            return Poll::Ready(Some(Ok(frame("progress", &shown(progress)))));
        }
        match std::mem::replace(&mut self.state, State::Told) {
            State::Done((event, data)) => Poll::Ready(Some(Ok(frame(event, &data)))),
            State::Told => Poll::Ready(None),
            working => {
                self.state = working;
                Poll::Pending
            }
        }
    }
}
