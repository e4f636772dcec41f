//! [`Past`]: a history made ready for the models, and [`Calendar`], which finds the same time of another day in it.

use jiff::tz::TimeZone;
use series::{Sample, Series, Step};

use crate::fill::fill;
use crate::local_time::LocalTime;
use crate::scale::Scale;
use crate::values::Values;

/// How far beyond the end of a history wall-clock times are asked for, in seconds: the longest horizon, the oldest last
/// known sample that is still worth a forecast, and a margin.
const CALENDAR_MARGIN_SECONDS: i64 = 10 * 86_400;

/// Indices of a regular series as wall-clock times.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    start: i64,
    every: Step,
    step: i64,
    local: LocalTime,
    /// Steps of a day, where all days have as many.
    even_day: Option<i64>,
}

/// The known part of a history, from its first known sample through its last, on the models' scale and with its gaps
/// filled. Indices count steps from the first known sample.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    calendar: Calendar,
    values: Vec<f64>,
    known: Vec<bool>,
    /// `sums[i]` is the sum of the first `i` values.
    sums: Vec<f64>,
    /// `changes[i]` is the sum of the sizes of the changes to the values before `i`; the first value is no change.
    changes: Vec<f64>,
    known_count: usize,
    stale: usize,
    never_negative: bool,
}

impl Calendar {
    /// The calendar of samples `step` apart, the first one at `start`, of which there are `len`.
    pub(crate) fn new(start: series::Timestamp, step: Step, len: usize, timezone: &TimeZone) -> Self {
        let end = step.shift(start, i64::try_from(len).unwrap_or(i64::MAX));
        let margin = jiff::SignedDuration::from_secs(CALENDAR_MARGIN_SECONDS);
        let from = start.saturating_sub(margin).unwrap_or(series::Timestamp::MIN);
        let to = end.saturating_add(margin).unwrap_or(series::Timestamp::MAX);
        let local = LocalTime::over(timezone, from, to);
        let seconds = i64::from(step.seconds());
        let even_day = (local.is_even() && 86_400 % seconds == 0).then_some(86_400 / seconds);
        Self { start: start.as_second(), every: step, step: seconds, local, even_day }
    }

    /// The index of the sample at the same wall-clock time `days` days before sample `index`, the nearest one where none
    /// is exactly there; `None` before the start.
    pub(crate) fn same_time_before(&self, index: usize, days: i64) -> Option<usize> {
        if let Some(day) = self.even_day {
            return index.checked_sub(usize::try_from(days * day).ok()?);
        }
        let from_start = self.local.days_before(self.time(index), days) - self.start;
        usize::try_from((from_start + self.step / 2).div_euclid(self.step)).ok()
    }

    /// The steps of a day, where all days have as many.
    pub(crate) fn even_day(&self) -> Option<usize> {
        self.even_day.and_then(|day| usize::try_from(day).ok())
    }

    /// Seconds from local midnight at sample `index`.
    pub(crate) fn second_of_day(&self, index: usize) -> i64 {
        self.local.second_of_day(self.time(index))
    }

    /// The spacing of the samples.
    pub(crate) fn step(&self) -> Step {
        self.every
    }

    /// Whole steps from local midnight to sample `index`.
    pub(crate) fn step_of_day(&self, index: usize) -> usize {
        usize::try_from(self.second_of_day(index) / self.step).unwrap_or(0)
    }

    /// Whether a day is a whole number of steps.
    pub(crate) fn divides_day(&self) -> bool {
        86_400 % self.step == 0
    }

    /// Whole steps in `seconds`, to the nearest.
    pub(crate) fn steps_in(&self, seconds: i64) -> usize {
        usize::try_from((seconds + self.step / 2) / self.step).unwrap_or(0)
    }

    fn time(&self, index: usize) -> i64 {
        self.start.saturating_add(i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(self.step))
    }
}

