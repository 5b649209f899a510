//! Signing in with services, as far as no service is needed for it: where people are sent, and what becomes of those who
//! come back with something else than they left with.

use std::collections::{BTreeMap, BTreeSet};

use callboard::config::SessionLifetimes;
use callboard::identity::session::Begin;
use callboard::identity::{Clock, Sessions};
use callboard_model::entity_ref::EntityRef;
use callboard_store::{args, query};
use serde_json::{Value, json};
use url::Url;

use crate::client::{Answer, Client};
use crate::portal::TestPortal;

/// Nobody listens at these addresses. GitHub is not asked before somebody comes back, the other one is asked at once.
fn config() -> Value {
    let by_name = json!([{ "resolver": "usernameMatchingUserEntityName" }]);
    json!({ "auth": { "providers": {
        "github": { "development": {
            "clientId": "id-of-portal", "clientSecret": "secret-of-portal", "enterpriseInstanceUrl": "http://127.0.0.1:1",
            "additionalScopes": ["read:org"], "signIn": { "resolvers": by_name },
        } },
        "oidc": {
            "clientId": "id-of-portal", "clientSecret": "secret-of-portal", "title": "Acme",
            "metadataUrl": "http://127.0.0.1:1/.well-known/openid-configuration", "signIn": { "resolvers": by_name },
        },
        "gitlab": { "clientId": "id-of-portal", "clientSecret": "secret-of-portal" },
    } } })
}

const START: &str = "/api/auth/github/start?env=development";
const BACK: &str = "/api/auth/github/handler/frame";

fn error(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned())
}

/// The word that the sign-in page is told. Nobody is signed in by such an answer.
fn word(answer: &Answer) -> String {
    assert_eq!(answer.status, 302, "{answer:?}");
    assert!(cookies(answer).is_empty(), "{answer:?}");
    let location = answer.header("location").unwrap();
    location.strip_prefix("/sign-in?error=").unwrap_or_else(|| panic!("{location}")).to_owned()
}

fn cookies(answer: &Answer) -> Vec<&str> {
    answer.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str()).collect()
}

