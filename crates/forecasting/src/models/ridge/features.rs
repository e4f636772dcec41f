//! What the regressions look at; the equation is on the page of the model.

use super::CLOCK_CHANGE_SECONDS;
use crate::models::seasonal_naive::SeasonalNaive;
use crate::past::Calendar;
use crate::seasons::Found;
use crate::values::Values;

const LAG_STEPS: [usize; 3] = [1, 2, 3];
const LAG_SECONDS: [i64; 6] = [60, 120, 180, 300, 600, 1800];
const WINDOW_SECONDS: [i64; 3] = [300, 900, 3600];
const CENTERED_SECONDS: [i64; 2] = [300, 900];
/// The widest mean around a time of several days, in half widths of the widest of one.
const WIDER: usize = 4;
/// What lately was, which is compared with the widest.
const LATELY_SECONDS: i64 = 1800;
const MIXED_SECONDS: i64 = 3600;
/// Twice the half width of the widest mean around a time of one day.
const AROUND_SECONDS: i64 = 900;
/// Cycles whose mean tells what is usual in the course of a shorter period: those of two days, at most so many.
const MOST_CYCLES: usize = 24;
/// Of fewer the mean is mostly noise, where two days hold more.
const FEWEST_CYCLES: usize = 4;

/// The features of one history: lags and windows in steps, each once, and the periods it is long enough for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Features {
    lags: Vec<usize>,
    windows: Vec<usize>,
    /// Half widths of the centered means, rising; the first is 0, the value itself.
    halves: Vec<usize>,
    seasons: Vec<SeasonalNaive>,
    /// The window that is compared with what is usual, where a day is behind.
    lately: Option<usize>,
    cycles: Vec<Cycle>,
}

/// A period shorter than a day, in steps, and how many of it are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cycle {
    period: usize,
    count: usize,
}

/// How far from its knot a regression is asked, in steps; not at all in a load with a period, each place of which is another matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    /// Up to a knot so far ahead, at any time between it and the one before.
    pub(super) mixed: usize,
    /// At farther ones, so long before and after.
    pub(super) around: usize,
}

/// What the seasons said for the origin itself, which every horizon is compared with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Anchor {
    origin: usize,
    references: Vec<f64>,
}

impl Features {
    /// The features whose coefficients can be learned where the first scored origin is `first_scored`, of those `seasons` that are then behind.
    pub(crate) fn learnable(calendar: &Calendar, first_scored: usize, seasons: &Found) -> Self {
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
        let two_days = calendar.steps_in(2 * 86_400);
        let cycle = |&period: &usize| {
            let whole = (two_days / period.max(1)).clamp(1, MOST_CYCLES);
            let count = whole.min(first_scored / period.max(1));
            (count >= whole.min(FEWEST_CYCLES)).then_some(Cycle { period, count })
        };
        let mut features = Self { lags, windows, halves, seasons: Vec::new(), lately: None, cycles: Vec::new() };
        for &season in &seasons.days {
            features.seasons.push(season);
            if features.first_origin(calendar) > first_scored || calendar.steps_in(season.days() * 86_400) == 0 {
                features.seasons.pop();
            }
        }
        let lately = calendar.steps_in(LATELY_SECONDS).max(2);
        features.lately = (features.seasons.contains(&SeasonalNaive::Day)).then_some(lately);
        features.cycles = seasons.periods.iter().filter_map(cycle).collect();
        features
    }

    /// How many features there are.
    pub(crate) fn count(&self) -> usize {
        self.shared_count() + self.seasons.len() * self.halves.len() + self.usual().len() + self.cycles.len()
    }

    /// How many of them are the same for every horizon; those come first.
    pub(crate) fn shared_count(&self) -> usize {
        let usual = if self.lately.is_some() { 2 } else { 0 };
        self.lags.len() + self.windows.len() + self.seasons.len() + usual + self.cycles.len()
    }

    /// The first index at which all features are known.
    pub(crate) fn first_origin(&self, calendar: &Calendar) -> usize {
        let lag = self.lags.last().copied().unwrap_or(0);
        let window = self.windows.last().copied().unwrap_or(0);
        let days = self.seasons.last().map_or(0, |season| season.days());
        let season =
            if days == 0 { 0 } else { calendar.steps_in(days * 86_400 + CLOCK_CHANGE_SECONDS) + self.widest() };
        let cycle = self.cycles.iter().map(|cycle| cycle.period * cycle.count).max().unwrap_or(0);
        lag.max(window).max(season).max(cycle)
    }

