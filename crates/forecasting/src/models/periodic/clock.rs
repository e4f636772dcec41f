//! [`Clock`]: which step of the day an index is, and where the same time of the day and of the week before stands.

use crate::past::Calendar;

/// Clock changes of more hours than this are moves of a whole zone: after one, days and weeks are counted in steps.
const MOST_CHANGED: i64 = 2;

/// How long a season is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Season {
    Day,
    Week,
}

/// The wall clock along a history and some steps beyond.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    day: usize,
    steps: Vec<usize>,
    yesterday: Vec<usize>,
    last_week: Vec<usize>,
    late: usize,
}

impl Season {
    /// Its length, in days.
    pub(super) const fn days(self) -> usize {
        match self {
            Self::Day => 1,
            Self::Week => 7,
        }
    }
}

impl Clock {
    /// Of the first `len` indices of `calendar`, `day` of them a day.
    pub(super) fn of(calendar: &Calendar, len: usize, day: usize) -> Self {
        let most = calendar.steps_in(3600 * MOST_CHANGED);
        let before = |index: usize, days: usize| {
            let counted = index.checked_sub(days * day)?;
            let shown = calendar.same_time_before(index, i64::try_from(days).ok()?)?;
            // where a day has few steps, the hour to the right time is not worth a step
            Some(if shown < index && shown.abs_diff(counted) <= most { shown } else { counted })
        };
        let all = |season: Season| -> Vec<usize> {
            (0..len).map(|index| before(index, season.days()).unwrap_or(index)).collect()
        };
        let (yesterday, last_week) = (all(Season::Day), all(Season::Week));
        let late = |before: &[usize], days: usize| {
            before.iter().enumerate().map(|(index, before)| (index - before).saturating_sub(days * day)).max()
        };
        let late = late(&yesterday, 1).max(late(&last_week, 7)).unwrap_or(0);
        let steps = (0..len).map(|index| calendar.step_of_day(index).min(day - 1)).collect();
        Self { day, steps, yesterday, last_week, late }
    }

    /// How many steps a day has, but for those of clock changes.
    pub(super) fn day(&self) -> usize {
        self.day
    }

    /// The step of the day at `index`.
    pub(super) fn step_of_day(&self, index: usize) -> usize {
        self.steps[index]
    }

    /// For each index that of the same time a season before; the index itself where nothing was seen of that yet.
    pub(super) fn before(&self, season: Season) -> &[usize] {
        match season {
            Season::Day => &self.yesterday,
            Season::Week => &self.last_week,
        }
    }

    /// How many steps more than a season the same time may lie back.
    pub(super) fn late(&self) -> usize {
        self.late
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use series::Step;

    use super::*;

    fn clock(start: &str, seconds: u32, len: usize) -> Clock {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let step = Step::from_seconds(seconds).unwrap();
        Clock::of(&Calendar::new(start.parse().unwrap(), step, len, &berlin), len, 86_400 / seconds as usize)
    }

    #[test]
    fn an_hour_less_lies_between_two_mornings_when_clocks_go_forward_and_one_more_when_they_go_back() {
        // 31 March 2024, 3:00 begins 25 hours after the start; 27 October, 3:00 begins 26 hours after it
        let spring = clock("2024-03-30T00:00:00Z", 3600, 300);
        assert_eq!([24, 25, 26, 49, 50].map(|index| spring.before(Season::Day)[index]), [0, 2, 3, 25, 26]);
        assert_eq!([168, 200, 218].map(|index| spring.before(Season::Week)[index]), [1, 32, 50]);
        assert_eq!((spring.late(), spring.before(Season::Week)[167]), (0, 167));
        let autumn = clock("2024-10-26T00:00:00Z", 3600, 300);
        assert_eq!([26, 48].map(|index| autumn.before(Season::Day)[index]), [1, 23]);
        assert_eq!(autumn.late(), 1);
        assert_eq!(autumn.step_of_day(0), 2);
    }

    #[test]
    fn nothing_is_its_own_yesterday_but_the_first_day() {
        for seconds in [300, 3600, 7200, 21_600] {
            let clock = clock("2024-03-20T00:00:00Z", seconds, 3000);
            for (season, steps) in [(Season::Day, clock.day()), (Season::Week, 7 * clock.day())] {
                let before = clock.before(season);
                assert!((0..steps - 1).all(|index| before[index] <= index));
                assert!((steps + 12..3000).all(|index| index - before[index] <= steps + clock.late()));
                assert!((steps + 12..3000).all(|index| index - before[index] + 12 >= steps && before[index] < index));
            }
        }
    }
}
