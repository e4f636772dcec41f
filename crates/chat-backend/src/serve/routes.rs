//! The HTTP surface: `/v1/chat/completions`, `/v1/models`, `/health`, `/ready`, `/metrics`.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

use super::{Backend, completions};

/// The longest request: a conversation of some hundred thousand words.
const MOST_BYTES: usize = 2 << 20;

pub(super) fn router(backend: Arc<Backend>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(completions::create))
        .route("/v1/models", get(models))
        .route("/health", get("ok\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(backend)
}

async fn models(State(backend): State<Arc<Backend>>) -> Json<Value> {
    Json(backend.answerer.models())
}

async fn ready(State(backend): State<Arc<Backend>>) -> (StatusCode, &'static str) {
    if backend.gate.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "loading or draining\n")
    }
}

async fn metrics(State(backend): State<Arc<Backend>>) -> impl IntoResponse {
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], backend.metrics.text())
}
