//! Registries that do what none should.

use bytes::Bytes;
use callboard_artifact::{
    Digest,
    limits::{BUNDLE_BYTES, COMPONENT_BYTES},
    oci::{About, Repository},
};
use serde_json::json;

use crate::support::{Plugin, Reply, Seen, Server, failure, fetch, fetcher};

/// Spoils one answer of a registry that is good otherwise, fetches from it, and gives the message.
async fn spoiled(plugin: Plugin, spoil: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> String {
    let server = Server::start(move |seen| spoil(seen).unwrap_or_else(|| plugin.answer(seen))).await;
    failure(&fetcher(json!([])), &format!("oci://{}/acme/s3", server.host())).await
}

fn is_blob(seen: &Seen) -> bool {
    seen.path().contains("/blobs/")
}

#[tokio::test]
async fn the_registry_as_it_should_be() {
    let plugin = Plugin::new(b"good");
    let server = Server::start(move |seen| plugin.answer(seen)).await;
    let fetched = fetch(&fetcher(json!([])), &format!("oci://{}/acme/s3", server.host()), Some("^1")).await.unwrap();
    assert_eq!(fetched.bytes, "good");
    assert!(fetched.bundles.bundles.is_empty() && fetched.bundles.passed_over.is_empty(), "{:?}", fetched.bundles);
}

#[tokio::test]
async fn blobs() {
    let check = async |plugin: Plugin, reply: Reply, part: &str| {
        let error = spoiled(plugin, move |seen| is_blob(seen).then(|| reply.clone())).await;
        assert!(error.contains(part), "{part}: {error}");
    };
    let good = || Plugin::new(b"good");
    check(good(), Reply::new(200, "evil"), &Digest::of(b"evil").to_string()).await;
    check(good(), Reply::new(200, "evil"), "do not use it").await;
    check(good(), Reply::new(200, "goo"), "broke off after 3 of 4 bytes").await;
    check(good(), Reply::new(200, ""), "broke off after 0 of 4 bytes").await;
    check(good(), Reply::new(200, "good and more"), "its manifest says 4").await;
    // Without a length, and without an end.
    let endless = Reply { again: Some(usize::MAX), ..Reply::new(200, vec![0; 1 << 16]) };
    check(good(), endless.clone(), "larger than 16384 bytes").await;
    let large = Plugin::with(b"good", |manifest| manifest["layers"][0]["size"] = json!(COMPONENT_BYTES));
    check(large, endless, "larger than").await;
    let announced = Plugin::with(b"good", |manifest| manifest["layers"][0]["size"] = json!(COMPONENT_BYTES + 1));
    check(announced, Reply::new(200, "good"), "no more than 33554432 are taken").await;
    let small = Plugin::with(b"good", |manifest| manifest["layers"][0]["size"] = json!(3));
    check(small, Reply::new(200, "good"), "its manifest says 3").await;
    check(good(), Reply::new(200, "good").with("content-length", "9"), "").await;
    check(good(), Reply::new(500, "<html>\u{1b}[2J"), "was answered with 500").await;
    check(good(), Reply::new(404, ""), "is not there").await;
    check(good(), Reply::new(204, ""), "was answered with 204").await;
}

#[tokio::test]
async fn redirects() {
    let inside = Server::start(|_| Reply::new(200, "good")).await;
    let check = async |location: String, part: &str| {
        let error = spoiled(Plugin::new(b"good"), move |seen| is_blob(seen).then(|| Reply::to(location.clone()))).await;
        assert!(error.contains(part), "{part}: {error}");
    };
    check("http://169.254.169.254/latest/meta-data/".to_owned(), "without TLS").await;
    check("https://169.254.169.254/latest/meta-data/".to_owned(), "metadata").await;
    check("https://[fd00:ec2::254]/".to_owned(), "metadata").await;
    check("https://10.0.0.1/blob".to_owned(), "a private address").await;
    check("https://[::ffff:127.0.0.1]/blob".to_owned(), "a loopback address").await;
    check(format!("http://{}/blob", inside.host()), "without TLS").await;
    check(format!("https://{}/blob", inside.host()), "a loopback address").await;
    check("file:///etc/passwd".to_owned(), "only http and https").await;
    assert!(inside.seen().is_empty());

    // Where app-config says that the place belongs to the registry, it is followed, without the registry's password.
    let plugin = Plugin::new(b"good");
    let storage = format!("http://{}", inside.host());
    let location = format!("{storage}/blob");
    let server = Server::start(move |seen| match seen.header("authorization") {
        "" => Reply::new(401, "").with("www-authenticate", "Basic realm=x"),
        _ if is_blob(seen) => Reply::to(location.clone()),
        _ => plugin.answer(seen),
    })
    .await;
    let settings = json!([{"host": server.host(), "username": "me", "password": "hunter2", "origins": [storage]}]);
    let source = format!("oci://{}/acme/s3", server.host());
    assert_eq!(fetch(&fetcher(settings), &source, None).await.unwrap().bytes, "good");
    assert_eq!(inside.seen()[0].header("authorization"), "");
}

#[tokio::test]
async fn manifests() {
    let check = async |reply: Reply, part: &str| {
        let error =
            spoiled(Plugin::new(b"good"), move |seen| seen.path().contains("/manifests/").then(|| reply.clone())).await;
        assert!(error.contains(part), "{part}: {error}");
    };
    let good = Plugin::new(b"good").manifest;
    let lie = Digest::of(b"lie").to_string();
    check(Reply::new(200, good.clone()).with("docker-content-digest", lie), "is not what it should be").await;
    check(Reply::new(200, "<html>"), "cannot be read").await;
    check(Reply::new(200, "["), "cannot be read").await;
    check(Reply::new(200, "[".repeat(100_000)), "cannot be read").await;
    check(Reply { again: Some(usize::MAX), ..Reply::new(200, vec![b' '; 1 << 16]) }, "larger than").await;
    check(Reply::new(403, ""), "asks who we are").await;
    let image = Plugin::with(b"good", |manifest| manifest["config"]["mediaType"] = json!("application/x\u{1b}[2J"));
    check(Reply::new(200, image.manifest), "wkg oci push").await;

    // Another manifest than the one whose digest was asked for.
    let plugin = Plugin::new(b"good");
    let server = Server::start(move |_| Reply::new(200, good.clone())).await;
    let other = Digest::of(b"other");
    let error = failure(&fetcher(json!([])), &format!("oci://{}/acme/s3@{other}", server.host())).await;
    assert!(error.contains(&other.to_string()) && error.contains(&plugin.digest().to_string()), "{error}");
}

#[tokio::test]
async fn lists_of_tags() {
    let next = |target: &'static str| {
        Reply::json(&json!({"tags": ["0.1.0"]})).with("link", format!("<{target}>; rel=\"next\""))
    };
    let check = async |reply: Reply, part: &str| {
        let error =
            spoiled(Plugin::new(b"good"), move |seen| seen.path().ends_with("/tags/list").then(|| reply.clone())).await;
        assert!(error.contains(part), "{part}: {error}");
    };
    check(next("/v2/acme/s3/tags/list?n=1000"), "more than 200 entries or pages").await;
    check(next("https://example.com/v2/acme/s3/tags/list"), "next page is elsewhere").await;
    check(next("/v2/acme/private/tags/list"), "next page is elsewhere").await;
    check(next("http://[::1"), "no address").await;
    check(Reply::json(&json!({"tags": 1})), "cannot be read").await;
    check(Reply::json(&json!({"tags": null})), "none of its tags is a version").await;
    check(Reply::json(&json!({"tags": vec!["1.0.0"; 20_001]})), "more than 20000").await;
    check(Reply { again: Some(usize::MAX), ..Reply::new(200, vec![b' '; 1 << 16]) }, "larger than").await;

    let plugin = Plugin::new(b"good");
    let server = Server::start(move |seen| match seen.target.as_str() {
        "/v2/acme/s3/tags/list?n=1000" => Reply::json(&json!({"tags": ["0.9.0", "a"]}))
            .with("link", "</v2/acme/s3/tags/list?last=a&n=1000>; rel=\"next\""),
        "/v2/acme/s3/tags/list?last=a&n=1000" => Reply::json(&json!({"tags": ["1.2.3"]})),
        _ => plugin.answer(seen),
    })
    .await;
    let fetched = fetch(&fetcher(json!([])), &format!("oci://{}/acme/s3", server.host()), None).await.unwrap();
    assert_eq!(fetched.version.unwrap().to_string(), "1.2.3");
}

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The manifest of a bundle for a subject.
fn referrer(bundle: &[u8], subject: Digest, size: u64) -> String {
    json!({
        "schemaVersion": 2,
        "artifactType": BUNDLE,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::of(b"{}"), "size": 2},
        "layers": [{"mediaType": BUNDLE, "digest": Digest::of(bundle), "size": size}],
        "subject": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": subject, "size": 1},
    })
    .to_string()
}

