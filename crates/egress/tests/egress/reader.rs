//! Files of plain web servers.

use callboard_egress::{Egress, Limits, Policy as _, Read, ReadError, Settings, UrlReader, Validator};
use http::Method;
use serde_json::{Value, json};

use crate::support::{Reply, Server, quick};

fn reader(allow: Value) -> UrlReader {
    let settings = Settings::from_values(&json!({"allow": allow}), &Value::Null, &Value::Null).unwrap();
    let limits = Limits { read_bytes: 1000, ..quick() };
    Egress::new(Settings { limits, ..settings }).unwrap().reader()
}

fn host(server: &Server) -> String {
    format!("127.0.0.1:{}", server.port())
}

fn content(read: Read) -> (String, Option<Validator>) {
    match read {
        Read::Content(content) => (String::from_utf8(content.body.to_vec()).unwrap(), content.validator),
        Read::Unchanged => panic!("unchanged"),
    }
}

#[tokio::test]
async fn what_is_allowed() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "/in" => Reply::to(302, "/docs/a"),
        "/docs/out" => Reply::to(302, "/private"),
        "/docs/far" => Reply::to(302, "http://169.254.169.254/"),
        _ => Reply::new(200, "file"),
    })
    .await;
    let host = host(&server);
    let check = async |allow: Value, path: &str, expected: Result<&str, &str>| {
        let seen = reader(allow.clone()).read(&server.at(path), None).await;
        match (seen, expected) {
            (Ok(read), Ok(expected)) => assert_eq!(content(read).0, expected),
            (Err(error @ ReadError::NotAllowed { .. }), Err(expected)) => {
                assert_eq!(error.to_string(), expected.replace("HOST", &host));
            }
            (seen, _) => panic!("{allow} {path}: {seen:?}"),
        }
    };
    check(json!([{"host": host}]), "/x", Ok("file")).await;
    check(json!([{"host": "*"}, {"host": host}]), "/x", Ok("file")).await;
    check(json!([{"host": host, "paths": ["/docs"]}]), "/docs/a", Ok("file")).await;
    check(
        json!([]),
        "/x?token=1",
        Err("reading http://HOST/x?… is not allowed by `backend.reading.allow`; add `- host: 'HOST'` to \
             `backend.reading.allow` in app-config.yaml"),
    )
    .await;
    check(
        json!([{"host": "*"}]),
        "/x",
        Err("http://HOST/x was refused: 127.0.0.1 is a loopback address, which a wildcard does not reach: \
             name the host and port themselves to permit it; add `- host: 'HOST'` to `backend.reading.allow` in \
             app-config.yaml"),
    )
    .await;
    check(
        json!([{"host": host, "paths": ["/docs", "/in"]}]),
        "/private",
        Err("reading http://HOST/private is not allowed: `backend.reading.allow` permits HOST only below /docs, /in; \
             add `/` to the `paths` of its entry in app-config.yaml"),
    )
    .await;
    check(json!([{"host": host, "paths": ["/docs", "/in"]}]), "/in", Ok("file")).await;
    check(
        json!([{"host": host, "paths": ["/docs"]}]),
        "/docs/out",
        Err("reading http://HOST/private is not allowed: `backend.reading.allow` permits HOST only below /docs (a \
             redirect led there); add `/` to the `paths` of its entry in app-config.yaml"),
    )
    .await;
    check(
        json!([{"host": host}, {"host": "169.254.169.254"}]),
        "/docs/far",
        Err("http://169.254.169.254/ was refused: 169.254.169.254 is a cloud's metadata address, which \
             is never reached"),
    )
    .await;
}

#[tokio::test]
async fn conditions_and_statuses() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "/gone" => Reply::new(404, "no"),
        "/broken" => Reply::new(500, "no"),
        "/forbidden" => Reply::new(403, "no"),
        "/slow" => Reply::new(503, "no"),
        "/large" => Reply::new(200, "x".repeat(1001)),
        "/stubborn" => Reply::new(200, "same").with("etag", "\"1\""),
        "/weak" => Reply::new(200, "text").with("etag", "W/\"1\""),
        _ if seen.header("if-none-match") == "\"1\"" => Reply { status: 304, ..Reply::default() },
        _ => Reply::new(200, "text").with("etag", "\"1\""),
    })
    .await;
    let reader = reader(json!([{"host": host(&server)}]));
    let read = async |path: &str, known: Option<&str>| {
        let known = known.map(|known| Validator(known.to_owned()));
        reader.read(&server.at(path), known.as_ref()).await
    };
    assert_eq!(content(read("/", None).await.unwrap()), ("text".to_owned(), Some(Validator("1".to_owned()))));
    assert!(matches!(read("/", Some("1")).await, Ok(Read::Unchanged)));
    assert_eq!(content(read("/", Some("0")).await.unwrap()).0, "text");
    assert!(matches!(read("/stubborn", Some("1")).await, Ok(Read::Unchanged)));
    let (text, validator) = content(read("/weak", None).await.unwrap());
    assert_eq!((text.as_str(), validator.clone()), ("text", Some(Validator("W/1".to_owned()))));
    content(read("/weak", Some("W/1")).await.unwrap());
    assert_eq!(server.seen().pop().unwrap().header("if-none-match"), "W/\"1\"");

    let check = async |path: &str, transient: bool, expected: &str| {
        let error = read(path, None).await.unwrap_err();
        assert_eq!(error.to_string(), expected.replace("URL", server.at(path).as_str()));
        assert_eq!(error.is_transient(), transient, "{path}");
    };
    check("/gone", false, "URL does not exist (404 Not Found)").await;
    check("/forbidden", false, "could not read URL, 403 Forbidden").await;
    check("/broken", true, "could not read URL, 500 Internal Server Error").await;
    check(
        "/slow",
        true,
        "URL could not be read: the server is throttling (503 Service Unavailable); the next run will try again",
    )
    .await;
    check("/large", false, "URL is too large: files may have 1000 bytes").await;
}

#[tokio::test]
async fn a_url_that_is_never_read() {
    let reader = reader(json!([{"host": "*"}]));
    for url in ["file:///etc/passwd", "ftp://example.com/a", "https://user:pass@example.com/"] {
        let error = reader.read(&url.parse().unwrap(), None).await.unwrap_err();
        assert!(matches!(error, ReadError::NotAllowed { .. }), "{error:?}");
        assert!(!error.to_string().contains("pass@"), "{error}");
    }
}

#[tokio::test]
async fn the_policy_for_trying_out() {
    let policy = reader(json!([{"host": "api.example.com"}, {"host": "*.example.org"}])).reading_policy();
    let check = |method: Method, url: &str, permitted: bool| {
        assert_eq!(policy.check(&method, &url.parse().unwrap()).is_ok(), permitted, "{method} {url}");
    };
    check(Method::GET, "https://api.example.com/x", true);
    check(Method::HEAD, "https://a.example.org/x", true);
    check(Method::OPTIONS, "https://a.example.org/x", true);
    check(Method::POST, "https://api.example.com/x", false);
    check(Method::GET, "https://example.org/x", false);
    check(Method::GET, "https://api.example.com:8443/x", false);
}
