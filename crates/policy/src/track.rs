//! [`Track`]: a fleet that follows values, and how many of its pods were Ready when.

use std::collections::VecDeque;
use std::time::Duration;

use series::{Load, ReplicasSeen, Timestamp};

use crate::{FleetEstimate, HPA_SYNC, Target};

/// A step is looked at no more often than this.
const MOST_LOOKS: u32 = 20;

/// Replicas that were seen longer ago say nothing of now.
pub(crate) const SIGHT: Duration = Duration::from_secs(180);

/// A count that was seen may be as old as this: it was scraped before it was asked for, and an HPA syncs at times of its own.
const SIGHT_LAG: Duration = Duration::from_secs(90);

/// A fleet that follows values, and the counts it had.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Track {
    pub(crate) fleet: FleetEstimate,
    /// When the count changed, and to what: from before the longest lead time that is still looked at.
    counts: VecDeque<(Timestamp, u32)>,
}

/// How a fleet stood during one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stood {
    /// Seconds with too few Ready pods.
    pub(crate) short: f64,
    /// Pods ordered × seconds.
    pub(crate) pod_seconds: f64,
}

impl Track {
    /// That of `fleet`, which had its count before `now` too.
    pub(crate) fn of(fleet: FleetEstimate, now: Timestamp) -> Self {
        let counts = VecDeque::from([(now, fleet.replicas())]);
        Self { fleet, counts }
    }

    /// Lets the fleet's HPA sync up to `now`, which got `value` all the time.
    pub(crate) fn follow(&mut self, value: Load, now: Timestamp) {
        self.fleet.follow(value, now);
        self.moved(now);
    }

    /// Takes notice that the fleet may have another count since `now`.
    pub(crate) fn moved(&mut self, now: Timestamp) {
        let count = self.fleet.replicas();
        if self.counts.back().is_none_or(|&(_, before)| before != count) {
            self.counts.push_back((now, count));
        }
    }

    /// Goes on at `now` from the count that was `seen`, where the fleet had none like it at that time: another trigger, a limit or a user holds it there.
    pub(crate) fn correct(&mut self, seen: ReplicasSeen, now: Timestamp) {
        let from = seen.at.checked_sub(SIGHT_LAG).unwrap_or(Timestamp::MIN);
        let within =
            self.counts.range(self.place(from)..).take_while(|(at, _)| *at <= seen.at).map(|&(_, count)| count);
        let (least, most) = within.fold((u32::MAX, 0), |(least, most), count| (least.min(count), most.max(count)));
        let until = now.saturating_add(SIGHT).unwrap_or(Timestamp::MAX);
        self.fleet.confirm(seen.count, until);
        if !(least..=most).contains(&seen.count) {
            self.fleet.correct(seen.count, until);
            self.moved(now);
        }
    }

    /// How it stood against `load` during the step up to `until`. What happened before can be asked for no more.
    pub(crate) fn stood(&mut self, target: &Target, load: Load, until: Timestamp) -> Stood {
        let (step, lead_time) = (target.request.step.duration(), target.request.lead_time);
        let looks = u32::try_from(step.as_secs() / HPA_SYNC.as_secs()).unwrap_or(u32::MAX).clamp(1, MOST_LOOKS);
        let needed = self.fleet.needed(load);
        let (mut short, mut pods) = (0_u32, 0.0);
        for look in 0..looks {
            let Ok(at) = until.checked_sub(step * (looks - look) / looks) else { continue };
            short += u32::from(self.ready_at(at, lead_time) < needed);
            pods += f64::from(self.ordered_at(at));
        }
        let each = step.as_secs_f64() / f64::from(looks);
        self.forget(until, lead_time + 2 * step);
        Stood { short: f64::from(short) * each, pod_seconds: pods * each }
    }

    /// The pods that were Ready at `time`: no more than were ordered at any moment of the lead time before.
    fn ready_at(&self, time: Timestamp, lead_time: Duration) -> u32 {
        let from = time.checked_sub(lead_time).unwrap_or(Timestamp::MIN);
        let within = self.counts.range(self.place(from)..).take_while(|(at, _)| *at <= time);
        within.map(|&(_, count)| count).min().unwrap_or_else(|| self.fleet.replicas())
    }

    fn ordered_at(&self, time: Timestamp) -> u32 {
        self.counts.get(self.place(time)).map_or_else(|| self.fleet.replicas(), |&(_, count)| count)
    }

    /// Where the count of `time` stands.
    fn place(&self, time: Timestamp) -> usize {
        self.counts.partition_point(|&(at, _)| at <= time).saturating_sub(1)
    }

    /// Lets go of what was longer ago than `after`.
    pub(crate) fn forget(&mut self, now: Timestamp, after: Duration) {
        let from = now.checked_sub(after).unwrap_or(Timestamp::MIN);
        while self.counts.get(1).is_some_and(|&(at, _)| at <= from) {
            self.counts.pop_front();
        }
    }
}
