//! Outlooks in Redis: they outlive a process, and a Redis that fails costs no answer.

use crate::harness::eventually::eventually;
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::prescale::Prescale;
use crate::harness::redis::Redis;
use crate::lifecycle::has_forecast;

async fn serve(server: &FaultyPrometheus, redis: &Redis) -> (Prescale, Keda, Trigger) {
    let (url, redis) = (server.url(), redis.flags());
    let flags: Vec<_> = ["--prometheus", &url].into_iter().chain(redis.iter().map(String::as_str)).collect();
    let prescale = Prescale::serve(&flags).await;
    let keda = Keda::connect(prescale.grpc()).await;
    (prescale, keda, Trigger::light("kept", &url))
}

/// Waits until the store works, or until it does not.
async fn store_is(prescale: &Prescale, up: bool) {
    eventually("the state of the store", async || match prescale.metric("prescale_store_up", &[]).await {
        Some(value) if (value == 1.0) == up => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let (status, text) = prescale.get("/readyz").await;
    assert_eq!(status, 200, "a store that fails makes nothing unready");
    assert_eq!(text.contains("outlooks are kept in memory only"), !up, "{text}");
}

async fn one_is_kept(redis: &Redis) -> String {
    eventually("an outlook in Redis", async || redis.outlooks().pop().ok_or_else(|| "nothing yet".to_owned())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_process_answers_at_once_from_what_another_kept() {
    let Some(redis) = Redis::started().await else { return };
    let mut server = FaultyPrometheus::start(Behavior::Healthy);
    let (mut first, keda, trigger) = serve(&server, &redis).await;
    let value = keda.value_at_last(&trigger).await;
    first.terminate();
    assert!(first.end().await.success());
    let key = one_is_kept(&redis).await;
    let left: u64 = redis.ask(&["TTL", &key]).parse().expect("a number of seconds");
    assert!((80_000..=86_400).contains(&left), "it is kept for a day: {left}");

    server.behave(Behavior::ServerError);
    let (second, keda, trigger) = serve(&server, &redis).await;
    let resumed = keda.value_at_last(&trigger).await;
    assert!((0.5 * value..2.0 * value).contains(&resumed), "{value} before, {resumed} after");
    assert_eq!(first.logged(&["hush-redis"]) + second.logged(&["hush-redis"]), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_process_asks_for_no_history_that_another_kept() {
    let Some(redis) = Redis::started().await else { return };
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let (mut first, keda, _) = serve(&server, &redis).await;
    let trigger = Trigger::quick("kept", &server.url());
    has_forecast(&first, &keda, &trigger).await;
    first.terminate();
    assert!(first.end().await.success());
    let [key] = redis.histories().try_into().expect("one history");
    assert_eq!(redis.ask(&["TYPE", &key]), "hash");
    let left: u64 = redis.ask(&["TTL", &key]).parse().expect("a number of seconds");
    assert!((80_000..=86_400).contains(&left), "it is kept for a day: {left}");
    server.points();
    let (mut second, keda, _) = serve(&server, &redis).await;
    has_forecast(&second, &keda, &trigger).await;
    assert!(server.points() < 500, "minutes at most");
    second.terminate();
    assert!(second.end().await.success());

    // somebody else's, and a page that is none: it is read anew, and takes their place
    for wrong in [["LPUSH", &key, "an item", ""], ["HSET", &key, "0", "no page"]] {
        redis.ask(&["DEL", &key]);
        redis.ask(if wrong[3].is_empty() { &wrong[..3] } else { &wrong });
        server.points();
        let (mut third, keda, _) = serve(&server, &redis).await;
        has_forecast(&third, &keda, &trigger).await;
        assert!(server.points() > 2000, "six hours of it");
        assert_eq!(third.logged(&["stored history is passed over"]), 1);
        third.terminate();
        assert!(third.end().await.success());
        assert_eq!(redis.ask(&["TYPE", &key]), "hash");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_down_at_the_start_is_used_when_it_comes_and_when_it_comes_back() {
    let Some(mut redis) = Redis::stopped() else { return };
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let (prescale, keda, trigger) = serve(&server, &redis).await;
    keda.value_at_last(&trigger).await;
    store_is(&prescale, false).await;
    redis.start().await;
    store_is(&prescale, true).await;
    one_is_kept(&redis).await;

    redis.process.kill();
    store_is(&prescale, false).await;
    keda.value(&trigger).await.expect("the memory is enough");
    redis.start().await;
    store_is(&prescale, true).await;
    one_is_kept(&redis).await;
    redis.ask(&["FLUSHALL"]);
    one_is_kept(&redis).await;
    assert_eq!(prescale.logged(&["store failing"]), 2, "each time once");
    assert_eq!(prescale.logged(&["store working again"]), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_refuses_or_hangs_costs_no_answer() {
    let Some(redis) = Redis::started().await else { return };
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let (mut prescale, keda, trigger) = serve(&server, &redis).await;
    keda.value_at_last(&trigger).await;
    one_is_kept(&redis).await;
    redis.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    store_is(&prescale, false).await;
    assert!(prescale.get("/readyz").await.1.contains("read only"));
    keda.value(&trigger).await.expect("the memory is enough");
    redis.ask(&["REPLICAOF", "NO", "ONE"]);
    store_is(&prescale, true).await;

    redis.process.pause();
    store_is(&prescale, false).await;
    let another = trigger.with("threshold", "41");
    keda.value_at_last(&another).await;
    redis.process.resume();
    store_is(&prescale, true).await;
    redis.process.pause();
    prescale.terminate();
    assert!(prescale.end().await.success(), "a hanging Redis does not hold up the stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_set_aside_and_replaced() {
    let Some(redis) = Redis::started().await else { return };
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let (mut prescale, keda, trigger) = serve(&server, &redis).await;
    keda.value_at_last(&trigger).await;
    let key = one_is_kept(&redis).await;
    prescale.terminate();
    prescale.end().await;
    // what a later version keeps under names of its own is not touched
    let later = key.replace("outlook:1:", "outlook:2:");
    redis.ask(&["SET", &later, "of tomorrow"]);
    let record_of_tomorrow = ["SET", r#"{"format":99,"outlook":{"of":"tomorrow"}}"#];
    for wrong in [["SET", "somebody's text"], ["LPUSH", "somebody's item"], record_of_tomorrow] {
        redis.ask(&["DEL", &key]);
        redis.ask(&[wrong[0], &key, wrong[1]]);
        let (mut prescale, keda, trigger) = serve(&server, &redis).await;
        keda.value_at_last(&trigger).await;
        eventually("both in Redis", async || {
            let mut keys = redis.outlooks();
            keys.sort();
            if keys == [key.clone(), format!("{key}:broken"), later.clone()] {
                Ok(())
            } else {
                Err(format!("{keys:?}"))
            }
        })
        .await;
        assert_eq!(prescale.logged(&["stored outlook cannot be read, it is set aside"]), 1);
        store_is(&prescale, true).await;
        prescale.terminate();
        prescale.end().await;
    }
    assert_eq!(redis.ask(&["GET", &later]), "of tomorrow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_takes_its_time_costs_no_answer() {
    let Some(redis) = Redis::started().await else { return };
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let (prescale, keda, trigger) = serve(&server, &redis).await;
    keda.value_at_last(&trigger).await;
    one_is_kept(&redis).await;
    // nobody is answered for twenty seconds; after that everything is as it was
    redis.ask(&["CLIENT", "PAUSE", "20000", "ALL"]);
    store_is(&prescale, false).await;
    keda.value(&trigger).await.expect("the memory is enough");
    keda.value_at_last(&trigger.with("threshold", "42")).await;
    store_is(&prescale, true).await;
    eventually("both in Redis", async || match redis.outlooks().len() {
        2 => Ok(()),
        count => Err(format!("{count}")),
    })
    .await;
}
