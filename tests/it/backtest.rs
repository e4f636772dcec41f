//! `prescale backtest` against a real Prometheus.

use serde_json::Value;

use crate::harness::prescale::run;
use crate::harness::prometheus::Prometheus;

const DAY: f64 = 86_400.0;

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_on_prometheus_replays_its_history_and_says_what_to_write() {
    let Some(prometheus) = Prometheus::with_history().await else { return };
    let folder = tempfile::tempdir().expect("there is room for a temporary directory");
    let (decisions, report) = (folder.path().join("decisions.csv"), folder.path().join("report.html"));
    let (url, decided, reported) = (prometheus.url(), decisions.display().to_string(), report.display().to_string());
    let asked = ["backtest", "--prometheus", &url, "--query", "chat_load", "--since", "5d", "--lead-time", "3m"];
    let tested = ["--threshold", "12", "--slo", "99%"];
    let output = run(&[&asked[..], &tested, &["--json", "--decisions", &decided, "--report", &reported]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");

    // the load is what Prometheus says it was
    let days = found["load"]["values"].as_f64().expect("a count") / 1440.0;
    assert!((4.9..5.1).contains(&days), "{days} days: {}", found["load"]);
    // the shape of the day is known after the warm-up: fewer moments with too few pods than the HPA on the load itself has
    let short = |scores: &Value| scores["short_time"].as_f64().expect("a share of time");
    let (predictive, reactive) = (short(&found["prescale"][0]["scores"]), short(&found["hpa_today"]));
    assert!(predictive < reactive && predictive < 0.03, "short {predictive} of the time, reactive {reactive}");

    let text = std::fs::read_to_string(&decisions).expect("it was written");
    let rows: Vec<(f64, f64)> = text
        .lines()
        .skip(1)
        .filter_map(|row| row.split_once(','))
        // before the first sample had closed nothing was published
        .filter(|(_, value)| !value.is_empty())
        .map(|(time, value)| (time.parse().expect("a time"), value.parse().expect("a value")))
        .collect();
    let ((first, _), (last, _)) = (rows.first().expect("a first"), rows.last().expect("a last"));
    assert!(last - first > 4.9 * DAY);
    assert!(rows.iter().all(|(_, value)| (1.0..1000.0).contains(value)), "every value is a load like those seen");
    let page = std::fs::read_to_string(&report).expect("it was written");
    assert!(page.contains("chat_load") && page.contains("leadTime: 3m"), "the report says what was tested");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_no_load_is_told_apart_before_anything_is_written() {
    let Some(prometheus) = Prometheus::with_history().await else { return };
    let folder = tempfile::tempdir().expect("there is room for a temporary directory");
    let report = folder.path().join("report.html");
    for (query, part) in [("pair", "series"), ("nobody_exports_this", "no series"), ("sum(", "parse error")] {
        let (url, reported) = (prometheus.url(), report.display().to_string());
        let output = run(&[
            "backtest",
            "--prometheus",
            &url,
            "--query",
            query,
            "--since",
            "1d",
            "--threshold",
            "12",
            "--report",
            &reported,
        ]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(part), "{query}: {text}");
        assert!(output.stdout.is_empty() && !report.exists(), "{query}");
    }
}
