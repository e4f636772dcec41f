//! What the documents tell people to write and to type, written and typed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::harness::documents::{self, Block, commands};
use crate::harness::eventually::eventually;
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::load;
use crate::harness::prescale::{Prescale, program, run};

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).expect("there is room");
    file.display().to_string()
}

/// The triggers in the documents, each in a manifest.
fn manifests() -> Vec<(String, String)> {
    const HEAD: &str = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: chat-backend, namespace: ml-autoscaler}\nspec:\n  \
         scaleTargetRef: {name: chat-backend}\n";
    let external = documents::blocks("yaml").into_iter().filter(|block| block.text.contains("type: external"));
    let whole = |Block { place, text, .. }: Block| {
        if text.starts_with("apiVersion:") {
            return (place, text);
        }
        let mut manifest = HEAD.to_owned();
        text.lines().for_each(|line| writeln!(manifest, "  {line}").expect("a string"));
        (place, manifest)
    };
    external.map(whole).collect()
}

#[test]
fn every_trigger_in_a_document_passes_the_check() {
    let folder = tempfile::tempdir().expect("there is room for a temporary directory");
    let manifests = manifests();
    assert!(manifests.len() >= 6, "{manifests:?}");
    for (place, manifest) in manifests {
        let output = run(&["check", "--server-default", &write(folder.path(), "scaledobject.yaml", &manifest)]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("external: valid"), "{place}: {said}");
    }
}

#[test]
fn every_configuration_in_a_document_is_one_that_the_server_takes() {
    let folder = tempfile::tempdir().expect("there is room for a temporary directory");
    let is_configuration =
        |block: &Block| block.text.contains("allowServers:") || block.text.contains("credentials:\n");
    let found: Vec<_> = documents::blocks("yaml").into_iter().filter(is_configuration).collect();
    assert!(!found.is_empty(), "the configuration reference has an example");
    for block in found {
        // it does not start, for the one mistake that is not in the document
        let file = write(folder.path(), "prescale.yaml", &block.text);
        let output = run(&["serve", "--config", &file, "--log-format", "none"]);
        let said = String::from_utf8_lossy(&output.stderr);
        let mistakes: Vec<_> = said.lines().skip(1).collect();
        assert!(matches!(mistakes.as_slice(), [one] if one.contains("logFormat")), "{}: {said}", block.place);
    }
}

/// Runs a command in the shell as it stands in a document, in `folder`.
fn typed(command: &str, folder: &Path) -> (bool, String) {
    let program = program();
    let bin = program.parent().expect("it lies in a folder").display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-euc", command])
        .current_dir(folder)
        .env("PATH", format!("{bin}:{path}"))
        .output()
        .expect("there is a shell");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_documents_do_what_they_are_there_for() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    keda.value_at_last(&Trigger::light("chat-backend", &server.url())).await;
    eventually("the target in the API", async || {
        match prescale.get("/api/v1/targets/ml-autoscaler/chat-backend").await {
            (200, body) if !body.contains("\"published\":null") => Ok(()),
            (status, body) => Err(format!("{status}: {body}")),
        }
    })
    .await;
    let folder = tempfile::tempdir().expect("there is room for a temporary directory");
    let names_its_server = |(_, manifest): &(String, String)| manifest.contains("serverAddress:");
    let (_, manifest) = manifests().into_iter().find(names_its_server).expect("one that needs no default server");
    write(folder.path(), "scaledobject.yaml", &manifest);
    let quarter = |place: u32| 1_767_225_600.0 + 900.0 * f64::from(place);
    let rows = (0..96 * 6).map(quarter).map(|time| format!("{time},{:.3}", load::at(time)));
    write(folder.path(), "load.csv", &format!("timestamp,value\n{}\n", rows.collect::<Vec<_>>().join("\n")));
    let explained = format!("--server http://{}", prescale.http());

    let mut run = 0;
    for block in documents::blocks("sh") {
        // the traces of the examples are tested where they are made
        if block.file.to_string_lossy().contains("k8s") {
            continue;
        }
        for command in commands(&block) {
            let mut words = command.split(' ');
            let command = match (words.next(), words.next()) {
                (Some("prescale"), Some("explain")) => format!("{command} {explained}").replace("--at 20m", "--at 1s"),
                // days of minutes are for a program that was built to be fast
                (Some("prescale"), Some("backtest")) => {
                    format!("{command} --step 15m --history 3d").replace("--since 14d", "--since 6d")
                }
                (Some("prescale"), Some("check" | "forecast")) => command.clone(),
                _ => continue,
            };
            let command = command.replace("http://localhost:9090", &server.url());
            let (is_done, said) = typed(&command, folder.path());
            assert!(is_done && !said.is_empty(), "{}: {command}\n{said}", block.place);
            run += 1;
        }
    }
    assert!(run >= 8, "{run} commands");
    for made in ["report.html", "forecast.svg"] {
        assert!(folder.path().join(made).exists(), "{made}");
    }
}
