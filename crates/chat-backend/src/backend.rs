//! [`Backend`]: the model that is not there, its queue, and whether it is ready.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::metrics::Metrics;
use crate::settings::Settings;

/// A model that generates for a few requests at a time while others wait.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) metrics: Metrics,
    settings: Settings,
    started: Instant,
    draining: AtomicBool,
    /// One permit per request that is here, running or waiting.
    places: Semaphore,
    /// One permit per request that is running.
    slots: Semaphore,
}

/// Why a request was turned away; another pod may take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    /// The model is still loading.
    Loading,
    /// As many requests wait as may.
    QueueFull,
}

impl TurnedAway {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Loading => "the model is still loading",
            Self::QueueFull => "the queue is full",
        }
    }
}

impl Backend {
    /// A backend whose start-up begins now.
    pub(crate) fn new(settings: Settings) -> Self {
        let (concurrency, queue) = (usize::from(settings.concurrency), usize::from(settings.queue));
        Self {
            metrics: Metrics::new(),
            settings,
            started: Instant::now(),
            draining: AtomicBool::new(false),
            places: Semaphore::new(concurrency + queue),
            slots: Semaphore::new(concurrency),
        }
    }

    /// Whether traffic should come here.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_loaded() && !self.draining.load(Ordering::Relaxed)
    }

    fn is_loaded(&self) -> bool {
        self.started.elapsed() >= Duration::from_secs(u64::from(self.settings.start_up_seconds))
    }

    /// Takes as long as generating `tokens` tokens would, once it is this request's turn.
    pub(crate) async fn generate(&self, tokens: u16) -> Result<(), TurnedAway> {
        if !self.is_loaded() {
            return Err(TurnedAway::Loading);
        }
        let _place = self.places.try_acquire().map_err(|_| TurnedAway::QueueFull)?;
        // the semaphore is never closed, so there is always a permit to hold
        let _slot = self.slots.acquire().await;
        sleep(self.settings.service_time(tokens)).await;
        Ok(())
    }

    /// Reports unready, and waits until nobody should send requests any more.
    pub(crate) async fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        sleep(Duration::from_secs(u64::from(self.settings.drain_seconds))).await;
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn backend(flags: &[&str]) -> Backend {
        Backend::new(Settings::try_parse_from(["chat-backend"].iter().chain(flags)).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn requests_wait_for_their_turn_and_the_one_too_many_is_turned_away() {
        let backend = backend(&["--concurrency=1", "--queue=1", "--first-token-ms=100", "--token-ms=10"]);
        let begin = Instant::now();
        let after = |answer: Result<(), TurnedAway>| (answer, begin.elapsed().as_millis());
        let (first, second, third) = tokio::join!(
            async { after(backend.generate(10).await) },
            async { after(backend.generate(10).await) },
            async { after(backend.generate(10).await) },
        );
        assert_eq!(first, (Ok(()), 200));
        assert_eq!(second, (Ok(()), 400));
        assert_eq!(third, (Err(TurnedAway::QueueFull), 0));
        assert_eq!(backend.generate(0).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_ready_from_the_end_of_start_up_until_it_drains() {
        let backend = backend(&["--start-up-seconds=90"]);
        sleep(Duration::from_secs(89)).await;
        assert!(!backend.is_ready());
        assert_eq!(backend.generate(1).await, Err(TurnedAway::Loading));
        sleep(Duration::from_secs(1)).await;
        assert!(backend.is_ready());
        backend.drain().await;
        assert!(!backend.is_ready());
        assert_eq!(backend.generate(1).await, Ok(()));
    }
}
