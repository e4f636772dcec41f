//! [`Metrics`]: what Prometheus scrapes.

use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

/// The client went away before it had its answer (nginx's number for that).
const CLIENT_CLOSED: u16 = 499;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    code: u16,
}

/// Counts of `/chat`, each labelled `app="chat-backend"`.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answer, Counter>,
    in_flight: Gauge<i64, AtomicI64>,
    duration: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let labels = [("app".into(), "chat-backend".into())];
        let mut registry = Registry::with_labels(labels.into_iter());
        let requests = Family::<Answer, Counter>::default();
        // a counter that starts with its first increment hides that increment from `rate`
        for code in [200, 503] {
            drop(requests.get_or_create(&Answer { code }));
        }
        registry.register("http_requests", "Chat requests answered, by status code", requests.clone());
        let in_flight = Gauge::default();
        registry.register("http_requests_in_flight", "Chat requests running or waiting", in_flight.clone());
        let duration = Histogram::new(exponential_buckets(0.05, 2.0, 10));
        let help = "Time from a chat request to its answer";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, duration.clone());
        Self { registry, requests, in_flight, duration }
    }

    /// The metrics in the `OpenMetrics` text format.
    pub(crate) fn text(&self) -> String {
        let mut page = String::new();
        // writing to a string cannot fail
        let _ = text::encode(&mut page, &self.registry);
        page
    }

    /// A request that begins now, and is counted when the guard is dropped.
    pub(crate) fn request(&self) -> InFlight<'_> {
        self.in_flight.inc();
        InFlight { metrics: self, since: Instant::now(), code: CLIENT_CLOSED }
    }
}

/// A request that is running or waiting.
#[derive(Debug)]
pub(crate) struct InFlight<'a> {
    metrics: &'a Metrics,
    since: Instant,
    code: u16,
}

impl InFlight<'_> {
    /// The request was answered with `code`.
    pub(crate) fn answered(mut self, code: u16) {
        self.code = code;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
        self.metrics.duration.observe(self.since.elapsed().as_secs_f64());
        self.metrics.requests.get_or_create(&Answer { code: self.code }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_an_answer_is_counted_as_closed_by_the_client() {
        let metrics = Metrics::new();
        drop(metrics.request());
        metrics.request().answered(200);
        let page = metrics.text();
        for line in [
            r#"http_requests_total{app="chat-backend",code="499"} 1"#,
            r#"http_requests_total{app="chat-backend",code="200"} 1"#,
            r#"http_requests_total{app="chat-backend",code="503"} 0"#,
            r#"http_requests_in_flight{app="chat-backend"} 0"#,
            r#"http_request_duration_seconds_count{app="chat-backend"} 2"#,
        ] {
            assert!(page.contains(line), "{line} is missing in\n{page}");
        }
    }
}
