//! [`Step`]: the spacing of a series, and the grid of times it makes.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The spacing of regular samples: whole seconds, from one second to one day.
///
/// Samples lie at multiples of the step since the Unix epoch, so that two requests for one target meet on the same times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Step(u32);

impl Step {
    /// One minute: what a load is forecast at unless the user says otherwise.
    pub const MINUTE: Self = Self(60);

    const MAX_SECONDS: u32 = 86_400;

    /// A step of `seconds`, from 1 to 86,400.
    ///
    /// # Errors
    /// [`StepError`] outside that range.
    pub fn from_seconds(seconds: u32) -> Result<Self, StepError> {
        if (1..=Self::MAX_SECONDS).contains(&seconds) { Ok(Self(seconds)) } else { Err(StepError) }
    }

    /// The step as a whole number of seconds.
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// The step as a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0))
    }

    /// How many whole steps `span` holds.
    pub fn count_in(self, span: Duration) -> usize {
        usize::try_from(span.as_secs() / u64::from(self.0)).unwrap_or(usize::MAX)
    }

    /// How many steps it takes to reach or pass `span`.
    pub fn count_covering(self, span: Duration) -> usize {
        let whole = span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0));
        usize::try_from(whole.div_ceil(u64::from(self.0))).unwrap_or(usize::MAX)
    }

    /// The latest grid time at or before `time`.
    pub fn floor(self, time: Timestamp) -> Timestamp {
        let (whole, nanos) = (time.as_second(), time.subsec_nanosecond());
        // jiff keeps both parts of one sign: before the epoch the fraction points further back
        let seconds = if nanos < 0 { whole - 1 } else { whole };
        let aligned = seconds - seconds.rem_euclid(i64::from(self.0));
        Timestamp::from_second(aligned).unwrap_or(Timestamp::MIN)
    }

    /// The grid time `count` steps after `time` (before it where negative), held inside the range of times.
    pub fn shift(self, time: Timestamp, count: i64) -> Timestamp {
        let seconds = time.as_second().saturating_add(count.saturating_mul(i64::from(self.0)));
        Timestamp::new(seconds, time.subsec_nanosecond()).unwrap_or(if count < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}s", self.0)
    }
}

impl From<Step> for u32 {
    fn from(step: Step) -> Self {
        step.0
    }
}

impl TryFrom<u32> for Step {
    type Error = StepError;

    fn try_from(seconds: u32) -> Result<Self, StepError> {
        Self::from_seconds(seconds)
    }
}

/// A spacing that no series can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a step must be whole seconds from 1s to 1d")]
pub struct StepError;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn times_fall_back_to_the_grid() {
        let step = Step::from_seconds(60).unwrap();
        assert_eq!(step.floor(at(119)), at(60));
        assert_eq!(step.floor(at(120)), at(120));
        assert_eq!(step.floor(at(-1)), at(-60));
        assert_eq!(step.floor(Timestamp::from_millisecond(-1).unwrap()), at(-60));
        assert_eq!(step.floor(Timestamp::from_millisecond(60_999).unwrap()), at(60));
    }

    #[test]
    fn shifting_stays_inside_the_range_of_times() {
        let step = Step::from_seconds(60).unwrap();
        assert_eq!(step.shift(at(60), 2), at(180));
        assert_eq!(step.shift(at(60), -2), at(-60));
        assert_eq!(step.shift(at(60), i64::MAX), Timestamp::MAX);
        assert_eq!(step.shift(at(60), i64::MIN), Timestamp::MIN);
    }

    #[test]
    fn spans_are_counted_both_ways() {
        let step = Step::from_seconds(60).unwrap();
        assert_eq!((step.count_in(Duration::from_secs(119)), step.count_covering(Duration::from_secs(119))), (1, 2));
        assert_eq!((step.count_in(Duration::from_secs(120)), step.count_covering(Duration::from_secs(120))), (2, 2));
        assert_eq!(step.count_covering(Duration::from_millis(120_001)), 3);
    }

    #[test]
    fn only_whole_seconds_up_to_a_day_are_steps() {
        assert!(Step::from_seconds(0).is_err());
        assert!(Step::from_seconds(86_401).is_err());
        assert_eq!(Step::from_seconds(86_400).unwrap().seconds(), 86_400);
    }
}
