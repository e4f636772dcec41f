//! A trigger's metadata, as KEDA sends it, into a [`Target`], or every mistake in it at once.
//!
//! Pure: no IO and no clock. Metadata is tenant input: it is bounded before it is read ([`fields`]), nothing is guessed,
//! and everything written has an effect or is a mistake. `docs/metadata.md` is the users' page about it.

mod advice;
mod digest;
mod fields;
mod keys;
mod mistake;
mod pairs;
mod scalars;
mod scaling;
mod seasons;
mod source;
#[cfg(test)]
mod tests;
mod timing;

use std::collections::HashMap;

use policy::{Mode, Target, Threshold};
use series::{ForecastRequest, TargetKey};

pub use fields::DefaultInForce;
pub use mistake::{Mistake, Mistakes};

use fields::{Environment, Fields};
use mistake::Fault;

/// What the server's own configuration adds to the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Defaults {
    /// Whether there is a Prometheus to ask where the metadata name none.
    pub has_default_server: bool,
}

/// What a trigger says before KEDA has put in the values of environment variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// What the trigger means; `None` where that hangs on an environment variable.
    pub target: Option<Target>,
    /// Keys whose values come from environment variables and are not known here.
    pub from_environment: Vec<String>,
    /// What holds because it was not written.
    pub defaults: Vec<DefaultInForce>,
}

/// The name of the one metric of every target. KEDA puts `s0-`, `s1-`, … in front, by the trigger's place.
///
/// A constant, because the HPA asks for a metric by the name it was created with: a name that followed the metadata or the
/// state would be "not found" after a change. It is lower case, since KEDA sometimes asks in lower case whatever the name
/// was, and says what the value is in every mode: demand, not pods and not always a prediction.
pub const fn metric_name() -> &'static str {
    "prescale-demand"
}

/// What the trigger of the ScaledObject `namespace`/`name` with this `metadata` means.
///
/// # Errors
/// Every mistake in the metadata.
#[expect(clippy::implicit_hasher, reason = "the generated code of KEDA's contract holds this very map")]
pub fn parse_target(
    namespace: &str,
    name: &str,
    metadata: &HashMap<String, String>,
    defaults: &Defaults,
) -> Result<Target, Mistakes> {
    let fields = Fields::new(metadata, Environment::Resolved)?;
    let (target, _) = read(namespace, name, fields, *defaults)?;
    target.ok_or_else(|| defect("metadata"))
}

/// The load per pod alone, whatever else the metadata hold: what GetMetricSpec answers from.
///
/// # Errors
/// The mistakes of the threshold: missing, not a number, out of range, or two names with two values.
#[expect(clippy::implicit_hasher, reason = "the generated code of KEDA's contract holds this very map")]
pub fn parse_threshold(metadata: &HashMap<String, String>) -> Result<Threshold, Mistakes> {
    let mut fields = Fields::only(&keys::THRESHOLD, metadata);
    let threshold = scaling::read_threshold(&mut fields);
    threshold.ok_or_else(|| fields.finish().err().unwrap_or_else(|| defect(keys::THRESHOLD.name)))
}

/// What a trigger in a manifest means, where `XFromEnv` holds the name of a variable and not yet its value.
///
/// # Errors
/// Every mistake in the metadata that shows without those values.
#[expect(clippy::implicit_hasher, reason = "the generated code of KEDA's contract holds this very map")]
pub fn review(
    namespace: &str,
    name: &str,
    metadata: &HashMap<String, String>,
    defaults: &Defaults,
) -> Result<Review, Mistakes> {
    let fields = Fields::new(metadata, Environment::Unknown)?;
    let (target, remarks) = read(namespace, name, fields, *defaults)?;
    Ok(Review { target, from_environment: remarks.from_environment, defaults: remarks.defaults })
}

/// The target, where every value it needs is known, or every mistake.
fn read(
    namespace: &str,
    name: &str,
    mut fields: Fields<'_>,
    defaults: Defaults,
) -> Result<(Option<Target>, fields::Remarks), Mistakes> {
    check_object(&mut fields, namespace, name);
    let source = source::read_source(&mut fields, defaults);
    let threshold = scaling::read_threshold(&mut fields);
    let activation = scaling::read_activation(&mut fields);
    let timing = timing::read_timing(&mut fields);
    let service_level = scaling::read_service_level(&mut fields);
    let hpa_tolerance = scaling::read_hpa_tolerance(&mut fields);
    let replicas_query = fields.read(&keys::REPLICAS_QUERY, |query| Ok(Some(query.to_owned()))).or(None);
    let mode = scaling::read_mode(&mut fields);
    let model = scaling::read_model(&mut fields);
    let seasons = seasons::read_seasons(&mut fields, timing.as_ref(), model);
    let timezone = timing::read_timezone(&mut fields);
    for key in [keys::SCALER_ADDRESS, keys::ENABLE_TLS] {
        fields.read(&key, |_| Ok(()));
    }
    let remarks = fields.finish()?;
    let target = || {
        let (mode, timing) = (mode?, timing?);
        let request = ForecastRequest {
            query: source?,
            step: timing.step,
            history: timing.history,
            lead_time: timing.lead_time,
            model: model?,
            seasons: seasons?,
            timezone: timezone?,
            forecast_wanted: mode != Mode::Reactive,
            replicas_query: replicas_query?,
        };
        let (threshold, activation, service_level) = (threshold?, activation?, service_level?);
        let hpa_tolerance = hpa_tolerance?;
        let digest = digest::digest(&request, threshold, activation, service_level, hpa_tolerance, mode);
        let key = TargetKey { namespace: namespace.into(), name: name.into(), digest };
        Some(Target { key, request, threshold, activation, service_level, hpa_tolerance, mode })
    };
    Ok((target(), remarks))
}

/// A value that is unusable without a mistake. Reading leaves none, and yet no caller is to panic over it.
fn defect(field: &str) -> Mistakes {
    let (problem, instead) = ("could not be read".to_owned(), "this is a defect of the scaler".to_owned());
    Mistakes::from(Mistake { field: field.to_owned(), written: None, problem, instead })
}

/// Namespace and name come from KEDA, which has them from Kubernetes; anyone else who calls may send anything.
fn check_object(fields: &mut Fields<'_>, namespace: &str, name: &str) {
    for (field, text) in [("ScaledObject namespace", namespace), ("ScaledObject name", name)] {
        if !is_dns_name(text) {
            let instead = "write 1 to 253 of a-z, 0-9, `-` and `.`, with a letter or digit at both ends";
            fields.note(field, Some(mistake::repeated(text)), Fault::new("no name that Kubernetes allows", instead));
        }
    }
}

/// Whether `text` is a DNS subdomain name (RFC 1123), as names of Kubernetes objects are.
fn is_dns_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=253).contains(&text.len())
        && text.bytes().all(|byte| inner(byte) || matches!(byte, b'-' | b'.'))
        && text.bytes().next().is_some_and(inner)
        && text.bytes().last().is_some_and(inner)
}
