//! What the regressions look at; the equation is on the page of the model.

use crate::models::seasonal_naive::SeasonalNaive;
use crate::past::{Calendar, Past};

const LAG_STEPS: [usize; 3] = [1, 2, 3];
const LAG_SECONDS: [i64; 6] = [60, 120, 180, 300, 600, 1800];
const WINDOW_SECONDS: [i64; 3] = [300, 900, 3600];
const CENTERED_SECONDS: [i64; 2] = [300, 900];
/// More than the most a clock is ever changed by, so that a period is never longer than this much more than its days.
const CLOCK_CHANGE_SECONDS: i64 = 7200;

/// The features of one history: lags and windows in steps, each once, and the periods it is long enough for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Features {
    lags: Vec<usize>,
    windows: Vec<usize>,
    /// Half widths of the centered means, rising; the first is 0, the value itself.
    halves: Vec<usize>,
    seasons: Vec<SeasonalNaive>,
}

impl Features {
    /// The features whose coefficients can be learned before index `first_scored`.
    pub(super) fn learnable(calendar: &Calendar, first_scored: usize) -> Self {
        let in_steps = |seconds: &i64| calendar.steps_in(*seconds);
        let mut lags: Vec<usize> = LAG_STEPS.into_iter().chain(LAG_SECONDS.iter().map(in_steps)).collect();
        lags.sort_unstable();
        lags.dedup();
        lags.retain(|&lag| lag > 0);
        let mut windows: Vec<usize> = WINDOW_SECONDS.iter().map(in_steps).collect();
        windows.dedup();
        windows.retain(|&window| window > 1);
        let mut halves = vec![0];
        halves.extend(CENTERED_SECONDS.iter().map(|seconds| calendar.steps_in(*seconds).saturating_sub(1) / 2));
        halves.dedup();
        let mut features = Self { lags, windows, halves, seasons: Vec::new() };
        for season in [SeasonalNaive::Day, SeasonalNaive::Week] {
            let learned = calendar.steps_in((season.days() * 43_200).min(2 * 86_400));
            let longest_day = calendar.steps_in(season.days() * 86_400);
            if first_scored >= longest_day + learned && longest_day > 0 {
                features.seasons.push(season);
            }
        }
        features
    }

    /// How many features there are.
    pub(super) fn count(&self) -> usize {
        self.shared_count() + self.seasons.len() * self.halves.len()
    }

    /// How many of them are the same for every horizon; those come first.
    pub(super) fn shared_count(&self) -> usize {
        self.lags.len() + self.windows.len() + self.seasons.len()
    }

    /// The first index at which all features are known.
    pub(super) fn first_origin(&self, calendar: &Calendar) -> usize {
        let lag = self.lags.last().copied().unwrap_or(0);
        let window = self.windows.last().copied().unwrap_or(0);
        let days = self.seasons.last().map_or(0, |season| season.days());
        let season =
            if days == 0 { 0 } else { calendar.steps_in(days * 86_400 + CLOCK_CHANGE_SECONDS) + self.widest() };
        lag.max(window).max(season)
    }

    /// Appends the features that no horizon changes: differences to lags, to means of windows, to the level of the season.
    pub(super) fn push_shared(&self, past: &Past, origin: usize, row: &mut Vec<f64>) {
        let now = past.value(origin);
        row.extend(self.lags.iter().map(|lag| now - past.value(origin - lag)));
        row.extend(self.windows.iter().map(|window| now - past.mean(origin + 1 - window, origin)));
        for season in &self.seasons {
            let then = past.season_before(origin, season.days(), origin);
            row.push(then.map_or(0.0, |then| now - centered(past, then, self.widest(), origin)));
        }
    }

    /// Appends the features of the horizon `ahead`: how each season went on from here; false where it is not known.
    pub(super) fn push_ahead(&self, past: &Past, origin: usize, ahead: usize, row: &mut Vec<f64>) -> bool {
        for season in &self.seasons {
            let source = past.season_before(origin + ahead, season.days(), origin);
            let reference = past.season_before(origin, season.days(), origin);
            let (Some(source), Some(reference)) = (source, reference) else { return false };
            row.extend(
                self.halves
                    .iter()
                    .map(|&half| centered(past, source, half, origin) - centered(past, reference, half, origin)),
            );
        }
        true
    }

