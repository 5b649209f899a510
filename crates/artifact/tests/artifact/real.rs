//! A real registry.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use callboard_artifact::{
    Digest, FetchError, Locked, Source,
    oci::{About, RegistryError, Repository},
    trust::{PublicKey, Requirement, SigningKey, Trust, TrustError},
};
use serde_json::json;

use crate::{
    registry::OciRegistry,
    support::{ecdsa_key, ed25519_key, failure, fetch, fetcher, push},
};

fn locked(source: &str, version: &str, digest: Digest, manifest: Option<Digest>) -> Locked {
    serde_json::from_value(json!({
        "source": source, "version": version, "digest": digest, "manifest": manifest, "rights": {},
    }))
    .unwrap()
}

#[tokio::test]
async fn pushed_found_and_fetched() {
    let server = OciRegistry::start().await.unwrap();
    let fetcher = fetcher(json!([]));
    let repository = Repository::parse(&server.host(), "acme/s3").unwrap();
    let registry = fetcher.registries().of(&repository).unwrap();
    let source = format!("oci://{repository}");

    let error = fetch(&fetcher, &source, Some("^1")).await.unwrap_err().to_string();
    assert!(error.contains("is not there"), "{error}");

    for (version, bytes) in [
        ("1.2.0", &b"one two"[..]),
        ("1.2.10", b"one two ten"),
        ("1.3.0-rc.1", b"soon"),
        ("1.2.10+b.1", b"built"),
        ("2.0.0", b"two"),
    ] {
        push(&registry, &repository, version, bytes).await;
    }
    let versions: Vec<_> = fetcher.versions(&repository).await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(versions, ["2.0.0", "1.3.0-rc.1", "1.2.10+b.1", "1.2.10", "1.2.0"]);

    let check = async |version: Option<&str>, expected: &str, bytes: &[u8]| {
        let (last, calls) = (Mutex::new((0, None)), AtomicU64::new(0));
        let progress = |received: u64, total: Option<u64>| {
            calls.fetch_add(1, Ordering::Relaxed);
            *last.lock().unwrap() = (received, total);
        };
        let fetched = fetcher.fetch(&Source::parse(&source, version).unwrap(), &progress).await.unwrap();
        assert_eq!(fetched.version.unwrap().to_string(), expected);
        assert_eq!((&fetched.bytes[..], fetched.digest), (bytes, Digest::of(bytes)));
        assert_eq!(*last.lock().unwrap(), (bytes.len() as u64, Some(bytes.len() as u64)));
        assert!(calls.load(Ordering::Relaxed) >= 2);
    };
    check(None, "2.0.0", b"two").await;
    check(Some("^1.2"), "1.2.10+b.1", b"built").await;
    check(Some("=1.2.0"), "1.2.0", b"one two").await;
    check(Some("^1.3.0-rc"), "1.3.0-rc.1", b"soon").await;

    let error = fetch(&fetcher, &source, Some("^3")).await.unwrap_err();
    assert!(matches!(error, FetchError::NoVersion { .. }));
    let error = error.to_string();
    assert!(error.contains("satisfies ^3; its highest are 2.0.0, 1.3.0-rc.1, 1.2.10+b.1"), "{error}");

    let tagged = fetch(&fetcher, &format!("{source}:1.2.0"), None).await.unwrap();
    assert_eq!(tagged.bytes, "one two");
    let digest = tagged.manifest.unwrap().digest;
    let exact = fetch(&fetcher, &format!("{source}@{digest}"), None).await.unwrap();
    assert_eq!((exact.bytes, exact.version), (Bytes::from("one two"), None));

    // The same again is no error, other bytes under the same version are.
    push(&registry, &repository, "1.2.0", b"one two").await;
    let other = registry.push(&repository, &"1.2.0".parse().unwrap(), Bytes::from("other"), &About::default()).await;
    let error = other.unwrap_err();
    assert!(matches!(error, RegistryError::Published { .. }), "{error}");
    assert!(error.to_string().contains("raise the version"), "{error}");
}

