//! The model against numbers from elsewhere (`oracle.py`), against hand-solved ones, and against itself on a longer road.

use jiff::tz::TimeZone;

use super::gram::{Gram, Kernels};
use super::{FittedPeriodic, Periodic};
use crate::model::{Fit, Predict};
use crate::past::Past;
use crate::quantiles::{LEVELS, MEDIAN};
use crate::rolling::{Misses, Rolling};
use crate::scale::Scale;
use crate::testing::{normals, series_every};

/// The oracle solves nearly collinear equations by another factorization.
const ROUNDING: f64 = 1e-7;

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() < ROUNDING
}

fn hours(loads: &[Option<f64>]) -> Past {
    let history = series_every(3600, loads);
    Past::new(&history, Scale::of(&history), &TimeZone::UTC).unwrap()
}

fn fitted(past: &Past, knots: &[usize]) -> FittedPeriodic {
    Periodic.fit(past, past.last(), knots).unwrap()
}

#[test]
fn the_model_is_that_of_numpy() {
    let loads: Vec<Option<f64>> = (0..960_u32)
        .map(|i| {
            let season = (std::f64::consts::TAU * f64::from(i) / 24.0).sin();
            let weekend = f64::from(u8::from(i / 24 % 7 >= 5));
            Some(100.0 + 60.0 * season + f64::from(i * 7919 % 41) + 30.0 * weekend)
        })
        .collect();
    let past = hours(&loads);
    let fitted = fitted(&past, &[1, 48]);
    let weights = [
        (
            1,
            [
                0.697_922_218_225_95,
                0.220_308_638_028_481_2,
                0.010_486_896_834_406_225,
                0.016_029_292_850_339_383,
                0.055_252_954_060_823_13,
            ],
        ),
        (
            48,
            [
                0.779_689_438_620_313_8,
                0.096_882_601_626_945_34,
                0.032_146_066_472_466_72,
                0.020_799_003_165_243_475,
                0.070_482_890_115_030_84,
            ],
        ),
    ];
    for (ahead, weights) in weights {
        let ours = fitted.combination.weights(ahead);
        assert!(ours.len() == 5 && ours.iter().zip(weights).all(|(ours, theirs)| close(*ours, theirs)), "{ours:?}");
    }
    let centers = [
        0.758_394_868_520_383,
        0.854_109_324_318_620_2,
        0.986_614_825_441_840_8,
        0.819_163_192_593_861_8,
        1.022_177_421_155_246,
        0.686_911_847_502_850_6,
    ];
    let ours = fitted.predict(&past, past.last(), &[1, 2, 7, 24, 31, 48]).unwrap();
    assert!(ours.iter().zip(centers).all(|(ours, theirs)| close(*ours, theirs)), "{ours:?}");
}

#[test]
fn a_day_that_comes_back_exactly_is_foretold() {
    let day = |i: usize| if i % 24 < 8 { 10.0 } else { 50.0 + (i % 24) as f64 };
    let past = hours(&(0..24 * 20).map(|i| Some(day(i))).collect::<Vec<_>>());
    let fitted = fitted(&past, &[1, 30]);
    let ahead: Vec<usize> = (1..=30).collect();
    for (ahead, ours) in ahead.iter().zip(fitted.predict(&past, past.last(), &ahead).unwrap()) {
        let actual = past.value((past.last() + ahead) % 24);
        assert!((ours - actual).abs() < 1e-3, "{ahead}: {ours} for {actual}");
    }
}

/// Hours that end a day and a half after clocks went forward in Berlin, and 48 more; busy by the wall clock and the day of the week.
fn weeks_to_a_clock_change() -> Vec<Option<f64>> {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let start = "2024-03-04T00:00:00Z".parse().unwrap();
    let step = series::Step::from_seconds(3600).unwrap();
    let load = |hour: i64| {
        let local = step.shift(start, hour).to_zoned(berlin.clone());
        let weekend = local.weekday().to_monday_zero_offset() >= 5;
        let busy = [1.0, 1.0, 1.0, 1.0, 2.0, 4.0, 9.0, 16.0, 30.0, 33.0, 31.0, 28.0];
        let size = busy[usize::try_from(local.hour() % 12).unwrap()] + f64::from(local.hour());
        Some(if weekend { 20.0 + size } else { 20.0 + 2.0 * size })
    };
    (0..28 * 24 + 12 + 48).map(load).collect()
}

