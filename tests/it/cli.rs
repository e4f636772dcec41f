//! The command line: what it says, where, and with which exit code.

use crate::harness::keda::{Keda, Trigger};
use crate::harness::prescale::{Prescale, run, run_unread};

#[test]
fn help_goes_to_stdout_and_names_the_commands() {
    let output = run(&["--help"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert!(text.contains("serve"), "{text}");
    let output = run(&["serve", "--help"]);
    let text = String::from_utf8_lossy(&output.stdout);
    for flag in ["--prometheus", "--allow-server", "--grpc-address", "--http-address", "--state", "--config"] {
        assert!(text.contains(flag), "{flag} is missing in\n{text}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../k8s/ml-autoscaler/keda-scaledobject.yaml");
    let folder = tempfile::tempdir().expect("there is room for a temporary directory");
    let series = folder.path().join("load.csv");
    let rows: Vec<_> = (0..50).map(|minute| format!("{},{minute}", 1_700_000_040 + 60 * minute)).collect();
    std::fs::write(&series, format!("timestamp,value\n{}\n", rows.join("\n"))).expect("there is room for a file");
    let series = series.display().to_string();
    for arguments in [["check", manifest].as_slice(), &["forecast", &series, "--horizon", "5"], &["demo", "--fast"]] {
        let output = run_unread(arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !text.contains("Broken pipe"), "{arguments:?}: {text}");
    }
}

#[test]
fn an_unknown_flag_is_named_with_the_one_that_was_meant() {
    let output = run(&["serve", "--promethius", "http://p:9090"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("--promethius") && text.contains("--prometheus"), "{text}");
}

#[test]
fn every_mistake_of_flags_and_file_is_told_at_once() {
    let folder = tempfile::tempdir().expect("there is room for a temporary directory");
    let file = folder.path().join("prescale.yaml");
    std::fs::write(&file, "httpAddress: here\nqueryConcurrency: 0\nprommetheus: http://p:9090\n")
        .expect("it is writable");
    let file = file.display().to_string();
    let flags = ["--prometheus", "prometheus:9090", "--grpc-address", "6000", "--refresh-interval", "15"];
    let output = run(&[["serve", "--config", &file].as_slice(), &flags].concat());
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(output.stdout.is_empty(), "{output:?}");
    for part in [
        "httpAddress",
        "queryConcurrency",
        "prommetheus:",
        "prometheus \"prometheus:9090\"",
        "grpcAddress",
        "refreshInterval",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = run(&["serve", "--config", "/no/such/prescale.yaml"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("/no/such/prescale.yaml"), "{text}");
}

/// A manifest with these two metadata beside sound ones.
fn manifest(folder: &std::path::Path, lead_time: (&str, &str), slo: &str) -> String {
    let (key, value) = lead_time;
    let text = format!(
        "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{ name: chat-backend, namespace: ml-autoscaler }}
spec:
  scaleTargetRef: {{ name: chat-backend }}
  triggers:
    - type: external
      metadata:
        scalerAddress: keda-scaler.ml-autoscaler:6000
        serverAddress: http://prometheus.monitoring:9090
        query: chat_load
        threshold: \"12\"
        {key}: {value}
        slo: {slo}
"
    );
    let file = folder.join("scaledobject.yaml");
    std::fs::write(&file, text).expect("it is writable");
    file.display().to_string()
}

#[test]
fn a_sound_manifest_passes_the_check() {
    let folder = tempfile::tempdir().expect("there is room for a temporary directory");
    let output = run(&["check", &manifest(folder.path(), ("leadTime", "3m"), "99.5%")]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("http://prometheus.monitoring:9090") && text.contains("chat_load"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_and_the_server_find_the_same_mistakes() {
    let folder = tempfile::tempdir().expect("there is room for a temporary directory");
    let output = run(&["check", &manifest(folder.path(), ("leedTime", "3m"), "120%")]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{output:?}");

    let prescale = Prescale::serve(&["--allow-server", "*"]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let metadata = [
        ("serverAddress", "http://prometheus.monitoring:9090"),
        ("query", "chat_load"),
        ("threshold", "12"),
        ("leedTime", "3m"),
        ("slo", "120%"),
    ];
    let status = keda.value(&Trigger::new("chat-backend", &metadata)).await.expect_err("two mistakes");
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    for part in ["slo \"120%\"", "99.5%", "leedTime", "did you mean `leadTime`?"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
        assert!(status.message().contains(part), "{part} is missing in\n{}", status.message());
    }
}

#[test]
fn the_example_scaled_objects_pass_the_check() {
    let examples = scaled_objects(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../k8s")));
    assert!(!examples.is_empty(), "there are examples");
    for example in examples {
        let output = run(&["check", "--server-default", &example]);
        assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

/// The manifests below `folder` that hold a ScaledObject.
fn scaled_objects(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("it is a folder") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            found.extend(scaled_objects(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml")
            && std::fs::read_to_string(&path)
                .is_ok_and(|text| text.contains("kind: ScaledObject") && text.contains("scaleTargetRef"))
        {
            found.push(path.display().to_string());
        }
    }
    found
}
