//! From what was written to what the parts run with: everything is parsed before anything starts, and every mistake is
//! told at once.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::Uri;
use forecaster::{Allowed, Authorization, ClientIdentity, Credentials, Secret, ServerPattern, Source, SourceSettings};
use ops::{Filter, Hosts, LogFormat, TlsFiles};
use scaler::{ForecasterAddress, Limits, parse_duration};
use series::CredentialName;
use store::{OutlookRedis, RedisSettings};

use super::Role;
use super::file::{ConfigFile, CredentialEntry};
use super::options::Options;

/// What `prescale serve` runs with.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) grpc_address: SocketAddr,
    /// Who forecasts, for a scaler alone; none in the other roles.
    pub(crate) forecasters: Forecasters,
    /// Certificates for the gRPC port, where it has TLS.
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) http_address: SocketAddr,
    /// Names under which that address may be asked for.
    pub(crate) hosts: Hosts,
    pub(crate) state: PathBuf,
    /// Redis, where it is to be used in place of the state folder.
    pub(crate) redis: Option<RedisSettings>,
    pub(crate) limits: Limits,
    pub(crate) forecaster: forecaster::Settings,
    pub(crate) log: Filter,
    pub(crate) log_format: LogFormat,
}

/// The forecasters that a scaler asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Forecasters {
    pub(crate) addresses: Vec<ForecasterAddress>,
    pub(crate) have_tls: bool,
}

/// Every mistake in the settings.
#[derive(Debug, thiserror::Error)]
#[error("the settings cannot be used:\n  {}", .0.join("\n  "))]
pub(crate) struct SettingsError(pub(crate) Vec<String>);

impl Settings {
    /// Parses what flags, environment and file say.
    pub(crate) fn parse(role: Role, flags: Options, file: ConfigFile) -> Result<Self, SettingsError> {
        let mut mistakes = Mistakes::default();
        for key in file.unknown.keys() {
            mistakes.note(key, None, "there is no such option; `prescale serve --help` lists them, in camel case here");
        }
        let options = flags.over(file.options);

        let default_server = mistakes.parsed("prometheus", options.prometheus.as_deref(), str::parse);
        let allowed = allowed_servers(&options.allow_servers, &mut mistakes);
        if role != Role::Scaler && options.prometheus.is_none() && options.allow_servers.is_empty() {
            mistakes.note(
                "prometheus",
                None,
                "no Prometheus may be asked; name one (--prometheus URL) or those that triggers may name (--allow-server)",
            );
        }
        let mut source = SourceSettings::new(default_server, allowed);
        for (name, entry) in file.credentials {
            credentials(&name, entry, &mut source, &mut mistakes);
        }
        let span = |text: &str| within(text, Duration::from_millis(1), Source::LONGEST_TIMEOUT);
        source.timeout =
            mistakes.parsed("queryTimeout", options.query_timeout.as_deref(), span).unwrap_or(source.timeout);
        source.settle = mistakes.parsed("settle", options.settle.as_deref(), parse_duration).unwrap_or(source.settle);

        let count = |text: &str| number(text, 1_000_000);
        let mut limits = Limits::default();
        limits.targets = mistakes.parsed("maxTargets", options.max_targets.as_deref(), count).unwrap_or(limits.targets);
        limits.targets_per_namespace = mistakes
            .parsed("maxTargetsPerNamespace", options.max_targets_per_namespace.as_deref(), count)
            .unwrap_or(limits.targets_per_namespace);
        limits.samples_per_namespace = mistakes
            .parsed("maxSamplesPerNamespace", options.max_samples_per_namespace.as_deref(), |text| {
                number(text, 1_000_000_000_000)
            })
            .unwrap_or(limits.samples_per_namespace);
        let idle = |text: &str| within(text, Duration::from_secs(600), Duration::from_secs(7 * 86_400));
        limits.idle = mistakes.parsed("forgetAfter", options.forget_after.as_deref(), idle).unwrap_or(limits.idle);
        let mut forecaster = forecaster::Settings::new(source);
        // a load is taken for the present for two minutes: rarer refreshes would be errors in between
        let interval = |text: &str| within(text, Duration::from_secs(1), Duration::from_secs(60));
        forecaster.refresh_interval = mistakes
            .parsed("refreshInterval", options.refresh_interval.as_deref(), interval)
            .unwrap_or(forecaster.refresh_interval);
        forecaster.concurrency = mistakes
            .parsed("queryConcurrency", options.query_concurrency.as_deref(), |text| number(text, 1000))
            .unwrap_or(forecaster.concurrency);

        let tls =
            tls(options.tls_certificate_file, options.tls_key_file, options.tls_client_authority_file, &mut mistakes);
        let forecasters = forecasters(role, &options.forecasters, tls.as_ref(), &mut mistakes);
        let address = |text: &str| text.parse::<SocketAddr>().map_err(|_| "write IP:PORT, such as 0.0.0.0:6000");
        let hosts = options.allow_hosts.iter().filter_map(|host| mistakes.parsed("allowHosts", Some(host), str::parse));
        let hosts: Hosts = hosts.collect();
        let settings = Self {
            grpc_address: mistakes
                .parsed("grpcAddress", options.grpc_address.as_deref(), address)
                .unwrap_or(SocketAddr::from(([0, 0, 0, 0], 6000))),
            forecasters,
            tls,
            http_address: mistakes
                .parsed("httpAddress", options.http_address.as_deref(), address)
                .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080))),
            hosts,
            state: options.state.map_or_else(|| PathBuf::from("prescale-state"), PathBuf::from),
            redis: redis(options.redis_url, options.redis_password_file, options.redis_authority_file, &mut mistakes),
            limits,
            forecaster,
            log: mistakes.parsed("log", options.log.as_deref(), str::parse).unwrap_or_default(),
            log_format: mistakes
                .parsed("logFormat", options.log_format.as_deref(), |text| match text {
                    "text" => Ok(LogFormat::Text),
                    "json" => Ok(LogFormat::Json),
                    _ => Err("write text or json"),
                })
                .unwrap_or_default(),
        };
        if mistakes.0.is_empty() { Ok(settings) } else { Err(SettingsError(mistakes.0)) }
    }
}

