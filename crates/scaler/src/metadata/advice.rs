//! What to do about keys that this scaler does not read: those of KEDA's other scalers, those that KEDA dropped, those that
//! belong elsewhere in a ScaledObject, and misspelled ones.

use super::keys::{self, FROM_ENVIRONMENT, Key};
use super::mistake::Fault;

/// How alike two names must be for the one to be a slip of the other, from 0 to 1 (normalized Damerau-Levenshtein).
/// At 0.7 three slips in ten letters are forgiven.
const ALIKE: f64 = 0.7;

/// Longer names are like none of ours, and comparing them costs what a hostile tenant would like it to.
const MAX_COMPARED_BYTES: usize = 40;

const SERVER_SIDE: &str = "remove it, and name server-side credentials with `credentials`";
const OTHER_SCALER: &str = "remove it; this scaler asks a Prometheus: write `serverAddress` and `query`";
const BESIDE_METADATA: &str = "write it beside `metadata`, as a field of the trigger";
const IN_SPEC: &str = "write it in the `spec` of the ScaledObject";
const IN_AUTHENTICATION: &str = "write it in a TriggerAuthentication; KEDA reads it from nowhere else";

/// Keys that are known and not read, with what is wrong with them and what to do.
const KNOWN: [(&str, &str, &str); 58] = [
    ("metricName", "KEDA dropped this key in 2.12", "remove it"),
    (
        "cortexOrgID",
        "KEDA dropped this key in 2.15",
        "write `customHeaders: X-Scope-OrgID=<tenant>`, or use server-side `credentials`",
    ),
    ("tlsCertFile", "KEDA dropped this key in 2.17", "write `enableTLS`, and `caCert` in a TriggerAuthentication"),
    ("authModes", "credentials do not travel through metadata", SERVER_SIDE),
    ("authMode", "credentials do not travel through metadata", SERVER_SIDE),
    ("bearerToken", "credentials do not travel through metadata", SERVER_SIDE),
    ("token", "credentials do not travel through metadata", SERVER_SIDE),
    ("username", "credentials do not travel through metadata", SERVER_SIDE),
    ("password", "credentials do not travel through metadata", SERVER_SIDE),
    ("ca", "credentials do not travel through metadata", SERVER_SIDE),
    ("cert", "credentials do not travel through metadata", SERVER_SIDE),
    ("key", "credentials do not travel through metadata", SERVER_SIDE),
    ("customAuthHeader", "credentials do not travel through metadata", SERVER_SIDE),
    ("customAuthValue", "credentials do not travel through metadata", SERVER_SIDE),
    ("clientID", "credentials do not travel through metadata", SERVER_SIDE),
    ("clientSecret", "credentials do not travel through metadata", SERVER_SIDE),
    ("oauthTokenURI", "credentials do not travel through metadata", SERVER_SIDE),
    ("scopes", "credentials do not travel through metadata", SERVER_SIDE),
    ("awsRegion", "requests are not signed for AWS", SERVER_SIDE),
    ("identityOwner", "requests are not signed for AWS", SERVER_SIDE),
    ("apiKey", "no service outside the cluster is asked, so no key is needed", "remove it"),
    ("caCert", "belongs to KEDA's connection to this scaler", IN_AUTHENTICATION),
    ("tlsClientCert", "belongs to KEDA's connection to this scaler", IN_AUTHENTICATION),
    ("tlsClientKey", "belongs to KEDA's connection to this scaler", IN_AUTHENTICATION),
    ("addresses", "belongs to the elastic-forecast scaler", OTHER_SCALER),
    ("cloudID", "belongs to the elastic-forecast scaler", OTHER_SCALER),
    ("jobID", "belongs to the elastic-forecast scaler", OTHER_SCALER),
    ("index", "belongs to the elastic-forecast scaler", OTHER_SCALER),
    ("partitionFieldValue", "belongs to the elastic-forecast scaler", OTHER_SCALER),
    ("byFieldValue", "belongs to the elastic-forecast scaler", OTHER_SCALER),
    ("metricType", "does not reach the scaler", "write `metricType: AverageValue` beside `metadata`, or leave it out"),
    ("useCachedMetrics", "does not reach the scaler", BESIDE_METADATA),
    ("authenticationRef", "does not reach the scaler", BESIDE_METADATA),
    ("name", "does not reach the scaler", BESIDE_METADATA),
    ("type", "does not reach the scaler", BESIDE_METADATA),
    ("pollingInterval", "does not reach the scaler", IN_SPEC),
    ("cooldownPeriod", "does not reach the scaler", IN_SPEC),
    ("initialCooldownPeriod", "does not reach the scaler", IN_SPEC),
    ("idleReplicaCount", "does not reach the scaler", IN_SPEC),
    ("minReplicaCount", "does not reach the scaler", IN_SPEC),
    ("maxReplicaCount", "does not reach the scaler", IN_SPEC),
    ("minReplicas", "does not reach the scaler", "write `minReplicaCount` in the `spec` of the ScaledObject"),
    ("maxReplicas", "does not reach the scaler", "write `maxReplicaCount` in the `spec` of the ScaledObject"),
    ("fallback", "does not reach the scaler", IN_SPEC),
    ("horizon", "has another name here", "write `leadTime`"),
    ("forecastHorizon", "has another name here", "write `leadTime`"),
    ("lookBackPeriod", "has another name here", "write `historyTimeWindow`"),
    ("history", "has another name here", "write `historyTimeWindow`"),
    ("step", "has another name here", "write `queryStep`"),
    ("interval", "has another name here", "write `queryStep`"),
    ("target", "has another name here", "write `threshold`"),
    ("url", "has another name here", "write `serverAddress`"),
    ("promql", "has another name here", "write `query`"),
    ("headers", "has another name here", "write `customHeaders`"),
    ("modelName", "has another name here", "write `model`, or leave the choice to the scaler"),
    ("seasonality", "daily and weekly patterns are found without it", "remove it; `season` states other ones"),
    ("combine", "the value is never below the observed load", "remove it"),
    ("shadow", "has another name here", "write `mode: shadow`"),
];

