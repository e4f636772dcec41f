//! [`Reload`]: a configuration file that has changed takes effect without a restart, as far as it can.
//!
//! The file is looked at every few seconds, and at SIGHUP. One with mistakes changes nothing, and they are all told.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use forecaster::Forecaster;
use ops::{Hangups, Logging};
use scaler::Board;
use tokio_util::sync::CancellationToken;

use super::ServeArgs;
use super::file::ConfigFile;
use super::options::Options;
use super::settings::Settings;

/// How often the file is looked at: as often as certificates are.
const LOOK: Duration = Duration::from_secs(5);

/// Reads the configuration file anew.
pub(super) struct Reload {
    args: ServeArgs,
    /// The file as it was last read.
    text: String,
    /// What the process was started with.
    started: Options,
    logging: Logging,
    hangups: Hangups,
}

/// What a configuration takes effect on.
pub(super) struct Running {
    pub(super) board: Arc<Board>,
    /// In the roles that ask Prometheus.
    pub(super) forecaster: Option<Arc<Forecaster>>,
}

impl Reload {
    /// For a process that was started with `args`, when the file said `text`.
    ///
    /// # Errors
    /// Where no signal handler can be set up.
    pub(super) fn new(args: ServeArgs, text: String, logging: Logging) -> std::io::Result<Self> {
        let started = ConfigFile::parse(&text).map(|file| args.options.clone().over(file.options)).unwrap_or_default();
        Ok(Self { args, text, started, logging, hangups: Hangups::new()? })
    }

    /// Has what changes take effect on `running` until `stop`.
    pub(super) async fn follow(mut self, running: Running, stop: CancellationToken) {
        while stop.run_until_cancelled(self.look(&running)).await.is_some() {}
    }

    async fn look(&mut self, running: &Running) {
        let asked = tokio::select! {
            () = self.hangups.next() => true,
            () = tokio::time::sleep(LOOK) => false,
        };
        let Some(path) = self.args.config.clone() else {
            if asked {
                tracing::info!("SIGHUP: there is no configuration file to be read anew");
            }
            return;
        };
        match read(path).await {
            // at a signal what is wrong with it is told again
            Ok(text) if asked || text != self.text => {
                self.take(&text, running);
                self.text = text;
            }
            Ok(_) => {}
            // while it is replaced it may be gone for a moment
            Err(problem) if asked => tracing::error!(problem, "the configuration file cannot be read anew"),
            Err(problem) => tracing::debug!(problem, "the configuration file cannot be looked at"),
        }
    }

    /// Has `text` take effect, or nothing of it.
    fn take(&self, text: &str, running: &Running) {
        let parsed = ConfigFile::parse(text).and_then(|file| {
            let options = self.args.options.clone().over(file.options.clone());
            let settings = Settings::parse(self.args.role, self.args.options.clone(), file);
            settings.map(|settings| (options, settings)).map_err(|error| error.to_string())
        });
        let applied = parsed.and_then(|(options, settings)| self.apply(settings, running).map(|()| options));
        match applied {
            Ok(options) => {
                let waiting = self.started.fixed().into_iter().zip(options.fixed());
                let waiting: Vec<_> =
                    waiting.filter(|(before, now)| before != now).map(|((option, _), _)| option).collect();
                tracing::info!("the configuration file takes effect");
                if !waiting.is_empty() {
                    tracing::warn!(options = waiting.join(", "), "these take effect at the next start");
                }
            }
            Err(problem) => tracing::error!(problem, "the configuration of before stays in force"),
        }
    }

    fn apply(&self, settings: Settings, running: &Running) -> Result<(), String> {
        let Settings { limits, forecaster, log, .. } = settings;
        if let Some(running) = &running.forecaster {
            running.ask_by(forecaster.source).map_err(|error| error.to_string())?;
        }
        running.board.set_limits(limits);
        self.logging.filter(log);
        Ok(())
    }
}

async fn read(path: PathBuf) -> Result<String, String> {
    let reading = tokio::task::spawn_blocking(move || {
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    });
    reading.await.unwrap_or_else(|error| Err(error.to_string()))
}
