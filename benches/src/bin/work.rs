//! One piece of the engine's work, so many times: what callgrind counts for `benches/instructions`.
#![expect(clippy::print_stdout, reason = "a result that is printed is not optimized away")]

use std::time::Duration;

use anyhow::Context;
use benches::engine::{self, Engine};
use benches::made_load;
use clap::{Parser, ValueEnum};

/// What the target asks for.
const LEAD_TIME: Duration = Duration::from_mins(5);

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
    /// Taking notice of one sample more between two fits
    Update,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (history, settings) = (made_load(arguments.days), engine::settings(LEAD_TIME));
    let fitted = forecasting::fit(&history, &settings)?;
    let mut engine = Engine::new(LEAD_TIME);
    let newest = history.end().context("a made load has samples")?;
    engine.refresh(&history.until(history.step().shift(newest, -1)));
    let mut results = 0;
    for _ in 0..arguments.times {
        results += match arguments.work {
            Work::Fit => forecasting::fit(&history, &settings)?.verdict().scores.len(),
            Work::Forecast => fitted.forecast(&history)?.horizons().len(),
            Work::Update => {
                let mut engine = engine.clone();
                engine.refresh(&history);
                usize::try_from(engine.fits)?
            }
        };
    }
    println!("{results}");
    Ok(())
}
