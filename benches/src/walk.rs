//! One walk through a trace: at every origin each method says its quantiles from what was known then.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Context;
use series::{Quantile, Series};

use crate::engine::Engine;
use crate::naive::Naive;
use crate::peer::Peer;
use crate::rows::{LEVELS, Quantiles, Row};
use crate::trace::{Ahead, Trace};

/// What the service keeps of a history, and the most that any method is given.
const LONGEST: Duration = Duration::from_hours(14 * 24);

/// A method by the name that it has in the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[expect(missing_docs, reason = "the names say it, and the help of the command prints them")]
pub enum Method {
    Prescale,
    Persistence,
    SeasonalNaiveDay,
    SeasonalNaiveWeek,
    AugursAutoets,
    AugursMstlDay,
    AugursMstlWeek,
}

/// What came of a walk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Account {
    /// Origins that were asked.
    pub origins: usize,
    /// Origins without an answer.
    pub unanswered: usize,
    /// Fits, of a method that keeps them.
    pub fits: u32,
    /// The mean time of a fit, of a method that keeps them.
    pub fit: Duration,
    /// The mean time of an answer, apart from kept fits.
    pub answer: Duration,
}

/// Walks through `trace` and writes a row per horizon at every origin that `is_origin` says yes to.
///
/// # Errors
/// Where `output` fails.
pub fn walk(
    trace: &Trace,
    method: Method,
    lead_time: Duration,
    is_origin: impl Fn(usize) -> bool,
    output: &mut impl Write,
) -> anyhow::Result<Account> {
    let horizons = trace.horizons();
    let longest = trace.steps(LONGEST);
    let first = trace.first_origin();
    let mut history = Series::starting_at(trace.series.start(), trace.series.step())?;
    let mut engine = Engine::new(lead_time);
    let (mut account, mut answering) = (Account::default(), Duration::ZERO);
    let mut floor = 0.0_f64;
    for (origin, sample) in trace.series.samples().enumerate() {
        if trace.values[origin] < 0.0 {
            floor = f64::NEG_INFINITY;
        }
        if method == Method::Prescale {
            history.push(sample);
            history.keep_newest(longest);
            if origin >= first {
                engine.refresh(&history);
            }
        }
        if origin < first || !is_origin(origin) {
            continue;
        }
        let began = Instant::now();
        let answer = method.answer(trace, origin, &horizons, &engine, &history);
        let took = began.elapsed();
        account.origins += 1;
        answering += took;
        let Some(answer) = answer else {
            account.unanswered += 1;
            continue;
        };
        let name = clap::ValueEnum::to_possible_value(&method).context("every method has a name")?;
        for (ahead, quantiles) in horizons.iter().zip(answer) {
            let row = Row {
                trace: &trace.name,
                origin: trace.series.time(origin).as_second(),
                minutes: ahead.minutes,
                method: name.get_name(),
                quantiles,
                milliseconds: 1000.0 * (took + engine.newest_fit).as_secs_f64(),
            };
            row.write(output, floor)?;
        }
    }
    account.fits = engine.fits;
    account.fit = engine.fitting / engine.fits.max(1);
    account.answer = answering / u32::try_from(account.origins.max(1)).unwrap_or(u32::MAX);
    Ok(account)
}

impl Method {
    fn answer(
        self,
        trace: &Trace,
        origin: usize,
        horizons: &[Ahead],
        engine: &Engine,
        history: &Series,
    ) -> Option<Vec<Quantiles>> {
        match self {
            Self::Prescale => ours(engine, history, horizons),
            Self::Persistence => Naive::Persistence.forecast(trace, origin, horizons),
            Self::SeasonalNaiveDay => Naive::Day.forecast(trace, origin, horizons),
            Self::SeasonalNaiveWeek => Naive::Week.forecast(trace, origin, horizons),
            Self::AugursAutoets => Peer::AutoEts.forecast(trace, origin, horizons).ok(),
            Self::AugursMstlDay => Peer::MstlDay.forecast(trace, origin, horizons).ok(),
            Self::AugursMstlWeek => Peer::MstlWeek.forecast(trace, origin, horizons).ok(),
        }
    }
}

fn ours(engine: &Engine, history: &Series, horizons: &[Ahead]) -> Option<Vec<Quantiles>> {
    let forecast = engine.forecast(history).ok()?;
    let mut rows = Vec::with_capacity(horizons.len());
    for ahead in horizons {
        let time = history.step().shift(forecast.origin(), i64::try_from(ahead.steps).ok()?);
        let mut quantiles = Quantiles::default();
        for (quantile, level) in quantiles.iter_mut().zip(LEVELS) {
            *quantile = forecast.quantile(time, Quantile::new(level).ok()?)?.get();
        }
        rows.push(quantiles);
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::made_load;

    const LEAD_TIME: Duration = Duration::from_mins(5);
    const EVERY: usize = 701;

    /// The rows without their times.
    fn rows(trace: &Trace, method: Method) -> Vec<String> {
        let mut output = Vec::new();
        walk(trace, method, LEAD_TIME, |index| index % EVERY == 0, &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect()
    }

    #[test]
    fn what_came_later_changes_no_row() {
        let whole = made_load(5);
        let short = Trace::new("made", whole.until(whole.time(4 * 1440)));
        let whole = Trace::new("made", whole);
        for method in Method::value_variants() {
            let before = rows(&short, *method);
            assert_eq!(before.len(), 3 * (4 * 1440 / EVERY - 3 * 1440 / EVERY), "{method:?}");
            assert_eq!(rows(&whole, *method)[..before.len()], before, "{method:?}");
        }
    }
}
