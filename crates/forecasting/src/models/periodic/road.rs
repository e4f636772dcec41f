//! [`Road`]: the values and seasonal averages of one member in a row, on which it goes ahead step by step, reading what it wrote.

use super::clock::{Clock, Season};
use super::member::{Around, Member, Shape};

/// How fast a seasonal average follows (`α`).
const FOLLOWING: f64 = 0.3;
/// Averages are read at most this many steps after the target.
pub(super) const MARGIN: usize = 2;

/// How a member's scale is standardized, and inside which range it is held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standard {
    mean: f64,
    deviation: f64,
    low: f64,
    high: f64,
}

/// One row of coefficients (the intercept last) per step of the day.
pub(super) type Coefficients = Vec<Vec<f64>>;

/// Three rows of one length: the values, their daily averages, their weekly ones.
#[derive(Debug, Clone)]
pub(super) struct Road<'a> {
    clock: &'a Clock,
    shape: Shape,
    standard: Standard,
    rows: Vec<f64>,
    /// The values as they were, for the way back.
    values: Vec<f64>,
    /// Which averages are kept, and the start of their row.
    averages: Vec<(Season, usize)>,
    /// Where the regressors stand in `rows`: some from the target on, the others from the same time of the day before on.
    from_target: Vec<isize>,
    from_yesterday: Vec<isize>,
    first: usize,
}

impl Standard {
    /// By the mean of the last week and the deviation of everything, in `values`.
    fn of(values: &[f64], day: usize) -> Self {
        let week = &values[values.len().saturating_sub(7 * day)..];
        let all = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - all).powi(2)).sum::<f64>() / values.len() as f64;
        let mean = week.iter().sum::<f64>() / week.len() as f64;
        // what varies less is flat but for rounding
        let deviation = if variance.sqrt() > 1e-9 * (1.0 + mean.abs()) { variance.sqrt() } else { 1.0 };
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let scaled = |value: f64| (value - mean) / deviation;
        Self { mean, deviation, low: scaled(low - (high - low)), high: scaled(high + (high - low)) }
    }
}

impl<'a> Road<'a> {
    /// The road of `member` along `loads`, with room for `reach` steps more, of which `clock` must tell; standardized as said, or by the loads.
    pub(super) fn new(
        clock: &'a Clock,
        loads: &[f64],
        member: &Member,
        standard: Option<Standard>,
        reach: usize,
    ) -> Self {
        let mut values: Vec<f64> = loads.iter().map(|&load| member.shape.forward(load)).collect();
        let standard = standard.unwrap_or_else(|| Standard::of(&values, clock.day()));
        for value in &mut values {
            *value = (*value - standard.mean) / standard.deviation;
        }
        let len = loads.len() + reach + MARGIN;
        let mut rows = vec![0.0; 3 * len];
        rows[..values.len()].copy_from_slice(&values);
        let row_of = |season: Option<Season>| match season {
            None => 0,
            Some(Season::Day) => len,
            Some(Season::Week) => 2 * len,
        };
        let kept = [Season::Day, Season::Week].into_iter().filter(|&season| member.averages_over(season));
        let averages: Vec<(Season, usize)> = kept.map(|season| (season, row_of(Some(season)))).collect();
        let places = |around: Around| {
            let groups = member.regressors.iter().filter(move |one| one.around == around);
            let start = |season| isize::try_from(row_of(season)).unwrap_or(isize::MAX);
            groups.flat_map(move |one| (one.from..=one.to).map(move |place| start(one.average) + place)).collect()
        };
        let (from_target, from_yesterday) = (places(Around::Target), places(Around::Yesterday));
        // as often as a season is counted back, an hour more may lie between
        let first = member.first(clock.day()) + 2 * clock.late();
        let shape = member.shape;
        let mut road = Self { clock, shape, standard, rows, values, averages, from_target, from_yesterday, first };
        (0..len).for_each(|index| road.average(index));
        road
    }

    /// How it is standardized.
    pub(super) fn standard(&self) -> Standard {
        self.standard
    }

