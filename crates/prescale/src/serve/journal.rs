//! [`Journal`]: carries outlooks, what was learned beside them, and histories to the store at its own pace, so that no refresh waits for a disk
//! or for Redis.
//!
//! What is kept and what is forgotten go one way, in order: an outlook that waits here cannot come back to the store after
//! its target was given up. While the store fails all of it waits here, in memory, one outlook per target at most; that is
//! said once in the log, in a metric, and in the answer of `/readyz`, until it is over. Of histories only so many wait: the forecaster has
//! them all, and offers the rest again.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forecaster::Archive;
use ops::Readiness;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use series::{HistoryUpdate, KeptHistory, Outlook, TargetKey};
use store::{Answer, Kept, Store, StoreError};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A store that takes longer than this to tell an outlook is not waited for: the source is asked anew anyway.
const LOAD: Duration = Duration::from_secs(2);

/// So many are loaded at once …
const LOADS: usize = 16;

/// … and none for so long after the store was slow.
const SLOW: Duration = Duration::from_secs(5);

/// What a store that hangs may take of the time that a process has to stop.
const LAST: Duration = Duration::from_secs(5);

/// Samples of histories that wait for the store at most, but for those of one more target: 16 MB.
const MOST_WAITING: usize = 4_000_000;

/// So many of them are carried to the store at once, and do not wait for the next time.
const ENOUGH: usize = 1_000_000;

/// What the store failed at last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failing {
    Load,
    Keep,
}

/// What the fast path has learned of a target by now, where it is in this process.
pub(crate) type Memories = Box<dyn Fn(&TargetKey) -> Option<Arc<str>> + Send + Sync>;

/// Outlooks on their way to the store, and from it.
pub(crate) struct Journal {
    store: Arc<dyn Store>,
    memories: Memories,
    /// What is not in the store yet: the newest outlook of a target, or `None` where it is to be forgotten.
    pending: Mutex<HashMap<TargetKey, Option<Arc<Outlook>>>>,
    /// What of histories is not in the store yet.
    histories: Mutex<HashMap<TargetKey, HistoryUpdate>>,
    /// Told when there are enough of them.
    are_enough: Notify,
    loads: Semaphore,
    /// Until when nothing is loaded.
    slow_until: Mutex<Option<Instant>>,
    failing: Mutex<Option<Failing>>,
    up: Gauge,
    failures: Counter,
    readiness: Readiness,
}

