//! Pushed entities: what is answered is what can be read.

use std::time::Duration;

use callboard_catalog::{Error, Settings};
use callboard_model::api::{PushMode, PushRequest, PushResult, PushedEntity, RunCounts};
use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, component, component_value, provided};

/// Never waited for: the engine of the tests is done at once.
const PATIENCE: Duration = Duration::from_secs(60);

fn settings() -> Value {
    json!({ "push": { "ci": { "rules": [{ "allow": ["Group"] }] }, "other": {} } })
}

fn entity(name: &str, spec: Value) -> PushedEntity {
    let mut entity = component_value(name, spec);
    entity["metadata"].as_object_mut().unwrap().remove("annotations");
    PushedEntity { entity, location_key: None }
}

fn request(mode: PushMode, entities: Vec<PushedEntity>) -> PushRequest {
    PushRequest { mode, entities, removed: Vec::new() }
}

async fn push(fixture: &Fixture, request: PushRequest) -> Result<PushResult, Error> {
    fixture.catalog.push("ci", request, PATIENCE).await
}

fn counts(listed: u64, added: u64, changed: u64, removed: u64, unchanged: u64) -> RunCounts {
    RunCounts { listed, added, changed, removed, unchanged }
}

#[tokio::test]
async fn what_is_pushed_can_be_read_at_once() {
    let fixture = Fixture::start(settings()).await;
    let result = push(&fixture, request(PushMode::Full, vec![entity("a", json!({})), entity("b", json!({}))])).await;
    let expected = PushResult { complete: true, counts: counts(2, 2, 0, 0, 0), ..PushResult::default() };
    assert_eq!(result.unwrap(), expected);
    let a = fixture.get("component:default/a").await.expect("it is there");
    assert_eq!(a["metadata"]["annotations"]["backstage.io/managed-by-location"], "push:ci");
    assert_eq!(a["metadata"]["annotations"]["backstage.io/managed-by-origin-location"], "push:ci");
    // A delta changes what it names, and nothing else.
    let mut delta = request(PushMode::Delta, vec![entity("b", json!({ "system": "s" })), entity("c", json!({}))]);
    delta.removed = vec!["Component:a".to_owned(), "component:default/none".to_owned()];
    assert_eq!(push(&fixture, delta).await.unwrap().counts, counts(2, 1, 1, 1, 0));
    assert_eq!(fixture.refs().await, ["component:default/b", "component:default/c"]);
    assert_eq!(fixture.get("component:default/b").await.unwrap()["spec"]["system"], "s");
    // A full push is everything.
    let full = request(PushMode::Full, vec![entity("c", json!({}))]);
    assert_eq!(push(&fixture, full).await.unwrap().counts, counts(1, 0, 0, 1, 1));
    assert_eq!(fixture.refs().await, ["component:default/c"]);
    assert_eq!(push(&fixture, request(PushMode::Full, vec![])).await.unwrap().counts, counts(0, 0, 0, 1, 0));
    assert_eq!(fixture.refs().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_fails_is_named() {
    let fixture = Fixture::start(settings()).await;
    push(&fixture, request(PushMode::Delta, vec![entity("good", json!({ "system": "one" }))])).await.unwrap();
    let result = push(
        &fixture,
        request(
            PushMode::Delta,
            vec![
                entity("fine", json!({})),
                entity("bad", json!({ "owner": 5 })),
                entity("good", json!({ "owner": 6 })),
            ],
        ),
    )
    .await
    .unwrap();
    assert!(result.complete);
    assert_eq!(result.failed_count, 2);
    let failed: Vec<_> = result.failed.iter().map(|failure| failure.entity_ref.as_str()).collect();
    assert_eq!(failed, ["component:default/bad", "component:default/good"]);
    assert!(result.failed[0].errors[0].message.contains("/spec/owner"), "{:?}", result.failed);
    // What was good once stays as it was.
    assert_eq!(fixture.get("component:default/good").await.unwrap()["spec"]["system"], "one");
    assert!(fixture.get("component:default/fine").await.is_some());
    assert!(fixture.get("component:default/bad").await.is_none());
    // Once it is well again, nothing fails.
    let well = request(PushMode::Delta, vec![entity("bad", json!({})), entity("good", json!({}))]);
    assert_eq!(push(&fixture, well).await.unwrap().failed, []);
    assert!(fixture.get("component:default/bad").await.is_some());
}

#[tokio::test]
async fn a_location_is_waited_for_with_what_it_brings() {
    let fixture = Fixture::start(settings()).await;
    fixture.web.put("https://x.example/a.yaml", &component("a", ""));
    let location = |target: &str| PushedEntity {
        entity: json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Location",
            "metadata": { "name": "l" },
            "spec": { "type": "url", "target": target },
        }),
        location_key: None,
    };
    let result = push(&fixture, request(PushMode::Full, vec![location("https://x.example/a.yaml")])).await.unwrap();
    assert!(result.complete && result.failed.is_empty(), "{result:?}");
    assert!(fixture.get("component:default/a").await.is_some());
    let result = push(&fixture, request(PushMode::Full, vec![location("https://x.example/none.yaml")])).await.unwrap();
    assert!(result.complete, "{result:?}");
    assert_eq!(result.failed[0].entity_ref, "location:default/l");
    // It names no files of the server's.
    fixture.write("secret.yaml", &component("secret", ""));
    let mut file = location(&fixture.dir.path().join("secret.yaml").display().to_string());
    file.entity["spec"]["type"] = json!("file");
    file.entity["metadata"]["annotations"] = json!({ "backstage.io/managed-by-location": "file:/x.yaml" });
    let result = push(&fixture, request(PushMode::Full, vec![file])).await.unwrap();
    assert_eq!(result.failed_count, 1, "{result:?}");
    assert!(fixture.get("component:default/secret").await.is_none());
}

