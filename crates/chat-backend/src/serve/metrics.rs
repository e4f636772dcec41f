//! [`Metrics`]: what Prometheus scrapes.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

use crate::openai::Usage;

/// The client went away before it had its answer (nginx's number for that).
const CLIENT_CLOSED: u16 = 499;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tokens {
    kind: &'static str,
}

const PROMPT: &str = "prompt";
const COMPLETION: &str = "completion";

/// Counts of chat completions, each labelled `app="chat-backend"`.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answer, Counter>,
    in_flight: Gauge<i64, AtomicI64>,
    pub(crate) waiting: Gauge<i64, AtomicI64>,
    streams: Gauge<i64, AtomicI64>,
    duration: Histogram,
    queue: Histogram,
    first_token: Histogram,
    tokens: Family<Tokens, Counter>,
    pub(crate) session_errors: Counter,
    pub(crate) upstream_errors: Counter,
}

impl Metrics {
    /// `concurrency` and `queue` are published as they are, so that saturation is a division.
    pub(crate) fn new(concurrency: u16, queue: u16) -> Self {
        let labels = [("app".into(), "chat-backend".into())];
        let mut registry = Registry::with_labels(labels.into_iter());
        let requests = Family::<Answer, Counter>::default();
        // a counter that starts with its first increment hides that increment from `rate`
        for code in [200, 429, 503] {
            drop(requests.get_or_create(&Answer { code }));
        }
        registry.register("http_requests", "Chat requests answered, by status code", requests.clone());
        let in_flight = Gauge::default();
        registry.register("http_requests_in_flight", "Chat requests running or waiting", in_flight.clone());
        let duration =
            seconds(&mut registry, "http_request_duration", "Time from a chat request to the end of its answer");

        let waiting = Gauge::default();
        registry.register("chat_requests_waiting", "Chat requests that wait for their turn", waiting.clone());
        let queue_time = seconds(&mut registry, "chat_queue", "Time that requests waited for their turn");
        let first_token =
            seconds(&mut registry, "chat_first_token", "Time from a chat request to the first token of its answer");
        let streams = Gauge::default();
        registry.register("chat_streams", "Answers that are being streamed", streams.clone());
        let tokens = Family::<Tokens, Counter>::default();
        for kind in [PROMPT, COMPLETION] {
            drop(tokens.get_or_create(&Tokens { kind }));
        }
        registry.register("chat_tokens", "Tokens of answered requests", tokens.clone());
        let session_errors = Counter::default();
        registry.register("chat_session_errors", "Sessions that could not be read or written", session_errors.clone());
        let upstream_errors = Counter::default();
        registry.register("chat_upstream_errors", "Requests that the upstream failed", upstream_errors.clone());
        for (name, help, limit) in [
            ("chat_concurrency_limit", "How many requests run at a time", concurrency),
            ("chat_queue_limit", "How many requests may wait", queue),
        ] {
            let gauge: Gauge<i64, AtomicI64> = Gauge::default();
            gauge.set(i64::from(limit));
            registry.register(name, help, gauge);
        }
        Self {
            registry,
            requests,
            in_flight,
            waiting,
            streams,
            duration,
            queue: queue_time,
            first_token,
            tokens,
            session_errors,
            upstream_errors,
        }
    }

    /// The metrics in the `OpenMetrics` text format.
    pub(crate) fn text(&self) -> String {
        let mut page = String::new();
        // writing to a string cannot fail
        let _ = text::encode(&mut page, &self.registry);
        page
    }

    /// A request that begins now, and is counted when the guard is dropped.
    pub(crate) fn request(self: &Arc<Self>) -> InFlight {
        self.in_flight.inc();
        InFlight {
            metrics: Arc::clone(self),
            since: Instant::now(),
            code: CLIENT_CLOSED,
            streams: false,
            has_token: false,
        }
    }
}

/// A request that is running or waiting.
#[derive(Debug)]
pub(crate) struct InFlight {
    metrics: Arc<Metrics>,
    since: Instant,
    code: u16,
    streams: bool,
    has_token: bool,
}

impl InFlight {
    /// The request was answered with `code`.
    pub(crate) fn answered(mut self, code: u16) {
        self.code = code;
    }

    /// Its turn came after `waited`.
    pub(crate) fn runs(&self, waited: std::time::Duration) {
        self.metrics.queue.observe(waited.as_secs_f64());
    }

    /// Its answer is a stream.
    pub(crate) fn streams(&mut self) {
        self.streams = true;
        self.metrics.streams.inc();
    }

    /// Text of the answer has come; only the first time counts.
    pub(crate) fn token(&mut self) {
        if !self.has_token {
            self.has_token = true;
            self.metrics.first_token.observe(self.since.elapsed().as_secs_f64());
        }
    }

    /// What it took, known at its end.
    pub(crate) fn used(&self, usage: Usage) {
        let count = |kind, tokens| self.metrics.tokens.get_or_create(&Tokens { kind }).inc_by(tokens);
        count(PROMPT, usage.prompt_tokens);
        count(COMPLETION, usage.completion_tokens);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
        if self.streams {
            self.metrics.streams.dec();
        }
        self.metrics.duration.observe(self.since.elapsed().as_secs_f64());
        self.metrics.requests.get_or_create(&Answer { code: self.code }).inc();
    }
}

fn seconds(registry: &mut Registry, name: &str, help: &str) -> Histogram {
    let histogram = Histogram::new(exponential_buckets(0.01, 2.0, 14));
    registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
    histogram
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_an_answer_is_counted_as_closed_by_the_client() {
        let metrics = Arc::new(Metrics::new(8, 32));
        drop(metrics.request());
        metrics.request().answered(200);
        let page = metrics.text();
        for line in [
            r#"http_requests_total{app="chat-backend",code="499"} 1"#,
            r#"http_requests_total{app="chat-backend",code="200"} 1"#,
            r#"http_requests_total{app="chat-backend",code="429"} 0"#,
            r#"http_requests_in_flight{app="chat-backend"} 0"#,
            r#"http_request_duration_seconds_count{app="chat-backend"} 2"#,
            r#"chat_concurrency_limit{app="chat-backend"} 8"#,
        ] {
            assert!(page.contains(line), "{line} is missing in\n{page}");
        }
    }

    #[test]
    fn only_the_first_token_of_an_answer_is_timed_and_an_open_stream_is_shown() {
        let metrics = Arc::new(Metrics::new(8, 32));
        let mut request = metrics.request();
        request.streams();
        request.token();
        request.token();
        request.used(Usage::new(3, 5));
        assert!(metrics.text().contains(r#"chat_streams{app="chat-backend"} 1"#));
        request.answered(200);
        let page = metrics.text();
        for line in [
            r#"chat_streams{app="chat-backend"} 0"#,
            r#"chat_first_token_seconds_count{app="chat-backend"} 1"#,
            r#"chat_tokens_total{app="chat-backend",kind="prompt"} 3"#,
            r#"chat_tokens_total{app="chat-backend",kind="completion"} 5"#,
        ] {
            assert!(page.contains(line), "{line} is missing in\n{page}");
        }
    }
}
