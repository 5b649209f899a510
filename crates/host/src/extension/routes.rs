//! `callboard:plugin/routes`: answers requests below `/api/<plugin>`.

use callboard_model::manifest::RouteContribution;
use callboard_model::route::{self, RouteMethod};
use serde::de::IgnoredAny;

use crate::acting::Acting;
use crate::bindings::routes as wit;
use crate::call::{Target, output};
use crate::error::{ErrorKind, PluginError};
use crate::limits::{ROUTE_HEADER_BYTES, ROUTE_QUERY, ROUTE_REQUEST_BYTES, ROUTE_RESPONSE_BYTES, ROUTE_SEGMENTS};
use crate::plugin::Plugin;

/// A request for a plugin. Who asks, and whether they may, is settled before there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRequest {
    /// What it does.
    pub method: RouteMethod,
    /// The path below `/api/<plugin>`, each segment decoded once.
    pub path: Vec<String>,
    /// The query, decoded, in its order.
    pub query: Vec<(String, String)>,
    /// Names in lower case. Those that [`passes_in`] does not let pass do not reach the plugin.
    pub headers: Vec<(String, String)>,
    /// JSON text.
    pub body: Option<String>,
}

/// What a plugin answers: checked, so that it can be sent as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteResponse {
    /// 200 to 299, 304, or 400 to 599 without 401 and 407.
    pub status: u16,
    /// Names in lower case, of [`RESPONSE_HEADERS`] only.
    pub headers: Vec<(String, String)>,
    /// JSON text.
    pub body: Option<String>,
}

/// What a plugin learns of a request's headers: what an answer may depend on, and nothing of who asks.
const REQUEST_HEADERS: [&str; 5] = ["accept", "accept-language", "content-type", "if-match", "if-none-match"];

/// What a plugin may say beside its answer. None of them tells a browser to keep, load or run anything, or to go
/// elsewhere.
const RESPONSE_HEADERS: [&str; 5] = ["cache-control", "content-language", "etag", "last-modified", "retry-after"];

/// Whether a header of a request reaches a plugin.
pub fn passes_in(name: &str) -> bool {
    REQUEST_HEADERS.contains(&name)
}

impl Plugin {
    /// The route that a request is for; none where the manifest lists no such route, and then the plugin is not called.
    pub fn route(&self, method: RouteMethod, path: &[String]) -> Option<&RouteContribution> {
        route::find(&self.inner.manifest.contributes.routes, method, path)
    }

    /// Has the plugin answer a request.
    ///
    /// # Errors
    /// The manifest lists no such route, the request is larger than may cross, the guest failed or answered with an
    /// error, or its response is none that a route may give.
    pub async fn handle(&self, acting: &Acting, request: RouteRequest) -> Result<RouteResponse, PluginError> {
        let target =
            Target { extension_point: "routes", function: "handle", acting, limit: self.inner.limits.ui_deadline };
        let not_there = || {
            let path = output::clean(&request.path.join("/"), 200);
            self.error(&target, ErrorKind::NotThere, format!("it has no route {} /{path}", request.method.name()))
        };
        let (Some(route), Some(indices)) = (self.route(request.method, &request.path), self.inner.routes.clone())
        else {
            return Err(not_there());
        };
        check_request(&request).map_err(|message| self.error(&target, ErrorKind::Input, message))?;
        let request = to_guest(route, request);
        self.call(
            target,
            move |store, instance, context| {
                Box::pin(async move {
                    let guest = indices.load(&mut *store, &instance)?;
                    guest.call_handle(store, &context, &request).await
                })
            },
            check_response,
        )
        .await
    }
}

/// The limits hold here as well, whatever made the request.
fn check_request(request: &RouteRequest) -> Result<(), String> {
    if request.path.len() > ROUTE_SEGMENTS {
        return Err(format!("the path has more than {ROUTE_SEGMENTS} segments"));
    }
    let is_plain = |segment: &String| {
        !segment.chars().any(char::is_control)
            && !segment.split(['/', '\\']).any(|part| matches!(part, "" | "." | ".."))
    };
    if !request.path.iter().all(is_plain) {
        return Err("the path has a segment that is empty, leads elsewhere or has control characters".to_owned());
    }
    if request.query.len() > ROUTE_QUERY {
        return Err(format!("the query has more than {ROUTE_QUERY} parts"));
    }
    match &request.body {
        Some(body) if body.len() > ROUTE_REQUEST_BYTES => {
            Err(format!("the body has {} bytes; a route takes {ROUTE_REQUEST_BYTES} at most", body.len()))
        }
        _ => Ok(()),
    }
}

fn to_guest(route: &RouteContribution, request: RouteRequest) -> wit::Request {
    let pair = |(name, value): (String, String)| wit::Pair { name, value };
    let params = route.path.params(&request.path).unwrap_or_default();
    let params = params.into_iter().map(|(name, value)| pair((name.to_owned(), value.to_owned()))).collect();
    let headers = request
        .headers
        .into_iter()
        .filter(|(name, value)| passes_in(name) && value.len() <= ROUTE_HEADER_BYTES)
        .map(pair)
        .collect();
    wit::Request {
        method: match request.method {
            RouteMethod::Get => wit::Method::Get,
            RouteMethod::Post => wit::Method::Post,
            RouteMethod::Put => wit::Method::Put,
            RouteMethod::Patch => wit::Method::Patch,
            RouteMethod::Delete => wit::Method::Delete,
        },
        route: route.path.to_string(),
        params,
        query: request.query.into_iter().map(pair).collect(),
        headers,
        body: request.body,
        path: request.path,
    }
}

