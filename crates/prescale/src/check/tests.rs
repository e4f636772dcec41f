//! Whole checks of the manifests in `fixtures/`: what is printed, where, and the exit code.

use std::path::PathBuf;

use super::*;

/// Standard output, standard error and outcome of checking `files` with `stdin` on standard input.
fn checked_with(files: &[&str], stdin: &str, defaults: scaler::Defaults) -> (String, String, Outcome) {
    let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let judge = Judge { defaults, prometheus: None };
    let outcome = check(&files, &judge, &mut stdin.as_bytes(), &mut stdout, &mut stderr).unwrap();
    (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap(), outcome)
}

fn checked(files: &[&str]) -> (String, String, Outcome) {
    checked_with(files, "", scaler::Defaults::default())
}

#[test]
fn valid_triggers_say_what_they_would_do() {
    let (stdout, stderr, outcome) = checked(&["src/check/fixtures/valid.yaml"]);
    insta::assert_snapshot!(stdout);
    assert_eq!((stderr.as_str(), outcome), ("", Outcome::Valid));
}

#[test]
fn all_mistakes_of_all_triggers_are_told() {
    let (stdout, stderr, outcome) = checked(&["src/check/fixtures/mistakes.yaml"]);
    insta::assert_snapshot!(stdout);
    assert!(!stdout.contains("hunter2") && !stdout.contains("aHVudGVyMg"));
    assert_eq!((stderr.as_str(), outcome), ("", Outcome::Mistakes));
}

#[test]
fn triggers_of_other_scalers_are_told_how_to_become_external() {
    let (stdout, stderr, outcome) = checked(&["src/check/fixtures/other-scalers.yaml"]);
    insta::assert_snapshot!(stdout);
    assert_eq!((stderr.as_str(), outcome), ("", Outcome::Valid));
}

#[test]
fn what_cannot_be_read_is_an_error_and_the_rest_is_checked_all_the_same() {
    let files = ["src/check/fixtures/template.yaml", "absent.yaml", "src/check/fixtures/mistakes.yaml"];
    let (stdout, stderr, outcome) = checked(&files);
    assert_eq!(outcome, Outcome::Unreadable);
    assert!(stdout.ends_with("mistakes\n"), "{stdout}");
    assert!(stderr.contains("error: absent.yaml: "), "{stderr}");
    assert!(stderr.contains("template.yaml: not YAML; render the template first (helm template)"), "{stderr}");
}

#[test]
fn a_dash_reads_standard_input_and_the_flag_stands_for_a_default_server() {
    let manifest = "
kind: ScaledObject
metadata: {name: a}
spec:
  minReplicaCount: 1
  fallback: {failureThreshold: 3, replicas: 2}
  triggers:
    - {type: external, metadata: {scalerAddress: 'p:6000', query: up, threshold: '1'}}
";
    let (stdout, _, outcome) = checked_with(&["-"], manifest, scaler::Defaults { has_default_server: true });
    assert_eq!(outcome, Outcome::Valid);
    assert!(stdout.contains("standard input: ScaledObject a\n"), "{stdout}");
    assert!(stdout.contains("Asks the scaler's default Prometheus for up."), "{stdout}");
    let (stdout, _, outcome) = checked_with(&["-"], manifest, scaler::Defaults::default());
    assert_eq!(outcome, Outcome::Mistakes);
    assert!(stdout.contains("mistake: serverAddress: missing"), "{stdout}");
}

#[test]
fn the_worst_file_decides_the_exit_code() {
    assert_eq!(Outcome::Valid.max(Outcome::Mistakes).exit_code(), 1);
    assert_eq!(Outcome::Unreadable.max(Outcome::Mistakes).exit_code(), 2);
    assert_eq!(Outcome::Valid.exit_code(), 0);
}

#[test]
fn an_empty_file_has_no_trigger_and_no_mistake() {
    let (stdout, stderr, outcome) = checked_with(&["-"], "", scaler::Defaults::default());
    assert_eq!((stdout.as_str(), stderr.as_str(), outcome), ("no external trigger found\n", "", Outcome::Valid));
}

#[test]
fn the_examples_of_the_reference_are_valid() {
    let page = include_str!("../../../../docs/metadata.md");
    let examples: Vec<_> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let is_whole = example.contains("kind: ScaledObject");
        let head = "kind: ScaledObject\nmetadata: {name: a}\nspec:\n  minReplicaCount: 1\n  fallback: {}\n";
        let indented = example.replace('\n', "\n  ");
        let manifest = if is_whole { example.to_owned() } else { format!("{head}  {indented}") };
        let (stdout, stderr, outcome) = checked_with(&["-"], &manifest, scaler::Defaults::default());
        assert_eq!((stderr.as_str(), outcome), ("", Outcome::Valid), "{stdout}");
        assert!(!stdout.contains("hint:"), "{stdout}");
    }
}

proptest::proptest! {
    #[test]
    fn a_manifest_broken_anywhere_is_checked_or_refused(place in 0..usize::MAX, put in proptest::prelude::any::<char>()) {
        let sound = include_str!("../../../../k8s/ml-autoscaler/keda-scaledobject.yaml");
        let place = place % sound.len();
        if sound.is_char_boundary(place) && sound.is_char_boundary(place + 1) {
            let broken = [&sound[..place], &put.to_string(), &sound[place + 1..]].concat();
            let (stdout, stderr, _) = checked_with(&["-"], &broken, scaler::Defaults::default());
            proptest::prop_assert!(!(stdout.is_empty() && stderr.is_empty()), "silence is no verdict");
        }
    }
}
