//! [`Bands`]: how far what comes may lie from what was predicted, per horizon and part of the day.

use crate::horizons;
use crate::past::Past;
use crate::quantiles::{COUNT, MEDIAN, Offsets, of_errors};
use crate::rolling::{Miss, Misses};

/// Parts of a day with bands of their own; between their middles the bands run along straight lines.
const PARTS: usize = 24;
const PART_SECONDS: i64 = 3600;
/// Deviation of the kernel that says which errors belong to a part of the day, in parts.
const NEARNESS: f64 = 1.0;
/// Weight of an error of another part of the day, against 1 of the same.
const OTHER_PARTS: f64 = 0.05;
/// From errors of fewer days than this, parts of the day cannot be told from single events.
const DAYS_FOR_PARTS: i64 = 2;
/// Further knots with fewer errors than this are not believed; the near ones are extrapolated instead.
const FEWEST: usize = 12;

/// Offsets to the center on the models' scale.
///
/// For one time of the day the spread around the median never falls from one knot to the next: a forecast read further
/// out, about the same moment, is never surer than a fresh one. After the last knot it grows with the root of the horizon,
/// as that of a random walk.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bands {
    knots: Vec<usize>,
    /// One row per knot; of one entry, or of one per part of the day.
    rows: Vec<Vec<Offsets>>,
}

impl Bands {
    /// The bands that the misses of a rehearsal call for; `None` where there are none at the nearest knot.
    pub(crate) fn of(misses: &Misses, past: &Past) -> Option<Self> {
        let mut bands = Self { knots: Vec::new(), rows: Vec::new() };
        for (knot, misses) in misses.iter() {
            if misses.is_empty() || (!bands.knots.is_empty() && misses.len() < FEWEST) {
                continue;
            }
            let mut row = row(misses, knot, past);
            if let Some(nearer) = bands.rows.last() {
                widen(&mut row, nearer);
            }
            bands.knots.push(knot);
            bands.rows.push(row);
        }
        (!bands.knots.is_empty()).then_some(bands)
    }

    /// The bands that `misses` at the one knot `ahead` call for.
    pub(crate) fn at_knot(misses: &[Miss], ahead: usize, past: &Past) -> Option<Self> {
        (!misses.is_empty()).then(|| Self { knots: vec![ahead], rows: vec![row(misses, ahead, past)] })
    }

    /// The offsets `ahead` steps after the last known sample, where it is `second_of_day` then.
    pub(crate) fn at(&self, ahead: usize, second_of_day: i64) -> Offsets {
        let (left, right, share) = horizons::place(&self.knots, ahead);
        let (near, far) = (at_part(&self.rows[left], second_of_day), at_part(&self.rows[right], second_of_day));
        let between = mixed(&near, &far, share);
        let last = self.knots[right];
        let growth = if ahead > last { (ahead as f64 / last as f64).sqrt() } else { 1.0 };
        between.map(|offset| between[MEDIAN] + (offset - between[MEDIAN]) * growth)
    }
}

/// The offsets of one knot, per part of the day where the misses are of days enough.
fn row(misses: &[Miss], ahead: usize, past: &Past) -> Vec<Offsets> {
    let independence = independence(misses);
    let mut sorted: Vec<(f64, usize)> =
        misses.iter().map(|miss| (miss.error(), part_of(past.calendar().second_of_day(miss.origin + ahead)))).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let errors: Vec<f64> = sorted.iter().map(|(error, _)| *error).collect();
    let mut weights = vec![1.0; errors.len()];
    let span = misses.last().map_or(0, |last| last.origin) - misses.first().map_or(0, |first| first.origin);
    if span < past.calendar().steps_in(DAYS_FOR_PARTS * 86_400) {
        return vec![of_errors(&errors, &weights, independence)];
    }
    (0..PARTS)
        .map(|part| {
            let of_part: [f64; PARTS] = std::array::from_fn(|other| weight(part, other));
            for (weight, (_, other)) in weights.iter_mut().zip(&sorted) {
                *weight = of_part[*other];
            }
            of_errors(&errors, &weights, independence)
        })
        .collect()
}

/// The share of the errors that their correlation `ρ` from one origin to the next leaves independent: `√((1 − ρ) / (1 + ρ))`.
///
/// Without the root it would be the share for their *mean*, were they an autoregression of the first order (Bayley and
/// Hammersley, JRSS Supplement 8, 1946). Errors far out in the tail come in shorter runs than errors in the middle; on
/// recorded loads the full discount made bands cover too much and the root of it what they say.
fn independence(misses: &[Miss]) -> f64 {
    let mean = misses.iter().map(Miss::error).sum::<f64>() / misses.len() as f64;
    let variance: f64 = misses.iter().map(|miss| (miss.error() - mean).powi(2)).sum();
    let covariance: f64 = misses.windows(2).map(|pair| (pair[0].error() - mean) * (pair[1].error() - mean)).sum();
    let correlation = if variance > 0.0 { (covariance / variance).clamp(0.0, 0.999) } else { 0.0 };
    ((1.0 - correlation) / (1.0 + correlation)).sqrt()
}

