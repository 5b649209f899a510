//! Token servers, and registries that send us to the wrong one.

use callboard_artifact::oci::Repository;
use serde_json::{Value, json};

use crate::support::{Plugin, Reply, Server, failure, fetch, fetcher, push};

/// A token server that hands out a token to whoever asks, and its address.
async fn token_server(answer: Value) -> (Server, String) {
    let server = Server::start(move |_| Reply::json(&answer)).await;
    let realm = format!("http://{}/token?account=x", server.host());
    (server, realm)
}

/// A registry that wants that token.
async fn registry(realm: String) -> Server {
    let plugin = Plugin::new(b"inside");
    Server::start(move |seen| {
        if seen.header("authorization") == "Bearer t0ken-of-the-test" {
            return plugin.answer(seen);
        }
        let challenge = format!(r#"Bearer realm="{realm}",service="registry & co",scope="repository:all:*""#);
        Reply::new(401, "").with("www-authenticate", challenge)
    })
    .await
}

#[tokio::test]
async fn a_token_is_asked_for_once() {
    let (tokens, realm) = token_server(json!({"access_token": "t0ken-of-the-test", "expires_in": 300})).await;
    let server = registry(realm).await;
    let settings = json!([{
        "host": server.host(), "username": "me", "password": "hunter2", "origins": [format!("http://{}", tokens.host())],
    }]);
    let fetcher = fetcher(settings);
    let source = format!("oci://{}/acme/s3", server.host());
    for _ in 0..2 {
        assert_eq!(fetch(&fetcher, &source, Some("^1")).await.unwrap().bytes, "inside");
    }
    let asked = tokens.seen();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), "Basic bWU6aHVudGVyMg==");
    // The scope is what we are about to do, and not what the registry would like us to hold.
    let query = "/token?account=x&service=registry+%26+co&scope=repository%3Aacme%2Fs3%3Apull";
    assert_eq!(asked[0].target, query);
    for seen in server.seen() {
        assert!(!seen.header("authorization").contains("Basic"), "the password goes to the token server alone");
    }
}

#[tokio::test]
async fn a_password_is_not_sent_where_nobody_said_so() {
    let (thief, realm) = token_server(json!({"token": "t0ken-of-the-test"})).await;
    let server = registry(realm).await;
    let source = format!("oci://{}/acme/s3", server.host());
    let error =
        failure(&fetcher(json!([{"host": server.host(), "username": "me", "password": "hunter2"}])), &source).await;
    assert!(error.contains("its password was not sent there"), "{error}");
    assert!(error.contains(&format!("origins: [\"http://{}\"]", thief.host())), "{error}");
    assert!(thief.seen().is_empty());

    // Without a password nothing is lost, but a place without TLS or on a private network is not for a registry to name.
    let error = failure(&fetcher(json!([])), &source).await;
    assert!(error.contains("without TLS"), "{error}");
    assert!(thief.seen().is_empty());
}

#[tokio::test]
async fn realms_that_lead_nowhere() {
    let check = async |realm: &str, part: &str| {
        let server = registry(realm.to_owned()).await;
        let error = failure(&fetcher(json!([])), &format!("oci://{}/acme/s3", server.host())).await;
        assert!(error.contains(part), "{realm}: {error}");
    };
    check("https://169.254.169.254/latest/meta-data", "metadata").await;
    check("https://127.0.0.1:1/token", "loopback").await;
    check("https://10.1.2.3/token", "private").await;
    check("http://169.254.169.254/token", "without TLS").await;
    check("file:///etc/passwd", "only http and https").await;
    check("nonsense", "no address").await;
    check("https://u:p@example.com/token", "user name or password").await;
}

#[tokio::test]
async fn answers_that_are_no_token() {
    let check = async |answer: Value, part: &str| {
        let (tokens, realm) = token_server(answer).await;
        let server = registry(realm).await;
        let origins = json!([format!("http://{}", tokens.host())]);
        let settings = json!([{"host": server.host(), "username": "me", "password": "hunter2", "origins": origins}]);
        let error = failure(&fetcher(settings), &format!("oci://{}/acme/s3", server.host())).await;
        assert!(error.contains(part), "{error}");
    };
    check(json!({}), "holds no token").await;
    check(json!("x"), "did not answer with a token").await;
    check(json!({"token": 1}), "did not answer with a token").await;
    check(json!({"token": "with\r\nline breaks: x"}), "line break").await;
    check(json!({"token": "another-one"}), "does not accept the name and password").await;
}

#[tokio::test]
async fn a_token_to_push_with() {
    let (tokens, realm) = token_server(json!({"token": "t0ken-of-the-test"})).await;
    let server = Server::start(move |seen| {
        if seen.header("authorization") != "Bearer t0ken-of-the-test" {
            return Reply::new(401, "").with("www-authenticate", format!("Bearer realm=\"{realm}\""));
        }
        match seen.method.as_str() {
            "HEAD" => Reply::new(404, ""),
            "POST" => Reply::new(202, "").with("location", "/v2/acme/s3/blobs/uploads/1?state=a"),
            _ => Reply::new(201, ""),
        }
    })
    .await;
    let origins = json!([format!("http://{}", tokens.host())]);
    let fetcher =
        fetcher(json!([{"host": server.host(), "username": "me", "password": "hunter2", "origins": origins}]));
    let repository = Repository::parse(&server.host(), "acme/s3").unwrap();
    push(&fetcher.registries().of(&repository).unwrap(), &repository, "1.0.0", b"pushed").await;
    let scopes: Vec<_> =
        tokens.seen().iter().map(|seen| seen.target.rsplit("%3A").next().unwrap().to_owned()).collect();
    assert_eq!(scopes, ["pull", "pull%2Cpush"]);
    let uploads = server.seen().iter().filter(|seen| seen.target.contains("?state=a&digest=sha256%3A")).count();
    assert_eq!(uploads, 2);
}
