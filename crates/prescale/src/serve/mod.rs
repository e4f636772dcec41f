//! `prescale serve`: the slow and the fast path in one process, with a local file for what must outlive it.

mod file;
mod journal;
mod options;
mod settings;
mod wiring;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use forecaster::Forecaster;
use ops::{Readiness, SystemClock, Tls};
use prometheus_client::registry::Registry;
use scaler::{Board, Defaults, Scaler};
use series::Clock;
use store::{OutlookFile, OutlookRedis, Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use file::ConfigFile;
use journal::Journal;
use options::Options;
use settings::Settings;
use wiring::{OnBoard, Targets};

/// Answer KEDA with forecasts from Prometheus.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// File with these options in camel case (`grpcAddress: 0.0.0.0:6000`), and with credentials (docs/configuration.md).
    /// Flags win over environment variables, and those over the file
    #[arg(long, env = "PRESCALE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    /// What this process does
    #[arg(long, env = "PRESCALE_ROLE", value_enum, default_value_t = Role::All)]
    role: Role,

    #[command(flatten)]
    options: Options,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Forecasts and answers KEDA
    All,
}

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let file = args.config.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
    let settings = Settings::parse(args.options, file)?;
    ops::init(&settings.log, settings.log_format)?;
    let stop = ops::on_signal().context("no signal handlers could be set up")?;
    match args.role {
        Role::All => all(settings, stop).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Both paths in one process, joined by the board.
async fn all(settings: Settings, stop: CancellationToken) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = store(&settings, clock.as_ref())?;
    let grpc = bind(settings.grpc_address, "--grpc-address").await?;
    let http = bind(settings.http_address, "--http-address").await?;
    let mut registry = Registry::default();
    let tls = settings.tls.map(|files| Tls::load(files, &mut registry)).transpose().context("no TLS can be spoken")?;
    let (readiness, starting) = Readiness::new(stop.clone());
    // what a killed process may lose: two refreshes, half a minute of which no restart needs
    let pace = 2 * settings.forecaster.refresh_interval;
    let journal = Arc::new(Journal::new(store, readiness.clone(), &mut registry));

    let defaults = Defaults { has_default_server: settings.forecaster.source.default_server.is_some() };
    let board = Arc::new(Board::default());
    let publish = OnBoard { board: Arc::clone(&board), journal: Arc::clone(&journal) };
    let forecaster = Forecaster::new(settings.forecaster, Arc::clone(&clock), Arc::new(publish), &mut registry)?;
    let targets = Targets { forecaster: Arc::clone(&forecaster), journal: Arc::clone(&journal) };
    let scaler = Arc::new(Scaler::new(board, Arc::new(targets), clock, defaults, &mut registry));

    tracing::info!(
        grpc = %grpc.local_addr()?, http = %http.local_addr()?, tls = tls.is_some(), role = "all", "listening"
    );
    if let Some(tls) = &tls {
        tokio::spawn(Arc::clone(tls).follow(stop.clone()));
    }
    let schedule = tokio::spawn(forecaster.run(stop.clone()));
    let keeping = tokio::spawn(journal.run(pace, stop.clone()));
    drop(starting);
    let served = tokio::try_join!(
        async {
            let connections = ops::incoming(grpc, tls);
            scaler::serve(connections, scaler, stop.clone()).await.context("KEDA cannot be served")
        },
        async { ops::serve(http, registry, readiness, stop.clone()).await.context("HTTP cannot be served") },
    );
    // where one of the servers broke down, the rest still ends as after a signal
    stop.cancel();
    schedule.await.context("the schedule of refreshes broke down")?;
    keeping.await.context("the keeper of the state broke down")?;
    served?;
    tracing::info!("stopped");
    Ok(())
}

/// Where outlooks are kept: in Redis where one is stated, and in a file otherwise.
fn store(settings: &Settings, clock: &dyn Clock) -> anyhow::Result<Arc<dyn Store>> {
    if let Some(redis) = settings.redis.clone() {
        return Ok(Arc::new(OutlookRedis::new(redis)?));
    }
    let file = OutlookFile::open(&settings.state, clock.now()).context("no state can be kept (--state DIR)")?;
    Ok(Arc::new(file))
}

async fn bind(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{address} ({option}) cannot be listened on"))
}
