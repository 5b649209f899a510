//! What is refused before anything of it runs, what each refusal says, and the cache of compiled code.

use std::os::unix::fs::PermissionsExt;

use callboard_host::{LimitOverrides, Limits, inspect};
use callboard_model::rights::Rights;
use serde_json::json;

use crate::fixture::{Fixture, spec, wasm};

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_the_way_out() {
    let fixture = Fixture::new().await;
    let check = async |name: &str, parts: &[&str]| {
        let message = fixture.refused(spec(name, json!({}))).await;
        let id = name.replace('_', "-");
        assert!(message.contains(&format!("plugin `{id}` (guests/{name}.wasm) is not loaded")), "{message}");
        for part in parts {
            assert!(message.contains(part), "{message}");
        }
    };
    check("undeclared_import", &["callboard:host/kv@0.1.0", "In plugin.yaml, add below `rights`:\n  kv: true"]).await;
    check("read_env_and_files", &["wasi:filesystem", "A plugin has no files"]).await;
    check("open_socket", &["wasi:sockets", "callboard:host/http"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declared_must_be_granted() {
    let fixture = Fixture::new().await;
    let mut kv = spec("other_plugin_kv", json!({}));
    kv.grant = Rights::default();
    let message = fixture.refused(kv).await;
    assert!(message.contains("In app-config, add below `plugins.other-plugin-kv.grant`:\n  kv: true"), "{message}");

    let mut http = spec("ungranted_method", json!({}));
    http.grant.http.clear();
    let message = fixture.refused(http).await;
    assert!(message.contains("http: [ \"GET config:hostile.url\" ]"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_and_the_limits_must_fit() {
    let fixture = Fixture::new().await;
    let mut other = spec("panic", json!({}));
    other.id = "s3".to_owned();
    assert!(fixture.refused(other).await.contains("name it `plugins.panic`"));

    let mut limits = spec("panic", json!({}));
    limits.limits = LimitOverrides { memory: Some(1), ..LimitOverrides::default() };
    assert!(fixture.refused(limits).await.contains("the limit `memory` is 1"));

    let mut large = spec("panic", json!({}));
    large.limits = LimitOverrides { component_bytes: Some(1000), ..LimitOverrides::default() };
    assert!(fixture.refused(large).await.contains("a plugin has at most 1000"));

    let mut damaged = spec("panic", json!({}));
    damaged.wasm.truncate(damaged.wasm.len() / 2);
    assert!(fixture.refused(damaged).await.contains("damaged"));
}

#[tokio::test(flavor = "multi_thread")]
async fn config_must_fit_and_is_never_repeated() {
    let fixture = Fixture::new().await;
    let message = fixture.refused(spec("secret_hunter", json!({ "hostile": { "url": { "canary": 1 } } }))).await;
    assert!(message.contains("hostile.url") && !message.contains("canary"), "{message}");
}

#[test]
fn inspecting_runs_nothing() {
    let inspection = inspect(&wasm("loop_forever")).unwrap();
    assert_eq!(inspection.manifest.id, "loop-forever");
    assert_eq!(inspection.extension_points, ["entity-provider", "ui"]);
    assert!(inspection.exports.iter().any(|export| export == "callboard:plugin/ui@0.1.0"), "{inspection:?}");
    let foreign = |import: &&String| !import.starts_with("wasi:") && !import.starts_with("callboard:host/types");
    assert_eq!(
        inspection.imports.iter().find(foreign),
        None,
        "a guest imports what it uses, and this one uses nothing"
    );

    let inspection = inspect(&wasm("host_call_flood")).unwrap();
    for import in ["callboard:host/log@0.1.0", "callboard:host/kv@0.1.0"] {
        assert!(inspection.imports.iter().any(|each| each == import), "{:?}", inspection.imports);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn compiled_code_is_kept_where_nobody_else_writes() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let fixture = Fixture::with(Limits::default(), &cache).await;
    assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    fixture.load("exit").await;
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    };
    let [file] = files().try_into().expect("one file");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let inspection = inspect(&wasm("exit")).unwrap();
    let digest = inspection.digest.trim_start_matches("sha256:");
    assert!(file.file_name().unwrap().to_str().unwrap().starts_with(digest));

    // A second load takes it from there; a damaged file is replaced.
    let written = std::fs::metadata(&file).unwrap().modified().unwrap();
    fixture.load("exit").await;
    assert_eq!(std::fs::metadata(&file).unwrap().modified().unwrap(), written);
    let whole = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    fixture.load("exit").await;
    assert_eq!(std::fs::read(&file).unwrap().len(), whole.len());
    assert_eq!(files(), std::slice::from_ref(&file), "nothing temporary is left");

    // Where others could write, what is there cannot be trusted.
    std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o777)).unwrap();
    drop(fixture);
    Fixture::with(Limits::default(), &cache).await;
    assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(files().is_empty());
}
