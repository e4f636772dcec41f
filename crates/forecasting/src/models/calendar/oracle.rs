//! The curve against numbers from elsewhere (`oracle.py`), and where it lies in the week.

use jiff::tz::TimeZone;

use super::net::Learned;
use super::week::Week;
use crate::past::Past;
use crate::scale::Scale;
use crate::testing::{past, sample, series_every};

const NODES: [usize; 6] = [0, 50, 100, 333, 500, 671];

fn quarters() -> Past {
    let load = |i: u32| {
        let season = 100.0 + 60.0 * (std::f64::consts::TAU * f64::from(i) / 96.0).sin();
        season * if i / 96 % 7 >= 5 { 0.6 } else { 1.0 } + f64::from(i * 7919 % 41)
    };
    let loads: Vec<Option<f64>> = (0..1344).map(|i| (!(300..340).contains(&i)).then(|| load(i))).collect();
    let history = series_every(900, &loads);
    Past::new(&history, Scale::of(&history), &TimeZone::UTC).unwrap()
}

#[test]
fn the_curve_is_that_of_scikit_learn() {
    let past = quarters();
    let week = Week::of(&past, 0).unwrap();
    let mut learned = Learned::from(0, &week);
    // in two parts, as a rehearsal does it
    learned.extend(&past, &week, 700);
    learned.extend(&past, &week, past.last());
    let cases = [
        (
            week.features.ncols(),
            [
                0.709_835_841_328_468,
                0.749_092_861_708_299_1,
                0.860_741_352_810_641_1,
                0.848_723_353_451_707_1,
                0.764_970_148_995_904_3,
                0.685_711_275_822_468_4,
            ],
        ),
        (
            week.day_columns,
            [
                0.730_213_241_534_371_5,
                0.700_111_244_310_971_4,
                0.796_629_164_520_848_9,
                0.778_723_834_103_654_4,
                0.937_739_752_791_06,
                0.713_811_456_478_003_1,
            ],
        ),
    ];
    for (columns, theirs) in cases {
        let curve = learned.curve(&week, columns).unwrap();
        for (node, theirs) in NODES.into_iter().zip(theirs) {
            // both descend along coordinates until they hardly move
            assert!((curve[node] - theirs).abs() < 2e-4, "{columns} columns, node {node}: {}", curve[node]);
        }
    }
}

#[test]
fn a_flat_load_is_its_own_curve() {
    let past = past(&vec![Some(3.0); 3 * 1440]);
    let week = Week::of(&past, 10).unwrap();
    let mut learned = Learned::from(0, &week);
    assert!(learned.curve(&week, week.day_columns).is_none());
    learned.extend(&past, &week, past.last());
    let curve = learned.curve(&week, week.day_columns).unwrap();
    assert!(curve.iter().all(|height| (height - past.value(0)).abs() < 1e-9));
}

#[test]
fn a_curve_is_read_along_straight_lines_between_the_middles_of_its_nodes() {
    let past = past(&vec![Some(1.0); 3 * 1440]);
    let week = Week::of(&past, 0).unwrap();
    assert_eq!((week.nodes(), week.node(14), week.node(15), week.node(1440)), (672, 0, 1, 96));
    let table: Vec<f64> = (0..672).map(f64::from).collect();
    // minutes 0 through 14 have their middle at 7
    for (index, expected) in [(7, 0.0), (22, 1.0), (10, 0.2), (1447, 96.0)] {
        assert!((week.read(&table, index) - expected).abs() < 1e-9, "{index}");
    }
    // before the first middle lies the last node of the week before
    assert!((week.read(&table, 0) - 671.0 * 7.0 / 15.0).abs() < 1e-9);
}

#[test]
fn nine_oclock_has_one_node_over_a_clock_change() {
    let timezone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    // 31 March and 27 October 2024: 23 and 25 hours
    for (start, index, other) in [("2024-03-30T08:00:00Z", 23, 0), ("2024-10-26T07:00:00Z", 25, 0)] {
        let hour = series::Step::from_seconds(3600).unwrap();
        let start: series::Timestamp = start.parse().unwrap();
        let history = series::Series::from_samples(start, hour, (0..48).map(|_| sample(Some(1.0)))).unwrap();
        let past = Past::new(&history, Scale::of(&history), &timezone).unwrap();
        let week = Week::of(&past, 0).unwrap();
        assert_eq!(week.node(index), week.node(other) + 24);
    }
}

#[test]
fn a_step_without_a_shape_of_the_day_has_no_week() {
    let days = series_every(86_400, &[Some(1.0); 30]);
    let past = Past::new(&days, Scale::of(&days), &TimeZone::UTC).unwrap();
    assert!(Week::of(&past, 0).is_none());
}