fn misses_after_the_change(timezone: &TimeZone) -> f64 {
    let loads = weeks_to_a_clock_change();
    let known = loads.len() - 48;
    let past = |loads: &[Option<f64>]| {
        let start = "2024-03-04T00:00:00Z".parse().unwrap();
        let step = series::Step::from_seconds(3600).unwrap();
        let samples = loads.iter().map(|&load| crate::testing::sample(load));
        let history = series::Series::from_samples(start, step, samples).unwrap();
        let scale = Scale::of(&series_every(3600, &weeks_to_a_clock_change()));
        Past::new(&history, scale, timezone).unwrap()
    };
    let (whole, seen) = (past(&loads), past(&loads[..known]));
    let ahead: Vec<usize> = (1..=48).collect();
    let said = fitted(&seen, &[1, 48]).predict(&seen, seen.last(), &ahead).unwrap();
    let misses = ahead.iter().zip(&said).map(|(ahead, said)| (said - whole.value(seen.last() + ahead)).abs());
    misses.sum::<f64>() / 48.0
}

#[test]
fn lags_of_days_and_weeks_follow_the_wall_clock_over_a_clock_change() {
    let by_the_wall_clock = misses_after_the_change(&TimeZone::get("Europe/Berlin").unwrap());
    let by_the_sun = misses_after_the_change(&TimeZone::UTC);
    assert!(by_the_wall_clock < 0.01 && by_the_wall_clock < by_the_sun / 8.0, "{by_the_wall_clock} {by_the_sun}");
}

#[test]
fn one_regressor_is_solved_by_hand() {
    // at every hour x̄ = 2, cov = 4/3, σ² = 2/3: the slope is 2 and the intercept 8, whatever the kernel
    let mut gram = Gram::none(3, 24);
    let mut others = Gram::none(3, 24);
    for hour in 0..24 {
        for (x, y) in [(1.0, 10.0), (2.0, 12.0), (3.0, 14.0)] {
            gram.add(hour, 24, &[x, 1.0, y], 0.7);
        }
        others.add(hour, 24, &[5.0, 1.0, -3.0 * hour as f64], 1.0);
    }
    let right = |gram: &Gram| {
        gram.solve(&Kernels::of(24), 24).iter().all(|row| (row[0] - 2.0).abs() < 1e-4 && (row[1] - 8.0).abs() < 1e-3)
    };
    assert!(right(&gram));
    let mut both = gram.clone();
    both.join(&others);
    assert!(!right(&both) && right(&both.without(&others)));
}

#[test]
fn a_regressor_that_says_nothing_gets_nothing() {
    let mut gram = Gram::none(4, 24);
    for hour in 0..24 {
        for x in [1.0, 2.0, 4.0] {
            gram.add(hour, 24, &[0.0, x, 1.0, 3.0 * x], 1.0);
        }
    }
    for row in gram.solve(&Kernels::of(24), 24) {
        assert_eq!(row[0], 0.0);
        assert!((row[1] - 3.0).abs() < 1e-4, "{row:?}");
    }
    let mut flat = Gram::none(3, 24);
    (0..24).for_each(|hour| flat.add(hour, 24, &[0.0, 1.0, 7.0], 1.0));
    assert!(flat.solve(&Kernels::of(24), 24).iter().all(|row| row[0] == 0.0 && close(row[1], 7.0)));
}

