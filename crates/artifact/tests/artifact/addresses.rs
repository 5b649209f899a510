//! Plugins from an address, and from a file.

use callboard_artifact::{Digest, FetchError, Locked, Source, limits::COMPONENT_BYTES};
use serde_json::json;

use crate::support::{Reply, Server, failure, fetch, fetcher};

#[tokio::test]
async fn from_an_address() {
    let server = Server::start(|seen| match seen.target.as_str() {
        "/s3.wasm" | "/signed.wasm?v=1" | "/large-bundle.wasm" | "/broken.wasm" => Reply::new(200, "component"),
        "/signed.wasm.sigstore.json?v=1" => Reply::new(200, "a bundle"),
        "/large-bundle.wasm.sigstore.json" => Reply::new(200, vec![b' '; 10 << 20]),
        "/broken.wasm.sigstore.json" => Reply::new(500, ""),
        "/large.wasm" => Reply { again: Some(usize::MAX), ..Reply::new(200, vec![0; 1 << 20]) },
        "/moved.wasm" => Reply::to("/s3.wasm"),
        "/away.wasm" => Reply::to("http://169.254.169.254/latest/meta-data/"),
        "/inside.wasm" => Reply::to("https://10.0.0.1/"),
        _ => Reply::new(404, ""),
    })
    .await;
    let fetcher = fetcher(json!([]));
    let at = |path: &str| format!("http://{}/{path}", server.host());
    let plain = fetch(&fetcher, &at("s3.wasm"), None).await.unwrap();
    assert_eq!((plain.bytes.as_ref(), plain.digest), (&b"component"[..], Digest::of(b"component")));
    assert!(plain.version.is_none() && plain.manifest.is_none());
    assert!(plain.bundles.bundles.is_empty() && plain.bundles.passed_over.is_empty());
    assert_eq!(fetch(&fetcher, &at("moved.wasm"), None).await.unwrap().bytes, "component");
    assert_eq!(fetch(&fetcher, &at("signed.wasm?v=1"), None).await.unwrap().bundles.bundles, ["a bundle"]);
    let passed_over = async |path: &str| fetch(&fetcher, &at(path), None).await.unwrap().bundles.passed_over.join("");
    assert!(passed_over("large-bundle.wasm").await.contains("larger than 1048576"));
    assert!(passed_over("broken.wasm").await.contains("was answered with 500"));

    let check = async |path: &str, part: &str| {
        let error = failure(&fetcher, &at(path)).await;
        assert!(error.contains(part), "{path}: {error}");
    };
    check("none.wasm", "was answered with 404").await;
    check("large.wasm", &format!("larger than {COMPONENT_BYTES} bytes")).await;
    check("away.wasm", "without TLS").await;
    check("inside.wasm", "a private address").await;

    let pin: Locked = serde_json::from_value(json!({
        "source": at("s3.wasm"), "version": "1.0.0", "digest": Digest::of(b"component"), "rights": {},
    }))
    .unwrap();
    let source = Source::parse(&at("s3.wasm"), None).unwrap();
    let pinned = fetcher.fetch_pinned(&source, &pin, &|_, _| {}).await.unwrap();
    assert_eq!(pinned.version, Some(pin.version.clone()));
    let other = Locked { digest: Digest::of(b"before"), ..pin };
    let error = fetcher.fetch_pinned(&source, &other, &|_, _| {}).await.unwrap_err();
    assert!(matches!(error, FetchError::NotPinned { .. }), "{error}");
}

#[tokio::test]
async fn from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("s3.wasm"), "component").unwrap();
    let fetcher = fetcher(json!([]));
    let plain = fetch(&fetcher, &path("s3.wasm"), None).await.unwrap();
    assert_eq!((plain.bytes.as_ref(), plain.digest), (&b"component"[..], Digest::of(b"component")));
    assert!(plain.bundles.bundles.is_empty() && plain.bundles.passed_over.is_empty());
    std::fs::write(path("s3.wasm.sigstore.json"), "a bundle").unwrap();
    assert_eq!(fetch(&fetcher, &path("s3.wasm"), None).await.unwrap().bundles.bundles, ["a bundle"]);
    std::fs::write(path("s3.wasm.sigstore.json"), vec![b' '; 10 << 20]).unwrap();
    let large = fetch(&fetcher, &path("s3.wasm"), None).await.unwrap().bundles;
    assert!(large.bundles.is_empty() && large.passed_over[0].contains("larger than"), "{large:?}");

    let error = failure(&fetcher, &path("none.wasm")).await;
    assert!(error.contains("none.wasm cannot be read"), "{error}");
    std::fs::File::create(path("large.wasm")).unwrap().set_len(COMPONENT_BYTES + 1).unwrap();
    let error = failure(&fetcher, &path("large.wasm")).await;
    assert!(error.contains("large.wasm is larger than"), "{error}");
}