    fn widest(&self) -> usize {
        self.halves.last().copied().unwrap_or(0)
    }
}

/// The mean of the values within `half` steps of `index`, as far as they are known at `origin`.
fn centered(past: &Past, index: usize, half: usize, origin: usize) -> f64 {
    past.mean(index.saturating_sub(half), (index + half).min(origin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{minutes, past};

    #[test]
    fn lags_that_fall_on_one_step_are_taken_once() {
        let features = Features::learnable(&minutes(), 100);
        assert_eq!(features.lags, [1, 2, 3, 5, 10, 30]);
        assert_eq!(features.windows, [5, 15, 60]);
        assert_eq!(features.halves, [0, 2, 7]);
        let hour = series::Step::from_seconds(3600).unwrap();
        let hours = Calendar::new(jiff::Timestamp::UNIX_EPOCH, hour, 100, &jiff::tz::TimeZone::UTC);
        let features = Features::learnable(&hours, 40);
        assert_eq!(features.lags, [1, 2, 3]);
        assert_eq!((features.windows.as_slice(), features.halves.as_slice()), ([].as_slice(), [0].as_slice()));
        assert_eq!(features.seasons, [SeasonalNaive::Day]);
    }

    #[test]
    fn seasons_join_when_they_can_be_learned() {
        let day = 1440;
        let seasons = |first_scored| Features::learnable(&minutes(), first_scored).seasons.len();
        assert_eq!((seasons(day), seasons(day + day / 2), seasons(9 * day - 1), seasons(9 * day)), (0, 1, 1, 2));
    }

    #[test]
    fn features_are_solved_by_hand() {
        // a day of ones, then a day that doubles at minute 100 (on the root scale, whatever that is)
        let mut loads = vec![Some(1.0); 4 * 1440];
        loads[2 * 1440 + 100..3 * 1440].fill(Some(2.0));
        let past = past(&loads);
        let jump = past.value(2 * 1440 + 100) - past.value(0);
        let features = Features::learnable(&minutes(), 2 * 1440);
        let mut row = Vec::new();
        let origin = 3 * 1440 + 97;
        features.push_shared(&past, origin, &mut row);
        assert!(features.push_ahead(&past, origin, 3, &mut row));
        assert_eq!(row.len(), features.count());
        // nothing moved today; yesterday at this time the mean of 15 minutes held 5 doubled ones, from minute 100 through 104
        let level_gap = -jump * 5.0 / 15.0;
        assert!((row[features.shared_count() - 1] - level_gap).abs() < 1e-9, "{row:?}");
        // the season: the value jumps, of 5 minutes 3 after and none before, of 15 minutes 8 after and 5 before
        let expected = [jump, jump * 3.0 / 5.0, jump * 3.0 / 15.0];
        for (feature, expected) in row[features.shared_count()..].iter().zip(expected) {
            assert!((feature - expected).abs() < 1e-9, "{row:?}");
        }
    }

    #[test]
    fn features_do_not_look_past_their_origin() {
        let mut loads: Vec<Option<f64>> = (0..4 * 1440).map(|i| Some(f64::from(i % 97))).collect();
        let origin = 3 * 1440;
        let before = past(&loads);
        // changed such that unit and gaps stay what they are
        loads[origin + 1..].reverse();
        let after = past(&loads);
        let features = Features::learnable(&minutes(), 2 * 1440);
        for ahead in [1, 1436, 1440, 1443] {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            for (past, row) in [(&before, &mut left), (&after, &mut right)] {
                features.push_shared(past, origin, row);
                assert!(features.push_ahead(past, origin, ahead, row));
            }
            assert!(left.iter().zip(&right).all(|(l, r)| (l - r).abs() < 1e-9), "{ahead}: {left:?} {right:?}");
        }
    }
}
