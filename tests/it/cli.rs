//! The command line: what it says, where, and with which exit code.

use crate::harness::prescale::run;

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
