//! Holds trials and behaviors against an independent simulation of HPA and pods, where the variable `PRESCALE_AUTOSCALE` names its script;
//! `PYTHON` names an interpreter with numpy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a test that did not run says so")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use policy::Threshold;
use serde_json::Value;
use series::{GapReason, Load, Sample, Series, Step, Timestamp};
use simulator::{Behavior, Course, HpaSettings, ReplicaRange, Trial};

const DAYS: usize = 11;
const START: i64 = 1_700_000_040;

/// Whole numbers, so that single precision keeps them: a daily rhythm, unrest, bursts, and gaps.
fn made_load() -> Vec<Option<u32>> {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut burst = 0.0;
    (0..DAYS * 1440)
        .map(|minute| {
            let rhythm = (minute as f64 / 1440.0 * std::f64::consts::TAU).sin();
            burst = if rng.f64() < 0.002 { 400.0 } else { burst * 0.97 };
            let amount = 600.0 + 350.0 * rhythm + burst + 80.0 * rng.f64();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hundreds")]
            let amount = amount as u32;
            (rng.f64() > 0.01 && !(9000..9090).contains(&minute)).then_some(amount)
        })
        .collect()
}

/// What the script prints about this load and these decisions.
fn score(script: &Path, load: &[Option<u32>], decisions: &[(i64, Option<f64>)], start: u64, tolerance: f64) -> Value {
    let directory = std::env::temp_dir().join(format!("prescale-autoscale-{}-{start}-{tolerance}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let text = |value: Option<String>| value.unwrap_or_default();
    let mut trace = "timestamp,value\n".to_owned();
    for (minute, value) in (0_i64..).zip(load) {
        writeln!(trace, "{},{}", START + 60 * minute, text(value.map(|value| value.to_string()))).unwrap();
    }
    let mut rows = "timestamp,value\n".to_owned();
    for (time, value) in decisions {
        writeln!(rows, "{time},{}", text(value.map(|value| value.to_string()))).unwrap();
    }
    let (trace_path, rows_path) = (directory.join("trace.csv"), directory.join("decisions.csv"));
    std::fs::write(&trace_path, trace).unwrap();
    std::fs::write(&rows_path, rows).unwrap();
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(python);
    command.arg(script).arg(&trace_path).arg("--decisions").arg(&rows_path);
    command.args(["--start", &start.to_string(), "--tolerance", &tolerance.to_string(), "--levels", "5,1,0.5"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::remove_dir_all(directory).unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn scores_and_families_are_those_of_the_independent_simulation() {
    let Some(script) = std::env::var_os("PRESCALE_AUTOSCALE") else {
        eprintln!("not compared: PRESCALE_AUTOSCALE names no script");
        return;
    };
    let load = made_load();
    let samples = load.iter().map(|value| {
        value.map_or(Sample::Gap(GapReason::NoSample), |value| Sample::Value(Load::new(f64::from(value)).unwrap()))
    });
    let known_at = Timestamp::from_second(START + 60).unwrap();
    let course = Course::of(&Series::from_samples(known_at, Step::MINUTE, samples).unwrap()).unwrap();
    let from = course.grid().tick_after(Duration::from_secs(3 * 86_400));
    let scored = &course.amounts()[3 * 1440..];
    let capacity = Threshold::new(scored.iter().sum::<f64>() / scored.len() as f64 / 20.0).unwrap();
    // values that jump about, with errors among them
    let mut rng = fastrand::Rng::with_seed(11);
    let decisions: Vec<(i64, Option<f64>)> = (0..course.grid().ticks())
        .map(|tick| {
            let near = (course.load(tick).get() * (0.9 + 0.4 * rng.f64()) * 1000.0).round() / 1000.0;
            (course.time(tick).as_second(), (rng.f64() > 0.05).then_some(near))
        })
        .collect();
    for (start, tolerance) in [(180, 0.1), (600, 0.0)] {
        let answer = score(Path::new(&script), &load, &decisions, start, tolerance);
        let hpa = HpaSettings::defaults(capacity, ReplicaRange::at_least(1)).with_tolerance(tolerance);
        let trial = Trial { hpa, ..Trial::new(&course, from, capacity, Duration::from_secs(start)) };
        let value = |tick: usize| decisions[tick].1.map(|value| Load::new(value).unwrap());
        let outcome = trial.run(capacity, value, |_, _| ()).unwrap();
        let theirs = |name: &str| answer["decisions"][0][name].as_f64().unwrap();
        for (name, ours) in [
            ("under", 100.0 * outcome.short_time),
            ("unmet", 100.0 * outcome.unmet_share),
            ("cost", outcome.relative_cost()),
            ("actions", outcome.actions_per_hour),
            ("theta_u", 100.0 * outcome.mean_shortage),
            ("theta_o", 100.0 * outcome.mean_surplus),
            ("tau_o", 100.0 * outcome.surplus_time),
        ] {
            assert!((ours - theirs(name)).abs() < 1e-6 * ours.abs().max(1.0), "{name}: {ours}, not {}", theirs(name));
        }
        for behavior in Behavior::ALL {
            let family = behavior.family(&trial).unwrap();
            for level in ["5.0", "1.0", "0.5"] {
                let expected = answer["matched"][level][behavior.as_str()].as_f64();
                let ours = family.cost_at(level.parse::<f64>().unwrap() / 100.0);
                let is_same = match (ours, expected) {
                    (Some(ours), Some(expected)) => (ours - expected).abs() < 1e-6 * expected,
                    (ours, expected) => ours.is_none() && expected.is_none(),
                };
                assert!(is_same, "{behavior:?} at {level} %: {ours:?}, not {expected:?}");
            }
        }
    }
}
