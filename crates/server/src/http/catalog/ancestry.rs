//! `GET /entities/by-name/{kind}/{namespace}/{name}/ancestry`.

use axum::extract::State;
use axum::response::Response;
use callboard_catalog::Error;
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;

use super::schema::AncestryAnswer;
use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result, json};
use crate::http::params::NoParams;
use crate::http::state::App;

/// The entity, then everything that it was read from, as far as the caller may see it.
#[utoipa::path(get, path = "/entities/by-name/{kind}/{namespace}/{name}/ancestry", tag = "catalog",
    operation_id = "GetEntityAncestryByName",
    params(("kind" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "The entity first", body = AncestryAnswer),
        (status = 403, description = "The caller may not see the entity itself"), (status = 404, description = "No such entity")))]
pub(super) async fn ancestry(
    State(app): State<App>,
    caller: Caller,
    _: NoParams,
    Path((kind, namespace, name)): Path<(String, String, String)>,
) -> Result<Response> {
    let entity_ref = EntityRef::new(&kind, &namespace, &name);
    match app.catalog.ancestry(&caller.access, &entity_ref).await {
        Ok(ancestry) => Ok(json(&ancestry)),
        // This route alone tells a hidden entity from one that is not there; clients depend on it.
        Err(Error::NotFound(_)) if app.catalog.by_ref(&Access::All, &entity_ref).await?.is_some() => {
            Err(caller.lacks_for(&entity_ref.to_string()))
        }
        Err(Error::NotFound(_)) => Err(ApiError::not_found(format!("No such entity {entity_ref}"))),
        Err(error) => Err(error.into()),
    }
}
