//! Short ways to write a history in tests.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use series::{GapReason, Load, Sample, Series, Step};

use crate::past::{Calendar, Past};
use crate::scale::Scale;

/// Monday, midnight UTC.
pub(crate) const MONDAY: i64 = 1_704_672_000;

pub(crate) fn sample(amount: Option<f64>) -> Sample {
    amount.map_or(Sample::Gap(GapReason::NoSample), |amount| Sample::Value(Load::new(amount).unwrap()))
}

pub(crate) fn series_every(seconds: u32, amounts: &[Option<f64>]) -> Series {
    let step = Step::from_seconds(seconds).unwrap();
    let start = step.floor(Timestamp::from_second(MONDAY).unwrap());
    Series::from_samples(start, step, amounts.iter().map(|&amount| sample(amount))).unwrap()
}

/// A series of minutes that begins on a Monday at midnight UTC.
pub(crate) fn series(amounts: &[Option<f64>]) -> Series {
    series_every(60, amounts)
}

pub(crate) fn past(amounts: &[Option<f64>]) -> Past {
    let history = series(amounts);
    Past::new(&history, Scale::of(&history), &TimeZone::UTC).unwrap()
}

/// A calendar of minutes in UTC.
pub(crate) fn minutes() -> Calendar {
    Calendar::new(Timestamp::from_second(MONDAY).unwrap(), Step::MINUTE, 20_000, &TimeZone::UTC)
}

/// `count` normal deviates (Box and Muller) of a seeded generator.
pub(crate) fn normals(seed: u64, count: usize) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count)
        .map(|_| {
            let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
            radius * (std::f64::consts::TAU * random.f64()).cos()
        })
        .collect()
}
