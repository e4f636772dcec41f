//! [`OutlookRedis`]: outlooks in Redis, for several processes.
//!
//! One connection, made when it is wanted. While Redis cannot be reached every call fails at once but the one that tries
//! anew, with a pause that doubles: nobody waits for what is not there.

use std::path::PathBuf;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisError};
use redis::{Pipeline, TlsCertificates};
use series::{HistoryUpdate, KeptHistory, Series, TargetKey};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::{Answer, KEPT, Kept, Store, StoreError, page, record};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);

/// Pause after a failure to connect; twice as long after each further one.
const SHORTEST_REST: Duration = Duration::from_millis(500);
const LONGEST_REST: Duration = Duration::from_secs(10);

/// Outlooks or histories written at once: some megabytes.
const BATCH: usize = 64;

/// The field of a history's hash that holds what forecasts have taught; the others are the numbers of pages.
const LEARNED: &str = "learned";

/// Pages before the oldest that is wanted, which are dropped: more than any history loses while it is kept.
const PAST: i64 = 128;

/// Where Redis is, and as whom it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisSettings {
    /// `redis://[user[:password]@]host[:port][/database]`, or `rediss://` for TLS.
    pub url: String,
    /// File with the password, read anew for each connection; wins over the one in the URL.
    pub password_file: Option<PathBuf>,
    /// PEM of who signs the server's certificate, read anew for each connection, in place of the system's.
    pub authority_file: Option<PathBuf>,
}

/// Why settings cannot be used. What they hold is not told: it may be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedisSettingsError {
    /// The URL is none of Redis.
    #[error("write redis://host:6379/0, or rediss://host:6379/0 for TLS")]
    Url,
    /// An authority without TLS.
    #[error("an authority is of use with rediss:// alone")]
    NoTls,
}

/// Outlooks by target, in Redis, for a day each.
#[derive(Debug)]
pub struct OutlookRedis {
    settings: RedisSettings,
    information: ConnectionInfo,
    /// Host and port, for messages.
    server: String,
    link: Mutex<Link>,
}

#[derive(Debug)]
struct Link {
    connection: Option<MultiplexedConnection>,
    /// What failed last, and until when no other try is made.
    failed: Option<(String, Instant)>,
    rest: Duration,
}

impl OutlookRedis {
    /// A store that has not connected yet.
    ///
    /// # Errors
    /// [`RedisSettingsError`] where the URL cannot be used.
    pub fn new(settings: RedisSettings) -> Result<Self, RedisSettingsError> {
        let information = settings.url.as_str().into_connection_info().map_err(|_| RedisSettingsError::Url)?;
        let (scheme, host, port) = match information.addr() {
            ConnectionAddr::Tcp(host, port) => ("redis", host, port),
            ConnectionAddr::TcpTls { host, port, .. } => ("rediss", host, port),
            _ => return Err(RedisSettingsError::Url),
        };
        if settings.authority_file.is_some() && scheme == "redis" {
            return Err(RedisSettingsError::NoTls);
        }
        let server = format!("{scheme}://{host}:{port}");
        let link = Mutex::new(Link { connection: None, failed: None, rest: Duration::ZERO });
        Ok(Self { settings, information, server, link })
    }

    async fn load_one(&self, target: &TargetKey) -> Result<Option<Kept>, StoreError> {
        let key = key(target);
        let mut connection = self.connection().await?;
        let read: Result<Option<Vec<u8>>, _> = redis::cmd("GET").arg(&key).query_async(&mut connection).await;
        let unreadable = match read {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => match record::read(&bytes) {
                Ok(kept) => return Ok(Some(kept)),
                Err(error) => error.to_string(),
            },
            // a list, say: somebody else's
            Err(error) if error.code() == Some("WRONGTYPE") => error.to_string(),
            Err(error) => return Err(self.failed(error).await),
        };
        let aside = format!("{key}:broken");
        tracing::warn!(%target, problem = unreadable, aside, "stored outlook cannot be read, it is set aside");
        let moved: Result<(), _> = redis::cmd("RENAME").arg(&key).arg(&aside).query_async(&mut connection).await;
        if let Err(error) = moved {
            tracing::warn!(%error, "it could not be set aside");
        }
        Ok(None)
    }

