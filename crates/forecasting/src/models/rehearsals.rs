//! What holds of every classical model: its rehearsal is that of its fits, it never looks ahead, and it answers with numbers or not at all.

use proptest::prelude::*;

use super::calendar::CalendarRegression;
use super::holt_winters::HoltWinters;
use super::seasonal_median::SeasonalMedian;
use super::theta::Theta;
use crate::horizons;
use crate::model::{Fit, Predict};
use crate::past::Past;
use crate::rolling::{Miss, Misses, Rolling};
use crate::testing::{normals, past};

/// Sums of thousands of values, added in another order.
const ROUNDING: f64 = 1e-8;

fn noisy_days(seed: u64, days: usize) -> Vec<Option<f64>> {
    let level = |i: usize| 50.0 + 30.0 * (std::f64::consts::TAU * i as f64 / 1440.0).sin();
    let noise = normals(seed, days * 1440).into_iter().enumerate();
    let mut loads: Vec<Option<f64>> = noise.map(|(i, noise)| Some(level(i) + 3.0 * noise)).collect();
    loads[1000..1010].fill(None);
    loads[4000..4300].fill(None);
    loads
}

fn knots() -> Vec<usize> {
    horizons::knots(series::Step::MINUTE, std::time::Duration::from_mins(3), None)
}

fn rolled<M: Fit>(model: &M, past: &Past) -> Misses {
    model.roll(past, &Rolling::over(past, knots())).unwrap().0
}

