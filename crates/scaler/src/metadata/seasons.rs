//! After how long the load repeats itself, where the trigger says so.

use std::time::Duration;

use series::{ModelChoice, ModelName, Seasons};

use super::fields::{Fields, Read};
use super::keys;
use super::mistake::Fault;
use super::timing::{Timing, duration};
use crate::durations::Readable;

/// Each is some coefficients more in every fit.
const MOST_SEASONS: usize = 4;
/// What came back but once is no habit.
const FEWEST_CYCLES: u32 = 2;

/// The seasons, where they are usable and fit to the `timing` and the `model`.
pub(super) fn read_seasons(
    fields: &mut Fields<'_>,
    timing: Option<&Timing>,
    model: Option<ModelChoice>,
) -> Option<Seasons> {
    let stated = match fields.read(&keys::SEASON, seasons) {
        Read::Unwritten => return Some(Seasons::Found),
        Read::Unusable => return None,
        Read::Value(stated) => stated,
    };
    let unread = model.and_then(unread_by);
    let unsuited = timing.and_then(|timing| stated.iter().find_map(|season| unsuited(*season, timing)));
    let faults: Vec<Fault> = unread.into_iter().chain(unsuited).collect();
    let usable = faults.is_empty();
    for fault in faults {
        fields.note(keys::SEASON.name, None, fault);
    }
    usable.then_some(Seasons::Stated(stated))
}

/// Durations separated by commas, rising and each once.
fn seasons(value: &str) -> Result<Vec<Duration>, Fault> {
    let mut seasons = value.split(',').map(|part| duration(part.trim())).collect::<Result<Vec<_>, _>>()?;
    seasons.sort_unstable();
    if seasons.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Fault::new("one season twice", "write each once, such as 24h,168h"));
    }
    if seasons.len() > MOST_SEASONS {
        return Err(Fault::new(format!("{} seasons", seasons.len()), format!("write at most {MOST_SEASONS}")));
    }
    Ok(seasons)
}

fn unread_by(model: ModelChoice) -> Option<Fault> {
    let ModelChoice::Fixed(model) = model else { return None };
    (model != ModelName::Ridge).then(|| {
        Fault::new(format!("the model {model} reads no stated season"), "write `model: auto` or `ridge`, or remove it")
    })
}

fn unsuited(season: Duration, timing: &Timing) -> Option<Fault> {
    let (said, step, history) = (Readable(season), Readable(timing.step.duration()), Readable(timing.history));
    if !Seasons::suits(season, timing.step) {
        let fewest = Readable(timing.step.duration().saturating_mul(Seasons::FEWEST_STEPS));
        let instead = format!("write whole multiples of {step}, {fewest} or longer");
        return Some(Fault::new(format!("{said} is no season at a queryStep of {step}"), instead));
    }
    if season.saturating_mul(FEWEST_CYCLES) > timing.history {
        let enough = Readable(season.saturating_mul(FEWEST_CYCLES));
        let instead = format!("write a historyTimeWindow of {enough} or more, or a shorter season");
        return Some(Fault::new(format!("{history} of history do not show {said} come back"), instead));
    }
    None
}

#[cfg(test)]
mod tests {
    use series::Step;

    use super::*;

    #[test]
    fn seasons_are_durations_in_any_order_each_once() {
        let hours = |hours: u64| Duration::from_secs(3600 * hours);
        assert_eq!(seasons("168h, 1d,8h"), Ok(vec![hours(8), hours(24), hours(168)]));
        for (text, problem) in [
            ("24", "a number without a unit"),
            ("24h,", "not a duration"),
            ("24h 7d", "a duration with an unknown unit"),
            ("1d,24h", "one season twice"),
            ("1h,2h,3h,4h,5h", "5 seasons"),
        ] {
            assert_eq!(seasons(text).unwrap_err().problem, problem, "{text}");
        }
    }

    #[test]
    fn a_season_has_steps_enough_and_comes_back_within_the_history() {
        let timing = |history: u64, step: u32| Timing {
            lead_time: Duration::from_secs(60),
            history: Duration::from_secs(history),
            step: Step::from_seconds(step).unwrap(),
        };
        let problem = |season: u64, timing: Timing| {
            unsuited(Duration::from_secs(season), &timing).map(|fault| format!("{}; {}", fault.problem, fault.instead))
        };
        assert_eq!(problem(180, timing(360, 60)), None);
        assert_eq!(problem(7200, timing(360_000, 60)), None);
        for (season, step) in [(120, 60), (90, 30), (1000, 300), (0, 60)] {
            assert_eq!(problem(season, timing(360_000, step)).is_some(), season != 90, "{season} at {step}");
        }
        assert_eq!(
            problem(604_800, timing(1_209_599, 60)).unwrap(),
            "13d23h59m59s of history do not show 7d come back; write a historyTimeWindow of 14d or more, or a shorter season"
        );
    }
}