#[derive(Debug, Default)]
struct Mistakes(Vec<String>);

impl Mistakes {
    fn note(&mut self, option: &str, written: Option<&str>, problem: impl std::fmt::Display) {
        let written = written.map_or_else(String::new, |text| format!(" \"{text}\""));
        self.0.push(format!("{option}{written}: {problem}"));
    }

    /// What `text` means; a mistake is noted and gives `None`, as nothing written does.
    fn parsed<T, E: std::fmt::Display>(
        &mut self,
        option: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = text?.trim();
        // a URL may hold a password or a token: it is not repeated then
        let repeated = (!text.contains(['@', '?', '#'])).then_some(text);
        parse(text).map_err(|problem| self.note(option, repeated, problem)).ok()
    }
}

fn within(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let span = parse_duration(text).map_err(|error| error.to_string())?;
    let readable = |span| scaler::Readable(span).to_string();
    if (least..=most).contains(&span) {
        Ok(span)
    } else {
        Err(format!("must lie from {} to {}", readable(least), readable(most)))
    }
}

/// A whole number from 1 to `most`.
fn number(text: &str, most: usize) -> Result<usize, String> {
    let found = text.parse().ok().filter(|found| (1..=most).contains(found));
    found.ok_or_else(|| format!("write a whole number from 1 to {most}"))
}

fn tls(
    certificate: Option<String>,
    key: Option<String>,
    authority: Option<String>,
    mistakes: &mut Mistakes,
) -> Option<TlsFiles> {
    let authority = authority.map(PathBuf::from);
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Some(TlsFiles { certificate: certificate.into(), key: key.into(), authority })
        }
        (None, None) if authority.is_none() => None,
        (None, None) => {
            let problem =
                "without tlsCertificateFile and tlsKeyFile there is no TLS, and nobody is asked for a certificate";
            mistakes.note("tlsClientAuthorityFile", None, problem);
            None
        }
        _ => {
            mistakes.note("tlsCertificateFile", None, "write tlsCertificateFile and tlsKeyFile, or neither");
            None
        }
    }
}