impl Past {
    /// `history` on `scale`; `None` where no sample is known.
    pub(crate) fn new(history: &Series, scale: Scale, timezone: &TimeZone) -> Option<Self> {
        let loads: Vec<Option<f64>> = history
            .samples()
            .map(|sample| match sample {
                Sample::Value(load) => Some(load.get()),
                Sample::Gap(_) => None,
            })
            .collect();
        let first = loads.iter().position(Option::is_some)?;
        let last = loads.iter().rposition(Option::is_some)?;
        let inside = &loads[first..=last];
        let start = history.step().shift(history.start(), i64::try_from(first).ok()?);
        let calendar = Calendar::new(start, history.step(), loads.len() - first, timezone);
        let values: Vec<f64> = fill(inside, &calendar).into_iter().map(|load| scale.forward(load)).collect();
        let sums = running_sums(values.iter().copied());
        let sizes = values.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        let changes = running_sums(std::iter::once(0.0).chain(sizes));
        Some(Self {
            calendar,
            values,
            known: inside.iter().map(Option::is_some).collect(),
            sums,
            changes,
            known_count: inside.iter().flatten().count(),
            stale: loads.len() - 1 - last,
            never_negative: inside.iter().flatten().all(|&load| load >= 0.0),
        })
    }

    /// All values, known or filled.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// How many samples are known.
    pub(crate) fn known_count(&self) -> usize {
        self.known_count
    }

    /// How many steps the history goes on after its last known sample.
    pub(crate) fn stale(&self) -> usize {
        self.stale
    }

    /// Whether no load was ever negative.
    pub(crate) fn never_negative(&self) -> bool {
        self.never_negative
    }

    /// The loads up to and including `until` in units of their mean, known or filled.
    pub(crate) fn relative_loads(&self, until: usize) -> Vec<f64> {
        self.values[..=until].iter().map(|&value| Scale::relative(value)).collect()
    }

    /// The index of the last known sample.
    pub(crate) fn last(&self) -> usize {
        self.values.len() - 1
    }

    /// The value at `index`, known or filled.
    pub(crate) fn value(&self, index: usize) -> f64 {
        self.values[index]
    }

    /// Whether the sample at `index` is known.
    pub(crate) fn is_known(&self, index: usize) -> bool {
        self.known.get(index).is_some_and(|&known| known)
    }

    /// The calendar of the indices.
    pub(crate) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The mean of the values `from..=to`.
    pub(crate) fn mean(&self, from: usize, to: usize) -> f64 {
        (self.sums[to + 1] - self.sums[from]) / (to + 1 - from) as f64
    }

    /// See [`Values::season_before`].
    pub(crate) fn season_before(&self, index: usize, days: i64, origin: usize) -> Option<usize> {
        Values::season_before(self, index, days, origin)
    }
}

impl Values for Past {
    fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    fn last(&self) -> usize {
        self.last()
    }

    fn value(&self, index: usize) -> f64 {
        self.values[index]
    }

    fn is_known(&self, index: usize) -> bool {
        self.is_known(index)
    }

    fn mean(&self, from: usize, to: usize) -> f64 {
        self.mean(from, to)
    }

    fn unrest(&self, from: usize, to: usize) -> f64 {
        (self.changes[to + 1] - self.changes[from]) / (to + 1 - from) as f64
    }
}

/// Before each of `values`, and after the last, the sum of those before.
fn running_sums(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sums = vec![0.0];
    sums.extend(values.scan(0.0, |sum, value| {
        *sum += value;
        Some(*sum)
    }));
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{past, series};

    #[test]
    fn unknown_ends_are_cut_off_and_counted() {
        let past = past(&[None, None, Some(1.0), None, Some(3.0), None]);
        assert_eq!((past.last(), past.known_count(), past.stale()), (2, 2, 1));
        assert_eq!(
            (past.is_known(0), past.is_known(1), past.is_known(2), past.is_known(3)),
            (true, false, true, false)
        );
    }

    #[test]
    fn nothing_known_is_no_past() {
        let history = series(&[None, None]);
        assert!(Past::new(&history, Scale::of(&history), &TimeZone::UTC).is_none());
    }

    #[test]
    fn means_are_over_both_ends() {
        let past = past(&[Some(5.0), Some(5.0), Some(0.0)]);
        assert!((past.mean(0, 1) - past.value(0)).abs() < 1e-12);
        assert!((past.mean(1, 2) - past.value(0) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_season_source_is_never_after_the_origin() {
        let past = past(&vec![Some(1.0); 4 * 1440]);
        let origin = 3 * 1440;
        assert_eq!(past.season_before(origin + 10, 1, origin), Some(2 * 1440 + 10));
        assert_eq!(past.season_before(origin + 1440, 1, origin), Some(origin));
        assert_eq!(past.season_before(origin + 1441, 1, origin), Some(2 * 1440 + 1));
        assert_eq!(past.season_before(origin, 7, origin), None);
    }
}
