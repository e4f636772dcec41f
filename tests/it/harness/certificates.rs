//! Certificates as Kubernetes mounts them: files that are links, all swapped at once.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// A certificate authority of one test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::new(vec![]).expect("no names");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// A mounted Secret with a certificate for `name`.
    pub(crate) fn folder(&self, name: &str) -> Certificates {
        let folder = tempfile::tempdir().expect("there is room for a temporary directory");
        for file in ["tls.crt", "tls.key", "ca.crt"] {
            symlink(Path::new("..data").join(file), folder.path().join(file)).expect("a link");
        }
        let certificates = Certificates { folder };
        self.renew(&certificates, name);
        certificates
    }

    /// Swaps the content of a mounted Secret for a new certificate for `name`.
    pub(crate) fn renew(&self, certificates: &Certificates, name: &str) {
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate").pem();
        certificates.swap(&certificate, &key.serialize_pem(), &self.pem);
    }
}

/// A mounted Secret.
#[derive(Debug)]
pub(crate) struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// Puts other contents in the place of all files at once.
    pub(crate) fn swap(&self, certificate: &str, key: &str, authority: &str) {
        let version = tempfile::Builder::new().prefix("..").tempdir_in(self.folder.path()).expect("a folder").keep();
        for (name, text) in [("tls.crt", certificate), ("tls.key", key), ("ca.crt", authority)] {
            std::fs::write(version.join(name), text).expect("a file");
        }
        let link = self.folder.path().join("..data_tmp");
        symlink(version.file_name().expect("it has a name"), &link).expect("a link");
        std::fs::rename(link, self.folder.path().join("..data")).expect("a rename");
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("tls.crt")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("tls.key")
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// A channel of one who has these to the server at `address`, which must be `name` and say that it is well.
    pub(crate) async fn channel(&self, address: &str, name: &str) -> Result<Channel, String> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(self.authority()).expect("a file") {
            roots.add(certificate.expect("PEM")).expect("a certificate");
        }
        let chain = CertificateDer::pem_file_iter(self.certificate()).expect("a file");
        let chain = chain.map(|certificate| certificate.expect("PEM")).collect();
        let key = PrivateKeyDer::from_pem_file(self.key()).expect("a key");
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.expect("versions of TLS").with_root_certificates(roots);
        let mut config = builder.with_client_auth_cert(chain, key).expect("a pair");
        config.alpn_protocols = vec![b"h2".to_vec()];

        let told = |error: &dyn std::error::Error| error.to_string();
        let stream = TcpStream::connect(address).await.map_err(|error| told(&error))?;
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| told(&error))?;
        let mut stream = Some(hyper_util::rt::TokioIo::new(stream));
        let connector = tower::service_fn(move |_| {
            std::future::ready(stream.take().ok_or(std::io::Error::from(std::io::ErrorKind::NotConnected)))
        });
        let channel = Endpoint::from_static("http://scaler").connect_with_connector(connector).await;
        let channel = channel.map_err(|error| told(&error))?;
        // the refusal of a certificate arrives with the first answer
        let answer = HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await;
        answer.map(|_| channel).map_err(|status| status.to_string())
    }

    /// What has `prescale serve` use them.
    pub(crate) fn flags(&self) -> Vec<String> {
        [
            ("--tls-certificate-file", self.certificate()),
            ("--tls-key-file", self.key()),
            ("--tls-client-authority-file", self.authority()),
        ]
        .map(|(flag, path)| format!("{flag}={}", path.display()))
        .into()
    }
}
