//! What it costs to serve many targets: memory and processor time of refreshes, throughput and latency of answers beside those of an
//! empty handler, streams, and a restart. Asks a real `prescale serve`; writes markdown.
#![expect(clippy::print_stdout, reason = "the figures go to stdout")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use benches::serving::{
    Calls, Latencies, Process, Rpc, Usage, get, serve_empty, serve_prometheus, statistics, trigger,
};
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use wire::externalscaler::ScaledObjectRef;

/// What it costs to serve many targets.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    server: Option<Server>,

    /// How many targets; each count is measured with processes of its own
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1000, 10_000])]
    targets: Vec<usize>,

    /// The program
    #[arg(long, default_value = "target/release/prescale")]
    prescale: PathBuf,

    /// Core that the measured servers are held to; `taskset` holds this process to another
    #[arg(long)]
    core: Option<usize>,

    /// Seconds of steady refreshes that are measured, and of calls at a rate
    #[arg(long, default_value_t = 60)]
    seconds: u64,

    /// Pairs of rounds of as many calls as possible, of two seconds each
    #[arg(long, default_value_t = 5)]
    rounds: usize,

    /// Milliseconds that Prometheus takes for every answer
    #[arg(long, default_value_t = 2)]
    delay: u64,

    /// Seconds between two refreshes of a target
    #[arg(long, default_value_t = 30)]
    refresh: u64,

    /// Address of the made Prometheus; what is kept of a target is found again under the same one only
    #[arg(long, default_value = "127.0.0.1:0")]
    source: String,

    /// Keep the state in this folder; where there is some already, begin with the restart from it
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Server {
    /// Answer KEDA's calls with nothing
    Empty,
    /// Answer Prometheus' queries with a made load
    Prometheus {
        /// Milliseconds that every answer takes
        #[arg(long)]
        delay: u64,
        /// Where to listen
        #[arg(long)]
        address: String,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(server) = arguments.server {
        let address = if let Server::Prometheus { address, .. } = &server { address } else { "127.0.0.1:0" };
        let listener = TcpListener::bind(address).await?;
        println!("{}", listener.local_addr()?);
        return match server {
            Server::Empty => serve_empty(listener).await,
            Server::Prometheus { delay, .. } => serve_prometheus(listener, Duration::from_millis(delay)).await,
        };
    }
    for &targets in &arguments.targets {
        measure(&arguments, targets).await.with_context(|| format!("{targets} targets"))?;
    }
    Ok(())
}

/// Everything about so many targets, one line each.
async fn measure(arguments: &Arguments, targets: usize) -> anyhow::Result<()> {
    println!("\n| {targets} targets | |\n|---|---|");
    let own = std::env::current_exe()?;
    // it shares a core with the client, whose time is what is measured
    let mut command = Command::new("nice");
    command.args(["-n", "10"]).arg(&own);
    command.args(["prometheus", "--delay", &arguments.delay.to_string(), "--address", &arguments.source]);
    let (_prometheus, source) = Process::start_and_read(command, None)?;
    let triggers: Arc<Vec<_>> =
        Arc::new((0..targets).map(|index| trigger(index, &format!("http://{source}"))).collect());
    let passing = std::env::temp_dir().join(format!("prescale-load-{}", std::process::id()));
    let _removed = Removed(&passing);
    let state = arguments.state.clone().unwrap_or_else(|| passing.clone());
    let mut command = Command::new(&own);
    command.arg("empty");
    let (empty, empty_address) = Process::start_and_read(command, arguments.core)?;
    let beside = Calls::connect(&empty_address, Arc::clone(&triggers)).await?;
    if state.exists() {
        let prescale = restart(arguments, &state, &triggers, &source).await?;
        return answers(arguments, &prescale, (&empty, &beside)).await;
    }
    let prescale = Prescale::start(arguments, &state, &triggers).await?;

    first_histories(&prescale, targets, &source).await?;
    let steady = refreshes(&prescale, arguments, targets).await?;
    row("processor time of a refresh", &format!("{:.2} ms", millis(steady.per_refresh)));
    row("of one core, refreshed in time", &format!("{:.1} %", 100.0 * steady.busy));
    row(
        "memory",
        &format!(
            "{:.0} MiB, {:.0} KiB a target",
            mib(steady.usage.resident),
            steady.usage.resident as f64 / 1024.0 / targets as f64
        ),
    );
    row("most memory", &format!("{:.0} MiB", mib(steady.usage.most_resident)));
    answers(arguments, &prescale, (&empty, &beside)).await?;

    let began = Instant::now();
    anyhow::ensure!(prescale.process.terminate()?.success(), "it did not end well");
    row("stop", &format!("{:.1} s", began.elapsed().as_secs_f64()));
    drop(restart(arguments, &state, &triggers, &source).await?);
    Ok(())
}

/// How answers compare with those of an empty handler.
async fn answers(
    arguments: &Arguments,
    prescale: &Prescale,
    (empty, beside): (&Process, &Calls),
) -> anyhow::Result<()> {
    for rpc in [Rpc::GetMetrics, Rpc::IsActive] {
        throughput(rpc, (prescale, empty), beside, arguments.rounds).await?;
    }
    let time = Duration::from_secs(arguments.seconds / 2);
    for (what, calls) in [("empty handler", beside), ("prescale", &prescale.calls)] {
        let (latencies, failed) = calls.at_a_rate(1000, time).await;
        row(&format!("1,000 calls a second, {what}"), &told(&latencies, failed));
    }
    let streams = prescale.calls.open_streams(500.min(prescale.targets)).await?;
    let (latencies, failed) = prescale.calls.at_a_rate(1000, time).await;
    row(&format!("the same beside {} open streams", 2 * streams.len()), &told(&latencies, failed));
    Ok(())
}

/// Waits until every target has its whole history.
async fn first_histories(prescale: &Prescale, targets: usize, source: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut unknown: Vec<_> = (0..targets).collect();
    while !unknown.is_empty() {
        unknown = prescale.calls.unknown(unknown).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    row("every target answered", &format!("{:.1} s after the first question", began.elapsed().as_secs_f64()));
    // one fit of the newest piece, one of all of it
    prescale.fitted(2 * targets).await?;
    let busy = prescale.process.usage()?.busy;
    row(
        "every history of 14 days read and fitted",
        &format!(
            "{:.0} s, {:.1} ms of processor time each",
            began.elapsed().as_secs_f64(),
            millis(busy) / targets as f64
        ),
    );
    row("most queries at once", &statistics(source).await?.most_at_once.to_string());
    Ok(())
}

struct Steady {
    per_refresh: Duration,
    /// Of one core.
    busy: f64,
    usage: Usage,
}

/// What refreshes cost while nobody asks.
async fn refreshes(prescale: &Prescale, arguments: &Arguments, targets: usize) -> anyhow::Result<Steady> {
    // what was put off while histories were read is caught up with first
    tokio::time::sleep(Duration::from_secs(arguments.refresh)).await;
    let count = "prescale_refresh_duration_seconds_count";
    let (before, refreshed, began) = (prescale.process.usage()?, prescale.metric(count).await?, Instant::now());
    tokio::time::sleep(Duration::from_secs(arguments.seconds)).await;
    let (usage, took) = (prescale.process.usage()?, began.elapsed());
    let refreshed = prescale.metric(count).await? - refreshed;
    let busy = usage.busy.saturating_sub(before.busy);
    let due = targets as f64 * took.as_secs_f64() / arguments.refresh as f64;
    row("refreshes of those due", &format!("{:.0} %", 100.0 * refreshed / due));
    Ok(Steady { per_refresh: busy.div_f64(refreshed.max(1.0)), busy: busy.as_secs_f64() / took.as_secs_f64(), usage })
}

/// As many calls as go through, by turns to both.
async fn throughput(
    rpc: Rpc,
    (prescale, empty): (&Prescale, &Process),
    beside: &Calls,
    rounds: usize,
) -> anyhow::Result<()> {
    let time = Duration::from_secs(2);
    let mut ratios = Vec::new();
    let (mut own, mut other) = (Vec::new(), Vec::new());
    let mut spent = [Duration::ZERO; 2];
    let mut answers = [0; 2];
    for _ in 0..rounds {
        let mut rates = [0.0; 2];
        for (which, calls, process) in [(0, beside, empty), (1, &prescale.calls, &prescale.process)] {
            let before = process.usage()?.busy;
            let rate = calls.as_many_as_possible(rpc, time).await;
            anyhow::ensure!(rate.failed == 0, "{} calls failed", rate.failed);
            spent[which] += process.usage()?.busy.saturating_sub(before);
            answers[which] += rate.answered;
            rates[which] = rate.answered as f64 / rate.took.as_secs_f64();
        }
        other.push(rates[0]);
        own.push(rates[1]);
        ratios.push(rates[1] / rates[0]);
    }
    let micros = |which: usize| spent[which].as_secs_f64() * 1e6 / answers[which] as f64;
    let figures = format!(
        "{:.0} a second, empty handler {:.0}; ratio {:.2}; {:.0} and {:.0} µs of the server's processor time",
        median(own),
        median(other),
        median(ratios),
        micros(1),
        micros(0),
    );
    row(&format!("{rpc:?}, 32 at once"), &figures);
    Ok(())
}

/// Starts from what an earlier process kept, and waits until all of it is back.
async fn restart(
    arguments: &Arguments,
    state: &Path,
    triggers: &Arc<Vec<ScaledObjectRef>>,
    source: &str,
) -> anyhow::Result<Prescale> {
    let kept: u64 = std::fs::read_dir(state)?.map(|file| Ok(file?.metadata()?.len())).sum::<std::io::Result<u64>>()?;
    row(
        "state file",
        &format!("{:.0} MiB, {:.0} KB a target", mib(kept), kept as f64 / 1000.0 / triggers.len() as f64),
    );
    let ranges = statistics(source).await?.range;
    let began = Instant::now();
    let again = Prescale::start(arguments, state, triggers).await?;
    let ready = began.elapsed();
    // one is asked about again and again, beside the questions about all
    let calls = again.calls.clone();
    let first = tokio::spawn(async move {
        while !calls.unknown(vec![0]).await?.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        anyhow::Ok(began.elapsed())
    });
    let mut unknown: Vec<usize> = (0..triggers.len()).collect();
    while !unknown.is_empty() {
        unknown = again.calls.unknown(unknown).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    row(
        "restart: ready, an answer for one target, for every target",
        &format!(
            "{:.2} s, {:.2} s, {:.2} s",
            ready.as_secs_f64(),
            first.await??.as_secs_f64(),
            began.elapsed().as_secs_f64()
        ),
    );
    // one fit of all that was kept
    again.fitted(triggers.len()).await?;
    row(
        "restart: every history back",
        &format!(
            "{:.0} s; {:.1} range queries a target, at most {} queries at once",
            began.elapsed().as_secs_f64(),
            (statistics(source).await?.range - ranges) as f64 / triggers.len() as f64,
            statistics(source).await?.most_at_once
        ),
    );
    Ok(again)
}

/// A running `prescale serve`.
struct Prescale {
    process: Process,
    calls: Calls,
    http: String,
    targets: usize,
}

impl Prescale {
    async fn start(arguments: &Arguments, state: &Path, triggers: &Arc<Vec<ScaledObjectRef>>) -> anyhow::Result<Self> {
        let (grpc, http) = (free_address()?, free_address()?);
        let mut command = Command::new(&arguments.prescale);
        command.args(["serve", "--allow-server", "*", "--max-targets-per-namespace", "10000", "--log", "warn"]);
        command.args(["--grpc-address", &grpc, "--http-address", &http, "--state"]).arg(state);
        command.args(["--refresh-interval", &format!("{}s", arguments.refresh)]);
        let process = Process::start(command, arguments.core)?;
        while get(&http, "/readyz").await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let calls = Calls::connect(&grpc, Arc::clone(triggers)).await?;
        Ok(Self { process, calls, http, targets: triggers.len() })
    }

    /// Waits until there were so many fits.
    async fn fitted(&self, times: usize) -> anyhow::Result<()> {
        while self.metric("prescale_fit_duration_seconds_count").await? < times as f64 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = get(&self.http, "/metrics").await?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
        Ok(line.trim().parse()?)
    }
}

/// A folder that is removed when dropped.
struct Removed<'a>(&'a Path);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        // what is not there needs no removal
        drop(std::fs::remove_dir_all(self.0));
    }
}

/// An address that nobody listened on a moment ago.
fn free_address() -> anyhow::Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn row(what: &str, figures: &str) {
    println!("| {what} | {figures} |");
}

fn told(latencies: &Latencies, failed: usize) -> String {
    let micros = |quantile| latencies.value_at_quantile(quantile) / 1000;
    let errors = if failed > 0 { format!("; {failed} errors") } else { String::new() };
    format!("p50 {} µs, p99 {} µs, p99.9 {} µs{errors}", micros(0.5), micros(0.99), micros(0.999))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}
