//! How far to look, back and ahead: lead time, history and step, and the clock that days follow.

use std::time::Duration;

use jiff::tz::TimeZoneDatabase;
use series::Step;

use super::fields::Fields;
use super::keys::{self, Key};
use super::mistake::Fault;
use crate::durations::{DurationError, Readable, parse_duration};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Pods that pull an image, load a model and pass a probe are Ready in about this time.
const DEFAULT_LEAD_TIME: Duration = Duration::from_secs(180);
/// Half of the day that a forecast reaches, so that after a lead time there is still a plan to fall back on.
const MAX_LEAD_TIME: Duration = Duration::from_secs(12 * 3600);
/// Two weeks show each weekday twice: enough to tell a weekly pattern from a chance.
const DEFAULT_HISTORY: Duration = DAY.saturating_mul(14);
/// A year and the month that tells whether it comes back.
const MAX_HISTORY: Duration = DAY.saturating_mul(400);
/// Fewer samples say nothing about how the load varies.
const MIN_SAMPLES: u32 = 30;
/// What one target may keep in memory and in a fit: some megabytes.
const MAX_SAMPLES: u32 = 100_000;

/// How far to look, back and ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timing {
    pub(super) lead_time: Duration,
    pub(super) history: Duration,
    pub(super) step: Step,
}

/// Lead time, history and step, where each is usable and they fit together.
pub(super) fn read_timing(fields: &mut Fields<'_>) -> Option<Timing> {
    let lead_time = read_span(fields, &keys::LEAD_TIME, DEFAULT_LEAD_TIME, SECOND, MAX_LEAD_TIME);
    let history = read_span(fields, &keys::HISTORY_TIME_WINDOW, DEFAULT_HISTORY, HOUR, MAX_HISTORY);
    let step = fields.or_default(&keys::QUERY_STEP, Step::MINUTE, "1m", step);
    let timing = Timing { lead_time: lead_time?, history: history?, step: step? };
    match timing.fault() {
        None => Some(timing),
        Some((key, fault)) => {
            fields.note(key.name, None, fault);
            None
        }
    }
}

/// The time zone whose midnight begins a day: its IANA name, in the spelling of the database.
pub(super) fn read_timezone(fields: &mut Fields<'_>) -> Option<String> {
    fields.or_default(&keys::TIMEZONE, "UTC".to_owned(), "UTC", |name| {
        // the bundled database: the same names are known in every image, and no file is opened for a tenant's text
        let zone = TimeZoneDatabase::bundled().get(name).ok();
        let known = zone.as_ref().and_then(|zone| zone.iana_name()).filter(|name| *name != "Etc/Unknown");
        known.map(str::to_owned).ok_or_else(|| {
            Fault::new(
                "no time zone of the IANA database",
                "write a name such as Europe/Berlin, America/New_York or UTC",
            )
        })
    })
}

impl Timing {
    /// What does not fit together, where something does not. Each part alone is in its range.
    fn fault(&self) -> Option<(&'static Key, Fault)> {
        let (lead_time, history, step) =
            (Readable(self.lead_time), Readable(self.history), Readable(self.step.duration()));
        let samples = u32::try_from(self.step.count_in(self.history)).unwrap_or(u32::MAX);
        if samples > MAX_SAMPLES {
            let longest = self.step.duration().saturating_mul(MAX_SAMPLES);
            let finest = Duration::from_secs(self.history.as_secs().div_ceil(u64::from(MAX_SAMPLES)));
            let problem = format!("{history} of history at a queryStep of {step} are {samples} samples");
            let instead = format!(
                "at most {MAX_SAMPLES} are read: write a historyTimeWindow up to {} or a queryStep of {} or more",
                Readable(longest),
                Readable(finest),
            );
            return Some((&keys::HISTORY_TIME_WINDOW, Fault::new(problem, instead)));
        }
        if samples < MIN_SAMPLES {
            let problem = format!("{history} of history at a queryStep of {step} are {samples} samples");
            let instead =
                format!("at least {MIN_SAMPLES} are needed: write a longer historyTimeWindow or a shorter queryStep");
            return Some((&keys::HISTORY_TIME_WINDOW, Fault::new(problem, instead)));
        }
        if self.history < 2 * self.lead_time {
            let problem = format!("{history} of history cannot show how a forecast {lead_time} ahead turns out");
            let instead = format!("write a historyTimeWindow of {} or more", Readable(2 * self.lead_time));
            return Some((&keys::HISTORY_TIME_WINDOW, Fault::new(problem, instead)));
        }
        None
    }
}

