//! Whole metadata: what they mean, every mistake at once, and what holds for any text a tenant may send.

use std::collections::HashMap;
use std::time::Duration;

use policy::{Mode, ServiceLevel, Target};
use proptest::prelude::*;
use series::{Load, MissingSamples, ModelChoice, ModelName, Seasons, Step};

use super::*;

const DEFAULTS: Defaults = Defaults { has_default_server: false };

const SMALLEST: [(&str, &str); 3] =
    [("serverAddress", "http://prometheus:9090"), ("query", "sum(rate(http_requests_total[1m]))"), ("threshold", "12")];

fn metadata(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The smallest metadata, with `pairs` put in; an empty value takes a key out.
fn with(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    let mut all = metadata(&SMALLEST);
    for (key, value) in pairs {
        if value.is_empty() {
            all.remove(*key)
        } else {
            all.insert((*key).to_owned(), (*value).to_owned())
        };
    }
    all
}

fn parsed(metadata: &HashMap<String, String>) -> Result<Target, Mistakes> {
    parse_target("ml-autoscaler", "chat-backend", metadata, &DEFAULTS)
}

fn digest_of(metadata: &HashMap<String, String>) -> String {
    parsed(metadata).unwrap().key.digest.to_string()
}

/// The mistakes, each as its one line.
fn lines(metadata: &HashMap<String, String>) -> Vec<String> {
    parsed(metadata).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn the_three_keys_that_must_be_written_are_enough() {
    let target = parsed(&with(&[])).unwrap();
    let request = &target.request;
    assert_eq!(target.key.to_string().split('#').next(), Some("ml-autoscaler/chat-backend"));
    assert_eq!(request.query.server.as_ref().unwrap().as_str(), "http://prometheus:9090");
    assert_eq!(request.query.promql, "sum(rate(http_requests_total[1m]))");
    assert_eq!((request.query.namespace.as_deref(), request.query.timeout), (None, None));
    assert_eq!((request.query.parameters.len(), request.query.headers.len()), (0, 0));
    assert_eq!((request.query.credentials.as_ref(), request.query.accept_any_certificate), (None, false));
    assert_eq!(request.query.missing_samples, MissingSamples::Unknown);
    assert_eq!((request.step, request.model), (Step::MINUTE, ModelChoice::Auto));
    assert_eq!(request.seasons, Seasons::Found);
    assert_eq!((request.history, request.lead_time), (Duration::from_secs(1_209_600), Duration::from_secs(180)));
    assert_eq!((request.timezone.as_str(), request.forecast_wanted), ("UTC", true));
    assert_eq!((target.threshold.get(), target.activation), (12.0, Load::ZERO));
    assert_eq!((target.service_level, target.mode), (ServiceLevel::slo(0.99).unwrap(), Mode::Predict));
}

#[test]
fn every_key_has_its_effect() {
    let written = metadata(&[
        ("scalerAddress", "prescale:6000"),
        ("enableTLS", "true"),
        ("serverAddress", "https://mimir/prometheus/"),
        ("query", "sum(\n\trate(x[1m])\n)\n"),
        ("threshold", "0.5"),
        ("activationThreshold", "-2"),
        ("leadTime", "90s"),
        ("costRatio", "9"),
        ("mode", "reactive"),
        ("model", "ridge"),
        ("season", "7d,8h"),
        ("historyTimeWindow", "4w"),
        ("queryStep", "2m"),
        ("timezone", "europe/berlin"),
        ("ignoreNullValues", "T"),
        ("credentials", "mimir"),
        ("customHeaders", "X-Scope-OrgID=chat"),
        ("queryParameters", "dedup=true"),
        ("namespace", "chat"),
        ("unsafeSsl", "1"),
        ("timeout", "2500"),
    ]);
    let target = parsed(&written).unwrap();
    let (request, query) = (&target.request, &target.request.query);
    assert_eq!(query.server.as_ref().unwrap().as_str(), "https://mimir/prometheus");
    assert_eq!(query.promql, "sum(\n\trate(x[1m])\n)");
    assert_eq!((target.threshold.get(), target.activation.get()), (0.5, -2.0));
    assert_eq!(target.service_level, ServiceLevel::cost_ratio(9.0).unwrap());
    assert_eq!((target.mode, request.forecast_wanted), (Mode::Reactive, false));
    assert_eq!(request.model, ModelChoice::Fixed(ModelName::Ridge));
    let hours = |hours: u64| Duration::from_secs(3600 * hours);
    assert_eq!(request.seasons, Seasons::Stated(vec![hours(8), hours(168)]));
    assert_eq!((request.lead_time, request.history), (Duration::from_secs(90), Duration::from_secs(2_419_200)));
    assert_eq!((request.step.seconds(), request.timezone.as_str()), (120, "Europe/Berlin"));
    assert_eq!((query.missing_samples, query.accept_any_certificate), (MissingSamples::Zero, true));
    assert_eq!(query.credentials.as_ref().unwrap().as_str(), "mimir");
    assert_eq!(query.headers, [("x-scope-orgid".to_owned(), "chat".to_owned())]);
    assert_eq!(query.parameters, [("dedup".to_owned(), "true".to_owned())]);
    assert_eq!((query.namespace.as_deref(), query.timeout), (Some("chat"), Some(Duration::from_millis(2500))));
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let written = metadata(&[
        ("query", "up"),
        ("threshold", "1_000"),
        ("activationThreshold", "1e300"),
        ("leadTime", "13h"),
        ("slo", "99.5"),
        ("quantile", "0.9"),
        ("mode", "Shadow"),
        ("model", "prophet"),
        ("historyTimeWindow", "7"),
        ("queryStep", "1m"),
        ("season", "24,168"),
        ("timezone", "Berlin"),
        ("ignoreNullValues", "yes"),
        ("customHeaders", "X-Scope-OrgID"),
        ("timeout", "5m"),
        ("Namespace", "chat"),
        ("metricName", "requests"),
        ("apiKeyFromEnv", "secret"),
    ]);
    assert_eq!(
        lines(&written),
        [
            "serverAddress: missing; write the URL of your Prometheus, such as \
             http://prometheus-server.monitoring.svc:9090; this scaler has no default one",
            "ignoreNullValues \"yes\": neither true nor false; write \"true\" or \"false\"",
            "customHeaders: pair 1 has no `=`; write name=value,name=value; a value holds neither `=` nor `,`",
            "timeout \"5m\": outside the range; write more than 0s and at most 1m",
            "threshold \"1_000\": a number with separators; write the digits alone, 1000 instead of 1_000",
            "activationThreshold \"1e300\": out of range; must lie from -9.2e15 to 9.2e15, the most that KEDA can carry",
            "leadTime \"13h\": outside the range; write 1s to 12h",
            "historyTimeWindow \"7\": a number without a unit; write numbers with units, such as 90s, 3m, 1h30m or 7d \
             (units: ms, s, m, h, d, w)",
            "slo \"99.5\": out of range; write 99.5% or 0.995; it must lie from 0.5 (50%) to 0.999 (99.9%)",
            "quantile: says in another way what `slo` says; write one of `slo`, `quantile` and `costRatio`",
            "mode \"Shadow\": no mode; did you mean shadow? the modes are predict, shadow, reactive",
            &format!("model \"prophet\": no model; {}; auto chooses among them", series::UnknownModel),
            "season \"24,168\": a number without a unit; write numbers with units, such as 90s, 3m, 1h30m or 7d \
             (units: ms, s, m, h, d, w)",
            "timezone \"Berlin\": no time zone of the IANA database; write a name such as Europe/Berlin, \
             America/New_York or UTC",
            "Namespace: unknown key; did you mean `namespace`?",
            "apiKeyFromEnv: no service outside the cluster is asked, so no key is needed; remove it",
            "metricName: KEDA dropped this key in 2.12; remove it",
        ]
    );
}

#[test]
fn a_server_of_the_scalers_own_stands_in_for_a_missing_address_and_for_no_wrong_one() {
    let defaults = Defaults { has_default_server: true };
    let asked = |metadata: &HashMap<String, String>| {
        parse_target("a", "b", metadata, &defaults).map(|target| target.request.query.server)
    };
    assert_eq!(asked(&with(&[("serverAddress", "")])), Ok(None));
    assert!(asked(&with(&[("serverAddress", "prometheus:9090")])).is_err());
    assert!(asked(&with(&[("serverAddress", " ")])).is_err());
}

#[test]
fn a_service_level_is_said_in_one_way() {
    let error = parsed(&with(&[("costRatio", "9"), ("slo", "99%"), ("quantile", "0.9")])).unwrap_err();
    let fields: Vec<_> = error.iter().map(|mistake| mistake.field.as_str()).collect();
    assert_eq!(fields, ["quantile", "costRatio"]);
    assert_eq!(parsed(&with(&[("quantile", "90%")])).unwrap().service_level, ServiceLevel::of_quantile(0.9).unwrap());
}

#[test]
fn spans_at_the_edges_of_their_ranges_are_allowed_and_those_beyond_are_not() {
    let step = ("queryStep", "6m");
    for (key, allowed, refused) in [
        ("leadTime", ["1s", "12h"], ["999ms", "43201s"]),
        ("historyTimeWindow", ["3h", "400d"], ["59m", "401d"]),
        ("timeout", ["1ms", "60s"], ["0s", "60001ms"]),
    ] {
        for value in allowed {
            assert!(parsed(&with(&[step, (key, value)])).is_ok(), "{key} {value}");
        }
        for value in refused {
            let mistakes = parsed(&with(&[step, (key, value)])).unwrap_err();
            assert_eq!(mistakes.iter().map(|mistake| mistake.field.as_str()).collect::<Vec<_>>(), [key], "{value}");
            assert!(mistakes.to_string().contains("outside the range"), "{mistakes}");
        }
    }
}

#[test]
fn a_season_that_cannot_be_learned_or_is_not_read_is_a_mistake() {
    for (pairs, told) in [
        (
            &[("season", "90s")][..],
            "1m30s is no season at a queryStep of 1m; write whole multiples of 1m, 3m or longer",
        ),
        (&[("season", "2m")], "2m is no season at a queryStep of 1m; write whole multiples of 1m, 3m or longer"),
        (
            &[("season", "8d")],
            "14d of history do not show 8d come back; write a historyTimeWindow of 16d or more, or a shorter season",
        ),
        (
            &[("season", "24h"), ("model", "theta")],
            "the model theta reads no stated season; write `model: auto` or `ridge`, or remove it",
        ),
    ] {
        assert_eq!(lines(&with(pairs)), [format!("season: {told}")], "{pairs:?}");
    }
}

#[test]
fn names_that_kubernetes_does_not_have_are_refused() {
    for (namespace, name) in
        [("", "b"), ("a", ""), ("A", "b"), ("a/b", "c"), ("a", "-b"), ("a", "b-"), ("a", "b\n"), ("ä", "b")]
    {
        let mistakes = parse_target(namespace, name, &with(&[]), &DEFAULTS).unwrap_err();
        assert_eq!(mistakes.iter().count(), 1, "{namespace:?} {name:?}");
    }
    let long = "a".repeat(254);
    assert!(parse_target("a", &long, &with(&[]), &DEFAULTS).is_err());
    assert!(parse_target("a", &long[1..], &with(&[]), &DEFAULTS).is_ok());
}

#[test]
fn equal_meaning_has_an_equal_digest() {
    let plain = digest_of(&with(&[]));
    assert_eq!(plain.len(), 16);
    for same in [
        with(&[("serverAddress", ""), ("prometheusAddress", "http://prometheus:9090/")]),
        with(&[("serverAddress", ""), ("serverAddressFromEnv", " HTTP://PROMETHEUS:9090 ")]),
        with(&[("threshold", ""), ("targetValue", "1.2e1")]),
        with(&[("leadTime", "180s")]),
        with(&[("predictHorizon", "3m")]),
        with(&[("lookAheadFromEnv", "0.05h")]),
        with(&[("activationThreshold", "-0")]),
        with(&[("slo", "99%")]),
        with(&[("slo", "0.99")]),
        with(&[("hpaTolerance", "10%")]),
        with(&[("model", "auto"), ("mode", "predict"), ("timezone", "utc")]),
        with(&[("ignoreNullValues", "F"), ("unsafeSsl", "0")]),
        with(&[("historyTimeWindow", "14d"), ("queryStep", "60s")]),
        with(&[("scalerAddress", "elsewhere:6000"), ("enableTLS", "true")]),
    ] {
        assert_eq!(digest_of(&same), plain, "{same:?}");
    }
    let (one, other) = (with(&[("season", "1d,168h")]), with(&[("season", " 1w , 24h ")]));
    assert_eq!(digest_of(&one), digest_of(&other));
    let one = with(&[("customHeaders", "X-A=1,X-B=2"), ("queryParameters", "a=1,b=2"), ("timeout", "1000")]);
    let other = with(&[("customHeaders", "x-b=2, x-a=1"), ("queryParameters", "b=2, a=1"), ("timeout", "1s")]);
    assert_eq!(digest_of(&one), digest_of(&other));
}

#[test]
fn another_meaning_has_another_digest() {
    let mut digests: Vec<_> = [
        ("leadTime", "3m"),
        ("leadTime", "4m"),
        ("serverAddress", "http://prometheus:9091"),
        ("query", "up"),
        ("threshold", "13"),
        ("activationThreshold", "1"),
        ("slo", "98%"),
        ("quantile", "0.99"),
        ("costRatio", "99"),
        ("hpaTolerance", "0"),
        ("replicasQuery", "kube_deployment_spec_replicas"),
        ("replicasQuery", "kube_deployment_status_replicas"),
        ("mode", "shadow"),
        ("mode", "reactive"),
        ("model", "ridge"),
        ("historyTimeWindow", "7d"),
        ("queryStep", "30s"),
        ("season", "24h"),
        ("season", "24h,168h"),
        ("season", "8h"),
        ("timezone", "Europe/Berlin"),
        ("ignoreNullValues", "true"),
        ("credentials", "a"),
        ("customHeaders", "a=b"),
        ("queryParameters", "a=b"),
        ("namespace", "a"),
        ("unsafeSsl", "true"),
        ("timeout", "1s"),
    ]
    .iter()
    .map(|pair| digest_of(&with(&[*pair])))
    .collect();
    let count = digests.len();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), count);
}

