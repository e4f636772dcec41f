//! Every way in which a Prometheus fails, against every rpc: never zero, NaN, an empty list or "inactive" because of it.

use futures::FutureExt as _;
use futures::future::join_all;
use tonic::Code;

use crate::harness::clock::{ShiftedClock, unix_now};
use crate::harness::eventually::eventually;
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::load;
use crate::harness::prescale::{Prescale, StateFolder};

/// Any server may be named, and one that hangs is given up soon.
const FLAGS: [&str; 4] = ["--allow-server", "*", "--query-timeout", "2s"];

/// The name of the object that meets the fault, for messages and logs.
fn object(fault: Behavior) -> &'static str {
    match fault {
        Behavior::Healthy => "healthy",
        Behavior::Down => "down",
        Behavior::Slow => "slow",
        Behavior::Empty => "empty",
        Behavior::NotANumber => "nan",
        Behavior::TwoSeries => "two-series",
        Behavior::Unauthorized => "unauthorized",
        Behavior::ServerError => "server-error",
        Behavior::Redirect => "redirect",
        Behavior::Page => "page",
        Behavior::Endless => "endless",
        Behavior::Drip => "drip",
        Behavior::Truncated => "truncated",
        Behavior::Text => "text",
        Behavior::Throttled => "throttled",
        Behavior::Forgetful => "forgetful",
    }
}

/// The classes that the fault may be told as.
fn kinds(fault: Behavior) -> &'static [&'static str] {
    match fault {
        Behavior::Healthy | Behavior::Forgetful => &[],
        Behavior::Down | Behavior::Truncated => &["unreachable"],
        Behavior::Slow | Behavior::Drip => &["timeout"],
        Behavior::Empty => &["empty"],
        Behavior::NotANumber => &["not_a_load"],
        Behavior::TwoSeries => &["several_series"],
        Behavior::Unauthorized => &["unauthorized"],
        Behavior::ServerError => &["server_error"],
        Behavior::Redirect => &["redirect"],
        Behavior::Page => &["not_prometheus"],
        // whichever limit is met first
        Behavior::Endless => &["too_large", "timeout"],
        Behavior::Text => &["wrong_type"],
        Behavior::Throttled => &["throttled"],
    }
}

