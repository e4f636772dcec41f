//! [`InMemory`]: conversations of one process, as many as fit.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::SessionId;
use crate::openai::Message;

/// Most conversations; the one that rested longest makes room.
const MOST: usize = 10_000;

/// Conversations in memory.
#[derive(Debug)]
pub(crate) struct InMemory {
    ttl: Duration,
    /// The newest messages of a conversation that are kept.
    messages: usize,
    conversations: Mutex<HashMap<SessionId, Conversation>>,
}

#[derive(Debug)]
struct Conversation {
    messages: Vec<Message>,
    last: Instant,
}

impl InMemory {
    pub(crate) fn new(ttl: Duration, messages: u16) -> Self {
        Self { ttl, messages: usize::from(messages), conversations: Mutex::default() }
    }

    pub(crate) fn load(&self, id: &SessionId) -> Vec<Message> {
        let conversations = self.conversations();
        let fresh = conversations.get(id).filter(|conversation| conversation.last.elapsed() < self.ttl);
        fresh.map(|conversation| conversation.messages.clone()).unwrap_or_default()
    }

    pub(crate) fn append(&self, id: &SessionId, messages: &[Message]) {
        let mut conversations = self.conversations();
        if conversations.len() >= MOST && !conversations.contains_key(id) {
            conversations.retain(|_, conversation| conversation.last.elapsed() < self.ttl);
            let oldest =
                conversations.iter().min_by_key(|(_, conversation)| conversation.last).map(|(id, _)| id.clone());
            if let (Some(oldest), true) = (oldest, conversations.len() >= MOST) {
                conversations.remove(&oldest);
            }
        }
        let now = Instant::now();
        let conversation =
            conversations.entry(id.clone()).or_insert_with(|| Conversation { messages: Vec::new(), last: now });
        if conversation.last.elapsed() >= self.ttl {
            conversation.messages.clear();
        }
        conversation.messages.extend_from_slice(messages);
        let surplus = conversation.messages.len().saturating_sub(self.messages);
        conversation.messages.drain(..surplus);
        conversation.last = now;
    }

    fn conversations(&self) -> MutexGuard<'_, HashMap<SessionId, Conversation>> {
        // nothing in here panics half way through a change
        self.conversations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Message {
        Message::from_assistant(text)
    }

    #[tokio::test(start_paused = true)]
    async fn a_conversation_keeps_its_newest_messages_until_it_has_rested_too_long() {
        let memory = InMemory::new(Duration::from_secs(60), 3);
        let id = SessionId::parse("a").unwrap();
        memory.append(&id, &[said("1"), said("2")]);
        memory.append(&id, &[said("3"), said("4")]);
        assert_eq!(memory.load(&id), [said("2"), said("3"), said("4")]);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(memory.load(&id), []);
        memory.append(&id, &[said("5")]);
        assert_eq!(memory.load(&id), [said("5")]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_conversation_that_rested_longest_makes_room() {
        let memory = InMemory::new(Duration::from_secs(60), 3);
        for number in 0..=MOST {
            tokio::time::advance(Duration::from_micros(1)).await;
            memory.append(&SessionId::parse(&number.to_string()).unwrap(), &[said("hello")]);
        }
        assert_eq!(memory.load(&SessionId::parse("0").unwrap()), []);
        assert_eq!(memory.load(&SessionId::parse("1").unwrap()).len(), 1);
        assert_eq!(memory.conversations().len(), MOST);
    }
}
