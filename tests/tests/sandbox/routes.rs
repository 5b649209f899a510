//! Routes of plugins in the portal: who reaches them, and what a browser is told of what they answer.

use anyhow::{Context, Result};
use bytes::Bytes;
use callboard_model::api::PluginState;
use callboard_tests::client::Client;
use callboard_tests::environment;
use callboard_tests::portal::{TestPortal, merge, with_plugin};
use http::{Method, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};

use super::{Guest, guest};

/// Ada may all that the guest's manifest names, Bob may use plugins and press their buttons, Cy may do nothing.
async fn portal(guest: &Guest) -> Result<TestPortal> {
    let component = environment::guest(guest.name)?;
    let inspection = callboard_host::inspect(&std::fs::read(&component)?).context(guest.name)?;
    let mut config = with_plugin(&guest.id, &component, &serde_json::to_value(&inspection.manifest.rights)?);
    let people = ["ada", "bob", "cy"].map(|name| json!({ "entityRef": format!("user:default/{name}") }));
    let rest = json!({
        "auth": { "providers": { "development": { "users": people } } },
        "plugins": { &guest.id: { "limits": { "uiDeadline": "60 seconds", "faultsBeforeSuspension": 1_000 } } },
        "permission": { "policy": [
            { "allow": ["*"], "to": ["user:default/guest"] },
            { "allow": [format!("{}.*", guest.id), format!("{}.**.write", guest.id)], "to": ["user:default/ada"] },
            { "allow": ["plugin.use", "plugin.act"], "to": ["user:default/ada", "user:default/bob"] },
        ] },
    });
    merge(&mut config, rest);
    let portal = TestPortal::start(config).await?;
    let plugin = portal.plugin(&guest.id).await?;
    assert_eq!(plugin.state, PluginState::Running, "{:?}", plugin.reason);
    Ok(portal)
}

