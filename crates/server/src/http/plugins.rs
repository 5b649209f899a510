//! `/api/plugins`: which plugins there are, in which state, with which grants.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use callboard_host::{Plugin, Processor};
use callboard_model::api::{
    ActionInfo, EventInfo, PluginChange, PluginGeneration, PluginHeld, PluginInfo, PluginList, PluginReplica,
    ProcessorInfo, ProviderInfo,
};
use callboard_model::manifest::{Manifest, ScaffolderActionContribution};
use callboard_model::rights::{self, Rights};
use callboard_store::plugins::{Generation, Report};
use chrono::SecondsFormat;
use utoipa_axum::routes;

use super::body::Path;
use super::caller::Caller;
use super::error::{ApiError, Result, json};
use super::extensions;
use super::plugin_routes;
use super::routes::Routes;
use super::state::App;
use crate::plugins::{Change, Listed, Refusal};
use crate::policy::Permission;

pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(app)
        .add(Permission::PluginRead, routes!(list))
        .add(Permission::PluginRead, routes!(show))
        .add(Permission::PluginRun, routes!(run))
        .add(Permission::PluginManage, routes!(reload))
        .add(Permission::PluginManage, routes!(roll_back))
        .add(Permission::PluginManage, routes!(enable))
        .add(Permission::PluginManage, routes!(disable))
}

/// All plugins of app-config.
#[utoipa::path(get, path = "/plugins", tag = "plugins", operation_id = "listPlugins", responses((status = 200, body = PluginList)))]
async fn list(State(app): State<App>) -> Result<Response> {
    let beside = Beside::read(&app).await?;
    let items = app.plugins.current().all().iter().map(|listed| info(listed, &beside)).collect();
    Ok(json(&PluginList { items }))
}

/// One plugin.
#[utoipa::path(get, path = "/plugins/{id}", tag = "plugins", operation_id = "getPlugin", params(("id" = String, Path)),
    responses((status = 200, body = PluginInfo), (status = 404, description = "Not in app-config")))]
async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    let listed = listed(&app, &id)?;
    Ok(json(&info(&listed, &Beside::read(&app).await?)))
}

/// Has a provider run now instead of at its next time.
#[utoipa::path(post, path = "/plugins/{id}/providers/{name}/run", tag = "plugins", operation_id = "runProvider",
    params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 202, description = "It runs"), (status = 404, description = "No such plugin or provider")))]
async fn run(State(app): State<App>, Path((id, name)): Path<(String, String)>) -> Result<Response> {
    let listed = listed(&app, &id)?;
    if !listed.provider_names().any(|own| own == name) {
        return Err(ApiError::not_found(format!("Plugin {id} has no provider '{}'", name.escape_default())));
    }
    app.catalog.trigger(&name)?;
    Ok(StatusCode::ACCEPTED.into_response())
}

/// Reads a plugin from its source again, and takes over what is there where it works.
#[utoipa::path(post, path = "/plugins/{id}/reload", tag = "plugins", operation_id = "reloadPlugin", params(("id" = String, Path)),
    responses((status = 200, body = PluginChange), (status = 404, description = "Not in app-config"),
        (status = 409, description = "It did not work; what ran before goes on")))]
async fn reload(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    change(&app, &caller, &id, Change::Reload).await
}

/// Goes back to the version that ran before, and to what it kept.
#[utoipa::path(post, path = "/plugins/{id}/rollback", tag = "plugins", operation_id = "rollBackPlugin", params(("id" = String, Path)),
    responses((status = 200, body = PluginChange), (status = 404, description = "Not in app-config"),
        (status = 409, description = "There is no way back")))]
async fn roll_back(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    change(&app, &caller, &id, Change::RollBack).await
}

/// Lets a plugin run that was switched off here.
#[utoipa::path(post, path = "/plugins/{id}/enable", tag = "plugins", operation_id = "enablePlugin", params(("id" = String, Path)),
    responses((status = 200, body = PluginChange), (status = 404, description = "Not in app-config"),
        (status = 409, description = "app-config says whether it runs, or it does not work")))]
async fn enable(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    change(&app, &caller, &id, Change::Enable).await
}

/// Stops a plugin. What it brought into the catalog stays.
#[utoipa::path(post, path = "/plugins/{id}/disable", tag = "plugins", operation_id = "disablePlugin", params(("id" = String, Path)),
    responses((status = 200, body = PluginChange), (status = 404, description = "Not in app-config"),
        (status = 409, description = "app-config says whether it runs")))]
async fn disable(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    change(&app, &caller, &id, Change::Disable).await
}

async fn change(app: &App, caller: &Caller, id: &str, change: Change) -> Result<Response> {
    let done = app.plugins.change(id, change, caller.principal.to_string()).await;
    let message = done.map_err(|refusal| match refusal {
        Refusal::NotThere(message) => ApiError::not_found(message),
        Refusal::Impossible(message) => ApiError::conflict(message),
        Refusal::Unavailable(message) => ApiError::unavailable(message),
    })?;
    Ok(json(&PluginChange { message }))
}

/// A plugin that can be called.
pub(crate) fn running(app: &App, id: &str) -> Result<Plugin> {
    let listed = listed(app, id)?;
    let reason = listed.outcome.reason().unwrap_or_default();
    let plugin = listed.outcome.plugin().cloned();
    plugin.ok_or_else(|| ApiError::unavailable(format!("Plugin {id} does not run: {reason}")))
}

