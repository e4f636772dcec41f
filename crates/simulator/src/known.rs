//! [`Known`]: the history that models see while samples come in.

use series::{Sample, Series, Step, Timestamp};

/// The newest samples of a load, from the first known one to the last: gaps before and after them are no history.
#[derive(Debug)]
pub(crate) struct Known {
    /// Most samples kept, gaps after the last known one included.
    most: usize,
    history: Option<Series>,
    /// Came after the last known sample.
    gaps: Vec<Sample>,
    step: Step,
}

impl Known {
    /// Nothing yet, of samples that are `step` apart, of which `most` (1 or more) are kept.
    pub(crate) fn nothing(step: Step, most: usize) -> Self {
        Self { most: most.max(1), history: None, gaps: Vec::new(), step }
    }

    /// Takes in the sample of the next grid time, which is `time`.
    pub(crate) fn push(&mut self, time: Timestamp, sample: Sample) {
        match (&mut self.history, sample) {
            (None, Sample::Gap(_)) => return,
            (None, Sample::Value(_)) => self.history = Series::from_samples(time, self.step, [sample]).ok(),
            (Some(_), Sample::Gap(_)) => self.gaps.push(sample),
            (Some(history), Sample::Value(_)) => {
                self.gaps.drain(..).for_each(|gap| history.push(gap));
                history.push(sample);
            }
        }
        self.forget();
    }

    /// What is known; `None` while that is nothing.
    pub(crate) fn history(&self) -> Option<&Series> {
        self.history.as_ref()
    }

    fn forget(&mut self) {
        let Some(history) = &mut self.history else { return };
        let most = self.most.saturating_sub(self.gaps.len());
        if history.len() <= most {
            return;
        }
        history.keep_newest(most);
        if let Some(first) = (0..history.len()).find(|&index| history.load(index).is_some()) {
            history.keep_newest(history.len() - first);
        } else {
            self.history = None;
            self.gaps.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use series::{GapReason, Load};

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_window_from_its_first_to_its_last_known_sample(
            loads in prop::collection::vec(prop::option::weighted(0.6, 0.0_f64..100.0), 1..60),
            most in 1_usize..20,
        ) {
            let step = Step::MINUTE;
            let samples: Vec<Sample> = loads
                .iter()
                .map(|load| load.map_or(Sample::Gap(GapReason::NoSample), |load| Sample::Value(Load::new(load).unwrap())))
                .collect();
            let mut known = Known::nothing(step, most);
            for (index, &sample) in samples.iter().enumerate() {
                let time = step.shift(Timestamp::UNIX_EPOCH, i64::try_from(index).unwrap());
                known.push(time, sample);
                let window = (index + 1).saturating_sub(most)..=index;
                let is_known = |&place: &usize| matches!(samples[place], Sample::Value(_));
                let (first, last) = (window.clone().find(is_known), window.rev().find(is_known));
                let expected = first.zip(last).map(|(first, last)| {
                    let start = step.shift(Timestamp::UNIX_EPOCH, i64::try_from(first).unwrap());
                    Series::from_samples(start, step, samples[first..=last].iter().copied()).unwrap()
                });
                prop_assert_eq!(known.history(), expected.as_ref());
            }
        }
    }
}
