//! Where entities come from, and how current they are.

use std::time::Duration;

use callboard_model::access::Access;
use callboard_model::api::{Freshness, PushMode, PushRequest, PushedEntity, SourceKind};
use callboard_model::filter::Predicate;
use serde_json::json;

use crate::support::{FakeProvider, Fixture, component, component_value, location, location_ref, provided, versioned};

const URL: &str = "https://x.example/a.yaml";

async fn freshness(fixture: &Fixture, name: &str, access: &Access, operator: bool) -> Freshness {
    let entity = fixture.appears(name).await;
    let uid = entity["metadata"]["uid"].as_str().unwrap();
    let found = fixture.catalog.freshness(access, uid, operator).await.unwrap().unwrap();
    // It is never in the entity itself.
    assert!(!entity.to_string().contains("Verified"), "{entity}");
    assert_eq!(found.entity_ref, name);
    found
}

#[tokio::test]
async fn a_registered_file_tells_when_it_was_read() {
    let fixture = Fixture::start(json!({ "processingInterval": { "hours": 1 } })).await;
    fixture.web.put(URL, &component("a", ""));
    let new = serde_json::from_value(json!({ "type": "url", "target": URL })).unwrap();
    let registered = fixture.catalog.register_location(&new, None).await.unwrap();
    let found = freshness(&fixture, "component:default/a", &Access::All, true).await;
    let chain: Vec<_> = found.chain.iter().map(|step| step.entity_ref.clone().unwrap()).collect();
    assert_eq!(chain, ["component:default/a", &registered.entity_ref]);
    assert_eq!(found.chain[1].location.as_deref(), Some(format!("url:{URL}").as_str()));
    assert_eq!(found.source.as_ref().unwrap().kind, SourceKind::Registered);
    assert!(found.last_verified.is_some() && found.next_refresh.is_some(), "{found:?}");
    assert!(found.next_refresh > found.last_verified, "{found:?}");
    assert_eq!(found.last_error, None);
    // A look that finds nothing new is news all the same; one that fails is none.
    let a = callboard_model::entity_ref::EntityRef::parse("component:default/a", None, None).unwrap();
    let read_again = async || {
        fixture.catalog.refresh(&Access::All, &a).await.unwrap();
        fixture.settles().await;
        freshness(&fixture, "component:default/a", &Access::All, true).await
    };
    let again = read_again().await;
    assert!(again.last_verified >= found.last_verified, "{again:?}");
    fixture.web.fail(URL, "the host is on fire");
    let failed = read_again().await;
    assert_eq!(failed.last_verified, again.last_verified);
    assert!(failed.last_error.is_some_and(|error| error.contains("on fire")));
    // Whoever may not see the Location is not told what it is, nor what is wrong with it.
    let components = Access::Where(Predicate::equals("kind", "component"));
    let hidden = freshness(&fixture, "component:default/a", &components, false).await;
    assert_eq!((&hidden.chain[1].entity_ref, &hidden.chain[1].location), (&None, &None));
    assert!(hidden.last_error.is_some_and(|error| !error.contains("on fire")));
    let uid = fixture.get(&registered.entity_ref).await.unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    assert!(fixture.catalog.freshness(&components, &uid, false).await.unwrap().is_none());
    assert!(fixture.catalog.freshness(&Access::All, "none", false).await.unwrap().is_none());
}

#[tokio::test]
async fn a_providers_run_verifies_what_it_brings() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    fixture.web.put(URL, &component("a", ""));
    provider.items(vec![versioned(location(URL), Some("1"), &[]), provided(component_value("b", json!({})))]);
    let run = fixture.run_provider().await;
    for name in ["component:default/a", "component:default/b"] {
        let found = freshness(&fixture, name, &Access::All, true).await;
        let source = found.source.unwrap();
        assert_eq!((source.kind, source.name.as_str()), (SourceKind::Provider, "p"));
        assert_eq!(source.last_verified, run.last_success);
        assert_eq!(found.last_verified, run.last_success, "{name}");
        assert_eq!(found.next_refresh, None, "{name}");
    }
    let found = freshness(&fixture, "component:default/a", &Access::All, true).await;
    assert_eq!(found.chain[1].entity_ref, Some(location_ref(URL)));
    provider.pages(vec![crate::support::Answer::Fail("no such bucket".to_owned())]);
    fixture.run_provider().await;
    let found = freshness(&fixture, "component:default/a", &Access::All, true).await;
    assert_eq!((found.last_verified, found.last_error.as_deref()), (run.last_success, Some("no such bucket")));
    let found = freshness(&fixture, "component:default/a", &Access::All, false).await;
    assert!(found.last_error.is_some_and(|error| !error.contains("bucket")));
}

#[tokio::test]
async fn files_are_watched_and_pushes_are_dated() {
    let settings = json!({ "locations": [{ "type": "file", "target": "a.yaml" }], "push": { "ci": {} } });
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.yaml"), component("a", "")).unwrap();
    let fixture = Fixture::start_in(dir, settings).await;
    let found = freshness(&fixture, "component:default/a", &Access::All, false).await;
    assert_eq!(found.source.unwrap().kind, SourceKind::Configured);
    assert!(found.last_verified.is_some());
    assert_eq!((found.next_refresh, found.last_error), (None, None));

    let entity = PushedEntity { entity: component_value("b", json!({})), location_key: None };
    let request = PushRequest { mode: PushMode::Full, entities: vec![entity], removed: Vec::new() };
    fixture.catalog.push("ci", request, Duration::from_secs(60)).await.unwrap();
    let found = freshness(&fixture, "component:default/b", &Access::All, false).await;
    assert_eq!(
        found.source.as_ref().map(|source| (source.kind, source.name.as_str())),
        Some((SourceKind::Push, "push:ci"))
    );
    assert!(found.last_verified.is_some(), "{found:?}");
}
