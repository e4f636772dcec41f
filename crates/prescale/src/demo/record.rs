//! [`Record`]: what happened on the simulated day, tick by tick.

use policy::Threshold;
use series::{Load, Timestamp};
use simulator::{TICK, Tick};

/// One tick of the day: the load, and what both fleets had to meet it with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) load: Load,
    pub(super) prescale: Tick,
    pub(super) reactive: Tick,
}

/// The ticks of a day, in order.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) begins: Timestamp,
    /// How many ticks the whole day will have.
    pub(super) ticks: usize,
    pub(super) moments: Vec<Moment>,
}

/// Which of the two fleets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Prescale,
    Reactive,
}

/// Some ticks in a row, as one column of a chart shows them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stretch {
    /// The highest load, in pods.
    pub(super) demand: f64,
    /// The fewest Ready pods.
    pub(super) ready: u32,
    /// Whether there were too few pods at any time.
    pub(super) short: bool,
}

impl Moment {
    pub(super) fn of(&self, side: Side) -> Tick {
        match side {
            Side::Prescale => self.prescale,
            Side::Reactive => self.reactive,
        }
    }
}

impl Record {
    pub(super) fn new(begins: Timestamp, ticks: usize) -> Self {
        Self { begins, ticks, moments: Vec::with_capacity(ticks) }
    }

    /// Column `column` of `columns` that share the day: what is known of it, or `None` while nothing is.
    pub(super) fn stretch(&self, side: Side, column: usize, columns: usize, per_pod: Threshold) -> Option<Stretch> {
        let end = ((column + 1) * self.ticks / columns).min(self.moments.len());
        let moments = self.moments.get(column * self.ticks / columns..end).filter(|moments| !moments.is_empty())?;
        Some(Stretch {
            demand: moments.iter().map(|moment| moment.load.get() / per_pod.get()).fold(0.0, f64::max),
            ready: moments.iter().map(|moment| moment.of(side).ready).min().unwrap_or_default(),
            short: moments.iter().any(|moment| moment.of(side).unmet > 0.0),
        })
    }

    /// The time at which `share` of the day, from 0 to 1, has passed.
    pub(super) fn time_of_share(&self, share: f64) -> Timestamp {
        let passed = TICK.mul_f64(share.clamp(0.0, 1.0) * self.ticks as f64);
        self.begins.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// The most pods there were or were needed so far.
    pub(super) fn most_pods(&self, per_pod: Threshold) -> f64 {
        let pods = |moment: &Moment| {
            let ready = moment.prescale.ready.max(moment.reactive.ready);
            f64::from(ready).max(moment.load.get() / per_pod.get())
        };
        self.moments.iter().map(pods).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_shows_the_worst_of_its_ticks() {
        let tick = |ready, unmet| Tick { ready, starting: 0, unmet };
        let moment = |load, prescale, reactive| Moment { load: Load::new(load).unwrap(), prescale, reactive };
        let mut record = Record::new(Timestamp::UNIX_EPOCH, 8);
        record.moments.push(moment(10.0, tick(3, 0.0), tick(2, 0.0)));
        record.moments.push(moment(40.0, tick(5, 0.0), tick(2, 20.0)));
        record.moments.push(moment(20.0, tick(4, 0.0), tick(3, 0.0)));
        let per_pod = Threshold::new(10.0).unwrap();
        let stretch = |side, column| record.stretch(side, column, 4, per_pod);
        assert_eq!(stretch(Side::Prescale, 0), Some(Stretch { demand: 4.0, ready: 3, short: false }));
        assert_eq!(stretch(Side::Reactive, 0), Some(Stretch { demand: 4.0, ready: 2, short: true }));
        assert_eq!(stretch(Side::Reactive, 1), Some(Stretch { demand: 2.0, ready: 3, short: false }));
        assert_eq!(stretch(Side::Reactive, 2), None);
        assert_eq!(record.most_pods(per_pod), 5.0);
    }
}
