//! The trigger's metadata: what is tested is what they mean, and what is recommended is what was tested.

use std::collections::HashMap;
use std::io::Write;

use policy::{Target, Threshold};
use scaler::{Defaults, Mistakes, Readable, parse_target};
use series::{ModelChoice, Step};

use super::options::slo_text;
use super::{BacktestArgs, Tested};

/// Stands in for the user's own query where the load came from a file.
const SOME_QUERY: &str = r#"sum(rate(http_requests_total{app="my-app"}[1m]))"#;

/// The keys and values for one service level, in the order of the documentation.
fn pairs(args: &BacktestArgs, threshold: Threshold, step: Step, slo: &str) -> Vec<(&'static str, String)> {
    let mut pairs = vec![
        ("query", args.query.clone().unwrap_or_else(|| SOME_QUERY.to_owned())),
        ("threshold", threshold.get().to_string()),
        ("leadTime", Readable(args.lead_time).to_string()),
        ("slo", slo.to_owned()),
    ];
    let mut also = |key, value: String, usual: &str| {
        if value != usual {
            pairs.push((key, value));
        }
    };
    if let ModelChoice::Fixed(model) = args.model {
        also("model", model.to_string(), "auto");
    }
    let seasons: Vec<String> = args.season.iter().map(|season| Readable(*season).to_string()).collect();
    also("season", seasons.join(","), "");
    also("historyTimeWindow", Readable(args.history).to_string(), "14d");
    also("queryStep", Readable(step.duration()).to_string(), "1m");
    also("timezone", args.timezone.clone(), "UTC");
    also("hpaTolerance", args.hpa_tolerance.to_string(), "0.1");
    pairs
}

/// One target per service level: what the trigger with these metadata means.
///
/// # Errors
/// Every mistake that the metadata would have.
pub(super) fn targets(args: &BacktestArgs, threshold: Threshold, step: Step) -> Result<Vec<Target>, Mistakes> {
    let target = |slo: &String| {
        let metadata: HashMap<String, String> =
            pairs(args, threshold, step, slo).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        parse_target("default", "backtest", &metadata, &Defaults { has_default_server: true })
    };
    args.slo.iter().map(target).collect()
}

/// The metadata to paste, with the words before them.
pub(super) fn write(out: &mut impl Write, tested: &Tested<'_>) -> std::io::Result<()> {
    writeln!(out, "To have this, put it into your ScaledObject:\n")?;
    write_yaml(out, tested)
}

/// The metadata to paste.
pub(super) fn write_yaml(out: &mut impl Write, tested: &Tested<'_>) -> std::io::Result<()> {
    let (args, threshold) = (tested.args, tested.workload.threshold);
    let Some(outcome) = tested.comparison.outcomes.first() else { return Ok(()) };
    writeln!(out, "  triggers:")?;
    writeln!(out, "  - type: external")?;
    writeln!(out, "    metadata:")?;
    writeln!(out, "      scalerAddress: keda-external-scaler.ml-autoscaler.svc.cluster.local:6000")?;
    writeln!(out, "      # serverAddress: your Prometheus as the cluster reaches it, unless the scaler has a default")?;
    for (key, value) in pairs(args, threshold, tested.load.step(), &slo_text(outcome.level)) {
        let note = if key == "query" && args.query.is_none() { "   # yours" } else { "" };
        writeln!(out, "      {key}: {}{note}", quoted(&value))?;
    }
    if outcome.matched.gap_closed.is_some_and(|gap| gap < 0.0) {
        writeln!(out, "      mode: shadow   # here a tuned HPA does better: watch before you let it act")?;
    }
    if args.hpa_tolerance < 0.1 {
        let tolerance = args.hpa_tolerance;
        writeln!(out, "  advanced:")?;
        writeln!(out, "    horizontalPodAutoscalerConfig:")?;
        writeln!(out, "      behavior:   # Kubernetes 1.33 and later")?;
        writeln!(out, "        scaleUp: {{ tolerance: {tolerance} }}")?;
        writeln!(out, "        scaleDown: {{ tolerance: {tolerance} }}")?;
    }
    Ok(())
}

/// As YAML takes it for text.
fn quoted(value: &str) -> String {
    let is_plain = value.chars().all(|character| character.is_ascii_alphanumeric() || "_/-.".contains(character))
        && value.chars().next().is_some_and(char::is_alphanumeric)
        && value.parse::<f64>().is_err();
    if is_plain { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}
