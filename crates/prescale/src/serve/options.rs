//! What a user can set for `prescale serve`, in three places: flags, environment variables, a file.
//!
//! One definition serves all three: clap reads the flags and variables, serde the file, with the same names in camel case.
//! Everything is text here; the `settings` module parses it, so that mistakes from all three places come in one list.

use clap::Args;
use serde::Deserialize;

/// Options that flags, environment and file share. A flag wins over its variable, and that over the file.
#[derive(Debug, Clone, Default, PartialEq, Args, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Options {
    /// Base URL of the Prometheus-compatible server that triggers without `serverAddress` ask, any path prefix included
    /// (`http://thanos-query.monitoring.svc:9090`, `https://mimir.example.com/prometheus`)
    #[arg(long, env = "PRESCALE_PROMETHEUS", value_name = "URL")]
    pub(crate) prometheus: Option<String>,

    /// Further servers that triggers may name: an origin (`https://thanos.example.com:9091`), every host below a domain
    /// (`*.monitoring.svc`), the addresses of a network (`10.96.0.0/12`), or `*` for all. Repeat the flag, or separate with commas
    /// [default: only the one of --prometheus]
    #[arg(long = "allow-server", env = "PRESCALE_ALLOW_SERVER", value_name = "PATTERN", value_delimiter = ',')]
    #[serde(rename = "allowServers")]
    pub(crate) allow_servers: Vec<String>,

    /// With --role scaler: the forecasters, `http(s)://HOST:PORT`, where the host may be a name for all replicas (a headless
    /// Service). Repeat the flag, or separate with commas
    #[arg(long = "forecaster", env = "PRESCALE_FORECASTER", value_name = "URL", value_delimiter = ',')]
    #[serde(rename = "forecasters")]
    pub(crate) forecasters: Vec<String>,

    /// Where KEDA calls, or scalers with --role forecaster [default: 0.0.0.0:6000]
    #[arg(long, env = "PRESCALE_GRPC_ADDRESS", value_name = "IP:PORT")]
    pub(crate) grpc_address: Option<String>,

    /// Certificate that callers of the gRPC port are shown, with those it is signed with, PEM. It is read anew when the file
    /// changes, as are the two below [default: no TLS]
    #[arg(long, env = "PRESCALE_TLS_CERTIFICATE_FILE", value_name = "FILE")]
    pub(crate) tls_certificate_file: Option<String>,

    /// Its private key, PEM
    #[arg(long, env = "PRESCALE_TLS_KEY_FILE", value_name = "FILE")]
    pub(crate) tls_key_file: Option<String>,

    /// Certificates of those who sign the callers' certificates, PEM: callers must then show one
    #[arg(long, env = "PRESCALE_TLS_CLIENT_AUTHORITY_FILE", value_name = "FILE")]
    pub(crate) tls_client_authority_file: Option<String>,

    /// Where people look and probes ask: the status page and its API, /livez, /readyz, /metrics [default: 127.0.0.1:8080]
    #[arg(long, env = "PRESCALE_HTTP_ADDRESS", value_name = "IP:PORT")]
    pub(crate) http_address: Option<String>,

    /// Further names under which the HTTP address may be asked for, such as that of an Ingress: a name, `*.example.com`, or `*`
    /// for all. Repeat the flag, or separate with commas [default: only addresses, names without a dot, and those below
    /// `localhost`, `svc` and `svc.cluster.local`]
    #[arg(long = "allow-host", env = "PRESCALE_ALLOW_HOST", value_name = "NAME", value_delimiter = ',')]
    #[serde(rename = "allowHosts")]
    pub(crate) allow_hosts: Vec<String>,

    /// Folder for what must outlive the process [default: prescale-state]
    #[arg(long, env = "PRESCALE_STATE", value_name = "DIR")]
    pub(crate) state: Option<String>,

    /// Redis for what must outlive the process, in place of the folder: `redis://host:6379/0`, or `rediss://` for TLS. Several
    /// processes may share one
    #[arg(long, env = "PRESCALE_REDIS_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) redis_url: Option<String>,

    /// File with the password of Redis, read anew for each connection
    #[arg(long, env = "PRESCALE_REDIS_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) redis_password_file: Option<String>,

    /// Certificates of who signs that of Redis, PEM, in place of the system's
    #[arg(long, env = "PRESCALE_REDIS_AUTHORITY_FILE", value_name = "FILE")]
    pub(crate) redis_authority_file: Option<String>,

    /// Most targets of a scaler, 1 to 1000000; calls for further ones are refused [default: 10000]
    #[arg(long, env = "PRESCALE_MAX_TARGETS", value_name = "COUNT")]
    pub(crate) max_targets: Option<String>,

    /// Most targets of one namespace, 1 to 1000000 [default: 2000]
    #[arg(long, env = "PRESCALE_MAX_TARGETS_PER_NAMESPACE", value_name = "COUNT")]
    pub(crate) max_targets_per_namespace: Option<String>,

    /// Most samples of history (`historyTimeWindow / queryStep`) that the targets of one namespace ask for together
    /// [default: 50000000]
    #[arg(long, env = "PRESCALE_MAX_SAMPLES_PER_NAMESPACE", value_name = "COUNT")]
    pub(crate) max_samples_per_namespace: Option<String>,

    /// How long a target that nobody asks about is kept, 10m to 7d: more than the longest `pollingInterval` [default: 1h]
    #[arg(long, env = "PRESCALE_FORGET_AFTER", value_name = "DURATION")]
    pub(crate) forget_after: Option<String>,

    /// How often each target is refreshed, 1s to 1m: new samples, new forecast [default: 15s]
    #[arg(long, env = "PRESCALE_REFRESH_INTERVAL", value_name = "DURATION")]
    pub(crate) refresh_interval: Option<String>,

    /// Most refreshes at once, 1 to 1000, each with at most one query under way. One server gets three quarters of them at
    /// most, and so does one namespace where there are several [default: 8]
    #[arg(long, env = "PRESCALE_QUERY_CONCURRENCY", value_name = "COUNT")]
    pub(crate) query_concurrency: Option<String>,

    /// How long one query may take where a trigger states no `timeout`, 1ms to 1m [default: 10s]
    #[arg(long, env = "PRESCALE_QUERY_TIMEOUT", value_name = "DURATION")]
    pub(crate) query_timeout: Option<String>,

    /// How long after its time a sample is final; younger ones are not read [default: 30s, a step at most]
    #[arg(long, env = "PRESCALE_SETTLE", value_name = "DURATION")]
    pub(crate) settle: Option<String>,

    /// What is logged: a level, or levels by target such as `info,forecaster=debug` [default: info]
    #[arg(long, env = "PRESCALE_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,

    /// How it is logged: `text` or `json` [default: text]
    #[arg(long, env = "PRESCALE_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
}

