//! [`Rows`]: the last hours of one target, a row a minute, in a ring of fixed size.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use policy::Reason;
use series::{ModelName, Series, Step, Timestamp};

use super::amount::Amount;

/// What a target was like in one minute. 32 bytes, so that six hours of it are 12 kB.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Row {
    pub(crate) observed: Amount,
    /// The median of what had been forecast for this minute, a lead time before it …
    pub(crate) expected: Amount,
    /// … and the promised quantile of it.
    pub(crate) promised: Amount,
    /// The peak over the lead window that was forecast in this minute, at the promised quantile.
    pub(crate) predicted: Amount,
    pub(crate) demand: Amount,
    pub(crate) published: Amount,
    /// Replicas that the values published so far led to.
    pub(crate) replicas: Option<NonZeroU32>,
    /// The place of what the demand rested on in [`Reason::LABELS`].
    pub(crate) reason: Option<u8>,
    pub(crate) model: Option<ModelName>,
}

impl Row {
    /// What the demand rested on, by its label.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        Reason::LABELS.get(usize::from(self.reason?)).copied()
    }

    pub(crate) fn set_reason(&mut self, label: &str) {
        let place = Reason::LABELS.iter().position(|known| *known == label);
        self.reason = place.and_then(|place| u8::try_from(place).ok());
    }
}

/// Rows at multiples of a step, oldest first, without holes: a minute in which nobody looked has a row without numbers.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    step: Step,
    most: usize,
    /// The time of the newest row; the epoch while there is none.
    newest: Timestamp,
    ring: VecDeque<Row>,
}

impl Rows {
    /// None yet, and never more than `most` (at least 1).
    pub(crate) fn new(step: Step, most: usize) -> Self {
        Self { step, most: most.max(1), newest: Timestamp::UNIX_EPOCH, ring: VecDeque::new() }
    }

    pub(crate) fn step(&self) -> Step {
        self.step
    }

    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    /// The time of the newest row, once there is one.
    pub(crate) fn newest(&self) -> Option<(Timestamp, &Row)> {
        Some((self.newest, self.ring.back()?))
    }

    /// The time of the oldest row, once there is one.
    pub(crate) fn start(&self) -> Option<Timestamp> {
        let back = i64::try_from(self.len().checked_sub(1)?).ok()?;
        Some(self.step.shift(self.newest, -back))
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Row> + ExactSizeIterator {
        self.ring.iter()
    }

    /// The row that covers `time`, and when it began.
    pub(crate) fn at(&self, time: Timestamp) -> Option<(Timestamp, &Row)> {
        let time = self.step.floor(time);
        let index = usize::try_from(self.steps_between(self.start()?, time)).ok()?;
        Some((time, self.ring.get(index)?))
    }

    /// The row that covers `now`, begun where it is new; `None` where `now` lies before the newest row.
    pub(crate) fn begin(&mut self, now: Timestamp) -> Option<&mut Row> {
        let time = self.step.floor(now);
        if self.ring.is_empty() {
            self.push(Row::default());
        } else {
            let new = self.steps_between(self.newest, time);
            if new < 0 {
                return None;
            }
            let new = usize::try_from(new).unwrap_or(usize::MAX);
            if new > self.most {
                self.ring.clear();
            } else {
                // all but the last are minutes in which nobody looked
                (1..new).for_each(|_| self.push(Row::default()));
            }
            if new > 0 {
                self.push(Row::default());
            }
        }
        self.newest = time;
        self.ring.back_mut()
    }

    /// Puts what `history` knows of the minutes before the oldest row in front of it, as far as there is room.
    pub(crate) fn fill_before(&mut self, history: &Series) {
        while self.len() < self.most
            && let Some(start) = self.start()
        {
            let before = self.step.shift(start, -1);
            let seconds = before.as_second() - history.start().as_second();
            let index = usize::try_from(seconds.div_euclid(i64::from(history.step().seconds())));
            let Ok(index) = index else { break };
            self.ring.push_front(Row { observed: history.load(index).into(), ..Row::default() });
        }
    }

    fn push(&mut self, row: Row) {
        if self.ring.len() == self.most {
            self.ring.pop_front();
        } else if self.ring.is_empty() {
            // all that it will ever take, and not the next power of two
            self.ring.reserve_exact(self.most);
        }
        self.ring.push_back(row);
    }

    fn steps_between(&self, from: Timestamp, to: Timestamp) -> i64 {
        (to.as_second() - from.as_second()).div_euclid(i64::from(self.step.seconds()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_040 + seconds).unwrap()
    }

    fn observe(rows: &mut Rows, seconds: i64, observed: f32) {
        if let Some(row) = rows.begin(at(seconds)) {
            row.observed = Amount::from(observed);
        }
    }

    fn observed(rows: &Rows) -> Vec<Option<f32>> {
        rows.iter().map(|row| row.observed.known()).collect()
    }

    #[test]
    fn a_minute_has_one_row_and_minutes_without_a_look_have_empty_ones() {
        let mut rows = Rows::new(Step::MINUTE, 10);
        for (seconds, amount) in [(0, 1.0), (15, 2.0), (59, 3.0), (60, 4.0), (240, 5.0)] {
            observe(&mut rows, seconds, amount);
        }
        assert_eq!(observed(&rows), [Some(3.0), Some(4.0), None, None, Some(5.0)]);
        assert_eq!((rows.start(), rows.newest().unwrap().0), (Some(at(0)), at(240)));
        assert_eq!(rows.at(at(119)).unwrap().1.observed.known(), Some(4.0));
        assert!(rows.at(at(-1)).is_none() && rows.at(at(300)).is_none());
    }

    #[test]
    fn the_oldest_rows_go_and_the_times_of_the_others_stay() {
        let mut rows = Rows::new(Step::MINUTE, 3);
        (0..5).for_each(|minute: u8| observe(&mut rows, i64::from(minute) * 60, f32::from(minute)));
        assert_eq!(observed(&rows), [Some(2.0), Some(3.0), Some(4.0)]);
        assert_eq!(rows.start(), Some(at(120)));
        observe(&mut rows, 86_400, 9.0);
        assert_eq!((observed(&rows), rows.start()), (vec![Some(9.0)], Some(at(86_400))));
    }

    #[test]
    fn history_goes_in_front_as_far_as_it_and_the_room_go() {
        let load = |amount: f64| series::Sample::Value(series::Load::new(amount).unwrap());
        let history = Series::from_samples(at(-180), Step::MINUTE, [1.0, 2.0, 3.0, 9.0].map(load)).unwrap();
        for (most, expected) in
            [(3, vec![Some(2.0), Some(3.0), Some(5.0)]), (9, vec![Some(1.0), Some(2.0), Some(3.0), Some(5.0)])]
        {
            let mut rows = Rows::new(Step::MINUTE, most);
            observe(&mut rows, 0, 5.0);
            rows.fill_before(&history);
            assert_eq!(observed(&rows), expected);
            assert_eq!(rows.newest().unwrap().0, at(0));
        }
    }

    #[test]
    fn a_clock_that_jumps_back_changes_nothing() {
        let mut rows = Rows::new(Step::MINUTE, 3);
        observe(&mut rows, 600, 1.0);
        observe(&mut rows, 0, 2.0);
        assert_eq!(observed(&rows), [Some(1.0)]);
    }

    #[test]
    fn a_row_is_as_small_as_it_says() {
        assert_eq!(size_of::<Row>(), 32);
    }
}
