//! "Try it out", against a server on this machine.

use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Router, routing};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::{Answer, Client};
use crate::portal::{TestPortal, until};

/// What a server was asked, in order.
type Asked = Arc<Mutex<Vec<(String, HeaderMap)>>>;

struct Upstream {
    host: String,
    asked: Asked,
}

impl Upstream {
    /// Says "pets" below `/v1`, redirects `/v1/to/<rest>` to `http://<rest>`, and has an answer that is too large.
    async fn start() -> Upstream {
        let asked = Asked::default();
        let router = Router::new()
            .route("/v1/to/{*target}", routing::any(redirect))
            .route("/v1/large", routing::get(|| async { "x".repeat(5 * 1024 * 1024) }))
            .fallback(pets)
            .with_state(asked.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Upstream { host, asked }
    }

    fn asked(&self) -> Vec<(String, HeaderMap)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn pets(State(asked): State<Asked>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    asked.lock().unwrap().push((line, request.headers().clone()));
    let headers = [(header::SET_COOKIE, "session=1"), (header::CONTENT_TYPE, "application/json")];
    (StatusCode::OK, headers, r#"[{"name":"Rex"}]"#).into_response()
}

async fn redirect(State(asked): State<Asked>, request: Request) -> Response {
    asked.lock().unwrap().push((format!("{} {}", request.method(), request.uri()), request.headers().clone()));
    let target = request.uri().path().trim_start_matches("/v1/to/").to_owned();
    Redirect::temporary(&format!("http://{target}")).into_response()
}

fn apis(named: &[(&str, String)]) -> String {
    let entity = |(name, definition): &(&str, String)| {
        let entity = json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "API",
            "metadata": { "name": name },
            "spec": { "type": "openapi", "lifecycle": "production", "owner": "readers", "definition": definition },
        });
        format!("---\n{entity}\n")
    };
    named.iter().map(entity).collect()
}

struct Trial {
    portal: TestPortal,
    client: Client,
    first: Upstream,
    second: Upstream,
}

/// Two servers that the definition names and that may be read, of which the first also takes POST.
async fn trial() -> Trial {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let both = json!({ "openapi": "3.0.0", "servers": [
        { "url": format!("http://{}/v1", first.host) }, { "url": format!("http://{}/v1", second.host) },
    ] });
    let unreadable = json!({ "openapi": "3.0.0", "servers": [{ "url": "http://127.0.0.1:9/v1" }] });
    let swagger = format!("swagger: '2.0'\nhost: {}\nbasePath: /v1\nschemes: [http]\n", first.host);
    let entities = apis(&[
        ("pets", both.to_string()),
        ("unreadable", unreadable.to_string()),
        ("swagger", swagger),
        ("relative", r#"{"openapi": "3.0.0", "servers": [{"url": "/v1"}]}"#.to_owned()),
    ]);
    let config = json!({
        "backend": { "reading": { "allow": [{ "host": first.host }, { "host": second.host }] } },
        "apis": { "tryItOut": { "allow": [{ "host": first.host, "methods": ["POST"] }] } },
    });
    let portal = TestPortal::start(&config, &entities).await;
    let client = portal.signed_in("user:default/guest").await;
    for name in ["pets", "unreadable", "swagger", "relative"] {
        until(&client, &format!("/api/catalog/entities/by-name/api/default/{name}"), |_| true).await;
    }
    Trial { portal, client, first, second }
}

async fn try_it(client: &Client, api: &str, method: &str, url: &str, headers: Value, body: Option<&str>) -> Answer {
    let mut wish =
        json!({ "entityRef": format!("api:default/{api}"), "method": method, "url": url, "headers": headers });
    if let Some(body) = body {
        wish["body"] = json!(STANDARD.encode(body));
    }
    client.post("/api/apis/try", &wish).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_travels() {
    let trial = trial().await;
    let url = format!("http://{}/v1/pets?status=sold", trial.first.host);
    let headers =
        json!({ "Accept": "application/json", "Authorization": "Basic typed", "Cookie": "mine=1", "X-Key": "k" });
    let answer = try_it(&trial.client, "pets", "GET", &url, headers, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert_eq!((&answer["status"], &answer["url"]), (&json!(200), &json!(url)));
    assert_eq!(STANDARD.decode(answer["body"].as_str().unwrap()).unwrap(), br#"[{"name":"Rex"}]"#);
    assert_eq!(answer["headers"]["content-type"], "application/json");
    assert_eq!(answer["headers"].get("set-cookie"), None, "the upstream's session is not the reader's");
    let asked = trial.first.asked();
    assert_eq!(asked.len(), 1);
    let (line, headers) = &asked[0];
    assert_eq!(line, "GET /v1/pets?status=sold");
    assert_eq!(headers.get("authorization").unwrap(), "Basic typed");
    assert_eq!(headers.get("x-key").unwrap(), "k");
    for name in ["cookie", "origin", "referer"] {
        assert_eq!(headers.get(name), None, "{name}");
    }

    let posted = try_it(&trial.client, "pets", "POST", &url, json!({ "Content-Type": "text/plain" }), Some("hi")).await;
    assert_eq!(posted.status, 200, "{}", posted.text());
    assert_eq!(trial.first.asked()[0].0, "POST /v1/pets?status=sold");
    let swagger = try_it(&trial.client, "swagger", "GET", &url, json!({}), None).await;
    assert_eq!(swagger.status, 200, "{}", swagger.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not() {
    let trial = trial().await;
    let (first, second) = (&trial.first.host, &trial.second.host);
    let check = async |api: &str, method: &str, url: &str, status: u16, message: &str| {
        let answer = try_it(&trial.client, api, method, url, json!({}), None).await;
        assert_eq!(answer.status, status, "{api} {method} {url}: {}", answer.text());
        let found = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(found.contains(message), "{api} {method} {url}: {found}");
    };
    check("none", "GET", &format!("http://{first}/v1/pets"), 404, "api:default/none").await;
    check("pets", "GET", &format!("http://{first}/v2/pets"), 403, "does not belong to a server").await;
    check("pets", "GET", &format!("http://{first}/v1/../admin"), 403, "does not belong to a server").await;
    check("pets", "GET", "http://169.254.169.254/latest/meta-data", 403, "does not belong to a server").await;
    check("pets", "GET", "file:///etc/passwd", 400, "").await;
    check("pets", "GET", "/v1/pets", 400, "not an absolute URL").await;
    check("pets", "G ET", &format!("http://{first}/v1/pets"), 400, "is no method").await;
    check("pets", "POST", &format!("http://{second}/v1/pets"), 403, "apis.tryItOut.allow").await;
    check("pets", "DELETE", &format!("http://{first}/v1/pets"), 403, "apis.tryItOut.allow").await;
    check("pets", "GET", &format!("http://{first}/v1/large"), 502, "is larger than").await;
    check("unreadable", "GET", "http://127.0.0.1:9/v1/pets", 403, "backend.reading.allow").await;
    check("relative", "GET", &format!("http://{first}/v1/pets"), 403, "only by a path").await;
    assert_eq!(trial.second.asked().len(), 0, "nothing reached the second server");

    let anonymous = trial.portal.anonymous();
    let answer = try_it(&anonymous, "pets", "GET", &format!("http://{first}/v1/pets"), json!({}), None).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects() {
    let trial = trial().await;
    let (first, second) = (&trial.first.host, &trial.second.host);
    let headers = || json!({ "Authorization": "Basic typed", "X-Key": "k", "Accept": "application/json" });

    let to_second = format!("http://{first}/v1/to/{second}/v1/pets");
    let answer = try_it(&trial.client, "pets", "GET", &to_second, headers(), None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["url"], format!("http://{second}/v1/pets"));
    let asked = trial.second.asked();
    assert_eq!(asked[0].0, "GET /v1/pets");
    assert_eq!(asked[0].1.get("authorization"), None, "it was typed for another origin");
    assert_eq!(asked[0].1.get("x-key"), None);
    assert_eq!(asked[0].1.get("accept").unwrap(), "application/json");

    let same = format!("http://{first}/v1/to/{first}/v1/pets");
    trial.first.asked();
    assert_eq!(try_it(&trial.client, "pets", "GET", &same, headers(), None).await.status, 200);
    assert_eq!(trial.first.asked()[1].1.get("authorization").unwrap(), "Basic typed");

    for target in [format!("{second}/admin"), "169.254.169.254/latest".to_owned(), "127.0.0.1:9/v1".to_owned()] {
        let away = format!("http://{first}/v1/to/{target}");
        let answer = try_it(&trial.client, "pets", "GET", &away, json!({}), None).await;
        assert_eq!(answer.status, 403, "{target}: {}", answer.text());
    }
    // POST is allowed at the first server only, and a 307 keeps the method.
    let posted = try_it(&trial.client, "pets", "POST", &to_second, json!({}), Some("x")).await;
    assert_eq!(posted.status, 403, "{}", posted.text());
    assert_eq!(trial.second.asked().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_often() {
    let trial = trial().await;
    let url = format!("http://{}/v1/pets", trial.first.host);
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(try_it(&trial.client, "pets", "GET", &url, json!({}), None).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    let answer = try_it(&trial.client, "pets", "GET", &url, json!({}), None).await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").is_some());
    let other = trial.portal.signed_in("user:default/ada").await;
    assert_eq!(try_it(&other, "pets", "GET", &url, json!({}), None).await.status, 200, "each has their own turns");
}
