//! [`Clients`]: one HTTP client per way to meet a server, since TLS is a property of the client.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Identity};
use series::CredentialName;

use super::credentials::{Credentials, TlsTexts};
use super::resolver::Resolver;

/// How long a connection may take to come about: apart from the timeout of the request, so that an address that nobody
/// answers at is not taken for a slow query.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The clients, by whether they check the server's certificate, and by the credentials they present in TLS.
pub(super) struct Clients {
    anonymous: HashMap<Verification, Client>,
    own: HashMap<(CredentialName, Verification), OwnClient>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Verification {
    Checked,
    Skipped,
}

impl Clients {
    /// All clients that `credentials` can ask for; `resolver` tells each where names lead.
    ///
    /// # Errors
    /// One line per client that cannot be made.
    pub(super) fn build(
        credentials: &BTreeMap<CredentialName, Credentials>,
        resolver: &Arc<Resolver>,
    ) -> Result<Self, Vec<String>> {
        let mut clients = Self { anonymous: HashMap::new(), own: HashMap::new() };
        let mut mistakes = Vec::new();
        for verification in [Verification::Checked, Verification::Skipped] {
            match anonymous(verification, resolver) {
                Ok(client) => drop(clients.anonymous.insert(verification, client)),
                Err(error) => mistakes.push(format!("no HTTP client: {error}")),
            }
            for (name, own) in credentials.iter().filter(|(_, own)| own.has_tls()) {
                match OwnClient::build(name, own, verification, resolver) {
                    Ok(client) => drop(clients.own.insert((name.clone(), verification), client)),
                    Err(problem) if verification == Verification::Checked => {
                        mistakes.push(format!("credentials `{name}`: {problem}"));
                    }
                    Err(_) => {}
                }
            }
        }
        if mistakes.is_empty() { Ok(clients) } else { Err(mistakes) }
    }

    /// The client for credentials and a way to check, with their certificates as they are now; that of nobody where the
    /// credentials bring nothing into TLS.
    pub(super) async fn get(&self, name: Option<&CredentialName>, verification: Verification) -> Option<Client> {
        match name.and_then(|name| self.own.get(&(name.clone(), verification))) {
            Some(own) => Some(own.current().await),
            None => self.anonymous.get(&verification).cloned(),
        }
    }
}

/// The client of one set of credentials, made anew when their files change.
struct OwnClient {
    name: CredentialName,
    credentials: Credentials,
    verification: Verification,
    resolver: Arc<Resolver>,
    in_force: Mutex<InForce>,
}

struct InForce {
    texts: TlsTexts,
    client: Client,
    /// What was found unusable last, so that it is told once.
    refused: Option<Result<TlsTexts, String>>,
}

impl OwnClient {
    fn build(
        name: &CredentialName,
        own: &Credentials,
        verification: Verification,
        resolver: &Arc<Resolver>,
    ) -> Result<Self, String> {
        let texts = own.tls_texts_now()?;
        let client = with_texts(&texts, verification, resolver)?;
        let in_force = Mutex::new(InForce { texts, client, refused: None });
        let resolver = Arc::clone(resolver);
        Ok(Self { name: name.clone(), credentials: own.clone(), verification, resolver, in_force })
    }

    /// The client for the files as they are; the one of before where they cannot be used.
    async fn current(&self) -> Client {
        let read = self.credentials.tls_texts().await;
        let mut in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        if read.as_ref() == Ok(&in_force.texts) || in_force.refused.as_ref() == Some(&read) {
            return in_force.client.clone();
        }
        let renewed = |texts| Ok((with_texts(&texts, self.verification, &self.resolver)?, texts));
        match read.clone().and_then(renewed) {
            Ok((client, texts)) => {
                tracing::info!(credentials = %self.name, "new certificates are in force");
                *in_force = InForce { texts, client, refused: None };
            }
            Err(problem) => {
                let credentials = &self.name;
                tracing::warn!(%credentials, problem, "certificates cannot be used, those of before stay in force");
                in_force.refused = Some(read);
            }
        }
        in_force.client.clone()
    }
}

fn base(resolver: &Arc<Resolver>) -> ClientBuilder {
    Client::builder()
        .dns_resolver(Arc::clone(resolver))
        .user_agent(concat!("prescale/", env!("CARGO_PKG_VERSION")))
        // where a redirect leads to is on no list, and credentials must not follow
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        // a referer would carry one server's query to another
        .referer(false)
}

fn anonymous(verification: Verification, resolver: &Arc<Resolver>) -> reqwest::Result<Client> {
    match verification {
        Verification::Skipped => base(resolver).tls_danger_accept_invalid_certs(true).build(),
        Verification::Checked => base(resolver).build().or_else(|error| {
            // an image without certificate authorities can still ask over http, and with an authority in credentials
            tracing::warn!(%error, "no certificate authorities on this system, https needs credentials with their own");
            base(resolver).tls_certs_only([]).build()
        }),
    }
}

fn with_texts(texts: &TlsTexts, verification: Verification, resolver: &Arc<Resolver>) -> Result<Client, String> {
    let mut builder = base(resolver);
    if let Some((certificate, key)) = &texts.identity {
        let pem = format!("{certificate}\n{key}\n");
        // the error is left out: nobody knows what it quotes
        let identity = Identity::from_pem(pem.as_bytes())
            .map_err(|_| "the client certificate and key must be one PEM text each".to_owned())?;
        builder = builder.identity(identity);
    }
    if let Some(authority) = &texts.authority {
        let certificates = Certificate::from_pem_bundle(authority.as_bytes()).unwrap_or_default();
        if certificates.is_empty() {
            return Err("the certificate authority must be one or more PEM certificates".to_owned());
        }
        builder = builder.tls_certs_only(certificates);
    }
    if verification == Verification::Skipped {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    builder.build().map_err(|_| "the client certificate does not fit its key, or TLS cannot use it".to_owned())
}
