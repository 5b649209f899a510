//! Requests of guests: what is not granted is not sent, what is secret is not seen, what is slow is not waited for.

use std::time::{Duration, Instant};

use callboard_host::{ErrorKind, LimitOverrides};
use callboard_model::api::PluginState;
use serde_json::{Value, json};

use crate::fixture::{Fixture, Upstream, attack, spec};

fn config(upstream: &Upstream, path: &str) -> Value {
    json!({ "hostile": { "url": format!("{}{path}", upstream.origin) } })
}

#[tokio::test(flavor = "multi_thread")]
async fn other_origins_are_refused() {
    let (fixture, upstream) = (Fixture::new().await, Upstream::start().await);
    let plugin = fixture.load_with("ungranted_origin", config(&upstream, "")).await;
    let seen = attack(&plugin).await.unwrap();
    let lines: Vec<_> = seen.lines().collect();
    assert_eq!(lines.len(), 4, "{seen}");
    for line in &lines {
        assert!(line.starts_with("Denied(") || line.starts_with("Invalid("), "{line}");
    }
    assert!(lines[0].contains("GET https://not-granted.example"), "{seen}");
    assert!(lines[0].contains("rights.http"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_refused() {
    let (fixture, upstream) = (Fixture::new().await, Upstream::start().await);
    let plugin = fixture.load_with("ungranted_method", config(&upstream, "")).await;
    let seen = attack(&plugin).await.unwrap();
    for (line, method) in seen.lines().zip(["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]) {
        assert!(line.starts_with("Denied(") && line.contains(&format!("{method} {}", upstream.origin)), "{line}");
    }
    assert_eq!(upstream.requests(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_checked_again() {
    let (fixture, upstream, private) = (Fixture::new().await, Upstream::start().await, Upstream::start().await);
    let elsewhere = ["http://169.254.169.254/latest/meta-data/", "http://[::1]:1/", "file:///etc/passwd"];
    let elsewhere = elsewhere.into_iter().map(str::to_owned).chain([format!("{}/secret", private.origin)]);
    for to in elsewhere {
        // The right is to an origin, so the path with the redirect comes from the config's URL as well.
        let plugin = fixture.load_with("redirect_to_private", config_for_redirect(&upstream, &to)).await;
        let seen = attack(&plugin).await.unwrap();
        assert!(!seen.starts_with("200"), "{to}: {seen}");
    }
    assert_eq!(private.requests(), Vec::<String>::new());
    assert_eq!(upstream.requests().len(), 4, "the granted origin itself was asked");
    let plugin = fixture.load_with("redirect_to_private", config(&upstream, "/echo")).await;
    let seen = attack(&plugin).await.unwrap();
    assert!(seen.starts_with("200"), "{seen}");
}

fn config_for_redirect(upstream: &Upstream, to: &str) -> Value {
    config(upstream, &format!("/redirect?{to}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_cannot_find_the_secret() {
    const CANARY: &str = "canary-7f3a9c";
    let (fixture, upstream) = (Fixture::new().await, Upstream::start().await);
    let plugin = fixture
        .load_with(
            "secret_hunter",
            json!({
                "hostile": { "url": format!("{}/echo", upstream.origin), "token": CANARY, "other": CANARY },
                "backend": { "password": CANARY },
                "integrations": { "awsS3": { "secretAccessKey": CANARY } },
            }),
        )
        .await;
    let seen = attack(&plugin).await.unwrap();
    assert!(!seen.contains(CANARY), "{seen}");
    // It was sent, so what came back was really scrubbed.
    assert!(seen.contains("echo: 200"), "{seen}");
    assert!(seen.contains("handle: credential:1"), "{seen}");
    assert!(!seen.contains("set-cookie"), "{seen}");
    assert!(seen.contains("authorization: Err(") && seen.contains("host: Err("), "{seen}");
    assert!(seen.contains("x-a: Err("), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_an_upstream_is_bounded() {
    let (fixture, upstream) = (Fixture::new().await, Upstream::start().await);
    let plugin = fixture.load_with("slow_upstream", config(&upstream, "/silent")).await;
    let started = Instant::now();
    let error = attack(&plugin).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Deadline, "{error}");
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_upstream_is_told_to_the_guest_first() {
    let (fixture, upstream) = (Fixture::new().await, Upstream::start().await);
    let plugin = fixture.load_with("redirect_to_private", config(&upstream, "/silent")).await;
    let seen = attack(&plugin).await.unwrap();
    assert!(seen.starts_with("Unavailable(") && seen.contains("did not answer within"), "{seen}");
    assert_eq!(plugin.state(), PluginState::Running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_at_once_are_not_sent() {
    let (fixture, upstream) = (Fixture::new().await, Upstream::start().await);
    let mut spec = spec("many_requests", config(&upstream, "/echo"));
    spec.limits = LimitOverrides { ui_deadline: Some(Duration::from_secs(20)), ..LimitOverrides::default() };
    let plugin = fixture.host.load(spec).await.unwrap();
    let seen = attack(&plugin).await.unwrap();
    let sent = upstream.requests().len();
    assert!(sent <= 1200, "{sent}");
    let kept: usize = seen.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(kept > 0 && kept <= 256, "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_answer_is_cut() {
    let (fixture, upstream) = (Fixture::new().await, Upstream::start().await);
    let mut spec = spec("redirect_to_private", config(&upstream, "/endless"));
    spec.limits = LimitOverrides { response_bytes: Some(100_000), ..LimitOverrides::default() };
    let plugin = fixture.host.load(spec).await.unwrap();
    let seen = attack(&plugin).await.unwrap();
    assert!(seen.contains("body: ") && seen.contains("100000 bytes"), "{seen}");
}
