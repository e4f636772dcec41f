//! [`Metrics`] of the slow path: made once, registered once, counted into everywhere.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jiff::SignedDuration;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use series::FaultKind;
use tokio::time::Instant;

use crate::source::Endpoint;

/// What the schedule and the refreshes count.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    pub(crate) source: Arc<SourceMetrics>,
    refresh_duration: Histogram,
    fit_duration: Histogram,
    targets: Gauge,
}

/// What the source counts.
#[derive(Debug)]
pub(crate) struct SourceMetrics {
    requests: Family<EndpointLabel, Counter>,
    errors: Family<KindLabel, Counter>,
    request_duration: Histogram,
    clock_skew: Gauge<f64, AtomicU64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabel {
    endpoint: Endpoint,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind(FaultKind);

impl EncodeLabelValue for Endpoint {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.as_str().encode(encoder)
    }
}

impl EncodeLabelValue for Kind {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.as_str().encode(encoder)
    }
}

impl Metrics {
    /// The metrics, in `registry` under their full names.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            source: Arc::new(SourceMetrics::default()),
            // a refresh takes from milliseconds to twice the longest timeout
            refresh_duration: Histogram::new(exponential_buckets(0.01, 2.0, 14)),
            fit_duration: Histogram::new(exponential_buckets(0.005, 2.0, 14)),
            targets: Gauge::default(),
        };
        let source = &metrics.source;
        registry.register(
            "prescale_source_requests",
            "Requests sent to Prometheus-compatible servers, retries included",
            source.requests.clone(),
        );
        registry.register(
            "prescale_source_errors",
            "Requests that told no load, retries included, and questions that were not allowed",
            source.errors.clone(),
        );
        registry.register(
            "prescale_source_request_duration_seconds",
            "From the request to the parsed answer, or to the fault",
            source.request_duration.clone(),
        );
        registry.register(
            "prescale_source_clock_skew_seconds",
            "How far the clock of a server is ahead of ours, the farthest of those that are more than 30 seconds off",
            source.clock_skew.clone(),
        );
        registry.register(
            "prescale_refresh_duration_seconds",
            "One refresh of one target, its requests and its forecast included",
            metrics.refresh_duration.clone(),
        );
        registry.register(
            "prescale_fit_duration_seconds",
            "Choosing and fitting the model of one target",
            metrics.fit_duration.clone(),
        );
        registry.register("prescale_forecaster_targets", "Targets that are refreshed", metrics.targets.clone());
        metrics
    }

    pub(crate) fn refresh(&self) -> Timer {
        Timer::start(&self.refresh_duration)
    }

    pub(crate) fn fit(&self) -> Timer {
        Timer::start(&self.fit_duration)
    }

    pub(crate) fn set_targets(&self, count: usize) {
        self.targets.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}

impl SourceMetrics {
    /// Counts a request; its duration is observed when the timer is dropped.
    pub(crate) fn request(&self, endpoint: Endpoint) -> Timer {
        self.requests.get_or_create(&EndpointLabel { endpoint }).inc();
        Timer::start(&self.request_duration)
    }

    pub(crate) fn set_clock_skew(&self, skew: SignedDuration) {
        self.clock_skew.set(skew.as_secs_f64());
    }

    pub(crate) fn failed(&self, kind: FaultKind) {
        self.errors.get_or_create(&KindLabel { kind: Kind(kind) }).inc();
    }
}

impl Default for SourceMetrics {
    /// Every label value is there from the start: a rate over a counter that appears with its first count misses it.
    fn default() -> Self {
        let metrics = Self {
            requests: Family::default(),
            errors: Family::default(),
            request_duration: Histogram::new(exponential_buckets(0.005, 2.0, 14)),
            clock_skew: Gauge::default(),
        };
        for endpoint in Endpoint::ALL {
            drop(metrics.requests.get_or_create(&EndpointLabel { endpoint }));
        }
        for kind in FaultKind::ALL {
            drop(metrics.errors.get_or_create(&KindLabel { kind: Kind(kind) }));
        }
        metrics
    }
}

/// Observes how long it lived.
pub(crate) struct Timer {
    histogram: Histogram,
    started: Instant,
}

impl Timer {
    fn start(histogram: &Histogram) -> Self {
        Self { histogram: histogram.clone(), started: Instant::now() }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.histogram.observe(self.started.elapsed().as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_label_is_there_before_the_first_count() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        metrics.source.failed(FaultKind::Timeout);
        drop(metrics.source.request(Endpoint::QueryRange));
        drop(metrics.fit());
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [
            r#"prescale_source_requests_total{endpoint="query"} 0"#,
            r#"prescale_source_requests_total{endpoint="query_range"} 1"#,
            r#"prescale_source_errors_total{kind="timeout"} 1"#,
            "prescale_source_request_duration_seconds_count 1",
            "prescale_refresh_duration_seconds_count 0",
            "prescale_fit_duration_seconds_count 1",
            "prescale_source_clock_skew_seconds 0.0",
            "prescale_forecaster_targets 0",
        ] {
            assert!(text.lines().any(|own| own == line), "{line} in\n{text}");
        }
        for kind in FaultKind::ALL {
            assert!(text.contains(&format!(r#"prescale_source_errors_total{{kind="{}"}}"#, kind.as_str())));
        }
    }
}
