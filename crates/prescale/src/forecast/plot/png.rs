//! A picture as PNG, with two pixels for each that a plain screen has. Letters come with the program: no font is looked for.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, RasterizedChar, get_raster, get_raster_width};
use tiny_skia::{FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, PixmapMut, Stroke, Transform};

use super::{Anchor, Color, Mark, Picture, Point};

const SCALE: f32 = 2.0;

/// Letters of a line of 16 pixels, twice as large.
const LETTERS: RasterHeight = RasterHeight::Size32;
/// From the top of a letter to its baseline.
const ASCENT: f32 = 25.0;
/// What stands for letters that are none of Latin.
const UNKNOWN: char = '?';

/// The picture as a file.
pub(super) fn bytes(picture: &Picture) -> std::io::Result<Vec<u8>> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand pixels")]
    let [width, height] = [picture.width, picture.height].map(|size| (SCALE * size).ceil() as u32);
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| std::io::Error::other("a picture without pixels"))?;
    pixels.fill(tiny_skia::Color::WHITE);
    for mark in &picture.marks {
        draw(&mut pixels.as_mut(), mark);
    }
    pixels.encode_png().map_err(std::io::Error::other)
}

fn draw(pixels: &mut PixmapMut<'_>, mark: &Mark) {
    let scaled = Transform::from_scale(SCALE, SCALE);
    match mark {
        Mark::Line { points, color, width } => {
            if let Some(path) = path(points, false) {
                let stroke =
                    Stroke { width: *width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
                pixels.stroke_path(&path, &paint(*color, 1.0), &stroke, scaled, None);
            }
        }
        Mark::Area { outline, color, opacity } => {
            if let Some(path) = path(outline, true) {
                pixels.fill_path(&path, &paint(*color, *opacity), FillRule::Winding, scaled, None);
            }
        }
        Mark::Text { text, at, anchor, color, is_bold } => {
            let weight = if *is_bold { FontWeight::Bold } else { FontWeight::Regular };
            write(pixels, text, *at, *anchor, *color, weight);
        }
    }
}

/// `None` where the points are too few for one.
fn path(points: &[Point], is_closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    let (first, further) = points.split_first()?;
    path.move_to(first.x, first.y);
    for point in further {
        path.line_to(point.x, point.y);
    }
    if is_closed {
        path.close();
    }
    path.finish()
}

fn paint([red, green, blue]: Color, opacity: f32) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, 255);
    paint.shader.apply_opacity(opacity);
    paint
}

/// Letter by letter, each as many pixels wide as all others.
fn write(pixels: &mut PixmapMut<'_>, text: &str, at: Point, anchor: Anchor, color: Color, weight: FontWeight) {
    let letters: Vec<char> = text.chars().filter(|letter| !letter.is_control()).collect();
    let each = get_raster_width(weight, LETTERS);
    #[expect(clippy::cast_possible_truncation, reason = "places in the picture")]
    let (mut left, top) = ((SCALE * at.x) as i64, (SCALE * at.y - ASCENT) as i64);
    if anchor == Anchor::End {
        left -= i64::try_from(letters.len() * each).unwrap_or(i64::MAX);
    }
    for letter in letters {
        let raster = get_raster(letter, weight, LETTERS).or_else(|| get_raster(UNKNOWN, weight, LETTERS));
        for (y, row) in (top..).zip(raster.iter().flat_map(RasterizedChar::rows)) {
            for (x, &covered) in (left..).zip(row.iter()) {
                blend(pixels, (x, y), color, covered);
            }
        }
        left += i64::try_from(each).unwrap_or(i64::MAX);
    }
}

/// Lets a pixel be of `color` by so many 255ths. All pixels are opaque.
fn blend(pixels: &mut PixmapMut<'_>, (x, y): (i64, i64), color: Color, covered: u8) {
    let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
    let (width, height) = (pixels.width(), pixels.height());
    if x >= width || y >= height || covered == 0 {
        return;
    }
    let place = 4 * (y as usize * width as usize + x as usize);
    for (part, wanted) in pixels.data_mut()[place..place + 3].iter_mut().zip(color) {
        let (before, wanted, covered) = (u32::from(*part), u32::from(wanted), u32::from(covered));
        *part = u8::try_from((before * (255 - covered) + wanted * covered + 127) / 255).unwrap_or(u8::MAX);
    }
}