fn forecasters(role: Role, urls: &[String], tls: Option<&TlsFiles>, mistakes: &mut Mistakes) -> Forecasters {
    if role != Role::Scaler {
        if !urls.is_empty() {
            mistakes.note("forecasters", None, "they are asked with --role scaler alone");
        }
        return Forecasters::default();
    }
    if urls.is_empty() {
        mistakes.note("forecasters", None, "a scaler alone must know who forecasts (--forecaster http://HOST:6001)");
    }
    let mut found: Vec<(bool, ForecasterAddress)> = Vec::new();
    found.extend(urls.iter().filter_map(|url| mistakes.parsed("forecasters", Some(url), forecaster)));
    let have_tls = found.iter().any(|(is_tls, _)| *is_tls);
    if have_tls && found.iter().any(|(is_tls, _)| !is_tls) {
        mistakes.note("forecasters", None, "write https:// for all of them, or for none");
    }
    if have_tls && tls.is_none_or(|files| files.authority.is_none()) {
        let problem = "https:// needs tlsCertificateFile, tlsKeyFile and tlsClientAuthorityFile: what this scaler shows, and who \
            signs the certificates of the forecasters";
        mistakes.note("forecasters", None, problem);
    }
    Forecasters { addresses: found.into_iter().map(|(_, address)| address).collect(), have_tls }
}

fn forecaster(text: &str) -> Result<(bool, ForecasterAddress), &'static str> {
    const SHAPE: &str = "write http://HOST:PORT or https://HOST:PORT";
    let url: Uri = text.parse().map_err(|_| SHAPE)?;
    let is_tls = match url.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(SHAPE),
    };
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && !text.contains('@');
    match (url.host(), url.port_u16()) {
        (Some(host), Some(port)) if is_bare && !host.is_empty() => {
            Ok((is_tls, ForecasterAddress { host: host.trim_matches(['[', ']']).into(), port }))
        }
        _ => Err(SHAPE),
    }
}

fn redis(
    url: Option<String>,
    password_file: Option<String>,
    authority_file: Option<String>,
    mistakes: &mut Mistakes,
) -> Option<RedisSettings> {
    let Some(url) = url else {
        for (option, file) in [("redisPasswordFile", password_file), ("redisAuthorityFile", authority_file)] {
            if file.is_some() {
                mistakes.note(option, None, "without redisUrl there is no Redis");
            }
        }
        return None;
    };
    let (password_file, authority_file) = (password_file.map(PathBuf::from), authority_file.map(PathBuf::from));
    let settings = RedisSettings { url, password_file, authority_file };
    // the URL may hold a password: it is not repeated
    if let Err(error) = OutlookRedis::new(settings.clone()) {
        mistakes.note("redisUrl", None, error);
    }
    Some(settings)
}

fn allowed_servers(patterns: &[String], mistakes: &mut Mistakes) -> Allowed {
    let (every, named): (Vec<_>, Vec<_>) = patterns.iter().cloned().partition(|pattern| pattern.trim() == "*");
    let named = server_patterns("allowServers", &named, mistakes);
    if every.is_empty() { Allowed::Only(named) } else { Allowed::Any(named) }
}

fn server_patterns(option: &str, patterns: &[String], mistakes: &mut Mistakes) -> Vec<ServerPattern> {
    patterns.iter().filter_map(|text| mistakes.parsed(option, Some(text), str::parse)).collect()
}

