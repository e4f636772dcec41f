//! The model against numbers from elsewhere (`oracle.py`), against hand-solved ones, and against itself on a longer road.

use linfa::ParamGuard;
use linfa::dataset::DatasetBase;
use linfa::traits::{Fit as _, Predict as _};
use ndarray::{Array1, Array2, Axis, Slice, array, concatenate};

use super::regression::{Moments, RegressionError, RidgeParams};
use super::{BLOCKS, PENALTY, Ridge};
use crate::model::{Fit, Predict};
use crate::models::seasonal_naive::SeasonalNaive;
use crate::past::Past;
use crate::rolling::{Misses, Rolling};
use crate::scale::Scale;
use crate::seasons::Found;
use crate::testing::{normals, past, series_every};

/// Numbers of the oracle and ours may differ by rounding of sums of a thousand rows.
const ROUNDING: f64 = 1e-8;

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() < ROUNDING
}

/// The rows of `oracle.py`, the last two columns nearly a multiple of the first and constant.
fn oracle_rows() -> (Array2<f64>, Array1<f64>) {
    let entry = |i: usize, j: usize| ((i * 37 + j * 101 + i * (j + 1) * 13) % 97) as f64 / 97.0;
    let rows = Array2::from_shape_fn((50, 5), |(i, j)| match j {
        3 => 2.0 * entry(i, 0) + 1e-3 * entry(i, 1),
        4 => 5.0,
        _ => entry(i, j),
    });
    let targets = Array1::from_shape_fn(50, |i| ((i * 29) % 53) as f64 / 53.0 + rows[(i, 0)] - 3.0 * rows[(i, 2)]);
    (rows, targets)
}

const ORACLE_INTERCEPT: f64 = 0.316_828_496_411_005_2;
const ORACLE_COEFFICIENTS: [f64; 5] =
    [0.655_514_200_049_999_8, 0.017_054_424_397_960_403, -2.959_259_524_922_166_5, 0.327_747_241_908_226_2, 0.0];

#[test]
fn the_regression_is_that_of_numpy() {
    let (rows, targets) = oracle_rows();
    let fitted = RidgeParams::new(PENALTY).fit(&DatasetBase::new(rows.view(), targets)).unwrap();
    let by_hand = rows.dot(&Array1::from(ORACLE_COEFFICIENTS.to_vec())) + ORACLE_INTERCEPT;
    let predicted = fitted.predict(&rows);
    assert!(predicted.iter().zip(&by_hand).all(|(ours, theirs)| close(*ours, *theirs)));
    let unit = |place: usize| std::array::from_fn::<f64, 5, _>(|j| f64::from(u8::from(j == place)));
    assert!(close(fitted.change(&[0.0; 5]), ORACLE_INTERCEPT));
    for (place, coefficient) in ORACLE_COEFFICIENTS.iter().enumerate() {
        assert!(close(fitted.change(&unit(place)) - ORACLE_INTERCEPT, *coefficient), "coefficient {place}");
    }
}

#[test]
fn rows_taken_out_of_the_sums_leave_the_fit_of_the_others() {
    let (rows, targets) = oracle_rows();
    let params = RidgeParams::new(PENALTY).check().unwrap();
    let weights: Vec<f64> = (0..50).map(|i| 1.0 + f64::from(i % 3)).collect();
    let whole = concatenate![Axis(1), rows, Array2::ones((50, 1)), targets.insert_axis(Axis(1))];
    let of = |from: usize, to: usize| {
        Moments::weighted(whole.slice_axis(Axis(0), Slice::from(from..to)), &weights[from..to])
    };
    let mut all = of(0, 17);
    all.add(&of(17, 50));
    let without = params.solve(&all.without(&of(0, 17))).unwrap();
    let others = params.solve(&of(17, 50)).unwrap();
    assert!(rows.outer_iter().all(|row| close(without.change(&row.to_vec()), others.change(&row.to_vec()))));
}

#[test]
fn a_row_of_weight_two_is_two_rows() {
    let params = RidgeParams::new(PENALTY).check().unwrap();
    let once = array![[1.0, 0.0], [2.0, 3.0], [4.0, 1.0], [0.5, 2.0]];
    let twice = array![[1.0, 0.0], [2.0, 3.0], [4.0, 1.0], [0.5, 2.0], [4.0, 1.0]];
    let weighted = DatasetBase::new(once, array![1.0, 2.0, 0.0, 5.0]).with_weights(array![1.0, 1.0, 2.0, 1.0]);
    let doubled = DatasetBase::new(twice, array![1.0, 2.0, 0.0, 5.0, 0.0]);
    let (weighted, doubled) = (params.fit(&weighted).unwrap(), params.fit(&doubled).unwrap());
    assert!(close(weighted.change(&[3.0, 7.0]), doubled.change(&[3.0, 7.0])));
}

