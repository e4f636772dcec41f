//! [`Filters`]: exponential smoothing with every setting at once, side by side.

use crate::past::Past;

/// How many settings there are: the vectors of any processor fill up.
pub(super) const SETTINGS: usize = 24;
/// Settings from this one on have no season.
const SEASONAL: usize = 16;

/// One number per setting.
type Row = [f64; SETTINGS];

/// The parameters of one setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Smoothing {
    /// `α`
    pub(super) level: f64,
    /// `β`
    pub(super) trend: f64,
    /// `γ`
    pub(super) season: f64,
    /// `φ`
    pub(super) damping: f64,
}

const SEASONAL_LEVELS: [f64; 4] = [0.02, 0.1, 0.3, 0.7];
const SEASONS: [f64; 2] = [0.1, 0.3];
const PLAIN_LEVELS: [f64; 4] = [0.1, 0.3, 0.6, 0.95];
/// `β / α` with a trend.
const TREND: f64 = 0.1;
const DAMPING: f64 = 0.95;
/// The season begins as the first day, smoothed over so many seconds.
const SMOOTHED_SECONDS: i64 = 900;

/// The grid.
pub(super) fn settings() -> [Smoothing; SETTINGS] {
    std::array::from_fn(|place| {
        let trend = place % 2 == 1;
        let (level, season) = if place < SEASONAL {
            (SEASONAL_LEVELS[place / 2 % 4], SEASONS[place / 8])
        } else {
            (PLAIN_LEVELS[place / 2 % 4], 0.0)
        };
        let (trend, damping) = if trend { (TREND * level, DAMPING) } else { (0.0, 0.0) };
        Smoothing { level, trend, season, damping }
    })
}

/// The states of all settings after some index.
#[derive(Debug, Clone)]
pub(super) struct Filters {
    alpha: Row,
    beta: Row,
    gamma: Row,
    phi: Row,
    level: Row,
    trend: Row,
    /// One row per step of the day; empty where the history holds no two days.
    seasons: Vec<Row>,
    /// When the season begins: once the second day shows how far the first one drifted.
    seasonal_from: usize,
    /// Before this index not every setting can be asked.
    first_origin: usize,
}

impl Filters {
    /// Before the sample at index `first` is taken in.
    pub(super) fn new(past: &Past, first: usize) -> Self {
        let settings = settings();
        let day = past.calendar().steps_in(86_400);
        let seasonal_from = first + day + smoothed_steps(past);
        // a second day shows whether the first comes back
        let seasons =
            if past.last() >= seasonal_from + day && day > 1 { vec![[0.0; SETTINGS]; day + 1] } else { Vec::new() };
        Self {
            alpha: settings.map(|one| one.level),
            beta: settings.map(|one| one.trend),
            gamma: settings.map(|one| one.season),
            phi: settings.map(|one| one.damping),
            level: [past.value(first); SETTINGS],
            trend: [0.0; SETTINGS],
            first_origin: if seasons.is_empty() { first } else { seasonal_from },
            seasons,
            seasonal_from,
        }
    }

    /// The first index after which every setting can be asked.
    pub(super) fn first_origin(&self) -> usize {
        self.first_origin
    }

    /// Takes in the sample at `index`, the one after the last one taken in; an unknown one only lets time pass.
    pub(super) fn step(&mut self, past: &Past, index: usize) {
        if index == self.seasonal_from {
            self.begin_season(past);
        }
        let known = f64::from(u8::from(past.is_known(index)));
        let value = past.value(index);
        let mut none = [0.0; SETTINGS];
        let season = self.seasons.get_mut(past.calendar().step_of_day(index)).unwrap_or(&mut none);
        #[expect(clippy::needless_range_loop, reason = "seven rows side by side, which a vector unit takes in step")]
        for place in 0..SETTINGS {
            let carried = self.phi[place] * self.trend[place];
            let expected = self.level[place] + carried;
            let error = known * (value - expected - season[place]);
            self.level[place] = expected + self.alpha[place] * error;
            self.trend[place] = carried + self.beta[place] * error;
            season[place] += self.gamma[place] * error;
        }
    }

    /// What setting `setting` expects `ahead` steps on, where the day is at step `step_of_day` then.
    pub(super) fn ahead(&self, setting: usize, ahead: usize, step_of_day: usize) -> f64 {
        self.level[setting] + self.trend[setting] * reach(self.phi[setting], ahead) + self.season(step_of_day)[setting]
    }

    /// What every setting expects.
    pub(super) fn all_ahead(&self, ahead: usize, step_of_day: usize) -> impl Iterator<Item = f64> + '_ {
        let season = self.season(step_of_day);
        let far = reach(DAMPING, ahead);
        (0..SETTINGS).map(move |place| self.level[place] + self.trend[place] * far + season[place])
    }

    fn season(&self, step_of_day: usize) -> &Row {
        self.seasons.get(step_of_day).unwrap_or(&[0.0; SETTINGS])
    }

    /// The season is the first day less its mean and its drift: where that day ends on another level than it began, the season would jump there.
    fn begin_season(&mut self, past: &Past) {
        if self.seasons.is_empty() {
            return;
        }
        let day = self.seasons.len() - 1;
        let smoothed = smoothed_steps(past);
        let first = self.seasonal_from - day - smoothed;
        let last = first + day - 1;
        let (mean, middle) = (past.mean(first, last), (day - 1) as f64 / 2.0);
        let drift = past.mean(last + 1, last + smoothed) - past.mean(first, first + smoothed - 1);
        for index in first..=last {
            let around = past.mean(index.saturating_sub(smoothed / 2).max(first), (index + smoothed / 2).min(last));
            let line = mean + drift * ((index - first) as f64 - middle) / day as f64;
            let season = &mut self.seasons[past.calendar().step_of_day(index)];
            season[..SEASONAL].fill(around - line);
        }
        self.level[..SEASONAL].fill(mean + drift / 2.0);
        self.trend[..SEASONAL].fill(0.0);
    }
}

fn smoothed_steps(past: &Past) -> usize {
    past.calendar().steps_in(SMOOTHED_SECONDS).max(1)
}

/// `φ + φ² + … + φ^h`
fn reach(phi: f64, ahead: usize) -> f64 {
    let power = phi.powi(i32::try_from(ahead).unwrap_or(i32::MAX));
    phi * (1.0 - power) / (1.0 - phi)
}
