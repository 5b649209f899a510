//! The API and its description: every family of routes, mounted.

use axum::extract::State;
use axum::response::Response;
use axum::{Router, middleware, routing};
use callboard_model::api::ErrorBody;
use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::error::json;
use super::routes::Routes;
use super::state::App;
use super::viewer::Viewer;
use super::{
    apis, app as app_info, audit, auth, catalog, etag, events, extensions, health, identify, issuer, metrics,
    permission, plugin_routes, plugins, proxy, session, statistics, tokens, ui, user_settings, web,
};

/// What the description says of the API as a whole.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Callboard",
        description = "The API of the portal. `/api/catalog` and `/api/user-settings` are those of Backstage; the rest is \
                       Callboard's own. A session's cookie says who is asking; a request that changes something must carry the \
                       header `Origin`. `x-permission` is what app-config's `permission.policy` must allow.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(health::liveness, health::readiness),
    components(schemas(ErrorBody))
)]
struct Whole;

/// All routes of the portal.
pub(crate) fn portal(app: &App, viewer: Viewer) -> Router {
    let (api, description) = api(app);
    let whole = serde_json::to_value(&description).unwrap_or(Value::Null);
    let catalog = below(&whole, "/api/catalog");
    let api = api
        .layer(middleware::from_fn_with_state(app.clone(), identify::identify))
        .route("/api/openapi.json", described(whole))
        .route("/api/catalog/openapi.json", described(catalog))
        .layer(middleware::from_fn(etag::weak_etags))
        .with_state(app.clone());
    Router::new().merge(viewer.router()).merge(api).fallback(web::serve)
}

fn api(app: &App) -> (Router<App>, OpenApi) {
    let routes = Routes::new(app)
        .mount("/catalog", catalog::routes(app))
        .mount("/proxy", proxy::routes(app))
        .merge(apis::routes(app))
        .merge(app_info::routes(app))
        .merge(audit::routes(app))
        .merge(session::routes(app))
        .merge(issuer::routes(app))
        .merge(tokens::routes(app))
        .merge(permission::routes(app))
        .merge(auth::routes(app))
        .merge(plugins::routes(app))
        .merge(events::routes(app))
        .merge(statistics::routes(app))
        .merge(extensions::routes(app))
        .merge(ui::routes(app))
        .merge(plugin_routes::routes(app))
        .mount("/user-settings", user_settings::routes(app));
    let (router, description) = routes.finish();
    let (beside, description_beside) = metrics::routes(app).open();
    let mut whole = Whole::openapi().nest("/api", description);
    whole.merge(description_beside);
    (Router::new().nest("/api", router).merge(beside), whole)
}

fn described(document: Value) -> routing::MethodRouter<App> {
    routing::get(move |State(_): State<App>| {
        let answer: Response = json(&document);
        async move { answer }
    })
}

/// A description with the paths of one API only.
fn below(whole: &Value, prefix: &str) -> Value {
    let mut part = whole.clone();
    if let Some(paths) = part.get_mut("paths").and_then(Value::as_object_mut) {
        paths.retain(|path, _| path.starts_with(prefix));
    }
    part
}
