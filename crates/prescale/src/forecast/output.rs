//! The forecasts as CSV: one row per series and step ahead.

use std::io::Write;

use series::{Forecast, Quantile};

use super::input::Named;

/// The names of the columns.
pub(super) fn header(out: &mut impl Write, levels: &[Quantile]) -> std::io::Result<()> {
    write!(out, "unique_id,h,timestamp")?;
    for level in levels {
        write!(out, ",q{level}")?;
    }
    writeln!(out)
}

/// The forecast of one series. Series without times have none here.
pub(super) fn rows(
    out: &mut impl Write,
    named: &Named,
    forecast: &Forecast,
    levels: &[Quantile],
) -> std::io::Result<()> {
    let step = named.series.step();
    for (place, horizon) in forecast.horizons().iter().enumerate() {
        let ahead = place + 1;
        write!(out, "{},{ahead},", quoted(&named.id))?;
        let time = step.shift(forecast.origin(), i64::try_from(ahead).unwrap_or(i64::MAX));
        if named.timed {
            write!(out, "{time}")?;
        }
        debug_assert_eq!(horizon.ahead, step.duration() * u32::try_from(ahead).unwrap_or(u32::MAX));
        for &level in levels {
            match forecast.quantile(time, level) {
                Some(load) => write!(out, ",{}", rounded(load.get()))?,
                None => write!(out, ",")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Seven digits: more than any forecast knows.
fn rounded(amount: f64) -> f64 {
    format!("{amount:.6e}").parse().unwrap_or(amount)
}

fn quoted(id: &str) -> String {
    if id.contains([',', '"']) { format!("\"{}\"", id.replace('"', "\"\"")) } else { id.to_owned() }
}
