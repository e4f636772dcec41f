//! [`History`]: the samples of one target, what is to be asked next, and what the models see of it.
//!
//! The newest samples are asked for first: a week of minutes fits into one request and makes a first forecast, while
//! the weeks before it are filled in behind. From then on only grid times that have settled since are asked for.

use std::time::Duration;

use series::{ForecastRequest, GapReason, HistoryUpdate, Load, MissingSamples, Sample, Series, Step, Timestamp};

use crate::source::{GridRange, MOST_POINTS};

/// The samples of one target.
///
/// Kept as they were answered, gaps at the beginning included: what fills them in from behind must find its place.
#[derive(Debug)]
pub(crate) struct History {
    step: Step,
    /// Most samples kept, at least 1.
    most: usize,
    missing: MissingSamples,
    settle: Duration,
    /// Contiguous from the oldest time asked for to the newest; `None` until the first answer.
    answered: Option<Series>,
    /// Whether nothing older is left to ask for.
    is_filled: bool,
    /// The first and the last time of what is kept for the next process; `None` where nothing is, or something else.
    kept: Option<(Timestamp, Timestamp)>,
}

impl History {
    /// The history that `request` asks for, of samples that are final `settle` (or a step, where that is shorter) after
    /// their time.
    pub(crate) fn of(request: &ForecastRequest, settle: Duration) -> Self {
        Self {
            step: request.step,
            most: request.step.count_in(request.history).max(1),
            missing: request.query.missing_samples,
            settle: settle.min(request.step.duration()),
            answered: None,
            is_filled: false,
            kept: None,
        }
    }

    /// Begins with what an earlier process knew, where it fits: what came since is asked for, and what it did not know.
    pub(crate) fn resume(&mut self, mut known: Series) {
        if known.step() == self.step && self.answered.is_none() {
            known.keep_newest(self.most);
            known.shrink_to_fit();
            self.kept = known.end().map(|end| (known.start(), end));
            self.answered = Some(known);
        }
    }

    /// What has changed since [`History::note_kept`] was last called, with what was `learned` from it; `None` where nothing has.
    pub(crate) fn unkept(&self, learned: impl FnOnce() -> Option<std::sync::Arc<str>>) -> Option<HistoryUpdate> {
        let answered = self.answered.as_ref()?;
        // what was filled in behind is no page at the end
        let until = self.kept.filter(|(start, _)| *start <= answered.start()).map(|(_, end)| end);
        if until.is_some() && until == answered.end() {
            return None;
        }
        HistoryUpdate::since(until, answered, learned())
    }

    /// Whether nothing of it is kept, or less than what there is at its beginning.
    pub(crate) fn is_kept_short(&self) -> bool {
        let start = self.answered.as_ref().map(Series::start);
        self.kept.is_none_or(|(kept, _)| start.is_some_and(|start| start < kept))
    }

    /// Notes that all of it is kept.
    pub(crate) fn note_kept(&mut self) {
        self.kept = self.answered.as_ref().and_then(|answered| Some((answered.start(), answered.end()?)));
    }

    /// Takes back the answers for times that have not settled at `now`, and tells whether there were any.
    ///
    /// They were asked for by a clock that was ahead and has been put right. Samples that were not there yet were answered as
    /// gaps, and nothing would be asked for again until the clock has come so far.
    pub(crate) fn take_back(&mut self, now: Timestamp) -> bool {
        let (_, settled) = self.window(now);
        // a clock that is put back by less than a step has asked for nothing that was not there
        let first_too_early = self.step.shift(settled, 2);
        let Some(answered) = self.answered.take_if(|answered| answered.next_time() > first_too_early) else {
            return false;
        };
        self.kept = None;
        if answered.start() <= settled {
            self.answered = Some(answered.until(settled));
        } else {
            self.is_filled = false;
        }
        true
    }

