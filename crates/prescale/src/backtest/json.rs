//! Everything that was found, for programs.

use std::io::Write;

use serde_json::{Value, json};
use simulator::Scores;

use super::Tested;
use super::calibration::calibration;
use super::options::slo_text;

/// Writes one object.
pub(super) fn write(out: &mut impl Write, tested: &Tested<'_>) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &object(tested))?;
    writeln!(out)?;
    Ok(())
}

fn object(tested: &Tested<'_>) -> Value {
    let (comparison, workload, walk) = (tested.comparison, tested.workload, tested.walk);
    let families = comparison.families.iter().map(|family| {
        let points: Vec<Value> = family
            .points
            .iter()
            .map(|point| json!({ "knob": point.knob, "scores": scores(&point.scores, tested) }))
            .collect();
        json!({ "behavior": family.behavior.as_str(), "points": points })
    });
    let outcomes = comparison.outcomes.iter().map(|outcome| {
        let matched = outcome.matched;
        let worst = outcome.worst.iter().map(|moment| {
            json!({
                "begin": moment.begin.to_string(),
                "short_seconds": moment.short.as_secs(),
                "unmet": moment.unmet,
                "worst": moment.worst.to_string(),
                "pods_needed": moment.needed,
                "pods_ready": moment.ready,
                "reason": moment.reason,
                "pods_asked": moment.asked,
            })
        });
        json!({
            "worst_moments": worst.collect::<Vec<_>>(),
            "slo": slo_text(outcome.level),
            "allowed_short_time": outcome.allowed(),
            "scores": scores(&outcome.scores, tested),
            "at_the_same_short_time": {
                "best_behavior": matched.best.map(|(behavior, _)| behavior.as_str()),
                "best_relative_cost": matched.best.map(|(_, cost)| cost),
                "limit_relative_cost": matched.limit,
                "gap_closed": matched.gap_closed,
            },
        })
    });
    let calibration = calibration(tested.load, walk, tested.first_scored())
        .into_iter()
        .map(|level| json!({ "promised": level.promised, "came": level.came, "values": level.values }));
    json!({
        "load": {
            "name": tested.name,
            "begin": tested.course.time(0).to_string(),
            "end": tested.load.end().map(|end| end.to_string()),
            "step_seconds": tested.load.step().seconds(),
            "values": tested.load.len(),
            "missing": tested.course.drawn(),
        },
        "workload": {
            "threshold": workload.threshold.get(),
            "lead_time_seconds": tested.args.lead_time.as_secs_f64(),
            "hpa_tolerance": workload.tolerance,
            "min_replicas": workload.replicas.least(),
            "max_replicas": tested.args.max_replicas,
        },
        "forecasts": {
            "by_model": walk.models.iter().map(|(name, count)| (name.to_string(), json!(count))).collect::<serde_json::Map<_, _>>(),
            "calibration": calibration.collect::<Vec<_>>(),
            "seconds": walk.took.as_secs_f64(),
        },
        "hpa_today": scores(&comparison.today, tested),
        "families": families.collect::<Vec<_>>(),
        "prescale": outcomes.collect::<Vec<_>>(),
    })
}

fn scores(scores: &Scores, tested: &Tested<'_>) -> Value {
    json!({
        "short_time": scores.short_time,
        "surplus_time": scores.surplus_time,
        "unmet_share": scores.unmet_share,
        "pod_hours": scores.pod_hours,
        "relative_cost": scores.relative_cost(),
        "actions_per_hour": scores.actions_per_hour,
        "reversals_per_hour": scores.reversals_per_hour,
        "mean_shortage": scores.mean_shortage,
        "mean_surplus": scores.mean_surplus,
        "instability": scores.instability,
        "elastic_speedup": scores.elastic_speedup(&tested.comparison.today),
    })
}
