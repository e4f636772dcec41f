//! The configuration file: the options in camel case, and the credentials, which have no flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::options::Options;

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ConfigFile {
    #[serde(flatten)]
    pub(crate) options: Options,
    pub(crate) credentials: BTreeMap<String, CredentialEntry>,
    /// Keys that are none of ours.
    #[serde(flatten)]
    pub(crate) unknown: BTreeMap<String, Value>,
}

/// Credentials as written. Secrets stay in files of their own, which are read anew for each request.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CredentialEntry {
    /// Servers that these may be sent to, written as `allowServers`; required
    pub(crate) servers: Vec<String>,
    /// File with a bearer token
    pub(crate) bearer_token_file: Option<String>,
    /// User for basic authentication, without `:`; with `passwordFile`, and in place of a bearer token
    pub(crate) username: Option<String>,
    /// File with the password of `username`
    pub(crate) password_file: Option<String>,
    /// Names of further headers, each with the file that holds its value
    pub(crate) header_files: BTreeMap<String, String>,
    /// Client certificate with those it is signed with, PEM (mTLS); with `keyFile`
    pub(crate) certificate_file: Option<String>,
    /// Private key of `certificateFile`, PEM
    pub(crate) key_file: Option<String>,
    /// Certificates of who signs the server's, PEM, in place of the system's
    pub(crate) authority_file: Option<String>,
    /// Whether triggers with these credentials may set `unsafeSsl`; `false` unless written
    pub(crate) allow_unsafe_ssl: bool,
    #[serde(flatten)]
    #[cfg_attr(test, schema(ignore))]
    pub(crate) unknown: BTreeMap<String, Value>,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{path} cannot be read")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} is no configuration: {problem}")]
    Malformed { path: PathBuf, problem: String },
}

impl ConfigFile {
    /// The file at `path`: its text, and what that says.
    pub(crate) fn read(path: &Path) -> Result<(String, Self), FileError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
        let file = Self::parse(&text).map_err(|problem| FileError::Malformed { path: path.to_owned(), problem })?;
        Ok((text, file))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mut written: Value = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        numbers_to_text(&mut written);
        serde_json::from_value(written).map_err(|error| error.to_string())
    }
}

/// `queryConcurrency: 3` and `queryConcurrency: "3"` are the same to people; what a number means is decided where all text is.
fn numbers_to_text(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Array(items) => items.iter_mut().for_each(numbers_to_text),
        Value::Object(fields) => fields.values_mut().for_each(numbers_to_text),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Role;
    use super::super::settings::Settings;
    use super::*;

    const SOUND: &str = "prometheus: http://p:9090\nqueryConcurrency: 3\nallowServers: ['*.svc']\ncredentials: {a: {servers: [http://p]}}\n";

    proptest! {
        #[test]
        fn any_text_is_settings_or_mistakes(text in "\\PC{0,80}|(?s).{0,80}", place in 0..SOUND.len(), put in any::<char>()) {
            let broken = [&SOUND[..place], &put.to_string(), &SOUND[place + 1..]].concat();
            for text in [text, broken] {
                if let Ok(file) = ConfigFile::parse(&text)
                    && let Err(error) = Settings::parse(Role::All, Options::default(), file)
                {
                    prop_assert!(!error.0.is_empty());
                }
            }
        }
    }
}
