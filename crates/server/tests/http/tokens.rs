//! The tokens of programs: those of app-config, those that people make, and those of others with published keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::{Answer, Client};
use crate::portal::TestPortal;

const SHELF: &str = "/api/catalog/entities/by-name/component/default/shelf";

async fn with(client: &Client, token: &str, method: &str, path: &str, body: &Value) -> Answer {
    let token = format!("Bearer {token}");
    let headers = [("Authorization", token.as_str()), ("Content-Type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    client.send(method, path, &headers, body.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_of_app_config() {
    let reads = json!([{ "plugin": "catalog", "permissionAttribute": { "action": "read" } }]);
    let named = json!([{ "plugin": "catalog", "permission": "catalog.entity.refresh, catalog.entity.read" }]);
    let of = |token: &str, restrictions: &Value| {
        let options = json!({ "token": token, "subject": token.trim_end_matches("-token") });
        match restrictions.is_null() {
            true => json!({ "type": "static", "options": options }),
            false => json!({ "type": "static", "options": options, "accessRestrictions": restrictions }),
        }
    };
    let access = json!([of("free-token", &Value::Null), of("reads-token", &reads), of("named-token", &named)]);
    let portal = TestPortal::start(&json!({ "backend": { "auth": { "externalAccess": access } } }), "").await;
    let nobody = portal.anonymous();
    let check = async |method: &str, path: &str, body: Value, expected: [u16; 4]| {
        for (token, status) in ["free-token", "reads-token", "named-token", "none-token"].iter().zip(expected) {
            let answer = with(&nobody, token, method, path, &body).await;
            assert_eq!(answer.status, status, "{method} {path} with {token}: {}", answer.text());
        }
    };
    let refresh = json!({ "entityRef": "component:default/shelf" });
    check("GET", SHELF, Value::Null, [200, 200, 200, 401]).await;
    check("GET", "/api/catalog/locations", Value::Null, [200, 200, 403, 401]).await;
    check("POST", "/api/catalog/refresh", refresh, [200, 403, 200, 401]).await;
    check("DELETE", "/api/catalog/entities/by-uid/none", Value::Null, [204, 403, 403, 401]).await;
    check("GET", "/api/plugins", Value::Null, [200, 403, 403, 401]).await;
    check("GET", "/api/session", Value::Null, [200, 200, 200, 401]).await;
    // What is for people only.
    let wish = json!({ "entityRef": "api:default/none", "method": "GET", "url": "https://a.example/" });
    check("POST", "/api/apis/try", wish, [403, 403, 403, 401]).await;
    check("GET", "/api/auth/tokens", Value::Null, [403, 403, 403, 401]).await;
    let answer = with(&nobody, "reads-token", "GET", "/api/plugins", &Value::Null).await.json();
    let expected =
        "service:external:reads does not have the permission plugin.read: the token is limited to other things";
    assert_eq!(answer["error"]["message"], expected);
    let items = json!({ "items": [] });
    let refused = with(&nobody, "free-token", "POST", "/api/permission/authorize", &items).await;
    assert_eq!(refused.status, 403);
}

/// Whoever signs publishes its keys; the portal asks for them once, and again only when there is a reason.
struct Signer {
    url: String,
    asked: Arc<AtomicUsize>,
    key: EncodingKey,
}

impl Signer {
    async fn start() -> Signer {
        let secret = p256::SecretKey::from_slice(&[7; 32]).unwrap();
        let der = p256::pkcs8::EncodePrivateKey::to_pkcs8_der(&secret).unwrap();
        let key = EncodingKey::from_ec_der(der.as_bytes());
        let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        public.common.key_id = Some("one".to_owned());
        let set = json!({ "keys": [public] }).to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let keys = routing::get(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            async move { set }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/keys", keys)).await });
        Signer { url, asked, key }
    }

    fn sign(&self, kid: &str, claims: &Value) -> String {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_others() {
    let signer = Signer::start().await;
    let options = json!({
        "url": signer.url, "algorithm": ["ES256", "RS256"], "issuer": "https://ci.example", "audience": "callboard",
        "subjectPrefix": "ci",
    });
    let access = json!([{ "type": "jwks", "options": options,
        "accessRestrictions": [{ "plugin": "catalog", "permissionAttribute": { "action": "read" } }] }]);
    let portal = TestPortal::start(&json!({ "backend": { "auth": { "externalAccess": access } } }), "").await;
    let nobody = portal.anonymous();
    let now = jsonwebtoken::get_current_timestamp();
    let good =
        json!({ "iss": "https://ci.example", "aud": "callboard", "sub": "job", "exp": now + 600, "nbf": now - 5 });
    let check = async |what: &str, token: &str, status: u16| {
        let answer = with(&nobody, token, "GET", SHELF, &Value::Null).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
    };
    check("a good one", &signer.sign("one", &good), 200).await;
    let refused = with(&nobody, &signer.sign("one", &good), "GET", "/api/plugins", &Value::Null).await.json();
    assert!(refused["error"]["message"].as_str().unwrap().starts_with("service:external:ci:job "), "{refused}");
    let with_claim = |claim: &str, value: Value| {
        let mut claims = good.clone();
        match value {
            Value::Null => _ = claims.as_object_mut().unwrap().remove(claim),
            value => claims[claim] = value,
        }
        signer.sign("one", &claims)
    };
    for (claim, wrong) in [
        ("iss", json!("https://evil.example")),
        ("aud", json!("somebody-else")),
        ("exp", json!(now - 600)),
        ("nbf", json!(now + 600)),
        ("sub", json!("")),
    ] {
        check(&format!("{claim} wrong"), &with_claim(claim, wrong), 401).await;
    }
    for claim in ["iss", "aud", "exp", "sub"] {
        check(&format!("{claim} missing"), &with_claim(claim, Value::Null), 401).await;
    }
    let parts: Vec<String> = signer.sign("one", &good).split('.').map(str::to_owned).collect();
    // {"alg":"none","kid":"one"}
    check("unsigned", &format!("eyJhbGciOiJub25lIiwia2lkIjoib25lIn0.{}.", parts[1]), 401).await;
    let confused = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
    let public = Jwk::from_encoding_key(&signer.key, Algorithm::ES256).unwrap();
    let secret = EncodingKey::from_secret(serde_json::to_string(&public).unwrap().as_bytes());
    check("signed with the public key", &jsonwebtoken::encode(&confused, &good, &secret).unwrap(), 401).await;
    let other = p256::SecretKey::from_slice(&[9; 32]).unwrap();
    let other = EncodingKey::from_ec_der(p256::pkcs8::EncodePrivateKey::to_pkcs8_der(&other).unwrap().as_bytes());
    let stranger =
        Signer { key: other, ..Signer { url: String::new(), asked: Arc::default(), key: signer.key.clone() } };
    check("another's signature", &stranger.sign("one", &good), 401).await;
    for _ in 0..20 {
        check("an unknown key", &signer.sign("two", &good), 401).await;
    }
    check("still a good one", &signer.sign("one", &good), 200).await;
    assert_eq!(signer.asked.load(Ordering::SeqCst), 1, "tokens that name unknown keys do not make the portal ask");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_people_make() {
    let portal = TestPortal::start(&json!({}), "").await;
    let (bob, ada) = (portal.signed_in("user:default/bob").await, portal.signed_in("user:default/ada").await);
    let nobody = portal.anonymous();
    let make = async |client: &Client, scope: Value| {
        let answer = client.post("/api/auth/tokens", &json!({ "name": "ci", "scope": scope, "days": 30 })).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    };
    let lamp = bob.get("/api/catalog/entities/by-name/component/default/lamp").await.json();
    let shelf = bob.get(SHELF).await.json();
    let uid = |entity: &Value| format!("/api/catalog/entities/by-uid/{}", entity["metadata"]["uid"].as_str().unwrap());

    let reads = make(&bob, json!(["catalog.*.read"])).await;
    let secret = reads["secret"].as_str().unwrap().to_owned();
    let ask =
        async |secret: &str, method: &str, path: &str| with(&nobody, secret, method, path, &Value::Null).await.status;
    assert_eq!(ask(&secret, "GET", SHELF).await, 200);
    assert_eq!(ask(&secret, "GET", "/api/plugins").await, 403, "outside its scope");
    assert_eq!(ask(&secret, "DELETE", &uid(&lamp)).await, 403, "its owner may, the token may not");
    // The widest token has what its owner has and nothing more, and cannot make others.
    let all = make(&bob, json!(["*"])).await["secret"].as_str().unwrap().to_owned();
    assert_eq!(ask(&all, "DELETE", &uid(&shelf)).await, 403, "not even its owner may");
    for path in ["/api/auth/tokens", "/api/permission/permissions"] {
        assert_eq!(ask(&all, "GET", path).await, 403, "{path}");
    }
    let wish = json!({ "name": "more", "scope": ["*"], "days": 366 });
    assert_eq!(with(&nobody, &all, "POST", "/api/auth/tokens", &wish).await.status, 403);
    assert_eq!(ask(&all, "DELETE", &uid(&lamp)).await, 204);
    // Guesses.
    let (start, _) = secret.rsplit_once('_').unwrap();
    for guess in [format!("{start}_{}", "0".repeat(64)), start.to_owned(), format!("{secret}0"), secret.to_uppercase()]
    {
        assert_eq!(ask(&guess, "GET", SHELF).await, 401, "{guess}");
    }

    let list = bob.get("/api/auth/tokens").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert!(!list.to_string().contains(&secret), "a secret is shown once");
    assert!(list["items"].as_array().unwrap().iter().all(|token| token["usedAt"].is_string()));
    assert_eq!(ada.get("/api/auth/tokens").await.json()["items"], json!([]));
    let id = reads["token"]["id"].as_str().unwrap();
    let revoke = async |client: &Client| client.mutate("DELETE", &format!("/api/auth/tokens/{id}"), b"").await.status;
    assert_eq!(revoke(&ada).await, 404, "not hers");
    assert_eq!(ask(&secret, "GET", SHELF).await, 200);
    assert_eq!(revoke(&bob).await, 204);
    assert_eq!(ask(&secret, "GET", SHELF).await, 401);
    assert_eq!(revoke(&bob).await, 404);
    let wrong =
        bob.post("/api/auth/tokens", &json!({ "name": "x", "scope": ["catalog.entity.raed"], "days": 1 })).await;
    assert_eq!((wrong.status, wrong.json()["error"]["name"].clone()), (400, json!("InputError")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_need_to_check_our_tokens() {
    let portal = TestPortal::start(&json!({}), "").await;
    let nobody = portal.anonymous();
    let document = nobody.get("/api/auth/.well-known/openid-configuration").await.json();
    let issuer = document["issuer"].as_str().unwrap();
    assert!(issuer.ends_with("/api/auth"), "{issuer}");
    assert_eq!(document["jwks_uri"], format!("{issuer}/.well-known/jwks.json"));
    let keys = nobody.get("/api/auth/.well-known/jwks.json").await.json();
    assert!(keys["keys"].is_array());
    let answer = nobody.get("/api/auth/v1/userinfo").await;
    assert_eq!((answer.status, answer.json()["error"]["message"].clone()), (401, json!("No token provided")));
    assert_eq!(nobody.get("/api/auth/v1/token").await.status, 501);
}
