//! `prescale serve`: forecasts and answers KEDA, in one process or in one per role.

mod file;
mod journal;
mod options;
#[cfg(test)]
mod reference;
mod reload;
mod roles;
mod settings;
mod wiring;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use ops::Runtimes;
use tokio::runtime::Handle;

use file::ConfigFile;
use options::Options;
use reload::Reload;
use settings::Settings;

/// Answer KEDA with forecasts from Prometheus.
#[derive(Debug, Clone, Args)]
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
pub(crate) enum Role {
    /// Forecasts and answers KEDA
    All,
    /// Forecasts for scalers in other processes
    Forecaster,
    /// Answers KEDA with what forecasters in other processes tell
    Scaler,
}

/// Serves until SIGTERM or SIGINT.
pub(crate) fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let runtimes = Runtimes::start()?;
    runtimes.run(serve(args, runtimes.answers()))
}

async fn serve(args: ServeArgs, answers: Handle) -> anyhow::Result<ExitCode> {
    let (text, file) = args.config.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
    let role = args.role;
    let mut settings = Settings::parse(role, args.options.clone(), file)?;
    let log = ops::init(std::mem::take(&mut settings.log), settings.log_format)?;
    let stop = ops::on_signal().context("no signal handlers could be set up")?;
    let reload = Reload::new(args, text, log).context("no signal handlers could be set up")?;
    match role {
        Role::All => roles::all(settings, answers, reload, stop).await?,
        Role::Forecaster => roles::forecaster(settings, answers, reload, stop).await?,
        Role::Scaler => roles::scaler(settings, answers, reload, stop).await?,
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}