/// What the rpcs end with while nothing but the fault is known.
fn codes(fault: Behavior) -> &'static [Code] {
    match fault {
        Behavior::Healthy | Behavior::Forgetful => &[],
        Behavior::Down
        | Behavior::ServerError
        | Behavior::Redirect
        | Behavior::Page
        | Behavior::Truncated
        | Behavior::Throttled => &[Code::Unavailable],
        Behavior::Slow | Behavior::Drip => &[Code::DeadlineExceeded],
        Behavior::Empty | Behavior::NotANumber => &[Code::FailedPrecondition],
        Behavior::TwoSeries | Behavior::Text => &[Code::InvalidArgument],
        Behavior::Unauthorized => &[Code::PermissionDenied],
        // whichever limit is met first
        Behavior::Endless => &[Code::ResourceExhausted, Code::DeadlineExceeded],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn before_anything_is_known_every_fault_is_an_error_that_says_so() {
    let prescale = Prescale::serve(&FLAGS).await;
    let keda = Keda::connect(prescale.grpc()).await;
    join_all(Behavior::FAULTS.map(async |fault| {
        let server = FaultyPrometheus::start(fault);
        let trigger = Trigger::light(object(fault), &server.url());
        let mut activations = keda.stream_is_active(&trigger).await;
        let mut specs = keda.stream_metric_spec(&trigger).await;
        let spec = keda.spec(&trigger).await;
        let first = specs.message().await.expect("the specs come at once").expect("the stream stays open");
        assert_eq!(first.metric_specs, [spec], "{fault:?}");

        let status = eventually("the fault in the answer", async || {
            let status = keda.value(&trigger).await.expect_err("nothing is known that could be a value");
            assert!(!status.message().is_empty(), "{fault:?}: users see the message");
            if status.message().starts_with("nothing is known") { Err(status.to_string()) } else { Ok(status) }
        })
        .await;
        assert!(codes(fault).contains(&status.code()), "{fault:?}: {status:?}");
        let status = keda.is_active(&trigger).await.expect_err("a fault does not make a workload inactive");
        assert!(codes(fault).contains(&status.code()), "{fault:?}: {status:?}");
        assert_eq!(keda.spec(&trigger).await.target_size, 40, "{fault:?}");
        assert!(activations.message().now_or_never().is_none(), "{fault:?}: nothing was pushed");
        drop(server);
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_a_forecast_is_known_it_stays_in_force_through_every_fault() {
    let prescale = Prescale::serve(&FLAGS).await;
    let keda = Keda::connect(prescale.grpc()).await;
    join_all(Behavior::FAULTS.map(async |fault| {
        let mut server = FaultyPrometheus::start(Behavior::Healthy);
        let object = object(fault);
        let trigger = Trigger::light(object, &server.url());
        keda.value_at_last(&trigger).await;
        eventually("a forecast", async || {
            keda.value(&trigger).await.map_err(|status| status.to_string())?;
            rests_on_a_forecast(&prescale, object).await
        })
        .await;

        server.behave(fault);
        let key = format!("ml-autoscaler/{object}#");
        eventually("the fault in the log", async || {
            // what is known stays in force while the fault is noticed, too
            assert_in_force(&keda, &trigger, fault).await;
            let count = prescale.logged(&["source failing", &key]);
            if count > 0 { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await;
        // one may be told first as what it does to a question that was under way
        eventually("the fault by its name", async || {
            let told = |kind: &&str| prescale.logged(&["source failing", &key, &format!("\"kind\":\"{kind}\"")]) > 0;
            if kinds(fault).iter().any(told) { Ok(()) } else { Err(format!("{fault:?} is told as another")) }
        })
        .await;
        assert_in_force(&keda, &trigger, fault).await;
        rests_on_a_forecast(&prescale, object).await.expect("the last forecast is in force");

        server.behave(Behavior::Healthy);
        eventually("the end of the fault in the log", async || {
            assert_in_force(&keda, &trigger, fault).await;
            let count = prescale.logged(&["source answering again", &key]);
            if count > 0 { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await;
    }))
    .await;
}

async fn assert_in_force(keda: &Keda, trigger: &Trigger, fault: Behavior) {
    let value = keda.value(trigger).await.unwrap_or_else(|status| panic!("{fault:?}: {status}"));
    // the forecast's upper quantile may be above what the load ever was
    assert!((load::LEAST..2.0 * load::MOST).contains(&value), "{fault:?}: {value}");
    assert!(keda.is_active(trigger).await.unwrap_or_else(|status| panic!("{fault:?}: {status}")), "{fault:?}");
}

/// Whether the demand of the object's only trigger rests on a forecast, by the metrics.
async fn rests_on_a_forecast(prescale: &Prescale, object: &str) -> Result<(), String> {
    let name = format!("name=\"{object}\"");
    for reason in ["forecast", "last_forecast", "observation_above_forecast"] {
        let label = format!("reason=\"{reason}\"");
        if prescale.metric("prescale_target_reason", &[&name, &label]).await == Some(1.0) {
            return Ok(());
        }
    }
    let (_, metrics) = prescale.get("/metrics").await;
    let reasons =
        metrics.lines().filter(|line| line.contains("_reason") && line.contains(&name) && line.ends_with(" 1"));
    Err(reasons.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forecast_outlives_a_restart_while_the_source_is_down() {
    let state = StateFolder::new();
    let mut server = FaultyPrometheus::start(Behavior::Healthy);
    let trigger = Trigger::light("restarted", &server.url());
    let mut before = Prescale::serve_from(&state, &FLAGS).await;
    let keda = Keda::connect(before.grpc()).await;
    keda.value_at_last(&trigger).await;
    eventually("a forecast", async || {
        keda.value(&trigger).await.map_err(|status| status.to_string())?;
        rests_on_a_forecast(&before, "restarted").await
    })
    .await;
    let value = keda.value_at_last(&trigger).await;
    server.behave(Behavior::Down);
    before.terminate();
    assert!(before.end().await.success());

    let after = Prescale::serve_from(&state, &FLAGS).await;
    let again = Keda::connect(after.grpc()).await.value_at_last(&trigger).await;
    assert!((0.5 * value..2.0 * value).contains(&again), "{value} before, {again} after");
    rests_on_a_forecast(&after, "restarted").await.expect("the kept forecast is in force");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_lost_its_history_takes_nothing_from_what_is_known() {
    let state = StateFolder::new();
    let mut server = FaultyPrometheus::start(Behavior::Healthy);
    let trigger = Trigger::light("forgotten", &server.url());
    let mut before = Prescale::serve_from(&state, &FLAGS).await;
    let keda = Keda::connect(before.grpc()).await;
    keda.value_at_last(&trigger).await;
    eventually("a forecast", async || {
        keda.value(&trigger).await.map_err(|status| status.to_string())?;
        rests_on_a_forecast(&before, "forgotten").await
    })
    .await;
    server.behave(Behavior::Forgetful);
    assert_in_force_for_some_refreshes(&keda, &trigger, &server, Behavior::Forgetful).await;
    rests_on_a_forecast(&before, "forgotten").await.expect("the forecast is in force");
    before.terminate();
    assert!(before.end().await.success());

    // one that starts anew has what was kept, and the present
    let after = Prescale::serve_from(&state, &FLAGS).await;
    let keda = Keda::connect(after.grpc()).await;
    keda.value_at_last(&trigger).await;
    assert_in_force_for_some_refreshes(&keda, &trigger, &server, Behavior::Forgetful).await;
    rests_on_a_forecast(&after, "forgotten").await.expect("the kept forecast is in force");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_and_is_put_right_takes_no_pods() {
    let Some(clock) = ShiftedClock::new() else { return };
    let server = FaultyPrometheus::start(Behavior::Healthy);
    // short steps: what was asked for too early is missed soon
    let trigger = Trigger::quick("jumped", &server.url());
    let prescale = Prescale::serve_by(&clock, &FLAGS).await;
    let keda = Keda::connect(prescale.grpc()).await;
    keda.value_at_last(&trigger).await;
    eventually("a forecast", async || {
        keda.value(&trigger).await.map_err(|status| status.to_string())?;
        rests_on_a_forecast(&prescale, "jumped").await
    })
    .await;
    for hours in [2, 0, -2, 0] {
        clock.shift(hours);
        assert_in_force_for_some_refreshes(&keda, &trigger, &server, Behavior::Healthy).await;
    }
    // nothing of it is left: what was asked for too early is asked for again, and known since
    let put_right = unix_now();
    eventually("the present", async || {
        assert_in_force(&keda, &trigger, Behavior::Healthy).await;
        rests_on_a_forecast(&prescale, "jumped").await?;
        let since = unix_now() - put_right;
        match prescale.metric("prescale_target_forecast_age_seconds", &[]).await {
            Some(age) if (0.0..since).contains(&age) => Ok(()),
            other => Err(format!("the forecast is {other:?} seconds old, {since} after")),
        }
    })
    .await;
}

/// What is known stays in force, for as long as it takes for some refreshes to come by.
async fn assert_in_force_for_some_refreshes(
    keda: &Keda,
    trigger: &Trigger,
    server: &FaultyPrometheus,
    behavior: Behavior,
) {
    let before = server.instant_queries();
    eventually("some refreshes", async || {
        assert_in_force(keda, trigger, behavior).await;
        let since = server.instant_queries() - before;
        if since > 4 { Ok(()) } else { Err(format!("{since} so far")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_true_zero_is_told_from_a_fault() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&FLAGS).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let idle = Trigger::light("idle", &server.url()).with("query", "load * 0");
    assert_eq!(keda.value_at_last(&idle).await, 0.0);
    assert!(!keda.is_active(&idle).await.expect("the value is known"));

    // who says that missing samples mean zero gets zero for them
    let empty = FaultyPrometheus::start(Behavior::Empty);
    let trusting = Trigger::light("trusting", &empty.url()).with("ignoreNullValues", "true").with("mode", "reactive");
    assert_eq!(keda.value_at_last(&trusting).await, 0.0);
    assert!(!keda.is_active(&trusting).await.expect("the value is known"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_allowed_is_never_asked() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let other = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let curious = Trigger::light("curious", &other.url());
    eventually("the refusal", async || {
        let status = keda.value(&curious).await.expect_err("it must not be asked");
        if status.code() == Code::PermissionDenied { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    assert_eq!((other.instant_queries(), other.range_queries()), (0, 0));
    keda.value_at_last(&Trigger::light("modest", &server.url())).await;
}
