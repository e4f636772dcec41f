//! The story in a terminal: numbers first, then the reasons, then what was and will be.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use series::Timestamp;

use super::answers::{Comparison, Detail, Event, Fleet, Moment, Summary};

/// Events that are shown; the page has more.
const MOST_EVENTS: usize = 8;

/// In seconds.
const HOUR: f64 = 3600.0;

/// Everything that is known of a target now.
pub(super) fn detail(out: &mut impl Write, detail: &Detail) -> io::Result<()> {
    let Detail { target, story, answer, comparison, plan, events, metadata } = detail;
    let zone = TimeZone::get(&metadata.timezone).unwrap_or(TimeZone::UTC);
    heading(out, target)?;
    writeln!(out, "  {}\n", metadata.query.split_whitespace().collect::<Vec<_>>().join(" "))?;
    let pods = match (target.pods, target.replicas) {
        (Some(wanted), Some(now)) => format!("{wanted} (about {now} by now)"),
        (Some(wanted), None) => wanted.to_string(),
        (None, _) => "-".to_owned(),
    };
    let asked_for = if target.price.is_some() { "to hold" } else { "at most" };
    let numbers = [
        ("observed", Some(amount(target.observed))),
        ("expected", Some(amount(target.expected))),
        (asked_for, Some(amount(target.forecast))),
        ("published", Some(amount(target.published))),
        ("in force", target.shadow.map(|value| format!("{value} would be published"))),
        ("pods", Some(pods)),
        ("model", target.model.as_ref().map(|model| model_and_demoted(model, target.demoted.as_deref()))),
        ("skill", target.over_persistence.map(|over| skill(over, target.over_last_week))),
        ("coverage", target.coverage90.zip(target.coverage99).map(coverage)),
        ("price", target.price.map(|price| format!("{price} pods for a moment of shortage"))),
    ];
    for (name, value) in numbers {
        if let Some(value) = value {
            writeln!(out, "  {name:<10} {value}")?;
        }
    }
    writeln!(out, "\nWhy")?;
    for (place, sentence) in (1..).zip(story) {
        writeln!(out, "  {place}. {sentence}")?;
    }
    if let Some(answer) = answer {
        writeln!(out, "\n{}", answer.text)?;
    }
    if let Some(comparison) = comparison {
        compared(out, comparison)?;
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

/// The two fleets, side by side.
fn compared(out: &mut impl Write, comparison: &Comparison) -> io::Result<()> {
    let Comparison { seconds, allowed, predictive, reactive } = comparison;
    let allowed = allowed.map_or_else(String::new, |share| format!("; the SLO allows {:.2}%", 100.0 * share));
    writeln!(
        out,
        "\nForecasts beside reactive scaling (an estimate over {:.1} hours{allowed})\n  {:<11} {:>10} {:>10} {:>10} {:>8}",
        seconds / HOUR,
        "",
        "pod-hours",
        "mean pods",
        "short",
        "share"
    )?;
    for (name, Fleet { pod_hours, short_seconds, short }) in [("forecasts", predictive), ("reactive", reactive)] {
        let pods = pod_hours * HOUR / seconds;
        let minutes = format!("{:.1}m", short_seconds / 60.0);
        writeln!(out, "  {name:<11} {pod_hours:>10.1} {pods:>10.1} {minutes:>10} {:>7.2}%", 100.0 * short)?;
    }
    Ok(())
}

fn model_and_demoted(model: &str, demoted: Option<&str>) -> String {
    demoted.map_or_else(|| model.to_owned(), |demoted| format!("{model}, in place of {demoted} (demoted)"))
}

fn skill(over_persistence: f64, over_last_week: Option<f64>) -> String {
    let last_week = over_last_week.map_or_else(String::new, |over| format!(", {:+.0}% over last week", 100.0 * over));
    format!("{:+.0}% over the last value{last_week}", 100.0 * over_persistence)
}

fn coverage((usual, high): (f64, f64)) -> String {
    format!("{:.1}% of 90%, {:.1}% of 99%", 100.0 * usual, 100.0 * high)
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
        "target": {"namespace": "shop", "name": "checkout", "digest": "0a1b", "state": "shadow", "observed": 182.4,
                   "expected": 190.2, "forecast": 221.7, "published": 182.4, "shadow": 238, "model": "persistence", "demoted": "ridge",
                   "skillOverPersistence": 0.361, "skillOverLastWeek": -0.08, "coverage90": 0.912, "coverage99": 0.987,
                   "price": 42.5, "pods": 20, "replicas": 18},
        "story": ["The source said 182.4 at 16:03:15, 9s ago.", "238 is published, just outside."],
        "answer": {"text": "At 16:03:20 KEDA asked and was told 238, active."},
        "comparison": {"seconds": 90000, "allowed": 0.005, "predictive": {"podHours": 512.5, "shortSeconds": 390, "short": 0.00433},
                       "reactive": {"podHours": 487.5, "shortSeconds": 2070, "short": 0.023}},
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
