//! From two weeks of history in a real Prometheus to KEDA's answers, and through an outage.

use crate::harness::clock::unix_now;
use crate::harness::eventually::eventually;
use crate::harness::keda::{Keda, Trigger};
use crate::harness::load;
use crate::harness::prescale::Prescale;
use crate::harness::prometheus::Prometheus;

/// As a user writes it, with all defaults.
fn trigger() -> Trigger {
    Trigger::new("chat-backend", &[("query", "chat_load"), ("threshold", "12"), ("leadTime", "3m"), ("slo", "95%")])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forecast_from_real_history_is_published_and_outlives_prometheus() {
    let Some(mut prometheus) = Prometheus::with_history().await else { return };
    let flags = ["--prometheus", &prometheus.url(), "--query-timeout", "2s"];
    let prescale = Prescale::serve(&flags).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let trigger = trigger();

    keda.value_at_last(&trigger).await;
    eventually("a demand that rests on the forecast", async || {
        assert_sound(&keda, &trigger).await;
        forecast_in_force(&prescale).await
    })
    .await;
    let forecast = prescale.metric("prescale_target_forecast", &[]).await.expect("there is a forecast");
    let truth = load::at(unix_now());
    assert!((0.8 * truth..1.4 * truth).contains(&forecast), "the load is {truth}, the forecast {forecast}");

    prometheus.process.kill();
    fault_is_noticed(&prescale, &keda, &trigger, "unreachable").await;
    forecast_in_force(&prescale).await.expect("the last forecast is in force");
    prometheus.start().await;
    is_noticed(&prescale, &keda, &trigger, "source answering again", 1).await;

    prometheus.process.pause();
    fault_is_noticed(&prescale, &keda, &trigger, "timeout").await;
    prometheus.process.resume();
    is_noticed(&prescale, &keda, &trigger, "source answering again", 2).await;
    forecast_in_force(&prescale).await.expect("a forecast is in force");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_that_comes_back_with_a_hole_in_its_history_goes_on_being_forecast() {
    let Some(mut prometheus) = Prometheus::with_history().await else { return };
    let prescale = Prescale::serve(&["--prometheus", &prometheus.url(), "--query-timeout", "2s"]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    // a plain `chat_load` would answer within the hole with what was there five minutes before
    let query = "max_over_time(chat_load[5s])";
    let trigger = Trigger::quick("holed", &prometheus.url()).with("query", query);
    let trigger = trigger.with("queryStep", "5s").with("leadTime", "5s");
    keda.value_at_last(&trigger).await;
    // fresh samples are there, and forecasts have come true
    eventually("forecasts that came true", async || {
        assert_sound(&keda, &trigger).await;
        age_is(&prescale, |age| age < 20.0).await?;
        error_is(&prescale, f64::is_finite).await
    })
    .await;

    let killed = unix_now();
    prometheus.process.kill();
    is_noticed(&prescale, &keda, &trigger, "source failing", 1).await;
    eventually("a hole of several steps", async || {
        assert_sound(&keda, &trigger).await;
        if unix_now() > killed + 30.0 { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
    age_is(&prescale, |age| age > 25.0).await.expect("nothing fresh is known");
    let hole = (killed + 5.0).ceil()..unix_now().floor();
    prometheus.start().await;
    let back = unix_now();
    is_noticed(&prescale, &keda, &trigger, "source answering again", 1).await;
    eventually("a forecast from after the hole", async || {
        assert_sound(&keda, &trigger).await;
        let passed = unix_now() - back;
        age_is(&prescale, |age| age < 20.0 && age < passed).await
    })
    .await;

    let within = format!("query_range?query={query}&start={}&end={}&step=1", hole.start, hole.end);
    assert_eq!(prometheus.ask(&within).await, serde_json::json!([]), "nothing is there in the hole");
    // zeros in it would have been errors as large as the load
    error_is(&prescale, |error| error < load::LEAST / 2.0).await.expect("what is not known is no zero");
    assert_sound(&keda, &trigger).await;
    forecast_in_force(&prescale).await.expect("a forecast is in force");
}

#[tokio::test(flavor = "multi_thread")]
async fn awkward_series_of_a_real_prometheus_are_told_apart() {
    let Some(prometheus) = Prometheus::with_history().await else { return };
    let prescale = Prescale::serve(&["--prometheus", &prometheus.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    for (query, code) in [
        ("pair", tonic::Code::InvalidArgument),
        ("not_a_number", tonic::Code::FailedPrecondition),
        ("nobody_exports_this", tonic::Code::FailedPrecondition),
        ("sum(", tonic::Code::InvalidArgument),
    ] {
        let awkward = trigger().with("query", query);
        let status = eventually("the fault in the answer", async || {
            let status = keda.value(&awkward).await.expect_err("there is no load to publish");
            if status.message().starts_with("nothing is known") { Err(status.to_string()) } else { Ok(status) }
        })
        .await;
        assert_eq!(status.code(), code, "{query}: {status}");
    }
    // a hole of hours is no reason to know less than the rest says
    let holed = trigger().with("query", "holed").with("historyTimeWindow", "3d");
    let value = keda.value_at_last(&holed).await;
    assert!((load::LEAST..2.0 * load::MOST).contains(&value), "{value}");
}

/// Whether the plan rests on a forecast, by its reason.
async fn forecast_in_force(prescale: &Prescale) -> Result<(), String> {
    for reason in ["reason=\"forecast\"", "reason=\"last_forecast\"", "reason=\"observation_above_forecast\""] {
        if prescale.metric("prescale_target_reason", &[reason]).await == Some(1.0) {
            return Ok(());
        }
    }
    Err(prescale.get("/metrics").await.1)
}

/// Whether the age of what the forecast knows is as `expected`, in seconds.
async fn age_is(prescale: &Prescale, expected: impl Fn(f64) -> bool) -> Result<(), String> {
    metric_is(prescale, "prescale_target_forecast_age_seconds", expected).await
}

/// Whether the mean error of the forecasts that came true lately is as `expected`.
async fn error_is(prescale: &Prescale, expected: impl Fn(f64) -> bool) -> Result<(), String> {
    metric_is(prescale, "prescale_target_lead_time_error", expected).await
}

async fn metric_is(prescale: &Prescale, name: &str, expected: impl Fn(f64) -> bool) -> Result<(), String> {
    match prescale.metric(name, &[]).await {
        Some(value) if expected(value) => Ok(()),
        other => Err(format!("{name} is {other:?}")),
    }
}

async fn fault_is_noticed(prescale: &Prescale, keda: &Keda, trigger: &Trigger, kind: &str) {
    let kind = format!("\"kind\":\"{kind}\"");
    eventually("the fault in the log", async || {
        assert_sound(keda, trigger).await;
        if prescale.logged(&["source failing", &kind]) > 0 { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
    assert_sound(keda, trigger).await;
}

async fn is_noticed(prescale: &Prescale, keda: &Keda, trigger: &Trigger, message: &str, times: usize) {
    eventually(message, async || {
        assert_sound(keda, trigger).await;
        if prescale.logged(&[message]) >= times { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
}

/// Every rpc is OK, and what it says fits the load.
async fn assert_sound(keda: &Keda, trigger: &Trigger) {
    let value = keda.value(trigger).await.expect("a value was known, so there is one");
    assert!((load::LEAST..2.0 * load::MOST).contains(&value), "{value}");
    assert!(keda.is_active(trigger).await.expect("the value is known"));
}
