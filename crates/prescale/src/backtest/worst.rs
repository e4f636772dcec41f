//! [`Moment`]: when the fleet was too small, for how long, and what the value was that should have kept it from that.

use std::time::Duration;

use series::Timestamp;
use simulator::{TICK, Trial};

use super::walk::Published;

/// Shortages that are no further apart are one.
const APART: Duration = Duration::from_mins(15);

/// A time in which there were too few Ready pods, again and again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moment {
    pub(super) begin: Timestamp,
    /// How long there were too few.
    pub(super) short: Duration,
    /// The load that went beyond the pods, in its unit × seconds.
    pub(super) unmet: f64,
    /// At the worst of it.
    pub(super) needed: u32,
    pub(super) ready: u32,
    pub(super) worst: Timestamp,
    /// Why the value was what it was when pods for the worst of it would have had to be ordered.
    pub(super) reason: String,
}

/// The `most` worst moments, the one with the most load unmet first. `ready` are the Ready pods of each tick that counts.
pub(super) fn worst(trial: &Trial<'_>, ready: &[u32], published: &Published, most: usize) -> Vec<Moment> {
    let (course, per_pod) = (trial.course, trial.per_pod.get());
    // ordered then, at the next sync, pods would have been Ready
    let lead = ticks_in(trial.usual_start_up()) + 1;
    let mut moments: Vec<(Moment, usize)> = Vec::new();
    for (tick, &ready) in trial.ticks().zip(ready) {
        let unmet = course.load(tick).get() - f64::from(ready) * per_pod;
        if unmet <= 1e-9 {
            continue;
        }
        let needed = trial.hpa.replicas.covering(course.load(tick), trial.per_pod);
        let reason = || published.reason(tick.saturating_sub(lead)).to_owned();
        let now = course.time(tick);
        match moments.last_mut() {
            Some((moment, last)) if tick - *last <= ticks_in(APART) => {
                moment.short += TICK;
                moment.unmet += unmet * TICK.as_secs_f64();
                if needed.saturating_sub(ready) > moment.needed.saturating_sub(moment.ready) {
                    (moment.needed, moment.ready, moment.worst, moment.reason) = (needed, ready, now, reason());
                }
                *last = tick;
            }
            _ => {
                let unmet = unmet * TICK.as_secs_f64();
                let moment = Moment { begin: now, short: TICK, unmet, needed, ready, worst: now, reason: reason() };
                moments.push((moment, tick));
            }
        }
    }
    let mut moments: Vec<Moment> = moments.into_iter().map(|(moment, _)| moment).collect();
    moments.sort_by(|a, b| b.unmet.total_cmp(&a.unmet).then(a.begin.cmp(&b.begin)));
    moments.truncate(most);
    moments
}

fn ticks_in(span: Duration) -> usize {
    usize::try_from(span.as_secs() / TICK.as_secs()).unwrap_or(0)
}
