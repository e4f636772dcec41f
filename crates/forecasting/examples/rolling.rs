//! Walks through a trace as the service would, and says how each model did against persistence.
//!
//! ```text
//! cargo run --release -p forecasting --example rolling -- trace.csv [every minutes, 17] [lead minutes, 5]
//! ```
//!
//! The trace is a CSV of `timestamp,value` in seconds, a missing value empty. Origins are taken after day 3, fits are renewed every 12
//! hours on at most the 14 days before. Per model and horizon: the mean pinball loss at .5, .9 and .99, as a multiple of that of
//! persistence, and the share of loads at or below the .9 and .99 quantiles.
#![expect(clippy::print_stdout, reason = "the report goes to stdout")]

use std::error::Error;
use std::time::{Duration, Instant};

use forecasting::{Seasons, Settings, fit};
use jiff::tz::TimeZone;
use series::{GapReason, Load, ModelChoice, ModelName, Quantile, Sample, Series, Step, Timestamp};

const LEVELS: [f64; 3] = [0.5, 0.9, 0.99];
const HORIZON_MINUTES: [u64; 3] = [5, 15, 60];
const DAY: Duration = Duration::from_hours(24);
const LONGEST: Duration = Duration::from_hours(14 * 24);

/// Sums over the origins at one horizon.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    loss: [f64; 3],
    covered: [f64; 3],
    count: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("name a trace: CSV of timestamp,value")?;
    let minutes = |place: usize, default: u64| arguments.get(place).map_or(Ok(default), |text| text.parse());
    let (every, lead) = (Duration::from_mins(minutes(1, 17)?), Duration::from_mins(minutes(2, 5)?));
    let trace = read(path)?;
    println!("{path}: {} samples every {}, {} known", trace.len(), trace.step(), trace.known());
    println!("{:<20} {:>4}  {:>19}  {:>13}", "model", "min", "loss .5   .9   .99", "cover .9  .99");
    let mut base = None;
    let choices = [ModelChoice::Fixed(ModelName::Persistence), ModelChoice::Auto];
    for choice in choices {
        let tallies = walk(&trace, choice, every, lead)?;
        let base = *base.get_or_insert(tallies);
        let name = match choice {
            ModelChoice::Auto => "auto",
            ModelChoice::Fixed(model) => model.as_str(),
        };
        for ((minutes, tally), base) in HORIZON_MINUTES.iter().zip(tallies).zip(base) {
            let of_base = |level: usize| (tally.loss[level] / tally.count) / (base.loss[level] / base.count);
            let covered = |level: usize| tally.covered[level] / tally.count;
            println!(
                "{name:<20} {minutes:>4}   {:>5.3} {:>5.3} {:>5.3}   {:>5.3} {:>6.4}  ({} origins)",
                of_base(0),
                of_base(1),
                of_base(2),
                covered(1),
                covered(2),
                tally.count
            );
        }
    }
    Ok(())
}

/// Every origin of the trace, asked as the service would ask.
fn walk(
    trace: &Series,
    choice: ModelChoice,
    every: Duration,
    lead_time: Duration,
) -> Result<[Tally; 3], Box<dyn Error>> {
    let step = trace.step();
    let settings =
        Settings { lead_time, model: choice, timezone: TimeZone::UTC, seasons: Seasons::Found, horizon: None };
    let mut tallies = [Tally::default(); 3];
    let mut fitted = None;
    let (mut fits, mut fit_time, mut forecasts, mut forecast_time, mut learn_time) =
        (0, Duration::ZERO, 0, Duration::ZERO, Duration::ZERO);
    let mut chosen = Vec::new();
    for origin in (step.count_in(3 * DAY)..trace.len()).step_by(step.count_in(every).max(1)) {
        let mut history = trace.until(trace.time(origin));
        history.keep_newest(step.count_in(LONGEST));
        if fitted.as_ref().is_none_or(|fitted: &forecasting::Fitted| fitted.is_due(&history)) {
            let began = Instant::now();
            let new = fitted.as_ref().map_or_else(|| fit(&history, &settings), |fitted| fitted.refit(&history));
            if let Ok(new) = new {
                (fits, fit_time) = (fits + 1, fit_time + began.elapsed());
                chosen.push(new.verdict().model);
                fitted = Some(new);
            }
        }
        let Some(fitted) = &mut fitted else { continue };
        let began = Instant::now();
        fitted.learn(&history);
        learn_time += began.elapsed();
        let began = Instant::now();
        let forecast = fitted.forecast(&history)?;
        (forecasts, forecast_time) = (forecasts + 1, forecast_time + began.elapsed());
        for (tally, minutes) in tallies.iter_mut().zip(HORIZON_MINUTES) {
            let ahead = step.count_covering(Duration::from_mins(minutes));
            let Some(Sample::Value(actual)) = trace.sample(origin + ahead) else { continue };
            tally.add(actual, |level| forecast.quantile(trace.time(origin + ahead), level));
        }
    }
    println!(
        "  {fits} fits of {:?}, {forecasts} forecasts of {:?}, learning {:?} each",
        fit_time / fits.max(1),
        forecast_time / forecasts.max(1),
        learn_time / forecasts.max(1)
    );
    if choice == ModelChoice::Auto {
        let count = |model| chosen.iter().filter(|&&one| one == model).count();
        println!("  chosen: {}", ModelName::ALL.map(|model| format!("{model} {}", count(model))).join(", "));
    }
    Ok(tallies)
}

impl Tally {
    fn add(&mut self, actual: Load, quantile: impl Fn(Quantile) -> Option<Load>) {
        let levels = LEVELS.map(|level| Quantile::new(level).ok());
        for (place, level) in levels.into_iter().enumerate() {
            let Some((level, predicted)) = level.and_then(|level| Some((level, quantile(level)?))) else { return };
            self.loss[place] += level.pinball(actual.get(), predicted.get());
            self.covered[place] += f64::from(u8::from(actual <= predicted));
        }
        self.count += 1.0;
    }
}

fn read(path: &str) -> Result<Series, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let mut rows = Vec::new();
    for line in text.lines().skip(1).filter(|line| !line.is_empty()) {
        let (timestamp, value) = line.split_once(',').ok_or("a row needs a timestamp and a value")?;
        let load = if value.is_empty() { None } else { Some(Load::new(value.parse()?)?) };
        rows.push((timestamp.parse::<i64>()?, load));
    }
    let [(first, _), (second, _), ..] = rows[..] else { return Err("a trace needs two rows".into()) };
    let step = Step::from_seconds(u32::try_from(second - first)?)?;
    let start = step.floor(Timestamp::from_second(first)?);
    let sample = |load: Option<Load>| load.map_or(Sample::Gap(GapReason::NoSample), Sample::Value);
    Ok(Series::from_samples(start, step, rows.into_iter().map(|(_, load)| sample(load)))?)
}