#[tokio::test]
async fn what_belongs_to_others_stays_theirs() {
    let fixture = Fixture::start(settings()).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.items(vec![provided(component_value("a", json!({ "system": "theirs" })))]);
    fixture.run_provider().await;
    let mut mine = entity("a", json!({ "system": "mine" }));
    let result = push(&fixture, request(PushMode::Full, vec![mine.clone(), entity("b", json!({}))])).await.unwrap();
    assert_eq!((result.failed_count, result.failed[0].errors[0].name.as_str()), (1, "ConflictError"));
    assert!(result.failed[0].errors[0].message.contains("from p;"), "{:?}", result.failed);
    // Nor does it help to claim to be the other.
    mine.location_key = Some("p".to_owned());
    assert_eq!(push(&fixture, request(PushMode::Delta, vec![mine])).await.unwrap().failed_count, 1);
    assert_eq!(fixture.get("component:default/a").await.unwrap()["spec"]["system"], "theirs");
    let mut removal = request(PushMode::Delta, vec![]);
    removal.removed = vec!["component:default/a".to_owned()];
    assert_eq!(push(&fixture, removal).await.unwrap().counts.removed, 0);
    assert!(fixture.get("component:default/a").await.is_some());
}

#[tokio::test]
async fn parts_of_a_source_do_not_take_from_each_other() {
    let fixture = Fixture::start(settings()).await;
    let part = |key: &str, system: &str| PushedEntity {
        location_key: Some(key.to_owned()),
        ..entity("a", json!({ "system": system }))
    };
    push(&fixture, request(PushMode::Delta, vec![part("one", "1")])).await.unwrap();
    let second = push(&fixture, request(PushMode::Delta, vec![part("two", "2")])).await.unwrap();
    assert!(second.failed[0].errors[0].message.contains("from push:ci:one"), "{second:?}");
    assert_eq!(fixture.get("component:default/a").await.unwrap()["spec"]["system"], "1");
    assert_eq!(push(&fixture, request(PushMode::Delta, vec![part("one", "3")])).await.unwrap().counts.changed, 1);
    // A full push says itself what is whose.
    let full = push(&fixture, request(PushMode::Full, vec![part("two", "4")])).await.unwrap();
    assert_eq!((full.failed_count, full.counts.changed), (0, 1));
    assert_eq!(fixture.get("component:default/a").await.unwrap()["spec"]["system"], "4");
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing() {
    let fixture = Fixture::start(settings()).await;
    push(&fixture, request(PushMode::Full, vec![entity("a", json!({}))])).await.unwrap();
    let check = async |source: &str, request: PushRequest, is: fn(&Error) -> bool, part: &str| {
        let error = fixture.catalog.push(source, request, PATIENCE).await.unwrap_err();
        assert!(is(&error) && error.to_string().contains(part), "{error:?}");
        assert_eq!(fixture.refs().await, ["component:default/a"]);
    };
    let input = |error: &Error| matches!(error, Error::Input(_));
    let raw = |entity: Value| vec![PushedEntity { entity, location_key: None }];
    let full = |entities| request(PushMode::Full, entities);
    check("ci", full(raw(json!({ "kind": "X" }))), input, "entities/0: Malformed envelope").await;
    check("ci", full(raw(json!(5))), input, "entities/0").await;
    let twice = vec![entity("b", json!({})), entity("B", json!({}))];
    check("ci", full(twice), input, "entities/1: component:default/b is there twice").await;
    let removed = |mode, names: &[&str], entities| PushRequest {
        mode,
        entities,
        removed: names.iter().map(ToString::to_string).collect(),
    };
    check("ci", removed(PushMode::Full, &["component:default/a"], vec![]), input, "a full push removes").await;
    check("ci", removed(PushMode::Delta, &["nonsense:"], vec![]), input, "removed/0").await;
    let both = removed(PushMode::Delta, &["component:default/b"], vec![entity("b", json!({}))]);
    check("ci", both, input, "removed/0: component:default/b is there twice").await;
    let long = PushedEntity { location_key: Some("x".repeat(201)), ..entity("b", json!({})) };
    check("ci", full(vec![long]), input, "locationKey").await;
    let name = "x".repeat(2_000);
    check("ci", full(vec![entity(&name, json!({}))]), input, "entities/0").await;
    let user =
        json!({ "apiVersion": "backstage.io/v1alpha1", "kind": "User", "metadata": { "name": "u" }, "spec": {} });
    let not_allowed = |error: &Error| matches!(error, Error::NotAllowed(_));
    check("ci", full(raw(user)), not_allowed, "not of an allowed kind").await;
    let group = json!({ "apiVersion": "backstage.io/v1alpha1", "kind": "Group", "metadata": { "name": "g" }, "spec": { "type": "team", "children": [] } });
    check("other", full(raw(group.clone())), not_allowed, "not of an allowed kind").await;
    check("none", full(vec![]), |error| matches!(error, Error::NotFound(_)), "no source called none").await;
    let allowed = push(&fixture, request(PushMode::Delta, raw(group))).await.unwrap();
    assert_eq!(allowed.failed, []);
}

#[tokio::test]
async fn what_takes_too_long_is_named() {
    let mut fixture = Fixture::start(settings()).await;
    fixture.stop().await;
    let request = request(PushMode::Full, vec![entity("a", json!({}))]);
    let result = fixture.catalog.push("ci", request, Duration::ZERO).await.unwrap();
    assert!(!result.complete);
    assert_eq!((result.pending_count, result.pending), (1, vec!["component:default/a".to_owned()]));
    assert_eq!(result.counts.added, 1);
    // It was taken over all the same.
    let fixture = fixture.restart(settings()).await;
    fixture.appears("component:default/a").await;
}

#[tokio::test]
async fn a_source_keeps_its_entities_as_long_as_it_is_listed() {
    let fixture = Fixture::start(settings()).await;
    push(&fixture, request(PushMode::Full, vec![entity("a", json!({}))])).await.unwrap();
    fixture.catalog.set_providers(vec![]).await.unwrap();
    assert_eq!(fixture.refs().await.len(), 1);
    let fixture = fixture.restart(json!({})).await;
    fixture.catalog.set_providers(vec![]).await.unwrap();
    assert_eq!(fixture.refs().await.len(), 0);
}

#[test]
fn the_token_is_not_the_catalogs_business() {
    let settings: Settings = serde_json::from_value(json!({ "push": { "ci": { "token": "canary" } } })).unwrap();
    assert!(!format!("{settings:?}").contains("canary"));
}
