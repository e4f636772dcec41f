//! The keys of a trigger's metadata: their names, their aliases, and how much of their values may be repeated.

/// One key that users write.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// The name in the documentation.
    pub(super) name: &'static str,
    /// Names of the same thing in KEDA's scalers that this one can stand in for.
    pub(super) aliases: &'static [&'static str],
    /// Whether `nameFromEnv` stands for the value too.
    pub(super) from_environment: bool,
    /// How much of a wrong value a mistake may repeat.
    pub(super) repeated: Repeated,
}

/// How much of a wrong value a mistake may repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeated {
    /// Its beginning.
    Beginning,
    /// Its beginning, unless it looks like a URL with credentials or parameters.
    PlainAddress,
    /// Nothing: it may hold a token.
    Nothing,
}

/// What `XFromEnv` ends with. KEDA puts the variable's value in and keeps the suffix.
pub(super) const FROM_ENVIRONMENT: &str = "FromEnv";

pub(super) const SERVER_ADDRESS: Key =
    Key { repeated: Repeated::PlainAddress, ..Key::also("serverAddress", &["prometheusAddress"]) };
pub(super) const QUERY: Key = Key::new("query");
pub(super) const THRESHOLD: Key = Key::also("threshold", &["targetValue"]);
pub(super) const ACTIVATION_THRESHOLD: Key = Key::also("activationThreshold", &["activationTargetValue"]);
pub(super) const NAMESPACE: Key = Key::new("namespace");
pub(super) const QUERY_PARAMETERS: Key = Key { repeated: Repeated::Nothing, ..Key::new("queryParameters") };
pub(super) const CUSTOM_HEADERS: Key = Key { repeated: Repeated::Nothing, ..Key::new("customHeaders") };
pub(super) const IGNORE_NULL_VALUES: Key = Key::new("ignoreNullValues");
pub(super) const UNSAFE_SSL: Key = Key::new("unsafeSsl");
pub(super) const TIMEOUT: Key = Key::new("timeout");
/// People write the secret itself where its name belongs.
pub(super) const CREDENTIALS: Key = Key { repeated: Repeated::Nothing, ..Key::new("credentials") };
pub(super) const LEAD_TIME: Key = Key::also("leadTime", &["predictHorizon", "lookAhead"]);
pub(super) const HISTORY_TIME_WINDOW: Key = Key::new("historyTimeWindow");
pub(super) const QUERY_STEP: Key = Key::new("queryStep");
pub(super) const SLO: Key = Key::new("slo");
pub(super) const QUANTILE: Key = Key::new("quantile");
pub(super) const COST_RATIO: Key = Key::new("costRatio");
pub(super) const HPA_TOLERANCE: Key = Key::new("hpaTolerance");
pub(super) const REPLICAS_QUERY: Key = Key::new("replicasQuery");
pub(super) const MODEL: Key = Key::new("model");
pub(super) const MODE: Key = Key::new("mode");
pub(super) const SEASON: Key = Key::new("season");
pub(super) const TIMEZONE: Key = Key::new("timezone");
/// KEDA's own: where it finds this scaler.
pub(super) const SCALER_ADDRESS: Key = Key { from_environment: false, ..Key::new("scalerAddress") };
/// KEDA's own: whether it calls this scaler over TLS.
pub(super) const ENABLE_TLS: Key = Key { from_environment: false, ..Key::new("enableTLS") };

/// Every key, as the documentation lists them.
pub(super) const ALL: [Key; 25] = [
    SERVER_ADDRESS,
    QUERY,
    THRESHOLD,
    ACTIVATION_THRESHOLD,
    LEAD_TIME,
    SLO,
    QUANTILE,
    COST_RATIO,
    HPA_TOLERANCE,
    REPLICAS_QUERY,
    MODE,
    MODEL,
    HISTORY_TIME_WINDOW,
    QUERY_STEP,
    SEASON,
    TIMEZONE,
    IGNORE_NULL_VALUES,
    CREDENTIALS,
    CUSTOM_HEADERS,
    QUERY_PARAMETERS,
    NAMESPACE,
    UNSAFE_SSL,
    TIMEOUT,
    SCALER_ADDRESS,
    ENABLE_TLS,
];

impl Key {
    const fn new(name: &'static str) -> Self {
        Self::also(name, &[])
    }

    const fn also(name: &'static str, aliases: &'static [&'static str]) -> Self {
        Self { name, aliases, from_environment: true, repeated: Repeated::Beginning }
    }

    /// The name and its aliases.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// `written` without `FromEnv`, where it ends with that and something stands before it.
pub(super) fn without_suffix(written: &str) -> Option<&str> {
    written.strip_suffix(FROM_ENVIRONMENT).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_stands_for_two_keys() {
        let names: Vec<_> = ALL.iter().flat_map(Key::names).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
