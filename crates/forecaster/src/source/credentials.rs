//! [`Credentials`]: what a server is shown, kept on this side and named in metadata.

use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::allow::ServerPattern;
use super::redaction::Redaction;

/// What is shown to a server, and to which ones it may be sent.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The servers it may be sent to; at least one.
    pub servers: Vec<ServerPattern>,
    /// The `Authorization` header.
    pub authorization: Option<Authorization>,
    /// Further headers by name (`X-Scope-OrgID`, say); they win over those of the metadata.
    pub headers: Vec<(String, Secret)>,
    /// The client certificate.
    pub identity: Option<ClientIdentity>,
    /// PEM of the certificate authorities that the servers' certificates are checked against, in place of the system's.
    pub authority_pem: Option<Secret>,
    /// Whether metadata may have them sent without a check of the server's certificate (`unsafeSsl`).
    pub may_skip_verification: bool,
}

impl Credentials {
    /// Credentials that show nothing yet, for `servers`.
    pub fn for_servers(servers: Vec<ServerPattern>) -> Self {
        Self {
            servers,
            authorization: None,
            headers: Vec::new(),
            identity: None,
            authority_pem: None,
            may_skip_verification: false,
        }
    }

    /// Whether anything of these is shown or checked in TLS.
    pub(super) fn has_tls(&self) -> bool {
        self.identity.is_some() || self.authority_pem.is_some()
    }

    /// What these bring into TLS, as it is now.
    ///
    /// # Errors
    /// What cannot be read.
    pub(super) async fn tls_texts(&self) -> Result<TlsTexts, String> {
        let mut texts = TlsTexts::default();
        if let Some(identity) = &self.identity {
            texts.identity = Some((identity.certificate_pem.reveal().await?, identity.key_pem.reveal().await?));
        }
        if let Some(authority) = &self.authority_pem {
            texts.authority = Some(authority.reveal().await?);
        }
        Ok(texts)
    }

    /// As [`Credentials::tls_texts`], where no runtime is at hand yet.
    pub(super) fn tls_texts_now(&self) -> Result<TlsTexts, String> {
        let mut texts = TlsTexts::default();
        if let Some(identity) = &self.identity {
            texts.identity = Some((identity.certificate_pem.reveal_now()?, identity.key_pem.reveal_now()?));
        }
        if let Some(authority) = &self.authority_pem {
            texts.authority = Some(authority.reveal_now()?);
        }
        Ok(texts)
    }

    /// Writes the headers into `headers`, over what is there, and hides their values.
    ///
    /// # Errors
    /// What cannot be read or sent, without the secret itself.
    pub(super) async fn apply(&self, headers: &mut HeaderMap, redaction: &mut Redaction) -> Result<(), String> {
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.header(redaction).await?);
        }
        for (name, secret) in &self.headers {
            let header =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no name of a header"))?;
            let value = secret.reveal().await?;
            redaction.hide(&value);
            headers.insert(header, sensitive(&value, name)?);
        }
        Ok(())
    }
}

/// The `Authorization` header.
#[derive(Debug, Clone)]
pub enum Authorization {
    /// `Bearer` and a token.
    Bearer(Secret),
    /// `Basic`, user name and password.
    Basic {
        /// The user name, without `:`.
        user: String,
        /// The password.
        password: Secret,
    },
}

impl Authorization {
    async fn header(&self, redaction: &mut Redaction) -> Result<HeaderValue, String> {
        let text = match self {
            Self::Bearer(token) => {
                let token = token.reveal().await?;
                redaction.hide(&token);
                format!("Bearer {token}")
            }
            Self::Basic { user, password } => {
                let password = password.reveal().await?;
                redaction.hide(&password);
                let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
                redaction.hide(&encoded);
                format!("Basic {encoded}")
            }
        };
        sensitive(&text, "authorization")
    }
}

fn sensitive(text: &str, name: &str) -> Result<HeaderValue, String> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_| format!("the value for `{name}` has characters no header may have"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A client certificate with its key.
#[derive(Debug, Clone)]
pub struct ClientIdentity {
    /// The certificate and those it is signed with, PEM.
    pub certificate_pem: Secret,
    /// The private key, PEM.
    pub key_pem: Secret,
}

/// The contents of what is shown and checked in TLS. It has no `Debug`: one of them is a key.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct TlsTexts {
    /// Certificate and key.
    pub(super) identity: Option<(String, String)>,
    pub(super) authority: Option<String>,
}

/// A text that no log, message or dump shows.
#[derive(Clone)]
pub struct Secret(Keeper);

#[derive(Clone)]
enum Keeper {
    Text(String),
    File(PathBuf),
}

impl Secret {
    /// The secret `text`; white space around it is not part of it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Keeper::Text(text.into()))
    }

    /// The text in the file at `path`, read anew for each request: Kubernetes replaces the tokens of service accounts
    /// every hour.
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        Self(Keeper::File(path.into()))
    }

    pub(super) async fn reveal(&self) -> Result<String, String> {
        match &self.0 {
            Keeper::Text(text) => Ok(text.trim().to_owned()),
            Keeper::File(path) => match tokio::fs::read_to_string(path).await {
                Ok(text) => Ok(text.trim().to_owned()),
                Err(error) => Err(format!("cannot read {}: {}", path.display(), error.kind())),
            },
        }
    }

    /// As [`Secret::reveal`], where no runtime is at hand yet.
    pub(super) fn reveal_now(&self) -> Result<String, String> {
        match &self.0 {
            Keeper::Text(text) => Ok(text.trim().to_owned()),
            Keeper::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(text.trim().to_owned()),
                Err(error) => Err(format!("cannot read {}: {}", path.display(), error.kind())),
            },
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Keeper::Text(_) => f.write_str("Secret(***)"),
            Keeper::File(path) => write!(f, "Secret(in {})", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_dump_shows_a_secret() {
        let mut credentials = Credentials::for_servers(vec!["http://p".parse().unwrap()]);
        credentials.headers = vec![("X-Scope-OrgID".to_owned(), Secret::new("hush-1"))];
        credentials.identity =
            Some(ClientIdentity { certificate_pem: Secret::new("public"), key_pem: Secret::new("hush-2") });
        for authorization in [
            Authorization::Bearer(Secret::new("hush-3")),
            Authorization::Basic { user: "u".to_owned(), password: Secret::new("hush-4") },
        ] {
            credentials.authorization = Some(authorization);
            let dump = format!("{credentials:?} {credentials:#?}");
            assert!(!dump.contains("hush"), "{dump}");
            assert!(dump.contains("***"));
        }
    }

    #[tokio::test]
    async fn what_no_header_may_have_is_refused_without_showing_it() {
        let mut credentials = Credentials::for_servers(vec![]);
        credentials.authorization = Some(Authorization::Bearer(Secret::new("hush\nhush")));
        let problem = credentials.apply(&mut HeaderMap::new(), &mut Redaction::default()).await.unwrap_err();
        assert!(problem.contains("authorization") && !problem.contains("hush"), "{problem}");
    }

    #[tokio::test]
    async fn a_secret_in_a_file_is_read_anew_each_time() {
        let path = std::env::temp_dir().join(format!("prescale-secret-{}", std::process::id()));
        let secret = Secret::in_file(&path);
        std::fs::write(&path, "one\n").unwrap();
        assert_eq!(secret.reveal().await.unwrap(), "one");
        std::fs::write(&path, "two\n").unwrap();
        assert_eq!(secret.reveal().await.unwrap(), "two");
        std::fs::remove_file(&path).unwrap();
        assert!(secret.reveal().await.unwrap_err().contains("not found"));
    }
}
