//! What KEDA does with the fields that it does not tell a scaler, and what that means for a forecast.

use std::time::Duration;

use super::manifest::{Spec, Trigger};
use super::trigger::Findings;

/// Below this, KEDA asks more often than any forecast is made.
const BRISK_POLLING_SECONDS: u64 = 5;

/// The fields of the trigger itself, and those of its metadata that KEDA reads.
pub(super) fn of_trigger(trigger: &Trigger, findings: &mut Findings) {
    if let Some(metric_type) = trigger.metric_type.as_deref().filter(|written| *written != "AverageValue") {
        findings.mistakes.push(format!(
            "metricType {metric_type:?}: multiplies the demand by the replicas there are, which runs away; \
             write `metricType: AverageValue`, or leave it out"
        ));
    }
    if trigger.uses_cached_metrics {
        findings.hints.push(
            "useCachedMetrics delays the forecast by up to a pollingInterval and saves nothing: answers come from memory"
                .to_owned(),
        );
    }
    of_connection(trigger, findings);
}

fn of_connection(trigger: &Trigger, findings: &mut Findings) {
    let value = |key: &str| trigger.metadata.get(key).map(|value| value.trim());
    match value("scalerAddress") {
        None => findings.mistakes.push(
            "scalerAddress: missing, so KEDA does not find the scaler; \
             write host:port, such as keda-external-scaler.ml-autoscaler.svc.cluster.local:6000"
                .to_owned(),
        ),
        Some(address) if address.starts_with("http://") || address.starts_with("https://") => findings
            .mistakes
            .push("scalerAddress: a URL, which gRPC does not read; write host:port without http://".to_owned()),
        Some(address) if !address.is_empty() && !has_port(address) => findings
            .hints
            .push("scalerAddress has no port, so KEDA takes 443; the scaler listens on 6000 by default".to_owned()),
        Some(_) => {}
    }
    if value("enableTLS").is_some_and(|text| !text.is_empty() && !is_go_boolean(text)) {
        findings.mistakes.push("enableTLS: neither true nor false; write \"true\" or \"false\"".to_owned());
    }
    let is_true = |key: &str| value(key).is_some_and(|text| matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True"));
    if is_true("enableTLS") && is_true("unsafeSsl") {
        findings.hints.push(
            "unsafeSsl holds for two connections: KEDA accepts any certificate of the scaler, and the scaler any of Prometheus"
                .to_owned(),
        );
    }
}

/// From zero replicas, KEDA's own pace counts as well.
pub(super) fn of_waking(spec: &Spec, trigger: &Trigger, findings: &mut Findings) {
    if spec.min_replicas > 0 || trigger.kind != "external" {
        return;
    }
    let seconds = spec.polling_seconds;
    findings.hints.push(format!(
        "from zero, KEDA acts at its next look, up to {seconds}s late; `type: external-push` wakes the workload at once"
    ));
    if findings.lead_time.is_some_and(|lead_time| Duration::from_secs(seconds) >= lead_time) {
        findings.hints.push(format!(
            "pollingInterval of {seconds}s is as long as the lead time, so from zero no forecast comes in time"
        ));
    }
}

/// The fields of a ScaledObject with an external trigger, around its triggers.
pub(super) fn of_object(spec: &Spec) -> Vec<String> {
    let mut hints = Vec::new();
    if !spec.has_fallback {
        hints.push(
            "no fallback: while the scaler has no number, KEDA holds the replicas there are; \
             `fallback: {failureThreshold: 3, replicas: …, behavior: currentReplicasIfHigher}` sets a floor"
                .to_owned(),
        );
    }
    if spec.fallback_is_zero {
        hints.push("fallback.replicas is 0: while the scaler has no number, KEDA scales to zero".to_owned());
    }
    if spec.polling_seconds < BRISK_POLLING_SECONDS {
        hints.push(format!(
            "pollingInterval of {}s: forecasts are made at the scaler's own pace, asking more often gets no newer one",
            spec.polling_seconds
        ));
    }
    if spec.has_formula {
        hints.push(
            "scalingModifiers: the HPA sees the formula and its own target alone, and no threshold of a trigger"
                .to_owned(),
        );
    }
    hints
}

fn has_port(address: &str) -> bool {
    let port = address.rsplit_once(':').map(|(_, port)| port);
    port.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_go_boolean(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True" | "0" | "f" | "F" | "FALSE" | "false" | "False")
}
