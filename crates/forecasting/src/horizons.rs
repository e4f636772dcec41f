//! How far ahead: the horizons of a forecast, and the few knots at which errors are measured and coefficients fitted.

use std::time::Duration;

use series::Step;

const DAY: Duration = Duration::from_hours(24);
/// Past the lead time the fleet is planned a little further, so that a forecast some refreshes old still reaches.
const NEAR_MARGIN: Duration = Duration::from_mins(15);
/// Spacing of the horizons beyond the near ones.
const FAR_SPACING: Duration = Duration::from_mins(15);
const MOST_NEAR: usize = 120;
const KEPT: usize = 12;
/// Between them, coefficients and quantiles run along straight lines.
const KNOT_MINUTES: [u64; 7] = [2, 5, 15, 30, 60, 180, 480];
const REACH_KNOTS: i32 = 12;

/// The horizon at which models are compared, in steps: the lead time and one step more, in which the plan is read.
pub(crate) fn compared(step: Step, lead_time: Duration) -> usize {
    step.count_covering(lead_time).max(1) + 1
}

/// The horizons of a forecast in steps, rising: every step through the lead time and 15 minutes (thinned evenly where
/// those are more than 120), then every quarter of an hour, and the knots, through a day or the lead time, whichever is longer.
///
/// Where a `reach` of the user's own is given: every step up to it, and nothing beyond.
pub(crate) fn of_forecast(step: Step, lead_time: Duration, reach: Option<Duration>) -> Vec<usize> {
    if let Some(reach) = reach {
        return (1..=step.count_covering(reach).max(1)).collect();
    }
    let compared = compared(step, lead_time);
    let near_end = step.count_covering(lead_time.saturating_add(NEAR_MARGIN)).max(compared);
    // places are kept for the lead time, the end and the knots
    let stride = near_end.div_ceil(MOST_NEAR - KEPT);
    let mut horizons: Vec<usize> = (1..=near_end).step_by(stride).collect();
    horizons.extend([compared - 1, compared, near_end]);
    let day = step.count_covering(DAY).max(near_end);
    let spacing = step.count_in(FAR_SPACING).max(1);
    horizons.extend((near_end.next_multiple_of(spacing)..day).step_by(spacing));
    horizons.extend(knots(step, lead_time, None));
    horizons.push(day);
    horizons.sort_unstable();
    horizons.dedup();
    horizons
}

/// The knots in steps, rising: one step, the times that people ask for, from 5 minutes to a day (or a `reach` of the user's own, and a geometric row up to
/// it), and the compared horizon exactly.
pub(crate) fn knots(step: Step, lead_time: Duration, reach: Option<Duration>) -> Vec<usize> {
    let compared = compared(step, lead_time);
    let end = step.count_covering(reach.unwrap_or(DAY)).max(1);
    let mut knots: Vec<usize> = if reach.is_none() {
        KNOT_MINUTES.iter().map(|&minutes| step.count_covering(Duration::from_mins(minutes))).collect()
    } else {
        let ratio = (end as f64).powf(1.0 / f64::from(REACH_KNOTS - 1));
        (0..REACH_KNOTS).map(|power| rounded(ratio.powi(power))).collect()
    };
    // a day of fine steps begins with the step, and a knot right beside the compared horizon would tell the same twice
    knots.extend([1, end]);
    knots.retain(|&knot| knot == 1 || knot == end || (knot < end && knot.abs_diff(compared) * 5 > compared));
    knots.push(compared);
    knots.sort_unstable();
    knots.dedup();
    knots
}

/// Where `ahead` lies between `knots`, in the logarithm: the knots left and right of it and the share of the right one.
/// Before the first and after the last knot, that one alone.
pub(crate) fn place(knots: &[usize], ahead: usize) -> (usize, usize, f64) {
    place_by(knots, |&knot| knot, ahead)
}

/// As [`place`], where `steps` tells how far ahead a knot is.
pub(crate) fn place_by<K>(knots: &[K], steps: impl Fn(&K) -> usize, ahead: usize) -> (usize, usize, f64) {
    let right = knots.partition_point(|knot| steps(knot) < ahead);
    let last = knots.len() - 1;
    if right > last {
        return (last, last, 0.0);
    }
    if right == 0 || steps(&knots[right]) == ahead {
        return (right, right, 0.0);
    }
    let (low, high) = ((steps(&knots[right - 1]) as f64).ln(), (steps(&knots[right]) as f64).ln());
    (right - 1, right, ((ahead as f64).ln() - low) / (high - low))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number of steps in a day, at most 86,400"
)]
fn rounded(steps: f64) -> usize {
    steps.round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Step = Step::MINUTE;

    fn minutes(minutes: u64) -> Duration {
        Duration::from_mins(minutes)
    }

    #[test]
    fn near_horizons_are_every_step_and_far_ones_every_quarter_hour() {
        let horizons = of_forecast(MINUTE, minutes(3), None);
        assert_eq!(horizons[..18], (1..=18).collect::<Vec<_>>());
        assert_eq!(horizons[18..20], [30, 45]);
        assert_eq!(horizons.last(), Some(&1440));
    }

    #[test]
    fn many_near_horizons_are_thinned_and_keep_the_lead_time() {
        for (seconds, lead) in [(1, minutes(3)), (1, minutes(59)), (10, minutes(45)), (60, minutes(600))] {
            let step = Step::from_seconds(seconds).unwrap();
            let horizons = of_forecast(step, lead, None);
            let near_end = step.count_covering(lead + NEAR_MARGIN);
            assert!(horizons.iter().filter(|&&ahead| ahead <= near_end).count() <= MOST_NEAR);
            assert!(horizons.contains(&step.count_covering(lead)), "{seconds} s, {lead:?}");
            assert!(horizons.contains(&compared(step, lead)));
            assert!(horizons.is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn every_step_has_a_horizon_and_a_knot_up_to_a_day() {
        for seconds in [1, 7, 60, 3600, 86_400] {
            let step = Step::from_seconds(seconds).unwrap();
            for lead in [Duration::ZERO, minutes(3), minutes(3000)] {
                let day = step.count_covering(DAY);
                assert!(of_forecast(step, lead, None).last() >= Some(&day));
                let knots = knots(step, lead, None);
                assert_eq!(knots[0], 1);
                assert!(knots.len() <= 13 && knots.is_sorted_by(|a, b| a < b), "{knots:?}");
                assert!(knots.contains(&compared(step, lead)));
            }
        }
    }

    #[test]
    fn a_reach_of_the_users_own_is_walked_step_by_step() {
        let hour = Step::from_seconds(3600).unwrap();
        let (lead, reach) = (minutes(24 * 60), Some(minutes(48 * 60)));
        assert_eq!(of_forecast(hour, lead, reach), (1..=48).collect::<Vec<_>>());
        let knots = knots(hour, lead, reach);
        assert_eq!((knots[0], knots.last()), (1, Some(&48)));
        assert!(knots.contains(&compared(hour, lead)));
        assert_eq!(of_forecast(hour, Duration::ZERO, Some(minutes(1))), [1]);
    }

    #[test]
    fn places_between_knots_run_in_the_logarithm() {
        let knots = [1, 4, 16];
        assert_eq!(place(&knots, 1), (0, 0, 0.0));
        assert_eq!(place(&knots, 16), (2, 2, 0.0));
        assert_eq!(place(&knots, 99), (2, 2, 0.0));
        let (left, right, share) = place(&knots, 8);
        assert_eq!((left, right), (1, 2));
        assert!((share - 0.5).abs() < 1e-12);
    }
}
