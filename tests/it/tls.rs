//! The gRPC port over TLS: who is let in, and certificates that change while it serves.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
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
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(certificates.authority()).expect("a file") {
        roots.add(certificate.expect("PEM")).expect("a certificate");
    }
    let chain = CertificateDer::pem_file_iter(certificates.certificate()).expect("a file");
    let chain = chain.map(|certificate| certificate.expect("PEM")).collect();
    let key = PrivateKeyDer::from_pem_file(certificates.key()).expect("a key");
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("versions of TLS").with_root_certificates(roots);
    let mut config = builder.with_client_auth_cert(chain, key).expect("a pair");
    config.alpn_protocols = vec![b"h2".to_vec()];

    let stream = TcpStream::connect(prescale.grpc()).await.map_err(|error| error.to_string())?;
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| error.to_string())?;
    let mut stream = Some(hyper_util::rt::TokioIo::new(stream));
    let connector = tower::service_fn(move |_| {
        std::future::ready(stream.take().ok_or(std::io::Error::from(std::io::ErrorKind::NotConnected)))
    });
    let channel = Endpoint::from_static("http://scaler").connect_with_connector(connector).await;
    let channel = channel.map_err(|error| error.to_string())?;
    let answer = tonic_health::pb::health_client::HealthClient::new(channel)
        .check(tonic_health::pb::HealthCheckRequest::default())
        .await;
    answer.map(drop).map_err(|status| status.to_string())
}