#[tokio::test]
async fn signatures() {
    let plugin = Plugin::new(b"good");
    let subject = plugin.digest();
    let size = BUNDLE_BYTES + 1;
    let bundles = [
        referrer(b"a bundle", subject, 8),
        referrer(b"of another one", Digest::of(b"other"), 14),
        referrer(b"large", subject, size),
        referrer(b"gone", subject, 4),
    ];
    let listed: Vec<_> = bundles
        .iter()
        .map(|bundle| json!({"mediaType": "m", "digest": Digest::of(bundle.as_bytes()), "size": 1, "artifactType": BUNDLE}))
        .chain([
            json!({"mediaType": "m", "digest": Digest::of(b"sbom"), "size": 1, "artifactType": "application/spdx+json"}),
            json!({"mediaType": "m", "digest": "sha512:00", "size": 1}),
        ])
        .collect();
    let list = json!({"schemaVersion": 2, "manifests": listed});
    let api = format!("/v2/acme/s3/referrers/{subject}");
    let tag = format!("/v2/acme/s3/manifests/sha256-{}", subject.hex());
    let legacy = format!("{tag}.sig");
    // With the API, with the list under a tag where the API is not there, and where it answers with a page for people.
    for (at, no_api) in [(api.clone(), None), (tag.clone(), Some((404, "text/plain"))), (tag, Some((200, "text/html")))]
    {
        let (plugin, bundles, list, api) = (plugin.clone(), bundles.clone(), list.clone(), api.clone());
        let server = Server::start(move |seen| {
            if seen.path() == at {
                return Reply::json(&list).with("content-type", INDEX);
            }
            if let Some((status, kind)) = no_api
                && seen.path() == api
            {
                return Reply::new(status, "no such page").with("content-type", kind);
            }
            let found = bundles.iter().find(|one| seen.path().ends_with(&Digest::of(one.as_bytes()).to_string()));
            match found {
                Some(one) => Reply::new(200, one.clone()),
                None if seen.path().ends_with(&Digest::of(b"a bundle").hex()) => Reply::new(200, "a bundle"),
                None => plugin.answer(seen),
            }
        })
        .await;
        let fetched = fetch(&fetcher(json!([])), &format!("oci://{}/acme/s3", server.host()), None).await.unwrap();
        assert_eq!(fetched.bundles.bundles, [Bytes::from("a bundle")]);
        let passed_over = fetched.bundles.passed_over.join("\n");
        for part in ["about another one", "no more than 1048576", "is not there", "not a digest"] {
            assert!(passed_over.contains(part), "{part}: {passed_over}");
        }
    }

    let plugin_too = plugin.clone();
    let server = Server::start(move |seen| match seen.path() {
        path if path == legacy => Reply::new(200, "").with("docker-content-digest", Digest::of(b"x").to_string()),
        path if path.contains("/referrers/") => Reply::new(500, ""),
        _ => plugin_too.answer(seen),
    })
    .await;
    let fetched = fetch(&fetcher(json!([])), &format!("oci://{}/acme/s3", server.host()), None).await.unwrap();
    assert!(fetched.bundles.passed_over[0].contains("was answered with 500"), "{:?}", fetched.bundles);
}

