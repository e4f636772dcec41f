//! [`Forecaster`]: the slow path of one process, from the targets it is told to watch to the outlooks it publishes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use prometheus_client::registry::Registry;
use series::{Clock, ForecastRequest, Outlook, TargetKey};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;

use crate::archive::Archive;
use crate::metrics::Metrics;
use crate::refresh::{Refresher, starting_outlook};
use crate::schedule::Schedule;
use crate::settings::{Settings, SetupError, SourceSettings};
use crate::source::Source;
use crate::target::Target;

/// Where outlooks go.
pub trait Publish: Send + Sync {
    /// Takes the newest outlook of `key`. Called from the slow path's tasks; must not block.
    fn publish(&self, key: &TargetKey, outlook: Arc<Outlook>);
}

/// The slow path of one process.
pub struct Forecaster {
    settings: Settings,
    refresher: Arc<Refresher>,
    targets: Mutex<HashMap<TargetKey, Arc<Target>>>,
    /// Targets seen for the first time, on their way to the schedule.
    newcomers: UnboundedSender<Weak<Target>>,
    /// The schedule's end of it, until it runs.
    arrivals: Mutex<Option<UnboundedReceiver<Weak<Target>>>>,
}

impl Forecaster {
    /// A forecaster that watches nothing yet, and begins with the histories in `archive` where there is one. Registers its metrics in `registry`, under their full names.
    ///
    /// # Errors
    /// [`SetupError`] with every mistake in the settings.
    pub fn new(
        settings: Settings,
        clock: Arc<dyn Clock>,
        publish: Arc<dyn Publish>,
        archive: Option<Arc<dyn Archive>>,
        registry: &mut Registry,
    ) -> Result<Arc<Self>, SetupError> {
        let metrics = Metrics::register(registry);
        let mut mistakes = settings.mistakes();
        let source = match Source::with_metrics(settings.source.clone(), Arc::clone(&metrics.source)) {
            Ok(source) if mistakes.is_empty() => source,
            Ok(_) => return Err(SetupError::new(mistakes)),
            Err(error) => {
                mistakes.extend(error.mistakes().iter().cloned());
                return Err(SetupError::new(mistakes));
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let refresher = Refresher {
            source: RwLock::new(Arc::new(source)),
            clock,
            publish,
            archive,
            metrics,
            fits: Semaphore::new(cores.div_ceil(2)),
        };
        let (newcomers, arrivals) = mpsc::unbounded_channel();
        Ok(Arc::new(Self {
            settings,
            refresher: Arc::new(refresher),
            targets: Mutex::default(),
            newcomers,
            arrivals: Mutex::new(Some(arrivals)),
        }))
    }

    /// Watches `key` from now on, beginning with the stored outlook `resume` where there is one, which is published at
    /// once: the first refresh comes as soon as there is a place, and ends as soon as the source lets it. Does nothing
    /// where `key` is watched with the same request already.
    pub fn watch(&self, key: &TargetKey, request: &ForecastRequest, resume: Option<Arc<Outlook>>) {
        let mut targets = self.targets();
        let known = targets.get(key);
        if known.is_some_and(|target| target.request == *request) {
            return;
        }
        if let Some(replaced) = known {
            replaced.forget();
        }
        let is_resumed = resume.is_some();
        let start = starting_outlook(resume, self.refresher.clock.now());
        if is_resumed {
            // before anyone can refresh the target: nothing older may come after what a refresh gives
            self.refresher.publish.publish(key, Arc::new(start.clone()));
        }
        let target =
            Arc::new(Target::new(key.clone(), request.clone(), self.refresher.source().settle(), start, is_resumed));
        let newcomer = Arc::downgrade(&target);
        targets.insert(key.clone(), target);
        self.refresher.metrics.set_targets(targets.len());
        // without a schedule, refreshes are called for one by one
        let _ = self.newcomers.send(newcomer);
    }

    /// Asks by other settings from now on, but for the server of targets that name none and for the time that samples take to settle. Questions under
    /// way end by those of before.
    ///
    /// # Errors
    /// [`SetupError`] with every mistake in them: those of before stay in force.
    pub fn ask_by(&self, settings: SourceSettings) -> Result<(), SetupError> {
        let (default_server, settle) = (self.settings.source.default_server.clone(), self.settings.source.settle);
        let settings = SourceSettings { default_server, settle, ..settings };
        let source = Source::with_metrics(settings, Arc::clone(&self.refresher.metrics.source))?;
        *self.refresher.source.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(source);
        Ok(())
    }

    /// Watches `key` no more: nothing is asked and nothing is published for it from now on.
    pub fn forget(&self, key: &TargetKey) {
        let mut targets = self.targets();
        if let Some(target) = targets.remove(key) {
            target.forget();
        }
        self.refresher.metrics.set_targets(targets.len());
    }

    /// One refresh of `key` now, or the end of the one under way; nothing where it is not watched.
    pub async fn refresh(&self, key: &TargetKey) {
        let target = self.targets().get(key).cloned();
        if let Some(target) = target {
            self.refresher.refresh(&target).await;
        }
    }

    /// Runs the schedule until `stop`: every target every refresh interval, a tenth more or less by chance. Refreshes
    /// under way are given up then. Runs once; a second call ends at once.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(arrivals) = arrivals else {
            tracing::error!("schedule already running");
            return;
        };
        let schedule = Schedule::new(Arc::clone(&self.refresher), &self.settings);
        schedule.run(arrivals, stop).await;
    }

    fn targets(&self) -> MutexGuard<'_, HashMap<TargetKey, Arc<Target>>> {
        // every change under the lock is one insertion or removal: a panic leaves nothing half done
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Forecaster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Forecaster").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
