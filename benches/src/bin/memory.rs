//! How many bytes one target holds: its history, its fitted model, and what a fit takes meanwhile.
#![expect(clippy::print_stdout, reason = "the figures go to stdout")]

use std::alloc::System;

use benches::made_load;
use cap::Cap;
use clap::Parser;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// How many bytes one target holds, of a made load by the minute.
#[derive(Debug, Parser)]
struct Arguments {
    /// Days of history
    #[arg(long, default_value_t = 14)]
    days: u32,

    /// Lead time of the target
    #[arg(long, default_value_t = 5)]
    lead_minutes: u64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let settings = benches::engine::settings(std::time::Duration::from_mins(arguments.lead_minutes));
    let start = ALLOCATOR.allocated();
    // a copy is as large as its content
    let history = made_load(arguments.days).clone();
    let of_history = ALLOCATOR.allocated() - start;
    let fitted = forecasting::fit(&history, &settings)?;
    let of_both = ALLOCATOR.allocated() - start;
    let peak = ALLOCATOR.max_allocated() - start;
    let forecast = fitted.forecast(&history)?;
    let of_all = ALLOCATOR.allocated() - start;
    println!("history of {} days      {of_history:>12} bytes", arguments.days);
    println!("fitted model            {:>12} bytes", of_both - of_history);
    println!("forecast                {:>12} bytes, {} horizons", of_all - of_both, forecast.horizons().len());
    println!("at most during the fit  {peak:>12} bytes");
    Ok(())
}
