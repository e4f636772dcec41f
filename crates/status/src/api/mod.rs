//! The HTTP side: JSON behind every view, server-sent events, and the document that describes them.
//!
//! ```text
//! GET /                                                        the page
//! GET /api/v1/targets                                          every target in a line
//! GET /api/v1/targets/{namespace}/{name}                       the triggers of one ScaledObject in a line each
//! GET /api/v1/targets/{namespace}/{name}/{digest}              everything known of one
//! GET /api/v1/targets/{namespace}/{name}/{digest}/moment?at=   one minute of its past
//! GET /api/v1/events                                           what changes, as it does
//! GET /api/v1/openapi.json                                     all of this, described
//! ```
//!
//! Answers are made from the records: no request touches the board or waits for anything.

mod changes;
mod document;
mod events;
mod problem;
mod tagged;
mod targets;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::Observatory;
use crate::page;
pub(crate) use tagged::tagged;

use changes::Changes;

/// Streams of events at once: people with a page open, each in a few tabs.
const MOST_STREAMS: usize = 64;

/// What all requests share.
#[derive(Debug)]
struct Shared {
    observatory: Arc<Observatory>,
    changes: Changes,
    streams: Arc<Semaphore>,
    stop: CancellationToken,
    /// The newest list, as it went out, and of what version it is.
    list: Mutex<Option<(u64, Bytes)>>,
}

/// The routes of page and API over the records of `observatory`. Streams end once `stop` is cancelled.
///
/// Must be called within a runtime: what changes is sent from a task.
pub fn routes(observatory: Arc<Observatory>, stop: CancellationToken) -> Router {
    let changes = Changes::follow(Arc::clone(&observatory), stop.clone());
    let streams = Arc::new(Semaphore::new(MOST_STREAMS));
    let shared = Arc::new(Shared { observatory, changes, streams, stop, list: Mutex::default() });
    let api = Router::new()
        .route("/api/v1/targets", get(targets::list))
        .route("/api/v1/targets/{namespace}/{name}", get(targets::of_object))
        .route("/api/v1/targets/{namespace}/{name}/{digest}", get(targets::detail))
        .route("/api/v1/targets/{namespace}/{name}/{digest}/moment", get(targets::moment))
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/openapi.json", get(document::openapi))
        .with_state(shared);
    page::routes().merge(api).layer(axum::middleware::map_response(harden))
}

/// Nothing but this server's own files runs in the page, and no other page may frame it or read from it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async fn harden(mut response: Response) -> Response {
    let mut set = |name: HeaderName, value: &'static str| {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    response
}
