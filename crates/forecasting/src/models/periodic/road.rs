//! [`Road`]: the values and seasonal averages of one member in a row, on which it goes ahead step by step, reading what it wrote.

use super::member::{Member, Shape};
use crate::past::Past;

/// How fast a seasonal average follows (`α`).
const FOLLOWING: f64 = 0.2;
/// Averages are read at most this many steps after the target.
const MARGIN: usize = 2;

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
pub(super) struct Road {
    shape: Shape,
    standard: Standard,
    rows: Vec<f64>,
    /// Length of one row.
    len: usize,
    /// How many values are known or filled.
    known: usize,
    /// The values as they were, for the way back.
    values: Vec<f64>,
    /// Which averages are kept: the start of their row, and their period.
    averages: Vec<(usize, usize)>,
    /// Where the regressors of target `t` stand in `rows`, from `t` on.
    places: Vec<isize>,
    first: usize,
    /// The step of the day at each index.
    steps: Vec<usize>,
}

impl Standard {
    /// By the mean of the last week and the deviation of everything, in `loads`.
    pub(super) fn of(loads: &[f64], shape: Shape, day: usize) -> Self {
        let values: Vec<f64> = loads.iter().map(|&load| shape.forward(load)).collect();
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

impl Road {
    /// The road of `member` along `loads`, with room for `reach` steps more.
    pub(super) fn new(
        past: &Past,
        loads: &[f64],
        member: &Member,
        standard: Standard,
        day: usize,
        reach: usize,
    ) -> Self {
        let (known, len) = (loads.len(), loads.len() + reach + MARGIN);
        let scaled = |&load: &f64| (member.shape.forward(load) - standard.mean) / standard.deviation;
        let values: Vec<f64> = loads.iter().map(scaled).collect();
        let mut rows = vec![0.0; 3 * len];
        rows[..known].copy_from_slice(&values);
        let row_of = |days: usize| if days == 1 { len } else { 2 * len };
        let averages: Vec<(usize, usize)> = [1, 7]
            .into_iter()
            .filter(|&days| member.averages_over(days))
            .map(|days| (row_of(days), days * day))
            .collect();
        for &(row, period) in &averages {
            let seen = period.min(known);
            rows[row..row + seen].copy_from_slice(&values[..seen]);
        }
        let signed = |places: usize| isize::try_from(places).unwrap_or(isize::MAX);
        let recent = (1..=member.recent).map(|lag| -signed(lag));
        let lags = member
            .lags
            .iter()
            .flat_map(|around| (around.from..=around.to).map(|more| -signed(around.days * day) - more));
        let places = member
            .averages
            .iter()
            .flat_map(|around| (around.from..=around.to).map(|more| signed(row_of(around.days)) + more));
        let places = recent.chain(lags).chain(places).collect();
        let steps = (0..len).map(|index| past.calendar().step_of_day(index).min(day - 1)).collect();
        let first = member.first(day);
        let mut road = Self { shape: member.shape, standard, rows, len, known, values, averages, places, first, steps };
        (0..known).for_each(|index| road.average(index));
        road
    }

    /// The first index at which all regressors are there.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// The step of the day at `index`.
    pub(super) fn step_of_day(&self, index: usize) -> usize {
        self.steps[index]
    }

    /// How many columns a row of the regression has: the regressors, 1, the target.
    pub(super) fn columns(&self) -> usize {
        self.places.len() + 2
    }

    /// The row of target `index` into `row`.
    pub(super) fn row(&self, index: usize, row: &mut [f64]) {
        for (value, &place) in row.iter_mut().zip(&self.places) {
            *value = self.rows[index.wrapping_add_signed(place)];
        }
        row[self.places.len()] = 1.0;
        row[self.places.len() + 1] = self.rows[index];
    }

    /// Goes `reach` steps from `origin` and pushes the relative loads on the way; leaves the road as it was.
    pub(super) fn walk(&mut self, origin: usize, reach: usize, coefficients: &Coefficients, walked: &mut Vec<f64>) {
        for index in origin + 1..=origin + reach {
            let coefficients = &coefficients[self.steps[index]];
            let intercept = coefficients.last().copied().unwrap_or(0.0);
            let terms = self.places.iter().zip(coefficients);
            let value = terms.fold(intercept, |sum, (&place, coefficient)| {
                sum + coefficient * self.rows[index.wrapping_add_signed(place)]
            });
            let held = value.max(self.standard.low).min(self.standard.high);
            self.rows[index] = held;
            self.average(index);
            walked.push(self.shape.backward(held * self.standard.deviation + self.standard.mean));
        }
        let trodden = origin + 1..(origin + 1 + reach).min(self.known);
        self.rows[trodden.clone()].copy_from_slice(&self.values[trodden.clone()]);
        trodden.for_each(|index| self.average(index));
    }

    /// Carries the value at `index` into the averages a period later.
    fn average(&mut self, index: usize) {
        for place in 0..self.averages.len() {
            let (row, period) = self.averages[place];
            if index + period < self.len {
                let before = self.rows[row + index];
                self.rows[row + index + period] = before + FOLLOWING * (self.rows[index] - before);
            }
        }
    }
}
