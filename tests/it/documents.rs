//! What the documents say of options, metrics and reasons is what the process has.

use std::collections::BTreeSet;
use std::path::Path;

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
