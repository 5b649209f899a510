//! `/api/<plugin>/…`: what plugins answer themselves. Only the routes of a plugin's manifest reach it, each with its
//! permission; everything else below `/api` that is nobody's is not there.

use std::convert::Infallible;

use axum::Extension;
use axum::extract::{OriginalUri, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use callboard_host::{Plugin, RouteRequest, RouteResponse, limits, passes_in};
use callboard_model::api::RouteInfo;
use callboard_model::manifest::RouteContribution;
use callboard_model::route::{CORE_APIS, RouteMethod};
use percent_encoding::percent_decode_str;
use url::form_urlencoded;
use utoipa_axum::routes;

use super::body::{BodyLimit, Text};
use super::caller::{Caller, covers};
use super::error::{ApiError, JSON, Result};
use super::proxy::keep_private;
use super::routes::{Needs, Routes};
use super::state::App;
use super::{plugins, ui};
use crate::policy::{Action, Permission, Subject};

pub(crate) fn routes(app: &App) -> Routes {
    let needs = Needs::Found { described: "plugin.use, plugin.act, or the route's", of: permission };
    let limit = || Extension(BodyLimit(limits::ROUTE_REQUEST_BYTES));
    let mut routes = Routes::new(app);
    for (schemas, mut paths, methods) in [routes!(root), routes!(below)] {
        for item in paths.paths.values_mut() {
            let operations = [
                ("Get", &mut item.get),
                ("Post", &mut item.post),
                ("Put", &mut item.put),
                ("Patch", &mut item.patch),
                ("Delete", &mut item.delete),
            ];
            for (method, operation) in operations.into_iter().filter_map(|(name, found)| Some((name, found.as_mut()?)))
            {
                operation.operation_id = operation.operation_id.take().map(|id| format!("{id}{method}"));
            }
        }
        routes = routes.add(needs.clone(), (schemas, paths, methods.layer::<_, Infallible>(limit())));
    }
    routes
}

/// The routes of a plugin, for its page.
pub(crate) fn infos(plugin: &Plugin) -> Vec<RouteInfo> {
    let info = |route: &RouteContribution| RouteInfo {
        method: route.method.name().to_owned(),
        path: format!("/api/{}{}", plugin.id(), route.path).trim_end_matches('/').to_owned(),
        description: route.description.clone(),
        permission: needed(plugin.id(), route).name().to_owned(),
    };
    plugin.manifest().contributes.routes.iter().map(info).collect()
}

fn needed(plugin: &str, route: &RouteContribution) -> Permission {
    match &route.permission {
        Some(name) => Permission::named(format!("{plugin}.{name}"), action(route.method), Subject::Whole),
        None => common(route.method),
    }
}

/// What a request is for.
#[derive(Clone, Debug)]
enum Found {
    /// An API of the portal's own, which has no such route.
    Core,
    /// A path that could be taken for another one.
    BadPath,
    /// What a plugin of this name may have a route for.
    Plugin(Asked),
}

/// A request for a plugin.
#[derive(Clone, Debug)]
struct Asked {
    id: String,
    /// The version whose manifest said what is needed: an upgrade meanwhile must not answer with another route's
    /// permission. None where no plugin of that name can be called.
    plugin: Option<Plugin>,
    method: RouteMethod,
    path: Vec<String>,
}

/// The permission of a route. A route that is not there needs the common one: whoever may use no plugin at all learns
/// nothing of which routes there are.
fn permission(app: &App, parts: &mut Parts) -> Permission {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
    let mut found = find(&parts.method, uri.path());
    let permission = match &mut found {
        Found::Core => Permission::Public,
        Found::BadPath => common(method(&parts.method)),
        Found::Plugin(Asked { id, plugin, method, path }) => {
            *plugin = plugins::running(app, id).ok();
            let route = plugin.as_ref().and_then(|plugin| plugin.route(*method, path));
            route.map_or_else(|| common(*method), |route| needed(id, route))
        }
    };
    parts.extensions.insert(found);
    permission
}

fn find(method: &Method, path: &str) -> Found {
    let path = path.strip_prefix("/api/").unwrap_or_default();
    let (id, rest) = path.split_once('/').map_or((path, None), |(id, rest)| (id, Some(rest)));
    if CORE_APIS.contains(&id) {
        return Found::Core;
    }
    match rest.map_or(Some(Vec::new()), segments) {
        Some(path) => Found::Plugin(Asked { id: id.to_owned(), plugin: None, method: self::method(method), path }),
        None => Found::BadPath,
    }
}

/// The segments of a path, each decoded once; none where somebody could take it for another path.
fn segments(path: &str) -> Option<Vec<String>> {
    let decoded = |segment: &str| {
        let is_well_encoded = segment
            .split('%')
            .skip(1)
            .all(|after| after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
        let decoded = percent_decode_str(segment).decode_utf8().ok().filter(|_| is_well_encoded)?;
        let leads_elsewhere = decoded.split(['/', '\\']).any(|part| matches!(part, "" | "." | ".."));
        (!leads_elsewhere && !decoded.chars().any(char::is_control)).then(|| decoded.into_owned())
    };
    let segments: Vec<String> = path.split('/').map(decoded).collect::<Option<_>>()?;
    (segments.len() <= limits::ROUTE_SEGMENTS).then_some(segments)
}

/// Only these are routed, and `HEAD` as the `GET` that it is.
fn method(method: &Method) -> RouteMethod {
    match *method {
        Method::POST => RouteMethod::Post,
        Method::PUT => RouteMethod::Put,
        Method::PATCH => RouteMethod::Patch,
        Method::DELETE => RouteMethod::Delete,
        _ => RouteMethod::Get,
    }
}

fn action(method: RouteMethod) -> Action {
    match method {
        RouteMethod::Get => Action::Read,
        RouteMethod::Post => Action::Create,
        RouteMethod::Put | RouteMethod::Patch => Action::Update,
        RouteMethod::Delete => Action::Delete,
    }
}

fn common(method: RouteMethod) -> Permission {
    match method {
        RouteMethod::Get => Permission::PluginUse,
        _ => Permission::PluginAct,
    }
}

/// What a plugin answers at the root of its own API, where its manifest lists that.
#[utoipa::path(method(get, post, put, patch, delete), path = "/{plugin}", tag = "plugins", operation_id = "pluginRoot",
    params(("plugin" = String, Path, description = "A plugin with `contributes.routes`")),
    responses((status = 200, description = "What the plugin answers, in JSON; its status may be another one"),
        (status = 404, description = "No such plugin or route"),
        (status = 502, description = "The plugin failed; the error names plugin, extension point and function")))]
