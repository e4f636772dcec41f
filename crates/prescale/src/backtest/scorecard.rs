//! The scorecard: all behaviors side by side, for people.

use std::io::Write;
use std::time::Duration;

use jiff::tz::TimeZone;
use series::Timestamp;
use simulator::{Behavior, Family, Scores, TICK};

use super::compare::{Comparison, Outcome};
use super::options::slo_text;
use super::{Tested, start_up_text};

/// Widths of the first column and of the others: a hundred characters together.
const NAME: usize = 35;

/// One line of the table.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) scores: Scores,
    /// Whether it is short for longer than the service level allows.
    pub(super) is_short: bool,
}

/// Writes what was tested, one table per service level, and how to read them.
pub(super) fn write(out: &mut impl Write, tested: &Tested<'_>) -> std::io::Result<()> {
    write_head(out, tested)?;
    for outcome in &tested.comparison.outcomes {
        write_table(out, tested, outcome)?;
    }
    writeln!(out, "short      share of the time with too few Ready pods; * where that is more than the SLO allows")?;
    writeln!(out, "unserved   share of the load beyond what the Ready pods carry")?;
    writeln!(out, "pods       paid for, in the mean; and as a multiple of a fleet that always has just enough")?;
    writeln!(out, "changes    of the pod count per hour; of these back: against the direction of the one before")?;
    writeln!(out, "speedup    SPEC's elastic speedup over the HPA today: above 1 is better")?;
    writeln!(out, "All but the HPA today and Prescale are tuned in hindsight, on this very load, as nobody could")?;
    writeln!(out, "beforehand: the cheapest setting that holds the SLO, or the one nearest to it.\n")
}

fn write_head(out: &mut impl Write, tested: &Tested<'_>) -> std::io::Result<()> {
    let (course, load, workload) = (tested.course, tested.load, tested.workload);
    let amounts = course.amounts();
    let mean = amounts.iter().sum::<f64>() / amounts.len().max(1) as f64;
    let most = amounts.iter().copied().fold(f64::MIN, f64::max);
    let end = load.end().unwrap_or(load.start());
    writeln!(out, "load       {}", shortened(&tested.name, 88))?;
    writeln!(
        out,
        "           {} to {} UTC, a value every {}; mean {}, highest {}",
        date(course.time(0)),
        date(end),
        load.step(),
        digits(mean),
        digits(most),
    )?;
    if course.drawn() > 0 {
        let share = course.drawn() as f64 / amounts.len() as f64;
        writeln!(
            out,
            "           {} values are missing ({}): scored as if straight lines joined the others",
            course.drawn(),
            percent(share),
        )?;
    }
    let most_pods = tested.args.max_replicas.map_or_else(|| "or more".to_owned(), |most| format!("to {most}"));
    writeln!(
        out,
        "workload   {} per pod, {}; {} {most_pods} pods, HPA tolerance {}",
        digits(workload.threshold.get()),
        start_up_text(&workload.start_up),
        tested.args.min_replicas,
        workload.tolerance,
    )?;
    let models = &tested.walk.models;
    let forecasts: usize = models.iter().map(|(_, count)| count).sum();
    let shares: Vec<String> = models
        .iter()
        .map(|(name, count)| format!("{name} {:.0} %", 100.0 * *count as f64 / forecasts.max(1) as f64))
        .collect();
    let scored = TICK.saturating_mul(u32::try_from(scored_ticks(tested)).unwrap_or(u32::MAX));
    writeln!(out, "scored     {:.1} days, after 3 of learning", days(scored))?;
    writeln!(out, "forecasts  by {}\n", shortened(&shares.join(", "), 86))
}

fn write_table(out: &mut impl Write, tested: &Tested<'_>, outcome: &Outcome) -> std::io::Result<()> {
    let allowed = percent(outcome.allowed());
    writeln!(out, "SLO {}: enough pods for all but {allowed} of the time", slo_text(outcome.level))?;
    writeln!(
        out,
        "{:NAME$}{:>9}{:>10}{:>9}{:>9}{:>10}{:>8}{:>9}",
        "", "short", "unserved", "pods", "× least", "changes/h", "back/h", "speedup"
    )?;
    for line in lines(tested.comparison, tested, outcome) {
        let Line { name, scores, is_short } = line;
        writeln!(
            out,
            "{:NAME$}{:>9}{:>10}{:>9}{:>9.2}{:>10.1}{:>8.1}{:>9.2}",
            name,
            format!("{}{}", percent(scores.short_time), if is_short { "*" } else { "" }),
            percent(scores.unmet_share),
            digits(mean_pods(&scores, tested)),
            scores.relative_cost(),
            scores.actions_per_hour,
            scores.reversals_per_hour,
            scores.elastic_speedup(&tested.comparison.today),
        )?;
    }
    writeln!(out, "{}\n", verdict(outcome))
}