    /// What has settled since the newest answer, oldest first; the newest piece of all where there is no answer yet.
    /// Empty where nothing has settled, and where `now` is before what is known already.
    pub(crate) fn newer(&mut self, now: Timestamp) -> Vec<GridRange> {
        let (window_start, settled) = self.window(now);
        if self.answered.as_ref().is_some_and(|answered| answered.next_time() < window_start) {
            // what is known is older than all that is asked for: begin anew
            self.answered = None;
            self.is_filled = false;
            self.kept = None;
        }
        match &self.answered {
            Some(answered) => GridRange::between(answered.next_time(), settled, self.step)
                .map(|range| range.oldest_first(MOST_POINTS).collect())
                .unwrap_or_default(),
            None => GridRange::between(window_start, settled, self.step)
                .map(|range| vec![range.newest(MOST_POINTS)])
                .unwrap_or_default(),
        }
    }

    /// The next piece to fill in behind what is known; `None` once all is there.
    pub(crate) fn older(&mut self, now: Timestamp) -> Option<GridRange> {
        let answered = self.answered.as_ref().filter(|_| !self.is_filled)?;
        let (window_start, _) = self.window(now);
        let before = self.step.shift(answered.start(), -1);
        let room = self.most.saturating_sub(answered.len());
        let range = GridRange::between(window_start, before, self.step).filter(|_| room > 0);
        self.is_filled = range.is_none();
        range.map(|range| range.newest(room.min(MOST_POINTS)))
    }

    /// Appends the answer for `range`, which must be the first one that [`History::newer`] gave.
    pub(crate) fn record_newer(&mut self, range: GridRange, samples: Vec<Sample>) {
        match &mut self.answered {
            Some(answered) if answered.next_time() == range.first() => {
                // the oldest go first, so that no room is made for more than are kept
                answered.keep_newest(self.most.saturating_sub(samples.len()));
                for sample in samples {
                    answered.push(sample);
                }
                answered.keep_newest(self.most);
            }
            // an answer that does not continue what is known would move samples in time
            Some(_) => {}
            None => self.answered = Series::from_samples(range.first(), self.step, samples).ok(),
        }
    }

    /// Puts the answer for `range`, the one that [`History::older`] gave, before what is known.
    pub(crate) fn record_older(&mut self, range: GridRange, samples: Vec<Sample>) {
        let continued = self.answered.as_ref().filter(|answered| self.step.shift(range.last(), 1) == answered.start());
        let whole = continued.and_then(|answered| {
            Series::from_samples(range.first(), self.step, samples.into_iter().chain(answered.samples())).ok()
        });
        match whole {
            Some(mut whole) => {
                // of all that grows by the sample it is the largest, and from here on it hardly does
                whole.shrink_to_fit();
                self.answered = Some(whole);
            }
            // an answer that does not lead up to what is known must not be asked for again and again
            None => self.is_filled = true,
        }
    }

    /// What the models see: from the first known sample to the last, gaps filled with zeros where the user said that
    /// missing means none. `None` where no sample is known.
    ///
    /// Gaps at the end are left out: a forecast begins where the knowledge ends, and does not grow younger while the
    /// source answers with nothing.
    pub(crate) fn known(&self) -> Option<Series> {
        let answered = self.answered.as_ref()?;
        let first = answered.amounts().iter().position(|amount| !amount.is_nan())?;
        let newest = answered.newest(answered.len() - first);
        let seen = match self.missing {
            MissingSamples::Unknown => newest,
            MissingSamples::Zero => {
                Series::from_samples(newest.start(), self.step, newest.samples().map(zero_where_missing)).ok()?
            }
        };
        match seen.latest()? {
            (last, _) if Some(last) == seen.end() => Some(seen),
            (last, _) => Some(seen.until(last)),
        }
    }

    /// The newest load that was really answered, and its time.
    pub(crate) fn latest(&self) -> Option<(Timestamp, Load)> {
        self.answered.as_ref()?.latest()
    }

    /// The first and the last grid time that is wanted at `now`.
    fn window(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let settled = self.step.floor(now.saturating_sub(self.settle).unwrap_or(Timestamp::MIN));
        let back = i64::try_from(self.most).unwrap_or(i64::MAX).saturating_sub(1);
        (self.step.shift(settled, -back), settled)
    }
}

