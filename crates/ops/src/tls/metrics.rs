//! What the certificates tell Prometheus of themselves.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Default)]
pub(super) struct Metrics {
    taken: Counter,
    refused: Gauge,
    failed: Counter,
}

impl Metrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "prescale_certificate_reloads",
            "Times that new certificates were taken from their files",
            metrics.taken.clone(),
        );
        registry.register(
            "prescale_certificate_refused",
            "1 while the certificates in the files cannot be used and those of before stay in force",
            metrics.refused.clone(),
        );
        registry.register(
            "prescale_tls_handshake_failures",
            "Connections that ended before TLS was agreed on",
            metrics.failed.clone(),
        );
        metrics
    }

    pub(super) fn taken(&self) {
        self.taken.inc();
    }

    pub(super) fn refused(&self, is_refused: bool) {
        self.refused.set(i64::from(is_refused));
    }

    pub(super) fn handshake_failed(&self) {
        self.failed.inc();
    }
}