/// The lines of the table of one service level.
pub(super) fn lines(comparison: &Comparison, tested: &Tested<'_>, outcome: &Outcome) -> Vec<Line> {
    let allowed = outcome.allowed();
    let threshold = tested.workload.threshold.get();
    let line = |name: String, scores: Scores| Line { name, is_short: scores.short_time > allowed, scores };
    let mut lines = vec![line(format!("HPA today, target {}", digits(threshold)), comparison.today)];
    let mut others = [Behavior::Reactive, Behavior::DayAgo, Behavior::WeekAgo].into_iter();
    lines.extend(others.by_ref().filter_map(|behavior| tuned(comparison, behavior, allowed, threshold)));
    lines.push(line(format!("Prescale, slo {}", slo_text(outcome.level)), outcome.scores));
    lines.extend(tuned(comparison, Behavior::Limit, allowed, threshold));
    lines
}

fn tuned(comparison: &Comparison, behavior: Behavior, allowed: f64, threshold: f64) -> Option<Line> {
    let family: &Family = comparison.family(behavior)?;
    let within = family.cheapest_within(allowed);
    let point = within.or_else(|| family.safest())?;
    let name = tuned_name(behavior, point.knob * threshold);
    Some(Line { name, scores: point.scores, is_short: within.is_none() })
}

/// What a behavior with that target is called.
pub(super) fn tuned_name(behavior: Behavior, target: f64) -> String {
    let target = digits(target);
    match behavior {
        Behavior::Reactive => format!("HPA tuned, target {target}"),
        Behavior::DayAgo => format!("max with a day ago, target {target}"),
        Behavior::WeekAgo => format!("max with a week ago, target {target}"),
        Behavior::Limit => "the limit: knows what comes".to_owned(),
    }
}

/// What the table of one service level comes to, in a sentence.
pub(super) fn verdict(outcome: &Outcome) -> String {
    let (scores, matched) = (&outcome.scores, outcome.matched);
    let cost = scores.relative_cost();
    let short = percent(scores.short_time);
    let Some((behavior, best)) = matched.best else {
        return format!("None of the others gets as low as {short}, however it is tuned.");
    };
    let behavior = plain(behavior);
    let costs =
        format!("At the same {short}, the best of the others, {behavior}, costs {best:.2},\nand Prescale {cost:.2}");
    match (matched.limit, matched.gap_closed) {
        (Some(limit), Some(gap)) if gap >= 0.0 => {
            format!("{costs}; the limit is {limit:.2}: {:.0} % of the way to what is possible.", 100.0 * gap)
        }
        (Some(limit), _) if best < cost => {
            format!("{costs}; the limit is {limit:.2}. Here {behavior} does better, tuned in hindsight.")
        }
        _ => format!("{costs}."),
    }
}

/// What people call it.
pub(super) fn plain(behavior: Behavior) -> &'static str {
    match behavior {
        Behavior::Reactive => "the tuned HPA",
        Behavior::DayAgo => "max with a day ago",
        Behavior::WeekAgo => "max with a week ago",
        Behavior::Limit => "the limit",
    }
}

fn scored_ticks(tested: &Tested<'_>) -> usize {
    tested.workload.trial(tested.course).ticks().len()
}

/// Pods paid for, in the mean.
pub(super) fn mean_pods(scores: &Scores, tested: &Tested<'_>) -> f64 {
    let hours = scored_ticks(tested) as f64 * TICK.as_secs_f64() / 3600.0;
    scores.pod_hours / hours
}

pub(super) fn date(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string()
}

fn days(span: Duration) -> f64 {
    span.as_secs_f64() / 86_400.0
}

/// Two digits after the point, more where that would be nothing.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent > 0.0 && percent < 0.01 { "<0.01 %".to_owned() } else { format!("{percent:.2} %") }
}

/// Four digits, as far as they are not whole.
pub(super) fn digits(amount: f64) -> String {
    if amount.abs() >= 1000.0 || amount == 0.0 {
        return format!("{amount:.0}");
    }
    let places = 3.0 - amount.abs().log10().floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 12")]
    let text = format!("{amount:.*}", places.clamp(0.0, 12.0) as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn shortened(text: &str, most: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
