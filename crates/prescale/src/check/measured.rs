//! [`Prometheus`]: what a real server says of a trigger: whether its query gives one series, how much history there is, how
//! regular it is, and what it costs to be ready a lead time ahead.

use std::time::Duration;

use anyhow::Context as _;
use forecaster::{Allowed, Source, SourceSettings};
use forecasting::Seasons;
use jiff::tz::TimeZone;
use policy::{Mode, Target};
use scaler::Readable;
use series::{Clock as _, Forecast, ForecastRequest, Load, ModelName, Quantile, Series, ServerAddress, Verdict};
use tokio::runtime::Runtime;

const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// A correlation below this tells of no season that a forecast could use.
const SEASONAL: f64 = 0.3;

/// A server that is asked in place of the ones that triggers name.
pub(super) struct Prometheus {
    source: Source,
    runtime: Runtime,
}

/// What was found out about one trigger.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Measured {
    pub(super) sentences: Vec<String>,
    pub(super) mistakes: Vec<String>,
}

impl Prometheus {
    pub(super) fn at(server: ServerAddress) -> anyhow::Result<Self> {
        let source = Source::new(SourceSettings::new(Some(server), Allowed::Only(Vec::new())))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { source, runtime: runtime.context("no runtime can be started")? })
    }

    /// What the server says of `target`, asked without the credentials that only a scaler has.
    pub(super) fn measure(&self, target: &Target) -> Measured {
        let mut request = target.request.clone();
        (request.query.server, request.query.credentials) = (None, None);
        let now = ops::SystemClock.now();
        let (observed, history) = self.runtime.block_on(async {
            (self.source.observe(&request.query, now).await, self.source.history(&request, now).await)
        });
        let mut measured = Measured::default();
        match observed {
            Ok(load) => measured.sentences.push(format!("Prometheus answers with one series: {load} now.")),
            Err(error) => measured.mistakes.push(format!("query: {error}")),
        }
        match history {
            Ok(history) => measured.sentences.extend(of_history(&history, &request, target)),
            // the same fault twice is one mistake
            Err(error) if measured.mistakes.is_empty() => {
                measured.mistakes.push(format!("query, over its history: {error}"));
            }
            Err(_) => {}
        }
        measured
    }
}

/// What there is to say of a history, and of forecasts made from it.
fn of_history(history: &Series, request: &ForecastRequest, target: &Target) -> Vec<String> {
    let length = request.step.duration().saturating_mul(u32::try_from(history.len()).unwrap_or(u32::MAX));
    let missing = 100.0 * (1.0 - history.known() as f64 / history.len().max(1) as f64);
    let whole = Readable(Duration::from_secs(length.as_secs()));
    let wanted = if length + DAY < request.history {
        format!(", of the {} asked for", Readable(request.history))
    } else {
        String::new()
    };
    let mut sentences = vec![format!("There are {whole} of history{wanted}, {missing:.1}% of the samples missing.")];
    sentences.push(seasons(history));
    if target.mode != Mode::Reactive {
        sentences.extend(forecasts(history, request, target));
    }
    sentences
}

/// How much the load is like that of a day and a week before.
fn seasons(history: &Series) -> String {
    let told = [("of the day before", DAY), ("of a week before", WEEK)].map(|(name, season)| {
        let like = correlation(history, season)?;
        let word = if like >= SEASONAL { "is like" } else { "is not like" };
        Some(format!("{word} that {name} (correlation {like:.2})"))
    });
    let told: Vec<_> = told.into_iter().flatten().collect();
    if told.is_empty() {
        "The history is too short to see whether days are like each other.".to_owned()
    } else {
        format!("The load {}.", told.join(", and "))
    }
}

/// Pearson's correlation of the loads with those a `season` before; `None` with less than a season of pairs, or where one side is constant.
fn correlation(history: &Series, season: Duration) -> Option<f64> {
    let lag = history.step().count_in(season);
    let pairs: Vec<(f64, f64)> = (lag..history.len())
        .filter_map(|index| Some((history.load(index - lag)?.get(), history.load(index)?.get())))
        .collect();
    if pairs.len() < lag.min(history.step().count_in(DAY)) {
        return None;
    }
    let count = pairs.len() as f64;
    let mean = |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).sum::<f64>() / count;
    let (before, after) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| of(x - before, y - after)).sum::<f64>();
    let spread = (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    (spread > 0.0).then(|| sum(&|x, y| x * y) / spread)
}