fn weight(part: usize, other: usize) -> f64 {
    let apart = part.abs_diff(other);
    let around = apart.min(PARTS - apart) as f64 / NEARNESS;
    OTHER_PARTS + (-0.5 * around * around).exp()
}

/// Makes the spread around the median at least that of the nearer knot.
fn widen(row: &mut [Offsets], nearer: &[Offsets]) {
    for (part, offsets) in row.iter_mut().enumerate() {
        let narrower = nearer.get(part).or(nearer.first()).copied().unwrap_or([0.0; COUNT]);
        let median = offsets[MEDIAN];
        for (level, offset) in offsets.iter_mut().enumerate() {
            let least = median + narrower[level] - narrower[MEDIAN];
            *offset = if level > MEDIAN { offset.max(least) } else { offset.min(least) };
        }
    }
}

fn at_part(row: &[Offsets], second_of_day: i64) -> Offsets {
    if row.len() < PARTS {
        return row[0];
    }
    let from_middle = (second_of_day - PART_SECONDS / 2).rem_euclid(86_400);
    let part = part_of(from_middle);
    let share = (from_middle % PART_SECONDS) as f64 / PART_SECONDS as f64;
    mixed(&row[part], &row[(part + 1) % PARTS], share)
}

fn part_of(second_of_day: i64) -> usize {
    usize::try_from(second_of_day / PART_SECONDS).unwrap_or(0).min(PARTS - 1)
}

fn mixed(left: &Offsets, right: &Offsets, share: f64) -> Offsets {
    std::array::from_fn(|level| left[level] + (right[level] - left[level]) * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantiles::LEVELS;
    use crate::testing::past;

    const HIGH: usize = 9;

    /// One miss per minute over `days` days, each off by what `error` says of its minute.
    fn misses(days: usize, error: impl Fn(usize) -> f64) -> Vec<Miss> {
        (0..days * 1440).map(|origin| Miss { origin, predicted: 0.0, actual: error(origin) }).collect()
    }

    fn bands(knots: Vec<usize>, highs: &[f64]) -> Bands {
        let offsets = |high: f64| std::array::from_fn(|level| (LEVELS[level] - 0.5) * high);
        Bands { knots, rows: highs.iter().map(|&high| vec![offsets(high)]).collect() }
    }

    #[test]
    fn after_the_last_knot_the_spread_grows_with_the_root_of_the_horizon() {
        let bands = bands(vec![1, 4], &[1.0, 2.0]);
        let at = |ahead| bands.at(ahead, 0)[HIGH];
        assert!((at(2) - 1.5 * 0.49).abs() < 1e-12, "half way in the logarithm");
        assert!((at(16) - 2.0 * at(4)).abs() < 1e-12);
    }

    #[test]
    fn a_further_knot_is_never_surer() {
        let past = past(&vec![Some(1.0); 1000]);
        let noisy = misses(1, |origin| if origin % 2 == 0 { 1.0 } else { -1.0 });
        let calm = misses(1, |_| 0.25);
        let mut all = Misses::none(&[1, 10]);
        for (knot, misses) in [noisy, calm].into_iter().enumerate() {
            all.replace(knot, misses);
        }
        let bands = Bands::of(&all, &past).unwrap();
        let (near, far) = (bands.at(1, 0), bands.at(10, 0));
        for level in 0..COUNT {
            let (near, far) = (near[level] - near[MEDIAN], far[level] - far[MEDIAN]);
            assert!(far.abs() >= near.abs(), "{level}");
        }
        assert!((far[MEDIAN] - 0.25).abs() < 1e-12, "the center is the further knot's own");
    }

    #[test]
    fn each_part_of_the_day_has_its_own_spread_when_there_are_days_enough() {
        let past = past(&vec![Some(1.0); 5 * 1440]);
        // wild in the first hour of the day only, and never the same way twice
        let wild = |origin: usize| if origin % 1440 < 60 { 10.0 } else { 1.0 } * if origin.is_multiple_of(2) { 1.0 } else { -1.0 };
        let of_days = |days| Bands::at_knot(&misses(days, wild), 1, &past).unwrap();
        let spread = |bands: &Bands, hour: i64| bands.at(1, hour * 3600 + 1800)[6];
        let four = of_days(4);
        assert!((spread(&four, 0) - 10.0).abs() < 1e-9 && (spread(&four, 12) - 1.0).abs() < 1e-9);
        let between = four.at(1, 3 * 3600)[6];
        assert!(between >= 1.0 && between <= spread(&four, 2));
        let one = of_days(1);
        assert_eq!(one.at(1, 0), one.at(1, 12 * 3600));
    }

    #[test]
    fn correlated_errors_are_fewer() {
        let alternating = misses(1, |origin| if origin.is_multiple_of(2) { 1.0 } else { -1.0 });
        assert!((independence(&alternating) - 1.0).abs() < 1e-12);
        let slow = misses(1, |origin| (std::f64::consts::TAU * origin as f64 / 1440.0).sin());
        assert!(independence(&slow) < 0.05);
    }
}
