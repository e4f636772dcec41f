//! The lines against numbers from elsewhere (`oracle.py`), and the season against hand-solved ones.

use super::lines::{LEVELS, Line, Lines, faded, from_line};
use super::season::Season;
use crate::past::Past;
use crate::scale::Scale;
use crate::testing::{normals, past, series_every};

const AHEAD: [usize; 4] = [1, 2, 12, 30];

#[test]
fn the_forecast_is_that_of_statsforecast() {
    let values = (0..60).map(|i| 10.0 + 0.3 * f64::from(i) + f64::from(i * 37 % 11));
    let lines = Lines::of(7, 60, values);
    let seen = lines.seen(66);
    // the levels are in rising order, and each has θ = 1, 2, 10 over the whole window and 2 over a part of it
    let setting = |level: usize, drift: usize| level * 4 + drift;
    let cases = [
        (
            setting(0, 1),
            [29.110_014_618_327_412, 29.260_973_217_938_414, 30.770_559_214_048_433, 33.487_814_007_046_48],
        ),
        (setting(2, 1), [31.795_815_356_170_166, 31.946_773_955_781_172, 33.456_359_951_891_17, 36.173_614_744_889_19]),
        (setting(1, 2), [32.439_586_620_466_77, 32.711_312_099_766_57, 35.428_566_892_764_636, 40.319_625_520_161_14]),
    ];
    for (setting, theirs) in cases {
        for (ahead, theirs) in AHEAD.into_iter().zip(theirs) {
            let ours = seen.ahead(setting, ahead);
            assert!((ours - theirs).abs() < 1e-9, "setting {setting}, {ahead} ahead: {ours}, not {theirs}");
        }
    }
}

#[test]
fn lines_through_the_newest_part_are_solved_by_hand() {
    // flat, then rising by 2 a step: the twelfth part of a window of 36 is three values on the slope
    let lines = Lines::of(0, 36, (0..40).map(|i| if i < 20 { 0.0 } else { f64::from(2 * (i - 20)) }));
    let seen = lines.seen(39);
    let setting = 3 * 4 + 3;
    let alpha: f64 = LEVELS[3];
    let level = seen.ahead(3 * 4, 1);
    let line = Line { a: 32.0, b: 2.0, n: 3 };
    let (next, slope) = from_line(level, line, alpha, 2.0, faded(alpha, 3));
    assert!((seen.ahead(setting, 5) - (next + 4.0 * slope)).abs() < 1e-9);
    assert_eq!((slope, from_line(level, line, alpha, 1.0, 0.5)), (1.0, (level, 0.0)));
    assert_eq!(seen.all_ahead(5).nth(setting), Some(seen.ahead(setting, 5)));
}

#[test]
fn the_shape_of_a_day_is_its_deviation_from_the_day_around() {
    let hour = |i: usize| if (8..16).contains(&(i % 24)) { 4.0 } else { 1.0 };
    let loads: Vec<Option<f64>> = (0..10 * 24).map(|i| Some(hour(i))).collect();
    let history = series_every(3600, &loads);
    let past = Past::new(&history, Scale::of(&history), &jiff::tz::TimeZone::UTC).unwrap();
    let mut season = Season::from(&past, 0);
    season.extend(&past, past.last());
    let shape = season.shape(&past, past.last());
    let (low, high) = (past.value(0), past.value(8));
    let mean = low + (high - low) / 3.0;
    for (place, entry) in shape[..24].iter().enumerate() {
        let expected = if (8..16).contains(&place) { high } else { low } - mean;
        assert!((entry - expected).abs() < 1e-6, "{place}: {entry}, not {expected}");
    }
}

#[test]
fn noise_has_no_season() {
    let loads: Vec<Option<f64>> = normals(5, 10 * 1440).into_iter().map(|noise| Some(100.0 + noise)).collect();
    let past = past(&loads);
    let mut season = Season::from(&past, 0);
    season.extend(&past, past.last());
    assert!(season.shape(&past, past.last()).iter().all(|&entry| entry == 0.0));
}
