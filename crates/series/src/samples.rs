//! [`Series`]: regular samples in time, with explicit gaps that say why they are there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Load, Step};

/// One place of a series: what was known of the load at that time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Sample {
    /// The load.
    Value(Load),
    /// No load is known, for this reason.
    Gap(GapReason),
}

/// Why a sample is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// The source has no sample at that time: nothing scraped, or the series went stale.
    NoSample,
    /// The source answered NaN (`0 / 0` in a query, say).
    NotANumber,
    /// The source answered an infinity (a division by zero in a query, say).
    Infinite,
    /// The source answered a number beyond [`Load::MAX`].
    OutOfRange,
}

/// A run of missing samples with one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Index of the first missing sample.
    pub first: usize,
    /// How many samples are missing, at least 1.
    pub len: usize,
    /// Why they are.
    pub reason: GapReason,
}

/// Regular samples of one load, oldest first, at multiples of the step since the epoch.
///
/// A sample at time `t` is what was known at `t`: a forecaster that is given the samples up to `t` has seen nothing
/// of what came later.
///
/// Loads are kept in single precision, to a relative 6·10⁻⁸: ten thousand targets of two weeks of minutes are then 0.8 GB, not 1.6.
#[derive(Debug, Clone)]
pub struct Series {
    step: Step,
    start: Timestamp,
    /// One amount per sample; NaN inside gaps, and only there.
    amounts: Vec<f32>,
    /// Sorted, not overlapping, neighbours of one reason merged.
    gaps: Vec<Gap>,
}

impl Series {
    /// A series without samples, whose first one will be at `start`.
    ///
    /// # Errors
    /// [`SeriesError::OffGrid`] where `start` is no multiple of `step` since the epoch.
    pub fn starting_at(start: Timestamp, step: Step) -> Result<Self, SeriesError> {
        if step.floor(start) != start {
            return Err(SeriesError::OffGrid { time: start, step });
        }
        Ok(Self { step, start, amounts: Vec::new(), gaps: Vec::new() })
    }

    /// A series of `samples`, the first one at `start`.
    ///
    /// # Errors
    /// [`SeriesError::OffGrid`] where `start` is no multiple of `step` since the epoch.
    pub fn from_samples(
        start: Timestamp,
        step: Step,
        samples: impl IntoIterator<Item = Sample>,
    ) -> Result<Self, SeriesError> {
        let mut series = Self::starting_at(start, step)?;
        for sample in samples {
            series.push(sample);
        }
        Ok(series)
    }

    /// Appends what is known of the next grid time.
    pub fn push(&mut self, sample: Sample) {
        if self.amounts.len() == self.amounts.capacity() {
            // a long series grows by a little: doubling would hold as much again for nothing
            self.amounts.reserve_exact(self.amounts.len() / 16 + 16);
        }
        match sample {
            Sample::Value(load) => self.amounts.push(load.rounded()),
            Sample::Gap(reason) => {
                let index = self.amounts.len();
                self.amounts.push(f32::NAN);
                match self.gaps.last_mut() {
                    Some(gap) if gap.reason == reason && gap.first + gap.len == index => gap.len += 1,
                    _ => self.gaps.push(Gap { first: index, len: 1, reason }),
                }
            }
        }
    }

    /// Gives back the room that is there for more.
    pub fn shrink_to_fit(&mut self) {
        self.amounts.shrink_to_fit();
        self.gaps.shrink_to_fit();
    }

    /// The spacing of the samples.
    pub fn step(&self) -> Step {
        self.step
    }

    /// The time of the first sample (of the first one to come, while there is none).
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The time of the last sample, gap or not.
    pub fn end(&self) -> Option<Timestamp> {
        self.len().checked_sub(1).map(|last| self.time(last))
    }

    /// The time of the sample after the last.
    pub fn next_time(&self) -> Timestamp {
        self.time(self.len())
    }

    /// How many samples there are, gaps included.
    pub fn len(&self) -> usize {
        self.amounts.len()
    }

    /// Whether there is no sample at all.
    pub fn is_empty(&self) -> bool {
        self.amounts.is_empty()
    }

    /// How many samples are known.
    pub fn known(&self) -> usize {
        self.len() - self.gaps.iter().map(|gap| gap.len).sum::<usize>()
    }

    /// The time of sample `index`.
    pub fn time(&self, index: usize) -> Timestamp {
        self.step.shift(self.start, i64::try_from(index).unwrap_or(i64::MAX))
    }

    /// Sample `index`, or `None` past the end.
    pub fn sample(&self, index: usize) -> Option<Sample> {
        if index >= self.len() {
            return None;
        }
        if let Some(load) = self.load(index) {
            return Some(Sample::Value(load));
        }
        let after = self.gaps.partition_point(|gap| gap.first + gap.len <= index);
        self.gaps.get(after).map(|gap| Sample::Gap(gap.reason))
    }

    /// The load of sample `index`; `None` in a gap and past the end.
    pub fn load(&self, index: usize) -> Option<Load> {
        Load::unrounded(f64::from(*self.amounts.get(index)?))
    }

    /// The amounts as they are kept, one per sample; NaN where no load is known. For those who read many at once.
    pub fn amounts(&self) -> &[f32] {
        &self.amounts
    }

