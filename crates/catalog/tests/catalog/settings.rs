//! What app-config turns off, and which kinds it lets in from where.

use std::sync::Arc;

use callboard_catalog::{EntityProvider, Error, NewLocation};
use callboard_model::access::Access;
use callboard_model::api::LocationInput;
use callboard_model::entity_ref::EntityRef;
use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, component, component_value, location, location_ref, provided};

const URL: &str = "https://x.example/a.yaml";

fn url(target: &str) -> NewLocation {
    serde_json::from_value(json!({ "type": "url", "target": target })).unwrap()
}

fn off(name: &str, strategy: &str) -> Value {
    json!({
        "locations": [{ "type": "file", "target": "a.yaml" }],
        "providerOptions": { name: { "disabled": true } },
        "orphanProviderStrategy": strategy,
    })
}

/// What a provider brought that is turned off is treated as that of one that is gone.
#[tokio::test]
async fn providers_can_be_turned_off() {
    let all = ["component:default/configured", "component:default/plugin", "component:default/registered"];
    let start = async |strategy: &str| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.yaml"), component("configured", "")).unwrap();
        let fixture = Fixture::start_in(dir, off("nobody", strategy)).await;
        fixture.web.put(URL, &component("registered", ""));
        fixture.catalog.register_location(&url(URL), None).await.unwrap();
        let provider = FakeProvider::new("plugin");
        fixture.set_provider(&provider).await;
        provider.items(vec![provided(component_value("plugin", json!({})))]);
        fixture.run_provider().await;
        for name in all {
            fixture.appears(name).await;
        }
        (fixture, provider)
    };
    let left = async |fixture: &Fixture| -> Vec<String> {
        fixture.refs().await.into_iter().filter(|name| name.starts_with("component:")).collect()
    };
    for (name, gone) in [("ConfigLocationProvider", 0), ("plugin", 1), ("DefaultLocationStore", 2)] {
        for strategy in ["delete", "keep"] {
            let (fixture, provider) = start(strategy).await;
            let fixture = fixture.restart(off(name, strategy)).await;
            fixture.catalog.set_providers(vec![Arc::clone(&provider) as Arc<dyn EntityProvider>]).await.unwrap();
            let mut expected = all.to_vec();
            if strategy == "delete" {
                expected.remove(gone);
            }
            assert_eq!(left(&fixture).await, expected, "{name} {strategy}");
            assert_eq!(fixture.catalog.trigger("plugin").is_err(), name == "plugin");
            let registered = fixture.catalog.register_location(&url("https://x.example/b.yaml"), None).await;
            if name == "DefaultLocationStore" {
                assert!(matches!(registered, Err(Error::NotAllowed(message)) if message.contains(name)));
            } else {
                registered.unwrap();
            }
            // On again, it brings in what it knows.
            let fixture = fixture.restart(off("nobody", strategy)).await;
            fixture.set_provider(&provider).await;
            fixture.run_provider().await;
            for name in all {
                fixture.appears(name).await;
            }
        }
    }
}

