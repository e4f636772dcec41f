//! How far ahead is asked, and which steps of that are written.

use std::time::Duration;

use series::Step;

use super::MOST_STEPS;

/// The steps that are asked of one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    horizon: u32,
    /// Rising; `None`: every step.
    written: Option<Vec<u32>>,
}

/// Why a lead time cannot be asked of a series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AheadError {
    #[error("the lead time {lead_time:?} is no whole number of its steps, {step}")]
    BetweenSteps { lead_time: Duration, step: Step },
    #[error("the lead time {lead_time:?} is {steps} of its steps ahead, and the horizon {horizon}")]
    BeyondHorizon { lead_time: Duration, steps: u128, horizon: u32 },
}

impl Asked {
    /// Of a series whose values are `step` apart; without a horizon, as far as the farthest of the lead times.
    pub(super) fn of(horizon: Option<u32>, lead_times: &[Duration], step: Step) -> Result<Self, AheadError> {
        if lead_times.is_empty() {
            return Ok(Self { horizon: horizon.unwrap_or(1), written: None });
        }
        let farthest = horizon.unwrap_or(MOST_STEPS);
        let mut written = Vec::with_capacity(lead_times.len());
        for &lead_time in lead_times {
            let (length, each) = (lead_time.as_nanos(), step.duration().as_nanos());
            if length == 0 || length % each != 0 {
                return Err(AheadError::BetweenSteps { lead_time, step });
            }
            let steps = length / each;
            match u32::try_from(steps) {
                Ok(steps) if steps <= farthest => written.push(steps),
                _ => return Err(AheadError::BeyondHorizon { lead_time, steps, horizon: farthest }),
            }
        }
        written.sort_unstable();
        written.dedup();
        let horizon = horizon.or(written.last().copied()).unwrap_or(1);
        Ok(Self { horizon, written: Some(written) })
    }

    /// How many steps ahead.
    pub(super) fn horizon(&self) -> u32 {
        self.horizon
    }

    /// Whether the row of this step is written.
    pub(super) fn writes(&self, ahead: usize) -> bool {
        let Some(written) = &self.written else { return true };
        u32::try_from(ahead).is_ok_and(|ahead| written.binary_search(&ahead).is_ok())
    }
}

/// A lead time, longer than nothing.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let duration = scaler::parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("a lead time must be longer than 0".to_owned()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Duration = Duration::from_mins(15);

    fn asked(horizon: Option<u32>, lead_times: &[Duration]) -> Result<Asked, AheadError> {
        Asked::of(horizon, lead_times, Step::from_seconds(300).unwrap())
    }

    #[test]
    fn lead_times_are_steps_and_the_farthest_is_the_horizon() {
        let some = asked(None, &[4 * QUARTER, QUARTER, QUARTER]).unwrap();
        assert_eq!(some.horizon(), 12);
        assert_eq!((1..=13).filter(|&ahead| some.writes(ahead)).collect::<Vec<_>>(), [3, 12]);
        assert_eq!(asked(Some(40), &[QUARTER]).unwrap().horizon(), 40);
        let all = asked(Some(7), &[]).unwrap();
        assert!(all.horizon() == 7 && (1..=7).all(|ahead| all.writes(ahead)));
    }

    #[test]
    fn lead_times_between_steps_or_beyond_the_horizon_are_mistakes() {
        let (lead_time, step) = (Duration::from_mins(7), Step::from_seconds(300).unwrap());
        assert_eq!(asked(None, &[QUARTER, lead_time]), Err(AheadError::BetweenSteps { lead_time, step }));
        let far = AheadError::BeyondHorizon { lead_time: QUARTER, steps: 3, horizon: 2 };
        assert_eq!(asked(Some(2), &[QUARTER]), Err(far));
        assert!(asked(None, &[Duration::MAX]).is_err());
        assert!(asked(None, &[Duration::from_hours(10_000)]).is_err());
    }
}
