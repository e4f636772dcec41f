//! `prescale backtest`: what Prescale would have done over a past load, beside what people run today and the best that anybody could.
//!
//! The values come from the production path with a replayed clock; HPA and pods are the `simulator` crate's. Nothing is asked of a
//! cluster, and nothing is changed.

mod calibration;
mod compare;
mod decisions;
mod json;
#[cfg(test)]
mod live_tests;
mod load;
mod metadata;
mod options;
mod progress;
mod report;
mod scorecard;
#[cfg(test)]
mod tests;
mod walk;
mod worst;

use std::io::{IsTerminal as _, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use series::Series;
use simulator::{Course, StartUp};

use self::compare::{Comparison, WARM_UP, Workload};
pub(crate) use self::options::BacktestArgs;
use self::progress::Progress;
use self::walk::Walk;

/// A load of less than this beyond the warm-up says nothing.
const LEAST_SCORED: std::time::Duration = std::time::Duration::from_hours(1);

/// Everything that is told of one backtest.
struct Tested<'a> {
    args: &'a BacktestArgs,
    /// What the load is called.
    name: String,
    load: &'a Series,
    course: &'a Course,
    workload: &'a Workload,
    walk: &'a Walk,
    comparison: &'a Comparison,
}

impl Tested<'_> {
    /// The first bucket that counts.
    fn first_scored(&self) -> usize {
        self.course.grid().bucket(self.workload.trial(self.course).from)
    }
}

/// Tests on the load, and tells how it went: the scorecard or JSON on standard output, everything else on standard error. Exit code 1 where the
/// input has mistakes.
///
/// # Errors
/// Where the load cannot be read or a file cannot be written.
pub(crate) fn run(args: &BacktestArgs) -> anyhow::Result<ExitCode> {
    let stderr = std::io::stderr();
    let is_terminal = stderr.is_terminal();
    let done = test(args, &mut std::io::stdout().lock(), &mut stderr.lock(), is_terminal)?;
    Ok(ExitCode::from(u8::from(!done)))
}

/// Whether there was something to test on.
fn test(
    args: &BacktestArgs,
    stdout: &mut impl Write,
    stderr: &mut impl Write,
    is_terminal: bool,
) -> anyhow::Result<bool> {
    let load = match args.asked() {
        Some(asked) => load::of_prometheus(&asked)?,
        None => match load::of_trace(args.trace(), args.step, stderr)? {
            Some(load) => load,
            None => return Ok(false),
        },
    };
    if let Some(mistake) = unfit(&load) {
        writeln!(stderr, "error: {mistake}")?;
        return Ok(false);
    }
    let Some(threshold) = args.threshold else {
        write_threshold(&load, stderr)?;
        return Ok(false);
    };
    let targets = match metadata::targets(args, threshold, load.step()) {
        Ok(targets) => targets,
        Err(mistakes) => {
            writeln!(stderr, "error: {mistakes}")?;
            return Ok(false);
        }
    };
    let course = Course::of(&load).context("nothing is known of the load")?;
    let workload =
        Workload { threshold, start_up: args.start_up(), tolerance: args.hpa_tolerance, replicas: args.replicas()? };
    let levels: Vec<_> = targets.iter().map(|target| target.service_level).collect();
    let mut progress = Progress::new(is_terminal);
    let walk = walk::walk(&load, targets, args.settle(), |done, of| progress.show(stderr, done, of))?;
    progress.end(stderr, &walk)?;
    let trial = workload.trial(&course);
    let comparison = Comparison::run(&trial, &walk, &levels).context("no time is left after the warm-up")?;
    let tested = Tested {
        args,
        name: args.name(),
        load: &load,
        course: &course,
        workload: &workload,
        walk: &walk,
        comparison: &comparison,
    };
    if let Some(path) = &args.decisions {
        decisions::write(path, &tested)?;
    }
    if let Some(path) = &args.report {
        report::write(path, &tested)?;
    }
    if args.json {
        json::write(stdout, &tested)?;
    } else {
        scorecard::write(stdout, &tested)?;
        metadata::write(stdout, &tested)?;
    }
    Ok(true)
}

/// Why a load cannot be tested on.
fn unfit(load: &Series) -> Option<String> {
    let span = load.step().duration().saturating_mul(u32::try_from(load.len()).unwrap_or(u32::MAX));
    let readable = |span| scaler::Readable(span);
    if load.known() == 0 {
        return Some("nothing is known of the load".to_owned());
    }
    if span < WARM_UP + LEAST_SCORED {
        let (span, warm_up) = (readable(span), readable(WARM_UP));
        return Some(format!("the load covers {span}: the first {warm_up} are for learning, give some days more"));
    }
    if load.step().duration() > options::COARSEST_STEP {
        let (step, coarsest) = (load.step(), readable(options::COARSEST_STEP));
        return Some(format!(
            "the load has one value every {step}: too coarse to tell what an HPA would have done, {coarsest} is the most"
        ));
    }
    None
}

fn write_threshold(load: &Series, stderr: &mut impl Write) -> std::io::Result<()> {
    write!(stderr, "error: say with --threshold how much load one pod can carry")?;
    match load::suggested_threshold(load) {
        Some(each) => writeln!(stderr, "; with --threshold {each} this load would need 20 pods in the mean"),
        None => writeln!(stderr),
    }
}

/// How long pods take.
fn start_up_text(start_up: &StartUp) -> String {
    match start_up {
        StartUp::Fixed(fixed) => format!("{} to start", scaler::Readable(*fixed)),
        StartUp::LogNormal { median, spread, .. } => {
            format!("{} to start at the median, drawn with a spread of {spread}", scaler::Readable(*median))
        }
    }
}
