//! Says how each model alone does against persistence on many traces, and how long a fit takes.
//!
//! ```text
//! cargo run --release -p forecasting --example members -- trace.csv... [--models theta,ridge]
//! ```
//!
//! A trace is a CSV of `timestamp,value` in seconds, a missing value empty. Origins are taken every 37 minutes after day 3 of at most the
//! first 28 days; fits are renewed every 12 hours on at most the 14 days before. Per trace and model: the mean pinball loss at .5, .9 and .99 as
//! a multiple of that of persistence, 5, 15 and 60 minutes ahead, and the time of a fit with its bands; at last their geometric means.
#![expect(clippy::print_stdout, reason = "the report goes to stdout")]

mod trace;

use std::error::Error;
use std::time::{Duration, Instant};

use forecasting::{Seasons, Settings, fit};
use jiff::tz::TimeZone;
use series::{ModelChoice, ModelName, Quantile, Sample, Series};

const LEVELS: [f64; 3] = [0.5, 0.9, 0.99];
const HORIZON_MINUTES: [u64; 3] = [5, 15, 60];
const EVERY: Duration = Duration::from_mins(37);
const LEAD_TIME: Duration = Duration::from_mins(5);
const DAY: Duration = Duration::from_hours(24);
const LEARNED_DAYS: u32 = 14;
const WALKED_DAYS: u32 = 28;

/// The mean loss at each horizon of one model on one trace, from so many origins.
#[derive(Debug, Clone, Copy, Default)]
struct Walk {
    loss: [f64; 3],
    counts: [f64; 3],
    fits: u32,
    fit_time: Duration,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let stated = arguments.iter().position(|argument| argument == "--models");
    let models: Vec<ModelName> = match stated.map(|place| arguments.split_off(place)) {
        Some(list) => list.get(1).ok_or("name the models")?.split(',').map(str::parse).collect::<Result<_, _>>()?,
        None => ModelName::ALL[1..].to_vec(),
    };
    let mut logarithms = vec![[0.0; 3]; models.len()];
    let mut traces = vec![0.0; models.len()];
    for path in &arguments {
        let trace = trace::read(path)?;
        println!("{path}: {} samples every {}, {} known", trace.len(), trace.step(), trace.known());
        let base = walk(&trace, ModelName::Persistence)?;
        for (place, &model) in models.iter().enumerate() {
            let walk = walk(&trace, model)?;
            // where a model lacks its data there is nothing to compare
            if walk.counts != base.counts {
                println!("  {model:<20} answered from {} of {} origins", walk.counts[0], base.counts[0]);
                continue;
            }
            let ratios: [f64; 3] = std::array::from_fn(|horizon| walk.loss[horizon] / base.loss[horizon]);
            print_ratios(model, ratios);
            println!("  {:.1?} a fit", walk.fit_time / walk.fits.max(1));
            for (sum, ratio) in logarithms[place].iter_mut().zip(ratios) {
                *sum += ratio.ln();
            }
            traces[place] += 1.0;
        }
    }
    println!("geometric means");
    for ((&model, sums), count) in models.iter().zip(&logarithms).zip(&traces) {
        print_ratios(model, sums.map(|sum| (sum / count).exp()));
        println!("  over {count} traces");
    }
    Ok(())
}

fn print_ratios(model: ModelName, ratios: [f64; 3]) {
    let [near, middle, far] = ratios;
    print!("  {model:<20} {near:>6.3} {middle:>6.3} {far:>6.3}");
}

/// Every origin of the trace, asked as the service would ask.
fn walk(trace: &Series, model: ModelName) -> Result<Walk, Box<dyn Error>> {
    let step = trace.step();
    let model = ModelChoice::Fixed(model);
    let settings =
        Settings { lead_time: LEAD_TIME, model, timezone: TimeZone::UTC, seasons: Seasons::Found, horizon: None };
    let mut walk = Walk::default();
    let mut fitted = None;
    let end = trace.len().min(step.count_in(WALKED_DAYS * DAY));
    for origin in (step.count_in(4 * DAY)..end).step_by(step.count_in(EVERY).max(1)) {
        let mut history = trace.until(trace.time(origin));
        history.keep_newest(step.count_in(LEARNED_DAYS * DAY));
        if fitted.as_ref().is_none_or(|fitted: &forecasting::Fitted| fitted.is_due(&history)) {
            let began = Instant::now();
            if let Ok(new) = fit(&history, &settings) {
                (walk.fits, walk.fit_time) = (walk.fits + 1, walk.fit_time + began.elapsed());
                fitted = Some(new);
            }
        }
        let Some(fitted) = &fitted else { continue };
        let forecast = fitted.forecast(&history)?;
        for (horizon, minutes) in HORIZON_MINUTES.into_iter().enumerate() {
            let ahead = step.count_covering(Duration::from_mins(minutes));
            let Some(Sample::Value(actual)) = trace.sample(origin + ahead) else { continue };
            for level in LEVELS {
                let level = Quantile::new(level)?;
                let predicted = forecast.quantile(trace.time(origin + ahead), level).ok_or("a day is forecast")?;
                walk.loss[horizon] += level.pinball(actual.get(), predicted.get());
            }
            walk.counts[horizon] += 1.0;
        }
    }
    Ok(walk)
}
