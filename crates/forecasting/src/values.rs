//! [`Values`]: a history as the models read it, whatever lies behind it.

use crate::past::Calendar;

/// Days whose mean tells what is usual at a time of the day.
pub(crate) const USUAL_DAYS: usize = 6;
/// Of so many days, the highest and the lowest are left out.
pub(crate) const FEWEST_TRIMMED: usize = 4;

/// The known part of a history on the models' scale, its gaps filled, indices counted from its first known sample.
///
/// [`Past`](crate::past::Past) prepares all of it for a fit, which reads everything many times; [`Glance`](crate::glance::Glance) prepares nothing, for a
/// forecast, which reads little.
pub(crate) trait Values {
    /// The calendar of the indices.
    fn calendar(&self) -> &Calendar;

    /// The index of the last known sample.
    fn last(&self) -> usize;

    /// The value at `index`, known or filled.
    fn value(&self, index: usize) -> f64;

    /// Whether the sample at `index` is known.
    fn is_known(&self, index: usize) -> bool;

    /// The mean of the values `from..=to`.
    fn mean(&self, from: usize, to: usize) -> f64;

    /// The mean size of the changes to the values `from..=to`, each from the value before it; `from` is at least 1.
    fn unrest(&self, from: usize, to: usize) -> f64;

    /// The mean of the values within `half` steps of `index`, as far as they are known at `origin`.
    fn centered(&self, index: usize, half: usize, origin: usize) -> f64 {
        self.mean(index.saturating_sub(half), (index + half).min(origin))
    }

    /// The mean over the last days of what was within `half` steps of the time of the day of `newest`, the first of them, as far as known at `origin`; of
    /// four days or more without the highest and the lowest, so that a crowd or an outage of one day is not expected back.
    fn usual(&self, newest: usize, half: usize, origin: usize) -> f64 {
        let first = self.centered(newest, half, origin);
        let (mut sum, mut count, mut least, mut most) = (first, 1, first, first);
        for days in 1..USUAL_DAYS {
            let days = i64::try_from(days).unwrap_or(i64::MAX);
            let Some(place) = self.calendar().same_time_before(newest, days) else { break };
            let value = self.centered(place, half, origin);
            sum += value;
            count += 1;
            (least, most) = (value.min(least), value.max(most));
        }
        trimmed(sum, least, most, count)
    }

    /// The same wall-clock time as `index`, some whole number of `days` before, at `origin` or earlier: the newest such; `None` where that
    /// is before the start.
    fn season_before(&self, index: usize, days: i64, origin: usize) -> Option<usize> {
        let mut periods = 1;
        loop {
            let source = self.calendar().same_time_before(index, periods * days)?;
            if source <= origin && source < index {
                return Some(source);
            }
            periods += 1;
        }
    }
}

/// The mean of `count` values, at least one, that add up to `sum`; without the `least` and the `most` of them where they are enough.
pub(crate) fn trimmed(sum: f64, least: f64, most: f64, count: usize) -> f64 {
    if count >= FEWEST_TRIMMED { (sum - least - most) / (count - 2) as f64 } else { sum / count as f64 }
}