fn zero_where_missing(sample: Sample) -> Sample {
    match sample {
        // as for an instant query: an infinity is no missing load
        Sample::Gap(GapReason::NoSample | GapReason::NotANumber) => Sample::Value(Load::ZERO),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_700_000_040;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(START + minutes * 60).unwrap()
    }

    /// `minutes` and half a minute: the sample of the minute has settled, just.
    fn now(minutes: i64) -> Timestamp {
        Timestamp::from_second(START + minutes * 60 + 30).unwrap()
    }

    fn history(minutes: u64, missing: MissingSamples) -> History {
        let mut request = crate::testing::request(&"http://p".parse().unwrap(), minutes);
        request.query.missing_samples = missing;
        History::of(&request, Duration::from_secs(30))
    }

    fn value(amount: f64) -> Sample {
        Sample::Value(Load::new(amount).unwrap())
    }

    const NONE: Sample = Sample::Gap(GapReason::NoSample);

    fn ends(range: &GridRange) -> (Timestamp, Timestamp) {
        (range.first(), range.last())
    }

    /// Answers every question with the minute of each sample.
    fn answer(history: &mut History, now: Timestamp) -> usize {
        let mut questions = 0;
        let minutes = |range: &GridRange| {
            let first = (range.first().as_second() - START) / 60;
            (0..range.count()).map(|index| value(first as f64 + index as f64)).collect::<Vec<_>>()
        };
        for range in history.newer(now) {
            history.record_newer(range, minutes(&range));
            questions += 1;
        }
        while let Some(range) = history.older(now) {
            history.record_older(range, minutes(&range));
            questions += 1;
        }
        questions
    }

    #[test]
    fn what_a_clock_that_was_ahead_asked_for_is_asked_for_again_when_it_has_come() {
        let mut history = history(100, MissingSamples::Unknown);
        answer(&mut history, now(100));
        assert!(!history.take_back(now(100)));
        assert!(!history.take_back(now(99)), "less than a step is nothing");
        // an hour ahead there are no samples yet
        let ahead = history.newer(now(160))[0];
        history.record_newer(ahead, vec![NONE; ahead.count()]);
        assert!(history.take_back(now(101)));
        assert!(!history.take_back(now(101)));
        assert!(answer(&mut history, now(103)) > 0);
        assert_eq!(history.latest(), Some((at(103), Load::new(103.0).unwrap())), "no minute is lost");

        // a week ahead all that was known was too old
        let ahead = history.newer(now(10_000))[0];
        history.record_newer(ahead, vec![NONE; ahead.count()]);
        assert!(history.take_back(now(104)));
        answer(&mut history, now(104));
        assert_eq!(history.known().map(|known| known.len()), Some(100));
    }

    #[test]
    fn a_sample_is_asked_for_once_it_has_settled() {
        let mut history = history(3, MissingSamples::Unknown);
        let early = Timestamp::from_second(START + 10 * 60 + 29).unwrap();
        assert_eq!(history.newer(early).iter().map(ends).collect::<Vec<_>>(), [(at(7), at(9))]);
        assert_eq!(history.newer(now(10)).iter().map(ends).collect::<Vec<_>>(), [(at(8), at(10))]);
    }

    #[test]
    fn the_newest_piece_comes_first_and_the_rest_is_filled_in_behind() {
        let mut history = history(30_000, MissingSamples::Unknown);
        let newest = history.newer(now(40_000));
        assert_eq!(newest.iter().map(ends).collect::<Vec<_>>(), [(at(29_001), at(40_000))]);
        history.record_newer(newest[0], vec![value(1.0); newest[0].count()]);
        let behind = history.older(now(40_000)).unwrap();
        assert_eq!(ends(&behind), (at(18_001), at(29_000)));
        history.record_older(behind, vec![value(2.0); behind.count()]);
        let last = history.older(now(40_000)).unwrap();
        assert_eq!(ends(&last), (at(10_001), at(18_000)));
        history.record_older(last, vec![value(3.0); last.count()]);
        assert_eq!(history.older(now(40_000)), None);
        let known = history.known().unwrap();
        assert_eq!((known.len(), known.start(), known.end()), (30_000, at(10_001), Some(at(40_000))));
        assert_eq!((known.sample(0), known.sample(29_999)), (Some(value(3.0)), Some(value(1.0))));
    }

    #[test]
    fn afterwards_only_new_grid_times_are_asked_for_and_the_oldest_are_forgotten() {
        let mut history = history(100, MissingSamples::Unknown);
        assert_eq!(answer(&mut history, now(200)), 1);
        assert_eq!(answer(&mut history, now(200)), 0);
        assert_eq!(history.newer(now(202)).iter().map(ends).collect::<Vec<_>>(), [(at(201), at(202))]);
        assert_eq!(answer(&mut history, now(202)), 1);
        let known = history.known().unwrap();
        assert_eq!((known.len(), known.start()), (100, at(103)));
        assert_eq!(history.latest(), Some((at(202), Load::new(202.0).unwrap())));
    }

    #[test]
    fn an_outage_is_filled_in_pieces_oldest_first() {
        let mut history = history(40_000, MissingSamples::Unknown);
        answer(&mut history, now(50_000));
        let pieces = history.newer(now(65_000));
        assert_eq!(pieces.iter().map(ends).collect::<Vec<_>>(), [(at(50_001), at(61_000)), (at(61_001), at(65_000))]);
        answer(&mut history, now(65_000));
        let known = history.known().unwrap();
        assert!((0..known.len()).all(|index| known.sample(index) == Some(value(25_001.0 + index as f64))));
    }

    #[test]
    fn an_outage_longer_than_the_history_begins_anew() {
        let mut history = history(100, MissingSamples::Unknown);
        answer(&mut history, now(200));
        assert_eq!(answer(&mut history, now(1000)), 1);
        let known = history.known().unwrap();
        assert_eq!((known.len(), known.start()), (100, at(901)));
    }

    #[test]
    fn a_clock_that_goes_back_asks_for_nothing() {
        let mut history = history(100, MissingSamples::Unknown);
        let newest = history.newer(now(200));
        history.record_newer(newest[0], vec![value(1.0); newest[0].count()]);
        assert_eq!(answer(&mut history, now(150)), 0);
        assert_eq!(answer(&mut history, Timestamp::MIN), 0);
        assert_eq!(history.known().unwrap().end(), Some(at(200)));
        let mut untouched = self::history(100, MissingSamples::Unknown);
        answer(&mut untouched, Timestamp::MIN);
        answer(&mut untouched, Timestamp::MAX);
    }

    #[test]
    fn what_comes_before_the_first_known_sample_or_after_the_last_is_not_history() {
        let mut history = history(4, MissingSamples::Unknown);
        let range = history.newer(now(10))[0];
        history.record_newer(range, vec![NONE; 4]);
        assert_eq!((history.known(), history.latest()), (None, None));
        let range = history.newer(now(12))[0];
        history.record_newer(range, vec![value(1.0), NONE]);
        let known = history.known().unwrap();
        assert_eq!((known.start(), known.samples().collect::<Vec<_>>()), (at(11), vec![value(1.0)]));
        assert_eq!(history.newer(now(12)), [], "what was no sample is not asked for again");
    }

    #[test]
    fn missing_samples_become_zeros_only_where_asked_for_and_after_the_first_known_one() {
        let (nan, infinite) = (Sample::Gap(GapReason::NotANumber), Sample::Gap(GapReason::Infinite));
        let samples = [NONE, value(1.0), NONE, nan, infinite, value(2.0), NONE];
        let read = |missing| {
            let mut history = history(7, missing);
            let range = history.newer(now(10))[0];
            history.record_newer(range, samples.to_vec());
            let known = history.known().unwrap().samples().collect::<Vec<_>>();
            (known, history.latest())
        };
        let latest = Some((at(9), Load::new(2.0).unwrap()));
        assert_eq!(read(MissingSamples::Unknown), (samples[1..6].to_vec(), latest));
        let filled = vec![value(1.0), value(0.0), value(0.0), infinite, value(2.0), value(0.0)];
        assert_eq!(read(MissingSamples::Zero), (filled, latest));
    }

    #[test]
    fn gaps_between_two_pieces_keep_their_place() {
        let mut history = history(11_002, MissingSamples::Unknown);
        let newest = history.newer(now(20_000))[0];
        let mut samples = vec![Sample::Gap(GapReason::NotANumber); newest.count() - 1];
        samples.push(value(2.0));
        history.record_newer(newest, samples);
        let behind = history.older(now(20_000)).unwrap();
        history.record_older(behind, vec![value(1.0), NONE]);
        let known = history.known().unwrap();
        assert_eq!((known.len(), known.known(), known.gaps().len()), (11_002, 2, 2));
    }
}
