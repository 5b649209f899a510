//! Two that bring the same entity: the first one keeps it, the other says who has it, and gets it when it is free.

use std::sync::Arc;
use std::time::Duration;

use callboard_catalog::{EntityProvider, NewLocation, OnConflict};
use callboard_model::api::{PushMode, PushRequest, PushedEntity};
use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, component, component_value, location, location_ref, provided};

const ONE: &str = "https://x.example/1.yaml";
const TWO: &str = "https://x.example/2.yaml";

fn url(target: &str) -> NewLocation {
    serde_json::from_value(json!({ "type": "url", "target": target })).unwrap()
}

async fn register(fixture: &Fixture, target: &str) {
    fixture.catalog.register_location(&url(target), Some(OnConflict::Refresh)).await.unwrap();
}

/// The system of `component:default/a`, by which these tests tell whose it is.
async fn whose(fixture: &Fixture) -> Value {
    fixture.get("component:default/a").await.unwrap()["spec"]["system"].clone()
}

/// The levels and messages of an entity's status.
async fn said(fixture: &Fixture, name: &str) -> Vec<(String, String)> {
    let entity = fixture.get(name).await.unwrap();
    let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    let items = entity["status"]["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| (text(item, "level"), text(item, "message"))).collect()
}

#[tokio::test]
async fn the_second_location_says_who_has_what_it_names() {
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put(ONE, &component("a", "  system: one\n"));
    fixture.web.put(TWO, &format!("{}---\n{}", component("a", "  system: two\n"), component("b", "")));
    register(&fixture, ONE).await;
    register(&fixture, TWO).await;
    assert_eq!(whose(&fixture).await, "one");
    let expected = format!(
        "ConflictError: component:default/a at url:{TWO} is in the catalog already, from url:{ONE}; one of the two must be \
         renamed"
    );
    let warning = vec![("warning".to_owned(), expected)];
    assert_eq!(said(&fixture, &location_ref(TWO)).await, warning);
    assert_eq!(
        (said(&fixture, &location_ref(ONE)).await, said(&fixture, "component:default/a").await),
        (vec![], vec![])
    );
    // It is no failure: the rest of the file is there, follows its source, and is as current as it is.
    assert!(fixture.get("component:default/b").await.is_some());
    fixture.web.put(TWO, &format!("{}---\n{}", component("a", "  system: two\n"), component("b", "  system: s\n")));
    register(&fixture, TWO).await;
    assert_eq!(fixture.get("component:default/b").await.unwrap()["spec"]["system"], "s");
    assert_eq!(said(&fixture, &location_ref(TWO)).await, warning);
    let uid = fixture.get("component:default/b").await.unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    let freshness =
        fixture.catalog.freshness(&callboard_model::access::Access::All, &uid, true).await.unwrap().unwrap();
    assert_eq!(freshness.last_error, None);
    // Read again and found unchanged, it still says so.
    fixture.web.reads();
    register(&fixture, TWO).await;
    assert_eq!(fixture.web.reads(), [format!("={TWO}")]);
    assert_eq!(said(&fixture, &location_ref(TWO)).await, warning);
    // Once the first no longer names it, it changes hands by itself, and there is nothing more to be said.
    fixture.web.put(ONE, &component("c", ""));
    register(&fixture, ONE).await;
    fixture.becomes("component:default/a", |entity| entity["spec"]["system"] == "two").await;
    fixture.settles().await;
    assert_eq!(said(&fixture, &location_ref(TWO)).await, vec![]);
    let a = fixture.get("component:default/a").await.unwrap();
    assert_eq!(a["metadata"]["annotations"]["backstage.io/managed-by-location"], format!("url:{TWO}"));
}

#[tokio::test]
async fn it_changes_hands_however_the_first_one_goes() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    fixture.web.put(TWO, &component("a", "  system: two\n"));
    let first = || provided(component_value("a", json!({ "system": "one" })));
    provider.items(vec![first()]);
    fixture.run_provider().await;
    register(&fixture, TWO).await;
    assert_eq!(whose(&fixture).await, "one");
    assert!(said(&fixture, &location_ref(TWO)).await[0].1.contains("from p;"));
    // Its provider lets it go.
    provider.items(vec![]);
    fixture.run_provider().await;
    fixture.becomes("component:default/a", |entity| entity["spec"]["system"] == "two").await;
    // Now the provider is the one that comes too late, and says so.
    provider.items(vec![first()]);
    let info = fixture.run_provider().await;
    assert_eq!((info.problem_count, info.problems[0].entity_ref.as_str()), (1, "component:default/a"));
    assert!(info.problems[0].message.contains(&format!("from url:{TWO};")), "{:?}", info.problems);
    assert_eq!(whose(&fixture).await, "two");
    // Somebody unregisters the location; the provider's next run brings its own.
    let id = fixture.catalog.locations().await.unwrap()[0].id.clone();
    fixture.catalog.delete_location(&id).await.unwrap();
    assert_eq!(fixture.get("component:default/a").await, None);
    assert_eq!(fixture.run_provider().await.problem_count, 0);
    assert_eq!(whose(&fixture).await, "one");
}

