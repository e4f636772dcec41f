//! `prescale demo`: one day of an invented chat service in half a minute, scaled by Prescale and by a plain HPA.
//!
//! Everything of Prescale's is the real thing: the forecaster reads two weeks of history over HTTP from a server that
//! speaks Prometheus' API, the scaler answers over gRPC. What is invented is around them: the load (`demand`), the
//! HPA and the pods (the `simulator` crate), and the time, which runs in steps of 15 seconds.

pub(crate) mod clock;
mod day;
mod demand;
mod hindsight;
mod keda;
mod prometheus;
mod record;
mod setup;
pub(crate) mod stage;
mod view;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use day::Pace;
use demand::{Demand, HISTORY_DAYS};
use prometheus::Outage;
use setup::Setup;
use stage::Stage;
use view::{Show, Summary, summary};

/// What shells report of a process that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Watch one simulated day of a chat service, scaled by Prescale and by a plain HPA.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Decides the chance in the load: the same seed makes the same day
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,

    /// How many simulated minutes pass in a second
    #[arg(long, default_value = "48", value_name = "MINUTES", value_parser = parse_speed)]
    speed: f64,

    /// Run as fast as the machine can
    #[arg(long, conflicts_with = "speed")]
    fast: bool,

    /// Where the status page is served [default: 127.0.0.1:8080, or a free port where that is taken]
    #[arg(long, value_name = "IP:PORT")]
    http_address: Option<SocketAddr>,

    /// Hours of the day in which Prometheus fails, to see what becomes of the plan (13:00-14:30)
    #[arg(long, value_name = "FROM-TO", value_parser = Outage::parse)]
    outage: Option<Outage>,

    /// Go on serving the page after the day has ended, until Ctrl-C
    #[arg(long)]
    stay: bool,
}

/// Plays the day, shows it on standard output, and ends with a table.
///
/// # Errors
/// Where a local port cannot be used, standard output is gone, or a part of Prescale breaks down.
pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let stop = ops::on_signal().context("no signal handlers could be set up")?;
    tokio::select! {
        played = play(&args) => played.map(|()| ExitCode::SUCCESS),
        // what was shown is dropped with it, and gives the cursor back
        () = stop.cancelled() => Ok(ExitCode::from(INTERRUPTED)),
    }
}

async fn play(args: &DemoArgs) -> anyhow::Result<()> {
    let setup = Setup::of_the_examples()?;
    let demand = Arc::new(Demand::invent(args.seed));
    let listener = listen(args.http_address).await?;
    writeln!(io::stdout(), "Status page: http://{}", listener.local_addr()?)?;
    writeln!(
        io::stdout(),
        "An invented chat service (seed {}): Prescale learns from {HISTORY_DAYS} days of its load …",
        args.seed
    )?;
    let mut stage = Stage::set(&setup, Arc::clone(&demand), args.outage, listener).await?;
    writeln!(io::stdout(), "… and then scales the next day, next to a plain HPA on the same load.\n")?;

    let pace = if args.fast { Pace::Free } else { Pace::MinutesPerSecond(args.speed) };
    let mut show = Show::open()?;
    let outcome =
        day::play(&setup, &demand, &mut stage, Demand::ticks(), pace, |frame, last| show.show(frame, last)).await?;
    drop(show);
    let tuned = hindsight::tuned(&setup, &demand, outcome.prescale.short_time)?;
    let day::Outcome { prescale, reactive, short_in_burst } = outcome;
    let day = Summary { setup: &setup, prescale, reactive, short_in_burst, burst_began: Demand::burst().0, tuned };
    write!(io::stdout(), "{}", summary(&day))?;
    if args.stay {
        writeln!(io::stdout(), "\nThe status page stays until Ctrl-C.")?;
        std::future::pending::<()>().await;
    }
    Ok(())
}

/// Where the page is served: at the address that was asked for and nowhere else, or at the usual one where that is free.
async fn listen(address: Option<SocketAddr>) -> anyhow::Result<TcpListener> {
    let usual = SocketAddr::from(([127, 0, 0, 1], 8080));
    match (TcpListener::bind(address.unwrap_or(usual)).await, address) {
        (Ok(listener), _) => Ok(listener),
        (Err(error), Some(address)) => {
            Err(error).with_context(|| format!("{address} (--http-address) cannot be listened on"))
        }
        (Err(_), None) => Ok(stage::local_port().await?.0),
    }
}

fn parse_speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.1..=10_000.0).contains(&speed) { Ok(speed) } else { Err("must lie from 0.1 to 10000".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_that_never_ends_or_is_none_is_refused() {
        for text in ["0", "-1", "NaN", "inf", "0.05", "fast", ""] {
            assert!(parse_speed(text).is_err(), "{text}");
        }
        assert_eq!(parse_speed("48"), Ok(48.0));
    }
}
