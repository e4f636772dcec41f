//! Forecasts the M4 Hourly set by `prescale forecast`, scores it, and times it against augurs in the same run, one thread each.
#![expect(clippy::print_stdout, reason = "the table goes to stdout")]

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use benches::m4::{HORIZON, Hourly, LEVELS, Quantiles, Scores, parse_forecasts, read, score, text};
use benches::peer;
use clap::Parser;

/// No series may come out worse than its seasonal naive forecast by more than this factor.
const WORST: f64 = 20.0;
/// Between these stands the table in a document.
const MARKERS: (&str, &str) = ("<!-- M4 -->", "<!-- /M4 -->");
/// The day and the week, in hours.
const PERIODS: [usize; 2] = [24, 168];

/// Forecasts the M4 Hourly set by `prescale forecast`, scores it, and times it against augurs in the same run, one thread each.
///
/// Our time is that of the whole command (start, reading, writing); augurs' that of its fits and forecasts alone. The best of --repeats counts.
/// Exit code 1 where a series has no forecast or one 20 times worse than its seasonal naive one.
#[derive(Debug, Parser)]
struct Arguments {
    /// Directory with the two CSV files of the set, packed as .gz or not
    #[arg(long, env = "PRESCALE_M4")]
    m4: PathBuf,

    /// The command to measure; the `prescale` beside this program unless stated
    #[arg(long)]
    prescale: Option<PathBuf>,

    /// Where our forecasts are kept
    #[arg(long)]
    output: Option<PathBuf>,

    /// File whose part between the markers `<!-- M4 -->` and `<!-- /M4 -->` becomes the table
    #[arg(long)]
    document: Option<PathBuf>,

    /// How often both are timed
    #[arg(long, default_value_t = 3)]
    repeats: u32,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let set = read(&arguments.m4)?;
    let train = text(&arguments.m4, "hourly_train.csv")?;
    let beside = std::env::current_exe()?.with_file_name("prescale");
    let prescale = arguments.prescale.unwrap_or(beside);
    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    let (mut written, mut peers) = (String::new(), HashMap::new());
    for _ in 0..arguments.repeats.max(1) {
        let began = Instant::now();
        written = forecast(&prescale, &train)?;
        ours = ours.min(began.elapsed());
        let began = Instant::now();
        peers = set.iter().map(augurs).collect::<anyhow::Result<_>>()?;
        theirs = theirs.min(began.elapsed());
    }
    if let Some(path) = arguments.output {
        std::fs::write(&path, &written).with_context(|| path.display().to_string())?;
    }
    let forecasts = parse_forecasts(&written)?;
    let each = |whole: Duration| 1000.0 * whole.as_secs_f64() / set.len() as f64;
    let ratios = set.iter().map(|series| (series.loss(&forecasts[&series.id]) / series.naive_loss(), &series.id));
    let (ratio, id) = ratios.max_by(|one, other| one.0.total_cmp(&other.0)).context("no series")?;
    let holds = ratio <= WORST;
    let table = [
        format!("| {} series | sMAPE | MASE | OWA | WQL | SQL | covers 80 % | covers 95 % | MSIS | ms each |", set.len()),
        "|---|---|---|---|---|---|---|---|---|---|".to_owned(),
        row("**prescale forecast**", scores(&set, &forecasts)?, each(ours)),
        row("augurs MSTL[24,168] + AutoETS", scores(&set, &peers)?, each(theirs)),
        String::new(),
        format!("{:.1} times as fast as augurs. Worst series against its seasonal naive forecast: {id}, {ratio:.2} times its loss.", theirs.as_secs_f64() / ours.as_secs_f64()),
    ]
    .join("\n");
    println!("{table}");
    if let Some(path) = arguments.document {
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let (before, rest) = text.split_once(MARKERS.0).context("no marker <!-- M4 -->")?;
        let (_, after) = rest.split_once(MARKERS.1).context("no marker <!-- /M4 -->")?;
        std::fs::write(&path, format!("{before}{}\n{table}\n{}{after}", MARKERS.0, MARKERS.1))?;
    }
    ensure!(holds, "{id} has a loss of {ratio:.2} times its seasonal naive forecast's; {WORST} at most is allowed");
    Ok(())
}

/// What the command writes for the training part.
fn forecast(prescale: &Path, train: &str) -> anyhow::Result<String> {
    let horizon = HORIZON.to_string();
    let mut command = Command::new(prescale);
    command.args(["forecast", "-", "--step", "1h", "--threads", "1", "--horizon", &horizon]);
    let levels = LEVELS.map(|level| level.to_string()).join(",");
    let started = command.args(["--quantiles", &levels]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = started.with_context(|| prescale.display().to_string())?;
    // it reads everything before it writes anything
    child.stdin.take().context("a pipe")?.write_all(train.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "prescale forecast ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

fn augurs(series: &Hourly) -> anyhow::Result<(String, Quantiles)> {
    let steps: Vec<usize> = (1..=HORIZON).collect();
    let quantiles = peer::mstl(&series.train, PERIODS.to_vec(), &steps, LEVELS).map_err(anyhow::Error::from_boxed)?;
    Ok((series.id.clone(), quantiles))
}

fn scores(set: &[Hourly], forecasts: &HashMap<String, Quantiles>) -> anyhow::Result<Scores> {
    let pair = |series| -> anyhow::Result<_> {
        let series: &Hourly = series;
        let forecast = forecasts.get(&series.id).with_context(|| format!("{} has no forecast", series.id))?;
        ensure!(forecast.len() == HORIZON, "{} has {} steps", series.id, forecast.len());
        Ok((series, forecast))
    };
    Ok(score(set.iter().map(pair).collect::<anyhow::Result<Vec<_>>>()?.into_iter()))
}

fn row(name: &str, scores: Scores, milliseconds: f64) -> String {
    let Scores { smape, mase, owa, wql, sql, cover80, cover95, msis } = scores;
    let (cover80, cover95) = (100.0 * cover80, 100.0 * cover95);
    format!(
        "| {name} | {smape:.4} | {mase:.4} | {owa:.4} | {wql:.4} | {sql:.4} | {cover80:.2} | {cover95:.2} | {msis:.4} | {milliseconds:.2} |"
    )
}