impl Journal {
    /// A journal for `store`, with metrics in `registry` under their full names.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        memories: Memories,
        readiness: Readiness,
        registry: &mut Registry,
    ) -> Self {
        let (up, failures) = (Gauge::default(), Counter::default());
        up.set(1);
        let help = "1 while outlooks are kept in the store, 0 while they are in memory only";
        registry.register("prescale_store_up", help, up.clone());
        registry.register("prescale_store_failures", "Times that the store failed", failures.clone());
        Self {
            store,
            memories,
            pending: Mutex::default(),
            histories: Mutex::default(),
            are_enough: Notify::new(),
            loads: Semaphore::new(LOADS),
            slow_until: Mutex::default(),
            failing: Mutex::default(),
            up,
            failures,
            readiness,
        }
    }

    /// Has `outlook` kept soon, in the place of an older one.
    pub(crate) fn note(&self, key: &TargetKey, outlook: Arc<Outlook>) {
        self.pending().insert(key.clone(), Some(outlook));
    }

    /// Has what is kept of `key` forgotten soon.
    pub(crate) fn forget(&self, key: &TargetKey) {
        self.pending().insert(key.clone(), None);
        self.histories().remove(key);
    }

    /// What was noted or kept of `key` last. A store that fails or dawdles tells nothing.
    pub(crate) async fn load(&self, key: &TargetKey) -> Option<Kept> {
        if let Some(noted) = self.pending().get(key) {
            return noted.clone().map(|outlook| self.with_memory(key, outlook));
        }
        self.loaded(key, self.store.load(key)).await
    }

    /// What the store gives of `key`, in time. Of thousands that are wanted at once each has its time from its turn on; and where one has waited in vain
    /// the others do not.
    async fn loaded<T>(&self, key: &TargetKey, load: Answer<'_, Option<T>>) -> Option<T> {
        let Ok(_turn) = self.loads.acquire().await else { return None };
        if self.is_slow() {
            return None;
        }
        match tokio::time::timeout(LOAD, load).await {
            Ok(Ok(kept)) => {
                self.succeeded(Failing::Load);
                kept
            }
            Ok(Err(error)) => {
                self.failed(Failing::Load, &error);
                None
            }
            Err(_) => {
                // those that were loaded beside it say no more
                if !self.is_slow() {
                    tracing::warn!(store = self.store.name(), target_key = %key, "the store is slow, nothing is resumed for a while");
                }
                *self.slow_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + SLOW);
                None
            }
        }
    }

    fn is_slow(&self) -> bool {
        let until = *self.slow_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Carries out what was noted, every `pace` and once more after `stop`.
    pub(crate) async fn run(self: Arc<Self>, pace: Duration, stop: CancellationToken) {
        let mut next = Instant::now() + pace;
        let mut carry = async || {
            tokio::select! {
                () = tokio::time::sleep_until(next) => {
                    self.flush().await;
                    next = Instant::now() + pace;
                }
                () = self.are_enough.notified() => {}
            }
            self.flush_histories().await;
        };
        while stop.run_until_cancelled(carry()).await.is_some() {}
        let last = async {
            self.flush().await;
            self.flush_histories().await;
        };
        if tokio::time::timeout(LAST, last).await.is_err() {
            tracing::error!(store = self.store.name(), "the store hangs, the newest outlooks are not kept");
        }
    }

    async fn flush_histories(&self) {
        let waiting = std::mem::take(&mut *self.histories());
        if waiting.is_empty() {
            return;
        }
        match self.store.keep_histories(waiting.clone().into_iter().collect()).await {
            Ok(()) => self.succeeded(Failing::Keep),
            Err(error) => {
                self.failed(Failing::Keep, &error);
                let (pending, mut histories) = (self.pending(), self.histories());
                // what failed is tried again, unless the target was given up
                let is_wanted = |key: &TargetKey| pending.get(key).is_none_or(Option::is_some);
                histories.extend(waiting.into_iter().filter(|(key, _)| is_wanted(key)));
            }
        }
    }

    async fn flush(&self) {
        let pending = std::mem::take(&mut *self.pending());
        if pending.is_empty() {
            return;
        }
        let (mut kept, mut forgotten) = (Vec::new(), Vec::new());
        for (key, outlook) in &pending {
            match outlook {
                Some(outlook) => kept.push((key.clone(), self.with_memory(key, Arc::clone(outlook)))),
                None => forgotten.push(key.clone()),
            }
        }
        match self.carry_out(kept, forgotten).await {
            Ok(()) => self.succeeded(Failing::Keep),
            Err(error) => {
                self.failed(Failing::Keep, &error);
                // what failed is tried again, unless something newer has come
                let mut newer = self.pending();
                for (key, outlook) in pending {
                    newer.entry(key).or_insert(outlook);
                }
            }
        }
    }

    /// Most of the time one of the two is empty, and each is a write to a disk or a way over the network.
    async fn carry_out(&self, kept: Vec<(TargetKey, Kept)>, forgotten: Vec<TargetKey>) -> Result<(), StoreError> {
        if !kept.is_empty() {
            self.store.keep(kept).await?;
        }
        if !forgotten.is_empty() {
            self.store.forget(forgotten).await?;
        }
        Ok(())
    }

    fn with_memory(&self, key: &TargetKey, outlook: Arc<Outlook>) -> Kept {
        Kept { outlook, memory: (self.memories)(key) }
    }

    fn failed(&self, at: Failing, error: &StoreError) {
        self.failures.inc();
        self.up.set(0);
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *failing;
        *failing = if before == Some(Failing::Keep) { before } else { Some(at) };
        if before.is_none() {
            let (store, cause) = (self.store.name(), error as &dyn std::error::Error);
            tracing::error!(store, error = cause, "store failing, outlooks are kept in memory only");
        }
        self.readiness.note("store", Some(format!("{error}; outlooks are kept in memory only")));
    }

    /// A store that tells what it kept may still refuse to keep more; one that keeps also tells.
    fn succeeded(&self, at: Failing) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if at == Failing::Load && *failing == Some(Failing::Keep) {
            return;
        }
        self.up.set(1);
        if failing.take().is_some() {
            tracing::info!(store = self.store.name(), "store working again, outlooks are kept");
        }
        self.readiness.note("store", None);
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<TargetKey, Option<Arc<Outlook>>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn histories(&self) -> MutexGuard<'_, HashMap<TargetKey, HistoryUpdate>> {
        self.histories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Archive for Journal {
    fn load(&self, key: TargetKey) -> Pin<Box<dyn Future<Output = Option<KeptHistory>> + Send + '_>> {
        Box::pin(async move { self.loaded(&key, self.store.load_history(&key)).await })
    }

    fn has_room(&self, key: &TargetKey) -> bool {
        let waiting = self.histories();
        !waiting.contains_key(key) && samples(&waiting) < MOST_WAITING
    }

    fn keep(&self, key: &TargetKey, update: HistoryUpdate) {
        let mut waiting = self.histories();
        waiting.insert(key.clone(), update);
        if samples(&waiting) >= ENOUGH {
            self.are_enough.notify_one();
        }
    }
}