fn credentials(name: &str, entry: CredentialEntry, source: &mut SourceSettings, mistakes: &mut Mistakes) {
    let option = format!("credentials.{name}");
    for key in entry.unknown.keys() {
        mistakes.note(&format!("{option}.{key}"), None, "there is no such key; docs/configuration.md lists them");
    }
    let mut credentials =
        Credentials::for_servers(server_patterns(&format!("{option}.servers"), &entry.servers, mistakes));
    if entry.servers.is_empty() {
        mistakes.note(&format!("{option}.servers"), None, "list the servers that these may be sent to");
    }
    credentials.authorization = match (entry.bearer_token_file, entry.username, entry.password_file) {
        (None, None, None) => None,
        (Some(token), None, None) => Some(Authorization::Bearer(Secret::in_file(token))),
        (None, Some(user), Some(password)) if !user.contains(':') => {
            Some(Authorization::Basic { user, password: Secret::in_file(password) })
        }
        _ => {
            let problem = "write bearerTokenFile, or username (without `:`) and passwordFile";
            mistakes.note(&option, None, problem);
            None
        }
    };
    credentials.headers =
        entry.header_files.into_iter().map(|(header, path)| (header, Secret::in_file(path))).collect();
    credentials.authority_pem = entry.authority_file.map(Secret::in_file);
    match (entry.certificate_file, entry.key_file) {
        (None, None) => {}
        (Some(certificate), Some(key)) => {
            credentials.identity =
                Some(ClientIdentity { certificate_pem: Secret::in_file(certificate), key_pem: Secret::in_file(key) });
        }
        _ => mistakes.note(&option, None, "write certificateFile and keyFile, or neither"),
    }
    credentials.may_skip_verification = entry.allow_unsafe_ssl;
    if let Some(name) = mistakes.parsed(&option, Some(name), str::parse::<CredentialName>) {
        source.credentials.insert(name, credentials);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(flags: Options, file: &str) -> Result<Settings, Vec<String>> {
        Settings::parse(Role::All, flags, ConfigFile::parse(file).unwrap()).map_err(|error| error.0)
    }

    fn prometheus(url: &str) -> Options {
        Options { prometheus: Some(url.to_owned()), ..Options::default() }
    }

    #[test]
    fn a_prometheus_is_all_that_must_be_said() {
        let settings = parsed(prometheus("http://p:9090"), "").unwrap();
        assert_eq!(settings.grpc_address.to_string(), "0.0.0.0:6000");
        assert_eq!(settings.http_address.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.forecaster.source.allowed_servers, Allowed::Only(vec![]));
        assert_eq!(parsed(Options::default(), "").unwrap_err().len(), 1);
    }

    #[test]
    fn every_server_is_allowed_beside_networks_that_are_meant() {
        let settings = parsed(Options::default(), "allowServers: ['*', '169.254.20.0/24']").unwrap();
        assert_eq!(settings.forecaster.source.allowed_servers, Allowed::Any(vec!["169.254.20.0/24".parse().unwrap()]));
        let mistakes = parsed(Options::default(), "allowServers: ['*', '10.1.0.0/8']").unwrap_err();
        assert!(mistakes[0].contains("write 10.0.0.0/8 for the whole network"), "{mistakes:?}");
    }

    #[test]
    fn a_scaler_alone_needs_forecasters_and_no_prometheus() {
        let parsed = |urls: &str, file: &str| {
            let forecasters = urls.split(',').filter(|url| !url.is_empty()).map(str::to_owned).collect();
            let flags = Options { forecasters, ..Options::default() };
            Settings::parse(Role::Scaler, flags, ConfigFile::parse(file).unwrap()).map_err(|error| error.0.join("; "))
        };
        let settings = parsed("http://forecaster.svc:6001,http://[::1]:7", "").unwrap();
        let address = |host: &str, port| ForecasterAddress { host: host.into(), port };
        assert_eq!(settings.forecasters.addresses, [address("forecaster.svc", 6001), address("::1", 7)]);
        let tls = "tlsCertificateFile: /c\ntlsKeyFile: /k\ntlsClientAuthorityFile: /ca";
        assert!(parsed("https://forecaster.svc:6001", tls).unwrap().forecasters.have_tls);
        for (urls, file, part) in [
            ("", "", "must know who forecasts"),
            ("forecaster:6001", "", "write http://HOST:PORT"),
            ("http://forecaster", "", "write http://HOST:PORT"),
            ("http://forecaster:6001/path", "", "write http://HOST:PORT"),
            ("https://forecaster:6001", "", "needs tlsCertificateFile"),
            ("https://a:1,http://b:2", tls, "for all of them"),
        ] {
            let mistakes = parsed(urls, file).unwrap_err();
            assert!(mistakes.contains(part), "{urls}: {mistakes}");
        }
        let stated = Options { forecasters: vec!["http://f:6001".to_owned()], ..prometheus("http://p:9090") };
        assert!(super::Settings::parse(Role::All, stated, ConfigFile::default()).is_err());
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let file = "prometheus: http://file:9090\nqueryConcurrency: 3\nrefreshInterval: 30s";
        let settings = parsed(prometheus("http://flag:9090"), file).unwrap();
        assert_eq!(settings.forecaster.source.default_server.unwrap().as_str(), "http://flag:9090");
        assert_eq!(settings.forecaster.concurrency, 3);
        assert_eq!(settings.forecaster.refresh_interval, Duration::from_secs(30));
    }

    #[test]
    fn refreshes_come_before_an_observation_is_too_old_to_answer_with() {
        let refreshed = |interval: &str| parsed(prometheus("http://p:9090"), &format!("refreshInterval: {interval}"));
        assert_eq!(refreshed("1m").unwrap().forecaster.refresh_interval, Duration::from_secs(60));
        assert_eq!(refreshed("61s").unwrap_err(), ["refreshInterval \"61s\": must lie from 1s to 1m"]);
    }

    #[test]
    fn a_query_may_take_a_millisecond_to_a_minute() {
        let timeout = |text: &str| {
            let file = ConfigFile::parse(&format!("prometheus: http://p:9090\nqueryTimeout: {text}")).unwrap();
            Settings::parse(Role::All, Options::default(), file).is_ok()
        };
        assert_eq!(["0s", "1ms", "1m", "61s"].map(timeout), [false, true, true, false]);
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let file = r#"
grpcAddress: "6000"
refreshInterval: "15"
queryConcurrency: 0
maxTargets: 0
maxSamplesPerNamespace: 0
queryTimeout: 61s
logFormat: xml
tlsKeyFile: /k
redisUrl: http://:hush@redis
redisAuthorityFile: /ca
allowServers: ["*.", "*.monitoring.svc"]
allowHosts: ["http://prescale.example.com", "*.example.com"]
prommetheus: http://p:9090
credentials:
  Tenant_A:
    username: a
    tokenFile: /t
"#;
        let mistakes = parsed(Options::default(), file).unwrap_err().join("\n");
        for part in [
            "grpcAddress \"6000\"",
            "refreshInterval \"15\"",
            "queryConcurrency \"0\"",
            "maxTargets \"0\"",
            "maxSamplesPerNamespace \"0\"",
            "queryTimeout \"61s\": must lie from 1ms to 1m",
            "logFormat \"xml\"",
            "redisUrl: write redis://host:6379/0",
            "tlsCertificateFile: write tlsCertificateFile and tlsKeyFile",
            "allowServers \"*.\"",
            "allowHosts \"http://prescale.example.com\": write a name without a port",
            "prommetheus: there is no such option",
            "credentials.Tenant_A.tokenFile: there is no such key",
            "credentials.Tenant_A.servers",
            "credentials.Tenant_A: write bearerTokenFile",
            "credentials.Tenant_A \"Tenant_A\"",
        ] {
            assert!(mistakes.contains(part), "{part} is missing in\n{mistakes}");
        }
        assert!(!mistakes.contains("hush"), "{mistakes}");
    }

    #[test]
    fn credentials_keep_their_secrets_in_files() {
        let file = r#"
prometheus: http://p:9090
credentials:
  tenant-a:
    servers: ["https://mimir.example.com"]
    bearerTokenFile: /run/secrets/token
    headerFiles: { X-Scope-OrgID: /run/secrets/tenant }
"#;
        let settings = parsed(Options::default(), file).unwrap();
        let (name, credentials) = settings.forecaster.source.credentials.first_key_value().unwrap();
        assert_eq!(name.as_str(), "tenant-a");
        assert!(matches!(credentials.authorization, Some(Authorization::Bearer(_))));
        assert_eq!(credentials.headers.len(), 1);
    }
}
