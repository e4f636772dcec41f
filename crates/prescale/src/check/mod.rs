//! `prescale check FILE…`: what the external triggers of ScaledObject manifests mean, and everything wrong with them, before
//! they reach a cluster.
//!
//! Reads files or standard input, and asks nobody unless it is given a Prometheus. It judges the metadata with the very parser
//! that the scaler runs, and adds what KEDA never tells a scaler: the fields beside the metadata.

mod advice;
mod manifest;
mod measured;
mod report;
mod sentences;
#[cfg(test)]
mod tests;
mod trigger;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::address::Address;
use measured::Prometheus;
use report::Tally;

/// What `prescale check` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// YAML files with ScaledObject manifests; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The scaler has a default Prometheus, so `serverAddress` may be left out
    #[arg(long)]
    server_default: bool,

    /// Ask this Prometheus whether each query gives one series, how much history there is, how regular it is, and what being ready
    /// a lead time ahead costs. It is asked in place of the servers that triggers name, and without the scaler's credentials
    #[arg(long, value_name = "URL", value_parser = Address)]
    prometheus: Option<series::ServerAddress>,
}

/// What triggers are judged by, beside their own words.
struct Judge {
    defaults: scaler::Defaults,
    prometheus: Option<Prometheus>,
}

/// Checks the files: exit code 0 where all external triggers are valid, 1 where there are mistakes, 2 where a file cannot
/// be read. The findings go to standard output, what cannot be read to standard error.
///
/// # Errors
/// Where the findings cannot be written, or the Prometheus cannot be asked at all.
pub(crate) fn run(args: CheckArgs) -> anyhow::Result<ExitCode> {
    let CheckArgs { files, server_default, prometheus } = args;
    let defaults = scaler::Defaults { has_default_server: server_default };
    let judge = Judge { defaults, prometheus: prometheus.map(Prometheus::at).transpose()? };
    let outcome =
        check(&files, &judge, &mut std::io::stdin(), &mut std::io::stdout().lock(), &mut std::io::stderr().lock())?;
    Ok(ExitCode::from(outcome.exit_code()))
}

/// How a check ended; the worst of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Valid,
    Mistakes,
    Unreadable,
}

impl Outcome {
    fn exit_code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Mistakes => 1,
            Self::Unreadable => 2,
        }
    }
}

/// Every file is checked, whatever is wrong with those before it.
fn check(
    files: &[PathBuf],
    judge: &Judge,
    stdin: &mut impl Read,
    stdout: &mut impl Write,
    stderr: &mut impl Write,
) -> std::io::Result<Outcome> {
    let mut outcome = Outcome::Valid;
    let mut tally = Tally::default();
    for path in files {
        let (name, text) = if path.as_os_str() == "-" {
            ("standard input".to_owned(), read_all(stdin))
        } else {
            (path.display().to_string(), std::fs::read_to_string(path))
        };
        match text.map_err(anyhow::Error::from).and_then(|text| manifest::documents(&text)) {
            Ok(documents) => tally.add(report::write(stdout, &name, &documents, judge)?),
            Err(error) => {
                outcome = Outcome::Unreadable;
                writeln!(stderr, "error: {name}: {error:#}")?;
            }
        }
    }
    writeln!(stdout, "{tally}")?;
    Ok(if tally.mistakes > 0 { outcome.max(Outcome::Mistakes) } else { outcome })
}

fn read_all(source: &mut impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    source.read_to_string(&mut text)?;
    Ok(text)
}
