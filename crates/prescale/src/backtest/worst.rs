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
    /// The pods that the value asked for then; `None` where nothing was published.
    pub(super) asked: Option<u32>,
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
        let then = tick.saturating_sub(lead);
        let reason = || published.reason(then).to_owned();
        let value = published.values.get(then).copied().flatten();
        let asked = value.map(|value| trial.hpa.replicas.covering(value, trial.per_pod));
        let now = course.time(tick);
        match moments.last_mut() {
            Some((moment, last)) if tick - *last <= ticks_in(APART) => {
                moment.short += TICK;
                moment.unmet += unmet * TICK.as_secs_f64();
                if needed.saturating_sub(ready) > moment.needed.saturating_sub(moment.ready) {
                    (moment.needed, moment.ready, moment.worst) = (needed, ready, now);
                    (moment.reason, moment.asked) = (reason(), asked);
                }
                *last = tick;
            }
            _ => {
                let unmet = unmet * TICK.as_secs_f64();
                let (begin, worst) = (now, now);
                let moment = Moment { begin, short: TICK, unmet, needed, ready, worst, reason: reason(), asked };
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

#[cfg(test)]
mod tests {
    use policy::Threshold;
    use series::{Load, Sample, Series, Step};
    use simulator::Course;

    use super::*;

    #[test]
    fn shortages_that_are_near_are_one_moment_and_the_worst_comes_first() {
        // half an hour of ten pods' load, with two peaks of fourteen close together and one of sixteen far off
        let load = |minute: usize| match minute {
            10 | 12 => 140.0,
            60 => 160.0,
            _ => 100.0,
        };
        let samples = (0..90).map(|minute| Sample::Value(Load::new(load(minute)).unwrap()));
        let start = Timestamp::from_second(60).unwrap();
        let course = Course::of(&Series::from_samples(start, Step::MINUTE, samples).unwrap()).unwrap();
        let trial = Trial::new(&course, 0, Threshold::new(10.0).unwrap(), Duration::from_secs(60));
        let published = Published::made_of((0..360).map(|tick| (Load::new(100.0).ok(), format!("tick {tick}"))));
        let moments = worst(&trial, &[10; 360], &published, 5);
        let told: Vec<_> = moments.iter().map(|moment| (moment.begin.as_second(), moment.short.as_secs())).collect();
        assert_eq!(told, [(600, 120), (3600, 60)], "two minutes of 40 too many are more than one of 60");
        assert_eq!((moments[1].needed, moments[1].ready, moments[1].asked), (16, 10, Some(10)));
        // a start-up of four ticks and a sync before
        assert_eq!(moments[1].reason, "tick 235");
        assert_eq!(worst(&trial, &[10; 360], &published, 1).len(), 1);
    }
}
