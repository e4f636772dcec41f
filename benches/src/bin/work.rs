//! One piece of the engine's work, so many times: what callgrind counts for `benches/instructions`.
#![expect(clippy::print_stdout, reason = "a result that is printed is not optimized away")]

use std::time::Duration;

use benches::{engine, made_load};
use clap::{Parser, ValueEnum};

/// One piece of the engine's work on a made load by the minute, so many times.
///
/// The counts of two runs with different --times differ by that work alone.
#[derive(Debug, Parser)]
struct Arguments {
    /// The work
    #[arg(long)]
    work: Work,

    /// How often
    #[arg(long, default_value_t = 1)]
    times: u32,

    /// Days of history
    #[arg(long, default_value_t = 14)]
    days: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Work {
    Fit,
    Forecast,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (history, settings) = (made_load(arguments.days), engine::settings(Duration::from_mins(5)));
    let fitted = forecasting::fit(&history, &settings)?;
    let mut horizons = 0;
    for _ in 0..arguments.times {
        horizons += match arguments.work {
            Work::Fit => forecasting::fit(&history, &settings)?.verdict().scores.len(),
            Work::Forecast => fitted.forecast(&history)?.horizons().len(),
        };
    }
    println!("{horizons}");
    Ok(())
}