async fn root(
    state: State<App>,
    caller: Caller,
    found: Extension<Found>,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Result<Text>,
) -> Result<Response> {
    answer(state, caller, found, uri, headers, body).await
}

/// What a plugin answers in its own API, where its manifest lists the route. Method, path and permission of each are in
/// `GET /api/plugins/{id}`.
#[utoipa::path(method(get, post, put, patch, delete), path = "/{plugin}/{*path}", tag = "plugins", operation_id = "pluginRoute",
    params(("plugin" = String, Path, description = "A plugin with `contributes.routes`"),
        ("path" = String, Path, description = "As the manifest has it; it may have slashes")),
    responses((status = 200, description = "What the plugin answers, in JSON; its status may be another one"),
        (status = 404, description = "No such plugin or route"),
        (status = 502, description = "The plugin failed; the error names plugin, extension point and function")))]
async fn below(
    state: State<App>,
    caller: Caller,
    found: Extension<Found>,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Result<Text>,
) -> Result<Response> {
    answer(state, caller, found, uri, headers, body).await
}

async fn answer(
    State(app): State<App>,
    caller: Caller,
    Extension(found): Extension<Found>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Result<Text>,
) -> Result<Response> {
    let Asked { id, plugin, method, path } = match found {
        Found::Core => return Ok(StatusCode::NOT_FOUND.into_response()),
        Found::BadPath => return Err(ApiError::input("the path could be taken for another one")),
        Found::Plugin(asked) => asked,
    };
    // As any other path that is nobody's.
    if plugin.is_none() && app.plugins.current().find(&id).is_none() {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    let plugin = match plugin {
        Some(plugin) => plugin,
        // Only to say why there is none: the route of one that has come since was not asked about.
        None => {
            return Err(plugins::running(&app, &id).err().unwrap_or_else(|| {
                ApiError::unavailable(format!("Plugin {id} has only just begun to run; try again"))
            }));
        }
    };
    if plugin.route(method, &path).is_none() {
        return Err(ApiError::not_found(format!("Plugin {id} has no route {} for this path", method.name())));
    }
    if !covers(&caller.access, None)? {
        return Err(caller.lacks_for(&format!("the routes of {id}")));
    }
    let Text(body) = body?;
    let query: Vec<(String, String)> = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .into_owned()
        .take(limits::ROUTE_QUERY + 1)
        .collect();
    if query.len() > limits::ROUTE_QUERY {
        return Err(ApiError::input(format!("request/query has more than {} parts", limits::ROUTE_QUERY)));
    }
    let request = RouteRequest { method, path, query, headers: passed_in(&headers), body };
    let response = plugin.handle(&caller.acting(&app.catalog), request).await.map_err(ui::failed)?;
    Ok(sent(response))
}

fn passed_in(headers: &HeaderMap) -> Vec<(String, String)> {
    let passing = headers.iter().filter(|(name, _)| passes_in(name.as_str()));
    passing.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect()
}

/// Always JSON, whatever a plugin says: nothing of it is a page, and what may be seen by one is kept by nobody else.
fn sent(response: RouteResponse) -> Response {
    let RouteResponse { status, headers, body } = response;
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            map.insert(name, value);
        }
    }
    keep_private(&mut map);
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, map, body.unwrap_or_default()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let check = |path: &str, expected: Option<(&str, &[&str])>| {
            let found = match find(&Method::GET, path) {
                Found::Plugin(Asked { id, path, .. }) => Some((id, path)),
                Found::Core | Found::BadPath => None,
            };
            let expected =
                expected.map(|(id, path)| (id.to_owned(), path.iter().map(|&each| each.to_owned()).collect()));
            assert_eq!(found, expected, "{path}");
        };
        check("/api/kubernetes", Some(("kubernetes", &[])));
        check("/api/kubernetes/clusters", Some(("kubernetes", &["clusters"])));
        check("/api/x/a%20b/c%2Fd/%C3%A9/component:default", Some(("x", &["a b", "c/d", "é", "component:default"])));
        check("/api/x/%252e%252e", Some(("x", &["%2e%2e"])));
        // A plugin's id is compared as it was sent.
        check("/api/%78/a", Some(("%78", &["a"])));
        for path in [
            "..",
            "%2e%2e",
            ".",
            "a/..",
            "a//b",
            "a/",
            "",
            "a%2F..%2Fb",
            "a%5c..",
            "%00",
            "a%0d%0ab",
            "%",
            "%zz",
            "%c3",
        ] {
            check(&format!("/api/x/{path}"), None);
        }
        check(&format!("/api/x/{}", ["a"; limits::ROUTE_SEGMENTS + 1].join("/")), None);
        for id in CORE_APIS {
            check(&format!("/api/{id}/a"), None);
        }
    }

    #[test]
    fn answers_are_json_and_private() {
        let check = |cache: Option<&str>, expected: Option<&str>| {
            let headers = cache.map(|value| ("cache-control".to_owned(), value.to_owned())).into_iter().collect();
            let response = sent(RouteResponse { status: 200, headers, body: Some("\"<html>\"".to_owned()) });
            let header = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
            assert_eq!(header(header::CONTENT_TYPE), Some(JSON));
            assert_eq!(header(header::CACHE_CONTROL), expected, "{cache:?}");
        };
        check(None, None);
        check(Some("public, max-age=60"), Some("private, max-age=60"));
    }
}