#[test]
fn the_digest_of_a_target_never_changes() {
    // a new one would orphan the history that a running system has stored
    assert_eq!(digest_of(&with(&[])), "48470dd4e055dfb7");
}

#[test]
fn a_usable_threshold_is_found_among_any_mistakes() {
    let written = metadata(&[("targetValue", " 12 "), ("slo", "never"), ("bogus", "\u{0}")]);
    assert_eq!(parse_threshold(&written).unwrap().get(), 12.0);
    let twice = metadata(&[("targetValue", "12"), ("threshold", "12.0")]);
    assert_eq!(parse_threshold(&twice).unwrap().get(), 12.0);
    for unusable in [
        metadata(&[("Threshold", "12")]),
        metadata(&[("threshold", "12"), ("targetValue", "13")]),
        metadata(&[("threshold", "12"), ("targetValue", "x")]),
        metadata(&[("threshold", "0")]),
        metadata(&[("threshold", "NaN")]),
        metadata(&[("thresholdFromEnv", "twelve")]),
    ] {
        let mistakes = parse_threshold(&unusable).unwrap_err();
        assert!(mistakes.iter().all(|mistake| mistake.field.starts_with('t')), "{mistakes}");
    }
}

#[test]
fn secrets_are_never_repeated() {
    const SECRET: &str = "hunter2";
    for written in [
        with(&[("customHeaders", "Authorization=Basic hunter2==")]),
        with(&[("customHeaders", "hunter2")]),
        with(&[("customHeaders", "a=1,hunter2=a,hunter2=b")]),
        with(&[("customHeaders", "Bearer hunter2=a")]),
        with(&[("queryParameters", "token=hunter2,query=hunter2")]),
        with(&[("serverAddress", "http://admin:hunter2@prometheus")]),
        with(&[("serverAddress", "http://prometheus?token=hunter2")]),
        with(&[("threshold", ""), ("thresholdFromEnv", "hunter2")]),
        with(&[("modelFromEnv", "hunter2"), ("modeFromEnv", "hunter2"), ("sloFromEnv", "hunter2%")]),
        with(&[("timezoneFromEnv", "hunter2"), ("leadTimeFromEnv", "hunter2"), ("timeoutFromEnv", "hunter2")]),
        with(&[("credentialsFromEnv", "hunter2 "), ("unsafeSslFromEnv", "hunter2"), ("queryStepFromEnv", "hunter2")]),
        with(&[("credentials", "Bearer hunter2")]),
        with(&[("bearerToken", "hunter2"), ("passwordFromEnv", "hunter2"), ("customHeader", "hunter2")]),
    ] {
        let Err(mistakes) = parsed(&written) else {
            assert!(written.contains_key("credentialsFromEnv"), "{written:?}");
            continue;
        };
        let told = format!("{mistakes} {mistakes:?}");
        assert!(!told.contains(SECRET), "{told}");
    }
}