fn read_span(
    fields: &mut Fields<'_>,
    key: &Key,
    default: Duration,
    least: Duration,
    most: Duration,
) -> Option<Duration> {
    fields.or_default(key, default, Readable(default), |value| {
        let span = duration(value)?;
        if (least..=most).contains(&span) { Ok(span) } else { Err(out_of_range(least, most)) }
    })
}

fn step(value: &str) -> Result<Step, Fault> {
    let span = duration(value)?;
    if !(SECOND..=HOUR).contains(&span) {
        return Err(out_of_range(SECOND, HOUR));
    }
    let whole = if span.subsec_nanos() == 0 { u32::try_from(span.as_secs()).ok() } else { None };
    let step = whole.and_then(|seconds| Step::from_seconds(seconds).ok());
    step.ok_or_else(|| Fault::new("not whole seconds", "write whole seconds from 1s to 1h"))
}

pub(super) fn duration(value: &str) -> Result<Duration, Fault> {
    parse_duration(value).map_err(|error| Fault::new(error.to_string(), DurationError::INSTEAD))
}

fn out_of_range(least: Duration, most: Duration) -> Fault {
    Fault::new("outside the range", format!("write {} to {}", Readable(least), Readable(most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(lead_time: u64, history: u64, step: u32) -> Timing {
        let step = Step::from_seconds(step).unwrap();
        Timing { lead_time: Duration::from_secs(lead_time), history: Duration::from_secs(history), step }
    }

    #[test]
    fn steps_are_whole_seconds_from_a_second_to_an_hour() {
        assert_eq!(step("1m").unwrap().seconds(), 60);
        assert_eq!(step("1000ms").unwrap().seconds(), 1);
        assert_eq!(step("1h").unwrap().seconds(), 3600);
        assert_eq!(step("1500ms").unwrap_err().problem, "not whole seconds");
        assert_eq!(step("90m").unwrap_err().instead, "write 1s to 1h");
        assert_eq!(step("999ms").unwrap_err().problem, "outside the range");
        assert_eq!(step("60").unwrap_err().problem, "a number without a unit");
    }

    #[test]
    fn history_and_step_fit_together_or_both_are_named() {
        assert_eq!(timing(180, 1_209_600, 60).fault(), None);
        assert_eq!(timing(180, 100_000, 1).fault(), None);
        assert!(timing(180, 100_001, 1).fault().is_some());
        let (_, fault) = timing(180, 1_209_600, 5).fault().unwrap();
        assert_eq!(fault.problem, "14d of history at a queryStep of 5s are 241920 samples");
        assert_eq!(
            fault.instead,
            "at most 100000 are read: write a historyTimeWindow up to 5d18h53m20s or a queryStep of 13s or more"
        );
        assert_eq!(timing(180, 1_209_600, 13).fault(), None);
        let (_, fault) = timing(180, 3_600, 3_600).fault().unwrap();
        assert!(fault.instead.starts_with("at least 30 are needed"), "{fault:?}");
    }

    #[test]
    fn a_history_shorter_than_two_lead_times_is_refused() {
        assert_eq!(timing(21_600, 43_200, 60).fault(), None);
        let (_, fault) = timing(21_601, 43_200, 60).fault().unwrap();
        assert_eq!(fault.instead, "write a historyTimeWindow of 12h2s or more");
    }
}