/// What GitHub is told, and the cookie of the browser.
async fn begin(client: &Client) -> (BTreeMap<String, String>, String) {
    let answer = client.get(START).await;
    assert_eq!(answer.status, 302, "{}", answer.text());
    let url = Url::parse(answer.header("location").unwrap()).unwrap();
    assert!(url.as_str().starts_with("http://127.0.0.1:1/login/oauth/authorize?"), "{url}");
    (url.query_pairs().into_owned().collect(), cookies(&answer)[0].split(';').next().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_people_are_sent() {
    let portal = TestPortal::start(&config(), "").await;
    let nobody = portal.anonymous();
    let answer = nobody.get(START).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let [cookie] = cookies(&answer)[..] else { panic!("{answer:?}") };
    let (nonce, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/api/auth/github/handler; HttpOnly; SameSite=Lax; Max-Age=600");
    let nonce = nonce.strip_prefix("github-nonce=").unwrap();

    let (first, _) = begin(&nobody).await;
    let callback = format!("{}api/auth/github/handler/frame", nobody.base);
    for (name, value) in [
        ("client_id", "id-of-portal"),
        ("redirect_uri", callback.as_str()),
        ("response_type", "code"),
        ("scope", "read:user read:org"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(first.get(name).map(String::as_str), Some(value), "{first:?}");
    }
    assert!(!format!("{first:?}").contains("secret-of-portal"), "{first:?}");
    let (second, other) = begin(&nobody).await;
    let values = [&first["state"], &first["code_challenge"], &second["state"], &second["code_challenge"]];
    let values: BTreeSet<&str> = values.into_iter().map(String::as_str).chain([nonce, &other]).collect();
    assert_eq!(values.len(), 6, "nothing comes twice, and nothing tells another: {values:?}");

    let browser = Client { cookie: Some(other.clone()), ..nobody.clone() };
    assert_eq!(begin(&browser).await.1, other, "a second window is of the same browser");
    let planted = Client { cookie: Some("github-nonce=short".to_owned()), ..nobody.clone() };
    assert_ne!(begin(&planted).await.1, "github-nonce=short");
    assert_eq!(word(&nobody.get("/api/auth/oidc/start?env=development").await), "provider-unreachable");
    assert_eq!(word(&nobody.get("/api/auth/gitlab/start?env=development").await), "not-configured");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_offered() {
    let portal = TestPortal::start(&config(), "").await;
    let session = portal.anonymous().get("/api/session").await.json();
    let offer = |id: &str, title: &str| json!({ "id": id, "title": title, "start": format!("/api/auth/{id}/start?env=development") });
    // The third one does not say who is who.
    assert_eq!(session["providers"], json!([offer("github", "GitHub"), offer("oidc", "Acme")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there() {
    let portal = TestPortal::start(&config(), "").await;
    let nobody = portal.anonymous();
    let origin = nobody.base.origin().ascii_serialization();
    let script = [("Origin", origin.as_str()), ("X-Requested-With", "XMLHttpRequest")];
    let check = async |method: &str, path: &str, status: u16, message: &str| {
        let answer = nobody.send(method, path, &script, b"").await;
        let (found, text) = error(&answer);
        assert_eq!(found, status, "{method} {path}: {text}");
        assert!(text.starts_with(message), "{method} {path}: {text}");
        assert!(cookies(&answer).is_empty(), "{method} {path}: {answer:?}");
    };
    for (method, route) in [
        ("GET", "start"),
        ("GET", "handler/frame"),
        ("POST", "handler/frame"),
        ("GET", "refresh"),
        ("POST", "refresh"),
        ("POST", "logout"),
    ] {
        check(method, &format!("/api/auth/google/{route}"), 404, "Unknown auth provider 'google'").await;
    }
    check("GET", "/api/auth/g%3Cb%3E%0a/start", 404, "Unknown auth provider 'g<b>\\n'").await;
    for provider in ["guest", "development"] {
        check("GET", &format!("/api/auth/{provider}/start?env=development"), 501, "Not implemented").await;
        check("GET", &format!("/api/auth/{provider}/handler/frame"), 501, "Not implemented").await;
        check("POST", &format!("/api/auth/{provider}/logout"), 501, "Not implemented").await;
    }
    let environment = "Must specify 'env' query to select environment";
    check("GET", "/api/auth/github/start", 400, environment).await;
    check("GET", "/api/auth/github/start?env=", 400, environment).await;
    check("GET", "/api/auth/github/refresh", 400, environment).await;
    check("POST", "/api/auth/github/logout", 400, environment).await;
    check("GET", "/api/auth/github/start?env=production", 404, "The provider 'github' is not configured for").await;
    for (query, message) in [
        (
            "flow=popup",
            "The flow 'popup' is not there, because its page hands tokens to other windows; use 'flow=redirect'",
        ),
        ("flow=popup&redirectUrl=/", "The flow 'popup' is not there"),
        ("flow=redirect", "The flow 'redirect' needs the query 'redirectUrl'"),
        ("flow=other&redirectUrl=/", "There is no flow 'other'; use 'flow=redirect'"),
        ("redirectUrl=https://evil.example/", "redirectUrl must be a path of the portal"),
        ("redirectUrl=//evil.example/", "redirectUrl must be a path of the portal"),
        ("flow=redirect&redirectUrl=/.//evil.example/", "redirectUrl must be a path of the portal"),
        ("redirectUrl=javascript:alert(1)", "redirectUrl must be a path of the portal"),
    ] {
        check("GET", &format!("{START}&{query}"), 400, message).await;
    }
    for query in
        ["redirectUrl=/catalog", "flow=redirect&redirectUrl=/catalog", &format!("redirectUrl={origin}/catalog")]
    {
        assert_eq!(nobody.get(&format!("{START}&{query}")).await.status, 302, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_back() {
    let portal = TestPortal::start_lasting(&config(), "").await;
    let nobody = portal.anonymous();
    let back = async |cookie: Option<&str>, path: &str, query: &[(&str, &str)]| {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let client = Client { cookie: cookie.map(str::to_owned), ..nobody.clone() };
        client.get(&format!("{path}?{query}")).await
    };
    let check = async |cookie: Option<&str>, query: &[(&str, &str)], expected: &str| {
        let answer = back(cookie, BACK, query).await;
        assert_eq!(word(&answer), expected, "{query:?}");
    };
    let (sent, cookie) = begin(&nobody).await;
    let (state, mine) = (sent["state"].as_str(), Some(cookie.as_str()));
    check(mine, &[], "flow-mismatch").await;
    check(mine, &[("code", "c")], "flow-mismatch").await;
    check(mine, &[("state", "x"), ("code", "c")], "expired").await;
    check(mine, &[("state", &state.to_uppercase()), ("code", "c")], "expired").await;
    // With all that belongs together, GitHub is asked; and only once.
    check(mine, &[("state", state), ("code", "c")], "provider-unreachable").await;
    check(mine, &[("state", state), ("code", "c")], "expired").await;

    let other = begin(&nobody).await.1;
    let without_code = begin(&Client { cookie: Some(cookie.clone()), ..nobody.clone() }).await.0;
    check(mine, &[("state", &without_code["state"])], "provider-refused").await;
    for cookie in [None, Some(other.as_str()), Some("github-nonce="), Some("oidc-nonce=x")] {
        let (sent, _) = begin(&Client { cookie: Some(mine.unwrap().to_owned()), ..nobody.clone() }).await;
        check(cookie, &[("state", &sent["state"]), ("code", "c")], "flow-mismatch").await;
        check(mine, &[("state", &sent["state"]), ("code", "c")], "expired").await;
    }
    // What a stranger writes is not repeated.
    let text = "<script>alert(1)</script>";
    let (sent, cookie) = begin(&nobody).await;
    let refused = [("state", sent["state"].as_str()), ("error", text), ("error_description", text)];
    let answer = back(Some(&cookie), BACK, &refused).await;
    assert_eq!(word(&answer), "provider-refused");
    assert!(!format!("{:?}{}", answer.headers, answer.text()).contains("alert"), "{answer:?}");

    let (sent, cookie) = begin(&nobody).await;
    let nonce = cookie.split_once('=').unwrap().1;
    let elsewhere = back(
        Some(&format!("oidc-nonce={nonce}")),
        "/api/auth/oidc/handler/frame",
        &[("state", &sent["state"]), ("code", "c")],
    )
    .await;
    assert_eq!(word(&elsewhere), "flow-mismatch", "it began with GitHub");

    let (sent, cookie) = begin(&nobody).await;
    let aged = query_of_age();
    portal.database().await.execute(aged).await.unwrap();
    check(Some(&cookie), &[("state", &sent["state"]), ("code", "c")], "expired").await;
    begin(&nobody).await;
    let rows = portal.database().await.fetch_all(query("SELECT 1 FROM sign_in_flow", args![])).await.unwrap();
    assert_eq!(rows.len(), 1, "what is over is forgotten");
}

/// Ten minutes pass.
fn query_of_age() -> callboard_store::Sql {
    query("UPDATE sign_in_flow SET expires_at = expires_at - $1", args![600_000_i64])
}

/// Some services have the browser post what it brings back. It comes from their site, without the cookies of ours.
#[tokio::test(flavor = "multi_thread")]
async fn coming_back_by_form() {
    let portal = TestPortal::start(&config(), "").await;
    let ada = portal.signed_in("user:default/ada").await;
    let form = b"state=a%26b&code=c&session_state=x&redirectUrl=https://evil.example";
    for client in [portal.anonymous(), ada] {
        for origin in ["https://idp.example", "null"] {
            let headers = [("Origin", origin), ("Content-Type", "application/x-www-form-urlencoded")];
            let answer = client.send("POST", BACK, &headers, form).await;
            assert_eq!(answer.status, 303, "{}", answer.text());
            assert_eq!(answer.header("location"), Some("/api/auth/github/handler/frame?state=a%26b&code=c"));
            assert!(cookies(&answer).is_empty(), "{answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_and_their_tokens() {
    let portal = TestPortal::start(&config(), "").await;
    let nobody = portal.anonymous();
    let before = portal.signed_in("user:default/guest").await;
    let count = async || before.get("/api/auth/sessions").await.json()["items"].as_array().unwrap().len();
    let sessions = count().await;
    let answer = nobody.get("/api/auth/guest/refresh").await;
    assert_eq!(count().await, sessions + 1);
    let fresh = answer.json();
    assert_eq!(fresh["profile"], json!({}));
    let identity = json!({
        "type": "user", "userEntityRef": "user:default/guest", "ownershipEntityRefs": ["user:default/guest"],
    });
    assert_eq!(fresh["backstageIdentity"]["identity"], identity);
    assert_eq!(fresh["backstageIdentity"]["expiresInSeconds"], 3600);
    let bearer = format!("Bearer {}", fresh["backstageIdentity"]["token"].as_str().unwrap());
    let with_token =
        async || nobody.send("GET", "/api/catalog/entities", &[("Authorization", &bearer)], b"").await.status;
    assert_eq!(with_token().await, 200);
    let by_token = nobody.send("GET", "/api/auth/sessions", &[("Authorization", &bearer)], b"").await;
    assert_eq!(by_token.status, 403, "no token reaches sessions");

    let cookie = cookies(&answer)[0].split(';').next().unwrap().to_owned();
    let guest = Client { cookie: Some(cookie), ..nobody.clone() };
    let again = guest.get("/api/auth/guest/refresh").await;
    assert!(cookies(&again).is_empty(), "the session is gone on with");
    assert_eq!(count().await, sessions + 1);
    assert_eq!(guest.mutate("DELETE", "/api/session", b"").await.status, 204);
    assert_eq!(with_token().await, 401, "a token ends with its session");

    let ada = portal.signed_in("user:default/ada").await;
    let fresh = ada.get("/api/auth/development/refresh").await.json();
    let identity = json!({
        "type": "user", "userEntityRef": "user:default/ada",
        "ownershipEntityRefs": ["user:default/ada", "group:default/readers"],
    });
    assert_eq!(fresh["backstageIdentity"]["identity"], identity, "{fresh}");
    assert_eq!(fresh["profile"]["displayName"], "Ada Lovelace");
    let as_guest = ada.get("/api/auth/guest/refresh").await;
    assert_eq!(as_guest.json()["backstageIdentity"]["identity"]["userEntityRef"], "user:default/guest");
    assert!(cookies(&as_guest).is_empty(), "Ada stays signed in");
    assert_eq!(error(&nobody.get("/api/auth/development/refresh").await), (401, "Refresh failed".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_guest_outside_development() {
    let config = json!({ "auth": { "environment": "production", "providers": { "development": null } } });
    let portal = TestPortal::start_without_guest(&config).await;
    let (status, message) = error(&portal.anonymous().get("/api/auth/guest/refresh").await);
    assert_eq!(status, 403, "{message}");
    assert!(message.contains("dangerouslyAllowOutsideDevelopment"), "{message}");
}

/// Sessions of services are of the catalog's users.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_services() {
    let profile = r#"
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: grace }
spec: { memberOf: [readers], profile: { displayName: Grace Hopper, email: grace@example.com, picture: "https://pictures.example/g.png" } }
"#;
    let portal = TestPortal::start_lasting(&config(), profile).await;
    let sessions = Sessions::open(portal.database().await, SessionLifetimes::default(), Clock::system()).await.unwrap();
    let nobody = portal.anonymous();
    let signed_in = async |name: &str, provider: &str| {
        let user = EntityRef::new("user", "default", name);
        let begin = Begin {
            user: &user,
            provider,
            display_name: "As GitHub says",
            user_agent: None,
            lifetime: None,
            instead_of: None,
        };
        let secret = sessions.start(begin).await.unwrap().secret;
        Client { cookie: Some(format!("callboard-session={secret}")), ..nobody.clone() }
    };
    let user = async |client: &Client| client.get("/api/session").await.json()["user"].clone();
    let grace = signed_in("grace", "github").await;
    assert_eq!(user(&grace).await, json!({ "entityRef": "user:default/grace", "displayName": "Grace Hopper" }));
    let ada = signed_in("ada", "oidc").await;
    assert_eq!(user(&ada).await, json!({ "entityRef": "user:default/ada", "displayName": "As GitHub says" }));
    for (name, provider) in [
        ("nobody", "github"), // is not in the catalog
        ("grace", "google"),  // is not configured
        ("grace", "gitlab"),  // does not say who is who
        ("grace", "guest"),   // is not the guest
        ("grace", "development"),
        ("guest", "github"),
    ] {
        assert_eq!(user(&signed_in(name, provider).await).await, json!(null), "{name} with {provider}");
    }

    let origin = nobody.base.origin().ascii_serialization();
    let script = ("X-Requested-With", "XMLHttpRequest");
    let refresh = async |client: &Client, provider: &str, headers: &[(&str, &str)]| {
        client.send("GET", &format!("/api/auth/{provider}/refresh?env=development"), headers, b"").await
    };
    let fresh = refresh(&grace, "github", &[script]).await.json();
    let expected = json!({ "displayName": "Grace Hopper", "email": "grace@example.com", "picture": "https://pictures.example/g.png" });
    assert_eq!(fresh["profile"], expected);
    let owns = json!(["user:default/grace", "group:default/readers"]);
    assert_eq!(fresh["backstageIdentity"]["identity"]["ownershipEntityRefs"], owns);
    assert_eq!(error(&refresh(&grace, "github", &[]).await), (401, "Invalid X-Requested-With header".to_owned()));
    assert_eq!(error(&refresh(&grace, "oidc", &[script]).await), (401, "Refresh failed".to_owned()));
    assert_eq!(error(&refresh(&nobody, "github", &[script]).await), (401, "Refresh failed".to_owned()));

    let logout = async |provider: &str, headers: &[(&str, &str)]| {
        let answer = grace.send("POST", &format!("/api/auth/{provider}/logout?env=development"), headers, b"").await;
        (answer.status, cookies(&answer).len(), answer.text())
    };
    let own = ("Origin", origin.as_str());
    assert_eq!(logout("github", &[own]).await.0, 401);
    assert_eq!(logout("github", &[script, ("Origin", "https://evil.example")]).await.0, 403);
    assert_eq!(logout("oidc", &[script, own]).await, (200, 0, String::new()), "it is a session of GitHub");
    assert_ne!(user(&grace).await, json!(null), "still there");
    assert_eq!(logout("github", &[script, own]).await, (200, 1, String::new()));
    assert_eq!(user(&grace).await, json!(null));
}