#[test]
fn one_feature_is_solved_by_hand() {
    // x̄ = 2, σ² = 2/3, cov = 4/3: β = (cov/σ) / (1 + λ), b = β/σ = 2/(1 + λ), a = ȳ − 2b
    let rows = array![[1.0], [2.0], [3.0]];
    let fitted = RidgeParams::new(1.0).fit(&DatasetBase::new(rows, array![10.0, 12.0, 14.0])).unwrap();
    assert!(close(fitted.change(&[2.0]), 12.0));
    assert!(close(fitted.change(&[3.0]), 13.0));
}

#[test]
fn unusable_parameters_and_rows_are_refused() {
    for penalty in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(RidgeParams::new(penalty).check(), Err(RegressionError::Penalty(_))), "{penalty}");
    }
    let params = RidgeParams::new(PENALTY);
    let none = DatasetBase::new(Array2::zeros((0, 2)), Array1::zeros(0));
    assert!(matches!(params.fit(&none), Err(RegressionError::NoRows)));
    let uneven = DatasetBase::new(Array2::zeros((3, 2)), Array1::zeros(4));
    assert!(matches!(params.fit(&uneven), Err(RegressionError::Linfa(_))));
}

#[test]
fn the_model_is_that_of_numpy() {
    let loads: Vec<Option<f64>> = (0..1440_u32)
        .map(|i| {
            let season = (std::f64::consts::TAU * f64::from(i) / 288.0).sin();
            Some(100.0 + 60.0 * season + f64::from(i * 7919 % 41) + 20.0 * f64::from(i / 288 % 2))
        })
        .collect();
    let history = series_every(300, &loads);
    let past = Past::new(&history, Scale::of(&history), &jiff::tz::TimeZone::UTC).unwrap();
    let knots = vec![1, 4, 36];
    let ridge = Ridge::new(&past, &Rolling::over(&past, knots.clone()), &found());
    let fitted = ridge.fit(&past, past.last(), &knots).unwrap();
    let predicted = fitted.predict(&past, past.last(), &[1, 2, 4, 20, 36, 300]).unwrap();
    let theirs = [
        0.692_197_281_121_291_1,
        0.668_491_224_174_900_8,
        0.651_755_228_730_048_4,
        0.752_744_453_115_726_4,
        0.850_312_062_543_617_7,
        0.731_915_935_801_864,
    ];
    // a series keeps its loads in single precision
    assert!(predicted.iter().zip(theirs).all(|(ours, theirs)| (ours - theirs).abs() < 1e-6), "{predicted:?}");
}

fn found() -> Found {
    Found { days: vec![SeasonalNaive::Day, SeasonalNaive::Week], periods: Vec::new() }
}

fn noisy_days(seed: u64, days: usize) -> Vec<Option<f64>> {
    let mut loads: Vec<Option<f64>> = normals(seed, days * 1440)
        .into_iter()
        .enumerate()
        .map(|(i, noise)| Some(50.0 + 30.0 * (std::f64::consts::TAU * i as f64 / 1440.0).sin() + noise))
        .collect();
    loads[1000..1010].fill(None);
    loads[4000..4300].fill(None);
    loads
}

#[test]
fn what_is_missed_in_a_block_is_measured_by_a_fit_that_has_not_seen_it() {
    let loads = noisy_days(1, 5);
    let changed = 4 * 1440 + 600..4 * 1440 + 700;
    let mut turned = loads.clone();
    turned[changed.clone()].reverse();
    let misses = |loads: &[Option<f64>]| -> Misses {
        let past = past(loads);
        let rolling = Rolling::over(&past, vec![1, 4]);
        Ridge::new(&past, &rolling, &found()).roll(&past, &rolling).unwrap().0
    };
    let (before, after) = (misses(&loads), misses(&turned));
    for ((ahead, left), (_, right)) in before.iter().zip(after.iter()) {
        let block = |place: usize| place * BLOCKS / left.len();
        let touched = left.partition_point(|miss| miss.origin < changed.start);
        // the block of the change: what it predicts at origins that did not see the change is as it was, as its fit is of the other blocks
        let same = |place: &usize| block(*place) == block(touched) && left[*place].origin < changed.start;
        let compared: Vec<usize> = (0..left.len()).filter(same).collect();
        assert!(compared.len() > 50, "{ahead} steps ahead: {}", compared.len());
        // (the weights of the others' rows come from a first fit that has seen it: that much may show)
        let moved = |place: usize| (left[place].predicted - right[place].predicted).abs();
        let inside = compared.iter().map(|&place| moved(place)).fold(0.0, f64::max);

        // every other block has learned from it
        let others = (0..touched).filter(|&place| block(place) != block(touched));
        let outside = others.into_iter().map(moved).fold(0.0, f64::max);
        assert!(outside > 2.0 * inside, "{ahead} steps ahead: {outside}, {inside}");
    }
}
