//! What the documents say of options, metrics and reasons is what the process has.

use std::collections::BTreeSet;

use crate::harness::documents::{self, commands, prose};
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::prescale::{Prescale, run};

fn document(name: &str) -> String {
    documents::read(&documents::root().join("docs").join(name))
}

/// The words of `text` that begin with `prefix`, up to the first character that `belongs` does not take.
fn words(text: &str, prefix: &str, belongs: impl Fn(char) -> bool) -> BTreeSet<String> {
    text.match_indices(prefix)
        .map(|(at, _)| text[at..].chars().take_while(|&c| belongs(c)).collect())
        .filter(|word: &String| word.len() > prefix.len())
        .collect()
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

/// The text of every source file of the programs.
fn sources() -> String {
    let mut text = String::new();
    let mut folders = vec![documents::root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("it is a folder") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &documents::read(&path);
            }
        }
    }
    text
}

#[test]
fn every_metric_that_a_document_names_is_registered() {
    let sources = sources();
    let name = |c: char| c == '_' || c.is_ascii_lowercase();
    let mut unknown = BTreeSet::new();
    for document in documents::all() {
        for metric in words(&documents::read(&document), "prescale_", name) {
            let counted = metric.trim_end_matches("_total");
            let timed = counted.trim_end_matches("_seconds");
            if ![metric.as_str(), counted, timed].iter().any(|name| sources.contains(&format!("\"{name}\""))) {
                unknown.insert(format!("{}: {metric}", document.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn every_model_is_in_the_guide_and_among_the_metadata() {
    let refused = String::from_utf8(run(&["forecast", "-", "--horizon", "1", "--model", "none"]).stderr).expect("text");
    let listed = refused.split("the models are ").nth(1).and_then(|rest| rest.split(", or auto").next());
    let names: Vec<_> = listed.unwrap_or_else(|| panic!("{refused}")).split(", ").collect();
    assert!(names.len() >= 9, "{names:?}");
    let (guide, metadata) = (document("models.md"), document("metadata.md"));
    for name in names {
        assert!(guide.contains(&format!("| `{name}` |")), "{name} has no row in models.md");
        assert!(metadata.contains(&format!("`{name}`")), "{name} is not among the values of `model` in metadata.md");
    }
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
    let mut broken = Vec::new();
    for document in documents::all() {
        let text = documents::read(&document);
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

/// What a program says of its own flags, and of those of `COMMAND`.
fn help(command: &str) -> String {
    let output = run(&[command, "--help"]);
    if output.status.success() { String::from_utf8(output.stdout).expect("text") } else { String::new() }
}

#[test]
fn every_command_of_prescale_in_a_document_is_one_that_it_takes() {
    let mut unknown = Vec::new();
    for block in documents::blocks("sh").into_iter().chain(documents::blocks("")) {
        for line in commands(&block) {
            let Some(command) = line.strip_prefix("prescale ") else { continue };
            let mut words = command.split(' ');
            let own = help(words.next().unwrap_or_default());
            if own.is_empty() {
                unknown.push(format!("{}: {line}", block.place));
            }
            for flag in words.filter(|word| word.starts_with("--")) {
                let flag = flag.split('=').next().unwrap_or_default();
                if !own.contains(&format!("{flag} ")) && !own.contains(&format!("{flag}\n")) {
                    unknown.push(format!("{}: {line}: {flag}", block.place));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// Flags of other programs, and of benches, that documents name.
const FOREIGN_FLAGS: [&str; 16] = [
    "--bigkeys",
    "--cascade",
    "--check-keys",
    "--document-private-items",
    "--example",
    "--features",
    "--open",
    "--previous",
    "--release",
    "--server-side",
    "--set",
    "--sort-by",
    "--storage",
    "--times",
    "--type",
    "--work",
];

#[test]
fn every_flag_that_a_document_names_is_there() {
    let flag = |c: char| c == '-' || c.is_ascii_lowercase();
    let commands = ["serve", "backtest", "check", "demo", "explain", "forecast"].map(help).concat();
    // scripts say theirs in their heads, and the workload and the load tool in their fields
    let mut known = words(&commands, "--", flag);
    let source = |path: &str| documents::read(&documents::root().join(path));
    known.extend(words(&source("benches/peers/autoscale.py"), "--", flag));
    let fields =
        ["crates/chat-backend/src/serve/settings.rs", "crates/chat-backend/src/load/mod.rs", "benches/src/bin/load.rs"]
            .map(source);
    for field in fields.iter().flat_map(|text| text.lines()) {
        let field = field.trim().strip_prefix("pub(crate) ").unwrap_or(field.trim());
        if let Some((name, _)) = field.split_once(": ") {
            known.insert(format!("--{}", name.replace('_', "-")));
        }
    }
    let mut unknown = BTreeSet::new();
    for document in documents::all() {
        for part in prose(&documents::read(&document)).split('`').skip(1).step_by(2) {
            for named in words(part, "--", flag) {
                if named.trim_matches('-').is_empty() || FOREIGN_FLAGS.contains(&named.as_str()) {
                    continue;
                }
                if !known.contains(&named) {
                    unknown.insert(format!("{}: {named}", document.display()));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn every_recipe_and_every_file_that_a_command_names_is_there() {
    let recipes = documents::read(&documents::root().join("justfile"));
    let mut missing = Vec::new();
    for block in documents::blocks("sh") {
        for line in commands(&block) {
            let words: Vec<_> = line.split(' ').collect();
            if let Some(place) = words.iter().position(|word| *word == "just") {
                let recipe = words.get(place + 1).copied().unwrap_or_default();
                let is_there = |line: &str| line.split([' ', ':']).next() == Some(recipe);
                if !recipes.lines().any(is_there) {
                    missing.push(format!("{}: {line}", block.place));
                }
            }
            let is_ours =
                |word: &&&str| ["k8s/", "crates/", "benches/", "tests/"].iter().any(|folder| word.starts_with(folder));
            for path in words.iter().filter(is_ours).filter(|path| !path.contains('$')) {
                if !documents::root().join(path).exists() {
                    missing.push(format!("{}: {path}", block.place));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
