//! `/api/extensions`: what plugins show on an entity's page, or as pages of their own.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use callboard_host::Plugin;
use callboard_model::access::Access;
use callboard_model::api::ExtensionInfo;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::SearchRows;
use callboard_model::manifest::{AttachmentPoint, UiExtension};
use serde_json::Value;
use utoipa_axum::routes;

use super::caller::Caller;
use super::error::{ApiError, Result, json};
use super::params::Params;
use super::routes::Routes;
use super::state::App;
use crate::policy::Permission;

pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(app).add(Permission::PluginUse, routes!(list))
}

/// The extensions for an entity; without one, the pages and navigation items.
#[utoipa::path(get, path = "/extensions", tag = "plugins", operation_id = "listExtensions",
    params(("entityRef" = Option<String>, Query, description = "The entity whose page it is")),
    responses((status = 200, body = Vec<ExtensionInfo>), (status = 404, description = "No such entity")))]
async fn list(State(app): State<App>, caller: Caller, RawQuery(query): RawQuery) -> Result<Response> {
    let params = Params::read(query.as_deref(), &["entityRef"])?;
    let Some(entity_ref) = params.one("entityRef")? else { return Ok(json(&pages(&app))) };
    let entity = entity(&app, &caller, entity_ref).await?;
    let mut found = Vec::new();
    for plugin in app.plugins.current().running() {
        for extension in &plugin.manifest().contributes.ui {
            if is_of_entities(extension) && applies(extension, &entity)? {
                found.push(info(plugin, extension));
            }
        }
    }
    Ok(json(&found))
}

/// The pages and navigation items that plugins contribute.
pub(crate) fn pages(app: &App) -> Vec<ExtensionInfo> {
    let plugins = app.plugins.current();
    let extensions = plugins
        .running()
        .flat_map(|plugin| plugin.manifest().contributes.ui.iter().map(move |extension| (plugin, extension)));
    extensions
        .filter(|(_, extension)| !is_of_entities(extension))
        .map(|(plugin, extension)| info(plugin, extension))
        .collect()
}

/// Whether it is on the pages of entities, and not on its own or in the sidebar.
fn is_of_entities(extension: &UiExtension) -> bool {
    match extension.at {
        AttachmentPoint::EntityTab | AttachmentPoint::EntityCard => true,
        AttachmentPoint::Page | AttachmentPoint::NavigationItem => false,
    }
}

pub(crate) fn info(plugin: &Plugin, extension: &UiExtension) -> ExtensionInfo {
    ExtensionInfo {
        plugin_id: plugin.id().to_owned(),
        id: extension.id.clone(),
        at: extension.at,
        title: extension.title.clone(),
        href: extension.href.clone(),
        on_failure: extension.on_failure,
        digest: plugin.digest().to_owned(),
    }
}

/// An entity as the caller may see it.
pub(crate) async fn entity(app: &App, caller: &Caller, entity_ref: &str) -> Result<Value> {
    let parsed = EntityRef::parse(entity_ref, None, None)
        .map_err(|error| ApiError::input(format!("'{}' is no entity ref: {error}", entity_ref.escape_default())))?;
    let access = caller.access_to(Permission::EntityRead);
    let found = match access {
        Access::None => None,
        _ => app.catalog.by_ref(&access, &parsed).await?,
    };
    let found = found.ok_or_else(|| ApiError::not_found(format!("Entity {parsed} not found")))?;
    serde_json::from_str(found.get()).map_err(|error| ApiError::internal(&error))
}

/// Whether an extension is for an entity.
pub(crate) fn applies(extension: &UiExtension, entity: &Value) -> Result<bool> {
    let Some(predicate) = &extension.filter else { return Ok(true) };
    let rows = SearchRows::of(entity).map_err(|error| ApiError::internal(&error))?;
    Ok(predicate.matches(&rows))
}
