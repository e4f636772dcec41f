//! `--report`: one HTML file that holds everything. It loads nothing, runs nothing, and can be mailed.

mod charts;
mod svg;

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use anyhow::Context as _;
use simulator::{Behavior, Trial};

use self::charts::Fleet;
use self::svg::escaped;
use super::calibration::{Calibration, calibration};
use super::compare::{Outcome, WARM_UP};
use super::options::slo_text;
use super::scorecard::{self, date, digits, mean_pods, percent};
use super::{Tested, metadata, start_up_text};

const STYLE: &str = include_str!("style.css");

/// A day, in ticks.
const DAY: usize = 5760;

/// So many of the worst moments are drawn.
const MOMENTS_DRAWN: usize = 3;

/// Writes the report.
pub(super) fn write(path: &Path, tested: &Tested<'_>) -> anyhow::Result<()> {
    let html = html(tested).context("no time is left after the warm-up")?;
    std::fs::write(path, html).with_context(|| path.display().to_string())
}

fn html(tested: &Tested<'_>) -> Option<String> {
    let trial = tested.workload.trial(tested.course);
    let outcome = tested.comparison.outcomes.first()?;
    let fleets = fleets(tested, &trial, outcome)?;
    let mut page = String::with_capacity(1 << 20);
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Prescale backtest: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escaped(&tested.name)
    );
    head(&mut page, tested, outcome);
    table(&mut page, tested, outcome);
    cost(&mut page, tested);
    levels_table(&mut page, tested);
    pods(&mut page, tested, &trial, &fleets);
    load(&mut page, tested);
    let levels = calibration(tested.load, tested.walk, tested.first_scored());
    calibrated(&mut page, &levels);
    moments(&mut page, tested, &trial, outcome, fleets.last()?);
    settings(&mut page, tested);
    page.push_str("</main>\n</body>\n</html>\n");
    Some(page)
}

/// The fleets that are drawn: what is run today, what hindsight tunes, the limit, and Prescale last.
fn fleets(tested: &Tested<'_>, trial: &Trial<'_>, outcome: &Outcome) -> Option<Vec<Fleet>> {
    let run = |name: String, class, behavior: Behavior, knob| {
        let mut ready = Vec::with_capacity(trial.ticks().len());
        behavior.run(trial, knob, |_, tick| ready.push(tick.ready))?;
        Some(Fleet { name, class, ready })
    };
    let threshold = trial.per_pod.get();
    let mut fleets = vec![run(format!("HPA today, target {}", digits(threshold)), "today", Behavior::Reactive, 1.0)?];
    for family in &tested.comparison.families {
        // what holds the SLO at no setting is no choice, and would flatten the charts
        let Some(point) = family.cheapest_within(outcome.allowed()) else { continue };
        let name = scorecard::tuned_name(family.behavior, point.knob * threshold);
        fleets.extend(run(name, charts::class(family.behavior), family.behavior, point.knob));
    }
    let name = format!("Prescale, slo {}", slo_text(outcome.level));
    fleets.push(Fleet { name, class: "prescale", ready: outcome.ready.clone() });
    Some(fleets)
}

fn head(page: &mut String, tested: &Tested<'_>, outcome: &Outcome) {
    let end = tested.load.end().unwrap_or(tested.load.start());
    let _ = write!(
        page,
        "<h1>What Prescale would have done</h1>\n<p><code>{}</code><br><span class=\"note\">{} to {} UTC, one value every {}, \
         of which the first {} are for learning and are not scored.</span></p>\n",
        escaped(&tested.name),
        date(tested.course.time(0)),
        date(end),
        tested.load.step(),
        scaler::Readable(WARM_UP),
    );
    let (today, scores) = (&tested.comparison.today, &outcome.scores);
    let allowed = percent(outcome.allowed());
    let mut items = vec![
        (
            percent(scores.short_time),
            format!("of the time with too few pods; slo {} allows {allowed}", slo_text(outcome.level)),
        ),
        (
            percent(today.short_time),
            "of the time with too few pods under the HPA of today, with the same target".to_owned(),
        ),
        (
            format!("{} pods", digits(mean_pods(scores, tested))),
            format!(
                "in the mean; {} is the least that is enough",
                digits(mean_pods(scores, tested) / scores.relative_cost())
            ),
        ),
    ];
    if let Some(gap) = outcome.matched.gap_closed.filter(|gap| *gap >= 0.0) {
        let best = outcome.matched.best.map_or("the best of the others", |(behavior, _)| scorecard::plain(behavior));
        items.push((
            format!("{:.0} %", 100.0 * gap),
            format!("of the way from {best}, tuned in hindsight, to what is possible, at the same shortage"),
        ));
    }
    page.push_str("<ul class=\"headline\">\n");
    for (number, meaning) in items {
        let _ = writeln!(page, "<li><strong>{}</strong> <span>{}</span></li>", escaped(&number), escaped(&meaning));
    }
    page.push_str("</ul>\n");
    if tested.course.drawn() > 0 {
        let _ = writeln!(
            page,
            "<p class=\"note\">{} of {} values are missing. They are scored as if straight lines joined the others; Prescale was not told of them.</p>",
            tested.course.drawn(),
            tested.load.len()
        );
    }
}

