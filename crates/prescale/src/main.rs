//! `prescale`: a KEDA external scaler that scales a workload before its load arrives. One page per command.

mod check;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Scale Kubernetes workloads before their load arrives: a KEDA external scaler with forecasts from Prometheus.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what the external triggers in ScaledObject manifests would do, and everything wrong with them
    Check(check::CheckArgs),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Check(args) => check::run(args),
    };
    outcome.unwrap_or_else(|error| {
        // nothing is left to do where standard error is gone too
        let _ = writeln!(std::io::stderr(), "prescale: {error:#}");
        ExitCode::FAILURE
    })
}
