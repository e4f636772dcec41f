//! What KEDA would have been told, as CSV.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::Tested;
use super::options::slo_text;
use super::walk::Published;

/// Where the service level goes in the name.
const PLACE: &str = "{slo}";

/// Writes one file per service level: `timestamp,value` at every tick, from the first on; empty where the answer was an error.
pub(super) fn write(path: &Path, tested: &Tested<'_>) -> anyhow::Result<()> {
    let outcomes = &tested.comparison.outcomes;
    if outcomes.len() > 1 && !path.to_string_lossy().contains(PLACE) {
        bail!("{}: with several --slo the name of the decisions must hold {PLACE}", path.display());
    }
    for (outcome, published) in outcomes.iter().zip(&tested.walk.published) {
        let name = path.to_string_lossy().replace(PLACE, slo_text(outcome.level).trim_end_matches('%'));
        let path = PathBuf::from(name);
        let named = || path.display().to_string();
        let mut out = BufWriter::new(File::create(&path).with_context(named)?);
        rows(&mut out, tested, published).with_context(named)?;
    }
    Ok(())
}

fn rows(out: &mut impl Write, tested: &Tested<'_>, published: &Published) -> std::io::Result<()> {
    writeln!(out, "timestamp,value")?;
    for (tick, value) in published.values.iter().enumerate() {
        let time = tested.course.time(tick).as_second();
        match value {
            Some(value) => writeln!(out, "{time},{value}")?,
            None => writeln!(out, "{time},")?,
        }
    }
    out.flush()
}