impl Options {
    /// The options that take effect at a start alone, by their names in the file, as something to be compared. They may hold secrets.
    pub(crate) fn fixed(&self) -> [(&'static str, String); 17] {
        let one = |name, value: &Option<String>| (name, format!("{value:?}"));
        [
            one("prometheus", &self.prometheus),
            ("forecasters", format!("{:?}", self.forecasters)),
            one("grpcAddress", &self.grpc_address),
            one("tlsCertificateFile", &self.tls_certificate_file),
            one("tlsKeyFile", &self.tls_key_file),
            one("tlsClientAuthorityFile", &self.tls_client_authority_file),
            one("httpAddress", &self.http_address),
            ("allowHosts", format!("{:?}", self.allow_hosts)),
            one("state", &self.state),
            one("redisUrl", &self.redis_url),
            one("redisPasswordFile", &self.redis_password_file),
            one("redisAuthorityFile", &self.redis_authority_file),
            one("forgetAfter", &self.forget_after),
            one("refreshInterval", &self.refresh_interval),
            one("queryConcurrency", &self.query_concurrency),
            one("settle", &self.settle),
            one("logFormat", &self.log_format),
        ]
    }

    /// These options, with those of `file` where nothing is set here.
    pub(crate) fn over(self, file: Self) -> Self {
        Self {
            prometheus: self.prometheus.or(file.prometheus),
            allow_servers: if self.allow_servers.is_empty() { file.allow_servers } else { self.allow_servers },
            forecasters: if self.forecasters.is_empty() { file.forecasters } else { self.forecasters },
            grpc_address: self.grpc_address.or(file.grpc_address),
            tls_certificate_file: self.tls_certificate_file.or(file.tls_certificate_file),
            tls_key_file: self.tls_key_file.or(file.tls_key_file),
            tls_client_authority_file: self.tls_client_authority_file.or(file.tls_client_authority_file),
            http_address: self.http_address.or(file.http_address),
            allow_hosts: if self.allow_hosts.is_empty() { file.allow_hosts } else { self.allow_hosts },
            state: self.state.or(file.state),
            redis_url: self.redis_url.or(file.redis_url),
            redis_password_file: self.redis_password_file.or(file.redis_password_file),
            redis_authority_file: self.redis_authority_file.or(file.redis_authority_file),
            max_targets: self.max_targets.or(file.max_targets),
            max_targets_per_namespace: self.max_targets_per_namespace.or(file.max_targets_per_namespace),
            max_samples_per_namespace: self.max_samples_per_namespace.or(file.max_samples_per_namespace),
            forget_after: self.forget_after.or(file.forget_after),
            refresh_interval: self.refresh_interval.or(file.refresh_interval),
            query_concurrency: self.query_concurrency.or(file.query_concurrency),
            query_timeout: self.query_timeout.or(file.query_timeout),
            settle: self.settle.or(file.settle),
            log: self.log.or(file.log),
            log_format: self.log_format.or(file.log_format),
        }
    }
}
