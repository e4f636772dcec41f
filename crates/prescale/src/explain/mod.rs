//! `prescale explain NAMESPACE/NAME`: what a running scaler sees, forecasts and publishes for one ScaledObject, and why each.
//!
//! The story is told by the server, the same as on its page; what is here asks for it and lays it out for a terminal.

mod answers;
mod layout;
mod server;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use series::Timestamp;
use url::Url;

use answers::{Detail, Listed, Moment};
use server::Server;

/// Tell what a running scaler sees, forecasts and publishes for a ScaledObject, and why.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The ScaledObject
    #[arg(value_name = "NAMESPACE/NAME", value_parser = parse_object)]
    object: Object,

    /// Where the scaler serves HTTP (--http-address of `prescale serve`); for one in a cluster:
    /// kubectl port-forward -n ml-autoscaler deploy/keda-scaler 8080
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", value_parser = parse_server)]
    server: Url,

    /// A moment of the past, as far back as it is kept: how long ago (20m), or 2026-03-18T15:04:05Z
    #[arg(long, value_name = "TIME", value_parser = parse_when)]
    at: Option<When>,

    /// What the server answered, as JSON: one document per trigger
    #[arg(long)]
    json: bool,
}

/// A ScaledObject by its names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    namespace: String,
    name: String,
}

/// A moment, by the clock of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Ago(std::time::Duration),
    At(Timestamp),
}

impl When {
    fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(span) => now.saturating_sub(span).unwrap_or(Timestamp::MIN),
            Self::At(time) => time,
        }
    }
}

/// Explains every trigger of the object.
///
/// # Errors
/// Where the server does not answer, does not know the object, or keeps nothing of the moment asked about.
pub(crate) async fn run(args: ExplainArgs) -> anyhow::Result<ExitCode> {
    let server = Server::at(&args.server)?;
    let Object { namespace, name } = &args.object;
    let listed: Listed = parsed(&server.get(&["targets", namespace, name], None).await?)?;
    let mut told = Vec::new();
    for (place, target) in listed.targets.iter().enumerate() {
        let path = ["targets", namespace, name, &target.digest];
        let answer = match args.at {
            None => server.get(&path, None).await?,
            Some(when) => server.get(&[path.as_slice(), &["moment"]].concat(), Some(when.from(listed.now))).await?,
        };
        if args.json {
            writeln!(told, "{answer}")?;
            continue;
        }
        if place > 0 {
            writeln!(told)?;
        }
        if args.at.is_some() {
            layout::moment(&mut told, target, &parsed::<Moment>(&answer)?)?;
        } else {
            layout::detail(&mut told, &parsed::<Detail>(&answer)?)?;
        }
    }
    std::io::stdout().lock().write_all(&told)?;
    Ok(ExitCode::SUCCESS)
}

fn parsed<T: serde::de::DeserializeOwned>(answer: &str) -> anyhow::Result<T> {
    serde_json::from_str(answer)
        .context("the server answers otherwise than this version expects; use the same version for both")
}

fn parse_object(text: &str) -> Result<Object, String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(Object { namespace: namespace.to_owned(), name: name.to_owned() })
        }
        _ => Err("write the namespace and the name of the ScaledObject, such as shop/checkout".to_owned()),
    }
}

fn parse_server(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| "write an http:// or https:// URL, such as http://127.0.0.1:8080".to_owned())
}

fn parse_when(text: &str) -> Result<When, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(When::At(time));
    }
    let ago = text.trim().trim_end_matches("ago").trim_end();
    scaler::parse_duration(ago)
        .map(When::Ago)
        .map_err(|_| "write how long ago, such as 20m, or a time such as 2026-03-18T15:04:05Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_with_their_namespace() {
        let object = Object { namespace: "shop".to_owned(), name: "checkout".to_owned() };
        assert_eq!(parse_object("shop/checkout"), Ok(object));
        for text in ["checkout", "/checkout", "shop/", "shop/checkout/1", ""] {
            assert!(parse_object(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_spans_ago_or_times() {
        let now: Timestamp = "2026-03-18T15:00:00Z".parse().unwrap();
        let read = |text: &str| parse_when(text).map(|when| when.from(now).to_string());
        assert_eq!(read("20m"), Ok("2026-03-18T14:40:00Z".to_owned()));
        assert_eq!(read("1h30m ago"), Ok("2026-03-18T13:30:00Z".to_owned()));
        assert_eq!(read("2026-03-18T15:04:05+01:00"), Ok("2026-03-18T14:04:05Z".to_owned()));
        assert!(read("yesterday").is_err() && read("20").is_err());
    }
}
