//! [`Gate`]: how many requests run, how many wait, and when none are taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::openai::Refusal;

/// Lets a few requests run at a time while others wait, and turns the rest away.
#[derive(Debug)]
pub(crate) struct Gate {
    loaded_at: Instant,
    draining: AtomicBool,
    /// One permit per request that is here, running or waiting.
    places: Arc<Semaphore>,
    /// One permit per request that is running.
    slots: Arc<Semaphore>,
}

/// The right to run; given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    _running: OwnedSemaphorePermit,
    _here: OwnedSemaphorePermit,
    /// How long it was waited for.
    pub(crate) waited: Duration,
}

impl Gate {
    /// Closed for `start_up` from now on; then `concurrency` requests run and `queue` wait.
    pub(crate) fn new(start_up: Duration, concurrency: u16, queue: u16) -> Self {
        let (concurrency, queue) = (usize::from(concurrency), usize::from(queue));
        Self {
            loaded_at: Instant::now() + start_up,
            draining: AtomicBool::new(false),
            places: Arc::new(Semaphore::new(concurrency + queue)),
            slots: Arc::new(Semaphore::new(concurrency)),
        }
    }

    /// Waits for a slot; a caller that gives up leaves the queue.
    pub(crate) async fn enter(&self) -> Result<Slot, Refusal> {
        if !self.is_loaded() {
            return Err(Refusal::Loading);
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::QueueFull)?;
        let since = Instant::now();
        // the semaphore is never closed, so that a refusal here is only a form
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| Refusal::QueueFull)?;
        Ok(Slot { _running: slot, _here: place, waited: since.elapsed() })
    }

    /// Whether traffic should come here.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_loaded() && !self.draining.load(Ordering::Relaxed)
    }

    /// No new traffic, please; what still comes is served.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    fn is_loaded(&self) -> bool {
        Instant::now() >= self.loaded_at
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_wait_for_their_turn_and_the_one_too_many_is_turned_away() {
        let gate = Gate::new(Duration::ZERO, 1, 1);
        let run = async || {
            let slot = gate.enter().await?;
            sleep(Duration::from_millis(200)).await;
            Ok(slot.waited.as_millis())
        };
        let (first, second, third) = tokio::join!(run(), run(), run());
        assert_eq!((first, second, third), (Ok(0), Ok(200), Err(Refusal::QueueFull)));
        assert_eq!(run().await, Ok(0), "the places are given back");
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_leaves_the_queue() {
        let gate = Gate::new(Duration::ZERO, 1, 1);
        let slot = gate.enter().await.unwrap();
        let waiting = tokio::time::timeout(Duration::from_secs(1), gate.enter()).await;
        assert!(waiting.is_err(), "there is no second slot");
        drop(slot);
        assert!(gate.enter().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_ready_from_the_end_of_start_up_until_it_drains() {
        let gate = Gate::new(Duration::from_secs(90), 1, 1);
        sleep(Duration::from_secs(89)).await;
        assert!(!gate.is_ready());
        assert_eq!(gate.enter().await.unwrap_err(), Refusal::Loading);
        sleep(Duration::from_secs(1)).await;
        assert!(gate.is_ready());
        gate.drain();
        assert!(!gate.is_ready());
        assert!(gate.enter().await.is_ok(), "requests that still come are served");
    }
}
