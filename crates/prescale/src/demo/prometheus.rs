//! The server that the demo's forecaster asks: Prometheus' two query endpoints, over the invented load.
//!
//! It knows one query and nothing of the future: at times after the demo's clock there are no samples.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use series::{Clock, Load, Step, Timestamp};

use super::clock::DemoClock;
use super::demand::Demand;

/// The query that is answered; the one of the example manifests.
pub(super) const QUERY: &str = r#"sum(rate(http_requests_total{app="chat-backend"}[1m]))"#;

/// More points than this in one answer are refused, as Prometheus does.
const MOST_POINTS: usize = 11_000;

/// What is behind the endpoints.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    pub(super) demand: Arc<Demand>,
    pub(super) clock: Arc<DemoClock>,
    pub(super) outage: Option<Outage>,
}

/// Some hours of the day that is shown in which the server answers with nothing that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outage {
    from: Timestamp,
    to: Timestamp,
}

impl Outage {
    /// Reads `13:00-14:30`, times of the day that is shown.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let instead = "write two times of the day, the first one first, such as 13:00-14:30";
        let time = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
            let is_time = (0..=24).contains(&hour) && (0..60).contains(&minute) && hour * 60 + minute <= 24 * 60;
            is_time.then(|| Step::MINUTE.shift(Demand::day_begins(), hour * 60 + minute))
        };
        let times = text.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
        times.filter(|(from, to)| from < to).map(|(from, to)| Self { from, to }).ok_or_else(|| instead.to_owned())
    }

    fn covers(self, time: Timestamp) -> bool {
        self.from <= time && time < self.to
    }
}

pub(super) fn router(recorded: Recorded) -> Router {
    Router::new()
        .route("/api/v1/query", get(query))
        .route("/api/v1/query_range", get(query_range))
        .layer(from_fn_with_state(recorded.clone(), fail_in_outage))
        .with_state(recorded)
}

async fn fail_in_outage(State(recorded): State<Recorded>, request: Request, next: Next) -> Response {
    if recorded.outage.is_some_and(|outage| outage.covers(recorded.clock.now())) {
        // what a proxy says whose Prometheus is gone; unlike an error of the server's own, it is not asked again at once
        return Html("<!doctype html><title>no upstream</title>").into_response();
    }
    next.run(request).await
}

#[derive(Debug, Deserialize)]
struct Instant {
    query: String,
}

#[derive(Debug, Deserialize)]
struct Range {
    query: String,
    start: f64,
    end: f64,
    step: f64,
}

async fn query(State(recorded): State<Recorded>, Query(asked): Query<Instant>) -> Response {
    if asked.query != QUERY {
        return bad_data("this server knows one query only");
    }
    let at = recorded.clock.now();
    let result: Vec<_> =
        recorded.at(at).map(|load| json!({ "metric": {}, "value": point(at, load) })).into_iter().collect();
    success("vector", &result)
}

async fn query_range(State(recorded): State<Recorded>, Query(asked): Query<Range>) -> Response {
    if asked.query != QUERY {
        return bad_data("this server knows one query only");
    }
    let (Some(start), Some(end)) = (timestamp(asked.start), timestamp(asked.end)) else {
        return bad_data("no such time");
    };
    let Some(step) = Duration::try_from_secs_f64(asked.step).ok().filter(|step| step.as_secs() >= 1) else {
        return bad_data("the step must be a second or more");
    };
    let grid = std::iter::successors(Some(start), |at| at.checked_add(step).ok());
    let times: Vec<_> = grid.take_while(|&at| at <= end).take(MOST_POINTS + 1).collect();
    if times.len() > MOST_POINTS {
        return bad_data("exceeded maximum resolution of 11,000 points per timeseries");
    }
    let points: Vec<_> = times.into_iter().filter_map(|at| Some(point(at, recorded.at(at)?))).collect();
    let result: Vec<_> = if points.is_empty() { Vec::new() } else { vec![json!({ "metric": {}, "values": points })] };
    success("matrix", &result)
}

impl Recorded {
    fn at(&self, at: Timestamp) -> Option<Load> {
        if at <= self.clock.now() { self.demand.rate(at) } else { None }
    }
}