#[tokio::test]
async fn the_catalogs_own_steps_can_be_turned_off() {
    let without = |name: &str| json!({ "processorOptions": { name: { "disabled": true } } });
    let started = async |settings: Value| {
        let fixture = Fixture::start(settings).await;
        fixture.web.put("https://x.example/note.txt", "words");
        let provider = FakeProvider::new("p");
        fixture.set_provider(&provider).await;
        let mut entity = component_value("a", json!({ "note": { "$text": "./note.txt" } }));
        entity["metadata"]["annotations"]["backstage.io/managed-by-location"] = json!(format!("url:{URL}"));
        provider.items(vec![provided(entity)]);
        fixture.run_provider().await;
        let a = fixture.appears("component:default/a").await;
        (a["spec"]["note"].clone(), a["metadata"]["annotations"].get("backstage.io/view-url").is_some())
    };
    let placeholder = json!({ "$text": "./note.txt" });
    assert_eq!(started(json!({})).await, (json!("words"), true));
    assert_eq!(started(without("PlaceholderProcessor")).await, (placeholder, true));
    assert_eq!(started(without("AnnotateLocationEntityProcessor")).await, (json!("words"), false));
    // The default ones are those without the placeholders.
    assert_eq!(started(json!({ "disableDefaultProcessors": true })).await, (json!("words"), false));

    for settings in [without("FileReaderProcessor"), json!({ "disableDefaultProcessors": true })] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.yaml"), component("a", "")).unwrap();
        let mut settings = settings;
        settings["locations"] = json!([{ "type": "file", "target": "a.yaml" }]);
        let fixture = Fixture::start_in(dir, settings).await;
        let target = format!("file:{}", fixture.dir.path().join("a.yaml").display());
        let location = callboard_model::location_ref::LocationRef::parse(&target).unwrap();
        let errors = fixture.fails(&format!("location:default/{}", location.generated_name())).await;
        assert!(errors.contains(&format!("No processor was able to handle reading of {target}")), "{errors}");
    }
}

/// Locations are what may not be changed; entities may be deleted and read again.
#[tokio::test]
async fn a_readonly_catalog() {
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put(URL, &component("a", ""));
    let registered = fixture.catalog.register_location(&url(URL), None).await.unwrap();
    let fixture = fixture.restart(json!({ "readonly": true })).await;
    let input = LocationInput { kind: "url".to_owned(), target: "https://x.example/b.yaml".to_owned() };
    let refused = |error: Error| {
        assert!(matches!(&error, Error::NotAllowed(_)), "{error:?}");
        assert_eq!(error.to_string(), "This operation not allowed in readonly mode");
    };
    refused(fixture.catalog.register_location(&url("https://x.example/b.yaml"), None).await.unwrap_err());
    refused(fixture.catalog.update_location(&registered.id, &input).await.unwrap_err());
    refused(fixture.catalog.delete_location(&registered.id).await.unwrap_err());
    assert!(fixture.catalog.dry_run_location(&url(URL)).await.unwrap().exists);
    let a = EntityRef::parse("component:default/a", None, None).unwrap();
    fixture.catalog.refresh(&Access::All, &a).await.unwrap();
    fixture.settles().await;
    let uid = fixture.get("component:default/a").await.unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    assert!(fixture.catalog.delete_by_uid(&Access::All, &uid).await.unwrap());
    fixture.becomes("component:default/a", |entity| entity["metadata"]["uid"] != uid.as_str()).await;
}

/// What decides is the location that led to all of it, however many Locations lie in between.
#[tokio::test]
async fn rules_are_about_the_origin() {
    let group = |name: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {{name: {name}}}\nspec: {{type: t, children: []}}\n"
        )
    };
    let nested = |name: &str, target: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {{name: {name}}}\nspec: {{target: \
             ./{target}.yaml}}\n"
        )
    };
    let at = |name: &str| format!("https://x.example/{name}.yaml");
    let settings = json!({
        "locations": [
            { "type": "url", "target": at("own"), "rules": [{ "allow": ["Group"] }] },
            { "type": "url", "target": at("plain") },
        ],
        "rules": [
            { "allow": ["Location"] },
            { "allow": [{ "kind": "group", "spec.type": "T" }], "locations": [{ "type": "url", "pattern": "https://*.example/Pat*" }] },
        ],
    });
    let web = crate::support::Web::default();
    for name in ["own", "plain", "pattern"] {
        // The file with the group is named by one that the origin names only by another.
        web.put(&at(name), &nested(&format!("{name}-first"), &format!("{name}-more")));
        web.put(&at(&format!("{name}-more")), &nested(name, &format!("{name}-group")));
        web.put(&at(&format!("{name}-group")), &group(name));
    }
    let db = crate::support::database().await;
    let fixture = Fixture::start_with(tempfile::tempdir().unwrap(), db, web, settings).await;
    fixture.catalog.register_location(&url(&at("pattern")), None).await.unwrap();
    fixture.appears("group:default/own").await;
    fixture.appears("group:default/pattern").await;
    // The Location that names it fails, and was never good; those above it are fine.
    let errors: Value = serde_json::from_str(&fixture.fails("location:default/plain").await).unwrap();
    assert_eq!(errors[0]["name"], "NotAllowedError");
    let message = errors[0]["message"].as_str().unwrap();
    let expected = format!(
        "Entity group:default/plain at url:{}, originated at url:{}, is not of an allowed kind for that location",
        at("plain-group"),
        at("plain")
    );
    assert!(message.starts_with(&expected), "{message}");
    for fine in [location_ref(&at("plain")), "location:default/plain-first".to_owned()] {
        assert_eq!(fixture.get(&fine).await.unwrap().get("status"), None);
    }
    assert_eq!(fixture.get("group:default/plain").await, None);
}