fn table(page: &mut String, tested: &Tested<'_>, outcome: &Outcome) {
    let _ = write!(
        page,
        "<h2>Side by side at slo {}</h2>\n<p class=\"note\">Everything but today's HPA and Prescale was tuned on this very load, in hindsight: the cheapest setting that holds the SLO, \
         or the nearest to it.</p>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Scorecard at slo {}\"><table>\n\
         <thead><tr><th scope=\"col\">behavior</th><th scope=\"col\">time with<br>too few pods</th>\
         <th scope=\"col\">load<br>unserved</th><th scope=\"col\">pods in<br>the mean</th><th scope=\"col\">times<br>the least</th>\
         <th scope=\"col\">changes<br>per hour</th><th scope=\"col\">of these<br>back</th><th scope=\"col\">elastic<br>speedup</th></tr></thead>\n<tbody>\n",
        slo_text(outcome.level),
        slo_text(outcome.level),
    );
    for line in scorecard::lines(tested.comparison, tested, outcome) {
        let scores = &line.scores;
        let short = percent(scores.short_time);
        let short = if line.is_short { format!("<span class=\"over\">{short} &#9650;</span>") } else { short };
        let _ = writeln!(
            page,
            "<tr{}><th scope=\"row\">{}</th><td>{short}</td><td>{}</td><td>{}</td><td>{:.2}</td><td>{:.1}</td><td>{:.1}</td><td>{:.2}</td></tr>",
            if line.name.starts_with("Prescale") { " class=\"ours\"" } else { "" },
            escaped(&line.name),
            percent(scores.unmet_share),
            digits(mean_pods(scores, tested)),
            scores.relative_cost(),
            scores.actions_per_hour,
            scores.reversals_per_hour,
            scores.elastic_speedup(&tested.comparison.today),
        );
    }
    let _ = writeln!(
        page,
        "</tbody></table></div>\n<p>{}</p>\n<p class=\"note\">&#9650; more than the SLO allows. “Times the least”: pod-hours, starting pods included, as a \
         multiple of a fleet that always has just enough. “Elastic speedup” is SPEC’s, over the HPA of today: above 1 is better.</p>",
        escaped(&scorecard::verdict(outcome).replace('\n', " "))
    );
}

fn cost(page: &mut String, tested: &Tested<'_>) {
    page.push_str("<h2>Cost against shortage</h2>\n<p>Every behavior at every setting of its one knob. Further left, the fleet is large enough more of the time; further down, it costs \
                   less. Nobody can get below the limit: it knows the load of the coming start-up and still has to act through the HPA.</p>\n");
    let mut entries = vec![("stroke prescale".to_owned(), "Prescale, by slo"), ("dot today".to_owned(), "HPA today")];
    for family in &tested.comparison.families {
        let name = match family.behavior {
            Behavior::Reactive => "HPA, by target",
            Behavior::DayAgo => "max with a day ago",
            Behavior::WeekAgo => "max with a week ago",
            Behavior::Limit => "the limit",
        };
        entries.push((format!("stroke {}", charts::class(family.behavior)), name));
    }
    key(page, entries);
    let _ = writeln!(
        page,
        "<figure>{}<figcaption>Across: share of the time with too few Ready pods, logarithmic. Up: pod-hours as a multiple of the least that is enough.</figcaption></figure>",
        charts::cost(tested)
    );
}

/// Prescale at every service level that was asked for.
fn levels_table(page: &mut String, tested: &Tested<'_>) {
    if tested.comparison.outcomes.len() < 2 {
        return;
    }
    page.push_str(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Prescale at each service level\"><table><caption>Prescale at each service level</caption><thead><tr>\
         <th scope=\"col\">slo</th><th scope=\"col\">allows</th><th scope=\"col\">time with<br>too few pods</th><th scope=\"col\">load<br>unserved</th>\
         <th scope=\"col\">pods in<br>the mean</th><th scope=\"col\">times<br>the least</th><th scope=\"col\">way to what<br>is possible</th></tr></thead>\n<tbody>\n",
    );
    for outcome in &tested.comparison.outcomes {
        let scores = &outcome.scores;
        let way = outcome.matched.gap_closed.map_or_else(|| "–".to_owned(), |gap| format!("{:.0} %", 100.0 * gap));
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.2}</td><td>{way}</td></tr>",
            slo_text(outcome.level),
            percent(outcome.allowed()),
            percent(scores.short_time),
            percent(scores.unmet_share),
            digits(mean_pods(scores, tested)),
            scores.relative_cost(),
        );
    }
    page.push_str("</tbody></table></div>\n");
}

