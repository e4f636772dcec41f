//! [`Pending`]: what was forecast for a lead time ahead, until its time comes.

use std::collections::VecDeque;

use series::{Outlook, Quantile, Step, Timestamp};

use super::amount::Amount;

/// What was foretold for one minute, a lead time before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Foretold {
    /// The median.
    pub(crate) expected: f32,
    /// The load at the promised quantile.
    pub(crate) promised: f32,
    /// Hardly anything was to lie below this …
    pub(crate) lowest: f32,
    /// … or above this.
    pub(crate) highest: f32,
    /// What was observed when it was foretold: what persistence foretells.
    pub(crate) persistence: Amount,
    /// What last week foretold.
    pub(crate) last_week: Amount,
}

/// Of what is forecast, so much is to lie below [`Foretold::lowest`], and as much above [`Foretold::highest`].
const HARDLY: f64 = 0.01;

impl Foretold {
    /// What `outlook` says of `time`, with `promised` the target's own quantile.
    pub(crate) fn by(outlook: &Outlook, time: Timestamp, promised: Quantile, observed: Amount) -> Option<Self> {
        let forecast = outlook.forecast.as_ref().ok()?;
        let read = |level: Quantile| Amount::from(forecast.quantile(time, level)).known();
        let highest = Quantile::new(1.0 - HARDLY).ok()?;
        Some(Self {
            expected: read(Quantile::MEDIAN)?,
            promised: read(promised)?,
            lowest: read(Quantile::new(HARDLY).ok()?)?,
            highest: read(if promised < highest { highest } else { promised })?,
            persistence: observed,
            last_week: outlook.last_week.into(),
        })
    }
}

/// What was foretold and is not due yet, one per minute at most, in time order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pending(VecDeque<(Timestamp, Foretold)>);

/// A lead time is half a day at most.
const MOST: usize = 12 * 60 + 1;

impl Pending {
    /// Keeps what was foretold for the minute of `due`, unless one for it or a later one is kept already.
    pub(crate) fn keep(&mut self, step: Step, due: Timestamp, foretold: Foretold) {
        let due = step.floor(due);
        if self.0.back().is_none_or(|(newest, _)| *newest < due) {
            if self.0.len() == MOST {
                self.0.pop_front();
            }
            self.0.push_back((due, foretold));
        }
    }

    /// What was foretold for the minute that begins at `time`; what was due before is forgotten.
    pub(crate) fn due(&mut self, time: Timestamp) -> Option<Foretold> {
        while self.0.front().is_some_and(|(due, _)| *due < time) {
            self.0.pop_front();
        }
        self.0.front().filter(|(due, _)| *due == time).map(|(_, foretold)| *foretold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(600 + seconds).unwrap()
    }

    fn foretold(expected: f32) -> Foretold {
        let unknown = Amount::default();
        Foretold {
            expected,
            promised: expected,
            lowest: expected,
            highest: expected,
            persistence: unknown,
            last_week: unknown,
        }
    }

    #[test]
    fn the_first_word_about_a_minute_counts_and_comes_due_in_it() {
        let mut pending = Pending::default();
        for (seconds, amount) in [(180, 1.0), (195, 2.0), (240, 3.0), (200, 4.0), (420, 5.0)] {
            pending.keep(Step::MINUTE, at(seconds), foretold(amount));
        }
        let due: Vec<_> = (0..8).map(|minute| pending.due(at(60 * minute)).map(|due| due.expected)).collect();
        assert_eq!(due, [None, None, None, Some(1.0), Some(3.0), None, None, Some(5.0)]);
    }

    #[test]
    fn no_more_is_kept_than_half_a_day_of_minutes() {
        let mut pending = Pending::default();
        (0..2000).for_each(|minute| pending.keep(Step::MINUTE, at(60 * minute), foretold(0.0)));
        assert_eq!(pending.0.len(), MOST);
    }
}