    /// The first index at which all regressors are there.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// How many columns a row of the regression has: the regressors, 1, the target.
    pub(super) fn columns(&self) -> usize {
        self.from_target.len() + self.from_yesterday.len() + 2
    }

    /// The row of target `index` into `row`.
    pub(super) fn row(&self, index: usize, row: &mut [f64]) {
        let yesterday = self.clock.before(Season::Day)[index];
        let targets = self.from_target.iter().map(|&place| index.wrapping_add_signed(place));
        let places = targets.chain(self.from_yesterday.iter().map(|&place| yesterday.wrapping_add_signed(place)));
        row.iter_mut().zip(places).for_each(|(value, place)| *value = self.rows[place]);
        row[self.columns() - 2] = 1.0;
        row[self.columns() - 1] = self.rows[index];
    }

    /// Goes `reach` steps from `origin` and pushes the relative loads on the way; leaves the road as it was.
    pub(super) fn walk(&mut self, origin: usize, reach: usize, coefficients: &Coefficients, walked: &mut Vec<f64>) {
        for index in origin + 1..=origin + reach {
            self.average(index + MARGIN);
            let coefficients = &coefficients[self.clock.step_of_day(index)];
            let (by_target, others) = coefficients.split_at(self.from_target.len());
            let (by_yesterday, intercept) = others.split_at(self.from_yesterday.len());
            let value = intercept.iter().sum::<f64>()
                + self.sum(index, &self.from_target, by_target)
                + self.sum(self.clock.before(Season::Day)[index], &self.from_yesterday, by_yesterday);
            let held = value.max(self.standard.low).min(self.standard.high);
            self.rows[index] = held;
            walked.push(self.shape.backward(held * self.standard.deviation + self.standard.mean));
        }
        let trodden = origin + 1..(origin + 1 + reach).min(self.values.len());
        self.rows[trodden.clone()].copy_from_slice(&self.values[trodden]);
        (origin + 1..=origin + reach).for_each(|index| self.average(index + MARGIN));
    }

    fn sum(&self, from: usize, places: &[isize], coefficients: &[f64]) -> f64 {
        let terms = places.iter().zip(coefficients);
        terms.fold(0.0, |sum, (&place, coefficient)| sum + coefficient * self.rows[from.wrapping_add_signed(place)])
    }

    /// Makes the averages at `index` from what was a season before.
    fn average(&mut self, index: usize) {
        for place in 0..self.averages.len() {
            let (season, row) = self.averages[place];
            let before = self.clock.before(season)[index];
            let average = self.rows[row + before];
            // of the first season there is nothing but itself
            self.rows[row + index] =
                if before == index { self.rows[index] } else { average + FOLLOWING * (self.rows[before] - average) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::past::Calendar;

    #[test]
    fn a_walk_leaves_the_road_as_it_was() {
        let hour = series::Step::from_seconds(3600).unwrap();
        let calendar = Calendar::new(series::Timestamp::UNIX_EPOCH, hour, 400, &jiff::tz::TimeZone::UTC);
        let clock = Clock::of(&calendar, 400 + 60 + MARGIN, 24);
        let loads: Vec<f64> = (0..400).map(|index| 1.0 + f64::from(index * 7919 % 41) / 41.0).collect();
        for member in Member::set_for(400, 24, 72) {
            let mut road = Road::new(&clock, &loads, member, None, 60);
            let rows = |road: &Road<'_>| -> Vec<Vec<f64>> {
                let row = |index| {
                    let mut row = vec![0.0; road.columns()];
                    road.row(index, &mut row);
                    row
                };
                (road.first()..400).map(row).collect()
            };
            let before = rows(&road);
            let coefficients = vec![vec![0.3; road.columns() - 1]; 24];
            let mut walked = Vec::new();
            road.walk(320, 60, &coefficients, &mut walked);
            assert_ne!(walked[..], loads[321..381]);
            assert_eq!(rows(&road), before);
        }
    }
}
