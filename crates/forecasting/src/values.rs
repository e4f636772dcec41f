//! [`Values`]: a history as the models read it, whatever lies behind it.

use crate::past::Calendar;

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