#[tokio::test]
async fn who_no_longer_names_it_has_lost_nothing() {
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put(ONE, &component("a", "  system: one\n"));
    fixture.web.put(TWO, &component("a", "  system: two\n"));
    register(&fixture, ONE).await;
    register(&fixture, TWO).await;
    assert_eq!(said(&fixture, &location_ref(TWO)).await.len(), 1);
    fixture.web.put(TWO, &component("b", ""));
    register(&fixture, TWO).await;
    assert_eq!(said(&fixture, &location_ref(TWO)).await, vec![]);
    fixture.web.put(ONE, &component("c", ""));
    register(&fixture, ONE).await;
    fixture.settles().await;
    assert_eq!(fixture.get("component:default/a").await, None);
}

/// A warning is kept like an error, over a restart and by a change of the winner.
#[tokio::test]
async fn it_is_still_known_after_a_restart() {
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put(ONE, &component("a", "  system: one\n"));
    fixture.web.put(TWO, &component("a", "  system: two\n"));
    register(&fixture, ONE).await;
    register(&fixture, TWO).await;
    let before = said(&fixture, &location_ref(TWO)).await;
    let fixture = fixture.restart(json!({})).await;
    fixture.settles().await;
    assert_eq!((before.len(), said(&fixture, &location_ref(TWO)).await), (1, before));
    let uid = fixture.get("component:default/a").await.unwrap()["metadata"]["uid"].clone();
    fixture.web.put(ONE, &component("a", "  system: still\n"));
    register(&fixture, ONE).await;
    let a = fixture.get("component:default/a").await.unwrap();
    assert_eq!((&a["spec"]["system"], &a["metadata"]["uid"]), (&json!("still"), &uid));
}

/// Two providers that name the same location bring one entity, which stays as long as one of them does.
#[tokio::test]
async fn the_same_location_twice_is_no_conflict() {
    let fixture = Fixture::start(json!({ "locations": [{ "type": "url", "target": ONE }] })).await;
    fixture.web.put(ONE, &component("a", ""));
    register(&fixture, ONE).await;
    fixture.appears("component:default/a").await;
    let id = fixture.catalog.locations().await.unwrap()[0].id.clone();
    fixture.catalog.delete_location(&id).await.unwrap();
    assert!(fixture.get("component:default/a").await.is_some());
    let provider = FakeProvider::new("p");
    fixture.catalog.set_providers(vec![Arc::clone(&provider) as Arc<dyn EntityProvider>]).await.unwrap();
    // A plugin's own Location of that name is the plugin's, and so it is one.
    provider.items(vec![provided(location(ONE))]);
    assert_eq!(fixture.run_provider().await.problem_count, 1);
    let fixture = fixture.restart(json!({})).await;
    assert_eq!(fixture.get("component:default/a").await, None);
}

/// The answer to a push says what a pushed Location did not get, though the Location itself can be read.
#[tokio::test]
async fn whoever_pushes_is_told() {
    let fixture = Fixture::start(json!({ "push": { "ci": {} } })).await;
    fixture.web.put(ONE, &component("a", "  system: one\n"));
    fixture.web.put(TWO, &format!("{}---\n{}", component("a", "  system: two\n"), component("b", "")));
    register(&fixture, ONE).await;
    let mut entity = location(TWO);
    entity["metadata"].as_object_mut().unwrap().remove("annotations");
    let request = PushRequest {
        mode: PushMode::Full,
        entities: vec![PushedEntity { entity, location_key: None }],
        removed: Vec::new(),
    };
    let result = fixture.catalog.push("ci", request, Duration::from_secs(60)).await.unwrap();
    assert!(result.complete);
    let failed: Vec<_> = result.failed.iter().map(|one| (&one.entity_ref, one.errors[0].name.as_str())).collect();
    assert_eq!(failed, [(&location_ref(TWO), "ConflictError")]);
    assert!(result.failed[0].errors[0].message.contains(&format!("from url:{ONE};")), "{result:?}");
    assert!(fixture.get("component:default/b").await.is_some());
    assert!(fixture.get(&location_ref(TWO)).await.is_some());
    assert_eq!(whose(&fixture).await, "one");
}
