//! Redirects: each hop is asked for again, and what was meant for one origin stays there.

use callboard_egress::{Credential, Error, HeaderProfile, Reach, Secret};
use http::{HeaderName, HeaderValue, Method};

use crate::support::{Any, NAMED, Origins, Reply, Server, egress, get, text};

#[tokio::test]
async fn hops_are_checked_again() {
    let inside = Server::start(|_| Reply::new(200, "secret")).await;
    let inside_url = inside.url.to_string();
    let port = inside.port();
    let open = Server::start(move |seen| match seen.target.as_str() {
        "/other" => Reply::to(302, inside_url.clone()),
        "/decimal" => Reply::to(302, format!("http://2130706433:{port}/")),
        "/metadata" => Reply::to(302, "http://169.254.169.254/latest/meta-data/"),
        "/metadata6" => Reply::to(307, "http://[fd00:ec2::254]/latest"),
        "/mapped" => Reply::to(301, "http://[::ffff:169.254.169.254]/"),
        "/file" => Reply::to(302, "file:///etc/passwd"),
        "/gopher" => Reply::to(302, "gopher://127.0.0.1:70/_x"),
        "/user" => Reply::to(302, "http://user:pass@127.0.0.1/"),
        "/broken" => Reply::to(302, "http://[::1"),
        "/chain" => Reply::to(308, "/other"),
        "/port" => Reply::to(302, "//127.0.0.1:1/"),
        _ => Reply::new(200, "start"),
    })
    .await;
    let egress = egress();
    let only_open = Origins(vec![open.url.clone()]);
    let check = async |path: &str, any: bool, part: &str| {
        let request = get(open.at(path));
        let result = if any { egress.send(request, &NAMED).await } else { egress.send(request, &only_open).await };
        let error = result.expect_err(path).to_string();
        assert!(error.contains(part), "{path}: {error}");
        assert!(!error.contains("pass@"), "{path}: {error}");
    };
    check("/other", false, "is not granted; add a right (a redirect led there)").await;
    check("/decimal", false, "is not granted").await;
    check("/chain", false, "is not granted").await;
    check("/port", false, "is not granted").await;
    check("/metadata", false, "is not granted").await;
    check("/metadata", true, "169.254.169.254 is a cloud's metadata address, which is never reached").await;
    check("/metadata6", true, "a cloud's metadata address").await;
    check("/mapped", true, "a cloud's metadata address").await;
    check("/file", true, "only http and https").await;
    check("/gopher", true, "only http and https").await;
    check("/user", true, "user name").await;
    check("/broken", true, "not a URL").await;
    assert!(inside.seen().is_empty());
    let error = egress.send(get(open.at("/")), &Any(Reach::Public)).await.unwrap_err();
    assert!(matches!(error, Error::Address { .. }));
    assert_eq!(text(&egress, get(open.at("/chain")), &NAMED).await, "secret");
}

#[tokio::test]
async fn methods_and_bodies() {
    let server = Server::start(|seen| match seen.target.strip_prefix("/go/") {
        Some(status) => Reply::to(status.parse().unwrap(), "/end"),
        None => Reply::new(200, "end"),
    })
    .await;
    let egress = egress();
    let check = async |status: u16, method: Method, expected: Method, body: &str| {
        let mut request = get(server.at(&format!("/go/{status}")));
        request.method = method;
        request.body = "payload".into();
        request.header("content-type", "text/plain").unwrap();
        egress.send(request, &NAMED).await.unwrap();
        let last = server.seen().pop().unwrap();
        assert_eq!((last.method, last.target.as_str()), (expected, "/end"), "{status}");
        assert_eq!(last.body, body, "{status}");
        assert_eq!(last.headers.contains_key("content-type"), !body.is_empty(), "{status}");
    };
    check(301, Method::POST, Method::GET, "").await;
    check(302, Method::POST, Method::GET, "").await;
    check(303, Method::POST, Method::GET, "").await;
    check(303, Method::PUT, Method::GET, "").await;
    check(302, Method::PUT, Method::PUT, "payload").await;
    check(307, Method::POST, Method::POST, "payload").await;
    check(308, Method::POST, Method::POST, "payload").await;
    check(303, Method::HEAD, Method::HEAD, "payload").await;
}