fn pods(page: &mut String, tested: &Tested<'_>, trial: &Trial<'_>, fleets: &[Fleet]) {
    let all = 0..trial.ticks().len();
    let day = hardest_day(trial, &fleets[0]);
    for (title, words, range, height) in [
        (
            "Pods needed and pods ready",
            "The gray area is what the load needs, the color what each behavior has ready: where many values share a point of the chart, from the lowest to the highest. \
             Red strokes at the foot mark times with too few. What cannot hold the SLO at any setting is not drawn, but for today’s HPA.",
            all,
            150.0,
        ),
        ("The hardest day, close up", "The day on which the HPA of today leaves the most load unserved.", day, 190.0),
    ] {
        let most = charts::most_pods(trial, fleets, range.clone());
        let _ = writeln!(page, "<h2>{title}</h2>\n<p>{words}</p>");
        // Prescale first
        for fleet in fleets.iter().rev().take(1).chain(fleets.iter().take(fleets.len() - 1)) {
            let minutes = charts::short_minutes(trial, fleet, range.clone());
            let mean = fleet.ready[range.clone()].iter().map(|&ready| f64::from(ready)).sum::<f64>()
                / range.len().max(1) as f64;
            let _ = writeln!(
                page,
                "<figure><figcaption><strong>{}</strong>: too few for {}, {} ready in the mean</figcaption>{}</figure>",
                escaped(&fleet.name),
                hours(minutes),
                digits(mean),
                charts::pods(tested, trial, fleet, range.clone(), most, height)
            );
        }
    }
}

/// The day on which a fleet leaves the most load unserved; ticks after the first that is scored.
fn hardest_day(trial: &Trial<'_>, fleet: &Fleet) -> Range<usize> {
    let unmet = |place: usize| {
        (trial.course.load(trial.from + place).get() - f64::from(fleet.ready[place]) * trial.per_pod.get()).max(0.0)
    };
    let count = trial.ticks().len();
    let days = (0..count).step_by(DAY).map(|begin| begin..(begin + DAY).min(count));
    let total = |day: &Range<usize>| day.clone().map(unmet).sum::<f64>();
    days.max_by(|a, b| total(a).total_cmp(&total(b))).unwrap_or(0..count)
}

fn load(page: &mut String, tested: &Tested<'_>) {
    let lead = scaler::Readable(tested.args.lead_time);
    let _ = writeln!(
        page,
        "<h2>The load and its forecast</h2>\n<p>For every time, what had been forecast for it {lead} and a step before: the middle, and the band in which nine of ten values should lie.</p>"
    );
    let entries = [("load", "load"), ("median", "forecast, middle"), ("band", "forecast, 5 % to 95 %")];
    key(page, entries.map(|(class, name)| (class.to_owned(), name)));
    let first = tested.first_scored();
    let all = charts::load(tested, first..tested.load.len(), "Load and forecast, the whole time");
    let day = hardest_day_of_load(tested, first);
    let _ = writeln!(page, "<figure>{all}<figcaption>The whole scored time.</figcaption></figure>");
    let close = charts::load(tested, day.clone(), "Load and forecast, one day");
    // a bucket is known at its end
    let from = date(tested.load.step().shift(tested.load.time(day.start), -1));
    let _ = writeln!(
        page,
        "<figure>{close}<figcaption>The day from {from} UTC, on which the load moved most.</figcaption></figure>"
    );
}

/// The day with the largest sum of steps.
fn hardest_day_of_load(tested: &Tested<'_>, first: usize) -> Range<usize> {
    let amounts = tested.course.amounts();
    let day = tested.load.step().count_in(std::time::Duration::from_hours(24)).max(1);
    let days = (first..amounts.len()).step_by(day).map(|begin| begin..(begin + day).min(amounts.len()));
    let moved = |day: &Range<usize>| amounts[day.clone()].windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>();
    days.max_by(|a, b| moved(a).total_cmp(&moved(b))).unwrap_or(first..amounts.len())
}

