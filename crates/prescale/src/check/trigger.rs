//! One trigger: whether it is for this scaler, everything wrong with it, and what it would do.

use std::time::Duration;

use scaler::{Defaults, Review};

use super::manifest::{Object, Trigger};
use super::{Judge, advice, sentences};

/// What is to be said of one trigger.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Whether the trigger is for an external scaler.
    pub(super) external: bool,
    pub(super) mistakes: Vec<String>,
    pub(super) hints: Vec<String>,
    /// What it would do.
    pub(super) meaning: Vec<String>,
    /// From the decision to a Ready pod, where that is known.
    pub(super) lead_time: Option<Duration>,
    /// Digest of what it means, where all of that is known.
    pub(super) digest: Option<String>,
}

/// The namespace that `kubectl` takes where a manifest names none.
const DEFAULT_NAMESPACE: &str = "default";
/// Stands in for a missing name, which is a mistake of the object and not of its triggers.
const UNNAMED: &str = "unnamed";

/// Keys one of which any trigger for this scaler has.
const OWN_KEYS: [&str; 5] = ["serverAddress", "prometheusAddress", "query", "threshold", "targetValue"];

/// Scalers of KEDA that this one can stand in for.
const KINDRED: [&str; 3] = ["prometheus", "predictkube", "elastic-forecast"];

/// What there is to say of `trigger`, one of `object`'s.
pub(super) fn findings(object: &Object, trigger: &Trigger, judge: &Judge) -> Findings {
    match trigger.kind.as_str() {
        "external" | "external-push" => of_external(object, trigger, judge),
        kind if KINDRED.contains(&kind) => of_kindred(object, trigger, judge.defaults),
        _ => Findings { mistakes: trigger.mistakes.clone(), ..Findings::default() },
    }
}

fn of_external(object: &Object, trigger: &Trigger, judge: &Judge) -> Findings {
    let mut findings = Findings { external: true, mistakes: trigger.mistakes.clone(), ..Findings::default() };
    if !is_written(trigger, &OWN_KEYS) {
        findings.hints.push(
            "none of serverAddress, query and threshold is written; if the trigger is for another external scaler, \
             the mistakes do not apply"
                .to_owned(),
        );
    }
    match review(object, trigger, judge.defaults) {
        Ok(review) => {
            findings.meaning = sentences::of(&review);
            if let (Some(prometheus), Some(target)) = (&judge.prometheus, &review.target) {
                let measured = prometheus.measure(target);
                findings.meaning.extend(measured.sentences);
                findings.mistakes.extend(measured.mistakes);
            }
            findings.lead_time = review.target.as_ref().map(|target| target.request.lead_time);
            findings.digest = review.target.map(|target| target.key.digest.to_string());
        }
        Err(mistakes) => findings.mistakes.extend(mistakes.iter().map(ToString::to_string)),
    }
    advice::of_trigger(trigger, &mut findings);
    advice::of_waking(&object.spec, trigger, &mut findings);
    findings
}

/// A trigger of a scaler that this one can stand in for: what its line would be, and what would have to change besides.
fn of_kindred(object: &Object, trigger: &Trigger, defaults: Defaults) -> Findings {
    let mut findings = Findings { mistakes: trigger.mistakes.clone(), ..Findings::default() };
    findings.hints.push(
        "to scale ahead of this load, write `type: external` (or external-push, to wake from zero early) and add \
         `scalerAddress: keda-external-scaler.ml-autoscaler.svc.cluster.local:6000` to its metadata"
            .to_owned(),
    );
    if let Err(mistakes) = review(object, trigger, defaults) {
        findings.hints.extend(mistakes.iter().map(|mistake| format!("and then mend {mistake}")));
    }
    if trigger.kind == "prometheus" && !is_written(trigger, &["ignoreNullValues"]) {
        findings.hints.push(
            "a missing sample, which the prometheus trigger takes for zero, is then an unknown load; \
             where it does mean zero, write `ignoreNullValues: \"true\"`"
                .to_owned(),
        );
    }
    if trigger.has_authentication {
        findings.hints.push(
            "KEDA hands no TriggerAuthentication on to an external scaler: give the scaler the credentials, \
             and name them with `credentials`"
                .to_owned(),
        );
    }
    findings
}

fn review(object: &Object, trigger: &Trigger, defaults: Defaults) -> Result<Review, scaler::Mistakes> {
    let namespace = object.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
    let name = object.name.as_deref().unwrap_or(UNNAMED);
    scaler::review(namespace, name, &trigger.metadata, &defaults)
}

fn is_written(trigger: &Trigger, names: &[&str]) -> bool {
    trigger.metadata.keys().any(|key| names.contains(&key.strip_suffix("FromEnv").unwrap_or(key)))
}
