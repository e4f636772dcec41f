//! What the documents say of options, metrics and reasons is what the process has.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::prescale::{Prescale, run};

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    std::fs::read_to_string(&path).expect("a document of the repository")
}

/// The words of `text` that begin with `prefix`, up to the first character that `belongs` does not take.
fn words(text: &str, prefix: &str, belongs: impl Fn(char) -> bool) -> BTreeSet<String> {
    text.match_indices(prefix)
        .map(|(at, _)| text[at..].chars().take_while(|&c| belongs(c)).collect())
        .filter(|word: &String| word.len() > prefix.len())
        .collect()
}

#[test]
fn every_option_of_serve_is_in_the_configuration_reference_and_the_other_way_round() {
    let help = String::from_utf8(run(&["serve", "--help"]).stdout).expect("text");
    let reference = document("configuration.md");
    let flag = |c: char| c == '-' || c.is_ascii_lowercase();
    let (mut in_help, mut in_reference) = (words(&help, "--", flag), words(&reference, "--", flag));
    in_help.remove("--help");
    // the rule under the head of a table
    in_reference.remove("---");
    assert!(in_help.len() > 10, "{in_help:?}");
    assert_eq!(in_help, in_reference);
    let variable = |c: char| c == '_' || c.is_ascii_uppercase();
    assert_eq!(words(&help, "PRESCALE_", variable), words(&reference, "PRESCALE_", variable));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_and_every_reason_is_in_the_operations_guide() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    Keda::connect(prescale.grpc()).await.value_at_last(&Trigger::light("documented", &server.url())).await;
    let (_, exposition) = prescale.get("/metrics").await;
    let guide = document("operations.md");

    let metrics =
        words(&exposition, "# TYPE prescale_", |c| c == ' ' || c == '#' || c == '_' || c.is_ascii_alphabetic());
    assert!(metrics.len() > 15, "{metrics:?}");
    for line in &metrics {
        let name = line.trim_start_matches("# TYPE ").split(' ').next().unwrap_or_default();
        assert!(guide.contains(name), "{name} is missing");
    }
    let reasons = words(&exposition, "reason=\"", |c| c == '=' || c == '"' || c == '_' || c.is_ascii_lowercase());
    assert!(reasons.len() > 5, "{reasons:?}");
    for reason in &reasons {
        let label = reason.trim_start_matches("reason=").trim_matches('"');
        assert!(guide.contains(&format!("`{label}`")), "{label} is missing");
    }
}

/// The documents of the repository.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("it is a folder") {
            let path = entry.expect("it can be listed").path();
            let name = path.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
            let is_other = name.starts_with('.') || ["target", "node_modules"].contains(&name);
            if path.is_dir() && !is_other {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The text without its blocks of code, whose brackets are none of ours.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// What the headings of a document are called in links to them.
fn anchors(text: &str) -> BTreeSet<String> {
    let kept = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let slug = |heading: &str| -> String {
        heading.trim().to_lowercase().replace(' ', "-").chars().filter(|&c| kept(c)).collect()
    };
    prose(text).lines().filter(|line| line.starts_with('#')).map(|line| slug(line.trim_start_matches('#'))).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let documents = documents();
    assert!(documents.len() > 15, "{documents:?}");
    let mut broken = Vec::new();
    for document in documents {
        let text = std::fs::read_to_string(&document).expect("text");
        let here = document.parent().expect("it lies in a folder");
        for link in prose(&text).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let target = if path.is_empty() { document.clone() } else { here.join(path) };
            let leads = target.exists()
                && anchor.is_none_or(|anchor| {
                    std::fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(anchor))
                });
            if !leads {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_command_of_prescale_in_a_document_is_one_that_it_takes() {
    let help = String::from_utf8(run(&["--help"]).stdout).expect("text");
    let mut unknown = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document).expect("text");
        for block in text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            for line in block.lines() {
                let line = line.split(" #").next().unwrap_or_default();
                let Some(command) = line.trim_start().strip_prefix("prescale ") else { continue };
                let mut words = command.split_whitespace();
                let name = words.next().unwrap_or_default();
                if !help.contains(&format!("  {name} ")) {
                    unknown.push(format!("{}: {line}", document.display()));
                    continue;
                }
                let own = String::from_utf8(run(&[name, "--help"]).stdout).expect("text");
                for flag in words.filter(|word| word.starts_with("--")) {
                    let flag = flag.split('=').next().unwrap_or_default();
                    if !own.contains(flag) {
                        unknown.push(format!("{}: {line}: {flag}", document.display()));
                    }
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}