fn calibrated(page: &mut String, levels: &[Calibration]) {
    let Some(first) = levels.first() else { return };
    let _ = writeln!(
        page,
        "<h2>Calibration</h2>\n<p>How much of the load stayed at or below what was forecast at each level, over {} values. On the dashed line the forecast kept its word; below it, the load \
         was underestimated.</p>\n<figure>{}<figcaption>Across: promised, in percent. Up: came. Both axes by log odds.</figcaption></figure>",
        first.values,
        charts::calibration(levels)
    );
}

fn moments(page: &mut String, tested: &Tested<'_>, trial: &Trial<'_>, outcome: &Outcome, ours: &Fleet) {
    let _ = writeln!(page, "<h2>The worst moments at slo {}</h2>", slo_text(outcome.level));
    if outcome.worst.is_empty() {
        page.push_str("<p>There was none: the fleet was large enough all the time.</p>\n");
        return;
    }
    page.push_str(
        "<p>When Prescale's fleet was too small for the most load, and what its value rested on when the pods that were missing would have had to be ordered.</p>\n\
         <div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"The worst moments\"><table class=\"words\"><thead><tr><th scope=\"col\">from (UTC)</th><th scope=\"col\">too few for</th>\
         <th scope=\"col\">at worst</th><th scope=\"col\">the value rested on</th></tr></thead>\n<tbody>\n",
    );
    for moment in &outcome.worst {
        let asked = moment.asked.map_or_else(String::new, |asked| format!("; it asked for {asked} pods"));
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{} of {} pods</td><td>{}</td></tr>",
            date(moment.begin),
            scaler::Readable(moment.short),
            moment.ready,
            moment.needed,
            escaped(&format!("{}{asked}", moment.reason))
        );
    }
    page.push_str("</tbody></table></div>\n");
    for number in 0..outcome.worst.len().min(MOMENTS_DRAWN) {
        let range = charts::around(trial, outcome, number);
        let most = charts::most_pods(trial, std::slice::from_ref(ours), range.clone());
        let _ = writeln!(
            page,
            "<figure>{}<figcaption>Two hours around {} UTC: pods needed, and pods ready.</figcaption></figure>",
            charts::pods(tested, trial, ours, range, most, 170.0),
            date(outcome.worst[number].worst)
        );
    }
}

fn settings(page: &mut String, tested: &Tested<'_>) {
    let (args, workload) = (tested.args, tested.workload);
    let most = args.max_replicas.map_or_else(|| "no limit".to_owned(), |most| most.to_string());
    let models: Vec<String> =
        tested.walk.models.iter().map(|(name, count)| format!("{name} ({count} forecasts)")).collect();
    let rows = [
        ("load one pod carries (threshold)", digits(workload.threshold.get())),
        ("pods take (lead time)", start_up_text(&workload.start_up)),
        ("HPA tolerance", workload.tolerance.to_string()),
        ("fewest and most pods", format!("{} and {most}", args.min_replicas)),
        ("HPA behavior", "Kubernetes' defaults: sync every 15 s, up by 100 % or 4 pods, down after 300 s".to_owned()),
        ("time zone", args.timezone.clone()),
        ("history learned from", scaler::Readable(args.history).to_string()),
        ("models that forecast", models.join(", ")),
    ];
    page.push_str("<h2>Settings</h2>\n<table class=\"words\"><tbody>\n");
    for (name, value) in rows {
        let _ = writeln!(page, "<tr><th scope=\"row\">{name}</th><td>{}</td></tr>", escaped(&value));
    }
    page.push_str("</tbody></table>\n<h3>To have this</h3>\n<pre>");
    let mut yaml = Vec::new();
    if metadata::write_yaml(&mut yaml, tested).is_ok() {
        page.push_str(&escaped(&String::from_utf8_lossy(&yaml)));
    }
    let _ = writeln!(page, "</pre>\n<p class=\"note\">Made by prescale {}.</p>", env!("CARGO_PKG_VERSION"));
}

/// As people say it.
fn hours(minutes: usize) -> String {
    if minutes < 120 { format!("{minutes} min") } else { format!("{:.1} h", minutes as f64 / 60.0) }
}

/// What the marks of a chart mean.
fn key<'a>(page: &mut String, entries: impl IntoIterator<Item = (String, &'a str)>) {
    page.push_str("<ul class=\"key\">");
    for (class, name) in entries {
        let mark = if class == "band" || class == "needed" {
            format!(r#"<rect class="{class}" width="28" height="12"/>"#)
        } else if class.starts_with("dot") {
            format!(r#"<circle class="{class}" cx="14" cy="6" r="5"/>"#)
        } else {
            format!(r#"<path class="{class}" d="M0 6H28"/>"#)
        };
        let _ = write!(page, "<li><svg viewBox=\"0 0 28 12\" aria-hidden=\"true\">{mark}</svg>{}</li>", escaped(name));
    }
    page.push_str("</ul>\n");
}
