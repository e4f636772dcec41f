//! KEDA's own client code as the oracle: `tests/keda-client`, written in Go, against the real processes.

use std::path::Path;

use tokio::task::spawn_blocking;

use crate::harness::prescale::Prescale;
use crate::harness::prometheus::Prometheus;
use crate::harness::{load, programs};

#[tokio::test(flavor = "multi_thread")]
async fn kedas_own_client_finds_nothing_to_complain_about() {
    if !programs::are_installed(&["go"], "to install: https://go.dev/doc/install") {
        return;
    }
    let Some(prometheus) = Prometheus::with_history().await else { return };
    let mut prescale = Prescale::serve(&["--prometheus", &prometheus.url()]).await;
    let mut command = std::process::Command::new("go");
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("keda-client"))
        .args(["run", ".", "-namespace", "ml-autoscaler", "-name", "chat-backend", "-address", prescale.grpc()])
        .args(["-pid", &prescale.id().to_string(), "-at-least", &load::LEAST.to_string()]);
    for metadata in ["query=chat_load", "threshold=12.5", "leadTime=3m", "slo=99%", "activationThreshold=5"] {
        command.args(["-metadata", metadata]);
    }
    let output = spawn_blocking(move || command.output()).await.expect("no panic").expect("go was found");
    let (report, violations) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{violations}\n{report}");
    assert!(prescale.end().await.success(), "the client ends it with SIGTERM");
}
