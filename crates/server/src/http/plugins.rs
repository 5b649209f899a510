//! `/api/plugins`: which plugins there are, in which state, with which grants.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use callboard_host::{Plugin, Processor};
use callboard_model::api::{PluginInfo, PluginList, PluginState, ProcessorInfo, ProviderInfo};
use callboard_model::rights::Rights;
use utoipa_axum::routes;

use super::body::Path;
use super::error::{ApiError, Result, json};
use super::extensions;
use super::routes::Routes;
use super::state::App;
use crate::policy::Permission;
use crate::portal::plugins::{Listed, Outcome};

pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(app)
        .add(Permission::PluginRead, routes!(list))
        .add(Permission::PluginRead, routes!(show))
        .add(Permission::PluginRun, routes!(run))
}

/// All plugins of app-config.
#[utoipa::path(get, path = "/plugins", tag = "plugins", operation_id = "listPlugins", responses((status = 200, body = PluginList)))]
async fn list(State(app): State<App>) -> Result<Response> {
    let providers = providers(&app).await?;
    let items = app.plugins.all().iter().map(|listed| info(listed, &providers)).collect();
    Ok(json(&PluginList { items }))
}

/// One plugin.
#[utoipa::path(get, path = "/plugins/{id}", tag = "plugins", operation_id = "getPlugin", params(("id" = String, Path)),
    responses((status = 200, body = PluginInfo), (status = 404, description = "Not in app-config")))]
async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    let listed = listed(&app, &id)?;
    Ok(json(&info(listed, &providers(&app).await?)))
}

/// Has a provider run now instead of at its next time.
#[utoipa::path(post, path = "/plugins/{id}/providers/{name}/run", tag = "plugins", operation_id = "runProvider",
    params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 202, description = "It runs"), (status = 404, description = "No such plugin or provider")))]
async fn run(State(app): State<App>, Path((id, name)): Path<(String, String)>) -> Result<Response> {
    let listed = listed(&app, &id)?;
    if !listed.providers.contains(&name) {
        return Err(ApiError::not_found(format!("Plugin {id} has no provider '{}'", name.escape_default())));
    }
    app.catalog.trigger(&name)?;
    Ok(StatusCode::ACCEPTED.into_response())
}

/// A plugin that can be called.
pub(crate) fn running<'a>(app: &'a App, id: &str) -> Result<&'a Plugin> {
    let listed = listed(app, id)?;
    match &listed.outcome {
        Outcome::Loaded(plugin) => Ok(plugin),
        Outcome::Refused { reason, .. } => Err(ApiError::unavailable(format!("Plugin {id} does not run: {reason}"))),
    }
}

fn listed<'a>(app: &'a App, id: &str) -> Result<&'a Listed> {
    let found = app.plugins.all().iter().find(|listed| listed.id == id);
    found.ok_or_else(|| ApiError::not_found(format!("No plugin '{}' in app-config", id.escape_default())))
}

async fn providers(app: &App) -> Result<BTreeMap<String, ProviderInfo>> {
    let status = app.catalog.provider_status().await?;
    Ok(status.into_iter().map(|info| (info.name.clone(), info)).collect())
}

fn info(listed: &Listed, providers: &BTreeMap<String, ProviderInfo>) -> PluginInfo {
    let (state, reason) = match &listed.outcome {
        Outcome::Loaded(plugin) => match plugin.suspension() {
            None => (PluginState::Running, None),
            Some(suspension) => (
                PluginState::Suspended,
                Some(format!(
                    "it failed again and again, and is not called for {} s: {}",
                    suspension.remaining.as_secs().saturating_add(1),
                    suspension.reason
                )),
            ),
        },
        Outcome::Refused { reason, .. } => (PluginState::Refused, Some(reason.clone())),
    };
    let manifest = listed.outcome.manifest();
    let plugin = listed.outcome.plugin();
    PluginInfo {
        id: listed.id.clone(),
        name: manifest.map_or_else(|| listed.id.clone(), |manifest| manifest.name.clone()),
        version: manifest.map(|manifest| manifest.version.to_string()),
        description: manifest.map(|manifest| manifest.description.clone()).unwrap_or_default(),
        source: listed.source.clone(),
        digest: listed.outcome.digest().map(ToOwned::to_owned),
        state,
        reason,
        declared: manifest.map(|manifest| manifest.rights.clone()).unwrap_or_default(),
        granted: listed.granted.clone(),
        effective: plugin.map_or_else(Rights::default, |plugin| plugin.effective().clone()),
        extension_points: listed.outcome.extension_points(),
        extensions: plugin
            .map(|plugin| {
                plugin.manifest().contributes.ui.iter().map(|extension| extensions::info(plugin, extension)).collect()
            })
            .unwrap_or_default(),
        providers: listed
            .providers
            .iter()
            .map(|name| {
                let unknown = || ProviderInfo { name: name.clone(), ..ProviderInfo::default() };
                providers.get(name).cloned().unwrap_or_else(unknown)
            })
            .collect(),
        processors: plugin.map(|plugin| plugin.processors().into_iter().map(processor).collect()).unwrap_or_default(),
    }
}

fn processor(processor: Processor) -> ProcessorInfo {
    let Processor { name, description, hooks, after, filter, pure, .. } = processor;
    ProcessorInfo { name, description, hooks, after, filter, pure }
}
