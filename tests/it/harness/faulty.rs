//! A server that answers like Prometheus until the test tells it not to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Json, Response};
use axum::routing::any;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::clock::unix_now;
use super::load;

/// What the server does with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// Answers with [`load::at`], times what stands after a `*` in the query.
    Healthy,
    /// Refuses connections, and has dropped those it had.
    Down,
    /// Takes the question and never answers.
    Slow,
    /// Has no series.
    Empty,
    /// Has a series of NaN.
    NotANumber,
    /// Has two series.
    TwoSeries,
    /// 401.
    Unauthorized,
    /// 500.
    ServerError,
    /// 302 to a page for logging in.
    Redirect,
    /// 200 with a page for people.
    Page,
    /// 200 with JSON that never ends.
    Endless,
    /// 200 with JSON that comes a byte at a time, and never to its end.
    Drip,
    /// 200 with the first half of the JSON that its head announces.
    Truncated,
    /// Has a text.
    Text,
    /// 429.
    Throttled,
    /// Knows the present alone: its history is gone.
    Forgetful,
}

impl Behavior {
    /// Every way to fail. One that is forgetful answers.
    pub(crate) const FAULTS: [Self; 14] = [
        Self::Down,
        Self::Slow,
        Self::Empty,
        Self::NotANumber,
        Self::TwoSeries,
        Self::Unauthorized,
        Self::ServerError,
        Self::Redirect,
        Self::Page,
        Self::Endless,
        Self::Drip,
        Self::Truncated,
        Self::Text,
        Self::Throttled,
    ];
}

/// A switchable server; it listens on one port for its whole life, but for the times it is down.
#[derive(Debug)]
pub(crate) struct FaultyPrometheus {
    port: u16,
    state: Arc<Shared>,
    // in a runtime of its own: dropping that is the one way to drop every connection with it
    running: Option<Runtime>,
}

#[derive(Debug)]
struct Shared {
    behavior: watch::Sender<Behavior>,
    range_queries: AtomicUsize,
    instant_queries: AtomicUsize,
    points: AtomicUsize,
    last_headers: Mutex<HeaderMap>,
}

impl FaultyPrometheus {
    /// Starts it with `behavior`.
    pub(crate) fn start(behavior: Behavior) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let state = Arc::new(Shared {
            behavior: watch::Sender::new(behavior),
            range_queries: AtomicUsize::new(0),
            instant_queries: AtomicUsize::new(0),
            points: AtomicUsize::new(0),
            last_headers: Mutex::default(),
        });
        let mut server = Self { port, state, running: None };
        server.behave(behavior);
        server
    }

    /// Changes what it does, also with the questions it has not answered yet.
    pub(crate) fn behave(&mut self, behavior: Behavior) {
        self.state.behavior.send_replace(behavior);
        match (behavior, self.running.is_some()) {
            (Behavior::Down, true) => self.stop(),
            (Behavior::Down, false) | (_, true) => {}
            (_, false) => self.running = Some(serve(self.port, Arc::clone(&self.state))),
        }
    }

    /// The base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many range queries have arrived.
    pub(crate) fn range_queries(&self) -> usize {
        self.state.range_queries.load(Ordering::SeqCst)
    }

    /// How many points the range queries since the last look asked for, all together.
    pub(crate) fn points(&self) -> usize {
        self.state.points.swap(0, Ordering::SeqCst)
    }

    /// How many instant queries have arrived.
    pub(crate) fn instant_queries(&self) -> usize {
        self.state.instant_queries.load(Ordering::SeqCst)
    }

    /// A header of the last question.
    pub(crate) fn last_header(&self, name: &str) -> Option<String> {
        let headers = self.state.last_headers.lock().expect("no handler panics");
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown_background();
        }
    }
}

