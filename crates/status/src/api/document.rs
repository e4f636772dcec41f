//! `/api/v1/openapi.json`: the API, described from the types that its answers are made of.

use axum::Json;
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::{events, targets};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Prescale",
        version = "1",
        description = "What Prescale sees, forecasts and publishes, target by target. Read-only. Loads are in the unit of each target's query."
    ),
    paths(targets::list, targets::of_object, targets::detail, targets::moment, events::events),
    modifiers(&Misdirected)
)]
struct Api;

/// What the port answers, whatever is asked for, under a name that is none of its own (`ops::Hosts`).
struct Misdirected;

impl Modify for Misdirected {
    fn modify(&self, document: &mut Document) {
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let answer = ResponseBuilder::new()
            .description(
                "`Host` names another server, or none: ask for an address, or have the name allowed by --allow-host",
            )
            .content("application/problem+json", problem)
            .build();
        for item in document.paths.paths.values_mut() {
            if let Some(operation) = &mut item.get {
                operation.responses.responses.insert("421".to_owned(), answer.clone().into());
            }
        }
    }
}

/// The document.
pub(super) async fn openapi() -> Json<Document> {
    Json(Api::openapi())
}
