//! `/api/v1/openapi.json`: the API, described from the types that its answers are made of.

use axum::Json;
use utoipa::OpenApi;

use super::{events, targets};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Prescale",
        version = "1",
        description = "What Prescale sees, forecasts and publishes, target by target. Read-only. Loads are in the unit of each target's query."
    ),
    paths(targets::list, targets::of_object, targets::detail, targets::moment, events::events)
)]
struct Api;

/// The document.
pub(super) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}