fn check_response(response: wit::Response) -> Result<RouteResponse, String> {
    let wit::Response { status, headers, body } = response;
    if !matches!(status, 200..=299 | 304 | 400 | 402..=406 | 408..=599) {
        return Err(format!(
            "it answered with the status {status}; a route answers with 200 to 299, 304, or 400 to 599 without 401 and 407"
        ));
    }
    let mut checked: Vec<(String, String)> = Vec::new();
    for wit::Pair { name, value } in headers {
        let name = name.to_ascii_lowercase();
        if !RESPONSE_HEADERS.contains(&name.as_str()) {
            return Err(format!(
                "its answer has the header `{}`; a route may set {} only",
                output::clean(&name, 100),
                RESPONSE_HEADERS.join(", ")
            ));
        }
        let is_plain = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if !is_plain || value.len() > ROUTE_HEADER_BYTES || checked.iter().any(|(other, _)| *other == name) {
            return Err(format!(
                "its answer has the header `{name}` twice, or with more than {ROUTE_HEADER_BYTES} bytes of ASCII"
            ));
        }
        checked.push((name, value));
    }
    if let Some(body) = &body {
        check_body(status, body)?;
    }
    Ok(RouteResponse { status, headers: checked, body })
}

fn check_body(status: u16, body: &str) -> Result<(), String> {
    if matches!(status, 204 | 205 | 304) {
        return Err(format!("it answered with the status {status}, which has no body, and with a body"));
    }
    if body.len() > ROUTE_RESPONSE_BYTES {
        return Err(format!(
            "its answer has {} bytes, but may have at most {ROUTE_RESPONSE_BYTES}; it must answer in pages",
            body.len()
        ));
    }
    serde_json::from_str::<IgnoredAny>(body)
        .map(drop)
        .map_err(|error| format!("its answer is not JSON: {}", output::clean(&error.to_string(), 300)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses() {
        let check = |status: u16, headers: &[(&str, &str)], body: Option<&str>, expected: Result<(), &str>| {
            let headers = headers
                .iter()
                .map(|(name, value)| wit::Pair { name: (*name).to_owned(), value: (*value).to_owned() })
                .collect();
            match (check_response(wit::Response { status, headers, body: body.map(str::to_owned) }), expected) {
                (Ok(_), Ok(())) => {}
                (Err(message), Err(part)) => assert!(message.contains(part), "{message}"),
                (result, _) => panic!("{status}: {result:?}"),
            }
        };
        for status in [200, 201, 204, 299, 304, 400, 403, 404, 409, 422, 429, 500, 599] {
            check(status, &[], None, Ok(()));
        }
        for status in [0, 99, 100, 101, 199, 300, 301, 302, 307, 399, 401, 407, 600, 999, u16::MAX] {
            check(status, &[], None, Err("it answered with the status"));
        }
        check(200, &[("ETag", "\"1\""), ("cache-control", "max-age=60")], Some("{}"), Ok(()));
        for name in ["set-cookie", "location", "content-type", "content-security-policy", "link", "refresh", ""] {
            check(200, &[(name, "x")], None, Err("a route may set"));
        }
        check(200, &[("etag", "a\r\nset-cookie: b=c")], None, Err("bytes of ASCII"));
        check(200, &[("etag", "é")], None, Err("bytes of ASCII"));
        check(200, &[("etag", &"x".repeat(ROUTE_HEADER_BYTES + 1))], None, Err("bytes of ASCII"));
        check(200, &[("etag", "1"), ("ETAG", "2")], None, Err("twice"));
        for body in ["", "<html>", "{", "{} {}", "undefined", "NaN"] {
            check(200, &[], Some(body), Err("not JSON"));
        }
        for body in ["null", "[]", " {\"a\": 1} "] {
            check(404, &[], Some(body), Ok(()));
        }
        check(204, &[], Some("null"), Err("no body"));
        check(200, &[], Some(&"1".repeat(ROUTE_RESPONSE_BYTES + 1)), Err("in pages"));
        // Depth costs no stack: nothing is built of it.
        check(200, &[], Some(&format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000))), Ok(()));
    }

    #[test]
    fn requests() {
        let request = |path: &[&str]| RouteRequest {
            method: RouteMethod::Get,
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
        };
        check_request(&request(&["a", "b c", "kind:ns/name", "...", "%2e%2e"])).unwrap();
        for segment in ["", ".", "..", "a/../b", "a//b", "a\\..", "/a", "a\0", "a\nb"] {
            check_request(&request(&[segment])).unwrap_err();
        }
        check_request(&request(&["a"; ROUTE_SEGMENTS + 1])).unwrap_err();
        let large = RouteRequest { body: Some("1".repeat(ROUTE_REQUEST_BYTES + 1)), ..request(&[]) };
        check_request(&large).unwrap_err();
        let pairs = vec![(String::new(), String::new()); ROUTE_QUERY + 1];
        check_request(&RouteRequest { query: pairs, ..request(&[]) }).unwrap_err();
    }

    #[test]
    fn what_says_who_asks_is_kept_back() {
        for name in ["cookie", "authorization", "x-forwarded-for", "host", "origin", "referer", "user-agent"] {
            assert!(!passes_in(name), "{name}");
        }
    }
}
