//! Plugins that cannot be loaded: the portal starts without them and says why.

use serde_json::{Value, json};

use crate::portal::TestPortal;

#[tokio::test(flavor = "multi_thread")]
async fn refused_ones() {
    let folder = tempfile::tempdir().unwrap();
    let junk = folder.path().join("junk.wasm");
    std::fs::write(&junk, "not WebAssembly").unwrap();
    let config = json!({
        "plugins": {
            "gone": { "source": "gone.wasm", "grant": { "log": true } },
            "junk": { "source": junk.display().to_string(), "grant": {} },
            "off": { "source": "off.wasm", "grant": {}, "enabled": false },
        },
        "permission": { "policy": [{ "allow": ["*"], "to": ["signed-in"] }] },
    });
    let portal = TestPortal::start(&config, "").await;
    let client = portal.signed_in("user:default/guest").await;
    let list = client.get("/api/plugins").await.json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.iter().map(|item| item["id"].as_str().unwrap()).collect::<Vec<_>>(), ["gone", "junk", "off"]);
    let check = |item: &Value, state: &str, parts: &[&str]| {
        assert_eq!(item["state"], state, "{item:#}");
        let reason = item["reason"].as_str().unwrap();
        for part in parts {
            assert!(reason.contains(part), "{reason}");
        }
    };
    check(&items[0], "refused", &["gone.wasm could not be read", "plugins.gone.source"]);
    assert_eq!((&items[0]["granted"]["log"], &items[0]["effective"]["log"]), (&json!(true), &json!(false)));
    check(&items[1], "refused", &["not"]);
    check(&items[2], "disabled", &["plugins.off.enabled"]);
    assert_eq!(client.get("/api/plugins/gone").await.json(), items[0]);

    let asked = client.post("/api/plugins/gone/ui/tab/render", &json!({ "entityRef": "component:default/lamp" })).await;
    assert_eq!(asked.status, 503, "{}", asked.text());
    let body = json!({ "entityRef": "component:default/lamp", "entity": { "kind": "Component" } });
    let copy = client.post("/api/plugins/gone/ui/tab/render", &body).await;
    assert_eq!(copy.status, 400, "a client's copy of an entity is not taken: {}", copy.text());
    let extensions = client.get("/api/extensions?entityRef=component:default/lamp").await;
    assert_eq!((extensions.status, extensions.json()), (200, json!([])));
}
