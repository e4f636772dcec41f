//! Columns of demand with the line of Ready pods through them, in block characters.

use std::cmp::Ordering;

use super::paint::{Line, Paint};
use crate::demo::record::Stretch;

/// One column of a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Column {
    /// What happened.
    Past(Stretch),
    /// The demand that is forecast, in pods.
    Ahead(f64),
    /// Nothing is known yet.
    Empty,
}

/// Block elements by eighths of a cell, from empty to full.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Blank cells left of the columns: three digits, a blank and the axis.
pub(super) const MARGIN: usize = 5;

/// `height` rows of columns, top first, and below them the strip that marks where pods were short. `top` is the pod
/// count at the upper edge.
pub(super) fn chart(columns: &[Column], height: usize, top: f64) -> Vec<Line> {
    let mut lines: Vec<_> = (0..height).rev().map(|row| line(columns, row, height, top)).collect();
    let mut strip = Line::default().with("short", Paint::Faint);
    for column in columns {
        match column {
            Column::Past(Stretch { short: true, .. }) => strip.push('▲', Paint::Short),
            Column::Past(_) => strip.push('·', Paint::Faint),
            Column::Ahead(_) | Column::Empty => strip.push(' ', Paint::Plain),
        }
    }
    lines.push(strip);
    lines
}

fn line(columns: &[Column], row: usize, height: usize, top: f64) -> Line {
    let label = if row + 1 == height {
        format!("{top:>3} ┤")
    } else if row == 0 {
        "  0 ┤".to_owned()
    } else {
        "    │".to_owned()
    };
    let mut line = Line::default().with(&label, Paint::Faint);
    for &column in columns {
        let (character, paint) = cell(column, row, height, top);
        line.push(character, paint);
    }
    line
}

fn cell(column: Column, row: usize, height: usize, top: f64) -> (char, Paint) {
    match column {
        Column::Empty => (' ', Paint::Plain),
        Column::Ahead(demand) => {
            // shades have no eighths
            let covered = eighths(demand, height, top) >= row * 8 + 4;
            (if covered { '░' } else { ' ' }, Paint::Faint)
        }
        Column::Past(Stretch { demand, ready, short }) => {
            let filled = eighths(demand, height, top).saturating_sub(row * 8).min(8);
            // the cell whose upper part the count of Ready pods ends in
            let line = eighths(f64::from(ready), height, top).saturating_sub(1) / 8;
            match row.cmp(&line) {
                Ordering::Equal if !short => ('━', Paint::Pods),
                Ordering::Greater if short => (EIGHTHS[filled], Paint::Short),
                _ => (EIGHTHS[filled], Paint::Demand),
            }
        }
    }
}

fn eighths(pods: f64, height: usize, top: f64) -> usize {
    let share = (pods / top).clamp(0.0, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a few hundred, not negative"
    )]
    let eighths = (share * (height * 8) as f64).round() as usize;
    eighths
}

/// The hours below a chart of `width` columns that share a day.
pub(super) fn hours(width: usize) -> Line {
    let every = if width >= 96 { 2 } else { 4 };
    let mut line = Line::default().padded(MARGIN);
    for hour in (0..24).step_by(every) {
        line = line.padded(MARGIN + hour * width / 24).with(&format!("{hour:02}h"), Paint::Faint);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(demand: f64, ready: u32) -> Column {
        Column::Past(Stretch { demand, ready, short: demand > f64::from(ready) })
    }

    #[test]
    fn demand_fills_the_pods_line_runs_above_and_a_shortage_is_marked() {
        let columns = [
            past(4.0, 8),
            past(5.5, 8),
            past(8.0, 8),
            past(12.0, 8),
            past(12.0, 16),
            Column::Ahead(8.0),
            Column::Empty,
        ];
        let text: Vec<_> = chart(&columns, 4, 16.0).iter().map(|line| line.to_text(80, false)).collect();
        assert_eq!(
            text,
            [
                " 16 ┤    ━", //
                "    │   ██",
                "    │━━━██░",
                "  0 ┤█████░",
                "short···▲·"
            ]
        );
    }

    #[test]
    fn demand_beyond_the_pods_is_painted_as_a_shortage() {
        assert_eq!(cell(past(12.0, 8), 2, 4, 16.0), ('█', Paint::Short));
        assert_eq!(cell(past(12.0, 8), 1, 4, 16.0), ('█', Paint::Demand));
        assert_eq!(cell(past(13.0, 8), 3, 4, 16.0), ('▂', Paint::Short));
    }
}
