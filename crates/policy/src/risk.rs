//! [`Risk`]: how likely each count of pods is too small, at the times that a decision now has a say in.

use std::time::Duration;

use series::{Forecast, Quantile, Step, Timestamp};

use crate::{HPA_STABILIZATION, HPA_SYNC, Target};

/// The times are no nearer to each other than this …
const LEAST_SPACING: Duration = Duration::from_secs(60);
/// … and a lead time holds no more of them than this.
const MOST_IN_LEAD_TIME: u64 = 15;
/// Times beyond the reach of the decision, for what will be decided after it.
const BEYOND: usize = 3;
/// More counts than this are told apart in steps of several pods.
const MOST_COUNTS: u32 = 160;
/// No count is looked at that less than this speaks for: a fleet that is too small every other time is none.
const LEAST_LEVEL: f64 = 0.5;
/// Nor one that is larger than what is exceeded one time in ten thousand.
const HIGHEST_LEVEL: f64 = 0.9999;

/// The probability that the load exceeds what a count of pods carries, by count and by time.
///
/// Time 0 is one HPA sync from now; pods ordered now are Ready at time [`Risk::lead`]; a recommendation made now holds the count
/// until time [`Risk::hold`].
#[derive(Debug, Clone)]
pub(crate) struct Risk {
    /// The forecast's origin, and the end of the sample that speaks of time 0.
    origin: Timestamp,
    begins: Timestamp,
    spacing: Duration,
    lead: usize,
    hold: usize,
    lowest: u32,
    grain: u32,
    counts: usize,
    /// Time after time, rising counts.
    exceedance: Vec<f64>,
    /// Per time, the first count worth looking at.
    first: Vec<usize>,
}

impl Risk {
    /// Whether it is that of `forecast` at `now` too: time passes unnoticed within a sample.
    pub(crate) fn is_of(&self, forecast: &Forecast, target: &Target, now: Timestamp) -> bool {
        self.origin == forecast.origin()
            && now.checked_add(HPA_SYNC).is_ok_and(|at| sample_end(self.origin, target.request.step, at) == self.begins)
    }

    /// The risk at `now`; `None` where `forecast` does not reach the Ready pods.
    pub(crate) fn of(forecast: &Forecast, target: &Target, now: Timestamp) -> Option<Self> {
        let lead_time = target.request.lead_time;
        let minutes = lead_time.as_secs().div_ceil(LEAST_SPACING.as_secs() * MOST_IN_LEAD_TIME).max(1);
        let spacing = Duration::from_secs(LEAST_SPACING.as_secs() * minutes);
        let (lead, hold) = (covering(lead_time, spacing), covering(HPA_STABILIZATION, spacing));
        let times = lead + hold + BEYOND;
        let per_pod = target.threshold.get();
        let (least, highest) = (Quantile::new(LEAST_LEVEL).ok()?, Quantile::new(HIGHEST_LEVEL).ok()?);

        let mut distributions = Vec::with_capacity(times);
        for time in 0..times {
            let offset = HPA_SYNC + spacing * u32::try_from(time).ok()?;
            let at = sample_end(forecast.origin(), target.request.step, now.checked_add(offset).ok()?);
            match forecast.distribution(at) {
                Some(distribution) => distributions.push(distribution),
                None if time > lead => break,
                None => return None,
            }
        }
        let pods =
            |level| distributions.iter().map(move |distribution| pods(distribution.quantile(level).get(), per_pod));
        let lowest = pods(least).min()?;
        let most = pods(highest).max()?.saturating_add(1).max(lowest);
        let grain = (most - lowest) / MOST_COUNTS + 1;
        let counts = usize::try_from((most - lowest) / grain).ok()? + 2;
        let first = pods(least).map(|count| ((count - lowest) / grain) as usize).collect();
        let count = |place: usize| f64::from(lowest) + f64::from(grain) * place as f64;
        let exceedance = distributions
            .iter()
            .flat_map(|distribution| (0..counts).map(move |place| distribution.exceedance(count(place) * per_pod)))
            .collect();
        let begins = sample_end(forecast.origin(), target.request.step, now.checked_add(HPA_SYNC).ok()?);
        Some(Self { origin: forecast.origin(), begins, spacing, lead, hold, lowest, grain, counts, exceedance, first })
    }

    /// Pods ordered now are Ready at this time.
    pub(crate) fn lead(&self) -> usize {
        self.lead
    }

    /// Until this time an HPA remembers a recommendation made now.
    pub(crate) fn hold(&self) -> usize {
        self.hold
    }

    /// No fewer pods are worth looking at.
    pub(crate) fn lowest(&self) -> u32 {
        self.lowest
    }

    /// No more pods are worth looking at.
    pub(crate) fn highest(&self) -> u32 {
        self.lowest.saturating_add(self.grain.saturating_mul(u32::try_from(self.counts - 1).unwrap_or(u32::MAX)))
    }

    /// Between how many pods one decision makes a difference.
    pub(crate) fn grain(&self) -> u32 {
        self.grain
    }

    /// How long after now `time` is.
    pub(crate) fn after(&self, time: usize) -> Duration {
        self.spacing * u32::try_from(time).unwrap_or(u32::MAX)
    }

    /// The probability that `pods` Ready pods are too few at `time`.
    pub(crate) fn of_shortage(&self, time: usize, pods: u32) -> f64 {
        match pods.checked_sub(self.lowest) {
            None => 1.0,
            Some(above) => {
                let place = ((above / self.grain) as usize).min(self.counts - 1);
                self.exceedance[self.last(time) * self.counts + place]
            }
        }
    }

    /// The count with the least of `pods + price × P(too few)` at `time`.
    pub(crate) fn cheapest(&self, time: usize, price: f64) -> u32 {
        let row = &self.exceedance[self.last(time) * self.counts..][..self.counts];
        let cost = |place: usize| f64::from(self.grain) * place as f64 + price * row[place];
        let first = self.first[self.last(time)];
        let best = (first..self.counts).min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(first);
        self.lowest + self.grain * u32::try_from(best).unwrap_or(0)
    }

    fn last(&self, time: usize) -> usize {
        time.min(self.first.len() - 1)
    }
}

fn covering(span: Duration, spacing: Duration) -> usize {
    usize::try_from(span.as_secs().div_ceil(spacing.as_secs())).unwrap_or(usize::MAX)
}

/// The end of the sample that speaks of `time`: a sample speaks of the step before it.
fn sample_end(origin: Timestamp, step: Step, time: Timestamp) -> Timestamp {
    let passed = time.duration_since(origin).as_secs();
    step.shift(origin, (passed - 1).div_euclid(i64::from(step.seconds())) + 1)
}

fn pods(load: f64, per_pod: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` stops at the ends of u32")]
    let pods = (load / per_pod - 1e-9).ceil() as u32;
    // far below the end of u32, which sums must not reach
    pods.clamp(1, u32::MAX / 8)
}
