//! Rows of the long CSV that all methods write: quantiles by trace, origin, horizon and method.

use std::io::{self, Write};

/// The levels of every row: the deciles, and the one that fleets are sized by.
pub const LEVELS: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99];

/// One load per level.
pub type Quantiles = [f64; LEVELS.len()];

/// What one method says of one time ahead of one origin.
#[derive(Debug)]
pub struct Row<'a> {
    /// Name of the trace.
    pub trace: &'a str,
    /// Seconds since the epoch, of the newest sample seen.
    pub origin: i64,
    /// How far ahead, in minutes; the time forecast is the first sample that far ahead or farther.
    pub minutes: u64,
    /// Name of the method.
    pub method: &'a str,
    /// Loads at [`LEVELS`], in the unit of the trace.
    pub quantiles: Quantiles,
    /// What one fit and one forecast of all horizons took, in milliseconds.
    pub milliseconds: f64,
}

/// Writes the names of the columns.
///
/// # Errors
/// Where `output` fails.
pub fn write_header(output: &mut impl Write) -> io::Result<()> {
    write!(output, "trace,origin,h_minutes,method")?;
    for level in LEVELS {
        write!(output, ",q{level}")?;
    }
    writeln!(output, ",ms")
}

impl Row<'_> {
    /// Writes the row; a load that never was negative will not be, so `floor` holds the quantiles up.
    ///
    /// # Errors
    /// Where `output` fails.
    pub fn write(&self, output: &mut impl Write, floor: f64) -> io::Result<()> {
        write!(output, "{},{},{},{}", self.trace, self.origin, self.minutes, self.method)?;
        for quantile in self.quantiles {
            write!(output, ",{:.7}", quantile.max(floor))?;
        }
        writeln!(output, ",{:.3}", self.milliseconds)
    }
}
