//! The findings as text: one block per ScaledObject, one line per finding.

use std::io::Write;

use super::manifest::{Document, Object};
use super::trigger::{Findings, findings};
use super::{Judge, advice};

/// What was found, counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// External triggers.
    external: usize,
    /// External triggers without a mistake.
    valid: usize,
    /// Mistakes, wherever they are.
    pub(super) mistakes: usize,
    /// Documents of other kinds.
    skipped: usize,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.external += other.external;
        self.valid += other.valid;
        self.mistakes += other.mistakes;
        self.skipped += other.skipped;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.external {
            0 => write!(f, "no external trigger found")?,
            1 => write!(f, "1 external trigger, {} valid", self.valid)?,
            count => write!(f, "{count} external triggers, {} valid", self.valid)?,
        }
        match self.mistakes {
            0 => {}
            1 => write!(f, ", 1 mistake")?,
            count => write!(f, ", {count} mistakes")?,
        }
        match self.skipped {
            0 => Ok(()),
            1 => write!(f, "; 1 document of another kind skipped"),
            count => write!(f, "; {count} documents of other kinds skipped"),
        }
    }
}

/// Writes the findings about the documents of one file, and counts them.
pub(super) fn write(out: &mut impl Write, file: &str, documents: &[Document], judge: &Judge) -> std::io::Result<Tally> {
    let mut tally = Tally::default();
    for document in documents {
        match document {
            Document::ScaledObject(object) => scaled_object(out, file, object, judge, &mut tally)?,
            Document::ScaledJob(object) => scaled_job(out, file, object, &mut tally)?,
            Document::Other => tally.skipped += 1,
        }
    }
    Ok(tally)
}

fn scaled_object(
    out: &mut impl Write,
    file: &str,
    object: &Object,
    judge: &Judge,
    tally: &mut Tally,
) -> std::io::Result<()> {
    title(out, file, "ScaledObject", object)?;
    lines(out, "  mistake: ", &object.mistakes)?;
    tally.mistakes += object.mistakes.len();
    let mut seen: Vec<(usize, String)> = Vec::new();
    let mut has_external = false;
    for (place, trigger) in object.triggers.iter().enumerate() {
        let mut found = findings(object, trigger, judge);
        if let Some(digest) = found.digest.take() {
            if let Some((first, _)) = seen.iter().find(|(_, known)| *known == digest) {
                found.hints.push(format!("means the same as triggers[{first}]; one of them is enough"));
            }
            seen.push((place, digest));
        }
        tally.external += usize::from(found.external);
        tally.valid += usize::from(found.external && found.mistakes.is_empty());
        tally.mistakes += found.mistakes.len();
        let name = trigger.name.as_deref().map(|name| format!(" {name:?}")).unwrap_or_default();
        writeln!(out, "  triggers[{place}]{name} {}: {}", trigger.kind.escape_debug(), verdict(&found))?;
        lines(out, "    mistake: ", &found.mistakes)?;
        lines(out, "    ", &found.meaning)?;
        lines(out, "    hint: ", &found.hints)?;
        has_external |= found.external;
    }
    if has_external {
        lines(out, "  hint: ", &advice::of_object(&object.spec))?;
    }
    writeln!(out)
}

/// KEDA does not tell a scaler that it scales Jobs, so this is the one place that can say it.
fn scaled_job(out: &mut impl Write, file: &str, object: &Object, tally: &mut Tally) -> std::io::Result<()> {
    let is_external = |kind: &str| matches!(kind, "external" | "external-push");
    let external: Vec<_> =
        object.triggers.iter().enumerate().filter(|(_, trigger)| is_external(&trigger.kind)).collect();
    if external.is_empty() {
        tally.skipped += 1;
        return Ok(());
    }
    title(out, file, "ScaledJob", object)?;
    for (place, trigger) in external {
        tally.external += 1;
        tally.mistakes += 1;
        writeln!(out, "  triggers[{place}] {}: not usable", trigger.kind)?;
        writeln!(
            out,
            "    mistake: a ScaledJob is not supported: a forecast would start Jobs for work that is not there yet; \
             scale a Deployment with a ScaledObject"
        )?;
    }
    writeln!(out)
}

fn title(out: &mut impl Write, file: &str, kind: &str, object: &Object) -> std::io::Result<()> {
    let namespace =
        object.namespace.as_deref().map(|namespace| format!("{}/", namespace.escape_debug())).unwrap_or_default();
    writeln!(out, "{file}: {kind} {namespace}{}", object.name.as_deref().unwrap_or("without a name").escape_debug())
}

fn verdict(found: &Findings) -> String {
    match (found.external, found.mistakes.len()) {
        (false, 0) => "not for this scaler".to_owned(),
        (true, 0) => "valid".to_owned(),
        (_, 1) => "1 mistake".to_owned(),
        (_, count) => format!("{count} mistakes"),
    }
}

fn lines(out: &mut impl Write, before: &str, texts: &[String]) -> std::io::Result<()> {
    texts.iter().try_for_each(|text| writeln!(out, "{before}{text}"))
}
