//! [`Contest`]: which of a model's settings missed least so far, per horizon.
//!
//! All settings walk through the history side by side and are judged at origins at even distances, each on what it expected then. So a whole
//! rehearsal takes one pass: whoever is best at a time is best by what had come true by then.

use crate::past::Past;

const JUDGED_SECONDS: i64 = 18 * 86_400;
/// About so many origins judge; more would tell hardly more.
const JUDGED: usize = 800;
/// Fewer misses than this choose nobody.
const FEWEST: usize = 12;

/// Sums of absolute misses per time at which they had come true, knot and setting.
#[derive(Debug, Clone)]
pub(super) struct Contest {
    /// The times at which is asked who is best, rising.
    times: Vec<usize>,
    knots: Vec<usize>,
    settings: usize,
    /// One row of settings per time and knot: what came true after the time before, up to this one.
    losses: Vec<f64>,
    /// How many misses are in each row.
    counts: Vec<usize>,
    /// The first origin that judges, and how many steps apart they are, counted back from the last sample.
    first: usize,
    stride: usize,
    last: usize,
}

impl Contest {
    /// Among `settings` settings, judged from `first` on for the horizons `knots`, to be decided at `times`.
    pub(super) fn over(past: &Past, first: usize, mut times: Vec<usize>, knots: &[usize], settings: usize) -> Self {
        times.sort_unstable();
        times.dedup();
        let rows = times.len() * knots.len();
        let last = past.last();
        let first = last.saturating_sub(past.calendar().steps_in(JUDGED_SECONDS)).max(first);
        Self {
            times,
            knots: knots.to_vec(),
            settings,
            losses: vec![0.0; rows * settings],
            counts: vec![0; rows],
            first,
            stride: (last.saturating_sub(first) / JUDGED).max(1),
            last,
        }
    }

    /// Whether `index` is an origin that judges.
    pub(super) fn judges(&self, past: &Past, index: usize) -> bool {
        index >= self.first && (self.last - index).is_multiple_of(self.stride) && past.is_known(index)
    }

    /// The horizons.
    pub(super) fn knots(&self) -> &[usize] {
        &self.knots
    }

    /// Notes what each setting predicted for index `target`, where `actual` came, at the knot of place `knot`.
    pub(super) fn note(&mut self, knot: usize, target: usize, actual: f64, predicted: impl Iterator<Item = f64>) {
        let time = self.times.partition_point(|&time| time < target);
        if time == self.times.len() {
            return;
        }
        let row = time * self.knots.len() + knot;
        self.counts[row] += 1;
        let losses = &mut self.losses[row * self.settings..(row + 1) * self.settings];
        for (loss, predicted) in losses.iter_mut().zip(predicted) {
            *loss += (actual - predicted).abs();
        }
    }

    /// The best setting of each knot by what had come true at `time`; that of the nearest knot before it where it has too few misses of its own.
    /// `None` where none has enough.
    pub(super) fn best(&self, time: usize) -> Option<Vec<usize>> {
        let decided = self.times.partition_point(|&one| one <= time);
        let mut best = Vec::with_capacity(self.knots.len());
        for knot in 0..self.knots.len() {
            let rows = (0..decided).map(|time| time * self.knots.len() + knot);
            let (mut sums, mut count) = (vec![0.0; self.settings], 0);
            for row in rows {
                count += self.counts[row];
                let losses = &self.losses[row * self.settings..(row + 1) * self.settings];
                sums.iter_mut().zip(losses).for_each(|(sum, loss)| *sum += loss);
            }
            let least = sums.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map(|(setting, _)| setting);
            let own = least.filter(|_| count >= FEWEST);
            best.push(own.or_else(|| best.last().copied())?);
        }
        Some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::past;

    #[test]
    fn who_is_best_is_decided_by_what_had_come_true() {
        let past = past(&[Some(1.0); 101]);
        let mut contest = Contest::over(&past, 0, vec![100, 50], &[1, 10], 2);
        for origin in 0..90 {
            // the first one is good until index 50, the second from then on and three times as much
            for (knot, ahead) in [1, 10].into_iter().enumerate() {
                let target = origin + ahead;
                let (first, second) = if target <= 50 { (0.1, 1.0) } else { (3.0, 0.0) };
                contest.note(knot, target, 1.0, [1.0 + first, 1.0 - second].into_iter());
            }
        }
        assert_eq!(contest.best(49), None);
        assert_eq!(contest.best(50), Some(vec![0, 0]));
        assert_eq!(contest.best(99), Some(vec![0, 0]));
        assert_eq!(contest.best(100), Some(vec![1, 1]));
    }

    #[test]
    fn a_horizon_with_few_misses_follows_the_one_before() {
        let past = past(&[Some(1.0); 31]);
        let mut contest = Contest::over(&past, 0, vec![30], &[1, 20], 2);
        for origin in 0..30 {
            contest.note(0, origin + 1, 1.0, [5.0, 1.0].into_iter());
            contest.note(1, origin + 20, 1.0, [1.0, 5.0].into_iter());
        }
        assert_eq!(contest.best(30), Some(vec![1, 1]), "11 misses choose nobody");
    }

    #[test]
    fn known_origins_at_even_distances_judge() {
        let mut loads = vec![Some(1.0); 2_000];
        loads[1_997] = None;
        let past = past(&loads);
        let contest = Contest::over(&past, 100, vec![1_999], &[1], 2);
        let judges: Vec<usize> = (0..2_000).filter(|&index| contest.judges(&past, index)).collect();
        assert_eq!((judges[0], judges.last()), (101, Some(&1_999)));
        assert!(!judges.contains(&1_997) && judges.contains(&1_995));
    }
}
