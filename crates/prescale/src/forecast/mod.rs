//! `prescale forecast FILE`: quantile forecasts of the series in a CSV, by the models that serve, for judging them on data of one's own.
//!
//! Reads a file or standard input and asks nobody. Nothing is forecast while the input has mistakes: all of them are told, by line.

mod ahead;
mod chart;
mod output;
mod plot;
#[cfg(test)]
mod tests;
mod work;

use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use forecasting::{Seasons, Settings, fit};
use jiff::tz::TimeZone;
use series::{Forecast, ModelChoice, ModelName, NoForecast, Quantile, Series, Step};

use self::ahead::Asked;
use self::plot::Plot;
use crate::input::{self, Named};

/// The levels unless stated: the deciles and the ends of 95 %.
const QUANTILES: &str = "0.025,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.975";
/// The levels between which the models know their quantiles.
const LEVELS: std::ops::RangeInclusive<f64> = 0.01..=0.999;
/// Columns of a chart where there is no terminal.
const PLAIN_WIDTH: usize = 100;
/// More steps ahead than this are no forecast.
const MOST_STEPS: u32 = 10_000;

/// Forecast the series in a CSV.
///
/// Three forms are read: `timestamp,value`; `unique_id,timestamp,value`, the rows of a series in rising order; and one series per row, an id and
/// then its values, under the header `V1,V2,…` (this one needs --step). Timestamps are seconds since 1970, RFC 3339, or without a zone in UTC. An empty
/// value, NA and NaN are unknown, as are times without a row. Gzip is unpacked.
///
/// Out comes `unique_id,h,timestamp,q0.025,…` with one row per series and step ahead, or per lead time; the row for h = 1 is one step after the last row
/// of the series.
#[derive(Debug, clap::Args)]
pub(crate) struct ForecastArgs {
    /// CSV with the series; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// How many steps ahead; up to the farthest lead time unless stated
    #[arg(long, value_name = "STEPS", required_unless_present = "lead_times",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_STEPS)))]
    horizon: Option<u32>,

    /// Write only the rows so long ahead, as in 5m,15m,1h: whole numbers of steps, none beyond the horizon
    #[arg(long, value_name = "DURATIONS", value_delimiter = ',', value_parser = ahead::parse)]
    lead_times: Vec<Duration>,

    /// Time from one value to the next, as in 5m or 1h; the least there is between two rows of a series unless stated
    #[arg(long, value_name = "DURATION", value_parser = parse_step)]
    step: Option<Step>,

    /// Levels of the quantiles, from 0.01 to 0.999
    #[arg(long, value_name = "LEVELS", value_delimiter = ',', default_value = QUANTILES, value_parser = parse_level)]
    quantiles: Vec<Quantile>,

    /// After how long the series repeat themselves, as in 24h,7d: these and no others; the day, the week and what is found unless stated
    #[arg(long, value_name = "DURATIONS", value_delimiter = ',', value_parser = parse_season)]
    season: Vec<Duration>,

    /// Which model forecasts; `auto` takes the one with the least quantile loss half of the horizon ahead, on the past of each series [default: periodic,
    /// and auto where the step, the history or --season does not allow it]
    #[arg(long, value_parser = parse_model)]
    model: Option<ModelChoice>,

    /// Time zone whose midnight begins a day, by its IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = parse_timezone)]
    timezone: TimeZone,

    /// Draw the end of each series and its forecast into this file as well, an SVG or a PNG by the end of its name; of many series
    /// the first 24
    #[arg(long, value_name = "FILE", value_parser = Plot::parse)]
    plot: Option<Plot>,

    /// Draw them in the terminal as well, on standard error; of many series the first 24
    #[arg(long)]
    chart: bool,

    /// How many series are worked on at once; as many as the machine has cores unless stated
    #[arg(long, value_name = "NUMBER")]
    threads: Option<NonZeroUsize>,
}

/// Forecasts the series: exit code 0 where all have a forecast, 1 where the input has mistakes or a series has none. Forecasts go to standard
/// output, everything else to standard error.
///
/// # Errors
/// Where the input cannot be read or the forecasts cannot be written.
pub(crate) fn run(args: &ForecastArgs) -> anyhow::Result<ExitCode> {
    let text = input::read_text(&args.file)?;
    let stderr = std::io::stderr();
    let shows_progress = stderr.is_terminal();
    let output = std::io::BufWriter::new(std::io::stdout().lock());
    Ok(ExitCode::from(u8::from(!forecast(args, &text, output, stderr.lock(), shows_progress)?)))
}

