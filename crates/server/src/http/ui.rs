//! `/api/plugins/{id}/ui`: what a plugin's extension shows, and its buttons.

use std::collections::BTreeMap;

use axum::extract::{RawPathParams, State};
use axum::http::StatusCode;
use axum::response::Response;
use callboard_host::{ErrorKind, GuestError, Plugin, PluginError};
use callboard_model::manifest::AttachmentPoint;
use callboard_model::ui::{Input, Outcome, TableState};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::body::{Json, Path};
use super::caller::{Caller, covers};
use super::error::{ApiError, Result, json};
use super::extensions;
use super::plugins;
use super::routes::{Needs, Routes};
use super::state::App;
use crate::policy::{Action, Permission, Subject};

pub(crate) fn routes(app: &App) -> Routes {
    let pressing = Needs::Named { described: "plugin.act, or the action's", of: action_permission };
    Routes::new(app).add(Permission::PluginUse, routes!(render)).add(pressing, routes!(act))
}

/// The permission of an action. One that is not there needs the common one: whoever may press no button at all learns
/// nothing of which there are.
fn action_permission(app: &App, params: &RawPathParams) -> Permission {
    let param = |name: &str| params.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
    let plugin = plugins::running(app, param("id")).ok();
    let extension = plugin.as_ref().and_then(|plugin| {
        plugin.manifest().contributes.ui.iter().find(|extension| extension.id == param("extension"))
    });
    // Without regard to case: what a plugin takes for the same action must not need less when it is written otherwise.
    let action = param("action").to_lowercase();
    let named =
        extension.and_then(|extension| extension.permissions.iter().find(|(name, _)| name.to_lowercase() == action));
    match named {
        Some((_, name)) => Permission::named(format!("{}.{name}", param("id")), Action::Update, Subject::Entities),
        None => Permission::PluginAct,
    }
}

/// What to render. The entity itself is read here, as the caller may see it; a copy of it is never taken from them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Render {
    /// The entity whose page it is.
    entity_ref: Option<String>,
    /// From the tree that was rendered before.
    cursor: Option<String>,
    /// What the reader did to tables, by their ids: page (`cursor`), order (`sort`) and `filter`.
    #[serde(default)]
    #[schema(value_type = Object)]
    tables: BTreeMap<String, TableState>,
}

/// Which button was pressed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Act {
    /// The entity whose page it is.
    entity_ref: Option<String>,
    /// What the button carries.
    value: Option<Value>,
}

/// A tree of nodes, see the UI tree in the documentation for plugins.
#[utoipa::path(post, path = "/plugins/{id}/ui/{extension}/render", tag = "plugins", operation_id = "renderExtension", request_body = Render,
    params(("id" = String, Path), ("extension" = String, Path)),
    responses((status = 200, description = "The tree", body = Object), (status = 404, description = "No such plugin, extension or entity"),
        (status = 502, description = "The plugin failed; the error names plugin, extension point and function")))]
async fn render(
    State(app): State<App>,
    caller: Caller,
    Path((id, extension)): Path<(String, String)>,
    Json(wish): Json<Render>,
) -> Result<Response> {
    let plugin = plugins::running(&app, &id)?;
    let entity = subject(&app, &caller, &plugin, &extension, wish.entity_ref.as_deref()).await?;
    let input = Input { entity, cursor: wish.cursor, value: None, tables: wish.tables };
    let tree = plugin.render(&caller.acting(&app.catalog), &extension, &input).await.map_err(failed)?;
    Ok(json(&tree))
}

/// Carries out what a button names.
#[utoipa::path(post, path = "/plugins/{id}/ui/{extension}/actions/{action}", tag = "plugins", operation_id = "pressButton", request_body = Act,
    params(("id" = String, Path), ("extension" = String, Path), ("action" = String, Path)),
    responses((status = 200, description = "What became of it", body = Object), (status = 404, description = "No such plugin, extension or entity"),
        (status = 502, description = "The plugin failed; the error names plugin, extension point and function")))]
async fn act(
    State(app): State<App>,
    caller: Caller,
    Path((id, extension, action)): Path<(String, String, String)>,
    Json(wish): Json<Act>,
) -> Result<Response> {
    let plugin = plugins::running(&app, &id)?;
    let entity = subject(&app, &caller, &plugin, &extension, wish.entity_ref.as_deref()).await?;
    if !covers(&caller.access, entity.as_ref())? {
        let what = wish.entity_ref.as_deref().unwrap_or("this page").escape_default().to_string();
        return Err(caller.lacks_for(&what));
    }
    let input = Input { entity, value: wish.value, ..Input::default() };
    let acting = caller.acting(&app.catalog);
    let outcome: Outcome = plugin.act(&acting, &extension, &action, &input).await.map_err(failed)?;
    Ok(json(&outcome))
}

/// The entity that an extension is shown for, checked: it is one that the caller may see, and that the extension is
/// for. None for a page.
async fn subject(
    app: &App,
    caller: &Caller,
    plugin: &Plugin,
    extension: &str,
    entity_ref: Option<&str>,
) -> Result<Option<Value>> {
    let contributed = plugin.manifest().contributes.ui.iter().find(|contributed| contributed.id == extension);
    let missing =
        || ApiError::not_found(format!("Plugin {} has no extension '{}'", plugin.id(), extension.escape_default()));
    let contributed = contributed.ok_or_else(missing)?;
    match (contributed.at, entity_ref) {
        (AttachmentPoint::Page, None) => Ok(None),
        (AttachmentPoint::Page, Some(_)) => {
            Err(ApiError::input(format!("extension {extension} is a page; it is not rendered for an entity")))
        }
        (AttachmentPoint::NavigationItem, _) => {
            Err(ApiError::not_found(format!("Extension {extension} is a navigation item and renders nothing")))
        }
        (_, None) => Err(ApiError::input("request/body must have required property 'entityRef'")),
        (_, Some(entity_ref)) => {
            let entity = extensions::entity(app, caller, entity_ref).await?;
            if !extensions::applies(contributed, &entity)? {
                return Err(ApiError::not_found(format!("Extension {extension} is not for this entity")));
            }
            Ok(Some(entity))
        }
    }
}

/// A plugin's failure is local: it names the plugin, and everything else goes on.
pub(super) fn failed(error: PluginError) -> ApiError {
    tracing::warn!(plugin = error.plugin, function = error.function, kind = ?error.kind, "{error}");
    let (status, name) = match &error.kind {
        ErrorKind::Busy | ErrorKind::Suspended { .. } => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableError"),
        ErrorKind::NotThere | ErrorKind::Guest(GuestError::NotFound) => (StatusCode::NOT_FOUND, "NotFoundError"),
        ErrorKind::Guest(GuestError::Invalid) => (StatusCode::BAD_REQUEST, "InputError"),
        _ => (StatusCode::BAD_GATEWAY, "PluginError"),
    };
    ApiError::new(status, name, error.to_string())
        .with("plugin", error.plugin)
        .with("extensionPoint", error.extension_point)
        .with("function", error.function)
}
