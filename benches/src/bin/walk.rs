//! Walks through load traces as the service would, and writes every method's quantiles as CSV.
#![expect(clippy::print_stderr, reason = "progress goes to stderr")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use benches::rows;
use benches::trace::{read_all, read_sample};
use benches::walk::{Method, walk};
use clap::Parser;

/// Walks through load traces as the service would, and writes every method's quantiles as CSV.
///
/// Columns: trace, origin (seconds), minutes ahead, method, the deciles and the .99 quantile, milliseconds. Origins begin after day 3; a method is given at most the 14 days before
/// its origin. Without --sample, origins are --stride-minutes apart: a stride coprime to 30 comes to every minute of the half hour.
#[derive(Debug, Parser)]
struct Arguments {
    /// Directory with MANIFEST.csv and the traces
    #[arg(long, env = "PRESCALE_TRACES")]
    traces: PathBuf,

    /// Which methods walk
    #[arg(long, value_delimiter = ',', required = true)]
    methods: Vec<Method>,

    /// Minutes between two origins
    #[arg(long, default_value_t = 7)]
    stride_minutes: u64,

    /// CSV of trace,origin: these origins alone
    #[arg(long)]
    sample: Option<PathBuf>,

    /// How many origins of the sample, per trace
    #[arg(long, default_value_t = usize::MAX)]
    first: usize,

    /// Only traces whose name begins so
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,

    /// Lead time of the target
    #[arg(long, default_value_t = 5)]
    lead_minutes: u64,

    /// Where the rows go
    #[arg(long)]
    output: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut traces = read_all(&arguments.traces)?;
    traces.retain(|trace| arguments.only.is_empty() || arguments.only.iter().any(|name| trace.name.starts_with(name)));
    let sample = arguments.sample.as_deref().map(|path| read_sample(path, &traces, arguments.first)).transpose()?;
    let file = File::create(&arguments.output).with_context(|| arguments.output.display().to_string())?;
    let mut output = BufWriter::new(file);
    rows::write_header(&mut output)?;
    let lead_time = Duration::from_mins(arguments.lead_minutes);
    for method in arguments.methods {
        for (place, trace) in traces.iter().enumerate() {
            let step = trace.series.step();
            let stride = step.count_in(Duration::from_mins(arguments.stride_minutes)).max(1);
            let is_origin = |index: usize| match &sample {
                Some(origins) => origins[place].contains(&index),
                None => (index - trace.first_origin()).is_multiple_of(stride),
            };
            let account = walk(trace, method, lead_time, is_origin, &mut output)?;
            eprintln!("{method:?} {}: {account:?}", trace.name);
        }
    }
    output.flush()?;
    Ok(())
}