    async fn keep_all(&self, outlooks: Vec<(TargetKey, Kept)>) -> Result<(), StoreError> {
        for batch in outlooks.chunks(BATCH) {
            let mut writes = Pipeline::new();
            for (target, kept) in batch {
                let bytes = record::write(kept).map_err(|error| StoreError::Defect(error.to_string()))?;
                writes.cmd("SET").arg(key(target)).arg(bytes).arg("EX").arg(KEPT.as_secs()).ignore();
            }
            let mut connection = self.connection().await?;
            let written: Result<(), _> = writes.query_async(&mut connection).await;
            if let Err(error) = written {
                return Err(self.failed(error).await);
            }
        }
        Ok(())
    }

    async fn load_pages(&self, target: &TargetKey) -> Result<Option<KeptHistory>, StoreError> {
        let key = history_key(target);
        let mut connection = self.connection().await?;
        let read: Result<Vec<(String, Vec<u8>)>, _> =
            redis::cmd("HGETALL").arg(&key).query_async(&mut connection).await;
        let problem = match read {
            Ok(fields) => match history_of(fields) {
                Ok(history) => return Ok(history),
                Err(problem) => problem,
            },
            // a list, say: somebody else's
            Err(error) if error.code() == Some("WRONGTYPE") => error.to_string(),
            Err(error) => return Err(self.failed(error).await),
        };
        tracing::warn!(%target, problem, "stored history is passed over, and replaced");
        Ok(None)
    }

    async fn keep_pages(&self, updates: Vec<(TargetKey, HistoryUpdate)>) -> Result<(), StoreError> {
        for batch in updates.chunks(BATCH) {
            let mut writes = Pipeline::new();
            // all of a history or nothing of it
            writes.atomic();
            for (target, update) in batch {
                let key = history_key(target);
                if update.is_whole {
                    writes.cmd("DEL").arg(&key).ignore();
                } else {
                    let gone: Vec<i64> = (update.oldest.saturating_sub(PAST)..update.oldest).collect();
                    writes.cmd("HDEL").arg(&key).arg(gone).ignore();
                }
                for page in update.pages() {
                    writes.cmd("HSET").arg(&key).arg(page.number).arg(page::write(&page.samples)).ignore();
                }
                match &update.learned {
                    Some(learned) => writes.cmd("HSET").arg(&key).arg(LEARNED).arg(&**learned).ignore(),
                    None => writes.cmd("HDEL").arg(&key).arg(LEARNED).ignore(),
                };
                writes.cmd("EXPIRE").arg(&key).arg(KEPT.as_secs()).ignore();
            }
            let mut connection = self.connection().await?;
            let written: Result<(), _> = writes.query_async(&mut connection).await;
            if let Err(error) = written {
                return Err(self.failed(error).await);
            }
        }
        Ok(())
    }

    /// The connection, made anew where there is none and the last failure is long enough ago.
    async fn connection(&self) -> Result<MultiplexedConnection, StoreError> {
        let mut link = self.link.lock().await;
        if let Some(connection) = &link.connection {
            return Ok(connection.clone());
        }
        if let Some((problem, until)) = &link.failed
            && Instant::now() < *until
        {
            return Err(StoreError::Unreachable { server: self.server.clone(), problem: problem.clone() });
        }
        match self.connect().await {
            Ok(connection) => {
                link.connection = Some(connection.clone());
                link.failed = None;
                link.rest = Duration::ZERO;
                Ok(connection)
            }
            Err(problem) => {
                link.rest = (link.rest * 2).clamp(SHORTEST_REST, LONGEST_REST);
                // as much again by chance: replicas that lost one server together must not come back together
                let rest = link.rest.mul_f64(1.0 + fastrand::f64());
                link.failed = Some((problem.clone(), Instant::now() + rest));
                Err(StoreError::Unreachable { server: self.server.clone(), problem })
            }
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, String> {
        let read = async |path: &PathBuf| {
            let path = path.clone();
            let text = tokio::task::spawn_blocking(move || {
                std::fs::read_to_string(&path)
                    .map_err(|error| format!("cannot read {}: {}", path.display(), error.kind()))
            });
            text.await.unwrap_or_else(|error| Err(error.to_string()))
        };
        let mut information = self.information.clone();
        if let Some(path) = &self.settings.password_file {
            let own = information.redis_settings().clone().set_password(read(path).await?.trim());
            information = information.set_redis_settings(own);
        }
        let root_cert = match &self.settings.authority_file {
            Some(path) => Some(read(path).await?.into_bytes()),
            None => None,
        };
        let client = match root_cert {
            None => Client::open(information),
            root_cert => Client::build_with_tls(information, TlsCertificates { client_tls: None, root_cert }),
        };
        let limits = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let connected =
            client.map_err(|error| told(&error))?.get_multiplexed_async_connection_with_config(&limits).await;
        connected.map_err(|error| told(&error))
    }

    /// What a failure means; a connection that is of no use any more is let go.
    async fn failed(&self, error: RedisError) -> StoreError {
        // what came in time and is no more than a refusal says that the connection is sound
        let is_refusal = error.code().is_some() || error.clone().into_server_errors().is_some();
        if !is_refusal {
            self.link.lock().await.connection = None;
        }
        StoreError::Redis { server: self.server.clone(), problem: told(&error) }
    }
}

impl Store for OutlookRedis {
    fn load<'a>(&'a self, target: &'a TargetKey) -> Answer<'a, Option<Kept>> {
        Box::pin(self.load_one(target))
    }

    fn keep(&self, outlooks: Vec<(TargetKey, Kept)>) -> Answer<'_, ()> {
        Box::pin(self.keep_all(outlooks))
    }

    fn load_history<'a>(&'a self, target: &'a TargetKey) -> Answer<'a, Option<KeptHistory>> {
        Box::pin(self.load_pages(target))
    }

    fn keep_histories(&self, updates: Vec<(TargetKey, HistoryUpdate)>) -> Answer<'_, ()> {
        Box::pin(self.keep_pages(updates))
    }

