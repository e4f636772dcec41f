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

/// The share of the errors that their correlation from one origin to the next leaves independent: `(1 − ρ) / (1 + ρ)`, that
/// of an autoregression of the first order (Bayley and Hammersley, JRSS Supplement 8, 1946).
fn independence(misses: &[Miss]) -> f64 {
    let mean = misses.iter().map(Miss::error).sum::<f64>() / misses.len() as f64;
    let variance: f64 = misses.iter().map(|miss| (miss.error() - mean).powi(2)).sum();
    let covariance: f64 = misses.windows(2).map(|pair| (pair[0].error() - mean) * (pair[1].error() - mean)).sum();
    let correlation = if variance > 0.0 { (covariance / variance).clamp(0.0, 0.999) } else { 0.0 };
    (1.0 - correlation) / (1.0 + correlation)
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
