//! `--chart`: the end of each series and its forecast in block characters, for who looks at a terminal.

use std::io::Write;

use series::{Forecast, Quantile};

use super::minute;
use crate::input::Named;

/// Rows of one chart.
const ROWS: usize = 8;
/// Left of the columns: nine for the label, a blank and the axis.
const MARGIN: usize = 11;
/// Narrower than this nothing can be told apart.
const LEAST_COLUMNS: usize = 24;

/// Block elements by eighths of a cell, from empty to full.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One column of a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Column {
    /// The greatest load in it.
    Load(f64),
    /// The greatest median and the greatest 95 % quantile in it.
    Ahead { median: f64, high: f64 },
    /// Nothing is known of that time.
    Unknown,
}

/// Draws one series in `width` columns of a terminal.
pub(super) fn draw(out: &mut impl Write, named: &Named, forecast: &Forecast, width: usize) -> std::io::Result<()> {
    let room = width.saturating_sub(MARGIN).max(LEAST_COLUMNS);
    let (loads, quantiles) = places(named, forecast);
    // one column for so many places that the past and what is to come are drawn to one measure
    let each = (loads.len() + quantiles.len()).div_ceil(room).max(1);
    let columns: Vec<Column> = loads.chunks(each).map(load).chain(quantiles.chunks(each).map(ahead)).collect();
    let top = columns.iter().fold(0.0, |top, column| match column {
        Column::Load(load) => f64::max(top, *load),
        Column::Ahead { high, .. } => f64::max(top, *high),
        Column::Unknown => top,
    });

    writeln!(out, "{}", named.id)?;
    for row in (0..ROWS).rev() {
        let label = match row {
            0 => "0 ┤".to_owned(),
            row if row + 1 == ROWS => format!("{} ┤", short(top)),
            _ => "│".to_owned(),
        };
        let cells: String = columns.iter().map(|&column| cell(column, row, top)).collect();
        writeln!(out, "{label:>MARGIN$}{}", cells.trim_end())?;
    }
    if named.timed {
        let begin = named.series.time(named.series.len() - loads.len());
        let (from, to) = (minute(begin.as_second()), minute(forecast.end().as_second()));
        let between = columns.len().saturating_sub(from.len());
        writeln!(out, "{:MARGIN$}{from} {to:>between$}", "")?;
    }
    writeln!(out, "{:MARGIN$}█ load   ▒ forecast, up to the median   ░ up to the 95 % quantile\n", "")
}

/// The newest loads, twice as many as there are steps ahead, and median and 95 % quantile of those.
fn places(named: &Named, forecast: &Forecast) -> (Vec<Option<f64>>, Vec<(f64, f64)>) {
    let series = &named.series;
    let ahead = forecast.horizons().len();
    let first = series.len().saturating_sub(ahead.saturating_mul(2).max(24));
    let loads = (first..series.len()).map(|index| series.load(index).map(series::Load::get)).collect();
    let quantile = |time, level: f64| Some(forecast.quantile(time, Quantile::new(level).ok()?)?.get());
    let times = (1_i64..).map(|ahead| series.step().shift(forecast.origin(), ahead)).take(ahead);
    let quantiles = times.filter_map(|time| Some((quantile(time, 0.5)?, quantile(time, 0.95)?))).collect();
    (loads, quantiles)
}

fn load(places: &[Option<f64>]) -> Column {
    places.iter().copied().flatten().reduce(f64::max).map_or(Column::Unknown, Column::Load)
}

fn ahead(places: &[(f64, f64)]) -> Column {
    let greatest = |(median, high): (f64, f64), &(other, higher): &(f64, f64)| (median.max(other), high.max(higher));
    let (median, high) = places.iter().fold((f64::MIN, f64::MIN), greatest);
    Column::Ahead { median, high }
}

fn cell(column: Column, row: usize, top: f64) -> char {
    // shades have no eighths
    let covers = |amount: f64| eighths(amount, top) >= row * 8 + 4;
    match column {
        Column::Load(load) => EIGHTHS[eighths(load, top).saturating_sub(row * 8).min(8)],
        Column::Ahead { median, .. } if covers(median) => '▒',
        Column::Ahead { high, .. } if covers(high) => '░',
        Column::Ahead { .. } | Column::Unknown => ' ',
    }
}

fn eighths(amount: f64, top: f64) -> usize {
    let share = if top > 0.0 { (amount / top).clamp(0.0, 1.0) } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the eighths of a chart")]
    let eighths = (share * (ROWS * 8) as f64).round() as usize;
    eighths
}

/// A load in at most eight characters.
fn short(amount: f64) -> String {
    if amount >= 1e6 {
        format!("{amount:.1e}")
    } else if amount >= 100.0 {
        format!("{amount:.0}")
    } else {
        format!("{amount:.1}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use series::{Horizon, Load, ModelName, Sample, Series, Step, Timestamp};

    use super::*;

    /// A day and a half that rises from midnight to midnight, a gap, and half a day ahead.
    fn drawn(width: usize, unit: f64) -> String {
        let step = Step::from_seconds(3600).unwrap();
        let load = |hour: u32| match hour {
            10..14 => Sample::Gap(series::GapReason::NoSample),
            hour => Sample::Value(Load::new(unit * f64::from(hour % 24)).unwrap()),
        };
        let series = Series::from_samples(Timestamp::UNIX_EPOCH, step, (0..36).map(load)).unwrap();
        let levels = [0.05, 0.5, 0.95].map(|level| Quantile::new(level).unwrap()).to_vec();
        let horizon = |ahead: u32| Horizon {
            ahead: step.duration() * ahead,
            quantiles: [0.5, 1.0, 2.0].map(|part| Load::new(unit * part * f64::from(ahead)).unwrap()).to_vec(),
        };
        let origin = step.shift(Timestamp::UNIX_EPOCH, 35);
        let forecast = Forecast::new(origin, ModelName::Ridge, levels, (1..=12).map(horizon).collect()).unwrap();
        assert_eq!(forecast.end(), origin + Duration::from_hours(12));
        let mut out = Vec::new();
        draw(&mut out, &Named { id: "checkout".to_owned(), series, timed: true }, &forecast, width).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn loads_stand_in_columns_and_the_forecast_in_shades_behind_them() {
        insta::assert_snapshot!(drawn(60, 1.0));
    }

    #[test]
    fn a_narrow_terminal_gets_the_greatest_of_several_steps_in_a_column() {
        let text = drawn(30, 1e9);
        let (wide, narrow) = (drawn(60, 1e9), text.lines().map(|line| line.chars().count()).max());
        assert!(wide.contains("2.4e10 ┤") && text.contains("2.4e10 ┤"), "{text}");
        assert!(narrow < wide.lines().map(|line| line.chars().count()).max().map(|most| most + 1), "{text}");
        assert_eq!(text.lines().nth(8).map(|row| row.chars().count()), Some(MARGIN + 18), "{text}");
    }

    #[test]
    fn nothing_at_all_is_an_empty_chart() {
        assert!(drawn(60, 0.0).contains("      0.0 ┤"));
    }
}
