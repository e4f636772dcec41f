//! The load to test on: from a CSV, or straight from a Prometheus.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use forecaster::{Allowed, Source, SourceSettings};
use series::{Clock as _, ForecastRequest, ModelChoice, PrometheusQuery, Seasons, Series, ServerAddress, Step};

use crate::input;

/// The load in a CSV of `timestamp,value`; `None`, with every mistake told, where it has some.
///
/// A row says what the load was from its time until the next row's; it was known at the end of that.
pub(super) fn of_trace(path: &Path, step: Option<Step>, stderr: &mut impl Write) -> anyhow::Result<Option<Series>> {
    let text = input::read_text(path)?;
    let named = match input::read(&text, step) {
        Ok(named) => named,
        Err(mistakes) => {
            input::tell(&mistakes, "nothing was tested", stderr)?;
            return Ok(None);
        }
    };
    let [one] = named.as_slice() else {
        writeln!(stderr, "error: {} holds {} series; a backtest takes one", input::name(path), named.len())?;
        return Ok(None);
    };
    if !one.timed {
        writeln!(stderr, "error: {}: write the load as timestamp,value", input::name(path))?;
        return Ok(None);
    }
    let step = one.series.step();
    let known_at = step.shift(one.series.start(), 1);
    Ok(Some(Series::from_samples(known_at, step, one.series.samples())?))
}

/// What to ask of which Prometheus.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) server: ServerAddress,
    pub(super) query: String,
    pub(super) since: Duration,
    pub(super) step: Step,
}

/// The load as a Prometheus tells it, chunk by chunk.
pub(super) fn of_prometheus(asked: &Asked) -> anyhow::Result<Series> {
    let source = Source::new(SourceSettings::new(Some(asked.server.clone()), Allowed::Only(Vec::new())))?;
    let request = ForecastRequest {
        query: PrometheusQuery { server: None, ..PrometheusQuery::new(asked.query.clone()) },
        step: asked.step,
        history: asked.since,
        lead_time: Duration::ZERO,
        model: ModelChoice::Auto,
        seasons: Seasons::Found,
        timezone: "UTC".to_owned(),
        forecast_wanted: true,
        replicas_query: None,
    };
    let history = source.history(&request, ops::SystemClock.now());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(history).with_context(|| asked.server.to_string())
}

/// A threshold that would make the load need twenty pods in the mean, to two digits.
pub(super) fn suggested_threshold(load: &Series) -> Option<f64> {
    let amounts: Vec<f64> = (0..load.len()).filter_map(|index| Some(load.load(index)?.get())).collect();
    let mean = amounts.iter().sum::<f64>() / amounts.len().max(1) as f64;
    let each = mean / 20.0;
    if each < 0.001 {
        return None;
    }
    let digit = 10.0_f64.powf(each.log10().floor() - 1.0);
    Some((each / digit).round() * digit)
}
