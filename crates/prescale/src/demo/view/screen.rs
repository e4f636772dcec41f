//! [`Screen`]: draws a picture in place, below what the terminal already shows.

use std::io::{self, Stdout, Write};

use crossterm::cursor::{Hide, MoveToColumn, MoveUp, Show};
use crossterm::terminal::{self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use crossterm::{execute, queue};

use super::paint::Line;

/// A picture on a terminal that is overwritten line by line, so that nothing flickers. The cursor is hidden while it
/// lives and comes back when it is dropped, below the last picture.
#[derive(Debug)]
pub(super) struct Screen {
    out: Stdout,
    colors: bool,
    /// Lines of the picture that is shown, and the width it was drawn for.
    drawn: (usize, usize),
}

impl Screen {
    pub(super) fn open(colors: bool) -> io::Result<Self> {
        let mut out = io::stdout();
        execute!(out, Hide)?;
        Ok(Self { out, colors, drawn: (0, 0) })
    }

    /// Columns and rows of the terminal.
    pub(super) fn size() -> Option<(usize, usize)> {
        let (columns, rows) = terminal::size().ok()?;
        Some((usize::from(columns), usize::from(rows)))
    }

    /// Shows `lines` where the last picture was.
    pub(super) fn draw(&mut self, lines: &[Line], width: usize) -> io::Result<()> {
        let (drawn, drawn_for) = self.drawn;
        queue!(self.out, BeginSynchronizedUpdate, MoveToColumn(0))?;
        if drawn > 0 {
            queue!(self.out, MoveUp(u16::try_from(drawn).unwrap_or(u16::MAX)))?;
        }
        if drawn_for != width || drawn > lines.len() {
            // lines that were wrapped, or that no new one covers
            queue!(self.out, Clear(ClearType::FromCursorDown))?;
        }
        for line in lines {
            // in the last column some terminals would clear what was just written
            write!(self.out, "{}", line.to_text(width.saturating_sub(1), self.colors))?;
            queue!(self.out, Clear(ClearType::UntilNewLine))?;
            self.out.write_all(b"\r\n")?;
        }
        queue!(self.out, EndSynchronizedUpdate)?;
        self.out.flush()?;
        self.drawn = (lines.len(), width);
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // nobody is left to tell where this fails
        let _ = execute!(self.out, Show);
    }
}
