//! A picture as SVG.

use std::fmt::Write as _;

use super::{Anchor, Color, Mark, Picture, Point};

/// The picture as a document.
pub(super) fn text(picture: &Picture) -> String {
    let Picture { width, height, marks } = picture;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for mark in marks {
        // writing into a string cannot fail
        let _ = element(&mut out, mark);
    }
    out.push_str("</svg>\n");
    out
}

fn element(out: &mut String, mark: &Mark) -> std::fmt::Result {
    match mark {
        Mark::Line { points, .. } | Mark::Area { outline: points, .. } if points.is_empty() => Ok(()),
        Mark::Line { points, color, width } => {
            let (path, color) = (path(points), hexadecimal(*color));
            writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\"/>")
        }
        Mark::Area { outline, color, opacity } => {
            let (path, color) = (path(outline), hexadecimal(*color));
            writeln!(out, "<path d=\"{path}Z\" fill=\"{color}\" fill-opacity=\"{opacity}\"/>")
        }
        Mark::Text { text, at: Point { x, y }, anchor, color, is_bold } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::End => "end",
            };
            let weight = if *is_bold { " font-weight=\"600\"" } else { "" };
            let (color, text) = (hexadecimal(*color), escaped(text));
            writeln!(
                out,
                "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{color}\"{weight}>{text}</text>"
            )
        }
    }
}

fn path(points: &[Point]) -> String {
    let points: Vec<_> = points.iter().map(|Point { x, y }| format!("{x:.1} {y:.1}")).collect();
    format!("M{}", points.join("L"))
}

fn hexadecimal([red, green, blue]: Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            other if other.is_control() => {}
            other => safe.push(other),
        }
    }
    safe
}
