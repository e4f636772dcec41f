//! A real Prometheus with two weeks of history and fresh samples every second.
//!
//! | series         | what it is                                                     |
//! |----------------|----------------------------------------------------------------|
//! | `chat_load`    | [`load::at`], two weeks long                                   |
//! | `pair{n="…"}`  | two series of a day, which no scaler can choose between        |
//! | `not_a_number` | NaN, for a day                                                 |
//! | `holed`        | [`load::at`] for three days, with a hole of [`HOLE`]           |
//!
//! The history is written as blocks before Prometheus starts and ends at the present minute; from then on Prometheus
//! scrapes a target that the test serves. Both give the same labels, so that each is one series.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use axum::Router;
use axum::routing::get;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::clock::unix_now;
use super::eventually::eventually;
use super::process::Restarted;
use super::{http, load, programs};

/// When `holed` has no samples, in seconds before the start.
pub(crate) const HOLE: Range<f64> = 30.0 * 3600.0..36.0 * 3600.0;

const MINUTE: f64 = 60.0;
const DAY: f64 = 86_400.0;

/// A Prometheus of the test's own, ended when dropped.
#[derive(Debug)]
pub(crate) struct Prometheus {
    directory: TempDir,
    port: u16,
    /// What it runs in: to be killed before it is started again.
    pub(crate) process: Restarted,
    feeder: JoinHandle<()>,
}

impl Prometheus {
    /// A Prometheus that answers, with history up to now; `None` where the machine has none and the test is to be skipped.
    pub(crate) async fn with_history() -> Option<Self> {
        if !programs::are_installed(&["prometheus", "promtool"], "to install: apt-get install prometheus") {
            return None;
        }
        let directory = tempfile::tempdir().expect("there is room for a temporary directory");
        let (feeder, feeder_port) = serve_samples().await;
        write_history(directory.path(), unix_now());
        write_configuration(directory.path(), feeder_port);
        let mut prometheus = Self { directory, port: free_port(), process: Restarted::default(), feeder };
        prometheus.start().await;
        Some(prometheus)
    }

    /// `127.0.0.1:port`, the same for its whole life.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Starts it, after it was killed say, and waits until it is ready.
    pub(crate) async fn start(&mut self) {
        let directory = self.directory.path();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", directory.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
            .arg(format!("--web.listen-address={}", self.address()))
            .args(["--storage.tsdb.retention.time=60d", "--log.level=warn"]);
        let address = self.address();
        let process = self.process.start("prometheus", &mut command);
        eventually("a ready Prometheus", async || match http::get(&address, "/-/ready").await {
            Ok((200, _)) => Ok(()),
            other => {
                assert_eq!(process.ended(), None, "prometheus has ended instead");
                Err(format!("{other:?}"))
            }
        })
        .await;
    }

    /// The `data.result` of a GET to `/api/v1/{call}`.
    pub(crate) async fn ask(&self, call: &str) -> serde_json::Value {
        let (status, body) = http::get(&self.address(), &format!("/api/v1/{call}")).await.expect("Prometheus answers");
        assert_eq!(status, 200, "{body}");
        let mut answer: serde_json::Value = serde_json::from_str(&body).expect("Prometheus answers JSON");
        answer["data"]["result"].take()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.feeder.abort();
    }
}

/// A port that nobody listened on a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

/// Serves the fresh samples, and gives the port.
async fn serve_samples() -> (JoinHandle<()>, u16) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let routes = Router::new().route("/metrics", get(async || fresh_samples(unix_now())));
    let served = tokio::spawn(async move { axum::serve(listener, routes).await.expect("the feeder serves") });
    (served, port)
}

fn fresh_samples(now: f64) -> String {
    let load = load::at(now);
    format!("chat_load {load}\npair{{n=\"1\"}} {load}\npair{{n=\"2\"}} {load}\nnot_a_number NaN\nholed {load}\n")
}

fn write_configuration(directory: &Path, feeder_port: u16) {
    let configuration = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: feeder
    static_configs: [{{ targets: ['127.0.0.1:{feeder_port}'] }}]
    metric_relabel_configs: [{{ action: labeldrop, regex: 'instance|job' }}]
"
    );
    std::fs::write(directory.join("prometheus.yml"), configuration).expect("the directory is writable");
}

/// Writes blocks that end at the minute before `now`.
fn write_history(directory: &Path, now: f64) {
    let text = directory.join("history.om");
    std::fs::write(&text, history(now)).expect("the directory is writable");
    let output = Command::new("promtool")
        // few large blocks: promtool reads the whole text anew for each
        .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet", "--max-block-duration=720h"])
        .args([&text, &directory.join("data")])
        .output()
        .expect("promtool was found");
    assert!(output.status.success(), "promtool: {}", String::from_utf8_lossy(&output.stderr));
    std::fs::remove_file(text).expect("it was just written");
}

/// The history in OpenMetrics text, oldest first within each series.
fn history(now: f64) -> String {
    let mut text = String::new();
    write_family(&mut text, "chat_load", &[""], &minutes(now, 14.0), load::at);
    write_family(&mut text, "pair", &["{n=\"1\"}", "{n=\"2\"}"], &minutes(now, 1.0), load::at);
    write_family(&mut text, "not_a_number", &[""], &minutes(now, 1.0), |_| f64::NAN);
    let outside_the_hole = minutes(now, 3.0).filter(|time| !HOLE.contains(&(now - time)));
    write_family(&mut text, "holed", &[""], &outside_the_hole, load::at);
    text.push_str("# EOF\n");
    text
}

fn write_family(
    text: &mut String,
    name: &str,
    labels: &[&str],
    times: &(impl Iterator<Item = f64> + Clone),
    value: impl Fn(f64) -> f64,
) {
    writeln!(text, "# TYPE {name} gauge").expect("a string takes any text");
    for label in labels {
        for time in times.clone() {
            writeln!(text, "{name}{label} {} {time}", value(time)).expect("a string takes any text");
        }
    }
}

/// The whole minutes of the last `days` before `now`.
fn minutes(now: f64, days: f64) -> impl Iterator<Item = f64> + Clone {
    let last = (now / MINUTE).floor() * MINUTE;
    let first = last - days * DAY;
    std::iter::successors(Some(first), move |time| (*time < last).then_some(time + MINUTE))
}