    /// Appends the features that no horizon changes: differences to lags, to means of windows, to the level of each season, to what is usual.
    /// `None` where the season is not known.
    pub(crate) fn push_shared(&self, values: &impl Values, origin: usize, row: &mut Vec<f64>) -> Option<Anchor> {
        let now = values.value(origin);
        row.extend(self.lags.iter().map(|lag| now - values.value(origin - lag)));
        row.extend(self.windows.iter().map(|window| now - values.mean(origin + 1 - window, origin)));
        let mut references = Vec::with_capacity(self.references());
        for season in &self.seasons {
            let then = values.season_before(origin, season.days(), origin)?;
            references.extend(self.halves.iter().map(|&half| values.centered(then, half, origin)));
            row.push(now - references.last()?);
        }
        if let Some(lately) = self.lately {
            let newest = values.season_before(origin, 1, origin)?;
            references.extend(self.usual().map(|half| values.usual(newest, half, origin)));
            // the usual is at the last three places: of the time itself, around it, and further around it
            let wider = references.last()?;
            let around = references.get(references.len().checked_sub(self.usual().len().min(2))?)?;
            row.push(now - around);
            row.push(values.mean(origin + 1 - lately, origin) - wider);
        }
        for cycle in &self.cycles {
            let reference = cycle.usual(values, origin, origin)?;
            references.push(reference);
            row.push(now - reference);
        }
        Some(Anchor { origin, references })
    }

    /// Appends the features of the horizon `ahead`: how each season, what is usual and each cycle went on from here; `None` where it is
    /// not known.
    pub(crate) fn push_ahead(
        &self,
        values: &impl Values,
        anchor: &Anchor,
        ahead: usize,
        row: &mut Vec<f64>,
    ) -> Option<()> {
        let origin = anchor.origin;
        let mut references = anchor.references.iter();
        for season in &self.seasons {
            let then = values.season_before(origin + ahead, season.days(), origin)?;
            for &half in &self.halves {
                row.push(values.centered(then, half, origin) - references.next()?);
            }
        }
        if self.lately.is_some() {
            let newest = values.season_before(origin + ahead, 1, origin)?;
            for half in self.usual() {
                row.push(values.usual(newest, half, origin) - references.next()?);
            }
        }
        for cycle in &self.cycles {
            row.push(cycle.usual(values, origin + ahead, origin)? - references.next()?);
        }
        Some(())
    }

    /// What is usual `ahead` steps after `origin`, as a shape: 0 everywhere where no day is behind and no period was found.
    pub(crate) fn profile(&self, values: &impl Values, origin: usize, ahead: usize) -> f64 {
        let cycle = self.cycles.first().map(|cycle| cycle.usual(values, origin + ahead, origin).unwrap_or(0.0));
        let usual = |half: usize| {
            let newest = values.season_before(origin + ahead, 1, origin);
            newest.map_or(0.0, |newest| values.usual(newest, half, origin))
        };
        match (self.lately, cycle) {
            (None, None) => 0.0,
            (None, Some(cycle)) => cycle,
            (Some(_), None) => usual(self.halves.get(1).copied().unwrap_or(0)),
            (Some(_), Some(cycle)) => f64::midpoint(usual(0), cycle),
        }
    }

    /// How far from its knot a regression is asked.
    pub(super) fn reach(&self, calendar: &Calendar) -> Reach {
        if self.cycles.is_empty() {
            Reach { mixed: calendar.steps_in(MIXED_SECONDS), around: calendar.steps_in(AROUND_SECONDS) }
        } else {
            Reach { mixed: 0, around: 0 }
        }
    }

    /// Half widths of the means over several days, the widest last; none where no day is behind.
    pub(super) fn usual(&self) -> impl ExactSizeIterator<Item = usize> + use<> {
        let mut halves = if self.lately.is_some() { vec![0, self.widest(), WIDER * self.widest()] } else { Vec::new() };
        halves.dedup();
        halves.into_iter()
    }

    fn references(&self) -> usize {
        self.seasons.len() * self.halves.len() + self.usual().len() + self.cycles.len()
    }

    fn widest(&self) -> usize {
        self.halves.last().copied().unwrap_or(0)
    }
}

