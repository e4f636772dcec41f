//! The story in a terminal: numbers first, then the reasons, then what was and will be.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use series::Timestamp;

use super::answers::{Detail, Event, Moment, Summary};

/// Events that are shown; the page has more.
const MOST_EVENTS: usize = 8;

/// Everything that is known of a target now.
pub(super) fn detail(out: &mut impl Write, detail: &Detail) -> io::Result<()> {
    let Detail { target, story, answer, plan, events, metadata } = detail;
    let zone = TimeZone::get(&metadata.timezone).unwrap_or(TimeZone::UTC);
    heading(out, target)?;
    writeln!(out, "  {}\n", metadata.query.split_whitespace().collect::<Vec<_>>().join(" "))?;
    let pods = match (target.pods, target.replicas) {
        (Some(wanted), Some(now)) => format!("{wanted} (about {now} by now)"),
        (Some(wanted), None) => wanted.to_string(),
        (None, _) => "-".to_owned(),
    };
    for (name, value) in [
        ("observed", amount(target.observed)),
        ("expected", amount(target.expected)),
        ("at most", amount(target.forecast)),
        ("published", amount(target.published)),
        ("pods", pods),
    ] {
        writeln!(out, "  {name:<10} {value}")?;
    }
    writeln!(out, "\nWhy")?;
    for (place, sentence) in (1..).zip(story) {
        writeln!(out, "  {place}. {sentence}")?;
    }
    if let Some(answer) = answer {
        writeln!(out, "\n{}", answer.text)?;
    }
    if !plan.is_empty() {
        writeln!(
            out,
            "\nThe next day ({})\n  {:<6} {:>12} {:>12} {:>6}",
            metadata.timezone, "from", "expected", "at most", "pods"
        )?;
        for hour in plan {
            let (expected, promised) = (amount(Some(hour.expected)), amount(Some(hour.promised)));
            writeln!(out, "  {:<6} {expected:>12} {promised:>12} {:>6}", clock(hour.from, &zone, "%H:%M"), hour.pods)?;
        }
    }
    tell_events(out, events.iter().take(MOST_EVENTS), &zone)
}

/// One minute of the past.
pub(super) fn moment(out: &mut impl Write, target: &Summary, moment: &Moment) -> io::Result<()> {
    heading(out, target)?;
    writeln!(out)?;
    for (place, sentence) in (1..).zip(&moment.story) {
        writeln!(out, "  {place}. {sentence}")?;
    }
    tell_events(out, moment.events.iter(), &TimeZone::UTC)
}

fn heading(out: &mut impl Write, target: &Summary) -> io::Result<()> {
    writeln!(out, "{}/{}  {}  (trigger {})", target.namespace, target.name, target.state, target.digest)
}

fn tell_events<'a>(out: &mut impl Write, events: impl Iterator<Item = &'a Event>, zone: &TimeZone) -> io::Result<()> {
    for (place, event) in events.enumerate() {
        if place == 0 {
            writeln!(out, "\nEvents")?;
        }
        writeln!(out, "  {}  {}", clock(event.at, zone, "%Y-%m-%d %H:%M:%S"), event.text)?;
    }
    Ok(())
}

fn clock(time: Timestamp, zone: &TimeZone, format: &str) -> String {
    time.to_zoned(zone.clone()).strftime(format).to_string()
}

fn amount(amount: Option<f64>) -> String {
    amount.map_or_else(|| "-".to_owned(), |amount| amount.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DETAIL: &str = r#"{
        "target": {"namespace": "shop", "name": "checkout", "digest": "0a1b", "state": "predicting", "observed": 182.4,
                   "expected": 190.2, "forecast": 221.7, "published": 238, "pods": 20, "replicas": 18},
        "story": ["The source said 182.4 at 16:03:15, 9s ago.", "238 is published, just outside."],
        "answer": {"text": "At 16:03:20 KEDA asked and was told 238, active."},
        "plan": [{"from": "2026-03-18T15:03:15Z", "expected": 190, "promised": 221.7, "pods": 19},
                 {"from": "2026-03-18T16:00:00Z", "expected": 201.5, "promised": 240, "pods": 20}],
        "events": [{"at": "2026-03-18T14:00:00Z", "text": "ridge was fitted anew"}],
        "metadata": {"query": "sum(\n  load)", "timezone": "Europe/Berlin"}
    }"#;

    #[test]
    fn numbers_come_first_then_the_reasons_then_the_plan_in_the_clock_of_the_target() {
        let mut told = Vec::new();
        detail(&mut told, &serde_json::from_str(DETAIL).unwrap()).unwrap();
        insta::assert_snapshot!(String::from_utf8(told).unwrap());
    }
}
