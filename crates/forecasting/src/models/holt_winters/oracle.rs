//! The filters against numbers from elsewhere (`oracle.py`) and against hand-solved ones.

use super::HoltWinters;
use super::filters::{Filters, settings};
use crate::model::{Fit, Predict};
use crate::past::Past;
use crate::scale::Scale;
use crate::testing::{past, series_every};

const AHEAD: [usize; 4] = [1, 2, 12, 30];

fn hours() -> Past {
    let loads: Vec<Option<f64>> = (0..6 * 24_u32)
        .map(|i| {
            let season = (std::f64::consts::TAU * f64::from(i) / 24.0).sin();
            Some(100.0 + 60.0 * season + f64::from(i * 7919 % 41) + 20.0 * f64::from(i / 24 % 2))
        })
        .collect();
    let history = series_every(3600, &loads);
    Past::new(&history, Scale::of(&history), &jiff::tz::TimeZone::UTC).unwrap()
}

#[test]
fn the_smoothing_is_that_of_statsmodels() {
    let past = hours();
    let mut filters = Filters::new(&past, 0);
    (0..=past.last()).for_each(|index| filters.step(&past, index));
    let of = |level: f64, trend: f64, season: f64| {
        let same = |a: f64, b: f64| (a - b).abs() < 1e-12;
        let place = settings()
            .iter()
            .rposition(|one| same(one.level, level) && same(one.trend, trend) && same(one.season, season));
        place.unwrap()
    };
    let cases = [
        (
            of(0.1, 0.01, 0.3),
            [0.778_069_029_455_412_9, 0.856_332_987_588_325_9, 0.869_687_892_767_663_8, 1.042_761_704_316_983_5],
        ),
        (
            of(0.3, 0.0, 0.1),
            [0.829_365_102_183_881_7, 0.915_745_432_864_173_8, 0.935_962_380_196_679_2, 1.117_600_065_936_129_8],
        ),
        (
            of(0.6, 0.06, 0.0),
            [0.737_523_757_738_457_5, 0.745_693_946_541_519, 0.807_983_450_897_738, 0.864_008_813_255_065_8],
        ),
        (of(0.3, 0.0, 0.0), [0.666_399_576_955_282_6; 4]),
    ];
    for (setting, theirs) in cases {
        for (ahead, theirs) in AHEAD.into_iter().zip(theirs) {
            let step_of_day = past.calendar().step_of_day(past.last() + ahead);
            let ours = filters.ahead(setting, ahead, step_of_day);
            assert!((ours - theirs).abs() < 1e-6, "{:?}, {ahead} ahead: {ours}, not {theirs}", settings()[setting]);
            let among_all = filters.all_ahead(ahead, step_of_day).nth(setting).unwrap();
            assert!((among_all - ours).abs() < 1e-12);
        }
    }
}

#[test]
fn an_unknown_sample_teaches_nothing_and_lets_time_pass() {
    let mut loads: Vec<Option<f64>> = (0..200).map(|i| Some(f64::from(i))).collect();
    let whole = past(&loads);
    loads[150..180].fill(None);
    let gap = past(&loads);
    let at = |past: &Past, until: usize| {
        let mut filters = Filters::new(past, 0);
        (0..=until).for_each(|index| filters.step(past, index));
        filters
    };
    let (before, inside) = (at(&gap, 149), at(&gap, 170));
    for setting in 0..settings().len() {
        let (carried, waited) = (before.ahead(setting, 31, 0), inside.ahead(setting, 10, 0));
        assert!((carried - waited).abs() < 1e-9, "setting {setting}");
    }
    assert!((at(&whole, 170).ahead(0, 1, 0) - inside.ahead(0, 1, 0)).abs() > 1e-6);
}

#[test]
fn a_day_that_comes_back_is_found_and_forecast() {
    let loads: Vec<Option<f64>> =
        (0..7 * 288).map(|i| Some(if (100..200).contains(&(i % 288)) { 90.0 } else { 10.0 })).collect();
    let history = series_every(300, &loads);
    let past = Past::new(&history, Scale::of(&history), &jiff::tz::TimeZone::UTC).unwrap();
    let fitted = HoltWinters.fit(&past, past.last(), &[1, 36, 288]).unwrap();
    let predicted = fitted.predict(&past, past.last(), &[51, 151, 251]).unwrap();
    let (low, high) = (past.value(0), past.value(150));
    for (ours, expected) in predicted.iter().zip([low, high, low]) {
        assert!((ours - expected).abs() < 0.15 * (high - low), "{predicted:?}");
    }
}
