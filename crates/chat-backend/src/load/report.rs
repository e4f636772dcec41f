//! [`Report`]: what came of all requests.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::client::Outcome;

/// Counts and times, taken from many tasks.
#[derive(Debug, Default)]
pub(super) struct Report {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// By status; `unreachable` where there was none.
    outcomes: BTreeMap<String, u64>,
    not_sent: u64,
    /// Of answers with 200 alone: a refusal is quick and says nothing of the speed.
    first_byte: Vec<Duration>,
    whole: Vec<Duration>,
}

/// What the command prints; times in seconds, of answers with 200.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Summary {
    outcomes: BTreeMap<String, u64>,
    not_sent: u64,
    first_byte: Option<Quantiles>,
    whole: Option<Quantiles>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Quantiles {
    p50: f64,
    p95: f64,
    p99: f64,
    max: f64,
}

impl Report {
    pub(super) fn outcome(&self, outcome: &Outcome) {
        self.with(|counts| {
            let name = outcome.status.map_or_else(|| "unreachable".to_owned(), |status| status.to_string());
            *counts.outcomes.entry(name).or_default() += 1;
            if outcome.status == Some(200) {
                counts.first_byte.push(outcome.first_byte);
                counts.whole.push(outcome.whole);
            }
        });
    }

    /// A request that would have been one too many at once.
    pub(super) fn not_sent(&self) {
        self.with(|counts| counts.not_sent += 1);
    }

    pub(super) fn summary(&self) -> Summary {
        self.with(|counts| Summary {
            outcomes: counts.outcomes.clone(),
            not_sent: counts.not_sent,
            first_byte: Quantiles::of(&mut counts.first_byte),
            whole: Quantiles::of(&mut counts.whole),
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Counts) -> T) -> T {
        // nothing in here panics half way through a change
        work(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Quantiles {
    fn of(times: &mut [Duration]) -> Option<Self> {
        times.sort_unstable();
        let max = times.last()?.as_secs_f64();
        // the nearest rank: the least time that so many percent did not exceed
        let percent = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100).max(1);
            times[rank - 1].as_secs_f64()
        };
        Some(Self { p50: percent(50), p95: percent(95), p99: percent(99), max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_answers_and_not_of_refusals() {
        let report = Report::default();
        assert_eq!(report.summary().whole, None);
        for second in (1..=100).rev() {
            let whole = Duration::from_secs(second);
            report.outcome(&Outcome { status: Some(200), first_byte: whole / 2, whole });
        }
        let refused = Outcome { status: Some(429), first_byte: Duration::ZERO, whole: Duration::ZERO };
        report.outcome(&refused);
        report.outcome(&Outcome { status: None, ..refused });
        report.not_sent();
        let summary = report.summary();
        assert_eq!(summary.whole, Some(Quantiles { p50: 50.0, p95: 95.0, p99: 99.0, max: 100.0 }));
        assert_eq!(summary.first_byte.unwrap().max, 50.0);
        let counts: Vec<_> = summary.outcomes.iter().map(|(name, &count)| (name.as_str(), count)).collect();
        assert_eq!(counts, [("200", 100), ("429", 1), ("unreachable", 1)]);
        assert_eq!(summary.not_sent, 1);
    }
}
