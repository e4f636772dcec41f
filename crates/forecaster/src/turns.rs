//! [`Turns`]: whose turn it is, so that nobody's many targets are in the way of another's few.
//!
//! Namespaces take turns, and the servers of one namespace among themselves; targets of one server in the order they came.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use series::ServerAddress;

use crate::target::Target;

/// What a target waits for a share of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Share {
    /// The places of a namespace.
    Namespace(Arc<str>),
    /// The places of a server; `None` is the default one.
    Server(Option<ServerAddress>),
}

impl Share {
    /// What a refresh of `target` takes places of.
    pub(crate) fn of(target: &Target) -> [Self; 2] {
        [Self::Namespace(Arc::clone(&target.key.namespace)), Self::Server(target.request.query.server.clone())]
    }
}

/// Targets that wait for something to be done for them.
#[derive(Default)]
pub(crate) struct Turns {
    /// The next to have its turn first. No queue in it is empty.
    namespaces: Shared<Servers>,
}

/// What waits for each share.
type Shared<T> = VecDeque<(Share, T)>;

type Servers = Shared<VecDeque<Weak<Target>>>;

impl Turns {
    /// Puts `target` behind those of its namespace and server.
    pub(crate) fn push(&mut self, target: &Arc<Target>) {
        let [namespace, server] = Share::of(target);
        let servers = of(&mut self.namespaces, namespace);
        of(servers, server).push_back(Arc::downgrade(target));
    }

    /// Takes the next target whose shares all have room; those that are gone are left out.
    pub(crate) fn pop(&mut self, has_room: impl Fn(&Share) -> bool) -> Option<Arc<Target>> {
        for _ in 0..self.namespaces.len() {
            let (namespace, mut servers) = self.namespaces.pop_front()?;
            let found = if has_room(&namespace) { pop_of(&mut servers, &has_room) } else { None };
            if !servers.is_empty() {
                self.namespaces.push_back((namespace, servers));
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

fn pop_of(servers: &mut Servers, has_room: impl Fn(&Share) -> bool) -> Option<Arc<Target>> {
    for _ in 0..servers.len() {
        let (server, mut waiting) = servers.pop_front()?;
        let mut found = None;
        while found.is_none()
            && has_room(&server)
            && let Some(target) = waiting.pop_front()
        {
            found = target.upgrade();
        }
        if !waiting.is_empty() {
            servers.push_back((server, waiting));
        }
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The queue of `share`, a new one at the end where there is none.
fn of<T: Default>(queues: &mut Shared<T>, share: Share) -> &mut T {
    let place = queues.iter().position(|(own, _)| *own == share).unwrap_or_else(|| {
        queues.push_back((share, T::default()));
        queues.len() - 1
    });
    &mut queues[place].1
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use series::{Outlook, TargetKey, Timestamp};

    use super::*;

    fn target(namespace: &str, server: &str, name: &str) -> Arc<Target> {
        let key = TargetKey { namespace: namespace.into(), name: name.into(), digest: "d".into() };
        let request = crate::testing::request(&server.parse().unwrap(), 100);
        Arc::new(Target::new(key, request, Duration::ZERO, Outlook::first_seen(Timestamp::UNIX_EPOCH), false))
    }

    fn name(target: Option<Arc<Target>>) -> String {
        target.map_or_else(String::new, |target| target.key.name.to_string())
    }

    #[test]
    fn namespaces_take_turns_and_so_do_the_servers_of_each() {
        let mut turns = Turns::default();
        let many: Vec<_> = (0..4).map(|number| target("big", "http://p", &format!("big-{number}"))).collect();
        for target in &many {
            turns.push(target);
        }
        let (other, small) = (target("big", "http://q", "big-other"), target("small", "http://p", "small"));
        turns.push(&other);
        turns.push(&small);
        let order: Vec<_> = (0..7).map(|_| name(turns.pop(|_| true))).collect();
        assert_eq!(order, ["big-0", "small", "big-other", "big-1", "big-2", "big-3", ""]);
        assert!(turns.namespaces.is_empty());
    }

    #[test]
    fn who_has_no_room_keeps_its_place_and_who_is_gone_loses_it() {
        let mut turns = Turns::default();
        let (slow, quick) = (target("a", "http://slow", "slow"), target("a", "http://quick", "quick"));
        turns.push(&slow);
        turns.push(&target("a", "http://quick", "gone"));
        turns.push(&quick);
        let slow_server = Share::Server(Some("http://slow".parse().unwrap()));
        let but_slow = |share: &Share| *share != slow_server;
        assert_eq!(name(turns.pop(but_slow)), "quick");
        assert_eq!(name(turns.pop(but_slow)), "");
        assert_eq!(name(turns.pop(|share| *share != Share::Namespace("a".into()))), "");
        assert_eq!(name(turns.pop(|_| true)), "slow");
        assert!(turns.namespaces.is_empty());
    }
}
