//! `chat-backend serve`: from the settings to the end of the last answer.

mod completions;
mod gate;
mod metrics;
mod routes;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub(crate) use settings::Settings;

use crate::answers::{Answerer, BuiltIn, Upstream};
use crate::sessions::{InMemory, InRedis, Sessions};
use gate::Gate;
use metrics::Metrics;

/// What all requests share.
#[derive(Debug)]
struct Backend {
    answerer: Answerer,
    sessions: Sessions,
    gate: Gate,
    metrics: Arc<Metrics>,
}

/// How long the end may take: first the time that requests still come, then the time that they may take.
#[derive(Debug, Clone, Copy)]
struct End {
    drain: Duration,
    finish: Duration,
}

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    let listen = settings.listen;
    let end = End { drain: seconds(settings.drain_seconds), finish: seconds(settings.finish_seconds) };
    let stop = on_signal()?;
    let backend = Arc::new(Backend::new(settings)?);
    let listener = TcpListener::bind(listen).await.with_context(|| format!("{listen} cannot be listened on"))?;
    info!(address = %listener.local_addr()?, "listening");
    serve(listener, backend, stop, end).await?;
    info!("stopped");
    Ok(())
}

impl Backend {
    fn new(settings: Settings) -> anyhow::Result<Self> {
        let ttl = seconds(settings.session_ttl_seconds);
        let sessions = match &settings.redis_url {
            None => Sessions::Memory(InMemory::new(ttl, settings.session_messages)),
            Some(url) => {
                let password = settings.redis_password_file.as_deref();
                Sessions::Redis(InRedis::new(url, password, ttl, settings.session_messages)?)
            }
        };
        let gate = Gate::new(seconds(settings.start_up_seconds), settings.concurrency, settings.queue);
        let metrics = Arc::new(Metrics::new(settings.concurrency, settings.queue));
        let (first_token, token) = (settings.first_token(), settings.token());
        let answerer = match settings.upstream {
            None => Answerer::BuiltIn(BuiltIn::new(settings.model, settings.answer_tokens, first_token, token)),
            Some(base) => {
                let timeout = seconds(settings.upstream_timeout_seconds);
                Answerer::Upstream(Upstream::new(base, settings.upstream_key_file, timeout)?)
            }
        };
        Ok(Self { answerer, sessions, gate, metrics })
    }
}

/// Serves until `stop`; then reports unready, keeps serving until the endpoints have forgotten this pod, and returns once
/// every request is answered or its time is up.
async fn serve(listener: TcpListener, backend: Arc<Backend>, stop: CancellationToken, end: End) -> std::io::Result<()> {
    let routes = routes::router(Arc::clone(&backend));
    let drained = CancellationToken::new();
    let cut_off = {
        let drained = drained.clone();
        async move {
            stop.cancelled().await;
            info!("draining");
            backend.gate.drain();
            sleep(end.drain).await;
            drained.cancel();
            sleep(end.finish).await;
        }
    };
    tokio::select! {
        ended = axum::serve(listener, routes).with_graceful_shutdown(drained.cancelled_owned()) => ended,
        () = cut_off => {
            warn!("requests were still under way when their time was up");
            Ok(())
        }
    }
}

/// Cancelled on SIGTERM or SIGINT.
fn on_signal() -> anyhow::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let guard = stop.clone().drop_guard();
    tokio::spawn(async move {
        let _guard = guard;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    Ok(stop)
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

#[cfg(test)]
mod tests;
