//! The model against numbers from elsewhere (`oracle.py`) and against hand-solved ones.

use super::{Curve, Middle, SeasonalMedian};
use crate::model::{Fit, Predict};
use crate::past::Past;
use crate::scale::Scale;
use crate::testing::{normals, past, series_every};

#[test]
fn the_model_is_that_of_numpy() {
    let loads: Vec<Option<f64>> = (0..20 * 288_u32)
        .map(|i| {
            let season = (std::f64::consts::TAU * f64::from(i) / 288.0).sin();
            Some(100.0 + 60.0 * season + f64::from(i * 7919 % 41) + 20.0 * f64::from(i / 288 % 2))
        })
        .collect();
    let history = series_every(300, &loads);
    let past = Past::new(&history, Scale::of(&history), &jiff::tz::TimeZone::UTC).unwrap();
    let fitted = SeasonalMedian.fit(&past, past.last(), &[1, 4, 36, 288]).unwrap();
    let predicted = fitted.predict(&past, past.last(), &[1, 2, 4, 20, 36, 288, 300]).unwrap();
    let theirs = [
        0.785_242_088_489_060_9,
        0.762_082_704_513_119_4,
        0.763_126_669_383_717_1,
        0.842_962_246_900_148_8,
        0.882_392_843_514_915,
        0.688_312_981_216_378,
        0.822_236_965_314_275_1,
    ];
    // sums of thousands of values in single precision
    assert!(predicted.iter().zip(theirs).all(|(ours, theirs)| (ours - theirs).abs() < 1e-6), "{predicted:?}");
}

#[test]
fn the_middle_is_solved_by_hand() {
    let middle = |values: &[f64]| {
        let mut middle = Middle::none();
        for &value in values {
            middle.add(1, value);
        }
        middle.mean()
    };
    assert_eq!((middle(&[]), middle(&[7.0]), middle(&[1.0, 2.0])), (None, Some(7.0), Some(1.5)));
    assert_eq!(middle(&[1e9, 2.0, 3.0, 4.0, -1e9]), Some(3.0));
    // of ten two on either side, in whichever order they come
    assert_eq!(middle(&[50.0, 1.0, 90.0, 4.0, 5.0, 6.0, 7.0, 8.0, 2.0, 9.0]), Some(39.0 / 6.0));
    let mut week = Middle::none();
    week.add(6, 1.0);
    week.add(7, 4.0);
    assert_eq!(week.mean(), Some(3.0), "the weekday counts twice");
}

#[test]
fn what_is_prepared_is_what_is_read() {
    let loads: Vec<Option<f64>> = normals(3, 5 * 1440).into_iter().map(|noise| Some(50.0 + noise)).collect();
    let past = past(&loads);
    let curve = Curve::of(&past);
    let prepared = curve.prepared();
    for (index, origin) in [(3000, 2999), (3000, 1570), (7199, 7100), (1500, 1499)] {
        let (read, ready) = (curve.at(index, origin), curve.at_prepared(&prepared, index, origin));
        assert!((read - ready).abs() < 1e-12, "{index} from {origin}: {read}, {ready}");
    }
}

#[test]
fn an_outage_and_a_crowd_of_one_day_do_not_come_back() {
    let day = 1440;
    let mut loads = vec![Some(50.0); 9 * day];
    loads[8 * day + 600..8 * day + 630].fill(Some(0.0));
    loads[8 * day + 700..8 * day + 730].fill(Some(5000.0));
    let past = past(&loads);
    let curve = Curve::of(&past);
    let usual = past.value(0);
    let origin = 9 * day - 1;
    for minute in [615, 715, 1000] {
        assert!((curve.at(9 * day + minute, origin) - usual).abs() < 1e-9, "{minute}");
    }
}

#[test]
fn a_day_that_is_not_known_whole_at_the_origin_is_left_out() {
    let day = 1440;
    let loads: Vec<Option<f64>> = (0..3 * day).map(|i| Some(if i < 2 * day { 1.0 } else { 9.0 })).collect();
    let past = past(&loads);
    let curve = Curve::of(&past);
    let origin = 2 * day + 100;
    let (old, new) = (past.value(0), past.value(origin));
    // a day before: all five minutes known, the last two not yet
    assert!((curve.at(3 * day + 98, origin) - (new + 2.0 * old) / 3.0).abs() < 1e-9);
    assert!((curve.at(3 * day + 99, origin) - old).abs() < 1e-9);
}
