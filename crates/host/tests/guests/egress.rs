//! The ways out of a plugin, driven through one: addresses that are private however they are written, redirects to
//! them, and headers that would make another request of it.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use callboard_egress::resolver::Resolve;
use callboard_host::Limits;
use serde_json::json;

use crate::fixture::{Fixture, Upstream, attack, guest, shared_cache};

/// Names whose only address is the one that they say.
const PRIVATE: [(&str, &str); 24] = [
    ("loopback", "127.0.0.1"),
    ("loopback-end", "127.255.255.254"),
    ("ten", "10.0.0.1"),
    ("docker", "172.17.0.1"),
    ("home", "192.168.1.1"),
    ("shared", "100.64.0.1"),
    ("metadata", "169.254.169.254"),
    ("ecs", "169.254.170.2"),
    ("alibaba", "100.100.100.200"),
    ("azure", "168.63.129.16"),
    ("link-local", "169.254.1.1"),
    ("unspecified", "0.0.0.0"),
    ("multicast", "224.0.0.1"),
    ("broadcast", "255.255.255.255"),
    ("benchmark", "198.18.0.1"),
    ("loopback-six", "::1"),
    ("unspecified-six", "::"),
    ("mapped", "::ffff:127.0.0.1"),
    ("mapped-metadata", "::ffff:169.254.169.254"),
    ("translated", "64:ff9b::7f00:1"),
    ("local-six", "fd00::1"),
    ("link-local-six", "fe80::1"),
    ("metadata-six", "fd00:ec2::254"),
    ("six-to-four", "2002:7f00:1::1"),
];

struct Names;

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = PRIVATE.iter().find(|(name, _)| host.strip_suffix(".wild.example") == Some(name));
        let (_, address) =
            found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{host} is not there")))?;
        Ok(vec![address.parse().map_err(io::Error::other)?])
    }
}

/// The matrix of `docs/security.md`: nothing of it is sent anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_not_a_plugins() {
    let fixture = Fixture::resolving(Limits::default(), &shared_cache(), Arc::new(Names)).await;
    let (upstream, victim) = (Upstream::start().await, Upstream::start().await);
    let port = victim.origin.rsplit(':').next().unwrap_or_default();
    let granted = upstream.origin.trim_start_matches("http://");

    // A right to a wildcard reaches what is public.
    let mut urls: Vec<String> = PRIVATE.iter().map(|(name, _)| format!("http://{name}.wild.example/")).collect();
    let by_name = urls.len();
    // Nothing of this is granted, however it is written.
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "127.0.0.1.",
        "0",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "[64:ff9b::7f00:1]",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "ⓛocalhost",
        "somebody@127.0.0.1",
        "somebody:x@localhost",
    ] {
        urls.push(format!("http://{host}:{port}/"));
    }
    urls.extend([
        format!("http://{granted}@127.0.0.1:{port}/"),
        format!("https://{granted}/"),
        format!("http://{granted}0/"),
        format!("http://a.wild.example.127.0.0.1:{port}/"),
        "http://wild.example/".to_owned(),
        "http://a.wild.example:8080/".to_owned(),
        "https://a.wild.example/".to_owned(),
        "http://a.wild.example.evil.example/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1:6379/_INFO".to_owned(),
        "ftp://127.0.0.1/".to_owned(),
        "unix:/var/run/docker.sock".to_owned(),
        "http+unix://%2Fvar%2Frun%2Fdocker.sock/info".to_owned(),
        format!("ws://127.0.0.1:{port}/"),
        format!("//127.0.0.1:{port}/"),
        "data:text/plain,x".to_owned(),
        "javascript:alert(1)".to_owned(),
        "http://".to_owned(),
        "http://%00/".to_owned(),
        "http:///etc/passwd".to_owned(),
    ]);
    let not_granted = urls.len();
    // What is granted sends there.
    for to in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("//127.0.0.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        "http://metadata.wild.example/".to_owned(),
        "http://loopback.wild.example/".to_owned(),
        "http://169.254.169.254/".to_owned(),
        "http://[::1]:1/".to_owned(),
        format!("https://{granted}/"),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1/".to_owned(),
    ] {
        urls.push(format!("{}/redirect?{to}", upstream.origin));
    }
    let mut spec = guest("ssrf").spec();
    spec.limits.ui_deadline = Some(std::time::Duration::from_secs(60));
    spec.config = json!({ "hostile": { "url": upstream.origin, "urls": urls } });
    let plugin = fixture.host.load(spec).await.unwrap_or_else(|error| panic!("{error}"));
    let seen = attack(&plugin).await.unwrap_or_else(|error| panic!("{error}"));
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines.len(), urls.len(), "{seen}");
    let mut wrong = Vec::new();
    for (number, (url, line)) in urls.iter().zip(&lines).enumerate() {
        let expected: &[&str] = if number < by_name {
            &["Denied(", ".wild.example resolves to"]
        } else if number < not_granted {
            &["Denied(", "Invalid("]
        } else {
            &["Denied(", "Invalid(", "Unavailable("]
        };
        let is_by_name = number < by_name;
        let right = if is_by_name {
            expected.iter().all(|part| line.contains(part))
        } else {
            expected.iter().any(|case| line.starts_with(case))
        };
        if !right {
            wrong.push(format!("{url}: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(victim.requests(), Vec::<String>::new());
    assert!(upstream.requests().iter().all(|line| line.starts_with("GET /redirect?")), "{:?}", upstream.requests());
    assert_eq!(upstream.requests().len(), urls.len() - not_granted, "each redirect was asked for");
}

/// No header of a plugin's speaks for somebody else, and none makes two requests of one.
#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_not_a_plugins() {
    let fixture = Fixture::new().await;
    let upstream = Upstream::start().await;
    let mut spec = guest("header_smuggler").spec();
    spec.config = json!({ "hostile": { "url": upstream.origin } });
    let plugin = fixture.host.load(spec).await.unwrap_or_else(|error| panic!("{error}"));
    let seen = attack(&plugin).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(seen.lines().count(), 20, "{seen}");
    for line in seen.lines() {
        assert!(line.contains(": Err(Invalid("), "{line}");
    }
    assert_eq!(upstream.requests(), Vec::<String>::new());
}

/// What is full is full, and nobody else's is.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_keeps_has_an_end() {
    let fixture = Fixture::new().await;
    fixture.kv.of("victim", 0).set("a", b"x").await.expect("there is room");
    let mut spec = guest("kv_flood").spec();
    spec.limits.ui_deadline = Some(std::time::Duration::from_secs(60));
    let plugin = fixture.host.load(spec).await.unwrap_or_else(|error| panic!("{error}"));
    let seen = attack(&plugin).await.unwrap_or_else(|error| panic!("{error}"));
    let values: usize = seen.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(usize::MAX);
    assert!((60..=64).contains(&values) && seen.contains("then TooLarge("), "{seen}");
    fixture.kv.of("victim", 0).set("b", &vec![0; 1024 * 1024]).await.expect("another plugin has room");
}
