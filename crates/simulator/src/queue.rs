//! [`Queue`]: requests that wait for a pod.

use std::time::Duration;

use series::Load;

/// Work that found no pod and waits its turn, as a fluid: first come, first served, and given up after a while.
#[derive(Debug, Clone)]
pub struct Queue {
    patience: Duration,
    /// Load × seconds that wait.
    waiting: f64,
    lost: f64,
    arrived: f64,
    /// The longest wait so far, in seconds.
    longest: f64,
    /// The sum of what waited over time; by Little's law its share of the arrivals is the mean wait.
    waited: f64,
}

/// What a queue came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Waiting {
    /// Mean wait of a request that came (J. D. C. Little, Operations Research 9, 1961).
    pub mean: Duration,
    /// The longest wait of one that was served.
    pub longest: Duration,
    /// Share of the load that was given up.
    pub lost_share: f64,
}

impl Queue {
    /// An empty queue, in which nobody waits for longer than `patience`.
    pub fn with_patience(patience: Duration) -> Self {
        Self { patience, waiting: 0.0, lost: 0.0, arrived: 0.0, longest: 0.0, waited: 0.0 }
    }

    /// One stretch of time with `load` against pods that carry `capacity` together.
    pub fn pass(&mut self, load: Load, capacity: f64, stretch: Duration) {
        let seconds = stretch.as_secs_f64();
        let arrived = load.get().max(0.0) * seconds;
        let before = self.waiting;
        self.arrived += arrived;
        self.waiting = (self.waiting + arrived - capacity * seconds).max(0.0);
        let held = capacity * self.patience.as_secs_f64();
        self.lost += (self.waiting - held).max(0.0);
        self.waiting = self.waiting.min(held);
        if self.waiting > 0.0 {
            self.longest = self.longest.max(self.waiting / capacity);
        }
        self.waited += f64::midpoint(before, self.waiting) * seconds;
    }

    /// What it came to so far.
    pub fn waiting(&self) -> Waiting {
        let share = |amount: f64| if self.arrived > 0.0 { amount / self.arrived } else { 0.0 };
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        Waiting { mean: seconds(share(self.waited)), longest: seconds(self.longest), lost_share: share(self.lost) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn load(amount: f64) -> Load {
        Load::new(amount).unwrap()
    }

    #[test]
    fn what_comes_too_fast_waits_and_is_served_later() {
        let mut queue = Queue::with_patience(60 * SECOND);
        queue.pass(load(20.0), 10.0, 10 * SECOND);
        queue.pass(load(0.0), 10.0, 10 * SECOND);
        let Waiting { mean, longest, lost_share } = queue.waiting();
        // up to 100 wait at 10 a second, and 50 on average over 20 seconds, of the 200 that came
        assert_eq!((longest, lost_share), (10 * SECOND, 0.0));
        assert_eq!(mean, 5 * SECOND);
    }

    #[test]
    fn who_would_wait_too_long_is_lost() {
        let mut queue = Queue::with_patience(2 * SECOND);
        queue.pass(load(20.0), 10.0, 10 * SECOND);
        assert_eq!(queue.waiting().lost_share, 80.0 / 200.0);
        assert_eq!(queue.waiting().longest, 2 * SECOND);
        queue.pass(load(20.0), 0.0, 10 * SECOND);
        assert_eq!(queue.waiting().lost_share, 300.0 / 400.0);
    }
}
