//! Holds the simulator against a second simulation of the same rules, `fixtures/reference.py`, on random inputs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use policy::Threshold;
use serde::Deserialize;
use series::{Load, Timestamp};
use simulator::{Cluster, HpaSettings, ReplicaRange, TICK};

#[derive(Deserialize)]
struct Case {
    capacity: f64,
    target: f64,
    tolerance: f64,
    stabilization: u64,
    start_up: u64,
    least: u32,
    most: u32,
    initial: u32,
    load: Vec<f64>,
    value: Vec<Option<f64>>,
    ready: Vec<u32>,
    scores: Expected,
}

#[derive(Deserialize)]
struct Expected {
    short_time: f64,
    unmet_share: f64,
    mean_shortage: f64,
    mean_surplus: f64,
    surplus_time: f64,
    relative_cost: f64,
    actions_per_hour: f64,
}

fn load(amount: f64) -> Load {
    Load::new(amount).unwrap()
}

fn cluster(case: &Case) -> Cluster {
    let replicas = ReplicaRange::new(case.least, case.most).unwrap();
    let mut settings =
        HpaSettings::defaults(Threshold::new(case.target).unwrap(), replicas).with_tolerance(case.tolerance);
    settings.down.stabilization = Duration::from_secs(case.stabilization);
    let per_pod = Threshold::new(case.capacity).unwrap();
    Cluster::new(settings, per_pod, Duration::from_secs(case.start_up), case.initial)
}

#[test]
fn pods_and_scores_are_those_of_the_reference() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("fixtures/reference.json")).unwrap();
    for (number, case) in cases.iter().enumerate() {
        let mut cluster = cluster(case);
        let mut now = Timestamp::UNIX_EPOCH;
        for (tick, (&demand, &value)) in case.load.iter().zip(&case.value).enumerate() {
            let ready = cluster.tick(now, value.map(load), load(demand)).ready;
            assert_eq!(ready, case.ready[tick], "case {number}, tick {tick}");
            now += TICK;
        }
        let scores = cluster.scores().unwrap();
        let pairs = [
            ("short time", scores.short_time, case.scores.short_time),
            ("unmet share", scores.unmet_share, case.scores.unmet_share),
            ("mean shortage", scores.mean_shortage, case.scores.mean_shortage),
            ("mean surplus", scores.mean_surplus, case.scores.mean_surplus),
            ("surplus time", scores.surplus_time, case.scores.surplus_time),
            ("relative cost", scores.relative_cost(), case.scores.relative_cost),
            ("actions per hour", scores.actions_per_hour, case.scores.actions_per_hour),
        ];
        for (name, ours, expected) in pairs {
            assert!((ours - expected).abs() < 1e-9, "case {number}: {name} is {ours}, not {expected}");
        }
    }
}
