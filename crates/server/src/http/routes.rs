//! How a route is added: with the permission that it needs.

use axum::Router;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use callboard_model::access::Access;
use serde_json::json;
use utoipa::openapi::{ContentBuilder, OpenApi, OpenApiBuilder, Paths, Ref, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};

use super::audit;
use super::caller;
use super::error::{self, ApiError};
use super::remembered;
use super::state::App;
use crate::metrics::RequestsOfRoute;
use crate::policy::Permission;

/// A route with its description, as `routes!(handler)` makes it.
pub type Route = UtoipaMethodRouter<App>;

/// Routes with what they need, and their description.
pub struct Routes {
    app: App,
    router: OpenApiRouter<App>,
}

/// The permission that a route needs.
#[derive(Clone)]
pub enum Needs {
    /// Always this one.
    Always(Permission),
    /// One that what the URL names decides: a plugin's action, an endpoint of the proxy.
    Named {
        /// For the description of the API.
        described: &'static str,
        /// The one for the parameters of a URL.
        of: fn(&App, &RawPathParams) -> Permission,
    },
    /// One that more than the URL's parameters decide. What is found out on the way is left in the request's extensions,
    /// for the handler.
    Found {
        /// For the description of the API.
        described: &'static str,
        /// The one for a request.
        of: fn(&App, &mut Parts) -> Permission,
    },
}

impl From<Permission> for Needs {
    fn from(permission: Permission) -> Needs {
        Needs::Always(permission)
    }
}

impl Needs {
    fn described(&self) -> &str {
        match self {
            Needs::Always(permission) => permission.name(),
            Needs::Named { described, .. } | Needs::Found { described, .. } => described,
        }
    }

    async fn permission(&self, app: &App, request: Request) -> Result<(Permission, Request), ApiError> {
        match self {
            Needs::Always(permission) => Ok((permission.clone(), request)),
            Needs::Named { of, .. } => {
                let (mut parts, body) = request.into_parts();
                let params = RawPathParams::from_request_parts(&mut parts, app).await;
                let params = params.map_err(|rejection| ApiError::input(rejection.body_text()))?;
                Ok((of(app, &params), Request::from_parts(parts, body)))
            }
            Needs::Found { of, .. } => {
                let (mut parts, body) = request.into_parts();
                let permission = of(app, &mut parts);
                Ok((permission, Request::from_parts(parts, body)))
            }
        }
    }
}

impl Routes {
    /// None yet.
    #[must_use]
    pub fn new(app: &App) -> Routes {
        Routes { app: app.clone(), router: OpenApiRouter::with_openapi(OpenApiBuilder::new().build()) }
    }

    /// Adds a route, written `routes!(handler)`. Whoever lacks the permission does not reach the handler, unless it
    /// is one that hides things: then the handler's [`Caller`](caller::Caller) sees nothing.
    #[must_use]
    pub fn add(mut self, needs: impl Into<Needs>, route: Route) -> Routes {
        let needs = needs.into();
        let (schemas, mut paths, methods) = route;
        describe(&mut paths, &needs);
        let guard = middleware::from_fn_with_state((self.app.clone(), needs), guard);
        self.router = self.router.routes((schemas, paths, methods).layer(guard));
        self
    }

    /// The same for a route that takes everything below it, with methods that the description need not have.
    #[must_use]
    pub(crate) fn add_below(mut self, needs: impl Into<Needs>, route: UtoipaMethodRouter<App>) -> Routes {
        let needs = needs.into();
        let (_, mut paths, methods) = route;
        describe(&mut paths, &needs);
        let guard = middleware::from_fn_with_state((self.app.clone(), needs), guard);
        self.router = self.router.route("/{*path}", methods.layer(guard));
        self.router.get_openapi_mut().paths.paths.extend(paths.paths);
        self
    }

