//! Charts as SVG, made here: a frame with two axes, and marks in it. Sizes are in units of the view box; style sheets give the colors.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use series::Timestamp;

/// Width of every chart.
const WIDTH: f64 = 760.0;
/// Room for the labels of the axes.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;

/// One column of a chart for each unit of its width: more cannot be seen.
pub(super) const COLUMNS: usize = 684;

/// From and to, in the unit of an axis.
pub(super) type Range = (f64, f64);

/// What lies in one column: where, the lowest, and the highest.
pub(super) type Column = (f64, f64, f64);

/// A chart that is being drawn.
#[derive(Debug)]
pub(super) struct Chart {
    height: f64,
    x: Range,
    y: Range,
    is_log_x: bool,
    marks: String,
    axes: String,
}

impl Chart {
    /// An empty chart of that height, over these ranges.
    pub(super) fn new(height: f64, x: Range, y: Range) -> Self {
        Self { height, x, y, is_log_x: false, marks: String::new(), axes: String::new() }
    }

    /// The same with a logarithmic axis to the right.
    pub(super) fn log_x(mut self) -> Self {
        self.is_log_x = true;
        self
    }

    fn x(&self, at: f64) -> f64 {
        let share = if self.is_log_x {
            (at / self.x.0).ln() / (self.x.1 / self.x.0).ln()
        } else {
            (at - self.x.0) / (self.x.1 - self.x.0)
        };
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, at: f64) -> f64 {
        let share = (at - self.y.0) / (self.y.1 - self.y.0);
        self.height - BOTTOM - share.clamp(0.0, 1.0) * (self.height - TOP - BOTTOM)
    }

    /// Round numbers up the side.
    pub(super) fn y_axis(&mut self, label: impl Fn(f64) -> String) {
        self.y_axis_at(round_numbers(self.y, 5).into_iter().map(|at| (at, label(at))));
    }

    /// Labels up the side, where they are.
    pub(super) fn y_axis_at(&mut self, labels: impl IntoIterator<Item = (f64, String)>) {
        for (at, label) in labels {
            let y = self.y(at);
            let _ = write!(
                self.axes,
                r#"<line class="grid" x1="{LEFT}" x2="{}" y1="{y:.1}" y2="{y:.1}"/><text class="tick" x="{}" y="{:.1}" text-anchor="end">{}</text>"#,
                WIDTH - RIGHT,
                LEFT - 7.0,
                y + 4.0,
                escaped(&label),
            );
        }
    }

    /// Labels below, where they are.
    pub(super) fn x_axis(&mut self, labels: impl IntoIterator<Item = (f64, String)>) {
        let base = self.height - BOTTOM;
        for (at, label) in labels {
            let x = self.x(at);
            // a label in the corner must not be cut off
            let (beside, anchor) = if x > WIDTH - 40.0 { (WIDTH - 1.0, "end") } else { (x, "middle") };
            let _ = write!(
                self.axes,
                r#"<line class="tick-mark" x1="{x:.1}" x2="{x:.1}" y1="{base}" y2="{}"/><text class="tick" x="{beside:.1}" y="{}" text-anchor="{anchor}">{}</text>"#,
                base + 5.0,
                base + 23.0,
                escaped(&label),
            );
        }
        let _ = write!(self.axes, r#"<line class="axis" x1="{LEFT}" x2="{}" y1="{base}" y2="{base}"/>"#, WIDTH - RIGHT);
    }

    /// An area between the lowest and the highest of each column.
    pub(super) fn area(&mut self, class: &str, columns: &[Column]) {
        if columns.is_empty() {
            return;
        }
        let mut path = String::new();
        for (number, &(x, _, high)) in columns.iter().enumerate() {
            let _ = write!(path, "{}{:.1} {:.1}", if number == 0 { "M" } else { "L" }, self.x(x), self.y(high));
        }
        for &(x, low, _) in columns.iter().rev() {
            let _ = write!(path, "L{:.1} {:.1}", self.x(x), self.y(low));
        }
        let _ = write!(self.marks, r#"<path class="{class}" d="{path}Z"/>"#);
    }

    /// A line through the middle of each column where there is one value in it, and through its extremes where there are more.
    pub(super) fn line(&mut self, class: &str, columns: &[Column]) {
        let mut path = String::new();
        for (number, &(x, low, high)) in columns.iter().enumerate() {
            let x = self.x(x);
            let (low, high) = (self.y(low), self.y(high));
            let _ = write!(path, "{}{x:.1} {low:.1}", if number == 0 { "M" } else { "L" });
            if (high - low).abs() >= 0.1 {
                let _ = write!(path, "V{high:.1}");
            }
        }
        let _ = write!(self.marks, r#"<path class="{class}" d="{path}"/>"#);
    }

    /// Upright strokes at the foot of the chart: where something happened.
    pub(super) fn rug(&mut self, class: &str, places: impl IntoIterator<Item = f64>) {
        let base = self.height - BOTTOM;
        let mut path = String::new();
        for at in places {
            let _ = write!(path, "M{:.1} {}v-9", self.x(at), base - 1.0);
        }
        if !path.is_empty() {
            let _ = write!(self.marks, r#"<path class="{class}" d="{path}"/>"#);
        }
    }

    /// A dot, with what it is for who points at it.
    pub(super) fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64, title: &str) {
        let _ = write!(
            self.marks,
            r#"<circle class="{class}" cx="{:.1}" cy="{:.1}" r="{radius}"><title>{}</title></circle>"#,
            self.x(x),
            self.y(y),
            escaped(title)
        );
    }

    /// A few words beside a place.
    pub(super) fn text(&mut self, class: &str, (x, y): (f64, f64), offset: (f64, f64), anchor: &str, text: &str) {
        let _ = write!(
            self.marks,
            r#"<text class="{class}" x="{:.1}" y="{:.1}" text-anchor="{anchor}">{}</text>"#,
            self.x(x) + offset.0,
            self.y(y) + offset.1,
            escaped(text)
        );
    }

    /// The chart as an element. `title` is its name, `description` what it shows to who cannot see it.
    pub(super) fn finish(self, title: &str, description: &str) -> String {
        let Self { height, marks, axes, .. } = self;
        format!(
            r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}"><title>{}</title><desc>{}</desc>{axes}{marks}</svg>"#,
            escaped(title),
            escaped(title),
            escaped(description)
        )
    }
}

/// The `points` (rising in x) in [`COLUMNS`] columns over `x`: the lowest and the highest of each, so that no extreme is lost. Unknown ones
/// (NaN) are left out.
pub(super) fn columns(points: impl Iterator<Item = (f64, f64, f64)>, x: Range) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::with_capacity(COLUMNS);
    let mut newest = usize::MAX;
    for (at, low, high) in points.filter(|(_, low, high)| !low.is_nan() && !high.is_nan()) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the number of columns")]
        let column = ((at - x.0) / (x.1 - x.0) * COLUMNS as f64).clamp(0.0, COLUMNS as f64) as usize;
        match columns.last_mut() {
            Some((_, lowest, highest)) if column == newest => {
                (*lowest, *highest) = (lowest.min(low), highest.max(high));
            }
            _ => columns.push((at, low, high)),
        }
        newest = column;
    }
    columns
}

