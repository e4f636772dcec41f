//! [`InRedis`]: conversations that all pods share, one list per conversation.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands as _, Client, ConnectionInfo, IntoConnectionInfo as _};

use super::SessionId;
use crate::openai::Message;

/// A chat waits this long for its past and no longer.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Conversations in Redis.
#[derive(Clone)]
pub(crate) struct InRedis {
    connection: ConnectionManager,
    ttl: Duration,
    messages: isize,
}

impl std::fmt::Debug for InRedis {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("InRedis")
            .field("ttl", &self.ttl)
            .field("messages", &self.messages)
            .finish_non_exhaustive()
    }
}

impl InRedis {
    /// Conversations at `url`, connected to when first needed: Redis need not be there at start.
    pub(crate) fn new(url: &str, password_file: Option<&Path>, ttl: Duration, messages: u16) -> anyhow::Result<Self> {
        // the URL may hold a password, so that no message repeats it
        let mut info: ConnectionInfo =
            url.into_connection_info().context("--redis-url is none; write redis://host:6379")?;
        if let Some(file) = password_file {
            let password = std::fs::read_to_string(file)
                .with_context(|| format!("{} (--redis-password-file) cannot be read", file.display()))?;
            let settings = info.redis_settings().clone().set_password(password.trim());
            info = info.set_redis_settings(settings);
        }
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT))
            .set_number_of_retries(1);
        let connection = ConnectionManager::new_lazy_with_config(Client::open(info)?, config)?;
        Ok(Self { connection, ttl, messages: isize::try_from(messages)? })
    }

    pub(super) async fn load(&self, id: &SessionId) -> anyhow::Result<Vec<Message>> {
        let written: Vec<String> = self.connection.clone().lrange(key(id), 0, -1).await?;
        written.iter().map(|text| serde_json::from_str(text).context("a kept message cannot be read")).collect()
    }

    pub(super) async fn append(&self, id: &SessionId, messages: &[Message]) -> anyhow::Result<()> {
        let written = messages.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        let key = key(id);
        let ttl = i64::try_from(self.ttl.as_secs())?;
        let mut commands = redis::pipe();
        commands
            .atomic()
            .rpush(&key, written)
            .ignore()
            .ltrim(&key, -self.messages, -1)
            .ignore()
            .expire(&key, ttl)
            .ignore();
        commands.query_async::<()>(&mut self.connection.clone()).await?;
        Ok(())
    }
}

fn key(id: &SessionId) -> String {
    format!("chat-backend:session:{}", id.as_str())
}
