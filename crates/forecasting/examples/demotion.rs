//! Says how often the model that a fit chose is demoted for one that needs no model, and what that is worth.
//!
//! ```text
//! cargo run --release -p forecasting --example demotion -- 5m trace.csv...
//! ```
//!
//! A trace is a CSV of `timestamp,value` in seconds, a missing value empty; the first 28 days are walked sample by sample, each forecast from at most the 14 days before, at the lead
//! time given in minutes. Per trace: the share of time demoted, the mean pinball loss at .5, .9 and .99 with demotion over that without, and of both over persistence's.
#![expect(clippy::print_stdout, reason = "the report goes to stdout")]

mod trace;

use std::error::Error;
use std::time::Duration;

use forecasting::{Fitted, OnlineForecaster, Seasons, Settings, fit};
use jiff::tz::TimeZone;
use series::{ChoiceReason, Forecast, Load, ModelChoice, ModelName, Quantile, Sample, Series, Timestamp};

const LEVELS: [f64; 3] = [0.5, 0.9, 0.99];
const DAY: Duration = Duration::from_hours(24);
const LEARNED_DAYS: u32 = 14;
const WALKED_DAYS: u32 = 28;

#[derive(Debug, Default)]
struct Walk {
    with: f64,
    without: f64,
    persistence: f64,
    demoted: f64,
    demotions: u32,
    origins: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let minutes = arguments.next().ok_or("say the lead time in minutes")?;
    let lead_time = Duration::from_mins(minutes.trim_end_matches('m').parse()?);
    println!("share of time demoted, demotions, loss with over without, over persistence: with, without");
    for path in arguments {
        let Walk { with, without, persistence, demoted, demotions, origins } = walk(&trace::read(&path)?, lead_time)?;
        let (gain, best, plain) = (with / without, with / persistence, without / persistence);
        let share = demoted / origins;
        println!("{path}: {share:.4} {demotions} {gain:.4} {best:.3} {plain:.3}");
    }
    Ok(())
}

fn walk(trace: &Series, lead_time: Duration) -> Result<Walk, Box<dyn Error>> {
    let step = trace.step();
    let settings =
        |model| Settings { lead_time, model, timezone: TimeZone::UTC, seasons: Seasons::Found, horizon: None };
    let auto = settings(ModelChoice::Auto);
    let mut online = OnlineForecaster::new(auto.clone());
    let (mut chosen, mut persistence): (Option<Fitted>, Option<Fitted>) = (None, None);
    let mut history = Series::starting_at(trace.start(), step)?;
    let ahead = step.count_covering(lead_time) + 1;
    let mut walk = Walk::default();
    let mut was_demoted = false;
    for (origin, sample) in trace.samples().take(step.count_in(WALKED_DAYS * DAY)).enumerate() {
        history.push(sample);
        history.keep_newest(step.count_in(LEARNED_DAYS * DAY));
        let with = online.renew(&history, || ()).forecast;
        let without = renewed(&mut chosen, &history, &auto);
        let plain = renewed(&mut persistence, &history, &settings(ModelChoice::Fixed(ModelName::Persistence)));
        let is_demoted = online.verdict().is_some_and(|verdict| matches!(verdict.reason, ChoiceReason::Demoted { .. }));
        walk.demotions += u32::from(is_demoted && !was_demoted);
        was_demoted = is_demoted;
        let Some(Sample::Value(actual)) = trace.sample(origin + ahead) else { continue };
        if origin < step.count_in(3 * DAY) {
            continue;
        }
        let (Ok(with), Some(without), Some(plain)) = (with, without, plain) else { continue };
        walk.with += loss(&with, trace.time(origin + ahead), actual)?;
        walk.without += loss(&without, trace.time(origin + ahead), actual)?;
        walk.persistence += loss(&plain, trace.time(origin + ahead), actual)?;
        walk.demoted += f64::from(u8::from(is_demoted));
        walk.origins += 1.0;
    }
    Ok(walk)
}

/// As the service did without demotion.
fn renewed(fitted: &mut Option<Fitted>, history: &Series, settings: &Settings) -> Option<Forecast> {
    match fitted {
        None => *fitted = fit(history, settings).ok(),
        Some(model) => {
            model.learn(history);
            if model.is_due(history)
                && let Ok(new) = model.refit(history)
            {
                *model = new;
            }
        }
    }
    fitted.as_ref()?.forecast(history).ok()
}

fn loss(forecast: &Forecast, time: Timestamp, actual: Load) -> Result<f64, Box<dyn Error>> {
    let mut loss = 0.0;
    for level in LEVELS {
        let level = Quantile::new(level)?;
        let predicted = forecast.quantile(time, level).ok_or("a day is forecast")?;
        loss += level.pinball(actual.get(), predicted.get()) / LEVELS.len() as f64;
    }
    Ok(loss)
}
