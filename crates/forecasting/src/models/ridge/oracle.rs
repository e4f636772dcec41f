//! The model against numbers from elsewhere (`oracle.py`), against hand-solved ones, and against itself on a longer road.

use linfa::ParamGuard;
use linfa::dataset::DatasetBase;
use linfa::traits::{Fit as _, FitWith as _, Predict as _};
use ndarray::{Array1, Array2, Axis, Slice, array};

use super::regression::{RegressionError, RidgeParams};
use super::{FittedRidge, PENALTY, Ridge};
use crate::horizons;
use crate::model::{Fit, Predict};
use crate::past::Past;
use crate::rolling::{Misses, Rolling};
use crate::scale::Scale;
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
fn extending_a_fit_is_fitting_all_rows_at_once() {
    let (rows, targets) = oracle_rows();
    let params = RidgeParams::new(PENALTY);
    let part = |from: usize, to: usize| {
        let slice = Slice::from(from..to);
        DatasetBase::new(rows.slice_axis(Axis(0), slice), targets.slice_axis(Axis(0), slice))
    };
    let whole = params.fit(&part(0, 50)).unwrap();
    let first = params.fit_with(None, &part(0, 17)).unwrap();
    let extended = params.fit_with(Some(first), &part(17, 50)).unwrap();
    assert_eq!(extended.rows(), 50);
    assert!(rows.outer_iter().all(|row| {
        let row = row.to_vec();
        close(extended.change(&row), whole.change(&row))
    }));
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
    let two = DatasetBase::new(Array2::zeros((3, 2)), Array1::zeros(3));
    let former = params.fit(&DatasetBase::new(Array2::zeros((3, 1)), Array1::zeros(3))).unwrap();
    assert!(matches!(params.fit_with(Some(former), &two), Err(RegressionError::Width { got: 2, expected: 1 })));
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
    let ridge = Ridge::new(&past, &Rolling::over(&past, knots.clone()));
    let fitted = ridge.fit(&past, past.last(), &knots).unwrap();
    let predicted = fitted.predict(&past, past.last(), &[1, 2, 4, 20, 36, 300]).unwrap();
    let theirs = [
        0.710_116_030_056_444,
        0.682_477_848_974_245_7,
        0.649_377_674_244_038_2,
        0.694_309_869_980_411_2,
        0.806_804_696_629_281_9,
        0.637_718_348_418_288,
    ];
    assert!(predicted.iter().zip(theirs).all(|(ours, theirs)| close(*ours, theirs)), "{predicted:?}");
}

/// The rehearsal every model has unless it knows a shorter way.
#[derive(Debug)]
struct TheLongWay(Ridge);

impl Fit for TheLongWay {
    type Fitted = FittedRidge;

    fn name(&self) -> series::ModelName {
        self.0.name()
    }

    fn fit(&self, past: &Past, until: usize, knots: &[usize]) -> Option<FittedRidge> {
        self.0.fit(past, until, knots)
    }
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
fn the_shared_rehearsal_is_the_rehearsal_by_refitting() {
    let past = past(&noisy_days(1, 5));
    let knots = horizons::knots(series::Step::MINUTE, std::time::Duration::from_mins(3), None);
    let rolling = Rolling::over(&past, knots);
    let ridge = Ridge::new(&past, &rolling);
    let (short, _) = ridge.roll(&past, &rolling).unwrap();
    let (long, _) = TheLongWay(ridge).roll(&past, &rolling).unwrap();
    let mut compared = 0;
    for ((knot, short), (_, long)) in short.iter().zip(long.iter()) {
        assert_eq!(short.len(), long.len(), "knot {knot}");
        for (short, long) in short.iter().zip(long) {
            assert_eq!(short.origin, long.origin);
            assert!(close(short.predicted, long.predicted) && short.actual == long.actual, "knot {knot}");
            compared += 1;
        }
    }
    assert!(compared > 10_000);
}

#[test]
fn what_is_missed_before_a_time_does_not_depend_on_what_came_after() {
    let loads = noisy_days(2, 5);
    let changed_from = 5 * 1440 - 700;
    let mut turned = loads.clone();
    turned[changed_from..].reverse();
    let knots = vec![1, 4, 60, 720];
    let before = |loads: &[Option<f64>]| -> Misses {
        let past = past(loads);
        let rolling = Rolling::over(&past, knots.clone());
        let (misses, _) = Ridge::new(&past, &rolling).roll(&past, &rolling).unwrap();
        misses
    };
    for ((ahead, left), (_, right)) in before(&loads).iter().zip(before(&turned).iter()) {
        let known = |misses: &[crate::rolling::Miss]| misses.partition_point(|miss| miss.origin + ahead < changed_from);
        assert_eq!(known(left), known(right));
        assert!(known(left) > 500);
        let same = left.iter().zip(right).take(known(left)).all(|(l, r)| close(l.predicted, r.predicted));
        assert!(same, "{ahead} steps ahead");
        let differs = left.iter().zip(right).skip(known(left)).any(|(l, r)| !close(l.actual, r.actual));
        assert!(differs, "the change must show in what came");
    }
}