#[tokio::test]
async fn how_many() {
    let server = Server::start(|seen| {
        let left: u32 = seen.target.trim_start_matches('/').parse().unwrap();
        if left == 0 { Reply::new(200, "end") } else { Reply::to(302, format!("/{}", left - 1)) }
    })
    .await;
    let egress = egress();
    assert_eq!(text(&egress, get(server.at("/5")), &NAMED).await, "end");
    let error = egress.send(get(server.at("/6")), &NAMED).await.unwrap_err();
    assert!(error.to_string().ends_with("/6 redirects more than 5 times"), "{error}");
    let mut request = get(server.at("/1"));
    request.max_redirects = 0;
    let response = egress.send(request, &NAMED).await.unwrap();
    assert_eq!((response.status.as_u16(), &response.headers["location"]), (302, &HeaderValue::from_static("/0")));
}

#[tokio::test]
async fn credentials_and_typed_keys_stay_with_their_origin() {
    let stranger = Server::start(|seen| match seen.target.as_str() {
        "/end" => Reply::new(200, "end"),
        back => Reply::to(302, format!("http://{}", back.trim_start_matches('/'))),
    })
    .await;
    let stranger_url = stranger.url.to_string();
    let home = Server::start(move |seen| match seen.target.as_str() {
        "/leave" => Reply::to(302, format!("{stranger_url}end")),
        "/return" => Reply::to(302, format!("{stranger_url}{}/private", seen.header("host"))),
        "/stay" => Reply::to(302, "/private"),
        "/leak" => Reply::to(302, format!("{stranger_url}?t={}", seen.header("authorization").replace("Bearer ", ""))),
        _ => Reply::new(200, "private"),
    })
    .await;
    let egress = egress();
    let token = Secret::new("t0ken-of-home");
    let request = |path: &str| {
        let mut request = get(home.at(path));
        request.credential = Some(Credential::bearer(&home.url, &token).unwrap());
        request.header("x-api-key", "k3y").unwrap();
        request.header("accept", "text/plain").unwrap();
        request
    };

    text(&egress, request("/stay"), &NAMED).await;
    assert_eq!(home.seen().pop().unwrap().header("authorization"), "Bearer t0ken-of-home");

    text(&egress, request("/leave"), &NAMED).await;
    let last = stranger.seen().pop().unwrap();
    assert_eq!((last.header("authorization"), last.header("x-api-key")), ("", ""));
    assert_eq!(last.header("accept"), "text/plain");

    // A stranger must not choose which page of the first origin is read with the credential.
    text(&egress, request("/return"), &NAMED).await;
    let last = home.seen().pop().unwrap();
    assert_eq!((last.target.as_str(), last.header("authorization"), last.header("x-api-key")), ("/private", "", ""));

    let error = egress.send(request("/leak"), &NAMED).await.unwrap_err();
    assert!(error.to_string().contains("carries the credential"), "{error}");
    assert!(!error.to_string().contains("t0ken"), "{error}");

    let mut typed = get(home.at("/leave"));
    typed.profile = HeaderProfile::TryItOut;
    typed.header("authorization", "Bearer typed").unwrap();
    typed.header("private-token", "typed").unwrap();
    text(&egress, typed, &NAMED).await;
    assert_eq!(home.seen().pop().unwrap().header("authorization"), "Bearer typed");
    let last = stranger.seen().pop().unwrap();
    assert_eq!((last.header("authorization"), last.header("private-token")), ("", ""));
}

#[tokio::test]
async fn a_credential_for_another_origin_is_an_error() {
    let home = Server::start(|_| Reply::new(200, "home")).await;
    let other = Server::start(|_| Reply::new(200, "other")).await;
    let name = HeaderName::from_static("private-token");
    let mut request = get(other.url.clone());
    request.credential = Some(Credential::header(&home.url, name, &Secret::new("s3cr3t")).unwrap());
    let error = egress().send(request, &NAMED).await.unwrap_err();
    assert!(matches!(error, Error::CredentialNotForOrigin { .. }), "{error:?}");
    assert!(other.seen().is_empty());
}
