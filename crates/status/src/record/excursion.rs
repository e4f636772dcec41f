//! [`Excursion`]: notices a load that stays outside of nearly all that was forecast for it.

use series::Timestamp;

use super::event::{EventKind, Events};
use super::foretold::Foretold;

/// Minutes in a row outside of 98 % of what was forecast: a spike is over by then, and noise does not last as long.
const MINUTES: u32 = 15;

/// On which side the load is outside, and for how many minutes in a row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Excursion {
    side: Option<Side>,
    minutes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

impl Excursion {
    /// Takes in what was observed in a minute that had been `foretold`.
    pub(crate) fn follow(&mut self, observed: f32, foretold: &Foretold, now: Timestamp, events: &mut Events) {
        let side = if observed > foretold.highest {
            Some(Side::Above)
        } else if observed < foretold.lowest {
            Some(Side::Below)
        } else {
            None
        };
        if side.is_some() && side == self.side {
            self.minutes = self.minutes.saturating_add(1);
        } else {
            if self.minutes >= MINUTES && side.is_none() {
                events.note(now, EventKind::LevelShiftEnded, "the load is within the forecast again");
            }
            *self = Self { side, minutes: u32::from(side.is_some()) };
        }
        if self.minutes == MINUTES {
            let (where_to, bound, limit) = match self.side {
                Some(Side::Above) => ("above", foretold.highest, "at most"),
                _ => ("below", foretold.lowest, "at least"),
            };
            let text = format!(
                "the load has been {where_to} nearly all that was forecast for {MINUTES}m: {observed:.1}, forecast {limit} {bound:.1}"
            );
            events.note(now, EventKind::LevelShift, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::amount::Amount;

    fn kinds(loads: &[f32]) -> Vec<EventKind> {
        let (mut excursion, mut events) = (Excursion::default(), Events::default());
        let unknown = Amount::default();
        let foretold = Foretold {
            expected: 100.0,
            promised: 110.0,
            lowest: 90.0,
            highest: 110.0,
            persistence: unknown,
            last_week: unknown,
        };
        for &load in loads {
            excursion.follow(load, &foretold, Timestamp::UNIX_EPOCH, &mut events);
        }
        events.iter().map(|event| event.kind).collect()
    }

    #[test]
    fn a_shift_is_told_once_and_its_end_as_well() {
        let mut loads = vec![150.0; 40];
        assert_eq!(kinds(&loads), [EventKind::LevelShift]);
        loads.extend([100.0, 100.0]);
        assert_eq!(kinds(&loads), [EventKind::LevelShift, EventKind::LevelShiftEnded]);
    }

    #[test]
    fn spikes_and_loads_that_jump_from_one_side_to_the_other_are_no_shift() {
        assert_eq!(kinds(&[150.0; 14]), []);
        let both: Vec<f32> = (0..60).map(|minute| if minute % 20 < 10 { 150.0 } else { 50.0 }).collect();
        assert_eq!(kinds(&both), []);
    }
}