fn samples(updates: &HashMap<TargetKey, HistoryUpdate>) -> usize {
    updates.values().map(HistoryUpdate::samples).sum()
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("store", &self.store).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use series::{Load, Sample, Series, Step, Timestamp};

    use super::*;

    fn key() -> TargetKey {
        TargetKey { namespace: "shop".into(), name: "checkout".into(), digest: "0a".into() }
    }

    fn outlook() -> Arc<Outlook> {
        Arc::new(Outlook::first_seen(Timestamp::UNIX_EPOCH))
    }

    fn kept() -> Kept {
        Kept { outlook: outlook(), memory: Some("learned".into()) }
    }

    fn journal(store: Arc<dyn Store>) -> Journal {
        let (readiness, _) = Readiness::new(CancellationToken::new());
        Journal::new(store, Box::new(|_| Some("learned".into())), readiness, &mut Registry::default())
    }

    /// Keeps one outlook of everything, unless it is told to fail.
    #[derive(Debug, Default)]
    struct Moody {
        fails: Mutex<bool>,
        kept: Mutex<Option<Kept>>,
        histories: Mutex<Vec<HistoryUpdate>>,
    }

    impl Moody {
        fn answer<T: Send + 'static>(&self, value: T) -> Answer<'_, T> {
            let fails = *self.fails.lock().unwrap();
            let error = || StoreError::Defect("moody".to_owned());
            Box::pin(std::future::ready(if fails { Err(error()) } else { Ok(value) }))
        }
    }

    impl Store for Moody {
        fn load<'a>(&'a self, _: &'a TargetKey) -> Answer<'a, Option<Kept>> {
            self.answer(self.kept.lock().unwrap().clone())
        }

        fn keep(&self, mut targets: Vec<(TargetKey, Kept)>) -> Answer<'_, ()> {
            if !*self.fails.lock().unwrap() {
                *self.kept.lock().unwrap() = targets.pop().map(|(_, kept)| kept);
            }
            self.answer(())
        }

        fn load_history<'a>(&'a self, _: &'a TargetKey) -> Answer<'a, Option<KeptHistory>> {
            let updates = self.histories.lock().unwrap();
            let pages = updates.iter().flat_map(HistoryUpdate::pages).map(|page| page.samples).collect::<Vec<_>>();
            self.answer(KeptHistory::of(pages.into_iter(), None))
        }

        fn keep_histories(&self, updates: Vec<(TargetKey, HistoryUpdate)>) -> Answer<'_, ()> {
            if !*self.fails.lock().unwrap() {
                self.histories.lock().unwrap().extend(updates.into_iter().map(|(_, update)| update));
            }
            self.answer(())
        }

        fn forget(&self, _: Vec<TargetKey>) -> Answer<'_, ()> {
            if !*self.fails.lock().unwrap() {
                *self.kept.lock().unwrap() = None;
            }
            self.answer(())
        }

        fn name(&self) -> String {
            "moody".to_owned()
        }
    }

    #[tokio::test]
    async fn what_was_noted_is_kept_and_what_was_given_up_does_not_come_back() {
        let journal = journal(Arc::<Moody>::default());
        journal.note(&key(), outlook());
        assert_eq!(journal.load(&key()).await, Some(kept()), "it waits here");
        journal.flush().await;
        assert_eq!(journal.load(&key()).await, Some(kept()));

        journal.note(&key(), outlook());
        journal.forget(&key());
        assert_eq!(journal.load(&key()).await, None);
        journal.flush().await;
        assert_eq!(journal.load(&key()).await, None);

        journal.forget(&key());
        journal.note(&key(), outlook());
        journal.flush().await;
        assert_eq!(journal.load(&key()).await, Some(kept()), "it was seen again");
    }

    #[tokio::test]
    async fn what_a_failing_store_did_not_take_waits_and_is_taken_later() {
        let store = Arc::<Moody>::default();
        let journal = journal(Arc::clone(&store) as _);
        *store.fails.lock().unwrap() = true;
        journal.note(&key(), outlook());
        journal.flush().await;
        assert_eq!((journal.up.get(), journal.failures.get()), (0, 1));
        assert_eq!(journal.load(&key()).await, Some(kept()), "from memory");
        *store.fails.lock().unwrap() = false;
        journal.flush().await;
        assert_eq!(journal.up.get(), 1);
        assert!(journal.pending().is_empty());
        assert_eq!(*store.kept.lock().unwrap(), Some(kept()));
    }

    fn history(count: usize) -> Series {
        let samples = std::iter::repeat_n(Sample::Value(Load::ZERO), count);
        Series::from_samples(Timestamp::UNIX_EPOCH, Step::MINUTE, samples).unwrap()
    }

    fn whole(history: &Series) -> HistoryUpdate {
        HistoryUpdate::since(None, history, None).unwrap()
    }

    #[tokio::test]
    async fn a_history_waits_for_a_failing_store_and_no_more_of_them_than_there_is_room_for() {
        let store = Arc::<Moody>::default();
        let journal = journal(Arc::clone(&store) as _);
        *store.fails.lock().unwrap() = true;
        let long = history(MOST_WAITING);
        journal.keep(&key(), whole(&long));
        journal.flush_histories().await;
        assert_eq!((journal.up.get(), Archive::load(&journal, key()).await), (0, None));
        let other = TargetKey { name: "search".into(), ..key() };
        assert!(!journal.has_room(&other) && !journal.has_room(&key()));
        *store.fails.lock().unwrap() = false;
        journal.flush_histories().await;
        assert_eq!(Archive::load(&journal, key()).await.map(|kept| kept.history), Some(long));
        assert!(journal.has_room(&other) && journal.up.get() == 1);
    }

    #[tokio::test]
    async fn a_history_of_a_target_that_was_given_up_is_not_tried_again() {
        let store = Arc::<Moody>::default();
        let journal = journal(Arc::clone(&store) as _);
        journal.keep(&key(), whole(&history(10)));
        journal.forget(&key());
        journal.flush_histories().await;
        assert!(store.histories.lock().unwrap().is_empty());
        assert!(journal.has_room(&key()));
    }
}
