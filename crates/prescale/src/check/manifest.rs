//! YAML documents into what of a ScaledObject matters to a scaler. Shapes that Kubernetes would refuse become mistakes here,
//! so that the rest of the document is still checked.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use serde_json::Value;

/// One document of a manifest.
#[derive(Debug)]
pub(super) enum Document {
    /// A ScaledObject of KEDA.
    ScaledObject(Object),
    /// A `ScaledJob` of KEDA.
    ScaledJob(Object),
    /// Anything else.
    Other,
}

/// What of a ScaledObject or `ScaledJob` matters to a scaler.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) spec: Spec,
    pub(super) triggers: Vec<Trigger>,
    /// What is wrong with its shape.
    pub(super) mistakes: Vec<String>,
}

/// The fields of the `spec` that bear on an external trigger.
#[derive(Debug, Default)]
pub(super) struct Spec {
    /// Replicas to keep; KEDA's default is 0.
    pub(super) min_replicas: u64,
    /// Seconds between two looks of KEDA; its default is 30.
    pub(super) polling_seconds: u64,
    pub(super) has_fallback: bool,
    /// `fallback.replicas` is 0, and `fallback.behavior` does not say otherwise.
    pub(super) fallback_is_zero: bool,
    pub(super) has_formula: bool,
}

/// One trigger.
#[derive(Debug)]
pub(super) struct Trigger {
    pub(super) kind: String,
    pub(super) name: Option<String>,
    pub(super) metric_type: Option<String>,
    pub(super) uses_cached_metrics: bool,
    /// It names a `TriggerAuthentication`.
    pub(super) has_authentication: bool,
    pub(super) metadata: HashMap<String, String>,
    /// What is wrong with its shape.
    pub(super) mistakes: Vec<String>,
}

const KEDA_MIN_REPLICAS: u64 = 0;
const KEDA_POLLING_SECONDS: u64 = 30;

/// The documents of a manifest, those inside of Lists too.
///
/// # Errors
/// Where `text` is not YAML, with the place.
pub(super) fn documents(text: &str) -> anyhow::Result<Vec<Document>> {
    let values: Vec<Value> = serde_saphyr::from_multiple(text).with_context(|| {
        if text.contains("{{") { "not YAML; render the template first (helm template)" } else { "not YAML" }
    })?;
    Ok(values.iter().flat_map(flattened).map(document).collect())
}

fn flattened(value: &Value) -> Vec<&Value> {
    match (text_at(value, "/kind").as_deref(), value.pointer("/items").and_then(Value::as_array)) {
        (Some("List"), Some(items)) => items.iter().collect(),
        _ => vec![value],
    }
}

fn document(value: &Value) -> Document {
    let of_keda = text_at(value, "/apiVersion").is_none_or(|version| version.starts_with("keda.sh/"));
    match text_at(value, "/kind").as_deref() {
        Some("ScaledObject") if of_keda => Document::ScaledObject(object(value)),
        Some("ScaledJob") if of_keda => Document::ScaledJob(object(value)),
        _ => Document::Other,
    }
}

fn object(value: &Value) -> Object {
    let mut mistakes = Vec::new();
    let name = text_at(value, "/metadata/name");
    if name.is_none() {
        mistakes.push("metadata.name: missing; write the name of the object".to_owned());
    }
    let triggers = match value.pointer("/spec/triggers") {
        Some(Value::Array(triggers)) => triggers.iter().map(trigger).collect(),
        Some(_) => {
            mistakes.push("spec.triggers: no list; write each trigger as an item that begins with `-`".to_owned());
            Vec::new()
        }
        None => {
            mistakes.push("spec.triggers: missing; write at least one trigger".to_owned());
            Vec::new()
        }
    };
    Object { namespace: text_at(value, "/metadata/namespace"), name, spec: spec(value), triggers, mistakes }
}

fn spec(value: &Value) -> Spec {
    let number = |pointer: &str| value.pointer(pointer).and_then(Value::as_u64);
    let has = |pointer: &str| value.pointer(pointer).is_some_and(|found| !found.is_null());
    let is_static = text_at(value, "/spec/fallback/behavior").is_none_or(|behavior| behavior == "static");
    Spec {
        min_replicas: number("/spec/minReplicaCount").unwrap_or(KEDA_MIN_REPLICAS),
        polling_seconds: number("/spec/pollingInterval").unwrap_or(KEDA_POLLING_SECONDS),
        has_fallback: has("/spec/fallback"),
        fallback_is_zero: number("/spec/fallback/replicas") == Some(0) && is_static,
        has_formula: has("/spec/advanced/scalingModifiers/formula"),
    }
}

fn trigger(value: &Value) -> Trigger {
    let mut mistakes = Vec::new();
    let kind = text_at(value, "/type").unwrap_or_else(|| {
        mistakes.push("type: missing; write `type: external` or `type: external-push`".to_owned());
        String::new()
    });
    let entries: BTreeMap<_, _> = match value.pointer("/metadata") {
        Some(Value::Object(entries)) => entries.iter().collect(),
        None | Some(Value::Null) => BTreeMap::new(),
        Some(_) => {
            mistakes.push("metadata: no map; write `key: \"value\"` lines".to_owned());
            BTreeMap::new()
        }
    };
    let mut metadata = HashMap::new();
    for (key, entry) in entries {
        let text = match entry {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => {
                let kind = if entry.is_number() { "number" } else { "boolean" };
                mistakes.push(format!("{key}: a {kind} where Kubernetes takes text alone; write the value in quotes"));
                entry.to_string()
            }
            Value::Null => {
                mistakes.push(format!("{key}: empty; write a value in quotes, or remove the key"));
                continue;
            }
            Value::Array(_) | Value::Object(_) => {
                mistakes.push(format!("{key}: not text; write one value in quotes"));
                continue;
            }
        };
        metadata.insert(key.clone(), text);
    }
    Trigger {
        kind,
        name: text_at(value, "/name"),
        metric_type: text_at(value, "/metricType"),
        has_authentication: value.pointer("/authenticationRef").is_some_and(|found| !found.is_null()),
        uses_cached_metrics: value.pointer("/useCachedMetrics").and_then(Value::as_bool).unwrap_or(false),
        metadata,
        mistakes,
    }
}

fn text_at(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}
