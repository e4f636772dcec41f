//! `chat-backend load`: replays a trace of rates against a chat service, open loop: requests come when they come, however
//! slow the answers are.

mod arrivals;
mod client;
mod report;
mod trace;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use reqwest::Url;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};
use tracing::info;

use arrivals::Arrivals;
use client::Client;
use report::Report;
use trace::Trace;

/// How often the progress is told.
const PROGRESS: Duration = Duration::from_secs(10);

/// Replay a trace of request rates against a chat service.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Base URL of the service, without `/v1`
    #[arg(long, env = "CHAT_LOAD_TARGET", value_name = "URL")]
    target: Url,
    /// CSV whose last column is requests per second, one row per step
    #[arg(long, env = "CHAT_LOAD_TRACE", value_name = "FILE")]
    trace: PathBuf,
    /// Time between two rows of the trace, in seconds
    #[arg(long, env = "CHAT_LOAD_STEP_SECONDS", default_value_t = 60.0, value_parser = positive)]
    step_seconds: f64,
    /// Every rate times this
    #[arg(long, env = "CHAT_LOAD_SCALE", default_value_t = 1.0, value_parser = positive)]
    scale: f64,
    /// How much faster than the trace time passes; rates stay
    #[arg(long, env = "CHAT_LOAD_SPEED", default_value_t = 1.0, value_parser = positive)]
    speed: f64,
    /// Begin again at the end of the trace
    #[arg(long, env = "CHAT_LOAD_REPEAT")]
    repeat: bool,
    /// Ask for streamed answers
    #[arg(long, env = "CHAT_LOAD_STREAM")]
    stream: bool,
    /// Most requests at once; those beyond are counted and not sent
    #[arg(long, env = "CHAT_LOAD_MOST_IN_FLIGHT", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    most_in_flight: u32,
    /// How long one answer may take, in seconds
    #[arg(long, env = "CHAT_LOAD_TIMEOUT_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    timeout_seconds: u32,
    /// The same seed makes the same arrivals
    #[arg(long, env = "CHAT_LOAD_SEED", default_value_t = 1)]
    seed: u64,
}

/// Sends what the trace says, and prints what came of it as one line of JSON.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let file = settings.trace.display();
    let text = std::fs::read_to_string(&settings.trace).with_context(|| format!("{file} cannot be read"))?;
    let trace = Trace::parse(&text, settings.step_seconds / settings.speed, settings.scale)
        .with_context(|| format!("{file} is no trace"))?;
    let report = replay(settings, &trace).await?;
    println!("{}", serde_json::to_string(&report.summary())?);
    Ok(())
}

async fn replay(settings: &Settings, trace: &Trace) -> anyhow::Result<Report> {
    let timeout = Duration::from_secs(settings.timeout_seconds.into());
    let client = Arc::new(Client::new(&settings.target, settings.stream, timeout)?);
    let report = Arc::new(Report::default());
    let most = settings.most_in_flight;
    let places = Arc::new(Semaphore::new(usize::try_from(most)?));
    let (begin, mut told) = (Instant::now(), Instant::now());
    for (number, at) in Arrivals::new(trace, settings.seed, settings.repeat).enumerate() {
        let due = begin + at;
        while due.saturating_duration_since(told) > PROGRESS {
            told += PROGRESS;
            sleep_until(told).await;
            info!(progress = %serde_json::to_string(&report.summary())?, "sending");
        }
        sleep_until(due).await;
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            report.not_sent();
            continue;
        };
        let (client, report) = (Arc::clone(&client), Arc::clone(&report));
        tokio::spawn(async move {
            report.outcome(&client.chat(number).await);
            // the last place is free once nobody but the replay holds the report
            drop(report);
            drop(place);
        });
    }
    // every place is free again once the last answer is there
    drop(places.acquire_many(most).await?);
    Arc::into_inner(report).context("an answer is still under way")
}

fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "write a number".to_owned())?;
    if number > 0.0 && number.is_finite() { Ok(number) } else { Err("write a number above 0".to_owned()) }
}
