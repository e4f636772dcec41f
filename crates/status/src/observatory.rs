//! [`Observatory`]: a record of every target on the board, and a count that moves when one of them changes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use scaler::{Board, Snapshot};
use series::{Clock, TargetKey, Timestamp};
use tokio::sync::watch;

use crate::record::{Keep, Record};

/// Soon enough for people, and some milliseconds of work for thousands of targets.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// Targets looked at in one go: a fraction of a millisecond.
const AT_ONCE: usize = 32;

/// The records of all targets.
///
/// Looks come from outside, at whatever pace: each is one reading of the board. What readers of the records do costs the
/// board nothing.
#[derive(Debug)]
pub struct Observatory {
    keep: Keep,
    /// When this process began to look: counts of another process are other counts.
    pub(crate) began: Timestamp,
    records: RwLock<HashMap<TargetKey, Arc<Mutex<Record>>>>,
    seen: watch::Sender<Seen>,
}

/// The newest look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// When it was.
    pub(crate) at: Timestamp,
    /// Counts the looks that showed anything new.
    pub(crate) version: u64,
}

impl Observatory {
    /// Records of nothing yet, each to hold as much as `keep` says.
    pub fn new(keep: Keep, now: Timestamp) -> Self {
        Self { keep, began: now, records: RwLock::default(), seen: watch::Sender::new(Seen { at: now, version: 0 }) }
    }

    /// Takes in one reading of the whole board at `now`. Targets that are not in it any more are forgotten.
    pub fn look(&self, board: Vec<Snapshot>, now: Timestamp) {
        let forgot = self.forget_all_but(board.iter().map(|snapshot| &snapshot.target.key));
        let is_new = self.look_at(board, now);
        self.looked(forgot | is_new, now);
    }

    /// Takes in a part of the board; tells whether it showed anything new.
    fn look_at(&self, part: Vec<Snapshot>, now: Timestamp) -> bool {
        let version = self.seen.borrow().version + 1;
        let mut any_new = false;
        for snapshot in part {
            let known = self.records.read().unwrap_or_else(PoisonError::into_inner).get(&snapshot.target.key).cloned();
            if let Some(record) = known {
                any_new |= lock(&record).look(snapshot, now, version);
            } else {
                let key = snapshot.target.key.clone();
                let record = Arc::new(Mutex::new(Record::begin(snapshot, self.keep, now, version)));
                self.records.write().unwrap_or_else(PoisonError::into_inner).insert(key, record);
                any_new = true;
            }
        }
        any_new
    }

    /// Tells readers of a look that has ended.
    fn looked(&self, any_new: bool, now: Timestamp) {
        self.seen.send_modify(|seen| *seen = Seen { at: now, version: seen.version + u64::from(any_new) });
    }

    /// Takes a look at `board` every two seconds, for ever; at some targets after the other, so that KEDA's calls come in between.
    pub async fn follow(self: Arc<Self>, board: Arc<Board>, clock: Arc<dyn Clock>) {
        loop {
            let (keys, now) = (board.keys(), clock.now());
            let mut any_new = self.forget_all_but(keys.iter());
            for some in keys.chunks(AT_ONCE) {
                any_new |= self.look_at(board.snapshots_of(some, now), now);
                tokio::task::yield_now().await;
            }
            self.looked(any_new, now);
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Does `read` with the record of `key`, where there is one.
    pub(crate) fn with<T>(&self, key: &TargetKey, read: impl FnOnce(&Record) -> T) -> Option<T> {
        let record = self.records.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()?;
        Some(read(&lock(&record)))
    }

    /// Does `read` with every record that changed after `version`, in the order of their keys.
    pub(crate) fn since<T>(&self, version: u64, mut read: impl FnMut(&Record) -> T) -> Vec<T> {
        let mut records: Vec<_> = {
            let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
            records.iter().map(|(key, record)| (key.clone(), Arc::clone(record))).collect()
        };
        records.sort_by(|(left, _), (right, _)| left.cmp(right));
        let changed = records.iter().filter_map(|(_, record)| {
            let record = lock(record);
            (record.version > version).then(|| read(&record))
        });
        changed.collect()
    }

    /// The keys of the targets that `is_wanted`, in order.
    pub(crate) fn keys(&self, is_wanted: impl Fn(&TargetKey) -> bool) -> Vec<TargetKey> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys: Vec<_> = records.keys().filter(|key| is_wanted(key)).cloned().collect();
        keys.sort();
        keys
    }

    pub(crate) fn seen(&self) -> Seen {
        *self.seen.borrow()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }

    fn forget_all_but<'a>(&self, board: impl Iterator<Item = &'a TargetKey>) -> bool {
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        let before = records.len();
        let on_board: HashSet<_> = board.collect();
        records.retain(|key, _| on_board.contains(key));
        records.len() < before
    }
}

fn lock(record: &Mutex<Record>) -> std::sync::MutexGuard<'_, Record> {
    // a look that panics half way leaves a record that is wrong by one minute
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, named, outlook, snapshot};

    #[test]
    fn only_what_changed_is_read_and_what_left_the_board_is_gone() {
        let observatory = Observatory::new(Keep::default(), at(0));
        let (checkout, search) = (named("checkout", outlook(1.0, at(0))), named("search", outlook(1.0, at(0))));
        observatory.look(vec![checkout.clone(), search.clone()], at(0));
        let name = |record: &Record| record.latest.target.key.name.to_string();
        assert_eq!(observatory.since(0, name), ["checkout", "search"]);
        let seen = observatory.seen().version;
        observatory.look(vec![checkout.clone(), search], at(5));
        assert_eq!((observatory.seen().version, observatory.seen().at), (seen, at(5)), "nothing new was seen");
        observatory.look(vec![checkout, named("search", outlook(2.0, at(6)))], at(6));
        assert_eq!(observatory.since(seen, name), ["search"]);
        observatory.look(vec![snapshot(outlook(1.0, at(7)), at(7))], at(7));
        assert_eq!(observatory.keys(|_| true).len(), 1);
    }
}
