//! [`Clients`]: one HTTP client per way to meet a server, since TLS is a property of the client.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Identity};
use series::CredentialName;

use super::credentials::Credentials;

/// How long a connection may take to come about: apart from the timeout of the request, so that an address that nobody
/// answers at is not taken for a slow query.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The clients, by the credentials they present in TLS and whether they check the server's certificate.
pub(super) struct Clients(HashMap<(Option<CredentialName>, Verification), Client>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Verification {
    Checked,
    Skipped,
}

impl Clients {
    /// All clients that `credentials` can ask for.
    ///
    /// # Errors
    /// One line per client that cannot be made.
    pub(super) fn build(credentials: &BTreeMap<CredentialName, Credentials>) -> Result<Self, Vec<String>> {
        let mut clients = HashMap::new();
        let mut mistakes = Vec::new();
        for verification in [Verification::Checked, Verification::Skipped] {
            match anonymous(verification) {
                Ok(client) => drop(clients.insert((None, verification), client)),
                Err(error) => mistakes.push(format!("no HTTP client: {error}")),
            }
            for (name, own) in credentials {
                match with_credentials(own, verification) {
                    Ok(Some(client)) => drop(clients.insert((Some(name.clone()), verification), client)),
                    Err(problem) if verification == Verification::Checked => {
                        mistakes.push(format!("credentials `{name}`: {problem}"));
                    }
                    Ok(None) | Err(_) => {}
                }
            }
        }
        if mistakes.is_empty() { Ok(Self(clients)) } else { Err(mistakes) }
    }

    /// The client for credentials and a way to check; that of nobody where the credentials bring nothing into TLS.
    pub(super) fn get(&self, name: Option<&CredentialName>, verification: Verification) -> Option<&Client> {
        let own = self.0.get(&(name.cloned(), verification));
        own.or_else(|| self.0.get(&(None, verification)))
    }
}

fn base() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("prescale/", env!("CARGO_PKG_VERSION")))
        // where a redirect leads to is on no list, and credentials must not follow
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        // a referer would carry one server's query to another
        .referer(false)
}

fn anonymous(verification: Verification) -> reqwest::Result<Client> {
    match verification {
        Verification::Skipped => base().tls_danger_accept_invalid_certs(true).build(),
        Verification::Checked => base().build().or_else(|error| {
            // an image without certificate authorities can still ask over http, and with an authority in credentials
            tracing::warn!(%error, "no certificate authorities on this system, https needs credentials with their own");
            base().tls_certs_only([]).build()
        }),
    }
}

fn with_credentials(own: &Credentials, verification: Verification) -> Result<Option<Client>, String> {
    if own.identity.is_none() && own.authority_pem.is_none() {
        return Ok(None);
    }
    let mut builder = base();
    if let Some(identity) = &own.identity {
        let key = identity.key_pem.reveal_now()?;
        let pem = format!("{}\n{key}\n", identity.certificate_pem);
        // the error is left out: nobody knows what it quotes
        let identity = Identity::from_pem(pem.as_bytes())
            .map_err(|_| "the client certificate and key must be one PEM text each".to_owned())?;
        builder = builder.identity(identity);
    }
    if let Some(authority) = &own.authority_pem {
        let certificates = Certificate::from_pem_bundle(authority.as_bytes()).unwrap_or_default();
        if certificates.is_empty() {
            return Err("the certificate authority must be one or more PEM certificates".to_owned());
        }
        builder = builder.tls_certs_only(certificates);
    }
    if verification == Verification::Skipped {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    builder
        .build()
        .map(Some)
        .map_err(|_| "the client certificate does not fit its key, or TLS cannot use it".to_owned())
}