/// What is wrong with the key `written`, which nobody reads, and what to do.
pub(super) fn about(written: &str) -> Fault {
    let (name, suffix) = keys::without_suffix(written).map_or((written, ""), |name| (name, FROM_ENVIRONMENT));
    if let Some((_, problem, instead)) = KNOWN.iter().find(|(known, ..)| *known == name) {
        return Fault::new(*problem, *instead);
    }
    if let Some(key) = keys::ALL.iter().find(|key| key.name == name) {
        return Fault::new("KEDA reads this key only as it is", format!("write `{}`, without FromEnv", key.name));
    }
    if name.len() > MAX_COMPARED_BYTES {
        return Fault::new("unknown key", "remove it");
    }
    let (nearest, likeness) = nearest_key(name);
    if likeness >= ALIKE {
        Fault::new("unknown key", format!("did you mean `{nearest}{suffix}`?"))
    } else {
        Fault::new("unknown key", format!("remove it; the nearest known key is `{nearest}`"))
    }
}

/// The choice that `written` is a slip of, where there is one.
pub(super) fn slip_of<'a>(written: &str, choices: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > MAX_COMPARED_BYTES {
        return None;
    }
    let (choice, likeness) = nearest(written, choices)?;
    (likeness >= ALIKE).then_some(choice)
}

fn nearest_key(name: &str) -> (&'static str, f64) {
    nearest(name, keys::ALL.iter().flat_map(Key::names)).unwrap_or((keys::QUERY.name, 0.0))
}

/// The choice most like `written`, and how alike they are; letter case counts for nothing.
fn nearest<'a>(written: &str, choices: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, f64)> {
    let written = written.to_lowercase();
    choices
        .into_iter()
        .map(|choice| (choice, strsim::normalized_damerau_levenshtein(&written, &choice.to_lowercase())))
        .max_by(|one, other| one.1.total_cmp(&other.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_keys_of_others_get_their_own_advice() {
        for (key, wanted) in [
            ("metricName", "remove it"),
            ("cortexOrgID", "X-Scope-OrgID=<tenant>"),
            ("bearerTokenFromEnv", "`credentials`"),
            ("apiKey", "remove it"),
            ("jobID", "`serverAddress` and `query`"),
            ("metricType", "AverageValue"),
            ("fallback", "`spec`"),
            ("enableTLSFromEnv", "without FromEnv"),
        ] {
            let fault = about(key);
            assert!(fault.instead.contains(wanted), "{key}: {fault:?}");
            assert_ne!(fault.problem, "unknown key", "{key}");
        }
    }

    #[test]
    fn misspelled_keys_are_recognized() {
        for (key, wanted) in [
            ("Threshold", "did you mean `threshold`?"),
            ("treshold", "did you mean `threshold`?"),
            ("serveraddress", "did you mean `serverAddress`?"),
            ("unsafeSSL", "did you mean `unsafeSsl`?"),
            ("leadtimeFromEnv", "did you mean `leadTimeFromEnv`?"),
            ("predictHorizen", "did you mean `predictHorizon`?"),
            ("customHeader", "did you mean `customHeaders`?"),
        ] {
            assert_eq!(about(key).instead, wanted, "{key}");
        }
        assert_eq!(about(&"threshold".repeat(5)).instead, "remove it");
        assert_eq!(about("quxxy").instead, "remove it; the nearest known key is `query`");
    }

    #[test]
    fn no_key_that_is_read_is_listed_as_unread() {
        for (known, ..) in KNOWN {
            assert!(keys::ALL.iter().flat_map(Key::names).all(|name| name != known), "{known}");
        }
    }
}
