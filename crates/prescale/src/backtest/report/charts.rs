//! What the charts of the report show.

use std::ops::Range;

use jiff::tz::TimeZone;
use policy::ServiceLevel;
use simulator::{Behavior, Scores, Trial};

use super::svg::{COLUMNS, Chart, Column, columns, time_labels};
use crate::backtest::Tested;
use crate::backtest::calibration::Calibration;
use crate::backtest::compare::Outcome;
use crate::backtest::options::slo_text;
use crate::backtest::scorecard::{digits, percent};

/// The quantiles between which the band lies, and the middle one, by their places among the levels.
const BAND: (usize, usize, usize) = (0, 3, 6);

/// Pods of one behavior, tick by tick.
pub(super) struct Fleet {
    pub(super) name: String,
    /// Style class, which is also the color.
    pub(super) class: &'static str,
    /// Ready pods of each tick that counts.
    pub(super) ready: Vec<u32>,
}

/// The style class of a behavior.
pub(super) fn class(behavior: Behavior) -> &'static str {
    match behavior {
        Behavior::Reactive => "reactive",
        Behavior::DayAgo => "day",
        Behavior::WeekAgo => "week",
        Behavior::Limit => "limit",
    }
}

/// The load and the band that was forecast for it a lead time before, over the buckets of `range`.
pub(super) fn load(tested: &Tested<'_>, range: Range<usize>, title: &str) -> String {
    let series = tested.load;
    let at = |bucket: usize| series.time(bucket).as_second() as f64;
    let x = (at(range.start), at(range.end.saturating_sub(1)));
    let of = |place: usize| {
        range.clone().filter_map(move |bucket| {
            let value = f64::from(tested.walk.bands.get(bucket)?[place]);
            Some((at(bucket), value, value))
        })
    };
    let band = range.clone().filter_map(|bucket| {
        let band = tested.walk.bands.get(bucket)?;
        Some((at(bucket), f64::from(band[BAND.0]), f64::from(band[BAND.2])))
    });
    let band = columns(band, x);
    let known = columns(
        range.clone().filter_map(|bucket| {
            let load = series.load(bucket)?.get();
            Some((at(bucket), load, load))
        }),
        x,
    );
    // a burst that nobody foresaw must not flatten all the rest, nor a band that is far too wide
    let most = known.iter().map(|column| column.2).fold(0.0, f64::max);
    let top = band.iter().map(|column| column.2).fold(most, f64::max).min(1.6 * most);
    let is_dense = range.len() > 4 * COLUMNS;
    let mut chart = Chart::new(260.0, x, (lowest(&known), 1.04 * top.max(1e-9)));
    chart.y_axis(digits);
    chart.x_axis(time_labels(x, &timezone(tested)));
    chart.area("band", &band);
    chart.line("median", &columns(of(BAND.1), x));
    chart.line(if is_dense { "load fine" } else { "load" }, &known);
    let description = format!(
        "The load from {} to {}, and the band between the 5 % and the 95 % quantile forecast for it.",
        digits(known.iter().map(|column| column.1).fold(f64::MAX, f64::min)),
        digits(most)
    );
    chart.finish(title, &description)
}

/// Zero, or the lowest where that is below.
fn lowest(columns: &[Column]) -> f64 {
    columns.iter().map(|column| column.1).fold(0.0, f64::min)
}

/// Pods needed, and pods Ready under one behavior; `range` counts ticks after the first that is scored.
pub(super) fn pods(
    tested: &Tested<'_>,
    trial: &Trial<'_>,
    fleet: &Fleet,
    range: Range<usize>,
    most: f64,
    height: f64,
) -> String {
    let at = |place: usize| trial.course.time(trial.from + place).as_second() as f64;
    let x = (at(range.start), at(range.end.saturating_sub(1)));
    let load = |place: usize| trial.course.load(trial.from + place);
    let needed = |place: usize| f64::from(trial.hpa.replicas.covering(load(place), trial.per_pod));
    let ready = |place: usize| f64::from(fleet.ready[place]);
    let is_short = |place: usize| load(place).get() - ready(place) * trial.per_pod.get() > 1e-9;
    let mut chart = Chart::new(height, x, (0.0, 1.05 * most.max(1.0)));
    chart.y_axis(digits);
    chart.x_axis(time_labels(x, &timezone(tested)));
    let needs = columns(range.clone().map(|place| (at(place), 0.0, needed(place))), x);
    chart.area("needed", &needs);
    let have = columns(range.clone().map(|place| (at(place), ready(place), ready(place))), x);
    // many ticks in a column are a span, a few are a line
    if range.len() > 12 * COLUMNS {
        chart.area(&format!("span {}", fleet.class), &have);
    } else {
        chart.line(&format!("stroke solid {}", fleet.class), &have);
    }
    let short = columns(range.clone().filter(|&place| is_short(place)).map(|place| (at(place), 0.0, 0.0)), x);
    chart.rug("rug", short.iter().map(|column| column.0));
    let minutes = short_minutes(trial, fleet, range);
    chart.finish(&fleet.name, &format!("Pods needed and pods ready; too few for {minutes} minutes."))
}

/// For how many minutes of a range there were too few pods.
pub(super) fn short_minutes(trial: &Trial<'_>, fleet: &Fleet, range: Range<usize>) -> usize {
    let is_short = |&place: &usize| {
        trial.course.load(trial.from + place).get() - f64::from(fleet.ready[place]) * trial.per_pod.get() > 1e-9
    };
    range.filter(is_short).count().div_ceil(4)
}

