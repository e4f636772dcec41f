//! [`Tls`]: certificates from files, for what this process serves and for what it asks of its other roles; taken anew
//! when the files change.

mod metrics;
mod pem;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use tokio_util::sync::CancellationToken;

pub use pem::TlsError;

use metrics::Metrics;
use pem::Texts;

/// How often the files are looked at. Kubernetes takes a minute to bring a new Secret, and certificates overlap for days.
const LOOK: Duration = Duration::from_secs(5);

/// Where the certificates are, PEM each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate that is shown, with those it is signed with.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Who signs the certificates of the other side. Where it is stated, clients must show one of those.
    pub authority: Option<PathBuf>,
}

/// The certificates in force.
///
/// New files take effect for new connections. Files that cannot be used (half written, a key that does not fit) leave what
/// was in force, with a warning and a metric.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    in_force: RwLock<InForce>,
    /// What was found unusable last, so that it is told once.
    refused: Mutex<Option<Result<Texts, String>>>,
    metrics: Metrics,
}

#[derive(Debug)]
struct InForce {
    texts: Texts,
    server: Arc<ServerConfig>,
    client: Option<Arc<ClientConfig>>,
}

impl Tls {
    /// The certificates in `files`, with metrics in `registry` under their full names.
    ///
    /// # Errors
    /// [`TlsError`]: which file cannot be used and why.
    pub fn load(files: TlsFiles, registry: &mut Registry) -> Result<Arc<Self>, TlsError> {
        let in_force = InForce::of(Texts::read(&files)?, &files)?;
        let metrics = Metrics::register(registry);
        Ok(Arc::new(Self { files, in_force: RwLock::new(in_force), refused: Mutex::default(), metrics }))
    }

    /// Looks at the files every few seconds until `stop`.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            let tls = Arc::clone(&self);
            if let Err(error) = tokio::task::spawn_blocking(move || tls.look()).await {
                tracing::error!(%error, "the certificates could not be looked at");
            }
        }
    }

    /// Whether connections to other roles can be checked: an authority is stated.
    pub fn can_connect(&self) -> bool {
        self.files.authority.is_some()
    }

    /// Shakes hands with a client that has connected.
    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<server::TlsStream<TcpStream>> {
        let config = Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner).server);
        let shaken = TlsAcceptor::from(config).accept(stream).await;
        shaken.inspect_err(|_| self.metrics.handshake_failed())
    }

    /// Connects to `address` and checks that its certificate is for `name`.
    ///
    /// # Errors
    /// What the network or TLS said.
    pub async fn connect(&self, address: SocketAddr, name: &str) -> std::io::Result<client::TlsStream<TcpStream>> {
        let config = self.in_force.read().unwrap_or_else(PoisonError::into_inner).client.clone();
        let config = config.ok_or_else(|| std::io::Error::other("no certificate authority is stated"))?;
        let name = ServerName::try_from(name.to_owned()).map_err(std::io::Error::other)?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        TlsConnector::from(config).connect(name, stream).await
    }

    /// Reads the files, and takes what is new in them.
    fn look(&self) {
        let read = Texts::read(&self.files);
        let in_force = |texts: &Texts| self.in_force.read().unwrap_or_else(PoisonError::into_inner).texts == *texts;
        if read.as_ref().is_ok_and(in_force) {
            self.accepted();
            return;
        }
        let found = read.as_ref().map(Texts::clone).map_err(ToString::to_string);
        match read.and_then(|texts| InForce::of(texts, &self.files)) {
            Ok(new) => {
                *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = new;
                self.accepted();
                self.metrics.taken();
                tracing::info!(certificate = %self.files.certificate.display(), "new certificates are in force");
            }
            Err(error) => {
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                if refused.as_ref() != Some(&found) {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "certificates cannot be used, those of before stay in force");
                    *refused = Some(found);
                }
                self.metrics.refused(true);
            }
        }
    }

    fn accepted(&self) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.metrics.refused(false);
    }
}

impl InForce {
    fn of(texts: Texts, files: &TlsFiles) -> Result<Self, TlsError> {
        let server = pem::server(&texts, files)?;
        let client = pem::client(&texts, files)?;
        Ok(Self { texts, server, client })
    }
}
