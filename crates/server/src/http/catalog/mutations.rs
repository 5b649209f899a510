//! `POST /refresh` and `DELETE /entities/by-uid/{uid}`.

use axum::extract::State;
use axum::http::StatusCode;
use callboard_catalog::Error;
use callboard_model::entity_ref::EntityRef;

use super::schema::RefreshRequest;
use crate::http::body::{Fields, Path};
use crate::http::caller::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::params::NoParams;
use crate::http::state::App;
use crate::policy::Permission;

/// Has an entity read again from where it comes from.
#[utoipa::path(post, path = "/refresh", tag = "catalog", operation_id = "RefreshEntity",
    request_body = RefreshRequest,
    responses((status = 200, description = "It will be read soon"), (status = 403, description = "Not this one"),
        (status = 404, description = "No such entity")))]
pub(super) async fn refresh(State(app): State<App>, caller: Caller, _: NoParams, body: Fields) -> Result<StatusCode> {
    body.only(&["entityRef", "authorizationToken"])?;
    body.text("authorizationToken")?;
    let entity_ref = EntityRef::parse(body.required("entityRef")?, None, None)
        .map_err(|error| ApiError::input(error.to_string()))?;
    match app.catalog.refresh(&caller.access, &entity_ref).await {
        Ok(()) => Ok(StatusCode::OK),
        Err(Error::NotFound(_)) => {
            let readable = caller.access_to(Permission::EntityRead);
            let seen = app.catalog.by_ref(&readable, &entity_ref).await?.is_some();
            Err(match seen {
                true => caller.lacks_for(&entity_ref.to_string()),
                false => ApiError::not_found(format!("Entity {entity_ref} not found")),
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes an entity. A source that still has it brings it back.
#[utoipa::path(delete, path = "/entities/by-uid/{uid}", tag = "catalog", operation_id = "DeleteEntityByUid",
    params(("uid" = String, Path)),
    responses((status = 204, description = "It is not there, or not any more"), (status = 403, description = "Not this one")))]
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    _: NoParams,
    Path(uid): Path<String>,
) -> Result<StatusCode> {
    if !app.catalog.delete_by_uid(&caller.access, &uid).await? {
        let readable = caller.access_to(Permission::EntityRead);
        if app.catalog.by_uid(&readable, &uid).await?.is_some() {
            return Err(caller.lacks_for("this entity"));
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
