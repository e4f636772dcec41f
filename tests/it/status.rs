//! The status page's API and `prescale explain`, against the real process: a target appears, its fault is told, and no secret
//! ever shows.

use serde_json::Value;

use crate::harness::eventually::eventually;
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::http;
use crate::harness::keda::{Keda, Trigger};
use crate::harness::prescale::{Prescale, StateFolder, run};

async fn json(prescale: &Prescale, path: &str) -> Value {
    let (status, body) = prescale.get(path).await;
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

/// The one target, once the page knows a value of it.
async fn shown(prescale: &Prescale) -> Value {
    eventually("the target on the page", async || {
        let list = json(prescale, "/api/v1/targets").await;
        let target = &list["targets"][0];
        if target["published"].is_number() { Ok(target.clone()) } else { Err(list.to_string()) }
    })
    .await
}

fn path_of(target: &Value) -> String {
    let part = |name: &str| target[name].as_str().expect("a name").to_owned();
    format!("/api/v1/targets/{}/{}/{}", part("namespace"), part("name"), part("digest"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_appears_with_its_story_and_its_fault_is_told_there_and_in_the_terminal() {
    let mut server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let trigger = Trigger::light("shown", &server.url());
    let value = keda.value_at_last(&trigger).await;
    let target = shown(&prescale).await;
    assert_eq!(target["name"], "shown");

    let path = path_of(&target);
    let detail = eventually("a forecast on the page", async || {
        let detail = json(&prescale, &path).await;
        if detail["forecast"].is_object() { Ok(detail) } else { Err(detail["story"].to_string()) }
    })
    .await;
    assert!(detail["answer"]["value"].is_number(), "KEDA was told {value}: {}", detail["answer"]);
    assert!(detail["plan"].as_array().is_some_and(|plan| plan.len() > 20), "{}", detail["plan"]);
    assert_eq!(detail["metadata"]["leadTime"], "10m");

    let http = format!("http://{}", prescale.http());
    let told = run(&["explain", "ml-autoscaler/shown", "--server", &http]);
    let text = String::from_utf8(told.stdout).expect("text");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert!(text.contains("The source said") && text.contains("The next day"), "{text}");
    let told = run(&["explain", "ml-autoscaler/shown", "--server", &http, "--at", "1s"]);
    let text = String::from_utf8(told.stdout).expect("text");
    assert!(text.contains("the load was") && told.status.success(), "{text}");
    let told = run(&["explain", "ml-autoscaler/nobody", "--server", &http]);
    let error = String::from_utf8(told.stderr).expect("text");
    assert!(error.contains("no such target") && !told.status.success(), "{error}");

    server.behave(Behavior::ServerError);
    let failing = eventually("the fault on the page", async || {
        let detail = json(&prescale, &path).await;
        if detail["source"]["state"] == "failing" { Ok(detail) } else { Err(detail["source"].to_string()) }
    })
    .await;
    assert_eq!(failing["target"]["state"], "degraded");
    assert_eq!(failing["events"][0]["kind"], "source-failing");
    let told = run(&["explain", "ml-autoscaler/shown", "--server", &http]);
    assert!(String::from_utf8_lossy(&told.stdout).contains("has been failing since"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_somebody_outside_may_own_gets_an_answer_to_probes_alone() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url(), "--allow-host", "prescale.example.com"]).await;
    let asked = async |host: &str, path: &str| {
        http::get_as(prescale.http(), host, path).await.unwrap_or_else(|error| panic!("{host}{path}: {error}"))
    };
    for path in ["/", "/assets/main.js", "/api/v1/targets", "/api/v1/openapi.json", "/metrics"] {
        for own in [
            "10.1.2.3:8080",
            "localhost",
            "prescale:8080",
            "keda-scaler.ml-autoscaler.svc:8080",
            "prescale.example.com",
        ] {
            assert_eq!(asked(own, path).await.0, 200, "{own}{path}");
        }
        let (status, body) = asked("rebound.example.com", path).await;
        assert_eq!(status, 421, "{path}: {body}");
        assert!(body.contains("--allow-host rebound.example.com"), "{body}");
    }
    let document = json(&prescale, "/api/v1/openapi.json").await;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let (status, body) = asked("rebound.example.com", path).await;
        let described = &item["get"]["responses"][status.to_string()]["content"]["application/problem+json"];
        assert!(described.is_object(), "{path}: {status} is not described");
        let problem: Value = serde_json::from_str(&body).expect("JSON");
        let fields = |object: &Value| object.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
        assert_eq!(fields(&problem), fields(&document["components"]["schemas"]["Problem"]["properties"]), "{path}");
    }
    for probe in ["/livez", "/readyz"] {
        assert_eq!(asked("rebound.example.com", probe).await.0, 200, "{probe}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_shows_on_the_page_in_answers_logs_metrics_or_the_terminal() {
    let mut server = FaultyPrometheus::start(Behavior::Healthy);
    let folder = StateFolder::new();
    let files = tempfile::tempdir().expect("there is room");
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).expect("it can be written");
        path.display().to_string()
    };
    let token = file("token", "hush-token");
    let header = file("header", "hush-header");
    let config = format!(
        "credentials:\n  tenant-a:\n    servers: [{0:?}]\n    bearerTokenFile: {token:?}\n    headerFiles: {{x-tenant: {header:?}}}\n",
        server.url()
    );
    let config = file("config.yaml", &config);
    let flags = ["--config", &config, "--allow-server", "*"];
    let prescale = Prescale::serve_from(&folder, &flags).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let trigger = Trigger::light("secretive", &server.url())
        .with("credentials", "tenant-a")
        .with("customHeaders", "X-Api-Key=hush-metadata")
        .with("queryParameters", "key=hush-parameter");
    keda.value_at_last(&trigger).await;
    assert_eq!(server.last_header("x-api-key").as_deref(), Some("hush-metadata"), "the secrets are in use");
    assert_eq!(server.last_header("authorization").as_deref(), Some("Bearer hush-token"));
    let target = shown(&prescale).await;
    let path = path_of(&target);
    let http = format!("http://{}", prescale.http());

    for behavior in [Behavior::Healthy, Behavior::Unauthorized, Behavior::Page, Behavior::Down] {
        server.behave(behavior);
        let wanted = if behavior == Behavior::Healthy { "answering" } else { "failing" };
        eventually("the state of the source", async || {
            let state = json(&prescale, &path).await["source"]["state"].clone();
            if state == wanted { Ok(()) } else { Err(state.to_string()) }
        })
        .await;
        let at = json(&prescale, "/api/v1/targets").await["now"].as_str().expect("a time").to_owned();
        let moment = format!("{path}/moment?at={at}");
        let of_object = "/api/v1/targets/ml-autoscaler/secretive";
        for asked in ["/", "/api/v1/targets", of_object, &path, &moment, "/metrics", "/readyz", "/api/v1/openapi.json"]
        {
            let (status, body) = prescale.get(asked).await;
            assert_eq!(status, 200, "{asked}");
            assert!(!body.contains("hush-"), "{asked} shows a secret: {body}");
        }
        for further in [&[] as &[&str], &["--json"], &["--at", "1s"]] {
            let told = run(&[["explain", "ml-autoscaler/secretive", "--server", &http].as_slice(), further].concat());
            assert!(told.status.success() && !told.stdout.is_empty(), "{}", String::from_utf8_lossy(&told.stderr));
            assert!(!String::from_utf8_lossy(&told.stdout).contains("hush-"), "{further:?}");
        }
        let answer = keda.value(&trigger).await.map_or_else(|status| status.to_string(), |value| value.to_string());
        assert!(!answer.contains("hush-"), "{answer}");
    }
    assert_eq!(prescale.logged(&["hush-"]), 0, "a line of the log shows a secret");
    let names = json(&prescale, &path).await["metadata"].to_string();
    assert!(names.contains("x-api-key") && names.contains("tenant-a"), "names are no secrets: {names}");

    let mut prescale = prescale;
    prescale.terminate();
    assert!(prescale.end().await.success());
    assert_eq!(prescale.logged(&["hush-"]), 0, "a line of the log shows a secret");
    let mut kept = 0;
    for file in std::fs::read_dir(folder.path()).expect("it was written") {
        let bytes = std::fs::read(file.expect("it can be listed").path()).expect("it can be read");
        kept += bytes.len();
        assert!(!bytes.windows(5).any(|bytes| bytes == b"hush-"), "the state file holds a secret");
    }
    assert!(kept > 1000, "{kept} bytes of state");
}

/// All that a command says.
fn said(arguments: &[&str]) -> String {
    let output = run(arguments);
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn no_secret_shows_in_what_commands_say_of_mistakes() {
    let folder = tempfile::tempdir().expect("there is room for a temporary directory");
    let manifest = "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: shop, namespace: shop}
spec:
  scaleTargetRef: {name: shop}
  triggers:
    - type: external
      metadata:
        scalerAddress: prescale:6000
        serverAddress: http://user:hush-address@prometheus:9090
        query: load
        threshold: '12'
        customHeaders: X-Api-Key=hush-header,hush-name
        queryParameters: key=hush=parameter,hush-parameter
        credentials: Hush-Credentials
        customHeadersFromEnv: hush-environment
";
    let file = folder.path().join("scaledobject.yaml");
    std::fs::write(&file, manifest).expect("it is writable");
    let file = file.display().to_string();
    // nobody listens there
    let address = "http://user:hush-address@127.0.0.1:1";
    let redis = "redis://:hush-redis@127.0.0.1:1/none";
    let token = "https://prometheus?token=hush-token";
    let query = ["--query", "load", "--threshold", "12"];
    for (arguments, part) in [
        (vec!["check", &file], "serverAddress"),
        (vec!["check", &file, "--prometheus", address], "--prometheus"),
        ([["backtest", "--prometheus", address].as_slice(), &query].concat(), "--prometheus"),
        ([["backtest", "--prometheus", token].as_slice(), &query].concat(), "--prometheus"),
        (vec!["explain", "shop/shop", "--server", address], "does not answer"),
        (vec!["serve", "--prometheus", address], "prometheus"),
        (vec!["serve", "--prometheus", token], "prometheus"),
        (vec!["serve", "--allow-server", address], "allowServers"),
        (vec!["serve", "--prometheus", "http://p", "--redis-url", redis], "redisUrl"),
        (vec!["serve", "--role", "scaler", "--forecaster", address], "forecasters"),
    ] {
        let said = said(&arguments).to_lowercase();
        assert!(said.contains(&part.to_lowercase()), "{arguments:?}: {said}");
        assert!(!said.contains("hush"), "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_shows_in_what_is_logged_of_a_store_that_cannot_be_reached() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    // nobody listens there
    let redis = "redis://:hush-redis@127.0.0.1:1/0";
    let prescale = Prescale::serve(&["--prometheus", &server.url(), "--redis-url", redis]).await;
    Keda::connect(prescale.grpc()).await.value_at_last(&Trigger::light("kept", &server.url())).await;
    eventually("a store that fails", async || match prescale.metric("prescale_store_up", &[]).await {
        Some(0.0) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert!(prescale.logged(&["store"]) > 0, "it is said that the store fails");
    assert_eq!(prescale.logged(&["hush-"]), 0, "a line of the log shows a secret");
    let (_, ready) = prescale.get("/readyz").await;
    assert!(!ready.contains("hush-"), "{ready}");
}