/// The status of an answer, which is JSON or has no body.
async fn status(client: &Client, method: Method, path: &str, body: Option<&Value>) -> Result<u16> {
    let answer = client.send(method.clone(), path, body).await?;
    let is_json = answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    assert!(is_json || answer.body.is_empty(), "{method} {path}: {:?}", answer.headers);
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{method} {path}");
    Ok(answer.status.as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_has_its_permission() -> Result<()> {
    let portal = portal(&guest("good_routes")).await?;
    let (nobody, cy) = (portal.anonymous(), portal.signed_in("user:default/cy").await?);
    let (bob, ada) = (portal.signed_in("user:default/bob").await?, portal.signed_in("user:default/ada").await?);
    let note = json!("a note");
    for (method, path, body, expected) in [
        (Method::GET, "", None, [401, 403, 200, 200]),
        (Method::GET, "/echo/a/b", None, [401, 403, 200, 200]),
        (Method::HEAD, "/echo/a/b", None, [401, 403, 200, 200]),
        (Method::GET, "/echo/secret/place", None, [401, 403, 403, 200]),
        // What a plugin may take for the same path needs the same permission.
        (Method::GET, "/echo/Secret/PLACE", None, [401, 403, 403, 200]),
        (Method::GET, "/echo/%73ecret/place", None, [401, 403, 403, 200]),
        (Method::POST, "/echo/a/b", Some(&note), [401, 403, 403, 200]),
        (Method::PUT, "/notes/a", Some(&note), [401, 403, 403, 201]),
        (Method::DELETE, "/notes/a", None, [401, 403, 204, 204]),
        (Method::GET, "/notes/a", None, [401, 403, 404, 404]),
        (Method::GET, "/unlisted", None, [401, 403, 404, 404]),
        (Method::PATCH, "/notes/a", Some(&note), [401, 403, 404, 404]),
        (Method::OPTIONS, "/notes/a", None, [404, 404, 404, 404]),
        (Method::GET, "/echo/a", None, [401, 403, 404, 404]),
        // `..` as it is cannot be sent from here: this client's URLs have resolved it. `segments` has its cases.
        (Method::GET, "/echo/a%2F..%2Fb/c", None, [401, 403, 400, 400]),
        (Method::GET, "/echo/%00/c", None, [401, 403, 400, 400]),
        (Method::GET, "/echo//b", None, [401, 403, 400, 400]),
    ] {
        for (client, expected) in [&nobody, &cy, &bob, &ada].into_iter().zip(expected) {
            let found = status(client, method.clone(), &format!("api/good-routes{path}"), body).await?;
            assert_eq!(found, expected, "{method} {path}");
        }
    }
    // What is nobody's is not there, and the portal's own is as it was.
    assert_eq!(status(&ada, Method::GET, "api/other-plugin/a", None).await?, 404);
    assert_eq!(status(&nobody, Method::GET, "api/scaffolder/v2/actions", None).await?, 404);
    assert_eq!(status(&nobody, Method::GET, "api/app", None).await?, 200);
    // Both what was changed and what was denied is in the log.
    for (decision, actor, permission) in [
        ("allowed", "user:default/ada", "good-routes.note.write"),
        ("denied", "user:default/bob", "good-routes.note.write"),
        ("denied", "user:default/cy", "plugin.act"),
        ("denied", "anonymous", "plugin.act"),
    ] {
        let rows = format!(
            "api/audit?path=/api/good-routes/notes/a&decision={decision}&actor={actor}&permission={permission}"
        );
        portal
            .until(&rows, async || {
                let page: Value = portal.client().json(&rows).await?;
                Ok(page["items"].as_array().is_some_and(|items| !items.is_empty()))
            })
            .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_says_nothing_of_who_asks() -> Result<()> {
    let portal = portal(&guest("good_routes")).await?;
    let ada = portal.signed_in("user:default/ada").await?;
    let path = "api/good-routes/echo/a%20b/component:default%2Fx?q=1&q=%C3%A9&canary";
    let cookie = ada.cookie.clone().context("a session")?;
    let origin = portal.url().origin().ascii_serialization();
    let send = async |origin: &str, content_type: &str, body: String| {
        let request = http::Request::post(portal.url().join(path)?.as_str())
            .header(header::COOKIE, &cookie)
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, content_type)
            .header("x-forwarded-for", "10.0.0.1");
        ada.request(request.body(Full::new(Bytes::from(body)))?).await
    };
    let answer = send(&origin, "application/json", "{ \"b\": 1 }".to_owned()).await?.ok()?;
    let seen: Value = answer.json()?;
    assert_eq!(seen["user"], "user:default/ada");
    assert_eq!(seen["path"], json!(["echo", "a b", "component:default/x"]));
    assert_eq!(seen["query"], json!([["q", "1"], ["q", "é"], ["canary", ""]]));
    assert_eq!(
        (&seen["headers"], &seen["body"]),
        (&json!([["content-type", "application/json"]]), &json!("{ \"b\": 1 }"))
    );
    let secret = cookie.split_once('=').context("a cookie")?.1;
    assert!(!answer.text().contains(secret), "{}", answer.text());
    // Another site's page, a form, no JSON, and more than is taken.
    assert_eq!(send("https://evil.example", "application/json", "{}".to_owned()).await?.status, StatusCode::FORBIDDEN);
    assert_eq!(send(&origin, "text/plain", "{}".to_owned()).await?.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(send(&origin, "application/json", "{".to_owned()).await?.status, StatusCode::BAD_REQUEST);
    let large = format!("\"{}\"", "x".repeat(1024 * 1024));
    assert_eq!(send(&origin, "application/json", large).await?.status, StatusCode::PAYLOAD_TOO_LARGE);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_their_own_status_and_errors_the_common_body() -> Result<()> {
    let portal = portal(&guest("good_routes")).await?;
    let client = portal.client();
    let answer = client.get("api/good-routes/status/418").await?;
    assert_eq!((answer.status.as_u16(), answer.text()), (418, "\"418\"".to_owned()));
    assert_eq!(answer.header("cache-control"), Some("private, max-age=9"));
    assert_eq!(answer.header("etag"), Some("\"it\""));
    for (name, status, kind) in
        [("invalid", 400, "InputError"), ("not-found", 404, "NotFoundError"), ("denied", 502, "PluginError")]
    {
        let answer = client.get(&format!("api/good-routes/status/{name}")).await?;
        let body: Value = answer.json()?;
        assert_eq!((answer.status.as_u16(), &body["error"]["name"]), (status, &json!(kind)), "{body}");
        assert_eq!(body["error"]["extensionPoint"], "routes");
        assert_eq!(body["request"]["url"], format!("/api/good-routes/status/{name}"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_hostile_answer_reaches_a_browser() -> Result<()> {
    let portal = portal(&guest("hostile_routes")).await?;
    for attack in ["redirect", "sign-in", "switch", "cookie", "location", "type", "policy", "split", "page", "panic"] {
        let answer = portal.client().get(&format!("api/hostile-routes/{attack}")).await?;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{attack}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"), "{attack}");
        for name in ["set-cookie", "location"] {
            assert_eq!(answer.header(name), None, "{attack}");
        }
        assert!(!answer.text().contains("<script>"), "{attack}: {}", answer.text());
    }
    let script = portal.client().get("api/hostile-routes/script").await?.ok()?;
    assert_eq!(script.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(script.header("x-content-type-options"), Some("nosniff"));
    portal.client().get("api/plugins").await?.ok().map(drop)
}
