//! Which threads do what, as the operating system counts it.

use std::fs;

use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::prescale::Prescale;

const CALLS: u64 = 300;

/// How often the threads of `prescale` that are called `name` have waited for something to do, and how far each stands back.
fn threads(prescale: &Prescale, name: &str) -> (u64, Vec<i32>) {
    let (mut waits, mut nice) = (0, Vec::new());
    for thread in fs::read_dir(format!("/proc/{}/task", prescale.id())).expect("it runs").flatten() {
        // a thread may end meanwhile
        let read = |file: &str| fs::read_to_string(thread.path().join(file)).unwrap_or_default();
        if read("comm").trim() != name {
            continue;
        }
        let status = read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        waits += line.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or_default();
        // after the name in brackets: state, 15 numbers, and then that
        let stat = read("stat");
        nice.extend(stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(16)?.parse::<i32>().ok()));
    }
    (waits, nice)
}

#[tokio::test(flavor = "multi_thread")]
async fn keda_is_answered_by_threads_that_the_work_stands_back_behind() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let trigger = Trigger::light("answered", &server.url());
    keda.value_at_last(&trigger).await;
    let (before, answering) = threads(&prescale, "answers");
    for _ in 0..CALLS {
        keda.value(&trigger).await.expect("it is known");
    }
    let (after, _) = threads(&prescale, "answers");
    assert!(after - before > CALLS / 3, "{} waits for {CALLS} calls one after the other", after - before);
    let (_, working) = threads(&prescale, "work");
    let (most, least) = (answering.iter().max(), working.iter().min());
    assert!(most.is_some() && most < least, "{answering:?} before {working:?}");
}