    /// The same for a route whose answer depends on nothing but its URL and what the catalog holds.
    #[must_use]
    pub(crate) fn add_remembered(self, needs: impl Into<Needs>, route: Route) -> Routes {
        let (schemas, paths, methods) = route;
        let remembered = middleware::from_fn_with_state(self.app.clone(), remembered::answer);
        self.add(needs, (schemas, paths, methods.layer(remembered)))
    }

    /// The routes of one API below its path. Within it, the URL of the request and of errors is relative to that.
    #[must_use]
    pub(crate) fn mount(mut self, path: &str, routes: Routes) -> Routes {
        let (router, description) = routes.finish();
        let router = OpenApiRouter::from(router.layer(middleware::from_fn(error::envelope)));
        self.router = self.router.nest(path, router.merge(OpenApiRouter::with_openapi(description)));
        self
    }

    /// These and others.
    #[must_use]
    pub(crate) fn merge(mut self, routes: Routes) -> Routes {
        self.router = self.router.merge(routes.router);
        self
    }

    /// A router that answers 404 without a body to what it does not know, and the description of the rest.
    pub(crate) fn finish(self) -> (Router<App>, OpenApi) {
        let (router, description) = self.open();
        (router.fallback(nothing).method_not_allowed_fallback(nothing), description)
    }

    /// The same without an answer of its own to what it does not know.
    pub(crate) fn open(self) -> (Router<App>, OpenApi) {
        let (router, mut description) = self.router.split_for_parts();
        // A parameter that takes the rest of the path is axum's own word; a description has none for it.
        let paths = std::mem::take(&mut description.paths.paths);
        description.paths.paths = paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
        (router, description)
    }
}

/// Says of each operation what it needs, and that whatever goes wrong has the same body.
fn describe(paths: &mut Paths, needs: &Needs) {
    for item in paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().filter_map(Option::as_mut) {
            let extension = (String::from("x-permission"), json!(needs.described()));
            operation.extensions.get_or_insert_default().extend([extension]);
            operation.responses.responses.entry("default".to_owned()).or_insert_with(|| error_response().into());
        }
    }
}

/// Whatever goes wrong has the same body.
fn error_response() -> utoipa::openapi::Response {
    let body = Ref::from_schema_name("ErrorBody");
    ResponseBuilder::new()
        .description("An error")
        .content("application/json", ContentBuilder::new().schema(Some(body)).build())
        .build()
}

/// What the official server answers to an unknown route or method.
pub(crate) async fn nothing() -> StatusCode {
    StatusCode::NOT_FOUND
}

async fn guard(State((app, needs)): State<(App, Needs)>, request: Request, next: Next) -> Response {
    if let (Some(found), Some(path)) =
        (request.extensions().get::<RequestsOfRoute>(), request.extensions().get::<MatchedPath>())
    {
        found.is(path.as_str());
    }
    let (permission, mut request) = match needs.permission(&app, request).await {
        Ok(found) => found,
        Err(error) => return error.into_response(),
    };
    let admitted = caller::admit(&app, &permission, &mut request);
    let is_change = audit::is_change(&permission, request.method());
    match admitted {
        Ok(caller) if caller.access == Access::None => {
            // What is hidden from them does not seem to exist; that they asked is known all the same.
            let (entry, request) = audit::entry(request, &app, &permission, Some(&caller)).await;
            audit::denied(&app, entry);
            next.run(request).await
        }
        Ok(caller) if is_change => {
            let (entry, request) = audit::entry(request, &app, &permission, Some(&caller)).await;
            audit::recorded(&app, entry, next.run(request)).await
        }
        Ok(_) => next.run(request).await,
        Err(refused) => {
            let (mut entry, _) = audit::entry(request, &app, &permission, refused.caller.as_deref()).await;
            if refused.caller.is_none() {
                entry.rule = format!("{}: {}", refused.error.name, refused.error.message);
            }
            audit::denied(&app, entry);
            refused.error.into_response()
        }
    }
}