/// Round numbers in `range`, about so `many`.
pub(super) fn round_numbers((from, to): Range, many: u32) -> Vec<f64> {
    let rough = (to - from) / f64::from(many.max(1));
    if rough.is_nan() || rough <= 0.0 {
        return Vec::new();
    }
    let power = 10.0_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|one| one * power).find(|&step| step >= rough);
    let step = step.unwrap_or(10.0 * power);
    let first = (from / step - 1e-9).ceil();
    (0..100).map(|number| (first + f64::from(number)) * step).take_while(|&at| at <= to + step * 1e-9).collect()
}

/// Times worth a label between two, in seconds since the epoch, with their labels: midnights, or hours of a shorter time.
pub(super) fn time_labels((from, to): Range, timezone: &TimeZone) -> Vec<(f64, String)> {
    const HOURS: [i64; 11] = [1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 672];
    let span_hours = (to - from) / 3600.0;
    let step = HOURS.into_iter().find(|&hours| span_hours / hours as f64 <= 7.0).unwrap_or(24 * 60);
    #[expect(clippy::cast_possible_truncation, reason = "seconds since the epoch")]
    let Ok(begin) = Timestamp::from_second(from as i64) else { return Vec::new() };
    let Ok(mut at) = begin.to_zoned(timezone.clone()).start_of_day() else { return Vec::new() };
    let mut labels = Vec::new();
    while labels.len() < 20 && (at.timestamp().as_second() as f64) <= to {
        let seconds = at.timestamp().as_second() as f64;
        if seconds >= from {
            let form = if step >= 24 || at.hour() == 0 { "%b %-d" } else { "%H:%M" };
            labels.push((seconds, at.strftime(form).to_string()));
        }
        let span = if step >= 24 { jiff::Span::new().days(step / 24) } else { jiff::Span::new().hours(step) };
        let Ok(next) = at.checked_add(span) else { break };
        at = next;
    }
    labels
}

/// As text of an element or an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn thinning_keeps_the_lowest_and_the_highest(values in prop::collection::vec(-1e6_f64..1e6, 1..5000)) {
            let x = (0.0, values.len() as f64);
            let columns = columns(values.iter().enumerate().map(|(at, &value)| (at as f64, value, value)), x);
            prop_assert!(columns.len() <= COLUMNS + 1);
            let low = columns.iter().map(|column| column.1).fold(f64::MAX, f64::min);
            let high = columns.iter().map(|column| column.2).fold(f64::MIN, f64::max);
            prop_assert_eq!(low, values.iter().copied().fold(f64::MAX, f64::min));
            prop_assert_eq!(high, values.iter().copied().fold(f64::MIN, f64::max));
        }
    }

    #[test]
    fn labels_are_round_and_inside() {
        assert_eq!(round_numbers((0.0, 10.0), 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(round_numbers((0.93, 1.61), 3), [1.0, 1.25, 1.5]);
        assert!(round_numbers((1.0, 1.0), 5).is_empty() && round_numbers((f64::NAN, 1.0), 5).is_empty());
        let labels = time_labels((1_700_000_000.0, 1_700_000_000.0 + 2.0 * 86_400.0), &TimeZone::UTC);
        assert_eq!(labels[0], (1_700_006_400.0, "Nov 15".to_owned()));
        assert_eq!(labels[1].1, "12:00");
        let longer = time_labels((1_700_000_000.0, 1_700_000_000.0 + 28.0 * 86_400.0), &TimeZone::UTC);
        assert!(longer.len() <= 8 && longer.iter().all(|(_, label)| !label.contains(':')), "{longer:?}");
    }

    #[test]
    fn what_users_write_is_text_and_never_an_element() {
        assert_eq!(escaped(r#"<b a="x">&'"#), "&lt;b a=&quot;x&quot;&gt;&amp;&#39;");
    }
}
