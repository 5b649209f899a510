//! Routes: what reaches a plugin, and what of its answers reaches whoever asks.

use std::sync::Arc;

use callboard_host::{Acting, ErrorKind, GuestError, Plugin, PluginError, RouteRequest, RouteResponse};
use callboard_model::api::PluginState;
use callboard_model::route::RouteMethod;
use serde_json::{Value, json};

use crate::fixture::{Fixture, Unread, nobody, spec};

fn request(method: RouteMethod, path: &str) -> RouteRequest {
    let path = path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
    RouteRequest { method, path, query: Vec::new(), headers: Vec::new(), body: None }
}

async fn get(plugin: &Plugin, path: &str) -> Result<RouteResponse, PluginError> {
    plugin.handle(&nobody(), request(RouteMethod::Get, path)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_arrives_as_it_was_meant() {
    let plugin = Fixture::new().await.load("good_routes").await;
    assert_eq!(plugin.extension_points(), ["routes"]);
    assert_eq!(get(&plugin, "").await.unwrap().body.as_deref(), Some("\"here\""));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let asked = RouteRequest {
        query: vec![pair("a", "1"), pair("a", "2"), pair("", "é")],
        headers: vec![
            pair("accept", "*/*"),
            pair("if-none-match", "\"1\""),
            pair("cookie", "session=canary"),
            pair("authorization", "Bearer canary"),
            pair("x-forwarded-user", "canary"),
        ],
        body: Some("{\"b\": [1]}".to_owned()),
        ..request(RouteMethod::Post, "echo/a b/%2e%2e")
    };
    let acting = Acting { user: Some("user:default/ada".to_owned()), catalog: Arc::new(Unread) };
    let seen = plugin.handle(&acting, asked).await.unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(seen.body.as_deref().unwrap()).unwrap(),
        json!({
            "user": "user:default/ada",
            "name": "POST /echo/{first}/{second}",
            "path": ["echo", "a b", "%2e%2e"],
            "params": [["first", "a b"], ["second", "%2e%2e"]],
            "query": [["a", "1"], ["a", "2"], ["", "é"]],
            "headers": [["accept", "*/*"], ["if-none-match", "\"1\""]],
            "body": "{\"b\": [1]}",
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_manifest_does_not_list_does_not_arrive() {
    let plugin = Fixture::new().await.load("good_routes").await;
    for (method, path) in [
        (RouteMethod::Get, "echo"),
        (RouteMethod::Get, "echo/a"),
        (RouteMethod::Get, "echo/a/b/c"),
        (RouteMethod::Get, "unlisted"),
        (RouteMethod::Post, ""),
        (RouteMethod::Delete, "echo/a/b"),
        (RouteMethod::Patch, "notes/a"),
    ] {
        assert_eq!(plugin.route(method, &request(method, path).path), None);
        let error = plugin.handle(&nobody(), request(method, path)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotThere, "{error}");
    }
    let up = RouteRequest { path: vec!["notes".to_owned(), "..".to_owned()], ..request(RouteMethod::Get, "") };
    let error = plugin.handle(&nobody(), up).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input, "{error}");
    let large = RouteRequest { body: Some("1".repeat(2 << 20)), ..request(RouteMethod::Put, "notes/a") };
    let error = plugin.handle(&nobody(), large).await.unwrap_err();
    assert!(error.message.contains("a route takes 1048576 at most"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_errors() {
    let plugin = Fixture::new().await.load("good_routes").await;
    for status in [200, 201, 299, 400, 404, 418, 599] {
        let answer = get(&plugin, &format!("status/{status}")).await.unwrap();
        assert_eq!((answer.status, answer.body), (status, Some(format!("\"{status}\""))));
        assert_eq!(answer.headers[0], ("etag".to_owned(), "\"it\"".to_owned()));
    }
    for (name, kind) in
        [("invalid", GuestError::Invalid), ("not-found", GuestError::NotFound), ("denied", GuestError::Denied)]
    {
        let error = get(&plugin, &format!("status/{name}")).await.unwrap_err();
        assert_eq!((error.extension_point, error.function), ("routes", "handle"));
        assert_eq!(error.kind, ErrorKind::Guest(kind), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_route_may_answer_is_a_fault() {
    let fixture = Fixture::new().await;
    let mut spec = spec("hostile_routes", json!({}));
    spec.limits.faults_before_suspension = Some(1_000);
    let plugin = fixture.host.load(spec).await.unwrap();
    for (attack, kind, message) in [
        ("redirect", ErrorKind::Output, "the status 302"),
        ("sign-in", ErrorKind::Output, "the status 401"),
        ("switch", ErrorKind::Output, "the status 101"),
        ("no-status", ErrorKind::Output, "the status 0"),
        ("cookie", ErrorKind::Output, "the header `set-cookie`"),
        ("location", ErrorKind::Output, "the header `location`"),
        ("type", ErrorKind::Output, "the header `content-type`"),
        ("policy", ErrorKind::Output, "the header `content-security-policy`"),
        ("split", ErrorKind::Output, "bytes of ASCII"),
        ("page", ErrorKind::Output, "not JSON"),
        ("large", ErrorKind::Output, "in pages"),
        ("giant", ErrorKind::TooMuchData, "at once"),
        ("panic", ErrorKind::Trap, "the guest says no"),
        ("loop-forever", ErrorKind::Deadline, "within 2s"),
    ] {
        let error = get(&plugin, attack).await.expect_err(attack);
        assert_eq!(error.kind, kind, "{attack}: {error}");
        assert!(error.message.contains(message), "{attack}: {error}");
    }
    // A text is a text, whatever is in it; that it is never taken for a page is the server's to see to.
    assert!(get(&plugin, "script").await.is_ok());
    assert_eq!(plugin.state(), PluginState::Running);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_suspend() {
    let plugin = Fixture::new().await.load("hostile_routes").await;
    for _ in 0..5 {
        assert_eq!(get(&plugin, "cookie").await.unwrap_err().kind, ErrorKind::Output);
    }
    assert!(matches!(get(&plugin, "script").await.unwrap_err().kind, ErrorKind::Suspended { .. }));
}
