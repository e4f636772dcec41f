//! What a replay says was published is what the service publishes: forecaster and scaler run for real, over HTTP and gRPC, on a clock that is
//! set from tick to tick.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use scaler::{Defaults, parse_target};
use serde_json::{Value, json};
use series::{Clock as _, GapReason, Load, Sample, Series, Step, Timestamp};
use simulator::Replay;

use crate::demo::clock::DemoClock;
use crate::demo::stage::Stage;

const START: i64 = 1_767_600_000;

/// Half a day of minutes with a rise, a burst, a gap of some minutes and one of twenty.
fn made_load() -> Series {
    let mut rng = fastrand::Rng::with_seed(5);
    let samples = (0..720).map(|minute| {
        if (400..404).contains(&minute) || (500..520).contains(&minute) {
            return Sample::Gap(GapReason::NoSample);
        }
        let rise = 200.0 + 150.0 * (f64::from(minute) / 720.0 * std::f64::consts::PI).sin();
        let burst = if (300..320).contains(&minute) { 180.0 } else { 0.0 };
        Sample::Value(Load::new((rise + burst + 20.0 * rng.f64()).round()).unwrap())
    });
    Series::from_samples(Timestamp::from_second(START).unwrap(), Step::MINUTE, samples).unwrap()
}

/// A Prometheus that knows one series, and nothing of the future.
#[derive(Clone)]
struct Recorded {
    load: Arc<Series>,
    clock: Arc<DemoClock>,
}

impl Recorded {
    /// The newest sample at `seconds`, as long as the next is not due.
    fn at(&self, seconds: f64) -> Option<Load> {
        let first = self.load.start().as_second() as f64;
        if seconds < first || seconds > self.clock.now().as_second() as f64 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hours")]
        let index = ((seconds - first) / 60.0) as usize;
        self.load.load(index)
    }
}

fn number(asked: &HashMap<String, String>, name: &str) -> f64 {
    asked[name].parse().unwrap()
}

async fn instant(State(recorded): State<Recorded>) -> Json<Value> {
    let time = recorded.clock.now().as_second() as f64;
    let result: Vec<Value> =
        recorded.at(time).map(|load| json!({ "metric": {}, "value": [time, load.to_string()] })).into_iter().collect();
    Json(json!({ "status": "success", "data": { "resultType": "vector", "result": result } }))
}

async fn range(State(recorded): State<Recorded>, Query(asked): Query<HashMap<String, String>>) -> Json<Value> {
    let (start, end, step) = (number(&asked, "start"), number(&asked, "end"), number(&asked, "step"));
    let times = std::iter::successors(Some(start), |time| Some(time + step)).take_while(|&time| time <= end);
    let points: Vec<Value> = times.filter_map(|time| Some(json!([time, recorded.at(time)?.to_string()]))).collect();
    let result: Vec<Value> = if points.is_empty() { vec![] } else { vec![json!({ "metric": {}, "values": points })] };
    Json(json!({ "status": "success", "data": { "resultType": "matrix", "result": result } }))
}

#[tokio::test]
async fn the_service_publishes_what_the_replay_says_at_every_tick() {
    let load = Arc::new(made_load());
    let metadata: HashMap<String, String> =
        [("query", "sum(load)"), ("threshold", "12"), ("leadTime", "3m"), ("slo", "99%")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
    let target = parse_target("shop", "checkout", &metadata, &Defaults { has_default_server: true }).unwrap();
    let mut replay = Replay::new(&load, vec![target], Duration::from_secs(30)).unwrap();

    let clock = Arc::new(DemoClock::at(replay.grid().time(0)));
    let recorded = Recorded { load: Arc::clone(&load), clock: Arc::clone(&clock) };
    let routes = Router::new()
        .route("/api/v1/query", get(instant))
        .route("/api/v1/query_range", get(range))
        .with_state(recorded);
    let mut stage = Stage::over(routes, clock, metadata, None).await.unwrap();

    let (mut forecasts, mut errors) = (0, 0);
    while let Some(moment) = replay.advance() {
        let plan = moment.plans[0].as_ref();
        let answer = stage.at(moment.at).await.unwrap();
        let (at, value) = (moment.at, plan.ok().map(|plan| plan.value));
        assert_eq!(answer.value, value, "at {at}: {plan:?}");
        forecasts += usize::from(plan.is_ok_and(|plan| plan.reason.label().contains("forecast")));
        errors += usize::from(plan.is_err());
    }
    assert!(forecasts > 1500 && errors >= 4, "{forecasts} of forecasts, {errors} errors");
}
