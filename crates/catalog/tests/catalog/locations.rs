//! Registered locations.

use callboard_catalog::{Error, NewLocation, OnConflict};
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_store::query;
use serde_json::{Value, json};

use crate::support::{Fixture, component, location_ref};

const URL: &str = "https://x.example/a.yaml";

fn new(kind: &str, target: &str) -> NewLocation {
    serde_json::from_value(json!({"type": kind, "target": target})).unwrap()
}

#[tokio::test]
async fn registered_and_removed() {
    let fixture = Fixture::start(json!({})).await;
    let catalog = &fixture.catalog;
    fixture.web.put(URL, &component("a", ""));
    let registered = catalog.register_location(&new("url", URL), None).await.unwrap();
    assert_eq!(registered.entity_ref, location_ref(URL));
    fixture.appears("component:default/a").await;
    assert_eq!(catalog.locations().await.unwrap(), std::slice::from_ref(&registered));
    assert_eq!(catalog.location(&registered.id).await.unwrap(), registered);
    let a = EntityRef::parse("component:default/a", None, None).unwrap();
    assert_eq!(catalog.location_by_entity(&Access::All, &a).await.unwrap(), registered);

    let twice = catalog.register_location(&new("url", URL), None).await;
    assert!(matches!(twice, Err(Error::Conflict(message)) if message == format!("Location url:{URL} already exists")));
    fixture.web.put(URL, &component("a", "  system: s\n"));
    let again = catalog.register_location(&new("url", URL), Some(OnConflict::Refresh)).await.unwrap();
    assert_eq!(again, registered);
    fixture.becomes("component:default/a", |entity| entity["spec"]["system"] == "s").await;

    // What came from it goes at once.
    catalog.delete_location(&registered.id).await.unwrap();
    assert_eq!(fixture.refs().await, Vec::<String>::new());
    assert!(catalog.locations().await.unwrap().is_empty());
    for missing in [catalog.delete_location(&registered.id).await, catalog.location(&registered.id).await.map(drop)] {
        let expected = format!("Found no location with ID {}", registered.id);
        assert!(matches!(missing, Err(Error::NotFound(message)) if message == expected));
    }
    assert!(matches!(catalog.location_by_entity(&Access::All, &a).await, Err(Error::NotFound(_))));
    // And it may be registered again.
    catalog.register_location(&new("url", URL), None).await.unwrap();
    fixture.appears("component:default/a").await;
}

#[tokio::test]
async fn only_urls_and_only_where_allowed() {
    let fixture = Fixture::start(json!({})).await;
    for (kind, target) in
        [("file", "/etc/passwd"), ("bootstrap", "bootstrap"), ("url", ""), ("url", "javascript:alert(1)")]
    {
        let refused = fixture.catalog.register_location(&new(kind, target), None).await;
        assert!(matches!(refused, Err(Error::Input(_))), "{kind}:{target}");
    }
    let fixture = Fixture::start(json!({"readonly": true})).await;
    let refused = fixture.catalog.register_location(&new("url", URL), None).await;
    assert!(matches!(refused, Err(Error::NotAllowed(message)) if message.contains("readonly")));
    assert!(matches!(fixture.catalog.delete_location("x").await, Err(Error::NotAllowed(_))));
    fixture.web.put(URL, &component("a", ""));
    assert_eq!(fixture.catalog.dry_run_location(&new("url", URL)).await.unwrap().entities.len(), 2);
}

#[tokio::test]
async fn what_is_registered_survives_restarts_and_deletions() {
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put(URL, &component("a", ""));
    fixture.catalog.register_location(&new("url", URL), None).await.unwrap();
    let uid = fixture.appears("component:default/a").await["metadata"]["uid"].clone();
    fixture.settles().await;
    let audit = fixture.audit().await;
    let fixture = fixture.restart(json!({})).await;
    assert_eq!(fixture.get("component:default/a").await.unwrap()["metadata"]["uid"], uid);
    assert_eq!(audit.written().await, Vec::<String>::new());
    let location = fixture.get(&location_ref(URL)).await.unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    fixture.catalog.delete_by_uid(&Access::All, &location).await.unwrap();
    assert_eq!(fixture.refs().await, Vec::<String>::new());
    let fixture = fixture.restart(json!({})).await;
    fixture.appears("component:default/a").await;
}

#[tokio::test]
async fn a_bootstrap_location_is_hidden() {
    let fixture = Fixture::start(json!({})).await;
    let row = "INSERT INTO location(id, type, target, entity_ref, optional) VALUES ('1', 'bootstrap', 'bootstrap', 'location:default/x', 0)";
    fixture.db.execute(query(row, vec![])).await.unwrap();
    assert!(fixture.catalog.locations().await.unwrap().is_empty());
    assert!(fixture.catalog.location("1").await.is_err());
}

#[tokio::test]
async fn a_dry_run_stores_nothing() {
    let fixture = Fixture::start(json!({})).await;
    let nested =
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: more}\nspec: {targets: [./b.yaml]}\n";
    fixture.web.put(URL, &format!("{}---\n{nested}", component("a", "")));
    fixture.web.put("https://x.example/b.yaml", &component("b", ""));
    let dry = fixture.catalog.dry_run_location(&new("url", URL)).await.unwrap();
    let entities: Vec<Value> = dry.entities.iter().map(|entity| serde_json::from_str(entity.get()).unwrap()).collect();
    let names: Vec<_> = entities.iter().map(|entity| entity["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(&names[1..], ["a", "more", "b"]);
    assert!(entities.iter().all(|entity| entity["metadata"].get("uid").is_none() && entity.get("relations").is_none()));
    assert_eq!((dry.exists, dry.location.id.as_str()), (false, format!("url:{URL}").as_str()));
    assert_eq!(fixture.refs().await, Vec::<String>::new());
    assert!(fixture.catalog.locations().await.unwrap().is_empty());

    let check = async |text: &str, expected: &str| {
        fixture.web.put("https://x.example/b.yaml", text);
        let error = fixture.catalog.dry_run_location(&new("url", URL)).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(&component("a", ""), "Duplicate nested entity: component:default/a").await;
    check("a: [", "YAML").await;
    check(
        "apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: u}\nspec: {memberOf: []}\n",
        "not of an allowed kind",
    )
    .await;
}