    /// Every sample, oldest first.
    pub fn samples(&self) -> impl Iterator<Item = Sample> + '_ {
        let mut gaps = self.gaps.iter().peekable();
        (0..self.len()).filter_map(move |index| {
            if let Some(load) = self.load(index) {
                return Some(Sample::Value(load));
            }
            while gaps.next_if(|gap| gap.first + gap.len <= index).is_some() {}
            gaps.peek().map(|gap| Sample::Gap(gap.reason))
        })
    }

    /// The newest known load and its time.
    pub fn latest(&self) -> Option<(Timestamp, Load)> {
        (0..self.len()).rev().find_map(|index| Some((self.time(index), self.load(index)?)))
    }

    /// The runs of missing samples, oldest first.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// The samples up to and including `until`: what was known then.
    #[must_use]
    pub fn until(&self, until: Timestamp) -> Self {
        let whole_steps = (until.as_second() - self.start.as_second()).div_euclid(i64::from(self.step.seconds()));
        let kept = usize::try_from(whole_steps.saturating_add(1)).unwrap_or(0).min(self.len());
        let mut cut = Self { amounts: self.amounts[..kept].to_vec(), gaps: self.gaps.clone(), ..*self };
        cut.gaps.retain(|gap| gap.first < kept);
        if let Some(gap) = cut.gaps.last_mut() {
            gap.len = gap.len.min(kept - gap.first);
        }
        cut
    }

    /// The newest samples, at most `most` of them.
    #[must_use]
    pub fn newest(&self, most: usize) -> Self {
        let first = self.len().saturating_sub(most);
        Self { start: self.time(first), amounts: self.amounts[first..].to_vec(), gaps: self.gaps_from(first), ..*self }
    }

    /// Forgets the oldest samples, so that at most `most` are left.
    pub fn keep_newest(&mut self, most: usize) {
        let first = self.len().saturating_sub(most);
        if first == 0 {
            return;
        }
        self.start = self.time(first);
        self.amounts.drain(..first);
        self.gaps = self.gaps_from(first);
    }

    /// The gaps from sample `first` on, counted from there.
    fn gaps_from(&self, first: usize) -> Vec<Gap> {
        let later = self.gaps.iter().filter(|gap| gap.first + gap.len > first);
        later
            .map(|gap| {
                let begin = gap.first.max(first);
                Gap { first: begin - first, len: gap.first + gap.len - begin, reason: gap.reason }
            })
            .collect()
    }
}

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        let bits = |series: &Self| series.amounts.iter().map(|amount| amount.to_bits()).collect::<Vec<u32>>();
        (self.step, self.start, &self.gaps, bits(self)) == (other.step, other.start, &other.gaps, bits(other))
    }
}

/// What cannot be made into a series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// The first sample does not lie on the grid of the step.
    #[error("{time} is no multiple of the step {step} since the epoch; align it with `Step::floor`")]
    OffGrid {
        /// The time given.
        time: Timestamp,
        /// The step it should lie on.
        step: Step,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).unwrap()
    }

    fn value(amount: f64) -> Sample {
        Sample::Value(Load::new(amount).unwrap())
    }

    const NONE: Sample = Sample::Gap(GapReason::NoSample);
    const NAN: Sample = Sample::Gap(GapReason::NotANumber);

    fn series(samples: &[Sample]) -> Series {
        Series::from_samples(at(10), Step::MINUTE, samples.iter().copied()).unwrap()
    }

    #[test]
    fn what_goes_in_comes_out() {
        let samples = [NONE, value(1.0), NONE, NONE, NAN, value(2.0), NAN];
        let series = series(&samples);
        assert_eq!(series.samples().collect::<Vec<_>>(), samples);
        assert_eq!((0..7).map(|i| series.sample(i).unwrap()).collect::<Vec<_>>(), samples);
        assert_eq!(series.sample(7), None);
        assert_eq!((series.len(), series.known()), (7, 2));
        assert_eq!(series.gaps().len(), 4);
        assert_eq!((series.start(), series.end(), series.next_time()), (at(10), Some(at(16)), at(17)));
    }

    #[test]
    fn the_latest_load_skips_gaps_at_the_end() {
        assert_eq!(series(&[value(1.0), NONE, NAN]).latest(), Some((at(10), Load::new(1.0).unwrap())));
        assert_eq!(series(&[NONE, value(3.0)]).latest(), Some((at(11), Load::new(3.0).unwrap())));
        assert_eq!(series(&[NONE]).latest(), None);
        assert_eq!(series(&[]).latest(), None);
    }

    #[test]
    fn cutting_leaves_what_was_known_then() {
        let whole = series(&[value(1.0), NONE, NONE, value(2.0), NAN]);
        assert_eq!(whole.until(at(11)), series(&[value(1.0), NONE]));
        assert_eq!(whole.until(at(9)), series(&[]));
        assert_eq!(whole.until(at(99)), whole);
    }

    #[test]
    fn the_oldest_samples_are_forgotten_first() {
        let samples = [NAN, NONE, NONE, value(1.0), NONE, value(2.0)];
        for most in 0..=7 {
            let mut kept = series(&samples);
            kept.keep_newest(most);
            let expected = &samples[samples.len() - most.min(samples.len())..];
            assert_eq!(kept.samples().collect::<Vec<_>>(), expected, "keeping {most}");
            assert_eq!(kept.next_time(), at(16));
            assert_eq!(series(&samples).newest(most), kept, "the newest {most}");
        }
    }

    #[test]
    fn a_series_starts_on_its_grid() {
        let off = Timestamp::from_second(61).unwrap();
        assert!(matches!(Series::starting_at(off, Step::MINUTE), Err(SeriesError::OffGrid { .. })));
    }
}
