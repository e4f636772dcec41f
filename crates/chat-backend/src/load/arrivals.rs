//! [`Arrivals`]: when requests come.

use std::time::Duration;

use fastrand::Rng;

use super::trace::Trace;

/// The times of a Poisson process whose rate follows a trace, from its beginning.
///
/// By time change: with `Λ(t) = ∫₀ᵗ λ(s) ds`, the arrivals of a process of rate `λ` are where `Λ` passes those of a process
/// of rate 1, whose gaps are `-ln U`.
#[derive(Debug)]
pub(super) struct Arrivals<'a> {
    trace: &'a Trace,
    random: Rng,
    repeat: bool,
    /// Steps that are over.
    steps: usize,
    /// Where in the step the last arrival was, in seconds.
    within: f64,
}

impl<'a> Arrivals<'a> {
    /// The arrivals of `seed`; without end where the trace repeats.
    pub(super) fn new(trace: &'a Trace, seed: u64, repeat: bool) -> Self {
        // a trace of nothing but zeros would be searched for ever
        let repeat = repeat && trace.rates.iter().any(|&rate| rate > 0.0);
        Self { trace, random: Rng::with_seed(seed), repeat, steps: 0, within: 0.0 }
    }
}

impl Iterator for Arrivals<'_> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let step = self.trace.step.as_secs_f64();
        // 1 - U, since U may be 0
        let mut wanted = -(1.0 - self.random.f64()).ln();
        loop {
            if self.steps >= self.trace.rates.len() && !self.repeat {
                return None;
            }
            let rate = self.trace.rates[self.steps % self.trace.rates.len()];
            let left = rate * (step - self.within);
            if wanted < left {
                self.within += wanted / rate;
                let steps = u32::try_from(self.steps).ok()?;
                return Some(self.trace.step * steps + Duration::from_secs_f64(self.within));
            }
            wanted -= left;
            self.steps += 1;
            self.within = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trace(rates: &[f64]) -> Trace {
        Trace { rates: rates.to_vec(), step: Duration::from_secs(100) }
    }

    #[test]
    fn as_many_come_as_the_trace_says_and_only_when_it_does() {
        let trace = trace(&[50.0, 0.0, 10.0]);
        let mut counts = [0_u32; 3];
        for at in Arrivals::new(&trace, 7, false) {
            counts[usize::try_from(at.as_secs() / 100).unwrap()] += 1;
        }
        // 5000 and 1000 are expected; 4 standard deviations of a Poisson count are 283 and 126
        assert!(counts[0].abs_diff(5000) < 283, "{counts:?}");
        assert_eq!(counts[1], 0);
        assert!(counts[2].abs_diff(1000) < 126, "{counts:?}");
    }

    #[test]
    fn a_trace_that_repeats_goes_on_where_it_began() {
        let trace = trace(&[0.0, 2.0]);
        let later: Vec<_> = Arrivals::new(&trace, 7, true).skip_while(|at| at.as_secs() < 1000).take(50).collect();
        assert!(later.iter().all(|at| at.as_secs() / 100 % 2 == 1), "{later:?}");
        assert_eq!(Arrivals::new(&self::trace(&[0.0]), 7, true).next(), None);
    }

    proptest! {
        #[test]
        fn arrivals_come_in_order_and_the_same_for_the_same_seed(rates in proptest::collection::vec(0.0..5.0_f64, 1..5), seed: u64) {
            let trace = trace(&rates);
            let once: Vec<_> = Arrivals::new(&trace, seed, false).collect();
            prop_assert!(once.is_sorted());
            prop_assert_eq!(&once, &Arrivals::new(&trace, seed, false).collect::<Vec<_>>());
        }
    }
}