/// Cost against shortage: a line per behavior over its knob, and Prescale at its service levels.
pub(super) fn cost(tested: &Tested<'_>) -> String {
    const LEAST: f64 = 1e-4;
    let comparison = tested.comparison;
    let at = |scores: &Scores| (scores.short_time.max(LEAST), scores.relative_cost());
    let families = comparison.families.iter().map(|family| {
        let mut points: Vec<(f64, f64, f64)> =
            family.points.iter().map(|point| (at(&point.scores).0, at(&point.scores).1, point.knob)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        (family.behavior, points)
    });
    let families: Vec<_> = families.collect();
    let ours: Vec<((f64, f64), ServiceLevel)> =
        comparison.outcomes.iter().map(|outcome| (at(&outcome.scores), outcome.level)).collect();
    let today = at(&comparison.today);
    // what is far dearer than anything of interest is left outside
    let dearest = ours.iter().map(|(point, _)| point.1).fold(today.1, f64::max);
    let y = (0.8, (1.35 * dearest).max(2.2));
    let is_inside = |&&(x, cost, _): &&(f64, f64, f64)| x <= 0.5 && (y.0..=y.1).contains(&cost);
    let mut chart = Chart::new(380.0, (LEAST, 0.5), y).log_x();
    chart.y_axis(|cost| format!("{cost:.1} ×"));
    let labels = [(LEAST, "0"), (1e-3, "0.1 %"), (1e-2, "1 %"), (0.1, "10 %"), (0.5, "50 %")];
    chart.x_axis(labels.map(|(at, label)| (at, label.to_owned())));
    for (behavior, points) in &families {
        let inside: Vec<Column> = points.iter().filter(is_inside).map(|&(x, cost, _)| (x, cost, cost)).collect();
        chart.line(&format!("stroke {}", class(*behavior)), &inside);
        for &(x, cost, knob) in points.iter().filter(is_inside) {
            let target = digits(knob * tested.workload.threshold.get());
            let title = format!("target {target}: short {}, {cost:.2} ×", percent(x));
            chart.dot(&format!("dot {}", class(*behavior)), (x, cost), 2.6, &title);
        }
    }
    chart.dot("dot today", today, 6.0, &format!("HPA today: short {}, {:.2} ×", percent(today.0), today.1));
    let mut by_shortage: Vec<Column> = ours.iter().map(|&((x, cost), _)| (x, cost, cost)).collect();
    by_shortage.sort_by(|a, b| a.0.total_cmp(&b.0));
    chart.line("stroke prescale", &by_shortage);
    for &((x, cost), level) in &ours {
        let slo = slo_text(level);
        chart.dot("dot prescale", (x, cost), 6.0, &format!("Prescale, slo {slo}: short {}, {cost:.2} ×", percent(x)));
        let anchor = if x > 0.2 { "end" } else { "start" };
        chart.text("label", (x, cost), (if x > 0.2 { -10.0 } else { 9.0 }, -9.0), anchor, &slo);
    }
    chart.finish("Cost against shortage", "Further left is more often large enough, further down is cheaper.")
}

/// Promised against observed coverage.
pub(super) fn calibration(levels: &[Calibration]) -> String {
    // log odds: the upper quantiles are where a fleet is sized, and they would lie on top of each other
    let odds = |share: f64| {
        let share = share.clamp(0.001, 0.999);
        (share / (1.0 - share)).ln()
    };
    let range = (odds(0.03), odds(0.9985));
    let mut chart = Chart::new(320.0, range, range);
    let labels = [0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99].map(|share| (odds(share), digits(100.0 * share)));
    chart.y_axis_at(labels.clone());
    chart.x_axis(labels);
    chart.line("diagonal", &[(range.0, range.0, range.0), (range.1, range.1, range.1)]);
    let points: Vec<Column> =
        levels.iter().map(|level| (odds(level.promised), odds(level.came), odds(level.came))).collect();
    chart.line("stroke prescale", &points);
    for level in levels {
        let title = format!("promised {}, came {}", percent(level.promised), percent(level.came));
        chart.dot("dot prescale", (odds(level.promised), odds(level.came)), 5.0, &title);
    }
    chart.finish("Calibration", "On the dashed line, as much of the load stayed below a quantile as was promised.")
}

/// The worst moment and the hour around it, in pods: ticks after the first that is scored.
pub(super) fn around(trial: &Trial<'_>, outcome: &Outcome, moment: usize) -> Range<usize> {
    const MARGIN: usize = 240;
    let Some(moment) = outcome.worst.get(moment) else { return 0..0 };
    let first = trial.course.time(trial.from).as_second();
    let worst = usize::try_from((moment.worst.as_second() - first) / 15).unwrap_or(0);
    worst.saturating_sub(MARGIN)..(worst + MARGIN).min(trial.ticks().len())
}

/// The most pods that any of the fleets has or needs in a range.
pub(super) fn most_pods(trial: &Trial<'_>, fleets: &[Fleet], range: Range<usize>) -> f64 {
    let needed =
        range.clone().map(|place| trial.hpa.replicas.covering(trial.course.load(trial.from + place), trial.per_pod));
    let have = fleets.iter().flat_map(|fleet| fleet.ready[range.clone()].iter().copied());
    f64::from(needed.chain(have).max().unwrap_or(1))
}

pub(super) fn timezone(tested: &Tested<'_>) -> TimeZone {
    TimeZone::get(&tested.args.timezone).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backtest::walk::LEVELS;

    #[test]
    fn the_band_is_the_middle_nine_tenths() {
        assert_eq!((LEVELS[BAND.0], LEVELS[BAND.1], LEVELS[BAND.2]), (0.05, 0.5, 0.95));
    }
}
