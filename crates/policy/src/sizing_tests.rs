use std::time::Duration;

use proptest::prelude::*;
use series::{Forecast, Horizon, Load, ModelName, Quantile, Timestamp};

use super::*;
use crate::{Threshold, Tolerance, plan};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000_020 + seconds).unwrap()
}

fn load(amount: f64) -> Load {
    Load::new(amount).unwrap()
}

/// From `middle` at once to `later` after so many minutes; half, nine tenths and 99 % of the time no more than 0, 1 and 2 `spread`s above that.
fn risk(middle: f64, later: Option<(u64, f64)>, spread: f64) -> Risk {
    let horizon = |minutes: u64| {
        let middle = later.filter(|(from, _)| minutes >= *from).map_or(middle, |(_, later)| later);
        let quantiles = [0.0, 1.0, 2.0].map(|spreads| load(middle + spreads * spread)).to_vec();
        Horizon { ahead: Duration::from_secs(60 * minutes), quantiles }
    };
    let levels = [0.5, 0.9, 0.99].map(|level| Quantile::new(level).unwrap()).to_vec();
    let forecast = Forecast::new(at(0), ModelName::Ridge, levels, (1..=20).map(horizon).collect()).unwrap();
    Risk::of(&forecast, &plan::tests::target(crate::Mode::Predict, 0.0), at(0)).unwrap()
}

/// A fleet of `pods` pods of 10 that has been recommended as it is for ten minutes.
fn fleet(pods: u32, tolerance: f64) -> FleetEstimate {
    let carried = load(f64::from(pods) * 10.0);
    let tolerance = Tolerance::new(tolerance).unwrap();
    let mut fleet = FleetEstimate::sized_for(carried, Threshold::new(10.0).unwrap(), tolerance, at(-600));
    fleet.follow(carried, at(0));
    fleet
}

fn pods(risk: &Risk, fleet: &FleetEstimate, price: f64) -> u32 {
    size(risk, fleet, price, at(0)).pods
}

#[test]
fn a_fleet_that_is_too_large_is_let_go() {
    assert_eq!(pods(&risk(311.0, None, 5.0), &fleet(38, 0.1), 50.0), 32);
}

#[test]
fn a_rise_within_the_lead_time_and_the_stabilization_is_ordered_in_time_and_not_before() {
    let fleet = fleet(20, 0.1);
    assert_eq!(pods(&risk(180.0, Some((20, 300.0)), 1.0), &fleet, 100.0), 20, "far away");
    // pods ordered now serve from 3 minutes on
    assert_eq!(pods(&risk(180.0, Some((5, 300.0)), 1.0), &fleet, 100.0), 20, "there is a minute left");
    assert!(pods(&risk(180.0, Some((4, 300.0)), 1.0), &fleet, 100.0) >= 30, "it is time");
}

#[test]
fn a_chance_that_costs_less_than_the_pods_is_taken() {
    // with 20 pods the chance is nearly a half
    let (fleet, unsure) = (fleet(20, 0.0), risk(199.0, None, 15.0));
    assert_eq!(pods(&unsure, &fleet, 2.0), 20);
    assert!(pods(&unsure, &fleet, 500.0) > 22);
}

#[test]
fn a_small_rise_that_the_hpa_would_overdo_is_weighed_as_what_it_becomes() {
    // 21 pods are wanted, and from 20 the HPA can be moved to 23 only
    let nearly = risk(200.0, None, 1.0);
    assert_eq!(pods(&nearly, &fleet(20, 0.0), 30.0), 21);
    assert_eq!(pods(&nearly, &fleet(20, 0.1), 5.0), 20);
    assert_eq!(pods(&nearly, &fleet(20, 0.1), 500.0), 23);
}

proptest! {
    #[test]
    fn a_dearer_shortage_asks_for_no_fewer_pods_at_one_time(
        middle in 0.0..1e4_f64, spread in 0.0..1e3_f64, price in 0.1..1e4_f64, dearer in 1.0..100.0_f64,
    ) {
        let risk = risk(middle, None, spread);
        prop_assert!(risk.cheapest(0, price * dearer) >= risk.cheapest(0, price));
    }

    #[test]
    fn fleets_of_any_size_are_sized_near_what_the_forecast_says(
        needed in 1_u32..300_000_000, running in 0.1_f64..4.0, spread in prop_oneof![Just(0.0), 0.0..0.1_f64], price in 1.0..100.0_f64,
    ) {
        let (middle, count) = (f64::from(needed) * 10.0, f64::from(needed));
        let risk = risk(middle, None, middle * spread);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1.2e9")]
        let fleet = fleet((count * running).ceil() as u32, 0.0);
        let found = f64::from(pods(&risk, &fleet, price * count));
        prop_assert!(found >= count && found <= 2.0 * count + 2.0, "{found} for {count}");
    }
}