fn timestamp(seconds: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date; `as` stops at the ends of i64")]
    let milliseconds = (seconds * 1000.0).round() as i64;
    Timestamp::from_millisecond(milliseconds).ok()
}

fn point(at: Timestamp, load: Load) -> Value {
    json!([at.as_millisecond() as f64 / 1000.0, load.to_string()])
}

fn success(kind: &str, result: &[Value]) -> Response {
    Json(json!({ "status": "success", "data": { "resultType": kind, "result": result } })).into_response()
}

fn bad_data(problem: &str) -> Response {
    let body = json!({ "status": "error", "errorType": "bad_data", "error": problem });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(now: i64) -> (Recorded, f64) {
        let begin = Demand::history_begins();
        let clock = DemoClock::at(Timestamp::from_second(begin.as_second() + now).unwrap());
        let recorded = Recorded { demand: Arc::new(Demand::invent(1)), clock: Arc::new(clock), outage: None };
        (recorded, begin.as_second() as f64)
    }

    async fn json_of(response: Response) -> Value {
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test]
    async fn a_range_ends_at_the_present_and_begins_with_the_first_whole_minute() {
        let (recorded, begin) = recorded(200);
        let answer = async |end: f64| {
            let asked = Range { query: QUERY.to_owned(), start: begin, end: begin + end, step: 60.0 };
            json_of(query_range(State(recorded.clone()), Query(asked)).await).await
        };
        let points = |answer: &Value| answer["data"]["result"][0]["values"].as_array().unwrap().clone();
        let times = |answer: &Value| -> Vec<f64> {
            points(answer).iter().map(|point| point[0].as_f64().unwrap() - begin).collect()
        };
        let to_the_future = answer(600.0).await;
        assert_eq!(to_the_future["data"]["resultType"], "matrix");
        assert_eq!(times(&to_the_future), [60.0, 120.0, 180.0]);
        assert_eq!(times(&answer(120.0).await), [60.0, 120.0]);
        let minute = Timestamp::from_second(Demand::history_begins().as_second() + 120).unwrap();
        assert_eq!(points(&to_the_future)[1][1], recorded.demand.rate(minute).unwrap().to_string());
    }

    #[tokio::test]
    async fn the_future_is_empty_and_the_present_is_not() {
        for (second, count) in [(200, 1), (59, 0)] {
            let asked = Instant { query: QUERY.to_owned() };
            let answer = json_of(query(State(recorded(second).0), Query(asked)).await).await;
            assert_eq!(answer["data"]["result"].as_array().unwrap().len(), count, "at {second} s");
        }
        let (recorded, begin) = recorded(200);
        let asked = Range { query: QUERY.to_owned(), start: begin + 240.0, end: begin + 600.0, step: 60.0 };
        let answer = json_of(query_range(State(recorded), Query(asked)).await).await;
        assert_eq!(answer["data"]["result"], json!([]));
    }

    #[tokio::test]
    async fn other_queries_and_impossible_ranges_are_refused() {
        let (recorded, begin) = recorded(200);
        let range = |query: &str, end: f64, step: f64| Range { query: query.to_owned(), start: begin, end, step };
        for asked in [
            range("up", begin, 60.0),
            range(QUERY, begin, 0.0),
            range(QUERY, begin, f64::NAN),
            range(QUERY, begin + 11_000.0, 1.0),
            range(QUERY, f64::INFINITY, 60.0),
        ] {
            let text = format!("{asked:?}");
            let response = query_range(State(recorded.clone()), Query(asked)).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{text}");
            assert_eq!(json_of(response).await["errorType"], "bad_data");
        }
        let instant = Instant { query: "up".to_owned() };
        assert_eq!(query(State(recorded), Query(instant)).await.status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn an_outage_lies_between_two_times_of_the_day() {
        let outage = Outage::parse("13:00-14:30").unwrap();
        let covered = |minute: i64| outage.covers(Step::MINUTE.shift(Demand::day_begins(), minute));
        assert_eq!([779, 780, 869, 870].map(covered), [false, true, true, false]);
        assert!(Outage::parse("23:00-24:00").is_ok());
        for text in ["", "13:00", "14:00-13:00", "13:00-13:00", "1300-1400", "24:01-24:02", "-1:00-2:00", "12:60-13:00"]
        {
            assert!(Outage::parse(text).is_err(), "{text}");
        }
    }
}