#[test]
fn a_review_knows_all_but_what_the_environment_holds() {
    let written = with(&[("threshold", ""), ("thresholdFromEnv", "PODS"), ("leadTime", "5m")]);
    let review = review("a", "b", &written, &DEFAULTS).unwrap();
    assert_eq!((review.target, review.from_environment), (None, vec!["thresholdFromEnv".to_owned()]));
    let keys: Vec<_> = review.defaults.iter().map(|default| default.key).collect();
    assert!(keys.contains(&"slo") && !keys.contains(&"leadTime") && !keys.contains(&"threshold"), "{keys:?}");
    let wrong = with(&[("thresholdFromEnv", "PODS"), ("slo", "1")]);
    assert_eq!(super::review("a", "b", &wrong, &DEFAULTS).unwrap_err().iter().count(), 2);
}

#[test]
fn the_metric_has_a_name_that_an_hpa_can_ask_for() {
    let name = metric_name();
    assert!(name.len() < 60 && name.starts_with(|first: char| first.is_ascii_lowercase()));
    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
}

#[test]
fn the_reference_lists_every_key_with_its_aliases() {
    let page = include_str!("../../../../docs/metadata.md");
    for key in &keys::ALL {
        let (_, entry) = page.split_once(&format!("\n- `{}` - ", key.name)).unwrap_or_else(|| panic!("{}", key.name));
        let entry = entry.split("\n- ").next().unwrap();
        assert!(key.aliases.iter().all(|alias| entry.contains(&format!("`{alias}`"))), "{}: {entry}", key.name);
    }
}

