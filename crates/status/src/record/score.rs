//! [`Scores`]: how the forecasts made a lead time ago turned out, hour by hour for a week.

use std::collections::VecDeque;

use series::Timestamp;

use super::amount::Amount;
use super::foretold::Foretold;

const HOUR: i64 = 3600;

/// A week of hours: a season of a week is in it once.
const MOST: i64 = 7 * 24;

/// Sums over the minutes that were compared. Errors are absolute ones of the median, in the unit of the load.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Score {
    /// Minutes in which a load was observed that had been foretold.
    pub(crate) compared: u32,
    /// Those in which it was above the promised quantile.
    pub(crate) exceeded: u32,
    pub(crate) error: f32,
    /// Minutes for which the load at the time of the forecast is known.
    pub(crate) persistence: Plain,
    /// Minutes for which the load of last week is known.
    pub(crate) last_week: Plain,
}

/// Another forecast, over the minutes that it spoke of.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Plain {
    compared: u32,
    error: f32,
}

impl Plain {
    fn add(&mut self, observed: f32, foretold: Amount) {
        if let Some(foretold) = foretold.known() {
            self.compared += 1;
            self.error += (observed - foretold).abs();
        }
    }

    /// Mean error, where anything was compared.
    pub(crate) fn mean(self) -> Option<f64> {
        mean(self.error, self.compared)
    }

    fn plus(self, other: Self) -> Self {
        Self { compared: self.compared + other.compared, error: self.error + other.error }
    }
}

impl Score {
    fn add(&mut self, observed: f32, foretold: &Foretold) {
        let error = (observed - foretold.expected).abs();
        self.compared += 1;
        // single precision on both sides: a load right at the quantile is inside
        self.exceeded += u32::from(observed > foretold.promised);
        self.error += error;
        self.persistence.add(observed, foretold.persistence);
        self.last_week.add(observed, foretold.last_week);
    }

    /// Mean error, where anything was compared.
    pub(crate) fn mean_error(&self) -> Option<f64> {
        mean(self.error, self.compared)
    }

    /// The share of the minutes in which the load was within the promised quantile.
    pub(crate) fn coverage(&self) -> Option<f64> {
        (self.compared > 0).then(|| 1.0 - f64::from(self.exceeded) / f64::from(self.compared))
    }

    fn plus(self, other: Self) -> Self {
        Self {
            compared: self.compared + other.compared,
            exceeded: self.exceeded + other.exceeded,
            error: self.error + other.error,
            persistence: self.persistence.plus(other.persistence),
            last_week: self.last_week.plus(other.last_week),
        }
    }
}

fn mean(sum: f32, count: u32) -> Option<f64> {
    (count > 0).then(|| f64::from(sum) / f64::from(count))
}

/// One score per hour in which anything was compared, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scores(VecDeque<(i64, Score)>);

impl Scores {
    /// Takes in what was observed in the minute of `time`, for which `foretold` had been forecast.
    pub(crate) fn add(&mut self, time: Timestamp, observed: f32, foretold: &Foretold) {
        let hour = time.as_second().div_euclid(HOUR);
        if self.0.back().is_none_or(|(newest, _)| *newest < hour) {
            self.0.retain(|(old, _)| *old > hour - MOST);
            self.0.push_back((hour, Score::default()));
        }
        if let Some((_, score)) = self.0.back_mut() {
            score.add(observed, foretold);
        }
    }

    /// All of it in one.
    pub(crate) fn total(&self) -> Score {
        self.0.iter().fold(Score::default(), |total, (_, score)| total.plus(*score))
    }

    /// The hours, by when they began.
    pub(crate) fn hours(&self) -> impl ExactSizeIterator<Item = (Timestamp, &Score)> {
        self.0.iter().map(|(hour, score)| (Timestamp::from_second(hour * HOUR).unwrap_or_default(), score))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).unwrap()
    }

    fn foretold(expected: f32, persistence: Option<f32>, last_week: Option<f32>) -> Foretold {
        let promised = expected + 10.0;
        let (persistence, last_week) = (persistence.into(), last_week.into());
        Foretold { expected, promised, lowest: 0.0, highest: promised, persistence, last_week }
    }

    #[test]
    fn plain_forecasts_are_held_against_the_minutes_that_they_spoke_of() {
        let mut scores = Scores::default();
        scores.add(at(0), 100.0, &foretold(90.0, Some(80.0), None));
        scores.add(at(1), 100.0, &foretold(100.0, Some(70.0), Some(110.0)));
        scores.add(at(2), 120.0, &foretold(105.0, None, Some(90.0)));
        let total = scores.total();
        assert_eq!((total.persistence.mean(), total.last_week.mean()), (Some(25.0), Some(20.0)));
        assert_eq!((total.mean_error(), total.coverage()), (Some(25.0 / 3.0), Some(1.0 - 1.0 / 3.0)));
    }

    #[test]
    fn nothing_compared_tells_nothing() {
        let total = Scores::default().total();
        assert_eq!((total.mean_error(), total.coverage(), total.persistence.mean()), (None, None, None));
    }

    #[test]
    fn hours_older_than_a_week_are_forgotten() {
        let mut scores = Scores::default();
        (0..24 * 10).for_each(|hour| scores.add(at(60 * hour), 1.0, &foretold(1.0, None, None)));
        assert_eq!(scores.hours().len(), 7 * 24);
        scores.add(at(60 * 24 * 60), 1.0, &foretold(1.0, None, None));
        assert_eq!(scores.hours().len(), 1);
    }
}
