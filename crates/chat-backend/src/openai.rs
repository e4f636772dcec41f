//! The wire: chat completions as OpenAI's clients send and read them.
//!
//! Only what this service acts on is typed; everything else of a request is carried along for an upstream that knows it.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The body of a chat request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChatRequest {
    pub(crate) model: String,
    pub(crate) messages: Vec<Message>,
    #[serde(default)]
    pub(crate) stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_tokens: Option<u32>,
    /// What newer clients send in place of `max_tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stream_options: Option<StreamOptions>,
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// What a client wants to know of a stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StreamOptions {
    #[serde(default)]
    pub(crate) include_usage: bool,
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) role: String,
    /// A string, a list of parts, or nothing.
    #[serde(default)]
    pub(crate) content: Value,
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// How many tokens went in and came out.
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) prompt_tokens: u64,
    pub(crate) completion_tokens: u64,
    pub(crate) total_tokens: u64,
}

/// Why there is no answer; shown in the form that OpenAI's clients turn into their own errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0}")]
    Invalid(String),
    #[error("the model is still loading; try again in a second")]
    Loading,
    #[error("as many requests wait here as may; try again in a second")]
    QueueFull,
    #[error("the conversation of this session cannot be read now; try again, or leave the session out")]
    NoSession,
    #[error("{0}")]
    Upstream(String),
}

impl ChatRequest {
    /// What is wrong with it, where something is.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        if self.messages.is_empty() {
            return Err(Refusal::Invalid("messages is empty: write at least one".to_owned()));
        }
        if self.rest.get("n").is_some_and(|n| n != 1) {
            return Err(Refusal::Invalid("n must be 1: one answer is made for a request".to_owned()));
        }
        Ok(())
    }

    /// The most tokens the client takes.
    pub(crate) fn most_tokens(&self) -> Option<u32> {
        self.max_completion_tokens.or(self.max_tokens)
    }
}

impl Message {
    /// What the assistant said.
    pub(crate) fn from_assistant(text: &str) -> Self {
        Self { role: "assistant".to_owned(), content: text.into(), rest: Map::new() }
    }

    /// Its text, that of all its parts in one.
    pub(crate) fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join(" "),
            _ => String::new(),
        }
    }
}

impl Usage {
    pub(crate) fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        Self { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
    }

    /// The `usage` of an answer or of a chunk, where there is one.
    pub(crate) fn of(answer: &Value) -> Option<Self> {
        serde_json::from_value(answer.get("usage")?.clone()).ok()
    }
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Loading | Self::NoSession => StatusCode::SERVICE_UNAVAILABLE,
            Self::QueueFull => StatusCode::TOO_MANY_REQUESTS,
            Self::Upstream(_) => StatusCode::BAD_GATEWAY,
        }
    }

    /// The body that goes with the status, and what a stream that breaks ends with.
    pub(crate) fn body(&self) -> Value {
        let (kind, code) = match self {
            Self::Invalid(_) => ("invalid_request_error", "invalid_request"),
            Self::Loading => ("server_error", "model_loading"),
            Self::QueueFull => ("rate_limit_error", "queue_full"),
            Self::NoSession => ("server_error", "session_unavailable"),
            Self::Upstream(_) => ("server_error", "upstream_failed"),
        };
        json!({"error": {"message": self.to_string(), "type": kind, "param": null, "code": code}})
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(self.body())).into_response();
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_here_reaches_an_upstream_unchanged() {
        let written = json!({
            "model": "m", "stream": true, "temperature": 0.2, "max_tokens": 5,
            "stream_options": {"include_usage": true},
            "messages": [{"role": "user", "name": "ann", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
        });
        let request: ChatRequest = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(request.messages[0].text(), "a b");
        assert_eq!(serde_json::to_value(request).unwrap(), written);
    }

    #[test]
    fn a_request_for_nothing_or_for_two_answers_is_refused() {
        let request = |value| serde_json::from_value::<ChatRequest>(value).unwrap().check();
        let hello = json!([{"role": "user", "content": "hello"}]);
        assert_eq!(request(json!({"model": "m", "messages": hello, "n": 1})), Ok(()));
        assert!(request(json!({"model": "m", "messages": hello, "n": 2})).is_err());
        assert!(request(json!({"model": "m", "messages": []})).is_err());
    }

    #[test]
    fn only_refusals_that_pass_by_themselves_ask_for_another_try() {
        for (refusal, status, retried) in [
            (Refusal::QueueFull, 429, true),
            (Refusal::Loading, 503, true),
            (Refusal::NoSession, 503, true),
            (Refusal::Invalid(String::new()), 400, false),
            (Refusal::Upstream(String::new()), 502, false),
        ] {
            let response = refusal.into_response();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), retried, "{status}");
        }
    }
}