#[test]
fn bands_widen_with_what_was_missed_and_hold_their_center() {
    let loads = |spread: f64| -> Vec<Option<f64>> { noisy_days(3, 30, spread) };
    let width = |spread: f64| {
        let past = hours(&loads(spread));
        let offsets = fitted(&past, &[1, 48]).offsets(24, 12 * 3600).unwrap();
        assert!(offsets.is_sorted() && offsets[MEDIAN] == 0.0, "{offsets:?}");
        let place = |level: f64| LEVELS.iter().position(|&own| own == level).unwrap();
        offsets[place(0.9)] - offsets[place(0.1)]
    };
    let ratio = width(6.0) / width(2.0);
    assert!((2.0..4.5).contains(&ratio), "{ratio}");
    let past = hours(&loads(2.0));
    let fitted = fitted(&past, &[1, 48]);
    let (at_reach, beyond) = (fitted.offsets(48, 0).unwrap(), fitted.offsets(192, 0).unwrap());
    assert!((beyond[0] / at_reach[0] - 2.0).abs() < 1e-9);
}

/// The rehearsal every model has unless it knows a shorter way.
#[derive(Debug)]
struct TheLongWay;

impl Fit for TheLongWay {
    type Fitted = FittedPeriodic;

    fn name(&self) -> series::ModelName {
        Periodic.name()
    }

    fn fit(&self, past: &Past, until: usize, knots: &[usize]) -> Option<FittedPeriodic> {
        Periodic.fit(past, until, knots)
    }
}

fn noisy_days(seed: u64, days: usize, spread: f64) -> Vec<Option<f64>> {
    let season = |i: usize| 50.0 + 30.0 * (std::f64::consts::TAU * i as f64 / 24.0).sin();
    let noise = normals(seed, days * 24).into_iter().enumerate();
    let mut loads: Vec<Option<f64>> = noise.map(|(i, noise)| Some(season(i) + spread * noise)).collect();
    loads[100..103].fill(None);
    let late = loads.len() - 60;
    loads[late..late + 9].fill(None);
    loads
}

#[test]
fn the_shared_rehearsal_is_the_rehearsal_by_refitting() {
    for days in [9, 25] {
        let past = hours(&noisy_days(1, days, 3.0));
        let rolling = Rolling::over(&past, vec![1, 4, 24]);
        let (short, _) = Periodic.roll(&past, &rolling).unwrap();
        let (long, _) = TheLongWay.roll(&past, &rolling).unwrap();
        let mut compared = 0;
        for ((knot, short), (_, long)) in short.iter().zip(long.iter()) {
            assert_eq!(short.len(), long.len(), "knot {knot}");
            for (short, long) in short.iter().zip(long) {
                assert_eq!((short.origin, short.actual), (long.origin, long.actual));
                assert!(close(short.predicted, long.predicted), "knot {knot}: {short:?} {long:?}");
                compared += 1;
            }
        }
        assert!(compared > 100);
    }
}

#[test]
fn what_is_missed_before_a_time_does_not_depend_on_what_came_after() {
    let loads = noisy_days(2, 25, 3.0);
    let changed_from = 25 * 24 - 30;
    let mut turned = loads.clone();
    turned[changed_from..].reverse();
    let before = |loads: &[Option<f64>]| -> Misses {
        let past = hours(loads);
        Periodic.roll(&past, &Rolling::over(&past, vec![1, 4, 12])).unwrap().0
    };
    for ((ahead, left), (_, right)) in before(&loads).iter().zip(before(&turned).iter()) {
        // a block's fit must not see the change either, nor may its walk
        let known = |misses: &[crate::rolling::Miss]| misses.partition_point(|miss| miss.origin + ahead < changed_from);
        assert_eq!(known(left), known(right));
        assert!(known(left) > 10);
        let same = left.iter().zip(right).take(known(left)).all(|(l, r)| close(l.predicted, r.predicted));
        assert!(same, "{ahead} steps ahead");
        let differs = left.iter().zip(right).skip(known(left)).any(|(l, r)| !close(l.actual, r.actual));
        assert!(differs, "the change must show in what came");
    }
}
