//! Start, stop and crash of the process.

use std::time::Duration;

use tokio::net::TcpStream;

use crate::harness::eventually::eventually;
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::prescale::{Prescale, StateFolder, run};

#[tokio::test(flavor = "multi_thread")]
async fn neither_silent_connections_nor_hanging_queries_hold_up_the_stop() {
    let server = FaultyPrometheus::start(Behavior::Slow);
    let mut prescale = Prescale::serve(&["--prometheus", &server.url(), "--query-timeout", "1m"]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    keda.value(&Trigger::light("hanging", &server.url())).await.expect_err("nothing is known yet");
    eventually("a query", async || if server.instant_queries() > 0 { Ok(()) } else { Err("none yet".to_owned()) })
        .await;
    let to_grpc = TcpStream::connect(prescale.grpc()).await.expect("it listens");
    let to_http = TcpStream::connect(prescale.http()).await.expect("it listens");
    prescale.terminate();
    assert!(prescale.end().await.success());
    drop((to_grpc, to_http));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_leaves_a_state_folder_that_can_be_used() {
    let mut server = FaultyPrometheus::start(Behavior::Healthy);
    let state = StateFolder::new();
    let trigger = Trigger::light("crashed", &server.url());
    // at other moments of the two seconds between two writes each time; the tests of `store` kill within a write
    for pause in [0, 300, 900, 1700, 2100] {
        let prescale = Prescale::serve_from(&state, &["--prometheus", &server.url()]).await;
        Keda::connect(prescale.grpc()).await.value_at_last(&trigger).await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        assert_eq!(prescale.logged(&["set aside"]), 0, "the crash before broke nothing");
        prescale.kill();
    }
    // the last one lived long enough for a write, which answers where Prometheus does not
    server.behave(Behavior::Down);
    let prescale = Prescale::serve_from(&state, &["--prometheus", &server.url()]).await;
    Keda::connect(prescale.grpc()).await.value_at_last(&trigger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_asks_for_what_came_since_and_for_no_history() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let state = StateFolder::new();
    let trigger = Trigger::quick("remembered", &server.url());
    let flags = ["--prometheus", &server.url()];
    let mut before = Prescale::serve_from(&state, &flags).await;
    has_forecast(&before, &Keda::connect(before.grpc()).await, &trigger).await;
    assert!(server.points() > 2000, "six hours of it");
    before.terminate();
    assert!(before.end().await.success());
    server.points();

    let after = Prescale::serve_from(&state, &flags).await;
    has_forecast(&after, &Keda::connect(after.grpc()).await, &trigger).await;
    // half a page may be asked for on a machine that is slow to restart it
    assert!(server.points() < 500, "minutes at most");
}

/// Waits until `prescale` has made a forecast of its own, and there is a value.
pub(crate) async fn has_forecast(prescale: &Prescale, keda: &Keda, trigger: &Trigger) {
    eventually("a forecast that this process has made", async || {
        keda.value(trigger).await.map_err(|status| status.to_string())?;
        let fits = prescale.metric("prescale_fit_duration_seconds_count", &[]).await;
        fits.filter(|&fits| fits > 0.0).map(drop).ok_or_else(|| "no fit yet".to_owned())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_learned_by_answering_outlives_a_restart() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let state = StateFolder::new();
    let trigger = Trigger::quick("learning", &server.url());
    let flags = ["--prometheus", &server.url()];
    let (counter, labels) = ("prescale_target_pod_seconds_total", ["scaling=\"predictive\""]);
    let mut before = Prescale::serve_from(&state, &flags).await;
    let keda = Keda::connect(before.grpc()).await;
    keda.value_at_last(&trigger).await;
    let learned = eventually("pods that were counted", async || {
        keda.value(&trigger).await.map_err(|status| status.to_string())?;
        before.metric(counter, &labels).await.filter(|&count| count > 0.0).ok_or_else(|| "none yet".to_owned())
    })
    .await;
    before.terminate();
    assert!(before.end().await.success());

    let after = Prescale::serve_from(&state, &flags).await;
    Keda::connect(after.grpc()).await.value_at_last(&trigger).await;
    let known = after.metric(counter, &labels).await.expect("there was a plan");
    assert!(known >= learned, "{known} after, {learned} before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_no_answer_and_is_over_when_there_is_room() {
    let Some(state) = StateFolder::on_a_small_disk().await else { return };
    let disk = state.disk.as_ref().expect("it is on one");
    let mut server = FaultyPrometheus::start(Behavior::Healthy);
    let flags = ["--prometheus", &server.url()];
    let mut prescale = Prescale::serve_from(&state, &flags).await;
    let keda = Keda::connect(prescale.grpc()).await;
    // each outlook is a part of a megabyte only, and room that was free within the file is used first
    let triggers: Vec<_> =
        (40..60).map(|load| Trigger::light("kept", &server.url()).with("threshold", &load.to_string())).collect();
    keda.value_at_last(&triggers[0]).await;
    for full in [true, false] {
        if full {
            disk.fill();
        } else {
            disk.free();
        }
        for trigger in &triggers {
            keda.value_at_last(trigger).await;
        }
        eventually("the state of the store", async || {
            for trigger in &triggers {
                keda.value(trigger).await.expect("the memory is enough");
            }
            assert_eq!(prescale.get("/readyz").await.0, 200, "a full disk makes nothing unready");
            match prescale.metric("prescale_store_up", &[]).await {
                Some(value) if (value == 0.0) == full => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
    assert_eq!(prescale.logged(&["store failing"]), 1);
    assert_eq!(prescale.logged(&["store working again"]), 1);
    prescale.terminate();
    assert!(prescale.end().await.success());

    // all of them were kept
    server.behave(Behavior::Down);
    let prescale = Prescale::serve_from(&state, &flags).await;
    assert_eq!(prescale.logged(&["set aside"]), 0, "nothing is broken");
    let keda = Keda::connect(prescale.grpc()).await;
    for trigger in &triggers {
        keda.value_at_last(trigger).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_holds_is_named() {
    let state = StateFolder::new();
    let prescale = Prescale::serve_from(&state, &["--allow-server", "*"]).await;
    let taken = state.path().display().to_string();
    let other_state = StateFolder::new();
    let free = other_state.path().display().to_string();
    for (flags, named) in [
        (["--state", &taken, "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0"], taken.as_str()),
        (["--state", &free, "--grpc-address", prescale.grpc(), "--http-address", "127.0.0.1:0"], prescale.grpc()),
        (["--state", &free, "--grpc-address", "127.0.0.1:0", "--http-address", prescale.http()], prescale.http()),
    ] {
        let output = run(&[["serve", "--allow-server", "*"].as_slice(), &flags].concat());
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(named), "{named} is missing in: {text}");
    }
}
