//! The roles in processes of their own: what KEDA sees while replicas come, go, crash and are cut off.

use crate::harness::certificates::Authority;
use crate::harness::eventually::eventually;
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::prescale::Prescale;
use crate::harness::prometheus::free_port;
use crate::harness::redis::Redis;
use crate::harness::roles::{forecaster, scaler};

/// How many targets a test spreads.
const TARGETS: usize = 40;

fn triggers(url: &str) -> Vec<Trigger> {
    let name = |number| &*Box::leak(format!("object-{number}").into_boxed_str());
    (0..TARGETS).map(|number| Trigger::light(name(number), url).with("mode", "reactive")).collect()
}

/// Waits until every trigger has a value, and then until every stream is where it belongs.
async fn all_known(keda: &Keda, triggers: &[Trigger]) {
    for trigger in triggers {
        keda.value_at_last(trigger).await;
    }
}

async fn targets_of(forecaster: &Prescale) -> f64 {
    forecaster.metric("prescale_forecaster_targets", &[]).await.unwrap_or(f64::NAN)
}

async fn is(what: &str, prescale: &Prescale, metric: &str, expected: impl Fn(f64) -> bool) -> f64 {
    eventually(what, async || match prescale.metric(metric, &[]).await {
        Some(value) if expected(value) => Ok(value),
        other => Err(format!("{metric} is {other:?}")),
    })
    .await
}

/// Every value is there, and that for as long as it takes for `done`.
async fn while_answering(
    keda: &Keda,
    triggers: &[Trigger],
    what: &str,
    mut done: impl AsyncFnMut() -> Result<(), String>,
) {
    eventually(what, async || {
        for trigger in triggers {
            let value = keda.value(trigger).await.unwrap_or_else(|status| panic!("{what}: {trigger:?}: {status}"));
            assert!(value > 0.0);
            assert!(keda.is_active(trigger).await.expect("the value is known"));
        }
        done().await
    })
    .await;
}