/// The rehearsal against what the fit at the start of each block says from those of its origins that `of_block` takes.
fn rehearsed_as_fitted<M: Fit>(model: &M, of_block: impl Fn(usize, usize) -> bool) {
    let past = past(&noisy_days(1, 10));
    let rolling = Rolling::over(&past, knots());
    let misses = rolled(model, &past);
    let mut compared = 0;
    for block in rolling.blocks() {
        let Some(fitted) = model.fit(&past, block.fitted_at, rolling.knots()) else { continue };
        let origins = rolling.origins(&past, block).filter(|&origin| of_block(block.fitted_at, origin));
        for origin in origins.step_by(40) {
            let values = fitted.predict(&past, origin, rolling.knots()).unwrap();
            for (&ahead, value) in rolling.knots().iter().zip(values) {
                if past.is_known(origin + ahead) {
                    let at = misses.at(ahead);
                    let miss = at[at.partition_point(|miss| miss.origin < origin)];
                    assert_eq!(miss.origin, origin);
                    let off = (miss.predicted - value).abs();
                    assert!(off < ROUNDING, "{} from {origin}, {ahead} ahead: off by {off}", model.name());
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 40, "{}: {compared}", model.name());
}

#[test]
fn the_rehearsal_is_that_of_the_fits() {
    rehearsed_as_fitted(&SeasonalMedian, |_, _| true);
    rehearsed_as_fitted(&HoltWinters, |_, _| true);
    rehearsed_as_fitted(&Theta, |_, _| true);
    // in a rehearsal its curve is as old as the block
    rehearsed_as_fitted(&CalendarRegression, |fitted_at, origin| origin == fitted_at);
}

fn looks_back_only<M: Fit>(model: &M) {
    let loads = noisy_days(2, 10);
    let changed_from = 10 * 1440 - 700;
    let mut turned = loads.clone();
    turned[changed_from..].reverse();
    let (before, after) = (past(&loads), past(&turned));
    let (misses, of_turned) = (rolled(model, &before), rolled(model, &after));
    for ((ahead, left), (_, right)) in misses.iter().zip(of_turned.iter()) {
        // forecasts from before the change, also those of what came after it
        let known = |misses: &[Miss]| misses.partition_point(|miss| miss.origin < changed_from);
        assert_eq!(known(left), known(right));
        assert!(known(left) > 100);
        let close = |(l, r): (&Miss, &Miss)| (l.predicted - r.predicted).abs() < ROUNDING;
        assert!(left.iter().zip(right).take(known(left)).all(close), "{}, {ahead} ahead", model.name());
        assert!(left.iter().zip(right).any(|(l, r)| (l.actual - r.actual).abs() > 0.01), "the change must show");
    }
    let fitted = model.fit(&before, changed_from - 1, &knots()).unwrap();
    let of_turned = model.fit(&after, changed_from - 1, &knots()).unwrap();
    let ahead = [1, 7, 300, 1430, 1440, 2000];
    let (left, right) = (
        fitted.predict(&before, changed_from - 1, &ahead).unwrap(),
        of_turned.predict(&after, changed_from - 1, &ahead).unwrap(),
    );
    assert!(left.iter().zip(&right).all(|(l, r)| (l - r).abs() < ROUNDING), "{}: {left:?} {right:?}", model.name());
}

#[test]
fn what_comes_after_an_origin_changes_no_forecast_from_it() {
    looks_back_only(&SeasonalMedian);
    looks_back_only(&HoltWinters);
    looks_back_only(&Theta);
    looks_back_only(&CalendarRegression);
}

#[test]
fn too_little_is_no_fit() {
    let short = past(&noisy_days(3, 10)[..600]);
    assert!(SeasonalMedian.fit(&short, short.last(), &knots()).is_none());
    assert!(CalendarRegression.fit(&short, short.last(), &knots()).is_none());
    let ten = past(&noisy_days(3, 10)[..10]);
    assert!(HoltWinters.fit(&ten, ten.last(), &knots()).is_none());
    assert!(Theta.fit(&ten, ten.last(), &knots()).is_none());
    // and without a day they go on without a season
    assert!(HoltWinters.fit(&short, short.last(), &knots()).is_some());
    assert!(Theta.fit(&short, short.last(), &knots()).is_some());
}

/// The mean absolute error some hours ahead.
fn errors<M: Fit>(model: &M, past: &Past) -> f64 {
    let misses = rolled(model, past);
    let at = misses.at(knots().into_iter().find(|&knot| knot > 200).unwrap());
    at.iter().map(|miss| miss.error().abs()).sum::<f64>() / at.len() as f64
}

#[test]
fn the_day_is_learned_better_than_the_last_value() {
    let past = past(&noisy_days(4, 10));
    let persistence = errors(&super::persistence::Persistence, &past);
    for (name, error) in [
        ("seasonal median", errors(&SeasonalMedian, &past)),
        ("holt-winters", errors(&HoltWinters, &past)),
        ("theta", errors(&Theta, &past)),
        ("calendar", errors(&CalendarRegression, &past)),
    ] {
        assert!(error < 0.4 * persistence, "{name}: {error} against {persistence}");
    }
}

fn answers_with_numbers<M: Fit>(model: &M, past: &Past) -> Result<(), TestCaseError> {
    let rolling = Rolling::over(past, knots());
    let Some((misses, fitted)) = model.roll(past, &rolling) else { return Ok(()) };
    for (ahead, misses) in misses.iter() {
        let all = misses.iter().all(|miss| miss.predicted.is_finite());
        prop_assert!(all, "{}, {ahead} ahead", model.name());
    }
    let ahead = [1, 2, 60, 1439, 1440, 1441, 3000];
    if let Some(values) = fitted.predict(past, past.last(), &ahead) {
        prop_assert!(values.iter().all(|value| value.is_finite()), "{}: {values:?}", model.name());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_loads_get_numbers(
        seed in 0..u64::MAX,
        count in 3..16_000_usize,
        unit in prop::sample::select(vec![1e-9, 1.0, 1e12]),
        zeros in prop::sample::select(vec![0.0, 0.7, 1.0]),
        gaps in prop::sample::select(vec![0.0, 0.3]),
        spread in prop::sample::select(vec![0.0, 5.0]),
    ) {
        let mut random = fastrand::Rng::with_seed(seed);
        let crowd = random.usize(0..count);
        let loads: Vec<Option<f64>> = (0..count)
            .map(|i| {
                let load = 1.0 + (spread * random.f64()).floor() + if i == crowd { 1e3 * spread } else { 0.0 };
                let load = if random.f64() < zeros { 0.0 } else { load * unit };
                (i == 0 || random.f64() >= gaps).then_some(load)
            })
            .collect();
        let past = past(&loads);
        answers_with_numbers(&SeasonalMedian, &past)?;
        answers_with_numbers(&HoltWinters, &past)?;
        answers_with_numbers(&Theta, &past)?;
        answers_with_numbers(&CalendarRegression, &past)?;
    }
}
