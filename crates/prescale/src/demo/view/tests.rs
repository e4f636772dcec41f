//! The pictures, as text.

use std::time::Duration;

use policy::{Plan, Publication, Reason};
use series::{Forecast, Horizon, Load, ModelName, Quantile, Timestamp};
use simulator::{Cluster, Scores};

use super::frame::Frame;
use super::plain;
use super::summary::{Summary, summary};
use crate::demo::demand::Demand;
use crate::demo::hindsight::Tuned;
use crate::demo::record::{Moment, Record};
use crate::demo::setup::Setup;

/// A day whose load rises from 120 to 600 req/s at half past nine, up to ten o'clock.
struct Morning {
    setup: Setup,
    record: Record,
    forecast: Forecast,
    plan: Plan,
    prescale: Cluster,
    reactive: Cluster,
    now: Timestamp,
}

fn load(amount: f64) -> Load {
    Load::new(amount).unwrap()
}

fn morning() -> Morning {
    let setup = Setup::of_the_examples().unwrap();
    let mut record = Record::new(Demand::day_begins(), Demand::ticks());
    let mut prescale = setup.cluster(setup.threshold, load(120.0));
    let mut reactive = setup.cluster(setup.target_at(0.7).unwrap(), load(120.0));
    let demand = |tick: usize| load(if tick < 2280 { 120.0 } else { 600.0 });
    for tick in 0..=2400 {
        let now = Demand::tick_begins(tick);
        let seen = demand(tick.saturating_sub(1));
        record.moments.push(Moment {
            load: demand(tick),
            prescale: prescale.tick(now, Some(demand(tick + 20)), demand(tick)),
            reactive: reactive.tick(now, Some(seen), demand(tick)),
        });
    }
    let now = Demand::tick_begins(2400);
    let horizons = [(1, 600.0), (4, 480.0), (10, 240.0), (14, 120.0)];
    let horizons = horizons
        .map(|(hours, amount)| Horizon { ahead: Duration::from_secs(hours * 3600), quantiles: vec![load(amount)] });
    let forecast = Forecast::new(now, ModelName::Ridge, vec![Quantile::MEDIAN], horizons.to_vec()).unwrap();
    let plan = Plan {
        made: now,
        demand: load(612.4),
        value: load(660.1),
        active: true,
        reason: Reason::Forecast { model: ModelName::Ridge },
        publication: Publication::Raised,
        observed: Some(load(600.0)),
        predicted: Some(load(612.4)),
        shadow: None,
    };
    Morning { setup, record, forecast, plan, prescale, reactive, now }
}

fn frame(morning: &Morning) -> Frame<'_> {
    Frame {
        now: morning.now,
        setup: &morning.setup,
        record: &morning.record,
        load: load(600.0),
        forecast: Some(&morning.forecast),
        plan: Ok(&morning.plan),
        prescale: morning.prescale.scores(),
        reactive: morning.reactive.scores(),
    }
}

fn picture(width: usize, rows: usize) -> String {
    let morning = morning();
    let lines = frame(&morning).lines(width, rows);
    assert!(lines.len() < rows, "{} lines do not fit into {rows} rows", lines.len());
    let text: Vec<_> = lines.iter().map(|line| line.to_text(width - 1, false)).collect();
    text.join("\n")
}

#[test]
fn a_small_terminal_gets_both_charts() {
    insta::assert_snapshot!(picture(60, 17));
}

#[test]
fn a_wide_terminal_gets_finer_ones() {
    insta::assert_snapshot!(picture(130, 40));
}

#[test]
fn without_a_value_the_picture_says_why() {
    let morning = morning();
    let no_plan = policy::NoPlan::OutOfDate { age: Duration::from_secs(400) };
    let lines = Frame { plan: Err(&no_plan), ..frame(&morning) }.lines(100, 24);
    let text = lines[1].to_text(100, false);
    assert_eq!(text, "Prescale gives no value: the last load known is 400 s old and no forecast reaches this far");
}

#[test]
fn plain_lines_come_on_the_hour() {
    let morning = morning();
    let on_the_hour = frame(&morning);
    insta::assert_snapshot!(format!("{}\n{}", plain::HEADING, plain::line(&on_the_hour).unwrap()));
    let inside = Frame { now: Demand::tick_begins(2401), ..on_the_hour };
    assert_eq!(plain::line(&inside), None);
}

#[test]
fn the_table_tells_both_sides_and_what_to_do_next() {
    let setup = Setup::of_the_examples().unwrap();
    let prescale = Scores {
        short_time: 0.0025,
        short: Duration::from_secs(216),
        surplus_time: 0.9,
        unmet_share: 0.0001,
        unmet: 2345.6,
        pod_hours: 601.2,
        clairvoyant_pod_hours: 500.4,
        actions_per_hour: 2.25,
        reversals_per_hour: 0.5,
        instability: 0.1,
        mean_shortage: 0.001,
        mean_surplus: 0.2,
    };
    let reactive = Scores { short_time: 0.01, short: Duration::from_secs(864), pod_hours: 712.6, ..prescale };
    let tuned = Some(Tuned { utilization: 0.64, pod_hours: 790.0 });
    let (short_in_burst, (burst_began, _)) = (Duration::from_secs(195), Demand::burst());
    let day = Summary { setup: &setup, prescale, reactive, short_in_burst, burst_began, tuned };
    insta::assert_snapshot!(summary(&day));
    let untuned = summary(&Summary { tuned: None, ..day });
    assert!(untuned.contains("However tuned, a reactive HPA is short for longer"));
}