impl Cycle {
    /// The mean of the values at the same place of the cycles before `index`, the newest at `origin` or earlier.
    fn usual(self, values: &impl Values, index: usize, origin: usize) -> Option<f64> {
        let behind = (index - origin).div_ceil(self.period).max(1);
        let newest = index.checked_sub(behind * self.period)?;
        let places = (0..self.count).map_while(|cycle| newest.checked_sub(cycle * self.period));
        let (sum, count) = places.fold((0.0, 0.0), |(sum, count), place| (sum + values.value(place), count + 1.0));
        (count > 0.0).then(|| sum / count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{minutes, past};

    fn found(periods: &[usize]) -> Found {
        Found { days: vec![SeasonalNaive::Day, SeasonalNaive::Week], periods: periods.to_vec() }
    }

    #[test]
    fn lags_that_fall_on_one_step_are_taken_once() {
        let features = Features::learnable(&minutes(), 100, &found(&[]));
        assert_eq!(features.lags, [1, 2, 3, 5, 10, 30]);
        assert_eq!(features.windows, [5, 15, 60]);
        assert_eq!(features.halves, [0, 2, 7]);
        let hour = series::Step::from_seconds(3600).unwrap();
        let hours = Calendar::new(jiff::Timestamp::UNIX_EPOCH, hour, 100, &jiff::tz::TimeZone::UTC);
        let features = Features::learnable(&hours, 40, &found(&[]));
        assert_eq!(features.lags, [1, 2, 3]);
        assert_eq!((features.windows.as_slice(), features.halves.as_slice()), ([].as_slice(), [0].as_slice()));
        assert_eq!(features.seasons, [SeasonalNaive::Day]);
    }

    #[test]
    fn seasons_join_when_they_can_be_learned() {
        let day = 1440;
        let seasons = |first_scored| Features::learnable(&minutes(), first_scored, &found(&[])).seasons.len();
        assert_eq!((seasons(day), seasons(day + 127), seasons(7 * day + 126), seasons(7 * day + 127)), (0, 1, 1, 2));
    }

    #[test]
    fn features_are_solved_by_hand() {
        // a day of ones, then a day that doubles at minute 100 (on the root scale, whatever that is)
        let mut loads = vec![Some(1.0); 4 * 1440];
        loads[2 * 1440 + 100..3 * 1440].fill(Some(2.0));
        let past = past(&loads);
        let jump = past.value(2 * 1440 + 100) - past.value(0);
        let features = Features::learnable(&minutes(), 2 * 1440, &found(&[50]));
        let mut row = Vec::new();
        let origin = 3 * 1440 + 97;
        let anchor = features.push_shared(&past, origin, &mut row).unwrap();
        assert_eq!(row.len(), features.shared_count());
        features.push_ahead(&past, &anchor, 3, &mut row).unwrap();
        assert_eq!(row.len(), features.count());
        // nothing moved today; yesterday at this time the mean of 15 minutes held 5 doubled ones, from minute 100 through 104, and the two days
        // before none; of an hour around it 26 of 57; of the 24 cycles of 50 minutes before, one is today's and the 23 others are of yesterday after minute 100
        let still = features.lags.len() + features.windows.len();
        let gaps = [-jump / 3.0, -jump / 9.0, -jump * 26.0 / 57.0 / 3.0, -jump * 23.0 / 24.0];
        // the season: the value jumps, of 5 minutes 3 after and none before, of 15 minutes 8 after and 5 before; of three days alike a third; of the
        // cycles that end 47 minutes before the origin, two are today's
        let ahead =
            [jump, jump * 3.0 / 5.0, jump * 3.0 / 15.0, jump / 3.0, jump * 3.0 / 45.0, jump / 57.0, -jump / 24.0];
        let expected = [vec![0.0; still], gaps.to_vec(), ahead.to_vec()].concat();
        assert!(row.iter().zip(&expected).all(|(ours, theirs)| (ours - theirs).abs() < 1e-9), "{row:?}, {expected:?}");
    }

    #[test]
    fn what_would_be_read_after_the_origin_is_read_a_cycle_earlier() {
        let loads: Vec<Option<f64>> = (0..1000).map(|i| Some(f64::from(i % 30))).collect();
        let past = past(&loads);
        let cycle = Cycle { period: 30, count: 4 };
        for ahead in [0, 1, 29, 30, 31, 200] {
            let usual = cycle.usual(&past, 700 + ahead, 700).unwrap();
            assert!((usual - past.value((700 + ahead) % 30)).abs() < 1e-12, "{ahead}");
        }
        assert_eq!(cycle.usual(&past, 20, 10), None);
    }

    #[test]
    fn features_do_not_look_past_their_origin() {
        let mut loads: Vec<Option<f64>> = (0..4 * 1440).map(|i| Some(f64::from(i % 97))).collect();
        let origin = 3 * 1440;
        let before = past(&loads);
        // changed such that unit and gaps stay what they are
        loads[origin + 1..].reverse();
        let after = past(&loads);
        let features = Features::learnable(&minutes(), 2 * 1440, &found(&[60]));
        for ahead in [1, 59, 60, 61, 1436, 1440, 1443] {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            for (past, row) in [(&before, &mut left), (&after, &mut right)] {
                let anchor = features.push_shared(past, origin, row).unwrap();
                features.push_ahead(past, &anchor, ahead, row).unwrap();
            }
            assert!(left.iter().zip(&right).all(|(l, r)| (l - r).abs() < 1e-9), "{ahead}: {left:?} {right:?}");
        }
    }
}
