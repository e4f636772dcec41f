//! [`Frame`]: the whole picture of one moment.

use policy::{NoPlan, Plan};
use series::{Forecast, Load, Quantile, Timestamp};
use simulator::Scores;

use super::chart::{self, Column, MARGIN, chart, hours};
use super::paint::{Line, Paint};
use crate::demo::record::{Record, Side};
use crate::demo::setup::Setup;

/// What is known at one moment of the simulated day.
#[derive(Debug, Clone)]
pub(in crate::demo) struct Frame<'a> {
    pub(in crate::demo) now: Timestamp,
    pub(in crate::demo) setup: &'a Setup,
    pub(in crate::demo) record: &'a Record,
    /// The load at the moment.
    pub(in crate::demo) load: Load,
    pub(in crate::demo) forecast: Option<&'a Forecast>,
    pub(in crate::demo) plan: Result<&'a Plan, &'a NoPlan>,
    /// How both sides have done so far.
    pub(in crate::demo) prescale: Option<Scores>,
    pub(in crate::demo) reactive: Option<Scores>,
}

/// Narrower terminals get plain lines.
pub(super) const LEAST_WIDTH: usize = 60;

/// Lines around the two charts, and the one below for the cursor.
const OTHER_LINES: usize = 10;

impl Frame<'_> {
    /// The lines of the picture for a terminal of `width` columns and `rows` rows; none is wider than `width`.
    pub(super) fn lines(&self, width: usize, rows: usize) -> Vec<Line> {
        let height = (rows.saturating_sub(OTHER_LINES) / 2).clamp(3, 9);
        let columns = width.saturating_sub(MARGIN + 1).max(1);
        let mut lines = vec![self.heading(), self.decision()];
        for side in [Side::Prescale, Side::Reactive] {
            lines.push(self.title(side));
            lines.extend(chart(&self.columns(side, columns), height, self.top()));
        }
        lines.push(hours(columns));
        lines.push(legend());
        lines
    }

    fn heading(&self) -> Line {
        let clock = self.now.strftime("%A %H:%M");
        Line::default()
            .with(&format!("{clock}  "), Paint::Strong)
            .with(&format!("load {:.0} req/s", self.load.get()), Paint::Demand)
            .with(&format!(" = {:.1} pods", self.load.get() / self.setup.threshold.get()), Paint::Plain)
    }

    /// What Prescale publishes, and why.
    fn decision(&self) -> Line {
        let line = Line::default().with("Prescale ", Paint::Strong);
        match self.plan {
            Ok(plan) => {
                let expected = plan.predicted.map_or(String::new(), |load| format!("expects ≤{:.0}, ", load.get()));
                let asked = format!("{expected}asks for {:.0}", plan.value.get());
                line.with(&asked, Paint::Plain).with(&format!(": {}", plan.reason), Paint::Faint)
            }
            Err(why) => line.with(&format!("gives no value: {why}"), Paint::Short),
        }
    }

    fn title(&self, side: Side) -> Line {
        let (name, scores) = match side {
            Side::Prescale => ("Prescale".to_owned(), self.prescale),
            Side::Reactive => (self.setup.reactive_name(), self.reactive),
        };
        let tick = self.record.moments.last().map(|moment| moment.of(side));
        let pods = tick.map_or(String::new(), |tick| format!("{} pods", tick.ready));
        let starting = tick.filter(|tick| tick.starting > 0).map_or(String::new(), |t| format!(" +{}", t.starting));
        let (short, hours) = scores.map_or((0.0, 0.0), |scores| (scores.short.as_secs_f64() / 60.0, scores.pod_hours));
        let line = Line::default().with(&format!("{name:<18}"), Paint::Strong);
        let line = line.with(&pods, Paint::Pods).with(&starting, Paint::Faint).padded(32);
        let paint = if short > 0.0 { Paint::Short } else { Paint::Plain };
        line.with(&format!("short {short:.1} min"), paint).padded(48).with(&format!("{hours:.0} pod-h"), Paint::Plain)
    }

    fn columns(&self, side: Side, columns: usize) -> Vec<Column> {
        let threshold = self.setup.threshold;
        (0..columns)
            .map(|column| match self.record.stretch(side, column, columns, threshold) {
                Some(stretch) => Column::Past(stretch),
                None if side == Side::Prescale => {
                    // the middle of the column's time
                    let at = self.record.time_of_share((column as f64 + 0.5) / columns as f64);
                    let median = self.forecast.and_then(|forecast| forecast.quantile(at, Quantile::MEDIAN));
                    median.map_or(Column::Empty, |load| Column::Ahead(load.get() / threshold.get()))
                }
                None => Column::Empty,
            })
            .collect()
    }

    /// The pod count at the upper edge of the charts: a multiple of ten, so that it seldom moves.
    fn top(&self) -> f64 {
        let threshold = self.setup.threshold.get();
        let ahead = self.forecast.into_iter().flat_map(Forecast::horizons).filter_map(|horizon| {
            let at = self.forecast?.origin().saturating_add(horizon.ahead).ok()?;
            Some(self.forecast?.quantile(at, Quantile::MEDIAN)?.get() / threshold)
        });
        let highest = ahead.fold(self.record.most_pods(self.setup.threshold), f64::max);
        (highest / 10.0).ceil().max(1.0) * 10.0
    }
}

fn legend() -> Line {
    Line::default()
        .padded(chart::MARGIN)
        .with("█", Paint::Demand)
        .with(" load  ", Paint::Faint)
        .with("━", Paint::Pods)
        .with(" Ready pods  ", Paint::Faint)
        .with("▲", Paint::Short)
        .with(" too few pods  ", Paint::Faint)
        .with("░ forecast", Paint::Faint)
}
