//! [`Accuracy`]: how far off the forecasts made a lead time ago were.

use std::collections::VecDeque;
use std::time::Duration;

use series::{Forecast, Load, Quantile, Series, Timestamp};

/// Forecasts that came true this much before the newest one count no more: what an operator calls lately.
const LATELY: Duration = Duration::from_secs(3600);

const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Most forecasts remembered, due or not: an hour of seconds and some lead time. The oldest go first.
const MOST: usize = 8192;

/// Medians that are due, and the errors of those that came true lately.
#[derive(Debug, Default)]
pub(crate) struct Accuracy {
    /// Grid times ahead and the medians foretold for them, in time order.
    due: VecDeque<(Timestamp, Load)>,
    /// Times and absolute errors of what came true, in time order.
    errors: VecDeque<(Timestamp, f64)>,
    /// What to say until the first forecast came true: from before a restart.
    before: Option<f64>,
}

impl Accuracy {
    /// Begins with the error that is known from before.
    pub(crate) fn resume(before: Option<f64>) -> Self {
        Self { before, ..Self::default() }
    }

    /// Remembers what `forecast` says of the first grid time of `history` a lead time or more after `now`.
    pub(crate) fn foretell(&mut self, forecast: &Forecast, history: &Series, now: Timestamp, lead_time: Duration) {
        let target = now.saturating_add(lead_time).unwrap_or(Timestamp::MAX);
        let floor = history.step().floor(target);
        let due = if floor == target { floor } else { history.step().shift(floor, 1) };
        let is_news = self.due.back().is_none_or(|&(newest, _)| newest < due);
        if is_news && let Some(median) = forecast.quantile(due, Quantile::MEDIAN) {
            push(&mut self.due, (due, median));
        }
    }

    /// Compares what was foretold with the samples of `history` that have come since.
    pub(crate) fn compare(&mut self, history: &Series) {
        while let Some(&(due, median)) = self.due.front()
            && due < history.next_time()
        {
            self.due.pop_front();
            if let Some(load) = load_at(history, due) {
                push(&mut self.errors, (due, (load.get() - median.get()).abs()));
            }
        }
        if let Some(&(newest, _)) = self.errors.back() {
            self.errors.retain(|&(time, _)| time.saturating_add(LATELY).is_ok_and(|end| end > newest));
        }
    }

    /// Mean absolute error over what came true lately, in the unit of the load; `None` until the first did.
    pub(crate) fn mean_error(&self) -> Option<f64> {
        if self.errors.is_empty() {
            return self.before;
        }
        Some(self.errors.iter().map(|(_, error)| error).sum::<f64>() / self.errors.len() as f64)
    }
}

/// What `history` says of the load a week before the time that is `lead_time` after `now`.
pub(crate) fn last_week(history: &Series, now: Timestamp, lead_time: Duration) -> Option<Load> {
    load_at(history, now.checked_add(lead_time).ok()?.checked_sub(WEEK).ok()?)
}

/// The load at the last grid time up to `time`, where it is known.
fn load_at(history: &Series, time: Timestamp) -> Option<Load> {
    let seconds = time.as_second() - history.start().as_second();
    let steps = seconds.div_euclid(i64::from(history.step().seconds()));
    history.load(usize::try_from(steps).ok()?)
}

fn push<T>(ring: &mut VecDeque<T>, item: T) {
    if ring.len() == MOST {
        ring.pop_front();
    }
    ring.push_back(item);
}

#[cfg(test)]
mod tests {
    use series::{GapReason, Horizon, ModelName, Sample, Step};

    use super::*;

    const LEAD: Duration = Duration::from_secs(120);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).unwrap()
    }

    fn value(amount: f64) -> Sample {
        Sample::Value(Load::new(amount).unwrap())
    }

    fn history(samples: &[Sample]) -> Series {
        Series::from_samples(at(0), Step::MINUTE, samples.iter().copied()).unwrap()
    }

    fn flat(origin: Timestamp, amount: f64) -> Forecast {
        let horizon = Horizon { ahead: Duration::from_secs(3600), quantiles: vec![Load::new(amount).unwrap()] };
        Forecast::new(origin, ModelName::Persistence, vec![Quantile::MEDIAN], vec![horizon]).unwrap()
    }

    #[test]
    fn a_forecast_is_compared_with_the_sample_it_was_made_for() {
        let mut accuracy = Accuracy::default();
        let mut known = history(&[value(0.0)]);
        // made half a minute late, for two minutes ahead: the first grid time after is that of minute 3
        let late = Timestamp::from_second(30).unwrap();
        accuracy.foretell(&flat(at(0), 5.0), &known, late, LEAD);
        for amount in [100.0, 100.0] {
            known.push(value(amount));
            accuracy.compare(&known);
            assert_eq!(accuracy.mean_error(), None);
        }
        known.push(value(8.0));
        accuracy.compare(&known);
        assert_eq!(accuracy.mean_error(), Some(3.0));
    }

    #[test]
    fn gaps_tell_nothing_and_old_errors_are_forgotten() {
        let mut accuracy = Accuracy::default();
        let mut known = history(&[value(0.0)]);
        for minute in 0..200_i64 {
            accuracy.foretell(&flat(at(minute), if minute < 100 { 10.0 } else { 1.0 }), &known, at(minute), LEAD);
            known.push(if minute % 2 == 0 { Sample::Gap(GapReason::NoSample) } else { value(0.0) });
            accuracy.compare(&known);
        }
        assert_eq!(accuracy.mean_error(), Some(1.0));
        assert_eq!(accuracy.errors.len(), 30);
    }

    #[test]
    fn one_time_is_foretold_once() {
        let mut accuracy = Accuracy::default();
        let known = history(&[value(0.0)]);
        accuracy.foretell(&flat(at(0), 1.0), &known, at(0), LEAD);
        accuracy.foretell(&flat(at(0), 2.0), &known, at(0), LEAD);
        assert_eq!(accuracy.due.len(), 1);
    }

    #[test]
    fn the_error_from_before_holds_until_the_first_comparison() {
        let mut accuracy = Accuracy::resume(Some(7.0));
        let mut known = history(&[value(0.0)]);
        accuracy.foretell(&flat(at(0), 1.0), &known, at(0), LEAD);
        assert_eq!(accuracy.mean_error(), Some(7.0));
        for _ in 0..2 {
            known.push(value(0.0));
        }
        accuracy.compare(&known);
        assert_eq!(accuracy.mean_error(), Some(1.0));
    }

    #[test]
    fn last_week_is_read_a_lead_time_further_on_and_unknown_before_the_history() {
        const MINUTES: i64 = 7 * 24 * 60;
        let known = history(&[value(1.0), value(2.0), Sample::Gap(GapReason::NoSample), value(4.0)]);
        let read = |minute: i64| last_week(&known, at(MINUTES + minute - 2), LEAD).map(Load::get);
        assert_eq!([-1, 0, 1, 2, 3, 4].map(read), [None, Some(1.0), Some(2.0), None, Some(4.0), None]);
    }
}
