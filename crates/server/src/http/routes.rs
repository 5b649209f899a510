//! How a route is added: with the permission that it needs.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa::openapi::{ContentBuilder, OpenApi, OpenApiBuilder, Ref, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};

use super::caller;
use super::error;
use super::remembered;
use super::state::App;
use crate::identity::Permission;

/// Routes with what they need, and their description.
pub(crate) struct Routes {
    app: App,
    router: OpenApiRouter<App>,
}

impl Routes {
    pub(crate) fn new(app: &App) -> Routes {
        Routes { app: app.clone(), router: OpenApiRouter::with_openapi(OpenApiBuilder::new().build()) }
    }

    /// Adds a route, written `routes!(handler)`. Whoever lacks the permission does not reach the handler, unless it
    /// is one that hides things: then the handler's [`Caller`](caller::Caller) sees nothing.
    #[must_use]
    pub(crate) fn add(mut self, permission: Permission, route: UtoipaMethodRouter<App>) -> Routes {
        let (schemas, mut paths, methods) = route;
        for item in paths.paths.values_mut() {
            let operations =
                [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().filter_map(Option::as_mut);
            for operation in operations {
                let extension = (String::from("x-permission"), json!(permission.name()));
                operation.extensions.get_or_insert_default().extend([extension]);
                operation.responses.responses.entry("default".to_owned()).or_insert_with(|| error_response().into());
            }
        }
        let guard = middleware::from_fn_with_state((self.app.clone(), permission), guard);
        self.router = self.router.routes((schemas, paths, methods).layer(guard));
        self
    }

    /// The same for a route whose answer depends on nothing but its URL and what the catalog holds.
    #[must_use]
    pub(crate) fn add_remembered(self, permission: Permission, route: UtoipaMethodRouter<App>) -> Routes {
        let (schemas, paths, methods) = route;
        let remembered = middleware::from_fn_with_state(self.app.clone(), remembered::answer);
        self.add(permission, (schemas, paths, methods.layer(remembered)))
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
        let (router, mut description) = self.router.split_for_parts();
        // A parameter that takes the rest of the path is axum's own word; a description has none for it.
        let paths = std::mem::take(&mut description.paths.paths);
        description.paths.paths = paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
        (router.fallback(nothing).method_not_allowed_fallback(nothing), description)
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

async fn guard(State((app, permission)): State<(App, Permission)>, mut request: Request, next: Next) -> Response {
    match caller::admit(&app, permission, &mut request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}
