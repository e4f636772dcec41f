//! [`StartUp`]: how long a pod takes from its order to Ready.

use std::f64::consts::TAU;
use std::time::Duration;

use fastrand::Rng;

/// How long pods take from their order to Ready.
#[derive(Debug, Clone, PartialEq)]
pub enum StartUp {
    /// All the same.
    Fixed(Duration),
    /// Each its own, drawn from a lognormal distribution: most near the median, some far beyond.
    LogNormal {
        /// Half of the pods take longer.
        median: Duration,
        /// Standard deviation of the logarithm, 0 or more: at 0.5, one in twenty takes 2.3 times the median or longer.
        spread: f64,
        /// Decides the chance: the same seed draws the same times.
        seed: u64,
    },
}

impl From<Duration> for StartUp {
    fn from(fixed: Duration) -> Self {
        Self::Fixed(fixed)
    }
}

/// Draws one start-up after the other.
#[derive(Debug, Clone)]
pub(crate) struct Draws {
    start_up: StartUp,
    rng: Rng,
}

impl Draws {
    pub(crate) fn of(start_up: StartUp) -> Self {
        let seed = match start_up {
            StartUp::Fixed(_) => 0,
            StartUp::LogNormal { seed, .. } => seed,
        };
        Self { start_up, rng: Rng::with_seed(seed) }
    }

    /// The start-ups of `pods` pods that are ordered together, equal ones in one batch: how long, and how many.
    pub(crate) fn batches(&mut self, pods: u32) -> impl Iterator<Item = (Duration, u32)> {
        let (each, count) = match self.start_up {
            StartUp::Fixed(_) => (pods, u32::from(pods > 0)),
            StartUp::LogNormal { .. } => (1, pods),
        };
        (0..count).map(move |_| (self.draw(), each))
    }

    fn draw(&mut self) -> Duration {
        match self.start_up {
            StartUp::Fixed(fixed) => fixed,
            StartUp::LogNormal { median, spread, .. } => {
                // a standard normal number (Box and Muller, Annals of Mathematical Statistics 29, 1958)
                let uniform = 1.0 - self.rng.f64();
                let normal = (-2.0 * uniform.ln()).sqrt() * (TAU * self.rng.f64()).cos();
                Duration::try_from_secs_f64(median.as_secs_f64() * (spread * normal).exp()).unwrap_or(Duration::MAX)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_times_have_their_median_and_their_tail_and_come_back_with_the_seed() {
        let median = Duration::from_secs(180);
        let draw = |seed| {
            let mut times: Vec<_> =
                Draws::of(StartUp::LogNormal { median, spread: 0.5, seed }).batches(10_001).collect();
            assert!(times.iter().all(|&(_, pods)| pods == 1));
            times.sort();
            times
        };
        let times = draw(1);
        let (middle, late) = (times[5000].0.as_secs_f64(), times[9500].0.as_secs_f64());
        assert!((middle - 180.0).abs() < 5.0, "{middle}");
        assert!((late - 180.0 * 2.28).abs() < 20.0, "{late}");
        assert_eq!(draw(1), times);
        assert_ne!(draw(2), times);
    }
}
