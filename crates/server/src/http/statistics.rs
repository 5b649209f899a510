//! `/api/plugins/{id}/statistics` and `/log`: what a plugin does while it runs.

use axum::extract::State;
use axum::response::Response;
use callboard_model::api::{PluginLog, PluginStatistics};
use utoipa_axum::routes;

use super::body::Path;
use super::error::{Result, json};
use super::plugins;
use super::routes::Routes;
use super::state::App;
use crate::policy::Permission;

pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(app).add(Permission::PluginRead, routes!(statistics)).add(Permission::PluginLog, routes!(log))
}

/// A plugin's calls and requests, and what it was refused.
#[utoipa::path(get, path = "/plugins/{id}/statistics", tag = "plugins", operation_id = "getPluginStatistics",
    params(("id" = String, Path)),
    responses((status = 200, body = PluginStatistics), (status = 404, description = "Not in app-config")))]
async fn statistics(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    plugins::listed(&app, &id)?;
    Ok(json(&match app.host.statistics(&id) {
        Some(statistics) => statistics.numbers(),
        None => PluginStatistics { plugin_id: id, ..PluginStatistics::default() },
    }))
}

/// What a plugin wrote last, and its last fault. It may have written about what it saw for somebody else, so this has a
/// permission of its own.
#[utoipa::path(get, path = "/plugins/{id}/log", tag = "plugins", operation_id = "getPluginLog",
    params(("id" = String, Path)),
    responses((status = 200, body = PluginLog), (status = 404, description = "Not in app-config")))]
async fn log(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    plugins::listed(&app, &id)?;
    Ok(json(&match app.host.statistics(&id) {
        Some(statistics) => statistics.words(),
        None => PluginLog { plugin_id: id, ..PluginLog::default() },
    }))
}
