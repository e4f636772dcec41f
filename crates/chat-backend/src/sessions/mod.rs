//! [`Sessions`]: conversations that the server remembers, so that a client sends only what is new.

mod memory;
mod redis;

use crate::openai::Message;

pub(crate) use memory::InMemory;
pub(crate) use redis::InRedis;

/// The name of a conversation; who knows it can go on with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionId(String);

/// Where conversations are kept.
#[derive(Debug)]
pub(crate) enum Sessions {
    /// In this process alone.
    Memory(InMemory),
    /// In Redis, where all pods see them.
    Redis(InRedis),
}

impl SessionId {
    /// 1 to 128 letters, digits, `-` and `_`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let sound = (1..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        sound.then(|| Self(text.to_owned()))
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

impl Sessions {
    /// The conversation so far; empty where there is none.
    pub(crate) async fn load(&self, id: &SessionId) -> anyhow::Result<Vec<Message>> {
        match self {
            Self::Memory(memory) => Ok(memory.load(id)),
            Self::Redis(redis) => redis.load(id).await,
        }
    }

    /// Adds `messages` to the conversation.
    pub(crate) async fn append(&self, id: &SessionId, messages: &[Message]) -> anyhow::Result<()> {
        match self {
            Self::Memory(memory) => {
                memory.append(id, messages);
                Ok(())
            }
            Self::Redis(redis) => redis.append(id, messages).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_a_name_that_cannot_mean_another_key() {
        assert!(SessionId::parse("Ab-9_").is_some());
        for name in ["", "a:b", "a b", "é", &"x".repeat(129)] {
            assert_eq!(SessionId::parse(name), None, "{name:?}");
        }
    }
}
