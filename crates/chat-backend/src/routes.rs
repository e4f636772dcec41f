//! The HTTP surface: `/chat`, `/metrics`, `/livez`, `/readyz`.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::backend::Backend;

/// What a chat without a wish gets.
const DEFAULT_TOKENS: u16 = 32;

/// The longest answer, so that one request cannot hold a slot for minutes.
const MOST_TOKENS: u16 = 1024;

pub(crate) fn router(backend: Arc<Backend>) -> Router {
    Router::new()
        .route("/chat", post(chat))
        .route("/metrics", get(metrics))
        .route("/livez", get(StatusCode::OK))
        .route("/readyz", get(ready))
        .with_state(backend)
}

/// The body of a chat request; may be left out.
#[derive(Debug, Default, Deserialize)]
struct ChatRequest {
    max_tokens: Option<u16>,
}

#[derive(Debug, Serialize)]
struct ChatAnswer {
    tokens: u16,
    text: String,
}

async fn chat(State(backend): State<Arc<Backend>>, body: Result<Option<Json<ChatRequest>>, JsonRejection>) -> Response {
    let in_flight = backend.metrics.request();
    let response = match body {
        Err(rejection) => rejection.into_response(),
        Ok(body) => {
            let request = body.map(|Json(request)| request).unwrap_or_default();
            let tokens = request.max_tokens.unwrap_or(DEFAULT_TOKENS).min(MOST_TOKENS);
            match backend.generate(tokens).await {
                Ok(()) => Json(ChatAnswer { tokens, text: "la ".repeat(usize::from(tokens)) }).into_response(),
                Err(reason) => {
                    let retry = [(header::RETRY_AFTER, "1")];
                    (StatusCode::SERVICE_UNAVAILABLE, retry, reason.as_str()).into_response()
                }
            }
        }
    };
    in_flight.answered(response.status().as_u16());
    response
}

async fn metrics(State(backend): State<Arc<Backend>>) -> impl IntoResponse {
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], backend.metrics.text())
}

async fn ready(State(backend): State<Arc<Backend>>) -> StatusCode {
    if backend.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::settings::Settings;

    fn backend(flags: &[&str]) -> Arc<Backend> {
        Arc::new(Backend::new(Settings::try_parse_from(["chat-backend"].iter().chain(flags)).unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn every_answer_is_counted_by_its_code() {
        let backend = backend(&["--start-up-seconds=1"]);
        assert_eq!(chat(State(Arc::clone(&backend)), Ok(None)).await.status(), 503);
        assert_eq!(ready(State(Arc::clone(&backend))).await, 503);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let wish = Json(ChatRequest { max_tokens: Some(u16::MAX) });
        let begin = tokio::time::Instant::now();
        assert_eq!(chat(State(Arc::clone(&backend)), Ok(Some(wish))).await.status(), 200);
        assert_eq!(begin.elapsed().as_millis(), 150 + 1024 * 15);
        let page = backend.metrics.text();
        assert!(page.contains(r#"http_requests_total{app="chat-backend",code="200"} 1"#), "{page}");
        assert!(page.contains(r#"http_requests_total{app="chat-backend",code="503"} 1"#), "{page}");
    }
}
