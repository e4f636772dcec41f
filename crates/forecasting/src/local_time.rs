//! [`LocalTime`]: the wall clock of a time zone, as fast lookups over the span of one history.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const DAY_SECONDS: i64 = 86_400;

/// The offsets from UTC that hold over a span of time, so that a lookup needs no time zone database.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LocalTime {
    /// Offset in seconds before the first change.
    first: i64,
    /// When the offset changes, in seconds since the epoch, and the offset from then on; rising.
    changes: Vec<(i64, i64)>,
}

impl LocalTime {
    /// The wall clock of `timezone` from `from` through `to`; outside, the nearest offset goes on.
    pub(crate) fn over(timezone: &TimeZone, from: Timestamp, to: Timestamp) -> Self {
        let changes = timezone
            .following(from)
            .map(|change| (change.timestamp(), change.offset()))
            .take_while(|(at, _)| *at <= to)
            .map(|(at, offset)| (at.as_second(), i64::from(offset.seconds())))
            .collect();
        Self { first: i64::from(timezone.to_offset(from).seconds()), changes }
    }

    /// Whether no clock is changed, so that every day has 86,400 seconds.
    pub(crate) fn is_even(&self) -> bool {
        self.changes.is_empty()
    }

    /// Seconds from local midnight at `time` (seconds since the epoch), in `0..86_400`.
    pub(crate) fn second_of_day(&self, time: i64) -> i64 {
        (time + self.offset(time)).rem_euclid(DAY_SECONDS)
    }

    /// The time at which the wall clock, `days` days before `time`, showed what it shows at `time`.
    ///
    /// Where a clock change makes that wall-clock time come twice or never, one of the two times that are an hour apart.
    pub(crate) fn days_before(&self, time: i64, days: i64) -> i64 {
        let guess = time - days * DAY_SECONDS;
        if self.changes.is_empty() {
            return guess;
        }
        let drift = self.offset(time) - self.offset(guess);
        // the drift may carry the guess over the clock change itself: look the offset up once more there
        guess + self.offset(time) - self.offset(guess + drift)
    }

    fn offset(&self, time: i64) -> i64 {
        let after = self.changes.partition_point(|&(at, _)| at <= time);
        after.checked_sub(1).map_or(self.first, |before| self.changes[before].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn central_europe() -> LocalTime {
        let timezone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        LocalTime::over(&timezone, "2024-03-01T00:00:00Z".parse().unwrap(), "2024-12-01T00:00:00Z".parse().unwrap())
    }

    fn second(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn nine_oclock_yesterday_is_nine_oclock_over_both_clock_changes() {
        let local = central_europe();
        // 31 March 2024: 23 hours; 27 October 2024: 25 hours
        assert_eq!(local.days_before(second("2024-03-31T07:00:00Z"), 1), second("2024-03-30T08:00:00Z"));
        assert_eq!(local.days_before(second("2024-04-01T07:00:00Z"), 1), second("2024-03-31T07:00:00Z"));
        assert_eq!(local.days_before(second("2024-10-27T08:00:00Z"), 1), second("2024-10-26T07:00:00Z"));
        assert_eq!(local.days_before(second("2024-11-01T08:00:00Z"), 7), second("2024-10-25T07:00:00Z"));
    }

    #[test]
    fn the_day_begins_at_local_midnight() {
        let local = central_europe();
        assert_eq!(local.second_of_day(second("2024-03-30T23:00:00Z")), 0);
        assert_eq!(local.second_of_day(second("2024-03-31T22:00:00Z")), 0);
        assert_eq!(local.second_of_day(second("2024-07-01T10:30:00Z")), 12 * 3600 + 1800);
    }

    #[test]
    fn without_clock_changes_a_day_is_86_400_seconds() {
        let local = LocalTime::over(&TimeZone::UTC, Timestamp::UNIX_EPOCH, second_as_time(1_000_000_000));
        assert_eq!(local.days_before(500_000, 2), 500_000 - 172_800);
    }

    fn second_as_time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }
}
