//! [`Problem`]: why a request got no answer, as RFC 9457 has it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The HTTP status.
    status: u16,
    /// What kind of problem it is.
    title: &'static str,
    /// What was wrong, and what to write instead.
    detail: String,
}

impl Problem {
    pub(crate) fn no_target() -> Self {
        let detail = "KEDA has not asked for it lately; /api/v1/targets lists those that it asks for".to_owned();
        Self { status: 404, title: "no such target", detail }
    }

    pub(crate) fn no_moment() -> Self {
        let detail = "nothing is kept of that minute; the `history` of the target says how far back it goes".to_owned();
        Self { status: 404, title: "no such moment", detail }
    }

    pub(crate) fn no_time() -> Self {
        let detail = "write `at` as 2026-03-18T15:04:05Z or in Unix seconds".to_owned();
        Self { status: 400, title: "no time", detail }
    }

    pub(crate) fn too_many_streams() -> Self {
        let detail = "as many streams of events are open as there may be; close one, or ask /api/v1/targets".to_owned();
        Self { status: 503, title: "too many streams", detail }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
