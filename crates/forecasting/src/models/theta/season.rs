//! [`Season`]: the shape of the day by classical decomposition, and the test whether there is one.

use crate::past::Past;

/// The shape is smoothed over so many seconds.
const SMOOTHED_SECONDS: i64 = 900;
/// Days of deviations that a shape needs.
const FEWEST_DAYS: f64 = 2.0;
/// Two-sided 90 %: that of the M competitions.
const SIGNIFICANT: f64 = 1.645;
const HOURS: usize = 24;

/// Sums of the deviations from the day around, per step of the day.
#[derive(Debug, Clone)]
pub(super) struct Season {
    first: usize,
    /// The next index whose deviation is to be added.
    next: usize,
    day: usize,
    sums: Vec<f64>,
    counts: Vec<f64>,
}

impl Season {
    /// Nothing yet of the history from `first` on.
    pub(super) fn from(past: &Past, first: usize) -> Self {
        let day = past.calendar().steps_in(86_400);
        let places = day + 1;
        Self { first, next: first + day / 2, day, sums: vec![0.0; places], counts: vec![0.0; places] }
    }

    /// Adds what is known at `until`: deviations from the centered mean of a day.
    pub(super) fn extend(&mut self, past: &Past, until: usize) {
        let half = self.day / 2;
        // an even day has its ends at half their weight
        let centered = |index: usize| {
            if self.day % 2 == 1 {
                return past.mean(index - half, index + half);
            }
            let ends = f64::midpoint(past.value(index - half), past.value(index + half));
            (past.mean(index - half + 1, index + half - 1) * (self.day - 1) as f64 + ends) / self.day as f64
        };
        while self.next + half <= until {
            if past.is_known(self.next) {
                let place = past.calendar().step_of_day(self.next).min(self.day);
                self.sums[place] += past.value(self.next) - centered(self.next);
                self.counts[place] += 1.0;
            }
            self.next += 1;
        }
    }

    /// The shape, one entry per step of the day, with a mean of 0; flat where the test finds none or the history is short.
    pub(super) fn shape(&self, past: &Past, until: usize) -> Vec<f64> {
        let days = self.counts.iter().sum::<f64>() / self.day.max(1) as f64;
        if self.day < 2 || days < FEWEST_DAYS || !self.is_seasonal(past, until) {
            return vec![0.0; self.sums.len()];
        }
        let half = past.calendar().steps_in(SMOOTHED_SECONDS).saturating_sub(1) / 2;
        let (mut shape, mut total) = (vec![0.0; self.sums.len()], 0.0);
        let around = |place: usize| (place + self.day - half..=place + self.day + half).map(|other| other % self.day);
        let (mut sum, mut count) = around(0).fold((0.0, 0.0), |(s, c), p| (s + self.sums[p], c + self.counts[p]));
        for (place, entry) in shape[..self.day].iter_mut().enumerate() {
            *entry = if count > 0.0 { sum / count } else { 0.0 };
            total += *entry;
            let (gone, come) = ((place + self.day - half) % self.day, (place + half + 1) % self.day);
            sum += self.sums[come] - self.sums[gone];
            count += self.counts[come] - self.counts[gone];
        }
        let mean = total / self.day as f64;
        shape[..self.day].iter_mut().for_each(|entry| *entry -= mean);
        shape[self.day] = shape[self.day - 1];
        shape
    }

    /// `|r_24| > 1.645 · √((1 + 2 Σ_{i<24} r_i²) / n)`, `r` the autocorrelations of the means of hours.
    fn is_seasonal(&self, past: &Past, until: usize) -> bool {
        let lag = HOURS.min(self.day);
        let hour = (self.day / lag).max(1);
        let count = (until + 1 - self.first) / hour;
        let means: Vec<f64> =
            (0..count).map(|place| past.mean(until + 1 - (place + 1) * hour, until - place * hour)).collect();
        if count < 2 * lag {
            return false;
        }
        let mean = means.iter().sum::<f64>() / count as f64;
        let covariance =
            |lag: usize| means.iter().zip(&means[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
        let variance = covariance(0);
        if variance.is_nan() || variance <= 0.0 {
            return false;
        }
        let squares: f64 = (1..lag).map(|lag| (covariance(lag) / variance).powi(2)).sum();
        (covariance(lag) / variance).abs() > SIGNIFICANT * ((1.0 + 2.0 * squares) / count as f64).sqrt()
    }
}