#[test]
fn the_reference_tells_the_defaults_that_hold() {
    let page = include_str!("../../../../docs/metadata.md");
    for DefaultInForce { key, value } in review("a", "b", &with(&[]), &DEFAULTS).unwrap().defaults {
        let entry = page.split_once(&format!("\n- `{key}` - ")).unwrap().1.split("\n- ").next().unwrap();
        assert!(entry.contains(&format!("Default: `{value}`")), "{key} {value}: {entry}");
    }
}

/// Keys that mean something, with and without suffix, and keys that do not.
fn any_key() -> impl Strategy<Value = String> {
    let names: Vec<String> = keys::ALL.iter().flat_map(keys::Key::names).map(str::to_owned).collect();
    prop_oneof![
        6 => (proptest::sample::select(names), prop_oneof![4 => Just(""), 1 => Just("FromEnv")])
            .prop_map(|(name, suffix)| format!("{name}{suffix}")),
        1 => "\\PC{0,20}",
        1 => any::<String>(),
    ]
}

/// Values that come close to meaning something, and values that do not.
fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[-+]?[0-9]{0,20}[.,_]?[0-9]{0,20}(e[0-9]{1,4})?(%|ms|s|m|h|d|w)?",
        1 => proptest::sample::select(vec!["12", "0.5", "3m", "99%", "true", "auto", "shadow", "UTC", "http://p:9090"])
            .prop_map(str::to_owned),
        1 => "[a-zA-Z=,:/@?. -]{0,40}",
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn no_metadata_make_the_parser_panic_and_both_doors_agree_on_the_threshold(
        namespace in "[a-z]{1,5}|\\PC{0,5}",
        written in proptest::collection::hash_map(any_key(), any_value(), 0..12),
        smallest in any::<bool>(),
        has_default_server in any::<bool>(),
    ) {
        let mut written = written;
        if smallest {
            written.extend(metadata(&SMALLEST));
        }
        let whole = parse_target(&namespace, "b", &written, &Defaults { has_default_server });
        let threshold = parse_threshold(&written);
        match (&whole, &threshold) {
            (Ok(target), Ok(threshold)) => prop_assert_eq!(target.threshold, *threshold),
            (Ok(_), Err(mistakes)) => prop_assert!(false, "a target without a threshold: {}", mistakes),
            (Err(all), Err(some)) => {
                prop_assert!(some.iter().all(|mistake| all.iter().any(|other| other == mistake)), "{} / {}", all, some);
            }
            (Err(_), Ok(_)) => {}
        }
        let reviewed = review(&namespace, "b", &written, &Defaults { has_default_server });
        prop_assert!(whole.is_err() || reviewed.is_ok());
        for mistake in whole.err().into_iter().flatten() {
            let line = mistake.to_string();
            prop_assert!(!line.contains('\n') && line.len() < 2048, "{}", line);
        }
    }

    #[test]
    fn a_value_of_the_environment_is_never_repeated(key in any_key(), secret in "[g-z]{4}[0-9]{2}[A-Z]{12}") {
        let written = with(&[(&format!("{key}FromEnv"), &secret), ("customHeaders", &secret)]);
        let mistakes = parsed(&written).unwrap_err();
        let told = format!("{mistakes} {mistakes:?}");
        prop_assert!(!told.contains(&secret), "{}", told);
    }

    #[test]
    fn the_digest_follows_the_meaning_of_a_duration(seconds in 1_u64..43_200) {
        let in_seconds = with(&[("leadTime", &format!("{seconds}s"))]);
        let in_parts = with(&[("lookAhead", &format!("{}h{}m{}s", seconds / 3600, seconds % 3600 / 60, seconds % 60))]);
        prop_assert_eq!(digest_of(&in_seconds), digest_of(&in_parts));
    }
}
