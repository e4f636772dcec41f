//! The answers about targets.

use std::sync::{Arc, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use series::{TargetKey, Timestamp};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::problem::Problem;
use super::tagged::tagged;
use crate::view::{Detail, Moment, Summary};

const JSON: &str = "application/json";

/// Targets in a line each.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TargetList {
    /// The time by the server's clock.
    now: Timestamp,
    /// Moves whenever one of the targets does.
    version: u64,
    /// In the order of namespace, name and digest.
    targets: Vec<Summary>,
}

/// Every target that KEDA asks for, in a line each.
#[utoipa::path(get, path = "/api/v1/targets", responses(
    (status = 200, body = TargetList, description = "Every target"),
    (status = 304, description = "The client has it already"),
))]
pub(super) async fn list(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let seen = shared.observatory.seen();
    tagged(&headers, &shared.tag(seen.version), JSON, || {
        let mut kept = shared.list.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((version, body)) if *version == seen.version => body.clone(),
            _ => {
                let targets = shared.observatory.since(0, Summary::of);
                let body = json(&TargetList { now: seen.at, version: seen.version, targets });
                *kept = Some((seen.version, body.clone()));
                body
            }
        }
    })
}

/// The triggers of one ScaledObject, in a line each.
#[utoipa::path(get, path = "/api/v1/targets/{namespace}/{name}",
    params(
        ("namespace" = String, Path, description = "Namespace of the ScaledObject"),
        ("name" = String, Path, description = "Name of the ScaledObject"),
    ),
    responses(
        (status = 200, body = TargetList, description = "Its triggers that KEDA asks for"),
        (status = 304, description = "The client has it already"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "KEDA asks for none"),
    ),
)]
pub(super) async fn of_object(
    State(shared): State<Arc<Shared>>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seen = shared.observatory.seen();
    let keys = shared.observatory.keys(|key| *key.namespace == *namespace && *key.name == *name);
    let targets: Vec<_> = keys.iter().filter_map(|key| shared.observatory.with(key, Summary::of)).collect();
    if targets.is_empty() {
        return Err(Problem::no_target());
    }
    let answer = TargetList { now: seen.at, version: seen.version, targets };
    Ok(tagged(&headers, &shared.tag(seen.version), JSON, || json(&answer)))
}

/// Everything known of one target.
#[utoipa::path(get, path = "/api/v1/targets/{namespace}/{name}/{digest}",
    params(
        ("namespace" = String, Path, description = "Namespace of the ScaledObject"),
        ("name" = String, Path, description = "Name of the ScaledObject"),
        ("digest" = String, Path, description = "Digest of the trigger's metadata, as the lists have it"),
    ),
    responses(
        (status = 200, body = Detail, description = "Everything known of it"),
        (status = 304, description = "The client has it already"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "KEDA does not ask for it"),
    ),
)]
pub(super) async fn detail(
    State(shared): State<Arc<Shared>>,
    Path((namespace, name, digest)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = key(&namespace, &name, &digest);
    let version = shared.observatory.with(&key, |record| record.version).ok_or_else(Problem::no_target)?;
    let now = shared.observatory.seen().at;
    let detail = || shared.observatory.with(&key, |record| Detail::of(record, now));
    Ok(tagged(&headers, &shared.tag(version), JSON, || detail().map_or_else(Bytes::new, |detail| json(&detail))))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct When {
    /// The moment asked about: RFC 3339; Unix seconds are read as well.
    #[param(format = DateTime)]
    at: String,
}

/// One minute of a target's past, as far back as it is kept.
#[utoipa::path(get, path = "/api/v1/targets/{namespace}/{name}/{digest}/moment",
    params(
        ("namespace" = String, Path, description = "Namespace of the ScaledObject"),
        ("name" = String, Path, description = "Name of the ScaledObject"),
        ("digest" = String, Path, description = "Digest of the trigger's metadata, as the lists have it"),
        When,
    ),
    responses(
        (status = 200, body = Moment, description = "The minute that covers the time"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "`at` is no time"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "Nothing is kept of it"),
    ),
)]
pub(super) async fn moment(
    State(shared): State<Arc<Shared>>,
    Path((namespace, name, digest)): Path<(String, String, String)>,
    when: Result<Query<When>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<Moment>, Problem> {
    let Ok(Query(When { at })) = when else { return Err(Problem::no_time()) };
    let seconds = || at.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let at = at.parse::<Timestamp>().ok().or_else(seconds).ok_or_else(Problem::no_time)?;
    let key = key(&namespace, &name, &digest);
    let moment = shared.observatory.with(&key, |record| Moment::of(record, at)).ok_or_else(Problem::no_target)?;
    moment.map(axum::Json).ok_or_else(Problem::no_moment)
}

impl Shared {
    /// Tags what has `version`, here and now: another process counts anew.
    fn tag(&self, version: u64) -> String {
        format!("{:x}-{version}", self.observatory.began.as_millisecond())
    }
}

fn key(namespace: &str, name: &str, digest: &str) -> TargetKey {
    TargetKey { namespace: namespace.into(), name: name.into(), digest: digest.into() }
}

fn json(answer: &impl Serialize) -> Bytes {
    // numbers, texts and lists of them: nothing that JSON has no words for
    serde_json::to_vec(answer).map_or_else(|_| Bytes::new(), Bytes::from)
}