#[tokio::test]
async fn what_was_approved_stays() {
    let mut server = OciRegistry::start().await.unwrap();
    let fetcher = fetcher(json!([]));
    let repository = Repository::parse(&server.host(), "acme/s3").unwrap();
    let registry = fetcher.registries().of(&repository).unwrap();
    let text = format!("oci://{repository}");
    let source = Source::parse(&text, Some("^1")).unwrap();

    let good = push(&registry, &repository, "1.0.0", b"good").await;
    let bad = push(&registry, &repository, "9.0.0", b"bad").await;
    let pin = locked(&text, "1.0.0", Digest::of(b"good"), Some(good.digest));
    server.move_tag("acme/s3", "1.0.0", &bad.bytes).await.unwrap();
    assert_eq!(fetch(&fetcher, &text, Some("^1")).await.unwrap().bytes, "bad", "the tag was moved");
    let pinned = fetcher.fetch_pinned(&source, &pin, &|_, _| {}).await.unwrap();
    assert_eq!(pinned.bytes, "good");
    assert_eq!(pinned.version.unwrap().to_string(), "1.0.0");

    // A lock whose two digests are not of one artefact is no way around either of them.
    let mixed = locked(&text, "1.0.0", Digest::of(b"good"), Some(bad.digest));
    let error = fetcher.fetch_pinned(&source, &mixed, &|_, _| {}).await.unwrap_err();
    assert!(matches!(error, FetchError::NotPinned { .. }), "{error}");
    assert!(error.to_string().contains("callboard plugin inspect"), "{error}");

    // Somebody has changed the bytes where the registry keeps them.
    std::fs::write(server.blob(&Digest::of(b"good").to_string()), "evil").unwrap();
    let error = fetcher.fetch_pinned(&source, &pin, &|_, _| {}).await.unwrap_err().to_string();
    assert!(error.contains(&Digest::of(b"evil").to_string()) && error.contains("do not use it"), "{error}");

    server.stop().await.unwrap();
    let error = fetcher.fetch_pinned(&source, &pin, &|_, _| {}).await.unwrap_err().to_string();
    assert!(error.contains("no connection"), "{error}");
}

#[tokio::test]
async fn a_signature_is_pushed_and_found() {
    let server = OciRegistry::start().await.unwrap();
    let fetcher = fetcher(json!([]));
    let repository = Repository::parse(&server.host(), "acme/s3").unwrap();
    let registry = fetcher.registries().of(&repository).unwrap();
    let source = format!("oci://{repository}:1.0.0");
    let manifest = push(&registry, &repository, "1.0.0", b"signed").await;
    let other = push(&registry, &repository, "1.0.1", b"not signed").await;

    let [mine, yours] = [ecdsa_key(), ed25519_key()].map(|pem| SigningKey::from_pem(&pem).unwrap());
    let trust = |key: &SigningKey| {
        Trust::new(vec![Requirement::Key(PublicKey::from_pem(key.public_pem()).unwrap())], None).unwrap()
    };
    let verify = async |trust: &Trust, source: &str| {
        let fetched = fetch(&fetcher, source, None).await.unwrap();
        trust.verify(&fetched.bytes, fetched.manifest.as_ref(), &fetched.bundles)
    };
    assert!(matches!(verify(&trust(&mine), &source).await, Err(TrustError::Unsigned { .. })));
    registry.attach(&repository, &manifest, yours.sign_artefact(&manifest), "2026-11-22T00:00:00Z").await.unwrap();
    assert!(matches!(verify(&trust(&mine), &source).await, Err(TrustError::Untrusted { .. })));
    // One more beside it, and the same twice.
    for _ in 0..2 {
        registry.attach(&repository, &manifest, mine.sign_artefact(&manifest), "2026-11-22T00:00:00Z").await.unwrap();
    }
    for key in [&mine, &yours] {
        let by = verify(&trust(key), &source).await.unwrap().unwrap();
        assert!(by.to_string().contains(&key.public_key().unwrap().digest().to_string()));
    }
    assert_eq!(fetch(&fetcher, &source, None).await.unwrap().bundles.bundles.len(), 2);

    // A signature of another artefact does not help, even where somebody lists it.
    let text = format!("oci://{repository}:1.0.1");
    registry.attach(&repository, &other, mine.sign_artefact(&manifest), "2026-11-22T00:00:00Z").await.unwrap();
    let error = verify(&trust(&mine), &text).await.unwrap_err().to_string();
    assert!(error.contains("signature of another artefact"), "{error}");
    let _stays = failure(&fetcher, &format!("oci://{repository}:7.0.0")).await;
}
