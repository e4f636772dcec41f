//! A made load for the speed benches: no trace may enter the repository, and every run must see the same.

use std::f64::consts::TAU;

use series::{Load, Sample, Series, Step, Timestamp};

/// Seconds since the epoch, a midnight: any will do.
const START: i64 = 1_767_225_600;
const MINUTES_A_DAY: u32 = 1440;
/// One minute in so many begins a spike, of so many minutes.
const SPIKE_EVERY: usize = 700;
const SPIKE_MINUTES: u32 = 12;

/// `days` of minutes: a day with two peaks, a quieter weekend, noise that lasts a while, and a spike now and then.
///
/// # Panics
/// Never, unless the words of `series` change their invariants.
#[expect(clippy::expect_used, reason = "a benchmark stops at the first thing that is wrong")]
pub fn made_load(days: u32) -> Series {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut drift, mut spike) = (0.0, 0);
    let samples = (0..days * MINUTES_A_DAY).map(|minute| {
        let day = TAU * f64::from(minute % MINUTES_A_DAY) / f64::from(MINUTES_A_DAY);
        let weekend = if (minute / MINUTES_A_DAY) % 7 >= 5 { 0.7 } else { 1.0 };
        let center = 300.0 * weekend * (1.4 - day.cos() - 0.3 * (2.0 * day).cos());
        drift = 0.98 * drift + 0.02 * (random.f64() - 0.5);
        if spike == 0 && random.usize(..SPIKE_EVERY) == 0 {
            spike = SPIKE_MINUTES;
        }
        spike = u32::saturating_sub(spike, 1);
        let surge = if spike > 0 { 1.8 } else { 1.0 };
        let noise = center.sqrt() * 1.5 * (random.f64() + random.f64() - 1.0);
        let amount = (center * surge * (1.0 + 4.0 * drift) + noise).max(0.0).round();
        Sample::Value(Load::new(amount).expect("finite"))
    });
    let start = Timestamp::from_second(START).expect("a present moment");
    Series::from_samples(start, Step::MINUTE, samples).expect("on the grid")
}