    fn forget(&self, _: Vec<TargetKey>) -> Answer<'_, ()> {
        // another process may keep them still; what nobody keeps goes with its day
        Box::pin(std::future::ready(Ok(())))
    }

    fn name(&self) -> String {
        self.server.clone()
    }
}

/// The format is part of the name: processes of two versions side by side do not read each other's records.
fn key(target: &TargetKey) -> String {
    format!("prescale:outlook:{}:{}", record::FORMAT, record::key(target))
}

/// The same of histories, a hash each.
fn history_key(target: &TargetKey) -> String {
    format!("prescale:history:{}:{}", page::FORMAT, record::key(target))
}

/// The history in the fields of a hash, or what is wrong with them.
fn history_of(fields: Vec<(String, Vec<u8>)>) -> Result<Option<KeptHistory>, String> {
    let (mut pages, mut learned): (Vec<(i64, Series)>, _) = (Vec::new(), None);
    for (field, bytes) in fields {
        if field == LEARNED {
            learned = Some(String::from_utf8(bytes).map_err(|_| format!("{LEARNED} is no text"))?.into());
            continue;
        }
        let number = field.parse().map_err(|_| format!("{field:?} is no number of a page"))?;
        pages.push((number, page::read(&bytes).map_err(|error| format!("page {number}: {error}"))?));
    }
    pages.sort_unstable_by_key(|(number, _)| *number);
    Ok(KeptHistory::of(pages.into_iter().map(|(_, page)| page), learned))
}

/// The error in one line; of many that came together, the first.
fn told(error: &RedisError) -> String {
    if let Some((_, first)) = error.clone().into_server_errors().as_deref().and_then(<[_]>::first) {
        return first.to_string();
    }
    match error.detail() {
        Some(detail) => format!("{error}: {detail}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(url: &str, authority: Option<&str>) -> Result<OutlookRedis, RedisSettingsError> {
        let (url, authority_file) = (url.to_owned(), authority.map(PathBuf::from));
        OutlookRedis::new(RedisSettings { url, password_file: None, authority_file })
    }

    #[test]
    fn what_is_no_address_is_told_without_showing_it() {
        for url in ["", "redis", "http://hush:6379", "redis://:hush@", "unix:///hush"] {
            let error = new(url, None).unwrap_err();
            assert!(!error.to_string().contains("hush"), "{error}");
        }
        assert_eq!(new("redis://r", Some("/ca")).unwrap_err(), RedisSettingsError::NoTls);
        assert_eq!(new("rediss://u:hush@r/0", Some("/ca")).unwrap().name(), "rediss://r:6379");
    }

    #[tokio::test]
    async fn while_nobody_answers_calls_fail_at_once() {
        // a port that was free a moment ago
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let store = new(&format!("redis://:hush@127.0.0.1:{port}"), None).unwrap();
        let target = TargetKey { namespace: "n".into(), name: "a".into(), digest: "d".into() };
        let began = Instant::now();
        for _ in 0..1000 {
            let error = store.load(&target).await.unwrap_err();
            assert!(matches!(error, StoreError::Unreachable { .. }) && !error.to_string().contains("hush"), "{error}");
        }
        assert!(began.elapsed() < CONNECT_TIMEOUT);
    }
}
