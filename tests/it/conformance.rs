//! KEDA's contract, call by call: names, numbers, triggers, activity, and how often the source is asked.

use std::time::Instant;

use futures::future::join_all;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::harness::eventually::eventually;
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::load;
use crate::harness::prescale::Prescale;

const SERVICE: &str = "externalscaler.ExternalScaler";

#[tokio::test(flavor = "multi_thread")]
async fn int_and_float_fields_say_the_same_whatever_the_threshold() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    for (threshold, float, int) in [
        ("12", 12.0, 12),
        ("0.25", 0.25, 1),
        ("12.5", 12.5, 13),
        ("0.001", 0.001, 1),
        ("1e12", 1e12, 1_000_000_000_000),
    ] {
        let spec = keda.spec(&Trigger::light("numbers", &server.url()).with("threshold", threshold)).await;
        assert_eq!((spec.target_size_float, spec.target_size), (float, int), "{threshold}");
    }
    for (factor, least) in
        [("load * 1", load::LEAST), ("load * 0.00001", 0.0006), ("load * 1000000000", 1e9 * load::LEAST)]
    {
        // Keda::value looks at the fields
        let value = keda.value_at_last(&Trigger::light("numbers", &server.url()).with("query", factor)).await;
        assert!(value >= least, "{factor}: {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_is_found_by_its_name_in_any_case_and_by_no_other() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let trigger = Trigger::light("named", &server.url());
    keda.value_at_last(&trigger).await;
    let name = keda.spec(&trigger).await.metric_name;
    let is_usable = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(name.chars().all(is_usable), "{name} is a segment of a URL, in lower case");

    for asked in [name.as_str(), &name.to_uppercase(), ""] {
        let answer = keda.metrics(&trigger, asked).await.unwrap_or_else(|status| panic!("{asked:?}: {status}"));
        assert_eq!(answer.metric_values.len(), 1, "{asked:?}");
    }
    let prefixed = format!("s0-{name}");
    for asked in ["other", prefixed.as_str()] {
        let status = keda.metrics(&trigger, asked).await.expect_err("there is no such metric");
        assert_eq!(status.code(), Code::NotFound, "{asked:?}");
        assert!(status.message().contains(asked), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_triggers_of_one_object_do_not_mix() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let small = Trigger::light("shared", &server.url()).with("mode", "reactive");
    let large = small.clone().with("query", "load * 100").with("threshold", "4000");
    for trigger in [&small, &large] {
        keda.value_at_last(trigger).await;
    }
    // KEDA asks all triggers of an object at once
    let both = async |_| {
        let (small_value, large_value) = tokio::join!(keda.value(&small), keda.value(&large));
        let (small_value, large_value) = (small_value.expect("it is known"), large_value.expect("it is known"));
        assert!((load::LEAST..=load::MOST).contains(&small_value), "{small_value}");
        assert!((100.0 * load::LEAST..=100.0 * load::MOST).contains(&large_value), "{large_value}");
    };
    join_all((0..20).map(both)).await;
    assert_eq!(keda.spec(&small).await.target_size, 40);
    assert_eq!(keda.spec(&large).await.target_size, 4000);
    assert_eq!(prescale.metric("prescale_targets", &[]).await, Some(2.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn activity_and_value_tell_the_same() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    // far enough from any demand that no minute's change decides
    for (activation, active) in [("0", true), ("30", true), ("5000", false), ("1e9", false)] {
        for mode in ["predict", "reactive", "shadow"] {
            let trigger = Trigger::light("activity", &server.url()).with("activationThreshold", activation);
            let trigger = trigger.with("mode", mode);
            let value = keda.value_at_last(&trigger).await;
            let threshold: f64 = activation.parse().expect("a number");
            assert_eq!(value > threshold, active, "{mode}, {activation}: {value}");
            assert_eq!(keda.is_active(&trigger).await.expect("it is known"), active, "{mode}, {activation}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn get_metric_spec_fails_for_nothing_but_the_threshold() {
    let server = FaultyPrometheus::start(Behavior::Down);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let keys = [
        "serverAddress",
        "query",
        "activationThreshold",
        "leadTime",
        "slo",
        "quantile",
        "costRatio",
        "mode",
        "model",
        "historyTimeWindow",
        "queryStep",
        "season",
        "timezone",
        "ignoreNullValues",
        "credentials",
        "customHeaders",
        "queryParameters",
        "unsafeSsl",
        "timeout",
        "noSuchKey",
    ];
    let mut all_bad = Trigger::light("mistaken", &server.url());
    for key in keys {
        let one_bad = Trigger::light("mistaken", &server.url()).with(key, "?!");
        assert_eq!(keda.spec(&one_bad).await.target_size, 40, "{key}");
        all_bad = all_bad.with(key, "?!");
    }
    assert_eq!(keda.spec(&all_bad).await.target_size, 40);
    // `?!` is a query as good as any to us; only Prometheus can tell
    let wrong = keys.iter().filter(|key| **key != "query");
    let status = keda.value(&all_bad).await.expect_err("nothing of it can be used");
    assert_eq!(status.code(), Code::InvalidArgument);
    for key in wrong {
        assert!(status.message().contains(key), "{key} is missing in: {}", status.message());
    }
    assert_eq!(keda.is_active(&all_bad).await.expect_err("nothing of it can be used").code(), Code::InvalidArgument);

    for threshold in ["", "0", "-1", "NaN", "inf", "0.0001", "many"] {
        let unusable = Trigger::light("mistaken", &server.url()).with("threshold", threshold);
        let status = keda.specs(&unusable).await.expect_err("no HPA takes such a target");
        assert_eq!(status.code(), Code::InvalidArgument, "{threshold:?}");
        assert!(status.message().contains("threshold"), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_from_the_environment_count_under_their_suffixed_key() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--allow-server", "*"]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let mut trigger = Trigger::light("environment", &server.url());
    let address = trigger.metadata.remove("serverAddress").expect("it is there");
    let trigger = trigger.with("serverAddressFromEnv", &address).with("customHeadersFromEnv", "X-Token=hush-hush");
    keda.value_at_last(&trigger).await;
    assert_eq!(server.last_header("x-token").as_deref(), Some("hush-hush"));
    assert_eq!(prescale.logged(&["hush-hush"]), 0, "what comes from the environment may be secret");
    assert!(!prescale.get("/metrics").await.1.contains("hush-hush"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_many_calls_see_first_is_watched_once() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let trigger = Trigger::light("crowded", &server.url());
    let spelled_otherwise = trigger.clone().with("threshold", "40.0").with("historyTimeWindow", "72h");
    let calls = (0..100).map(|number| if number % 2 == 0 { &trigger } else { &spelled_otherwise });
    join_all(calls.map(async |trigger| keda.value_at_last(trigger).await)).await;
    assert_eq!(prescale.logged(&["target first seen"]), 1);
    assert_eq!(prescale.metric("prescale_targets", &[]).await, Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn hard_polling_makes_no_more_queries_than_refreshes() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let trigger = Trigger::light("busy", &server.url());
    keda.value_at_last(&trigger).await;
    // the history is in once nothing but the newest samples is asked for
    eventually("the whole history", async || {
        let before = (server.range_queries(), refreshes(&prescale).await);
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let after = (server.range_queries(), refreshes(&prescale).await);
        if after.0 - before.0 <= 1 && after.1 > before.1 { Ok(()) } else { Err(format!("{before:?}, {after:?}")) }
    })
    .await;

    let (ranges, instants, refreshed) = (server.range_queries(), server.instant_queries(), refreshes(&prescale).await);
    let start = Instant::now();
    let mut polls = 0;
    while refreshes(&prescale).await < refreshed + 3.0 {
        assert!(start.elapsed().as_secs() < 60, "no refreshes");
        let polled = join_all((0..50).map(async |_| keda.value(&trigger).await.expect("it is known"))).await;
        polls += polled.len();
    }
    // one refresh may have begun before and one may be under way
    let most = refreshes(&prescale).await - refreshed + 2.0;
    let (ranges, instants) = (server.range_queries() - ranges, server.instant_queries() - instants);
    assert!(
        ranges as f64 <= most && instants as f64 <= most,
        "{polls} polls: {ranges} ranges, {instants} instants, {most}"
    );
}

async fn refreshes(prescale: &Prescale) -> f64 {
    prescale.metric("prescale_refresh_duration_seconds_count", &[]).await.unwrap_or(0.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_do_not_hang_on_prometheus() {
    let server = FaultyPrometheus::start(Behavior::Down);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    assert_eq!(prescale.get("/livez").await.0, 200);
    assert_eq!(prescale.get("/readyz").await.0, 200);

    let mut health = HealthClient::new(keda.channel.clone());
    for service in ["", SERVICE] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = health.check(request).await.unwrap_or_else(|status| panic!("{service:?}: {status}"));
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{service:?}");
    }

    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(keda.channel.clone());
    let mut answers = reflection
        .server_reflection_info(futures::stream::iter([list]))
        .await
        .expect("reflection is served")
        .into_inner();
    let answer = answers.message().await.expect("it answers").expect("once");
    let Some(MessageResponse::ListServicesResponse(services)) = answer.message_response else { panic!("{answer:?}") };
    assert!(services.service.iter().any(|service| service.name == SERVICE), "{services:?}");
}
