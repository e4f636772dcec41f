//! A Prometheus to ask in tests, whose answers the test writes and whose questions it reads; and a clock it sets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::DATE;
use axum::http::{HeaderMap, Response, Uri};
use jiff::fmt::rfc2822::DateTimePrinter;
use series::{Clock, ForecastRequest, ModelChoice, PrometheusQuery, Seasons, ServerAddress, Step, Timestamp};
use tokio::task::JoinHandle;

/// The present of a server that was given no clock.
pub(crate) const NOW: i64 = 1_700_000_000;

/// One question, as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) endpoint: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    /// When it arrived, by the server's clock.
    pub(crate) at: Timestamp,
}

impl Asked {
    pub(crate) fn is_range(&self) -> bool {
        self.endpoint == "query_range"
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        self.parameters[name].parse().unwrap()
    }
}

/// What the server does with a question.
pub(crate) enum Does {
    Answer(Response<Body>),
    Hang,
}

type Behavior = Arc<dyn Fn(&Asked) -> Does + Send + Sync>;

#[derive(Clone)]
struct Shared {
    clock: Arc<SetClock>,
    asked: Arc<Mutex<Vec<Asked>>>,
    behavior: Arc<Mutex<Behavior>>,
}

/// A server on this machine; gone when dropped.
pub(crate) struct Server {
    pub(crate) address: ServerAddress,
    shared: Shared,
    task: JoinHandle<()>,
}

impl Server {
    /// A server that answers like Prometheus, with [`load_at`] for every time; its present is [`NOW`].
    pub(crate) async fn start() -> Self {
        Self::start_by(SetClock::at(NOW)).await
    }

    /// The same, whose present is that of `clock`.
    pub(crate) async fn start_by(clock: Arc<SetClock>) -> Self {
        let behavior: Behavior = Arc::new(|asked| Does::Answer(healthy(asked)));
        let shared = Shared { clock, asked: Arc::default(), behavior: Arc::new(Mutex::new(behavior)) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let app = Router::new().fallback(handle).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, shared, task }
    }

    pub(crate) fn does(&self, behavior: impl Fn(&Asked) -> Does + Send + Sync + 'static) {
        *self.shared.behavior.lock().unwrap() = Arc::new(behavior);
    }

    pub(crate) fn answers(&self, answer: impl Fn(&Asked) -> Response<Body> + Send + Sync + 'static) {
        self.does(move |asked| Does::Answer(answer(asked)));
    }

    /// The questions since the last call.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.shared.asked.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn handle(State(shared): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let endpoint = uri.path().rsplit('/').next().unwrap().to_owned();
    let texts = [uri.query().unwrap_or_default().to_owned(), String::from_utf8(body.to_vec()).unwrap()];
    let pairs = texts.iter().flat_map(|text| url::form_urlencoded::parse(text.as_bytes()).into_owned());
    let asked = Asked { endpoint, parameters: pairs.collect(), headers, at: shared.clock.now() };
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&asked.at).unwrap();
    let behavior = Arc::clone(&*shared.behavior.lock().unwrap());
    let does = behavior(&asked);
    shared.asked.lock().unwrap().push(asked);
    match does {
        Does::Answer(mut response) => {
            response.headers_mut().entry(DATE).or_insert(date.parse().unwrap());
            response
        }
        Does::Hang => std::future::pending().await,
    }
}

/// The load at a time, as the healthy server has it: a day's wave, never zero.
pub(crate) fn load_at(seconds: f64) -> f64 {
    (seconds / 86_400.0 * std::f64::consts::TAU).sin().mul_add(50.0, 100.0).round()
}

/// What Prometheus would answer.
pub(crate) fn healthy(asked: &Asked) -> Response<Body> {
    if asked.is_range() { matrix(asked, |seconds| Some(load_at(seconds).to_string())) } else { vector(asked) }
}

fn vector(asked: &Asked) -> Response<Body> {
    let time = asked.at.as_second() as f64;
    success("vector", &format!(r#"[{{"metric":{{}},"value":[{time},"{}"]}}]"#, load_at(time)))
}

/// A matrix with what `value` gives for each time asked for.
pub(crate) fn matrix(asked: &Asked, value: impl Fn(f64) -> Option<String>) -> Response<Body> {
    let (start, end, step) = (asked.number("start"), asked.number("end"), asked.number("step"));
    assert!((end - start) / step < 11_000.0, "Prometheus would refuse so many points");
    let times = std::iter::successors(Some(start), |time| Some(time + step)).take_while(|&time| time <= end);
    let points: Vec<_> = times.filter_map(|time| Some(format!(r#"[{time},"{}"]"#, value(time)?))).collect();
    let series =
        if points.is_empty() { String::new() } else { format!(r#"{{"metric":{{}},"values":[{}]}}"#, points.join(",")) };
    success("matrix", &format!("[{series}]"))
}

pub(crate) fn success(result_type: &str, result: &str) -> Response<Body> {
    json(200, format!(r#"{{"status":"success","data":{{"resultType":"{result_type}","result":{result}}}}}"#))
}

pub(crate) fn refusal(status: u16, error_type: &str, text: &str) -> Response<Body> {
    json(status, format!(r#"{{"status":"error","errorType":"{error_type}","error":"{text}"}}"#))
}

pub(crate) fn json(status: u16, body: impl Into<Body>) -> Response<Body> {
    Response::builder().status(status).header("content-type", "application/json").body(body.into()).unwrap()
}

/// A clock that stands until it is set.
#[derive(Debug)]
pub(crate) struct SetClock(Mutex<Timestamp>);

impl SetClock {
    pub(crate) fn at(seconds: i64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Timestamp::from_second(seconds).unwrap())))
    }

    pub(crate) fn set(&self, seconds: i64) {
        *self.0.lock().unwrap() = Timestamp::from_second(seconds).unwrap();
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub(crate) fn query(server: Option<&ServerAddress>) -> PrometheusQuery {
    PrometheusQuery { server: server.cloned(), ..PrometheusQuery::new("sum(rate(requests_total[1m]))") }
}

/// A request for `minutes` of history at steps of a minute.
pub(crate) fn request(server: &ServerAddress, minutes: u64) -> ForecastRequest {
    ForecastRequest {
        query: query(Some(server)),
        step: Step::MINUTE,
        history: Duration::from_secs(minutes * 60),
        lead_time: Duration::from_secs(180),
        model: ModelChoice::Auto,
        seasons: Seasons::Found,
        timezone: "UTC".to_owned(),
        forecast_wanted: true,
        replicas_query: None,
    }
}