/// Whether every series has its forecast.
fn forecast(
    args: &ForecastArgs,
    text: &str,
    mut stdout: impl Write,
    mut stderr: impl Write,
    shows_progress: bool,
) -> std::io::Result<bool> {
    let named = match input::read(text, args.step) {
        Ok(named) => named,
        Err(mistakes) => {
            input::tell(&mistakes, "nothing was forecast", &mut stderr)?;
            return Ok(false);
        }
    };
    let Some(asked) = asked(args, &named, &mut stderr)? else { return Ok(false) };
    // one series is done before a line of progress is read
    let shows_progress = shows_progress && named.len() > 1;
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let outcomes = work::all(
        &named,
        threads,
        |place, series| args.forecast(series, &asked[place]),
        |done| {
            if shows_progress {
                // nothing is lost with a line of progress
                let _ = write!(stderr, "\r{done} of {} series", named.len());
            }
        },
    );
    if shows_progress {
        writeln!(stderr)?;
    }
    output::header(&mut stdout, &args.quantiles)?;
    let mut complete = true;
    let mut drawn = Vec::new();
    for ((one, asked), outcome) in named.iter().zip(&asked).zip(outcomes) {
        match outcome {
            Ok(forecast) => {
                output::rows(&mut stdout, one, &forecast, asked, &args.quantiles)?;
                if (args.plot.is_some() || args.chart) && drawn.len() < plot::MOST_SERIES {
                    drawn.push((one, forecast));
                }
            }
            Err(reason) => {
                complete = false;
                writeln!(stderr, "error: series {:?} has no forecast: {reason}", one.id)?;
            }
        }
    }
    stdout.flush()?;
    if args.chart {
        let width = crossterm::terminal::size().map_or(PLAIN_WIDTH, |(columns, _)| usize::from(columns));
        for (named, forecast) in &drawn {
            chart::draw(&mut stderr, named, forecast, width)?;
        }
    }
    if let Some(plot) = &args.plot {
        plot.write(&drawn)?;
    }
    Ok(complete)
}

/// What is asked of each series; `None`, with the reasons told, where that is no whole number of its steps.
fn asked(args: &ForecastArgs, named: &[Named], stderr: &mut impl Write) -> std::io::Result<Option<Vec<Asked>>> {
    let mut asked = Vec::with_capacity(named.len());
    for one in named {
        match Asked::of(args.horizon, &args.lead_times, one.series.step()) {
            Ok(steps) => asked.push(steps),
            Err(mistake) => writeln!(stderr, "error: series {:?}: {mistake}", one.id)?,
        }
    }
    let complete = asked.len() == named.len();
    if !complete {
        writeln!(stderr, "nothing was forecast")?;
    }
    Ok(complete.then_some(asked))
}

impl ForecastArgs {
    /// Over many steps the periodic autoregression is the best there is by far, and too few origins tell that in a rehearsal.
    fn forecast(&self, series: &Series, asked: &Asked) -> Result<Forecast, NoForecast> {
        let ask = |model| fit(series, &self.settings(series.step(), asked, model))?.forecast(series);
        match self.model {
            Some(model) => ask(model),
            None if !self.seasons().are_day_and_week() => ask(ModelChoice::Auto),
            None => match ask(ModelChoice::Fixed(ModelName::PeriodicAutoregression)) {
                Err(NoForecast::UnsuitedStep { .. } | NoForecast::TooLittleHistory { .. }) => ask(ModelChoice::Auto),
                outcome => outcome,
            },
        }
    }

    fn seasons(&self) -> Seasons {
        if self.season.is_empty() { Seasons::Found } else { Seasons::Stated(self.season.clone()) }
    }

    fn settings(&self, step: Step, asked: &Asked, model: ModelChoice) -> Settings {
        Settings {
            lead_time: step.duration().saturating_mul(asked.horizon() / 2),
            model,
            timezone: self.timezone.clone(),
            seasons: self.seasons(),
            horizon: Some(step.duration().saturating_mul(asked.horizon())),
        }
    }
}

/// A time in pictures, to the minute.
fn minute(second: i64) -> String {
    series::Timestamp::from_second(second).unwrap_or_default().strftime("%Y-%m-%d %H:%M").to_string()
}

fn parse_step(text: &str) -> Result<Step, String> {
    let duration = scaler::parse_duration(text).map_err(|error| error.to_string())?;
    let whole = duration == Duration::from_secs(duration.as_secs());
    let seconds = u32::try_from(duration.as_secs()).ok().filter(|_| whole);
    seconds.and_then(|seconds| Step::from_seconds(seconds).ok()).ok_or_else(|| series::StepError.to_string())
}

fn parse_season(text: &str) -> Result<Duration, String> {
    let season = scaler::parse_duration(text).map_err(|error| error.to_string())?;
    if season.is_zero() { Err("a season takes some time, such as 24h".to_owned()) } else { Ok(season) }
}

fn parse_level(text: &str) -> Result<Quantile, String> {
    let level: f64 = text.trim().parse().map_err(|_| "it must be a number such as 0.9".to_owned())?;
    let known = Quantile::new(level).ok().filter(|level| LEVELS.contains(&level.get()));
    known.ok_or_else(|| "it must lie from 0.01 to 0.999".to_owned())
}

fn parse_model(text: &str) -> Result<ModelChoice, String> {
    if text == "auto" {
        return Ok(ModelChoice::Auto);
    }
    text.parse::<ModelName>().map(ModelChoice::Fixed).map_err(|error| format!("{error}, or auto"))
}

fn parse_timezone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|error| error.to_string())
}
