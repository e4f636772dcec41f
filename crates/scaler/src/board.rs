//! [`Board`]: the latest outlook per target, where the two paths meet.
//!
//! The slow path publishes outlooks, handlers read plans. A plan is made when an outlook or an HPA sync has come since the
//! last one, in microseconds and under a lock that is never held over an await; otherwise the last one is the answer, so
//! that `GetMetrics` and the `IsActive` after it tell the same. Syncs are taken to be at whole quarters of a minute, in every
//! process: what is on the board follows from outlooks, memories and the time, and not from who was asked when.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use policy::Target;
use series::{Outlook, TargetKey, Timestamp};

use crate::learned;
use crate::limits::{Limits, NoSeat};
use crate::seat::{Seat, Snapshot};
use crate::seats::Seats;

/// The latest outlook per target.
#[derive(Debug, Default)]
pub struct Board {
    seats: RwLock<Seats>,
    limits: RwLock<Limits>,
}

impl Board {
    /// A board with room for so many targets.
    pub fn with_limits(limits: Limits) -> Self {
        Self { limits: RwLock::new(limits), ..Self::default() }
    }

    /// Has room for so many from now on; targets that have a seat keep it.
    pub fn set_limits(&self, limits: Limits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// What it has room for.
    pub(crate) fn limits(&self) -> Limits {
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the newest outlook of a target on the board; one that is not (or no longer) on it is left out.
    pub fn publish(&self, key: &TargetKey, outlook: Arc<Outlook>) {
        if let Some(seat) = self.found(key) {
            seat.publish(outlook, None);
        }
    }

    /// The same from a process that plans for the target beside this one: from here on it is planned from what that one
    /// remembers, as [`Board::memory`] told it there.
    pub fn publish_told(&self, key: &TargetKey, outlook: Arc<Outlook>, memory: &str, now: Timestamp) {
        if let Some(seat) = self.found(key) {
            seat.publish(outlook, learned::read(key, memory).map(|memory| (memory, now)));
        }
    }

    /// What was learned of a target by answering for it, to be kept beside its outlook; `None` where that is nothing.
    pub fn memory(&self, key: &TargetKey) -> Option<Arc<str>> {
        learned::write(key, self.found(key)?.memory()?)
    }

    /// Goes on from what [`Board::memory`] gave, before a restart perhaps; what is older than what is known by now is left out.
    pub fn remember(&self, key: &TargetKey, memory: &str, now: Timestamp) {
        let Some(seat) = self.found(key) else { return };
        let Some(memory) = learned::read(key, memory) else { return };
        seat.adopt_if_newer(memory, now);
    }

    /// What is known of every target at `now`, in order of their keys.
    pub fn snapshots(&self, now: Timestamp) -> Vec<Snapshot> {
        let mut snapshots: Vec<_> = self.all().iter().map(|seat| seat.snapshot(now)).collect();
        snapshots.sort_by(|a, b| a.target.key.cmp(&b.target.key));
        snapshots
    }

    /// Plans for `key` at `now`, though nobody asks, and tells what is remembered since: whoever goes on from that with the same outlook
    /// comes to the same plan. `None` after the first plan, which rests on nothing remembered.
    pub fn advance(&self, key: &TargetKey, now: Timestamp) -> Option<Arc<str>> {
        let seat = self.found(key)?;
        let is_first = seat.memory().is_none();
        // why there is no plan is told to who asks
        drop(seat.plan(now));
        if is_first { None } else { learned::write(key, seat.memory()?) }
    }

    /// What is known of each of the targets `keys` that are on the board, at `now`.
    pub fn snapshots_of(&self, keys: &[TargetKey], now: Timestamp) -> Vec<Snapshot> {
        keys.iter().filter_map(|key| Some(self.found(key)?.snapshot(now))).collect()
    }

    /// Which targets are on the board.
    pub fn keys(&self) -> Vec<TargetKey> {
        self.seats().keys().cloned().collect()
    }

    /// How many targets are on the board.
    pub fn len(&self) -> usize {
        self.seats().len()
    }

    /// Whether no target is on the board.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives `target` a seat, in place of the one that its key has, for a process that plans without being asked by KEDA.
    ///
    /// # Errors
    /// [`NoSeat`] where there are as many as there may be.
    pub fn add(&self, target: Target, now: Timestamp) -> Result<(), NoSeat> {
        self.remove(&target.key);
        self.take_seat(target, now).map(drop)
    }

    /// Takes the seat of `key` away.
    pub fn remove(&self, key: &TargetKey) {
        self.seats_mut().remove(key);
    }

    fn seats(&self) -> RwLockReadGuard<'_, Seats> {
        self.seats.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn seats_mut(&self) -> RwLockWriteGuard<'_, Seats> {
        self.seats.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The seat of `key`, if it has one, left as it is.
    fn found(&self, key: &TargetKey) -> Option<Arc<Seat>> {
        self.seats().get(key).map(Arc::clone)
    }

    fn all(&self) -> Vec<Arc<Seat>> {
        self.seats().iter().map(Arc::clone).collect()
    }

    /// The seat of `key`, if it has one, marked as asked for.
    pub(crate) fn seat(&self, key: &TargetKey) -> Option<Arc<Seat>> {
        let seats = self.seats();
        let seat = seats.get(key)?;
        // before the lock is released: a sweep must not take a seat away from one who just found it
        seat.asked_for();
        Some(Arc::clone(seat))
    }

    /// The target of `key`, if it has a seat.
    pub(crate) fn target(&self, key: &TargetKey) -> Option<Arc<Target>> {
        let seats = self.seats();
        seats.get(key).map(|seat| Arc::clone(seat.target()))
    }

    /// Gives `target` a seat, and tells whether it is new. One that differs from what the same trigger was before in what is made of the forecasts alone
    /// goes on from what that has learned.
    ///
    /// # Errors
    /// [`NoSeat`] where a new one would be more than there may be.
    pub(crate) fn take_seat(&self, target: Target, now: Timestamp) -> Result<(Arc<Seat>, bool), NoSeat> {
        let mut seats = self.seats_mut();
        if let Some(seat) = seats.get(&target.key) {
            seat.asked_for();
            return Ok((Arc::clone(seat), false));
        }
        seats.have_room(&target, self.limits())?;
        let seat = Seat::new(target, now);
        let before = seats.of_object(&seat.target().key).filter(|other| other.target().learns_as(seat.target()));
        if let Some(memory) = before.filter_map(|other| other.memory()).max_by_key(policy::Memory::at) {
            seat.adopt(memory, now);
        }
        let seat = Arc::new(seat);
        seats.add(Arc::clone(&seat));
        Ok((seat, true))
    }

    /// Takes away the seats that nobody asked for in the last `most` sweeps and that no stream holds; gives their keys.
    pub(crate) fn sweep(&self, most: u32) -> Vec<TargetKey> {
        let mut seats = self.seats_mut();
        let idle = seats.iter().filter(|seat| seat.is_idle_after_sweep(most)).map(|seat| seat.target().key.clone());
        let cleared: Vec<_> = idle.collect();
        for key in &cleared {
            seats.remove(key);
        }
        cleared
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