#[tokio::test]
async fn a_signature_in_the_older_form_is_named() {
    let plugin = Plugin::new(b"good");
    let legacy = format!("/v2/acme/s3/manifests/sha256-{}.sig", plugin.digest().hex());
    let server = Server::start(move |seen| {
        if seen.path() == legacy {
            return Reply::new(200, "").with("docker-content-digest", Digest::of(b"x").to_string());
        }
        plugin.answer(seen)
    })
    .await;
    let fetched = fetch(&fetcher(json!([])), &format!("oci://{}/acme/s3", server.host()), None).await.unwrap();
    assert!(fetched.bundles.passed_over[0].contains("cosign's older form"), "{:?}", fetched.bundles);
}

#[tokio::test]
async fn uploads() {
    let check = async |location: &'static str, part: &str| {
        let server = Server::start(move |seen| match seen.method.as_str() {
            "POST" => Reply::new(202, "").with("location", location),
            "PUT" => Reply::new(201, "").with("docker-content-digest", Digest::of(b"lie").to_string()),
            _ => Reply::new(404, ""),
        })
        .await;
        let fetcher = fetcher(json!([]));
        let repository = Repository::parse(&server.host(), "acme/s3").unwrap();
        let registry = fetcher.registries().of(&repository).unwrap();
        let version = "1.0.0".parse().unwrap();
        let pushed = registry.push(&repository, &version, Bytes::from("secret"), &About::default()).await;
        let error = pushed.unwrap_err().to_string();
        assert!(error.contains(part), "{location}: {error}");
    };
    check("https://example.com/upload", "upload to another server").await;
    check("http://[::1", "upload to no address").await;
    check("/v2/acme/s3/blobs/uploads/1", "is not what it should be").await;
}
