//! `/api/permission`: whether somebody may do something, as Backstage's clients ask it, and why, which only ours do.

mod authorize;
mod explain;

use axum::response::Response;
use callboard_model::api::{PermissionInfo, PermissionList};
use serde_json::json;
use utoipa_axum::routes;

use super::error::json as answer;
use super::routes::Routes;
use super::state::App;
use crate::policy::{Permission, Subject};

pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(app)
        .add(Permission::Public, routes!(authorize::authorize))
        .add(Permission::Public, routes!(health))
        .add(Permission::Own, routes!(list))
        .add(Permission::Own, routes!(explain::explain))
}

/// Whether the API is there.
#[utoipa::path(get, path = "/permission/health", tag = "permission", operation_id = "getPermissionHealth",
    responses((status = 200, description = "`status` is `ok`", body = Object)))]
async fn health() -> Response {
    answer(&json!({ "status": "ok" }))
}

/// The permissions that a policy may name, beside those that plugins and the proxy's endpoints name.
#[utoipa::path(get, path = "/permission/permissions", tag = "permission", operation_id = "listPermissions",
    responses((status = 200, body = PermissionList)))]
async fn list() -> Response {
    let info = |permission: &Permission| PermissionInfo {
        name: permission.name().to_owned(),
        action: permission.action().map(|action| action.name().to_owned()),
        about_entities: permission.subject() == Subject::Entities,
    };
    answer(&PermissionList { items: Permission::BUILT_IN.iter().map(info).collect() })
}
