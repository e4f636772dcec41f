//! `--plot FILE.svg` or `FILE.png`: the end of each series and its forecast, as a picture.
//!
//! Here is what is drawn, and where; `svg` writes it as text that any browser shows, `png` as pixels.

mod png;
mod svg;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use series::{Forecast, Quantile, Series, Step};

use crate::input::Named;

/// More series than this are a wall and no picture; those that come first are drawn.
pub(super) const MOST_SERIES: usize = 24;

const WIDTH: f32 = 960.0;
const HEIGHT: f32 = 190.0;
const LEFT: f32 = 64.0;
const RIGHT: f32 = 16.0;
const TOP: f32 = 28.0;
const BOTTOM: f32 = 22.0;

/// The levels of the two bands, wide one first.
const BANDS: [(f64, f64); 2] = [(0.05, 0.95), (0.25, 0.75)];

/// Where the picture goes, by how its name ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plot {
    Svg(PathBuf),
    Png(PathBuf),
}

impl Plot {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let file = PathBuf::from(text);
        let ending = file.extension().map(OsStr::to_ascii_lowercase);
        match ending.as_deref().and_then(OsStr::to_str) {
            Some("svg") => Ok(Self::Svg(file)),
            Some("png") => Ok(Self::Png(file)),
            _ => Err("write a file that ends in .svg or .png".to_owned()),
        }
    }

    /// Draws the forecasts into the file.
    pub(super) fn write(&self, forecasts: &[(&Named, Forecast)]) -> std::io::Result<()> {
        let picture = picture(forecasts);
        let (file, bytes): (&Path, _) = match self {
            Self::Svg(file) => (file, Ok(svg::text(&picture).into_bytes())),
            Self::Png(file) => (file, png::bytes(&picture)),
        };
        let written = bytes.and_then(|bytes| std::fs::write(file, bytes));
        written.map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", file.display())))
    }
}

/// Marks on white, the first ones below the later ones. Sizes are in pixels of a screen.
#[derive(Debug)]
struct Picture {
    width: f32,
    height: f32,
    marks: Vec<Mark>,
}

#[derive(Debug)]
enum Mark {
    /// A line through these points.
    Line { points: Vec<Point>, color: Color, width: f32 },
    /// What these points enclose, with the color let through by so much.
    Area { outline: Vec<Point>, color: Color, opacity: f32 },
    /// Words whose baseline begins or ends there.
    Text { text: String, at: Point, anchor: Anchor, color: Color, is_bold: bool },
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    x: f32,
    y: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Start,
    End,
}

/// Red, green, blue.
type Color = [u8; 3];

const LOAD: Color = [0x17, 0x21, 0x2b];
const FORECAST: Color = [0x1f, 0x5f, 0xc4];
const LABEL: Color = [0x57, 0x63, 0x6f];
const BASE: Color = [0xd5, 0xdb, 0xe2];

/// One panel per series, the first [`MOST_SERIES`] of them.
fn picture(forecasts: &[(&Named, Forecast)]) -> Picture {
    let shown = &forecasts[..forecasts.len().min(MOST_SERIES)];
    let mut marks = Vec::new();
    let mut top = 0.0;
    for (named, forecast) in shown {
        panel(&mut marks, named, forecast, top);
        top += HEIGHT;
    }
    Picture { width: WIDTH, height: top.max(HEIGHT), marks }
}

/// Where times and loads lie in one panel.
struct Scale {
    begin: i64,
    end: i64,
    low: f64,
    high: f64,
    top: f32,
}

impl Scale {
    #[expect(clippy::cast_possible_truncation, reason = "shares of a panel, to less than a pixel")]
    fn point(&self, (second, amount): (i64, f64)) -> Point {
        let right = (second - self.begin) as f64 / (self.end - self.begin).max(1) as f64;
        let up = (amount - self.low) / (self.high - self.low).max(f64::MIN_POSITIVE);
        Point {
            x: LEFT + right as f32 * (WIDTH - LEFT - RIGHT),
            y: self.top + TOP + (1.0 - up as f32) * (HEIGHT - TOP - BOTTOM),
        }
    }
}

