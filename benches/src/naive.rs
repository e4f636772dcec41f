//! The baselines, independent of our engine: the last value, yesterday's or last week's, each with quantiles of its own errors.
//!
//! The quantiles are those of what the same rule missed, at the same horizon, over the seven days before the origin: nothing is
//! assumed of their form, and nothing after the origin is seen.

use std::time::Duration;

use crate::rows::{LEVELS, Quantiles};
use crate::trace::{Ahead, Trace};

const DAY: Duration = Duration::from_hours(24);
const WINDOW: Duration = Duration::from_hours(7 * 24);
/// Fewer errors make no quantile at .99.
const FEWEST_ERRORS: usize = 100;

/// A rule that needs no fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naive {
    /// The last value goes on.
    Persistence,
    /// What was a day before comes back.
    Day,
    /// What was a week before comes back; a day before, until there is a day of errors of the weekly rule.
    Week,
}

impl Naive {
    /// The quantiles at every horizon; `None` where an origin has too few errors behind it.
    pub fn forecast(self, trace: &Trace, origin: usize, horizons: &[Ahead]) -> Option<Vec<Quantiles>> {
        let (day, window) = (trace.steps(DAY), trace.steps(WINDOW));
        let values = &trace.values[..=origin];
        let latest = *values.iter().rev().find(|value| value.is_finite())?;
        let first = (origin + 1).saturating_sub(window);
        let season = match self {
            Self::Persistence => 0,
            Self::Week if origin + 1 >= 8 * day => 7 * day,
            Self::Day | Self::Week => day,
        };
        let mut seasonal = None;
        let one = |ahead: &Ahead| {
            let (center, errors) = if season == 0 {
                (latest, errors(values, first, ahead.steps))
            } else {
                let errors = seasonal.get_or_insert_with(|| errors(values, first, season)).clone();
                let before = (1..).map_while(|periods| (origin + ahead.steps).checked_sub(periods * season));
                let known = before.filter(|&index| index <= origin).map(|index| values[index]);
                (known.into_iter().find(|value| value.is_finite()).unwrap_or(latest), errors)
            };
            (errors.len() >= FEWEST_ERRORS).then(|| LEVELS.map(|level| center + quantile(&errors, level)))
        };
        horizons.iter().map(one).collect()
    }
}

/// By how much each value from `first` on exceeds the one `lag` before it, in rising order.
fn errors(values: &[f64], first: usize, lag: usize) -> Vec<f64> {
    let from = first.max(lag);
    let pairs = values[from..].iter().zip(&values[from - lag..]);
    let mut errors: Vec<f64> = pairs.map(|(now, then)| now - then).filter(|error| error.is_finite()).collect();
    errors.sort_unstable_by(f64::total_cmp);
    errors
}

/// The quantile at `level` of a rising row, on straight lines between ranks.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank inside the row")]
fn quantile(rising: &[f64], level: f64) -> f64 {
    let rank = level * (rising.len() - 1) as f64;
    let below = rank.floor() as usize;
    let above = (below + 1).min(rising.len() - 1);
    rising[below] + (rising[above] - rising[below]) * (rank - rank.floor())
}

#[cfg(test)]
mod tests {
    use series::{GapReason, Load, Sample, Series, Step, Timestamp};

    use super::*;

    /// Ten-minute samples; `None` unknown.
    fn trace(values: impl Iterator<Item = Option<f64>>) -> Trace {
        let sample = |value: Option<f64>| {
            value.map_or(Sample::Gap(GapReason::NoSample), |value| Sample::Value(Load::new(value).unwrap()))
        };
        let step = Step::from_seconds(600).unwrap();
        Trace::new("made", Series::from_samples(Timestamp::UNIX_EPOCH, step, values.map(sample)).unwrap())
    }

    const HOUR: Ahead = Ahead { minutes: 60, steps: 6 };

    #[test]
    fn a_rising_line_misses_by_its_rise() {
        let line = trace((0..1000_u32).map(|index| Some(f64::from(index))));
        // six steps ahead it has risen by 6, a day later by 144, a week later by 1008
        assert_eq!(Naive::Persistence.forecast(&line, 500, &[HOUR]), Some(vec![[506.0; 10]]));
        assert_eq!(Naive::Day.forecast(&line, 500, &[HOUR]), Some(vec![[506.0; 10]]));
        assert_eq!(Naive::Week.forecast(&line, 500, &[HOUR]), Some(vec![[506.0; 10]]));
    }

    #[test]
    fn a_day_that_repeats_is_known_a_day_ahead_and_a_week_a_week_ahead() {
        // curved, so that another lag than the period misses by something else every time
        let curve = |index: u32, period: u32| f64::from((index % period).pow(2));
        let days = trace((0..2100).map(|index| Some(curve(index, 144))));
        assert_eq!(Naive::Day.forecast(&days, 2000, &[HOUR]), Some(vec![[curve(2006, 144); 10]]));
        let weeks = trace((0..2100).map(|index| Some(curve(index, 1008))));
        assert_eq!(Naive::Week.forecast(&weeks, 2000, &[HOUR]), Some(vec![[curve(2006, 1008); 10]]));
        // of a weekly rule there is no error yet: the daily one answers
        assert_eq!(Naive::Week.forecast(&weeks, 1009, &[HOUR]), Naive::Day.forecast(&weeks, 1009, &[HOUR]));
    }

    #[test]
    fn the_quantiles_are_those_of_the_errors() {
        let steps = trace((0..1100_u32).map(|index| Some(f64::from(index / 6 % 2))));
        let quantiles = Naive::Persistence.forecast(&steps, 1099, &[HOUR]).unwrap()[0];
        // an hour later the other level always holds: half of the errors are 1, half are -1
        assert_eq!((quantiles[0], quantiles[9]), (0.0, 2.0));
    }

    #[test]
    fn unknown_samples_make_no_error_and_no_center() {
        let holes = trace((0..1000_u32).map(|index| (index % 7 != 0).then_some(5.0)));
        for naive in [Naive::Persistence, Naive::Day, Naive::Week] {
            assert_eq!(naive.forecast(&holes, 994, &[HOUR]), Some(vec![[5.0; 10]]), "{naive:?}");
        }
        let unknown = trace((0..1000_u32).map(|index| (index < 20).then_some(5.0)));
        assert_eq!(Naive::Day.forecast(&unknown, 994, &[HOUR]), None);
    }
}
