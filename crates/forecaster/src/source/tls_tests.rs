//! The source over TLS: whose certificate is believed, and which one is shown.

use std::net::SocketAddr;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use series::FaultKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};

use super::*;
use crate::testing::query;

/// A certificate authority of one test.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(vec![]).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(parameters, key), certificate }
    }

    /// A certificate for 127.0.0.1 and its key.
    fn issue(&self) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        (parameters.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A server that shows a certificate of this authority, and wants one of it where `asks_for_one`.
    async fn server(&self, asks_for_one: bool) -> ServerAddress {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
        let builder = if asks_for_one {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let (certificate, key) = self.issue();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        format!("https://{}", serve(TlsAcceptor::from(Arc::new(config))).await).parse().unwrap()
    }
}

async fn serve(acceptor: TlsAcceptor) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 4096]).await;
            let body = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"7"]}}"#;
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all((head + body).as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

fn credentials(server: &ServerAddress) -> Credentials {
    Credentials::for_servers(vec![server.as_str().parse().unwrap()])
}

async fn observe(query: PrometheusQuery, credentials: Option<Credentials>) -> Result<f64, SourceError> {
    let mut settings = SourceSettings::new(None, Allowed::Any(vec![]));
    let mut query = query;
    if let Some(own) = credentials {
        settings.credentials.insert("own".parse().unwrap(), own);
        query.credentials = Some("own".parse().unwrap());
    }
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    Source::new(settings).unwrap().observe(&query, now).await.map(Load::get)
}

#[tokio::test]
async fn a_certificate_is_believed_only_where_its_authority_is_known_or_the_metadata_ask_for_no_check() {
    let authority = Authority::new();
    let server = authority.server(false).await;
    let error = observe(query(Some(&server)), None).await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Unreachable);
    assert!(error.to_string().contains("certificate"), "{error}");

    let unchecked = PrometheusQuery { accept_any_certificate: true, ..query(Some(&server)) };
    assert_eq!(observe(unchecked, None).await, Ok(7.0));

    let known = Credentials { authority_pem: Some(Secret::new(authority.certificate.pem())), ..credentials(&server) };
    assert_eq!(observe(query(Some(&server)), Some(known)).await, Ok(7.0));

    let other =
        Credentials { authority_pem: Some(Secret::new(Authority::new().certificate.pem())), ..credentials(&server) };
    assert_eq!(observe(query(Some(&server)), Some(other)).await.unwrap_err().kind(), FaultKind::Unreachable);
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_the_server_it_is_for() {
    let authority = Authority::new();
    let server = authority.server(true).await;
    let (certificate, key) = authority.issue();
    let bare = Credentials { authority_pem: Some(Secret::new(authority.certificate.pem())), ..credentials(&server) };
    let identity =
        ClientIdentity { certificate_pem: Secret::new(certificate.pem()), key_pem: Secret::new(key.serialize_pem()) };
    let known = Credentials { identity: Some(identity), ..bare.clone() };
    assert_eq!(observe(query(Some(&server)), Some(known)).await, Ok(7.0));
    assert_eq!(observe(query(Some(&server)), Some(bare)).await.unwrap_err().kind(), FaultKind::Unreachable);
}

#[tokio::test]
async fn certificates_in_files_are_those_of_the_moment_and_unusable_ones_are_left() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let path = folder.path().join("ca.crt");
    std::fs::write(&path, authority.certificate.pem()).unwrap();
    let (before, after) = (authority.server(false).await, Authority::new());
    let mut settings = SourceSettings::new(None, Allowed::Any(vec![]));
    let later = after.server(false).await;
    let servers = [&before, &later].map(|server| server.as_str().parse().unwrap()).to_vec();
    let own = Credentials { authority_pem: Some(Secret::in_file(&path)), ..Credentials::for_servers(servers) };
    settings.credentials.insert("own".parse().unwrap(), own);
    let source = Source::new(settings).unwrap();
    let is_believed = async |server: &ServerAddress| {
        let query = PrometheusQuery { credentials: Some("own".parse().unwrap()), ..query(Some(server)) };
        source.observe(&query, Timestamp::UNIX_EPOCH).await.is_ok()
    };
    assert!(is_believed(&before).await && !is_believed(&later).await);
    std::fs::write(&path, "half a certificate").unwrap();
    assert!(is_believed(&before).await, "what cannot be used is left");
    std::fs::write(&path, after.certificate.pem()).unwrap();
    assert!(is_believed(&later).await && !is_believed(&before).await);
    std::fs::remove_file(&path).unwrap();
    assert!(is_believed(&later).await);
}

#[test]
fn a_key_that_is_none_is_refused_without_showing_it() {
    let (certificate, _) = Authority::new().issue();
    let mut own = Credentials::for_servers(vec!["https://p".parse().unwrap()]);
    own.identity =
        Some(ClientIdentity { certificate_pem: Secret::new(certificate.pem()), key_pem: Secret::new("hush") });
    let mut settings = SourceSettings::new(None, Allowed::Any(vec![]));
    settings.credentials.insert("own".parse().unwrap(), own);
    let error = Source::new(settings).unwrap_err().to_string();
    assert!(error.contains("credentials `own`") && !error.contains("hush"), "{error}");
}
