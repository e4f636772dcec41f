//! [`Naive`]: members that only say again what a season said, now and averaged over the seasons before.

use super::clock::{Clock, Season};

/// `S(t) = S(t′) + α · (y(t′) − S(t′))`, `t′` the same time a season before, read at the target; with `α` = 1 the value a season before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Naive {
    pub(super) season: Season,
    /// `α`.
    pub(super) following: f64,
}

/// As yesterday; as last week; as the weeks before in the mean.
pub(super) static NAIVE: [Naive; 3] = [
    Naive { season: Season::Day, following: 1.0 },
    Naive { season: Season::Week, following: 1.0 },
    Naive { season: Season::Week, following: 0.4 },
];

/// What one of them says of each index, as soon as the load a season before is known.
#[derive(Debug, Clone)]
pub(super) struct Said<'a> {
    averages: Vec<f64>,
    before: &'a [usize],
}

impl Naive {
    /// What it says along `loads` and as far beyond them as is known.
    pub(super) fn along<'a>(self, loads: &[f64], clock: &'a Clock) -> Said<'a> {
        let before = clock.before(self.season);
        let mut averages: Vec<f64> = Vec::with_capacity(before.len());
        for (index, &before) in before.iter().enumerate() {
            averages.push(match loads.get(before) {
                Some(load) if before < index => averages[before] + self.following * (load - averages[before]),
                load => load.copied().unwrap_or(0.0),
            });
        }
        Said { averages, before }
    }
}

impl Said<'_> {
    /// What it says `ahead` steps after `origin`, from loads up to `origin` alone; `None` where those are less than a season.
    pub(super) fn at(&self, origin: usize, ahead: usize) -> Option<f64> {
        let mut place = origin + ahead;
        // beyond a season the last one known comes back
        while self.before[place] > origin {
            // a season of which nothing was seen is its own
            if self.before[place] == place {
                return None;
            }
            place = self.before[place];
        }
        (self.before[place] < place).then(|| self.averages[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::past::Calendar;

    #[test]
    fn seasons_come_back_plain_and_averaged() {
        let loads = [1.0, 2.0, 3.0, 6.0, 5.0, 10.0];
        let twice_a_day = series::Step::from_seconds(43_200).unwrap();
        let calendar = Calendar::new(series::Timestamp::UNIX_EPOCH, twice_a_day, 6, &jiff::tz::TimeZone::UTC);
        let clock = Clock::of(&calendar, 10, 2);
        let plain = Naive { season: Season::Day, following: 1.0 }.along(&loads, &clock);
        assert_eq!([1, 2, 3].map(|ahead| plain.at(5, ahead)), [Some(5.0), Some(10.0), Some(5.0)]);
        assert_eq!((plain.at(2, 1), plain.at(0, 1), plain.at(1, 1)), (Some(2.0), None, Some(1.0)));
        let averaged = Naive { season: Season::Day, following: 0.5 }.along(&loads, &clock);
        assert_eq!(averaged.at(5, 1), Some(0.5 * 5.0 + 0.25 * 3.0 + 0.25 * 1.0));
    }
}