/// Which model forecasts it best, and what the lead time costs.
fn forecasts(history: &Series, request: &ForecastRequest, target: &Target) -> Vec<String> {
    let timezone = TimeZone::get(&request.timezone).unwrap_or(TimeZone::UTC);
    let settings = forecasting::Settings {
        lead_time: request.lead_time,
        model: request.model,
        timezone,
        seasons: Seasons::Found,
        horizon: None,
    };
    let made = forecasting::fit(history, &settings).and_then(|fitted| Ok((fitted.forecast(history)?, fitted)));
    match made {
        Ok((forecast, fitted)) => {
            let mut sentences = vec![of_verdict(fitted.verdict(), request)];
            sentences.extend(cost(&forecast, request, target));
            sentences
        }
        Err(why) => vec![format!("No forecast can be made yet: {why}.")],
    }
}

fn of_verdict(verdict: &Verdict, request: &ForecastRequest) -> String {
    let lead_time = Readable(request.lead_time);
    let chosen = format!("{} would forecast it {lead_time} ahead ({})", verdict.model, verdict.reason);
    let persistence = verdict.scores.iter().find(|score| score.model == ModelName::Persistence);
    match (verdict.score(), persistence) {
        (Some(own), Some(other)) if verdict.model != ModelName::Persistence && other.absolute_error > 0.0 => {
            let less = 100.0 * (1.0 - own.absolute_error / other.absolute_error);
            format!("{chosen}, with an error {less:.0}% smaller than if the last value went on.")
        }
        _ => format!("{chosen}."),
    }
}

/// The pods that are to stand ready beyond those expected to be needed, for the lead time there is and for a step.
fn cost(forecast: &Forecast, request: &ForecastRequest, target: &Target) -> Option<String> {
    let level = target.service_level.quantile();
    let spare = |ahead: Duration| -> Option<f64> {
        let time = forecast.origin().checked_add(ahead).ok()?;
        let read = |level: Quantile| forecast.quantile(time, level).map(Load::get);
        Some((read(level)? - read(Quantile::MEDIAN)?) / target.threshold.get())
    };
    let (at_lead, at_once) = (spare(request.lead_time)?, spare(request.step.duration())?);
    Some(format!(
        "To be sure to the {level} quantile a lead time of {} ahead costs {at_lead:.1} pods beyond those expected now; {} ahead it would cost {at_once:.1}.",
        Readable(request.lead_time),
        Readable(request.step.duration()),
    ))
}

#[cfg(test)]
mod tests {
    use series::{Sample, Step, Timestamp};

    use super::*;

    fn history(hours: u32, load: impl Fn(f64) -> f64) -> Series {
        let step = Step::from_seconds(600).unwrap();
        let samples = (0..hours * 6).map(|index| Sample::Value(Load::new(load(f64::from(index) / 6.0)).unwrap()));
        Series::from_samples(Timestamp::from_second(1_700_006_400).unwrap(), step, samples).unwrap()
    }

    fn wave(hour: f64) -> f64 {
        100.0 + 50.0 * (std::f64::consts::TAU * hour / 24.0).sin()
    }

    #[test]
    fn a_daily_wave_is_like_the_day_before_and_one_of_seventeen_hours_is_not() {
        assert!(correlation(&history(24 * 4, wave), DAY).unwrap() > 0.999);
        let other = |hour: f64| wave(hour * 24.0 / 17.0);
        assert!(correlation(&history(24 * 4, other), DAY).unwrap() < SEASONAL);
        assert_eq!(correlation(&history(24 * 4, wave), WEEK), None);
        assert_eq!(correlation(&history(24 * 4, |_| 5.0), DAY), None, "a constant is like anything");
    }

    #[test]
    fn a_history_is_told_with_its_length_its_seasons_its_model_and_what_the_lead_time_costs() {
        let metadata = [("query", "load"), ("threshold", "10"), ("serverAddress", "http://p"), ("queryStep", "10m")];
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let target = scaler::parse_target("shop", "checkout", &metadata, &scaler::Defaults::default()).unwrap();
        let told = of_history(&history(24 * 9, wave), &target.request, &target).join("\n");
        assert!(
            told.starts_with("There are 9d of history, of the 14d asked for, 0.0% of the samples missing.\n"),
            "{told}"
        );
        assert!(
            told.contains("is like that of the day before (correlation 1.00), and is like that of a week before"),
            "{told}"
        );
        assert!(told.contains("would forecast it 3m ahead"), "{told}");
        assert!(told.contains("a lead time of 3m ahead costs"), "{told}");
    }
}
