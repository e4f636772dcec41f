//! `/api/v1/events`: what changes, as it does.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::sync::broadcast::error::RecvError;

use super::Shared;
use super::changes::Change;
use super::problem::Problem;

/// Proxies close streams that are silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// What changes, as server-sent events.
///
/// `hello` comes first and says that whoever keeps a list is to read it now; `change` holds what changed since, and `reset` comes in its place
/// where a client was too slow and is to read the list anew.
#[utoipa::path(get, path = "/api/v1/events", responses(
    (status = 200, body = Change, content_type = "text/event-stream", description = "Events whose data are JSON"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "As many streams are open as there may be"),
))]
pub(super) async fn events(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let place = Arc::clone(&shared.streams).try_acquire_owned().map_err(|_| Problem::too_many_streams())?;
    let messages = shared.changes.listen();
    let version = shared.observatory.seen().version;
    let hello = Event::default().event("hello").data(format!("{{\"version\":{version}}}"));
    let stop = shared.stop.clone();
    let further = stream::unfold((messages, place, stop), async |(mut messages, place, stop)| {
        let message = stop.run_until_cancelled(messages.recv()).await?;
        let event = match message {
            Ok(text) => Event::default().event("change").data(&*text),
            Err(RecvError::Lagged(_)) => Event::default().event("reset").data("{}"),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok::<_, Infallible>(event), (messages, place, stop)))
    });
    let all = futures::StreamExt::chain(stream::once(async { Ok(hello) }), further);
    Ok(Sse::new(all).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}
