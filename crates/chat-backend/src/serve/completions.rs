//! `POST /v1/chat/completions`: one request, from its place in the queue to the last word of its answer.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use serde_json::Value;

use super::Backend;
use super::gate::Slot;
use super::metrics::InFlight;
use crate::answers::{Chunks, text_of};
use crate::openai::{ChatRequest, Message, Refusal, Usage};
use crate::sessions::SessionId;

/// The header that names a conversation which the server remembers.
const SESSION: &str = "x-session-id";

/// A request that runs, with what must be done at its end.
struct Running {
    backend: Arc<Backend>,
    in_flight: InFlight,
    _slot: Slot,
    session: Option<SessionId>,
    /// What the request adds to its session; the answer follows.
    new: Vec<Message>,
    prompt_words: u64,
}

pub(super) async fn create(
    State(backend): State<Arc<Backend>>,
    headers: HeaderMap,
    body: Result<Json<ChatRequest>, JsonRejection>,
) -> Response {
    let in_flight = backend.metrics.request();
    let (request, session) = match parse(&headers, body) {
        Ok(parsed) => parsed,
        Err(refusal) => return refuse(in_flight, refusal),
    };
    // counted as waiting until the slot is there, also where the client gives up first
    let entered = {
        backend.metrics.waiting.inc();
        let _waiting = Waiting(&backend);
        backend.gate.enter().await
    };
    let slot = match entered {
        Ok(slot) => slot,
        Err(refusal) => return refuse(in_flight, refusal),
    };
    in_flight.runs(slot.waited);
    answer(backend, request, session, in_flight, slot).await
}

fn parse(
    headers: &HeaderMap,
    body: Result<Json<ChatRequest>, JsonRejection>,
) -> Result<(ChatRequest, Option<SessionId>), Refusal> {
    let Json(request) = body.map_err(|rejection| Refusal::Invalid(rejection.body_text()))?;
    request.check()?;
    let session = headers.get(SESSION).map(|value| {
        let id = value.to_str().ok().and_then(SessionId::parse);
        id.ok_or_else(|| Refusal::Invalid(format!("{SESSION} is 1 to 128 letters, digits, - and _")))
    });
    Ok((request, session.transpose()?))
}

async fn answer(
    backend: Arc<Backend>,
    mut request: ChatRequest,
    session: Option<SessionId>,
    in_flight: InFlight,
    slot: Slot,
) -> Response {
    let mut new = Vec::new();
    if let Some(id) = &session {
        new.clone_from(&request.messages);
        match backend.sessions.load(id).await {
            Ok(past) => request.messages.splice(..0, past),
            Err(error) => {
                backend.metrics.session_errors.inc();
                tracing::warn!(error = %format_args!("{error:#}"), "session cannot be read");
                return refuse(in_flight, Refusal::NoSession);
            }
        };
    }
    let prompt_words = request.messages.iter().map(|message| words(&message.text())).sum();
    let running = Running { backend, in_flight, _slot: slot, session, new, prompt_words };
    if request.stream { running.stream(&request).await } else { running.whole(&request).await }
}

impl Running {
    async fn whole(mut self, request: &ChatRequest) -> Response {
        match self.backend.answerer.whole(request).await {
            Err(refusal) => self.fail(refusal),
            Ok(answer) => {
                self.in_flight.token();
                let text = answer["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned();
                self.finish(&text, Usage::of(&answer)).await;
                Json(answer).into_response()
            }
        }
    }

    async fn stream(mut self, request: &ChatRequest) -> Response {
        match self.backend.answerer.streamed(request).await {
            Err(refusal) => self.fail(refusal),
            Ok(chunks) => {
                self.in_flight.streams();
                let body = axum::body::Body::from_stream(self.events(chunks));
                let head = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
                (StatusCode::OK, head, body).into_response()
            }
        }
    }

    /// Each chunk as an event; the slot is held until the last of them, or until the client goes.
    fn events(self, chunks: Chunks) -> impl Stream<Item = Result<String, Infallible>> {
        let state = Some((self, chunks, String::new(), None));
        stream::unfold(state, |state| async move {
            let (mut running, mut chunks, mut said, mut usage) = state?;
            let event = match chunks.next().await {
                Some(Ok(chunk)) => {
                    let text = text_of(&chunk);
                    if !text.is_empty() {
                        running.in_flight.token();
                        said.push_str(text);
                    }
                    usage = Usage::of(&chunk).or(usage);
                    return Some((Ok(event(&chunk)), Some((running, chunks, said, usage))));
                }
                Some(Err(refusal)) => {
                    let body = refusal.body();
                    running.fail(refusal);
                    event(&body)
                }
                None => {
                    running.finish(&said, usage).await;
                    "data: [DONE]\n\n".to_owned()
                }
            };
            Some((Ok(event), None))
        })
    }

    /// Counts a whole answer, and remembers it where it belongs to a session.
    async fn finish(mut self, text: &str, usage: Option<Usage>) {
        // an upstream that does not count is counted by words
        self.in_flight.used(usage.unwrap_or_else(|| Usage::new(self.prompt_words, words(text))));
        if let Some(id) = &self.session {
            self.new.push(Message::from_assistant(text));
            if let Err(error) = self.backend.sessions.append(id, &self.new).await {
                self.backend.metrics.session_errors.inc();
                tracing::warn!(error = %format_args!("{error:#}"), "session cannot be written");
            }
        }
        self.in_flight.answered(StatusCode::OK.as_u16());
    }

    fn fail(self, refusal: Refusal) -> Response {
        self.backend.metrics.upstream_errors.inc();
        refuse(self.in_flight, refusal)
    }
}

fn refuse(in_flight: InFlight, refusal: Refusal) -> Response {
    in_flight.answered(refusal.status().as_u16());
    refusal.into_response()
}

fn event(chunk: &Value) -> String {
    format!("data: {chunk}\n\n")
}

fn words(text: &str) -> u64 {
    text.split_whitespace().count().try_into().unwrap_or(u64::MAX)
}

/// One request less waits when this is dropped.
struct Waiting<'a>(&'a Backend);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.metrics.waiting.dec();
    }
}
