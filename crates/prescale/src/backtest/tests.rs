//! Whole runs on small inputs: what is printed, where, and what is written.

use std::fmt::Write as _;
use std::path::Path;

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: BacktestArgs,
}

fn parsed(arguments: &[&str]) -> Result<BacktestArgs, clap::Error> {
    Command::try_parse_from(["backtest"].iter().chain(arguments)).map(|command| command.args)
}

/// Five-minute values of five days with a daily rhythm, a burst each afternoon, and a gap.
fn trace(directory: &Path) -> String {
    let mut rng = fastrand::Rng::with_seed(3);
    let mut text = "timestamp,value\n".to_owned();
    for index in 0..5 * 288_u32 {
        let hour = f64::from(index % 288) / 12.0;
        let rhythm = 300.0 - 200.0 * (hour / 24.0 * std::f64::consts::TAU).cos();
        let burst = if (15.0..16.0).contains(&hour) { 150.0 } else { 0.0 };
        let value = rhythm + burst + 20.0 * rng.f64();
        let text_of = if (1100..1110).contains(&index) { String::new() } else { format!("{value:.1}") };
        writeln!(text, "{},{text_of}", 1_767_571_200 + 300 * index).unwrap();
    }
    let path = directory.join("trace <of> \"tests\".csv");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Standard output, standard error, and whether there was something to test on.
fn run_with(arguments: &[&str]) -> (String, String, bool) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let done = test(&parsed(arguments).unwrap(), &mut stdout, &mut stderr, false).unwrap();
    (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap(), done)
}

#[test]
fn the_scorecard_fits_a_hundred_columns_and_ends_with_metadata_that_parse() {
    let directory = tempfile::tempdir().unwrap();
    let trace = trace(directory.path());
    let (stdout, stderr, done) =
        run_with(&["--trace", &trace, "--threshold", "20", "--slo", "99%", "--slo", "0.9", "--hpa-tolerance", "0.05"]);
    // on a busy machine lines of progress come before
    assert!(done && stderr.lines().any(|line| line.starts_with("walked forward")), "{stderr}");
    assert!(stdout.lines().all(|line| line.chars().count() <= 100), "{stdout}");
    for told in
        ["HPA today, target 20", "HPA tuned", "a day ago", "Prescale, slo 99%", "Prescale, slo 90%", "the limit"]
    {
        assert!(stdout.contains(told), "{told}: {stdout}");
    }
    assert!(!stdout.contains("a week ago, target"), "five days know nothing of last week");
    let yaml = stdout.split("To have this, put it into your ScaledObject:").nth(1).unwrap();
    let manifest = format!(
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{ name: shop, namespace: shop }}\nspec:\n  scaleTargetRef: {{ name: shop }}\n{yaml}"
    );
    let path = directory.path().join("object.yaml");
    std::fs::write(&path, manifest).unwrap();
    let value: serde_json::Value = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let metadata = value["spec"]["triggers"][0]["metadata"].as_object().unwrap();
    assert_eq!(metadata["slo"], "99%");
    assert_eq!(metadata["queryStep"], "5m");
    assert_eq!(value["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleUp"]["tolerance"], 0.05);
    let metadata: std::collections::HashMap<String, String> =
        metadata.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect();
    scaler::parse_target("shop", "shop", &metadata, &scaler::Defaults { has_default_server: true }).unwrap();
}

#[test]
fn json_decisions_and_report_say_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let trace = trace(directory.path());
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (decisions, report) = (file("d-{slo}.csv"), file("report.html"));
    let arguments = ["--trace", &trace, "--threshold", "20", "--slo", "99%", "--slo", "95%", "--json"];
    let (stdout, ..) = run_with(&[&arguments[..], &["--decisions", &decisions, "--report", &report]].concat());
    let answer: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let short = |place: usize| answer["prescale"][place]["scores"]["short_time"].as_f64().unwrap();
    assert!(short(0) <= short(1), "the stricter level is short less often: {stdout}");
    assert!(short(0) < answer["hpa_today"]["short_time"].as_f64().unwrap());
    assert_eq!(answer["load"]["missing"], 10);
    for slo in ["99", "95"] {
        let rows = std::fs::read_to_string(file(&format!("d-{slo}.csv"))).unwrap();
        assert_eq!(rows.lines().count(), 1 + 5 * 5760);
        assert!(rows.starts_with("timestamp,value\n1767571200,\n"), "nothing is known before the first value");
    }
    let html = std::fs::read_to_string(report).unwrap();
    assert!(html.contains("trace &lt;of&gt; &quot;tests&quot;.csv") && !html.contains("<of>"));
    assert!(html.matches("<svg viewBox=\"0 0 760").count() >= 10, "charts are missing");
    for outside in ["http://", "https://", "<script", "src=", "url(", "@import", "NaN"] {
        let place = html.find(outside);
        assert_eq!(place, None, "{outside}: {}", &html[place.unwrap_or(0)..][..80]);
    }
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
    let again = run_with(&arguments).0;
    let without_time = |text: &str| text.lines().filter(|line| !line.contains("\"seconds\"")).collect::<String>();
    assert_eq!(without_time(&again), without_time(&stdout));
}

#[test]
fn what_is_missing_or_wrong_is_told_and_nothing_is_tested() {
    let directory = tempfile::tempdir().unwrap();
    let trace = trace(directory.path());
    let (stdout, stderr, done) = run_with(&["--trace", &trace]);
    assert!(!done && stdout.is_empty());
    assert!(stderr.contains("--threshold 16 this load would need 20 pods"), "{stderr}");

    let path = directory.path().join("bad.csv");
    let told = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let (stdout, stderr, done) = run_with(&["--trace", path.to_str().unwrap(), "--threshold", "1"]);
        assert!(!done && stdout.is_empty(), "{stdout}");
        stderr
    };
    let both = told("timestamp,value\n60,1\n120,many\nsoon,3\n");
    assert!(both.contains("line 3: ") && both.contains("line 4: ") && both.contains("2 mistakes"), "{both}");
    assert!(told("timestamp,value\n60,1\n120,2\n").contains("are for learning"));
    assert!(told("timestamp,value\n0,1\n86400,2\n172800,2\n259200,3\n345600,3\n").contains("too coarse"));
    assert!(told("unique_id,timestamp,value\na,60,1\na,120,1\nb,60,1\nb,120,1\n").contains("2 series"));

    let (_, stderr, done) = run_with(&["--trace", &trace, "--threshold", "20", "--slo", "100%", "--lead-time", "13h"]);
    assert!(!done && stderr.contains("slo") && stderr.contains("leadTime"), "{stderr}");
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for wrong in [
        vec![],
        vec!["--trace", "a", "--prometheus", "http://p"],
        vec!["--prometheus", "http://p"],
        vec!["--trace", "a", "--threshold", "0"],
        vec!["--trace", "a", "--threshold", "NaN"],
        vec!["--trace", "a", "--hpa-tolerance", "1"],
        vec!["--trace", "a", "--lead-time", "180"],
        vec!["--trace", "a", "--timezone", "Mars/Olympus"],
        vec!["--trace", "a", "--since", "3d"],
    ] {
        assert!(parsed(&wrong).is_err(), "{wrong:?}");
    }
    assert!(parsed(&["--prometheus", "http://p", "--query", "up", "--since", "3d"]).is_ok());
}
