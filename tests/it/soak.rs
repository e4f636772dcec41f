//! Faults at random for as long as there is patience: no answer is lost, and nothing grows.
//!
//! A minute, or `PRESCALE_SOAK_SECONDS` (`just soak`).

use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::harness::eventually::eventually;
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::load;
use crate::harness::prescale::Prescale;

const SERVERS: usize = 3;
const TARGETS_PER_SERVER: usize = 10;

/// Connections to Prometheus that are kept for the next question, and are there or not: some for each server.
const POOLED: u64 = 30;

/// What the allocator keeps for itself: a leak of a kilobyte per question is more in a minute.
const KEPT_BY_THE_ALLOCATOR: u64 = 24 * 1024 * 1024;

/// What the process holds at one moment.
#[derive(Debug, Clone, Copy)]
struct Held {
    bytes: u64,
    files: u64,
    tasks: u64,
}

impl Held {
    async fn by(prescale: &Prescale) -> Self {
        let of_process = |path: &str| format!("/proc/{}/{path}", prescale.id());
        let status = std::fs::read_to_string(of_process("status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells it");
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        let files = std::fs::read_dir(of_process("fd")).expect("it runs").count() as u64;
        let tasks = prescale.metric("prescale_tasks", &[]).await.expect("it tells them");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let tasks = tasks as u64;
        Self { bytes: kilobytes * 1024, files, tasks }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_faults_at_random_no_answer_is_lost_and_nothing_grows() {
    let stated = std::env::var("PRESCALE_SOAK_SECONDS").ok();
    let seconds: u64 = stated.map_or(60, |text| text.parse().expect("PRESCALE_SOAK_SECONDS is a whole number"));
    let mut servers: Vec<_> = (0..SERVERS).map(|_| FaultyPrometheus::start(Behavior::Healthy)).collect();
    let prescale = Prescale::serve(&["--allow-server", "*", "--query-timeout", "1s"]).await;
    let name = |number: usize| &*Box::leak(format!("object-{number}").into_boxed_str());
    let triggers: Vec<_> = (0..SERVERS * TARGETS_PER_SERVER)
        .map(|number| Trigger::light(name(number), &servers[number % SERVERS].url()))
        .collect();
    let keda = Keda::connect(prescale.grpc()).await;
    for trigger in &triggers {
        keda.value_at_last(trigger).await;
    }
    eventually("a forecast of each", async || {
        let (_, metrics) = prescale.get("/metrics").await;
        let count = metrics.lines().filter(|line| line.starts_with("prescale_target_forecast{")).count();
        if count == triggers.len() { Ok(()) } else { Err(format!("{count}")) }
    })
    .await;
    drop(keda);

    // what a first round of faults leaves behind is there once
    trouble(&prescale, &mut servers, &triggers, Duration::from_secs(seconds.min(40) / 4)).await;
    let before = at_rest(&prescale, &mut servers, None).await;
    trouble(&prescale, &mut servers, &triggers, Duration::from_secs(seconds)).await;
    let after = at_rest(&prescale, &mut servers, Some(before)).await;
    let most = before.bytes + before.bytes / 5 + KEPT_BY_THE_ALLOCATOR;
    assert!(after.bytes <= most, "{before:?} before {seconds} s of faults, {after:?} after");
}

/// Faults at random for so long: servers that fail in turn, streams and connections that come and go. Every value is there.
async fn trouble(prescale: &Prescale, servers: &mut [FaultyPrometheus], triggers: &[Trigger], length: Duration) {
    let began = Instant::now();
    while began.elapsed() < length {
        let behavior =
            if fastrand::bool() { Behavior::Healthy } else { fastrand::choice(Behavior::FAULTS).expect("some") };
        servers[fastrand::usize(..servers.len())].behave(behavior);
        // KEDA comes anew, as after a restart of its own
        let keda = Keda::connect(prescale.grpc()).await;
        let mut streams = Vec::new();
        for trigger in triggers {
            if fastrand::u8(..4) == 0 {
                streams.push(keda.stream_is_active(trigger).await);
            }
        }
        join_all(triggers.iter().map(async |trigger| {
            let value =
                keda.value(trigger).await.unwrap_or_else(|status| panic!("{behavior:?}, {trigger:?}: {status}"));
            assert!((load::LEAST..2.0 * load::MOST).contains(&value), "{behavior:?}, {trigger:?}: {value}");
            assert!(keda.is_active(trigger).await.expect("the value is known"), "{behavior:?}, {trigger:?}");
        }))
        .await;
        for address in [prescale.http(), prescale.grpc()] {
            let mut stranger = TcpStream::connect(address).await.expect("it listens");
            stranger.write_all(b"GET /metrics HTTP/1.1\r\nhost: half a que").await.expect("it is open");
        }
        assert_eq!(prescale.get("/readyz").await.0, 200, "nothing of this makes it unready");
        tokio::time::sleep(Duration::from_millis(fastrand::u64(50..500))).await;
    }
}

/// What is held once every server is sound and nobody calls; where it is stated what was held before, as soon as there are no
/// more tasks and files than then.
async fn at_rest(prescale: &Prescale, servers: &mut [FaultyPrometheus], before: Option<Held>) -> Held {
    for server in servers.iter_mut() {
        server.behave(Behavior::Healthy);
    }
    let asked = servers.iter().map(FaultyPrometheus::instant_queries).sum::<usize>();
    eventually("rest", async || {
        let since = servers.iter().map(FaultyPrometheus::instant_queries).sum::<usize>() - asked;
        let held = Held::by(prescale).await;
        let grew =
            before.is_some_and(|before| held.tasks > before.tasks + POOLED || held.files > before.files + POOLED);
        // each target was refreshed a few times
        if since > 4 * SERVERS * TARGETS_PER_SERVER && !grew {
            Ok(held)
        } else {
            Err(format!("{held:?}, {before:?} before"))
        }
    })
    .await
}
