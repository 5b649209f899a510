//! `/api/app`: what the page needs before it shows anything.

use axum::extract::State;
use axum::response::Response;
use callboard_model::access::Access;
use callboard_model::api::AppInfo;
use utoipa_axum::routes;

use super::caller::Caller;
use super::error::json;
use super::routes::Routes;
use super::state::App;
use super::{extensions, session};
use crate::policy::Permission;

pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(app).add(Permission::Public, routes!(show))
}

/// What parts of the page are only for.
const ASKED: [Permission; 5] = [
    Permission::AuditRead,
    Permission::EventManage,
    Permission::EventRead,
    Permission::PluginManage,
    Permission::PolicyRead,
];

/// Title, version, session, the pages that plugins contribute, and what the reader may of what the page asks.
#[utoipa::path(get, path = "/app", tag = "app", operation_id = "getApp", responses((status = 200, body = AppInfo)))]
async fn show(State(app): State<App>, caller: Caller) -> Response {
    let has = |permission: &Permission| caller.access_to(permission.clone()) != Access::None;
    let sees_plugins = has(&Permission::PluginUse);
    json(&AppInfo {
        title: app.title.clone(),
        organization: app.organization.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        session: session::of(&app, &caller.principal),
        may: ASKED.iter().filter(|permission| has(permission)).map(|permission| permission.name().to_owned()).collect(),
        pages: if sees_plugins { extensions::pages(&app) } else { Vec::new() },
    })
}