/// A provider is the operator's choice: what it brings itself is not asked for, what its Locations bring is.
#[tokio::test]
async fn rules_are_not_about_providers() {
    let group = "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: g}\nspec: {type: t, children: []}\n";
    let fixture = Fixture::start(json!({ "rules": [] })).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    fixture.web.put(URL, group);
    provider.items(vec![provided(component_value("a", json!({}))), provided(location(URL))]);
    fixture.run_provider().await;
    assert_eq!(fixture.refs().await, ["component:default/a"]);
    assert!(fixture.fails(&location_ref(URL)).await.contains("not of an allowed kind"));
}

/// The next start takes over what app-config says by then.
#[tokio::test]
async fn configured_locations_come_and_go_with_app_config() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        std::fs::write(dir.path().join(format!("{name}.yaml")), component(name, "")).unwrap();
    }
    let file = |name: &str| json!({ "type": "file", "target": format!("./{name}.yaml") });
    let fixture = Fixture::start_in(dir, json!({ "locations": [file("a"), file("b")] })).await;
    let a = fixture.appears("component:default/a").await;
    fixture.appears("component:default/b").await;
    let target = fixture.dir.path().join("a.yaml").display().to_string();
    assert_eq!(a["metadata"]["annotations"]["backstage.io/managed-by-location"], format!("file:{target}"));
    let location = callboard_model::location_ref::LocationRef::parse(&format!("file:{target}")).unwrap();
    let entity = fixture.get(&format!("location:default/{}", location.generated_name())).await.unwrap();
    assert_eq!(entity["spec"], json!({ "type": "file", "target": target, "presence": "required" }));
    let fixture = fixture.restart(json!({ "locations": [file("c"), file("a")] })).await;
    fixture.appears("component:default/c").await;
    assert_eq!(fixture.get("component:default/b").await, None);
    assert_eq!(fixture.get("component:default/a").await.unwrap()["metadata"]["uid"], a["metadata"]["uid"]);
    let fixture = fixture.restart(json!({})).await;
    assert_eq!(fixture.refs().await, [""; 0]);
}

#[tokio::test]
async fn what_a_second_registration_does_is_app_configs_choice() {
    let fixture = Fixture::start(json!({ "defaultLocationConflictStrategy": "refresh" })).await;
    fixture.web.put(URL, &component("a", ""));
    let first = fixture.catalog.register_location(&url(URL), None).await.unwrap();
    fixture.web.put(URL, &component("a", "  system: s\n"));
    assert_eq!(fixture.catalog.register_location(&url(URL), None).await.unwrap(), first);
    assert_eq!(fixture.get("component:default/a").await.unwrap()["spec"]["system"], "s");
    let reject = Some(callboard_catalog::OnConflict::Reject);
    assert!(matches!(fixture.catalog.register_location(&url(URL), reject).await, Err(Error::Conflict(_))));
}
