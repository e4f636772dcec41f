//! `prescale`: a KEDA external scaler that scales a workload before its load arrives. One page per command.

mod address;
mod backtest;
mod check;
mod demo;
mod explain;
mod forecast;
mod input;
#[cfg(test)]
mod reference;
mod serve;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The system's allocators keep for each thread what thousands of fits left there: with jemalloc the memory of many targets is half, and in a static
/// binary, whose own allocator has one lock, threads do not wait for each other.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Scale Kubernetes workloads before their load arrives: a KEDA external scaler with forecasts from Prometheus.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Backtest(Box<backtest::BacktestArgs>),
    /// Say what the external triggers in ScaledObject manifests would do, and everything wrong with them
    Check(check::CheckArgs),
    Demo(demo::DemoArgs),
    Explain(explain::ExplainArgs),
    Forecast(forecast::ForecastArgs),
    Serve(Box<serve::ServeArgs>),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Backtest(args) => until_the_reader_leaves(backtest::run(&args)),
        Command::Check(args) => until_the_reader_leaves(check::run(args)),
        Command::Demo(args) => until_the_reader_leaves(block_on(demo::run(args))),
        Command::Explain(args) => until_the_reader_leaves(block_on(explain::run(args))),
        Command::Forecast(args) => until_the_reader_leaves(forecast::run(&args)),
        Command::Serve(args) => serve::run(*args),
    };
    outcome.unwrap_or_else(|error| {
        // nothing is left to do where standard error is gone too
        let _ = writeln!(std::io::stderr(), "prescale: {error:#}");
        ExitCode::FAILURE
    })
}

/// A reader that has seen enough (`prescale check … | head`) is no failure of a command that prints.
fn until_the_reader_leaves(outcome: anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    outcome.or_else(|error| {
        let causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
        let has_left = causes.into_iter().any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe);
        if has_left { Ok(ExitCode::SUCCESS) } else { Err(error) }
    })
}

fn block_on(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
