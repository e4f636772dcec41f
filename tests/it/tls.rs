//! The gRPC port over TLS: who is let in, and certificates that change while it serves.

use tonic::transport::Endpoint;

use crate::harness::certificates::{Authority, Certificates};
use crate::harness::eventually::eventually;
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::prescale::Prescale;

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_are_swapped_are_served_and_broken_ones_are_not() {
    let authority = Authority::new();
    let (scaler, keda) = (authority.folder("before"), authority.folder("keda"));
    let prescale = serve(&scaler).await;
    is_let_in(&prescale, &keda, "before").await.expect("all is well");

    authority.renew(&scaler, "after");
    eventually("the new certificate", async || is_let_in(&prescale, &keda, "after").await).await;
    is_let_in(&prescale, &keda, "before").await.expect_err("that certificate is gone");
    assert_eq!(prescale.metric("prescale_certificate_reloads_total", &[]).await, Some(1.0));

    // the key of another
    let text = |path| std::fs::read_to_string(path).expect("a file");
    scaler.swap(&text(scaler.certificate()), &text(keda.key()), &text(scaler.authority()));
    eventually("a metric that tells of it", async || {
        match prescale.metric("prescale_certificate_refused", &[]).await {
            Some(1.0) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    is_let_in(&prescale, &keda, "after").await.expect("what was in force stays in force");
    assert_eq!(prescale.logged(&["certificates cannot be used, those of before stay in force"]), 1);
    assert_eq!(prescale.logged(&["PRIVATE KEY"]), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_certificate_of_the_authority_is_not_let_in() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (scaler, stranger) = (authority.folder("scaler"), other.folder("keda"));
    let prescale = serve(&scaler).await;
    let text = |path| std::fs::read_to_string(path).expect("a file");
    stranger.swap(&text(stranger.certificate()), &text(stranger.key()), &text(scaler.authority()));
    is_let_in(&prescale, &stranger, "scaler").await.expect_err("nobody here signed its certificate");
    let plain = Endpoint::from_shared(format!("http://{}", prescale.grpc())).expect("a URL");
    let asked = match plain.connect().await {
        Ok(channel) => tonic_health::pb::health_client::HealthClient::new(channel)
            .check(tonic_health::pb::HealthCheckRequest::default())
            .await
            .map(drop)
            .map_err(drop),
        Err(_) => Err(()),
    };
    asked.expect_err("plain text is no TLS");
    is_let_in(&prescale, &authority.folder("keda"), "scaler").await.expect("it serves whom it should");
}

async fn serve(certificates: &Certificates) -> Prescale {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let flags = certificates.flags();
    let url = server.url();
    let flags: Vec<_> = ["--prometheus", &url].into_iter().chain(flags.iter().map(String::as_str)).collect();
    Prescale::serve(&flags).await
}

/// Asks for its health as one who has `certificates`, and checks that the server is `name`.
async fn is_let_in(prescale: &Prescale, certificates: &Certificates, name: &str) -> Result<(), String> {
    certificates.channel(prescale.grpc(), name).await.map(drop)
}