/// Whether a webhook is there but for its plugin, which app-config has and which does not run.
pub(crate) fn is_down_with_webhook(app: &App, topic: &str) -> bool {
    let plugins = app.plugins.current();
    let down = plugins.all().iter().filter(|listed| listed.outcome.plugin().is_none());
    down.filter_map(|listed| Some((listed, listed.outcome.manifest()?))).any(|(listed, manifest)| {
        let effective = rights::intersect(&manifest.rights, &listed.granted).event_subscriber.topics;
        let mut webhooks = manifest.contributes.event_subscriber.iter().flat_map(|contributed| &contributed.webhooks);
        webhooks.any(|webhook| webhook.topic == topic && effective.contains(&webhook.topic))
    })
}

pub(crate) fn listed(app: &App, id: &str) -> Result<Arc<Listed>> {
    let found = app.plugins.current().find(id).cloned();
    found.ok_or_else(|| ApiError::not_found(format!("No plugin '{}' in app-config", id.escape_default())))
}

/// What others know of plugins.
struct Beside {
    providers: BTreeMap<String, ProviderInfo>,
    replicas: BTreeMap<String, Vec<Report>>,
}

impl Beside {
    async fn read(app: &App) -> Result<Beside> {
        let status = app.catalog.provider_status().await?;
        let providers = status.into_iter().map(|info| (info.name.clone(), info)).collect();
        let replicas = app.plugins.replicas().await.map_err(|error| ApiError::unavailable(error.to_string()))?;
        Ok(Beside { providers, replicas })
    }

    /// What each replica does with a plugin.
    fn replicas_of(&self, id: &str) -> Vec<PluginReplica> {
        let of = |(replica, reports): (&String, &Vec<Report>)| {
            let report = reports.iter().find(|report| report.plugin == id)?;
            Some(PluginReplica {
                replica: replica.clone(),
                generation: report.generation,
                state: report.state.clone(),
                reason: Some(report.reason.clone()).filter(|reason| !reason.is_empty()),
            })
        };
        self.replicas.iter().filter_map(of).collect()
    }
}

fn info(listed: &Listed, beside: &Beside) -> PluginInfo {
    let plugin = listed.outcome.plugin();
    let suspended = plugin.and_then(Plugin::suspension).map(|suspension| {
        format!(
            "it failed again and again, and is not called for {} s: {}",
            suspension.remaining.as_secs().saturating_add(1),
            suspension.reason
        )
    });
    let manifest = listed.outcome.manifest();
    PluginInfo {
        id: listed.id.clone(),
        name: manifest.map_or_else(|| listed.id.clone(), |manifest| manifest.name.clone()),
        version: manifest.map(|manifest| manifest.version.to_string()),
        description: manifest.map(|manifest| manifest.description.clone()).unwrap_or_default(),
        source: listed.source.clone(),
        digest: listed.outcome.digest().map(ToOwned::to_owned),
        signed_by: listed.signed_by.as_ref().map(ToString::to_string),
        state: listed.state(),
        reason: suspended.or_else(|| listed.outcome.reason().map(ToOwned::to_owned)),
        notice: listed.notice.clone(),
        held: listed
            .held
            .as_ref()
            .map(|held| PluginHeld { version: held.version.to_string(), added: held.added.clone() }),
        generation: listed.generation,
        is_fixed: listed.is_fixed,
        generations: listed.decided.generations.iter().map(generation).collect(),
        replicas: beside.replicas_of(&listed.id),
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
            .provider_names()
            .map(|name| {
                let unknown = || ProviderInfo { name: name.to_owned(), ..ProviderInfo::default() };
                beside.providers.get(name).cloned().unwrap_or_else(unknown)
            })
            .collect(),
        processors: plugin.map(|plugin| plugin.processors().into_iter().map(processor).collect()).unwrap_or_default(),
        events: manifest.map(|manifest| events(manifest, &listed.granted)).unwrap_or_default(),
        routes: plugin.map(plugin_routes::infos).unwrap_or_default(),
        actions: plugin.map(|plugin| plugin.actions().map(action).collect()).unwrap_or_default(),
    }
}

fn generation(generation: &Generation) -> PluginGeneration {
    PluginGeneration {
        number: generation.number,
        state: generation.state.name().to_owned(),
        version: generation.made_of.version.clone(),
        digest: generation.made_of.digest.clone(),
        decided_by: generation.decided_by.clone(),
        decided_at: generation.decided_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        reason: Some(generation.reason.clone()).filter(|reason| !reason.is_empty()),
    }
}

/// What a plugin is told of.
fn events(manifest: &Manifest, granted: &Rights) -> Vec<EventInfo> {
    let Some(contributed) = &manifest.contributes.event_subscriber else { return Vec::new() };
    let is_granted = |topic: &String| granted.event_subscriber.topics.contains(topic);
    let own = contributed.topics.iter().map(|one| EventInfo {
        topic: one.topic.clone(),
        description: one.kinds.join(", "),
        webhook: None,
        granted: is_granted(&one.topic),
    });
    let webhooks = contributed.webhooks.iter().map(|one| EventInfo {
        topic: one.topic.clone(),
        description: one.description.clone(),
        webhook: Some(format!("{}{}", super::events::WEBHOOKS, one.topic)),
        granted: is_granted(&one.topic),
    });
    own.chain(webhooks).collect()
}

fn processor(processor: Processor) -> ProcessorInfo {
    let Processor { name, description, hooks, after, filter, pure, .. } = processor;
    ProcessorInfo { name, description, hooks, after, filter, pure }
}

fn action(action: &ScaffolderActionContribution) -> ActionInfo {
    ActionInfo {
        id: action.id.clone(),
        description: action.description.clone(),
        supports_dry_run: action.supports_dry_run,
        idempotent: action.idempotent,
    }
}
