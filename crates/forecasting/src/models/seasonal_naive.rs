//! Seasonal naive: the value of the same wall-clock time a day or a week ago comes back.
//!
//! ```text
//! ŷ(t+h) = y(t+h − m·P)      m the least whole number that makes t+h − m·P ≤ t
//! ```
//!
//! `P` a day or a week of *wall-clock* time in the zone of the users: over a change of the clocks nine o'clock is compared with
//! nine o'clock, 23 or 25 hours apart. `h` the horizon, `t` the origin. A gap in the past stands filled (a short one by a straight
//! line). The standard benchmark for anything with a season (Hyndman and Athanasopoulos, *Forecasting: Principles and Practice*,
//! 3rd edition, 5.2).
//!
//! **Minimum data**: one period, the horizon compared, and 30 errors.
//!
//! | parameter | default | purpose | range |
//! |---|---|---|---|
//! | period | – | after how long the load repeats | a day, a week |

use series::ModelName;

use crate::model::{Fit, Predict};
use crate::past::Past;

/// Seasonal naive, before and after the fit: there is nothing to learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeasonalNaive {
    /// As yesterday.
    Day,
    /// As a week ago.
    Week,
}

impl SeasonalNaive {
    /// The period in days.
    pub(crate) fn days(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
        }
    }
}

impl Fit for SeasonalNaive {
    type Fitted = Self;

    fn name(&self) -> ModelName {
        match self {
            Self::Day => ModelName::SeasonalNaiveDay,
            Self::Week => ModelName::SeasonalNaiveWeek,
        }
    }

    fn fit(&self, past: &Past, until: usize, _: &[usize]) -> Option<Self> {
        past.season_before(until, self.days(), until).map(|_| *self)
    }
}

impl Predict for SeasonalNaive {
    fn predict(&self, past: &Past, origin: usize, ahead: &[usize]) -> Option<Vec<f64>> {
        ahead
            .iter()
            .map(|ahead| past.season_before(origin + ahead, self.days(), origin).map(|source| past.value(source)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::scale::Scale;
    use crate::testing::{past, sample};

    #[test]
    fn yesterday_and_last_week_come_back() {
        let minutes: Vec<Option<f64>> = (0..8 * 1440).map(|i| Some(f64::from(i))).collect();
        let past = past(&minutes);
        let origin = 8 * 1440 - 1;
        let day = SeasonalNaive::Day.predict(&past, origin, &[1, 1440, 1441]).unwrap();
        assert_eq!(day, [7 * 1440, 8 * 1440 - 1, 7 * 1440].map(|i| past.value(i)));
        let week = SeasonalNaive::Week.predict(&past, origin, &[1]).unwrap();
        assert_eq!(week, [past.value(1440)]);
    }

    #[test]
    fn a_week_needs_a_week() {
        let past = past(&vec![Some(1.0); 3 * 1440]);
        assert!(SeasonalNaive::Week.fit(&past, past.last(), &[1]).is_none());
        assert!(SeasonalNaive::Day.fit(&past, past.last(), &[1]).is_some());
        assert!(SeasonalNaive::Day.fit(&past, 1439, &[1]).is_none());
    }

    #[test]
    fn nine_oclock_is_compared_with_nine_oclock_over_a_clock_change() {
        // the load is the local hour of the day; the clocks go forward on 31 March 2024 at 1:00 UTC
        let timezone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let start: series::Timestamp = "2024-03-30T00:00:00Z".parse().unwrap();
        let hours = (0..48).map(|hour| {
            let local = series::Step::from_seconds(3600).unwrap().shift(start, hour).to_zoned(timezone.clone());
            sample(Some(f64::from(local.hour()) + 1.0))
        });
        let history = series::Series::from_samples(start, series::Step::from_seconds(3600).unwrap(), hours).unwrap();
        let past = Past::new(&history, Scale::of(&history), &timezone).unwrap();
        // origin 31 March 00:00 UTC, before the change; asked for 07:00 UTC, which is 9:00 there
        let tomorrow = SeasonalNaive::Day.predict(&past, 24, &[7]).unwrap();
        assert!((tomorrow[0] - past.value(31)).abs() < 1e-12, "{tomorrow:?}");
        assert!((Scale::of(&history).backward(tomorrow[0]) - 10.0).abs() < 1e-9);
    }
}