impl Drop for FaultyPrometheus {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(port: u16, state: Arc<Shared>) -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let running = runtime.expect("a thread can be started");
    let routes = Router::new().route("/api/v1/{call}", any(answer)).with_state(state);
    running.spawn(async move {
        let listener = loop {
            // the listener of the time before may be a moment in going
            match tokio::net::TcpListener::bind(("127.0.0.1", port)).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        axum::serve(listener, routes).await.expect("the server serves");
    });
    running
}

async fn answer(State(state): State<Arc<Shared>>, Path(call): Path<String>, request: Request) -> Response {
    let counter = match call.as_str() {
        "query_range" => &state.range_queries,
        "query" => &state.instant_queries,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    counter.fetch_add(1, Ordering::SeqCst);
    state.last_headers.lock().expect("no handler panics").clone_from(request.headers());
    let question = Question::read(call == "query_range", request).await;
    state.points.fetch_add(question.points(), Ordering::SeqCst);
    let mut behavior = state.behavior.subscribe();
    let awake = behavior.wait_for(|now| *now != Behavior::Slow).await;
    let now = awake.map_or(Behavior::Down, |now| *now);
    match now {
        Behavior::Healthy => question.answer(1),
        Behavior::TwoSeries => question.answer(2),
        Behavior::NotANumber => question.answer_with(1, |_| f64::NAN),
        Behavior::Empty => question.answer(0),
        Behavior::Unauthorized => (StatusCode::UNAUTHORIZED, "who are you?").into_response(),
        Behavior::ServerError | Behavior::Down | Behavior::Slow => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Behavior::Redirect => (StatusCode::FOUND, [(header::LOCATION, "/login")]).into_response(),
        Behavior::Page => Html("<!doctype html><title>Log in</title>").into_response(),
        Behavior::Endless => endless(),
        Behavior::Drip => drip(),
        Behavior::Truncated => truncated(),
        Behavior::Text => question.text(),
        Behavior::Throttled => StatusCode::TOO_MANY_REQUESTS.into_response(),
        Behavior::Forgetful => question.answer(usize::from(!question.range)),
    }
}

/// The parameters of one query.
struct Question {
    range: bool,
    start: f64,
    end: f64,
    step: f64,
    factor: f64,
}

impl Question {
    /// From the URL or a form in the body, as Prometheus takes them; without times it is about now.
    async fn read(range: bool, request: Request) -> Self {
        let in_url = request.uri().query().unwrap_or_default().to_owned();
        let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
        let pairs = |text| url::form_urlencoded::parse(text).into_owned();
        let parameters: Vec<(String, String)> = pairs(in_url.as_bytes()).chain(pairs(&body)).collect();
        let text = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let number = |name: &str| text(name).and_then(|value| value.trim_end_matches('s').parse::<f64>().ok());
        let now = number("time").unwrap_or_else(unix_now);
        let factor =
            text("query").and_then(|query| query.rsplit_once('*')).and_then(|(_, tail)| tail.trim().parse().ok());
        Self {
            range,
            start: number("start").unwrap_or(now),
            end: number("end").unwrap_or(now),
            step: number("step").unwrap_or(60.0),
            factor: factor.unwrap_or(1.0),
        }
    }

    /// How many points a range query asks for.
    fn points(&self) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let points = ((self.end - self.start) / self.step) as usize + 1;
        if self.range { points } else { 0 }
    }

    fn answer(&self, series: usize) -> Response {
        self.answer_with(series, |time| self.factor * load::at(time))
    }

    fn answer_with(&self, series: usize, value: impl Fn(f64) -> f64) -> Response {
        // Prometheus' own limit
        if (self.end - self.start) / self.step > 11_000.0 {
            let error = "exceeded maximum resolution of 11,000 points per timeseries";
            let body = json!({ "status": "error", "errorType": "bad_data", "error": error });
            return (StatusCode::BAD_REQUEST, Json(body)).into_response();
        }
        // nor does Prometheus know the future
        let known = unix_now() + 1.0;
        let sample = |time: f64| json!([time, value(time).to_string()]);
        let next = |time: &f64| (time + self.step <= self.end).then_some(time + self.step);
        let one = |number: usize| {
            let labels = json!({ "number": number.to_string() });
            if self.range {
                let values: Vec<Value> = std::iter::successors(Some(self.start), next)
                    .take_while(|time| *time <= known)
                    .map(sample)
                    .collect();
                json!({ "metric": labels, "values": values })
            } else {
                json!({ "metric": labels, "value": sample(self.end) })
            }
        };
        let kind = if self.range { "matrix" } else { "vector" };
        let has_begun = if self.range { self.start } else { self.end } <= known;
        let result: Vec<Value> = (1..=series).filter(|_| has_begun).map(one).collect();
        Json(json!({ "status": "success", "data": { "resultType": kind, "result": result } })).into_response()
    }

    /// What Prometheus makes of `"text"`.
    fn text(&self) -> Response {
        if self.range {
            let error = "invalid expression type \"string\" for range query, must be Scalar or instant Vector";
            let body = json!({ "status": "error", "errorType": "bad_data", "error": error });
            return (StatusCode::BAD_REQUEST, Json(body)).into_response();
        }
        let data = json!({ "resultType": "string", "result": [self.end, "text"] });
        Json(json!({ "status": "success", "data": data })).into_response()
    }
}

fn drip() -> Response {
    let bytes = futures::stream::repeat("[").then(async |byte| {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok::<_, std::convert::Infallible>(byte)
    });
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(bytes)).into_response()
}

fn truncated() -> Response {
    let half = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"val"#;
    // the connection breaks off where the rest should come; at once, the half would not be sent either
    let rest = futures::stream::once(async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(std::io::Error::other("gone"))
    });
    let broken = futures::StreamExt::chain(futures::stream::iter([Ok(half)]), rest);
    let head = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_LENGTH, "1000")];
    (head, Body::from_stream(broken)).into_response()
}

fn endless() -> Response {
    let begin = futures::stream::iter([r#"{"status":"success","data":{"resultType":"matrix","result":["#.to_owned()]);
    let more = futures::stream::repeat(r#"{"metric":{"of":"many"},"values":[]},"#.repeat(1000));
    let chunks = futures::StreamExt::chain(begin, more);
    let body = Body::from_stream(futures::StreamExt::map(chunks, Ok::<_, std::convert::Infallible>));
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
