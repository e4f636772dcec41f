//! From PEM files to what rustls runs with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::TlsFiles;

/// gRPC is spoken over HTTP/2 alone, and newer clients of gRPC refuse a server that does not say so.
const ALPN: &[u8] = b"h2";

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A file holds no whole PEM certificate.
    #[error("{path} must hold one or more whole certificates in PEM")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A file holds no whole PEM key. What it holds is not told.
    #[error("{path} must hold one whole private key in PEM, without a password")]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key are whole, but TLS cannot use them together.
    #[error("the certificate in {certificate} does not fit the key in {key}, or TLS cannot use it")]
    NoPair {
        /// File of the certificate.
        certificate: PathBuf,
        /// File of the key.
        key: PathBuf,
        /// What TLS said.
        #[source]
        source: tokio_rustls::rustls::Error,
    },
    /// The certificates of the authority cannot be used for checking others.
    #[error("the certificates in {path} cannot be used as authorities: {problem}")]
    NoAuthority {
        /// The file.
        path: PathBuf,
        /// What TLS said.
        problem: String,
    },
}

/// The files as read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Texts {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authority: Option<Vec<u8>>,
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Texts(***)")
    }
}

impl Texts {
    pub(super) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let read =
            |path: &Path| std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source });
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
            authority: files.authority.as_deref().map(read).transpose()?,
        })
    }
}

/// What is shown to clients, and asked of them.
pub(super) fn server(texts: &Texts, files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|source| no_pair(files, source))?;
    let builder = match authority(texts, files)? {
        Some((roots, path)) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build();
            let verifier = verifier
                .map_err(|error| TlsError::NoAuthority { path: path.to_owned(), problem: error.to_string() })?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let (chain, key) = pair(texts, files)?;
    let mut config = builder.with_single_cert(chain, key).map_err(|source| no_pair(files, source))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// What other roles are checked against and shown; `None` where no authority is stated.
pub(super) fn client(texts: &Texts, files: &TlsFiles) -> Result<Option<Arc<ClientConfig>>, TlsError> {
    let Some((roots, _)) = authority(texts, files)? else { return Ok(None) };
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|source| no_pair(files, source))?.with_root_certificates(roots);
    let (chain, key) = pair(texts, files)?;
    let mut config = builder.with_client_auth_cert(chain, key).map_err(|source| no_pair(files, source))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Some(Arc::new(config)))
}

fn pair(texts: &Texts, files: &TlsFiles) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = certificates(&texts.certificate, &files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&texts.key).map_err(|_| TlsError::NoKey { path: files.key.clone() })?;
    Ok((chain, key))
}

fn authority<'a>(texts: &Texts, files: &'a TlsFiles) -> Result<Option<(RootCertStore, &'a Path)>, TlsError> {
    let (Some(text), Some(path)) = (&texts.authority, files.authority.as_deref()) else { return Ok(None) };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(text, path)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::NoAuthority { path: path.to_owned(), problem: error.to_string() })?;
    }
    Ok(Some((roots, path)))
}

/// All certificates in `text`: one that is cut off must not go unnoticed because others are whole.
fn certificates(text: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    found.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| TlsError::NoCertificate { path: path.to_owned() })
}

fn no_pair(files: &TlsFiles, source: tokio_rustls::rustls::Error) -> TlsError {
    TlsError::NoPair { certificate: files.certificate.clone(), key: files.key.clone(), source }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
