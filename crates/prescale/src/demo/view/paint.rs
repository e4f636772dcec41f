//! [`Line`]: text with a meaning per character, which becomes colors where the terminal has them.

/// What a character means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Paint {
    /// Text.
    #[default]
    Plain,
    /// Headings.
    Strong,
    /// What is less important, or not there yet.
    Faint,
    /// The load.
    Demand,
    /// Ready pods.
    Pods,
    /// Too few pods.
    Short,
}

impl Paint {
    /// ECMA-48 "select graphic rendition", in the 16 colors that every theme of a terminal defines.
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "\x1b[0m",
            Self::Strong => "\x1b[0;1m",
            Self::Faint => "\x1b[0;2m",
            Self::Demand => "\x1b[0;36m",
            Self::Pods => "\x1b[0;32m",
            Self::Short => "\x1b[0;31m",
        }
    }
}

/// One line of the screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line(Vec<(char, Paint)>);

impl Line {
    pub(super) fn push(&mut self, character: char, paint: Paint) {
        self.0.push((character, paint));
    }

    #[must_use]
    pub(super) fn with(mut self, text: &str, paint: Paint) -> Self {
        self.0.extend(text.chars().map(|character| (character, paint)));
        self
    }

    /// Fills up to `width` with blanks.
    #[must_use]
    pub(super) fn padded(mut self, width: usize) -> Self {
        self.0.resize(width.max(self.0.len()), (' ', Paint::Plain));
        self
    }

    /// The first `width` characters, in colors or not. Every character here is one column wide.
    pub(super) fn to_text(&self, width: usize, colors: bool) -> String {
        let mut text = String::new();
        let mut last = Paint::Plain;
        for &(character, paint) in self.0.iter().take(width) {
            if colors && paint != last {
                text.push_str(paint.code());
                last = paint;
            }
            text.push(character);
        }
        if last != Paint::Plain {
            text.push_str(Paint::Plain.code());
        }
        text.truncate(text.trim_end_matches(' ').len());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_change_only_where_the_meaning_does_and_never_leak() {
        let line = Line::default().with("ab", Paint::Short).with("c", Paint::Plain).with("d", Paint::Pods);
        assert_eq!(line.to_text(9, true), "\x1b[0;31mab\x1b[0mc\x1b[0;32md\x1b[0m");
        assert_eq!(line.to_text(9, false), "abcd");
        assert_eq!(line.to_text(1, true), "\x1b[0;31ma\x1b[0m");
    }

    #[test]
    fn padding_never_cuts() {
        assert_eq!(
            Line::default().with("abc", Paint::Plain).padded(2).with("d", Paint::Plain).to_text(9, false),
            "abcd"
        );
        assert_eq!(Line::default().padded(2).with("d", Paint::Plain).to_text(9, false), "  d");
    }
}
