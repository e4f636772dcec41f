//! `--plot FILE.svg`: the end of each series and its forecast, as a picture that any browser shows.

use std::fmt::Write as _;

use series::{Forecast, Quantile, Series, Step};

use crate::input::Named;

/// More series than this are a wall and no picture; those that come first are drawn.
pub(super) const MOST_SERIES: usize = 24;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 22.0;

/// The levels of the two bands, wide one first.
const BANDS: [(f64, f64); 2] = [(0.05, 0.95), (0.25, 0.75)];

/// One panel per series, the first [`MOST_SERIES`] of them.
pub(super) fn svg(forecasts: &[(&Named, Forecast)]) -> String {
    let shown = &forecasts[..forecasts.len().min(MOST_SERIES)];
    let height = HEIGHT * shown.len().max(1) as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (place, (named, forecast)) in shown.iter().enumerate() {
        panel(&mut out, named, forecast, place as f64 * HEIGHT);
    }
    out.push_str("</svg>\n");
    out
}

/// Where times and loads lie in one panel.
struct Scale {
    begin: i64,
    end: i64,
    low: f64,
    high: f64,
    top: f64,
}

impl Scale {
    fn point(&self, second: i64, amount: f64) -> String {
        let x = LEFT + (second - self.begin) as f64 / (self.end - self.begin).max(1) as f64 * (WIDTH - LEFT - RIGHT);
        format!("{x:.1} {:.1}", self.y(amount))
    }

    fn y(&self, amount: f64) -> f64 {
        let share = (amount - self.low) / (self.high - self.low).max(f64::MIN_POSITIVE);
        self.top + TOP + (1.0 - share) * (HEIGHT - TOP - BOTTOM)
    }
}

fn panel(out: &mut String, named: &Named, forecast: &Forecast, top: f64) {
    let series = &named.series;
    // twice as much of the past as of what is to come
    let known = recent(series, forecast.horizons().len().saturating_mul(2).max(24));
    let quantiles = |level: f64| ahead(forecast, series.step(), level);
    let bands = BANDS.map(|(low, high)| (quantiles(low), quantiles(high)));
    let median = quantiles(0.5);
    let amounts = || known.iter().chain(&bands[0].0).chain(&bands[0].1).map(|(_, amount)| *amount);
    let (low, high) = (amounts().fold(0.0, f64::min), amounts().fold(f64::MIN_POSITIVE, f64::max));
    let begin = known.first().map_or(forecast.origin().as_second(), |(second, _)| *second);
    let scale = Scale { begin, end: forecast.end().as_second(), low, high, top };

    let base = scale.y(0.0);
    let mut write = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    write(format!("<text x=\"{LEFT}\" y=\"{}\" font-weight=\"600\">{}</text>", top + 17.0, escaped(&named.id)));
    write(format!(
        "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{base:.1}\" y2=\"{base:.1}\" stroke=\"#d5dbe2\"/>",
        WIDTH - RIGHT
    ));
    for amount in [low, high] {
        let y = scale.y(amount) + 4.0;
        write(format!(
            "<text x=\"{}\" y=\"{y:.1}\" text-anchor=\"end\" fill=\"#57636f\">{}</text>",
            LEFT - 8.0,
            short(amount)
        ));
    }
    for (lower, upper) in &bands {
        let back = lower.iter().rev();
        let outline: Vec<_> = upper.iter().chain(back).map(|(second, amount)| scale.point(*second, *amount)).collect();
        write(format!("<path d=\"M{}Z\" fill=\"#1f5fc4\" fill-opacity=\"0.16\"/>", outline.join("L")));
    }
    for (points, color) in [(&known, "#17212b"), (&median, "#1f5fc4")] {
        let line: Vec<_> = points.iter().map(|(second, amount)| scale.point(*second, *amount)).collect();
        if !line.is_empty() {
            write(format!("<path d=\"M{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.6\"/>", line.join("L")));
        }
    }
    if named.timed {
        for (second, anchor, x) in [(begin, "start", LEFT), (scale.end, "end", WIDTH - RIGHT)] {
            let time =
                series::Timestamp::from_second(second).unwrap_or_default().strftime("%Y-%m-%d %H:%M").to_string();
            let y = top + HEIGHT - 6.0;
            write(format!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"#57636f\">{time}</text>"));
        }
    }
}

/// The newest known loads, at most `most` grid times back.
fn recent(series: &Series, most: usize) -> Vec<(i64, f64)> {
    let first = series.len().saturating_sub(most);
    (first..series.len())
        .filter_map(|index| Some((series.time(index).as_second(), series.load(index)?.get())))
        .collect()
}

fn ahead(forecast: &Forecast, step: Step, level: f64) -> Vec<(i64, f64)> {
    let Ok(level) = Quantile::new(level) else { return Vec::new() };
    let times = (1_i64..).map(|ahead| step.shift(forecast.origin(), ahead)).take(forecast.horizons().len());
    times.filter_map(|time| Some((time.as_second(), forecast.quantile(time, level)?.get()))).collect()
}

fn short(amount: f64) -> String {
    if amount.abs() >= 100.0 { format!("{amount:.0}") } else { format!("{amount:.1}") }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            other if other.is_control() => {}
            other => {
                // writing into a string cannot fail
                let _ = write!(safe, "{other}");
            }
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use series::{Horizon, Load, ModelName, Sample, Timestamp};

    use super::*;

    fn named(id: &str) -> Named {
        let load = |index: u32| Sample::Value(Load::new(f64::from(index % 24)).unwrap());
        let series = Series::from_samples(Timestamp::UNIX_EPOCH, Step::MINUTE, (0..100).map(load)).unwrap();
        Named { id: id.to_owned(), series, timed: true }
    }

    fn forecast() -> Forecast {
        let levels = [0.05, 0.5, 0.95].map(|level| Quantile::new(level).unwrap()).to_vec();
        let horizon = |ahead: u64| Horizon {
            ahead: Duration::from_secs(60 * ahead),
            quantiles: [5.0, 10.0, 40.0].map(|amount| Load::new(amount).unwrap()).to_vec(),
        };
        let origin = Step::MINUTE.shift(Timestamp::UNIX_EPOCH, 99);
        Forecast::new(origin, ModelName::Persistence, levels, (1..=12).map(horizon).collect()).unwrap()
    }

    #[test]
    fn a_series_has_a_panel_with_its_name_its_past_and_its_bands() {
        let picture = svg(&[(&named("a <b> & c"), forecast())]);
        assert!(picture.contains(">a &lt;b&gt; &amp; c</text>"), "{picture}");
        assert_eq!(picture.matches("fill-opacity").count(), 2);
        assert_eq!(picture.matches("stroke-width").count(), 2);
        assert!(picture.contains("1970-01-01 01:51</text>"), "{picture}");
        assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
    }

    #[test]
    fn of_many_series_the_first_are_drawn_and_of_none_an_empty_picture() {
        let one = named("one");
        let many: Vec<_> = (0..40).map(|_| (&one, forecast())).collect();
        assert_eq!(svg(&many).matches(">one</text>").count(), MOST_SERIES);
        assert!(svg(&[]).ends_with("</svg>\n"));
    }
}
