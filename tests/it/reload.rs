//! A configuration file that changes while the process runs.

use rustix::process::Signal;
use tonic::Code;

use crate::harness::eventually::eventually;
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::prescale::Prescale;

async fn is_logged(prescale: &Prescale, parts: &[&str], times: usize) {
    eventually("a line in the log", async || match prescale.logged(parts) {
        found if found == times => Ok(()),
        found => Err(format!("{parts:?} {found} times")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_changed_takes_effect_and_one_with_mistakes_changes_nothing() {
    let (server, other) = (FaultyPrometheus::start(Behavior::Healthy), FaultyPrometheus::start(Behavior::Healthy));
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("prescale.yaml");
    let write = |text: &str| std::fs::write(&path, text).expect("the folder is writable");
    let first = format!("allowServers: ['{}']\n", server.url());
    write(&first);
    let mut prescale = Prescale::serve(&["--config", &path.display().to_string()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let (known, new) = (Trigger::light("known", &server.url()), Trigger::light("new", &other.url()));
    let value = keda.value_at_last(&known).await;
    let refused = async |trigger: &Trigger, code: Code| {
        eventually("the refusal", async || match keda.value(trigger).await {
            Err(status) if status.code() == code => Ok(()),
            answer => Err(format!("{answer:?}")),
        })
        .await;
    };
    refused(&new, Code::PermissionDenied).await;

    // without a signal too, within seconds
    write("allowServers: ['ftp://nowhere']\nmaxTargets: none\n");
    is_logged(&prescale, &["the configuration of before stays in force", "ftp://nowhere", "maxTargets"], 1).await;
    refused(&new, Code::PermissionDenied).await;
    assert!(keda.value(&known).await.is_ok());
    // who asks again is told again
    prescale.signal(Signal::HUP);
    is_logged(&prescale, &["the configuration of before stays in force", "ftp://nowhere", "maxTargets"], 2).await;

    write(&format!("allowServers: ['{}', '{}']\nmaxTargets: 2\ngrpcAddress: 127.0.0.1:1\n", server.url(), other.url()));
    prescale.signal(Signal::HUP);
    assert!(keda.value_at_last(&new).await > 0.0);
    is_logged(&prescale, &["takes effect at the next start", "grpcAddress"], 0).await;
    refused(&Trigger::light("one-too-many", &server.url()), Code::ResourceExhausted).await;
    let still = keda.value(&known).await.expect("it is known");
    assert!((0.5 * value..2.0 * value).contains(&still), "{value} before, {still} after");

    prescale.terminate();
    assert!(prescale.end().await.success());
}