/// Whether so many forecasters serve, and all targets are told of, each by one.
async fn told_by(scaler: &Prescale, forecasters: f64) -> Result<(), String> {
    let metric = async |name| scaler.metric(name, &[]).await.unwrap_or(f64::NAN);
    let (serving, streams) = (metric("prescale_forecasters_serving").await, metric("prescale_forecast_streams").await);
    if serving == forecasters && streams == TARGETS as f64 {
        Ok(())
    } else {
        Err(format!("{serving} serve, {streams} streams"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_move_from_lost_replicas_to_others_and_to_new_ones_without_a_gap() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let url = server.url();
    let (ports, flags) = ([free_port(), free_port()], ["--prometheus", &url]);
    let first = forecaster(ports[0], &flags).await;
    let scaler = scaler("http", &ports, &flags).await;
    let keda = Keda::connect(scaler.grpc()).await;
    let triggers = triggers(&url);
    all_known(&keda, &triggers).await;
    assert_eq!(targets_of(&first).await, TARGETS as f64);
    assert!(targets_of(&scaler).await.is_nan(), "a scaler asks nobody for loads");

    // a second one comes, and takes its share
    let mut second = forecaster(ports[1], &flags).await;
    let (mut share, mut seen) = (0.0, 0);
    while_answering(&keda, &triggers, "a share for the new one", async || {
        let (own, moves) = (targets_of(&second).await, scaler.metric("prescale_forecast_moves_total", &[]).await);
        seen = if own == share { seen + 1 } else { 0 };
        share = own;
        if own > 0.0 && moves == Some(own) && seen > 5 {
            Ok(())
        } else {
            Err(format!("{own} targets, {moves:?} moves"))
        }
    })
    .await;
    assert!((8.0..32.0).contains(&share), "{share} of {TARGETS}");

    // it stops in good order: what it had goes back, and nothing else moves
    second.terminate();
    while_answering(&keda, &triggers, "the way back", async || {
        match scaler.metric("prescale_forecast_moves_total", &[]).await {
            Some(moves) if moves == 2.0 * share => Ok(()),
            other => Err(format!("{other:?} moves of {}", 2.0 * share)),
        }
    })
    .await;
    assert!(second.end().await.success());
    assert_eq!(second.logged(&["targets were still watched"]), 0, "it was left before it ended its streams");

    // it comes back, and crashes
    let second = forecaster(ports[1], &flags).await;
    is("the share again", &scaler, "prescale_forecast_moves_total", |moves| moves == 3.0 * share).await;
    second.kill();
    while_answering(&keda, &triggers, "the way back after a crash", async || {
        match scaler.metric("prescale_forecast_moves_total", &[]).await {
            Some(moves) if moves == 4.0 * share => Ok(()),
            other => Err(format!("{other:?} moves of {}", 4.0 * share)),
        }
    })
    .await;
    is("one forecaster", &scaler, "prescale_forecasters_serving", |count| count == 1.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_roles_are_restarted_one_after_the_other_without_a_gap() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let url = server.url();
    let (ports, flags) = ([free_port(), free_port()], ["--prometheus", &url]);
    let mut forecasters = [forecaster(ports[0], &flags).await, forecaster(ports[1], &flags).await];
    let mut scaler = self::scaler("http", &ports, &flags).await;
    let mut keda = Keda::connect(scaler.grpc()).await;
    let triggers = triggers(&url);
    all_known(&keda, &triggers).await;
    for (place, port) in ports.into_iter().enumerate() {
        forecasters[place].terminate();
        while_answering(&keda, &triggers, "the stop of a forecaster", async || forecasters[place].has_ended()).await;
        // what is answered from memory is told anew by the one that stays, and then by both
        while_answering(&keda, &triggers, "the targets elsewhere", async || told_by(&scaler, 1.0).await).await;
        forecasters[place] = forecaster(port, &flags).await;
        while_answering(&keda, &triggers, "the return of a forecaster", async || told_by(&scaler, 2.0).await).await;
    }
    // as Kubernetes does it: the new one is there before the old one goes
    for _ in 0..2 {
        let next = self::scaler("http", &ports, &flags).await;
        let to_next = Keda::connect(next.grpc()).await;
        all_known(&to_next, &triggers).await;
        scaler.terminate();
        while_answering(&to_next, &triggers, "the stop of a scaler", async || scaler.has_ended()).await;
        (scaler, keda) = (next, to_next);
    }
    while_answering(&keda, &triggers, "the end", async || Ok(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_forecaster_the_last_outlook_answers_and_a_new_one_is_found() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let url = server.url();
    let (port, flags) = (free_port(), ["--prometheus", &url]);
    let only = forecaster(port, &flags).await;
    let mut scaler = scaler("http", &[port], &flags).await;
    let keda = Keda::connect(scaler.grpc()).await;
    let trigger = [Trigger::light("kept", &url)];
    all_known(&keda, &trigger).await;

    only.pause();
    while_answering(&keda, &trigger, "the loss", async || {
        match scaler.metric("prescale_forecasters_serving", &[]).await {
            Some(0.0) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    only.resume();
    while_answering(&keda, &trigger, "the return", async || {
        match scaler.metric("prescale_forecast_streams", &[]).await {
            Some(1.0) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    only.kill();
    is("the loss", &scaler, "prescale_forecast_streams", |count| count == 0.0).await;
    keda.value(&trigger[0]).await.expect("the last outlook answers");
    let unknown = keda.value(&Trigger::light("unknown", &url)).await.expect_err("nobody knows this one");
    assert_eq!(unknown.code(), tonic::Code::FailedPrecondition);
    scaler.terminate();
    assert!(scaler.end().await.success(), "a scaler without forecasters stops as any");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_speak_over_mutual_tls_and_share_a_redis() {
    let Some(redis) = Redis::started().await else { return };
    let authority = Authority::new();
    let (forecasters, scalers) = (authority.folder("localhost"), authority.folder("scaler"));
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let url = server.url();
    let flags = |own: Vec<String>| [vec!["--prometheus".to_owned(), url.clone()], redis.flags(), own].concat();
    let (of_forecaster, of_scaler) = (flags(forecasters.flags()), flags(scalers.flags()));
    let of_forecaster: Vec<_> = of_forecaster.iter().map(String::as_str).collect();
    let of_scaler: Vec<_> = of_scaler.iter().map(String::as_str).collect();
    let port = free_port();
    let mut forecaster = forecaster(port, &of_forecaster).await;
    let mut scaler = scaler("https", &[port], &of_scaler).await;
    let channel = authority.folder("keda").channel(scaler.grpc(), "scaler").await.expect("KEDA is let in");
    let (keda, trigger) = (Keda::over(channel), Trigger::light("kept", &url));
    let value = keda.value_at_last(&trigger).await;
    eventually("an outlook in Redis", async || redis.outlooks().pop().ok_or_else(|| "nothing yet".to_owned())).await;
    scalers.channel(forecaster.grpc(), "localhost").await.expect("a scaler is let in");
    let stranger = Authority::new().folder("scaler");
    let text = |path| std::fs::read_to_string(path).expect("a file");
    stranger.swap(&text(stranger.certificate()), &text(stranger.key()), &text(scalers.authority()));
    assert!(stranger.channel(forecaster.grpc(), "localhost").await.is_err(), "nobody else may watch");

    // both go; a scaler that comes back alone has what was kept
    forecaster.terminate();
    assert!(forecaster.end().await.success());
    scaler.terminate();
    assert!(scaler.end().await.success());
    let scaler = self::scaler("https", &[port], &of_scaler).await;
    let channel = authority.folder("keda").channel(scaler.grpc(), "scaler").await.expect("KEDA is let in");
    let resumed = Keda::over(channel).value_at_last(&trigger).await;
    assert!((0.5 * value..2.0 * value).contains(&resumed), "{value} before, {resumed} after");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_scalers_tell_the_same_and_what_was_learned_outlives_the_forecaster() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let url = server.url();
    let (ports, flags) = ([free_port(), free_port()], ["--prometheus", &url]);
    let first = forecaster(ports[0], &flags).await;
    let scalers = [scaler("http", &ports, &flags).await, scaler("http", &ports, &flags).await];
    let (one, other) = (Keda::connect(scalers[0].grpc()).await, Keda::connect(scalers[1].grpc()).await);
    let trigger = Trigger::quick("shared", &url);
    one.value_at_last(&trigger).await;
    other.value_at_last(&trigger).await;
    let counted = async |scaler: &Prescale| {
        scaler.metric("prescale_target_pod_seconds_total", &["scaling=\"predictive\""]).await.unwrap_or(0.0)
    };
    let learned = eventually("pods that both counted", async || {
        let counts = [counted(&scalers[0]).await, counted(&scalers[1]).await];
        if counts[0] > 0.0 && counts[0] == counts[1] { Ok(counts[0]) } else { Err(format!("{counts:?}")) }
    })
    .await;
    let (told, also) = (one.value(&trigger).await.expect("known"), other.value(&trigger).await.expect("known"));
    assert!(told == also, "{told} and {also}");

    // the forecaster is gone for good; another knows nothing but what the scalers bring
    first.kill();
    let second = forecaster(ports[1], &flags).await;
    is("targets of the new one", &second, "prescale_forecaster_targets", |targets| targets == 1.0).await;
    let restarted = scaler("http", &ports[1..], &flags).await;
    Keda::connect(restarted.grpc()).await.value_at_last(&trigger).await;
    let known = counted(&restarted).await;
    assert!(known >= learned, "{known} after, {learned} before");
}