fn panel(marks: &mut Vec<Mark>, named: &Named, forecast: &Forecast, top: f32) {
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

    let label = |text: String, (x, y): (f32, f32), anchor: Anchor| Mark::Text {
        text,
        at: Point { x, y },
        anchor,
        color: LABEL,
        is_bold: false,
    };
    let name = Point { x: LEFT, y: top + 17.0 };
    marks.push(Mark::Text { text: named.id.clone(), at: name, anchor: Anchor::Start, color: LOAD, is_bold: true });
    let base = [begin, scale.end].map(|second| scale.point((second, 0.0))).to_vec();
    marks.push(Mark::Line { points: base, color: BASE, width: 1.0 });
    for amount in [low, high] {
        marks.push(label(short(amount), (LEFT - 8.0, scale.point((begin, amount)).y + 4.0), Anchor::End));
    }
    let points = |of: &[(i64, f64)]| of.iter().map(|&place| scale.point(place)).collect::<Vec<_>>();
    for (lower, upper) in &bands {
        let mut outline = points(upper);
        outline.extend(points(lower).into_iter().rev());
        marks.push(Mark::Area { outline, color: FORECAST, opacity: 0.16 });
    }
    for (line, color) in [(&known, LOAD), (&median, FORECAST)] {
        marks.push(Mark::Line { points: points(line), color, width: 1.6 });
    }
    if named.timed {
        for (second, anchor, x) in [(begin, Anchor::Start, LEFT), (scale.end, Anchor::End, WIDTH - RIGHT)] {
            marks.push(label(super::minute(second), (x, top + HEIGHT - 6.0), anchor));
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
        let picture = svg::text(&picture(&[(&named("a <b> & c"), forecast())]));
        assert!(picture.contains(">a &lt;b&gt; &amp; c</text>"), "{picture}");
        assert_eq!(picture.matches("fill-opacity").count(), 2);
        assert_eq!(picture.matches("stroke-width=\"1.6\"").count(), 2);
        assert!(picture.contains("1970-01-01 01:51</text>"), "{picture}");
        assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
    }

    #[test]
    fn of_many_series_the_first_are_drawn_and_of_none_an_empty_picture() {
        let one = named("one");
        let many: Vec<_> = (0..40).map(|_| (&one, forecast())).collect();
        assert_eq!(svg::text(&picture(&many)).matches(">one</text>").count(), MOST_SERIES);
        assert!(svg::text(&picture(&[])).ends_with("</svg>\n") && png::bytes(&picture(&[])).is_ok());
    }

    #[test]
    fn pixels_show_the_same_as_text() {
        let bytes = png::bytes(&picture(&[(&named("load"), forecast())])).unwrap();
        let pixels = tiny_skia::Pixmap::decode_png(&bytes).unwrap();
        // rounded in one way or the other
        let is_close = |(part, wanted): (u8, u8)| part.abs_diff(wanted) <= 1;
        let painted = |color: Color| {
            let parts = |pixel: &tiny_skia::PremultipliedColorU8| [pixel.red(), pixel.green(), pixel.blue()];
            pixels.pixels().iter().filter(|pixel| parts(pixel).into_iter().zip(color).all(is_close)).count()
        };
        let scale = 2.0;
        assert_eq!((pixels.width() as f32, pixels.height() as f32), (scale * WIDTH, scale * HEIGHT));
        assert!(painted(LOAD) > 500 && painted(FORECAST) > 200, "{} {}", painted(LOAD), painted(FORECAST));
        // where the wide band is alone
        let band = FORECAST.map(|part| u8::try_from(255 - (255 - u32::from(part)) * 16 / 100).unwrap());
        assert!(painted(band) > 1000, "{}", painted(band));
        assert!(painted(LABEL) > 50, "{}", painted(LABEL));
    }

    #[test]
    fn the_end_of_the_name_says_what_is_written() {
        assert_eq!(Plot::parse("a.svg"), Ok(Plot::Svg("a.svg".into())));
        assert_eq!(Plot::parse("b/a.PNG"), Ok(Plot::Png("b/a.PNG".into())));
        for text in ["a.jpg", "a", "svg", ""] {
            assert!(Plot::parse(text).is_err(), "{text}");
        }
    }
}
