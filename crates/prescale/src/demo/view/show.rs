//! [`Show`]: the picture that moves, or plain lines where it cannot.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio::time::Instant;

use super::frame::{Frame, LEAST_WIDTH};
use super::plain;
use super::screen::Screen;

/// As often as the eye needs it; more would only be work for the terminal.
const BETWEEN_FRAMES: Duration = Duration::from_millis(50);

/// Where the day is shown.
#[derive(Debug)]
pub(in crate::demo) struct Show(Way);

#[derive(Debug)]
enum Way {
    /// A picture that is redrawn in place, and when it was drawn last.
    Picture { screen: Screen, drawn: Option<Instant> },
    /// One line an hour.
    Lines,
}

impl Show {
    /// A picture where standard output is a terminal that can show it, plain lines elsewhere.
    pub(in crate::demo) fn open() -> io::Result<Self> {
        let capable = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let wide_enough = || Screen::size().is_some_and(|(width, _)| width >= LEAST_WIDTH);
        if io::stdout().is_terminal() && capable && wide_enough() {
            Ok(Self(Way::Picture { screen: Screen::open(colors())?, drawn: None }))
        } else {
            writeln!(io::stdout(), "{}", plain::HEADING)?;
            Ok(Self(Way::Lines))
        }
    }

    /// Shows the moment, unless the last one was shown just before and this is not the `last`.
    pub(in crate::demo) fn show(&mut self, frame: &Frame<'_>, last: bool) -> io::Result<()> {
        match &mut self.0 {
            Way::Picture { screen, drawn } => {
                if !last && drawn.is_some_and(|at| at.elapsed() < BETWEEN_FRAMES) {
                    return Ok(());
                }
                *drawn = Some(Instant::now());
                let (width, rows) = Screen::size().unwrap_or((80, 24));
                screen.draw(&frame.lines(width, rows), width)
            }
            Way::Lines => match plain::line(frame) {
                Some(line) => writeln!(io::stdout(), "{line}"),
                None => Ok(()),
            },
        }
    }
}

/// Colors are for terminals whose user did not refuse them (no-color.org).
fn colors() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
