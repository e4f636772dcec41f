//! The digest of a target: equal for equal meaning, however the metadata spelled it.
//!
//! KEDA tells two triggers of one ScaledObject apart by their metadata alone, so what a trigger means is its name. The
//! digest is taken of the parsed values, in a fixed order, each with its length in front, so that neither the order nor
//! the aliases nor the notation of the metadata count, and no two values run into each other. Keys that speak to KEDA
//! alone are not in it. Header values may be secret and go nowhere but in here.

use std::sync::Arc;

use policy::{ServiceLevel, Threshold, Tolerance};
use series::{ForecastRequest, Load, MissingSamples, ModelChoice, Seasons};
use sha2::{Digest, Sha256};

/// Bytes of the SHA-256 that are kept: two triggers of *one* ScaledObject must differ, and 64 bits tell billions apart.
const KEPT_BYTES: usize = 8;

/// Changes when the encoding below does.
const ENCODING: &str = "prescale target 1";

/// 16 lower-case hexadecimal digits that stand for what is asked and how to scale.
pub(super) fn digest(
    request: &ForecastRequest,
    threshold: Threshold,
    activation: Load,
    service_level: ServiceLevel,
    hpa_tolerance: Tolerance,
    mode: policy::Mode,
) -> Arc<str> {
    let mut values = Values(Sha256::new());
    values.text(ENCODING);
    let query = &request.query;
    values.optional(query.server.as_ref().map(series::ServerAddress::as_str));
    values.text(&query.promql);
    values.optional(query.namespace.as_deref());
    values.pairs(&query.parameters);
    values.pairs(&query.headers);
    values.optional(query.credentials.as_ref().map(series::CredentialName::as_str));
    values.number(u128::from(query.accept_any_certificate));
    values.optional(query.timeout.map(|timeout| timeout.as_nanos().to_string()).as_deref());
    values.text(match query.missing_samples {
        MissingSamples::Unknown => "unknown",
        MissingSamples::Zero => "zero",
    });
    values.number(u128::from(request.step.seconds()));
    values.number(request.history.as_nanos());
    values.number(request.lead_time.as_nanos());
    values.optional(match request.model {
        ModelChoice::Auto => None,
        ModelChoice::Fixed(model) => Some(model.as_str()),
    });
    values.text(&request.timezone);
    values.float(threshold.get());
    values.float(activation.get());
    let (way, level) = match service_level {
        ServiceLevel::Slo(share) => ("slo", share.get()),
        ServiceLevel::Quantile(level) => ("quantile", level.get()),
        ServiceLevel::CostRatio(ratio) => ("costRatio", ratio),
    };
    values.text(way);
    values.float(level);
    // what came later is in it only where it says something: known digests stay what they are
    if hpa_tolerance != Tolerance::DEFAULT {
        values.text("hpaTolerance");
        values.float(hpa_tolerance.get());
    }
    values.text(mode.as_str());
    // what was not stated counts for nothing: targets without it keep the digest they had before there was this key
    if let Seasons::Stated(seasons) = &request.seasons {
        values.text("season");
        for season in seasons {
            values.number(season.as_nanos());
        }
    }
    if let Some(query) = &request.replicas_query {
        values.text("replicasQuery");
        values.text(query);
    }
    values.hexadecimal()
}

/// Values on their way into the hash.
struct Values(Sha256);

impl Values {
    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    fn number(&mut self, number: u128) {
        self.0.update(number.to_le_bytes());
    }

    fn float(&mut self, number: f64) {
        // minus zero means zero
        self.0.update((number + 0.0).to_bits().to_le_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        self.number(u128::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn pairs(&mut self, pairs: &[(String, String)]) {
        self.number(pairs.len() as u128);
        for (name, value) in pairs {
            self.text(name);
            self.text(value);
        }
    }

    /// The first 64 bits of the hash.
    fn hexadecimal(self) -> Arc<str> {
        let mut kept = [0; KEPT_BYTES];
        for (byte, of_hash) in kept.iter_mut().zip(self.0.finalize()) {
            *byte = of_hash;
        }
        format!("{:016x}", u64::from_be_bytes(kept)).into()
    }
}
