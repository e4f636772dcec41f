//! KEDA's own client code as the oracle: `tests/keda-client`, written in Go, against the real processes.

use std::path::Path;

use tokio::task::spawn_blocking;

use crate::harness::certificates::{Authority, Certificates};
use crate::harness::prescale::Prescale;
use crate::harness::prometheus::Prometheus;
use crate::harness::{load, programs};

#[tokio::test(flavor = "multi_thread")]
async fn kedas_own_client_finds_nothing_to_complain_about() {
    is_satisfied(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kedas_own_client_is_content_over_mutual_tls_too() {
    let authority = Authority::new();
    let (scaler, keda) = (authority.folder("localhost"), authority.folder("keda"));
    is_satisfied(Some((&scaler, &keda))).await;
}

/// Has KEDA's client play against a scaler; over TLS with the certificates of both, where they are given.
async fn is_satisfied(certificates: Option<(&Certificates, &Certificates)>) {
    if !programs::are_installed(&["go"], "to install: https://go.dev/doc/install") {
        return;
    }
    let Some(prometheus) = Prometheus::with_history().await else { return };
    let url = prometheus.url();
    let flags = certificates.map(|(scaler, _)| scaler.flags()).unwrap_or_default();
    let flags: Vec<_> = ["--prometheus", &url].into_iter().chain(flags.iter().map(String::as_str)).collect();
    let mut prescale = Prescale::serve(&flags).await;
    let mut command = std::process::Command::new("go");
    let address = prescale.grpc().replace("127.0.0.1", "localhost");
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("keda-client"))
        .args(["run", ".", "-namespace", "ml-autoscaler", "-name", "chat-backend", "-address", &address])
        .args(["-pid", &prescale.id().to_string(), "-at-least", &load::LEAST.to_string()]);
    if let Some((_, keda)) = certificates {
        command.arg("-ca").arg(keda.authority()).arg("-cert").arg(keda.certificate()).arg("-key").arg(keda.key());
    }
    for metadata in ["query=chat_load", "threshold=12.5", "leadTime=3m", "slo=99%", "activationThreshold=5"] {
        command.args(["-metadata", metadata]);
    }
    let output = spawn_blocking(move || command.output()).await.expect("no panic").expect("go was found");
    let (report, violations) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{violations}\n{report}");
    assert!(prescale.end().await.success(), "the client ends it with SIGTERM");
}
