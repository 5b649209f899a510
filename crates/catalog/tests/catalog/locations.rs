//! Registered locations.

use callboard_catalog::{Error, LocationQuery, NewLocation, OnConflict};
use callboard_model::access::Access;
use callboard_model::api::LocationInput;
use callboard_model::entity_ref::EntityRef;
use callboard_store::query;
use serde_json::{Value, json};

use crate::support::{Answer, FakeProvider, Fixture, component, component_value, location_ref, provided};

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

/// What a provider hands over names where it comes from, which need not be a Location that somebody registered.
#[tokio::test]
async fn entities_that_come_from_no_registered_location() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.pages(vec![Answer::Delta(vec![provided(component_value("of-x", json!({})))])]);
    fixture.run_provider().await;
    fixture.appears("component:default/of-x").await;
    let check = async |name: &str, expected: &str| {
        let entity_ref = EntityRef::parse(&format!("component:default/{name}"), None, None).unwrap();
        match fixture.catalog.location_by_entity(&Access::All, &entity_ref).await {
            Err(Error::NotFound(message)) => assert_eq!(message, expected),
            other => panic!("{name}: {other:?}"),
        }
    };
    check("of-x", "Found no location with type test and target x").await;
    check("none", "found no entity for ref component:default/none").await;
}

/// Without a wait in between: what is answered is what can be read.
#[tokio::test]
async fn registrations_can_be_read_at_once() {
    let fixture = Fixture::start(json!({})).await;
    let nested =
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: more}\nspec: {targets: [./b.yaml]}\n";
    fixture.web.put(URL, &format!("{}---\n{nested}", component("a", "")));
    fixture.web.put("https://x.example/b.yaml", &component("b", ""));
    let registered = fixture.catalog.register_location(&new("url", URL), None).await.unwrap();
    let all = ["component:default/a", "component:default/b", "location:default/more"];
    for name in all {
        assert!(fixture.get(name).await.is_some(), "{name}");
    }
    assert!(fixture.get(&registered.entity_ref).await.is_some());
    fixture.web.put(URL, &component("a", "  system: s\n"));
    fixture.catalog.register_location(&new("url", URL), Some(OnConflict::Refresh)).await.unwrap();
    assert_eq!(fixture.get("component:default/a").await.unwrap()["spec"]["system"], "s");
    assert!(fixture.get("component:default/b").await.is_none());
    fixture.catalog.delete_location(&registered.id).await.unwrap();
    for name in all {
        assert!(fixture.get(name).await.is_none(), "{name}");
    }
    // What cannot be read is registered, and waited for no longer than the first attempt takes.
    let missing = fixture.catalog.register_location(&new("url", "https://x.example/none.yaml"), None).await.unwrap();
    assert!(fixture.get(&missing.entity_ref).await.is_none());
}

#[tokio::test]
async fn a_location_comes_to_name_something_else() {
    let fixture = Fixture::start(json!({})).await;
    let other = "https://x.example/b.yaml";
    fixture.web.put(URL, &component("a", ""));
    fixture.web.put(other, &format!("{}---\n{}", component("a", "  system: s\n"), component("b", "")));
    let before = fixture.catalog.register_location(&new("url", URL), None).await.unwrap();
    let input = |kind: &str, target: &str| LocationInput { kind: kind.to_owned(), target: target.to_owned() };
    let after = fixture.catalog.update_location(&before.id, &input("url", other)).await.unwrap();
    assert_eq!((&after.id, &after.entity_ref, after.target.as_str()), (&before.id, &before.entity_ref, other));
    assert_eq!(fixture.catalog.location(&before.id).await.unwrap(), after);
    fixture.appears("component:default/b").await;
    fixture.becomes("component:default/a", |entity| entity["spec"]["system"] == "s").await;
    assert_eq!(fixture.get(&before.entity_ref).await.unwrap()["spec"]["target"], other);
    let b = EntityRef::parse("component:default/b", None, None).unwrap();
    assert_eq!(fixture.catalog.location_by_entity(&Access::All, &b).await.unwrap(), after);
    fixture.settles().await;
    // The next start takes it as it is.
    let fixture = fixture.restart(json!({})).await;
    fixture.settles().await;
    assert_eq!(fixture.refs().await, ["component:default/a", "component:default/b", &before.entity_ref]);

    let second = fixture.catalog.register_location(&new("url", "https://x.example/none.yaml"), None).await.unwrap();
    let check = async |id: &str, location: LocationInput, is: fn(&Error) -> bool, part: &str| {
        let error = fixture.catalog.update_location(id, &location).await.unwrap_err();
        assert!(is(&error) && error.to_string().contains(part), "{error:?}");
    };
    let conflict = |error: &Error| matches!(error, Error::Conflict(_));
    check(&second.id, input("url", other), conflict, &format!("Location url:{other} already exists")).await;
    check("none", input("url", other), |error| matches!(error, Error::NotFound(_)), "Found no location with ID none")
        .await;
    check(&second.id, input("file", "/etc/passwd"), |error| matches!(error, Error::Input(_)), "allowed type").await;
    // To the same it may be set again.
    fixture.catalog.update_location(&before.id, &input("url", other)).await.unwrap();
    fixture.catalog.delete_location(&before.id).await.unwrap();
    assert_eq!(fixture.refs().await, Vec::<String>::new());
}

/// What a location named before it came to name something else is free, though the location has kept its ref.
#[tokio::test]
async fn an_old_target_may_be_registered_anew() {
    let fixture = Fixture::start(json!({})).await;
    let other = "https://x.example/b.yaml";
    fixture.web.put(URL, &component("a", ""));
    fixture.web.put(other, &component("b", ""));
    let moved = fixture.catalog.register_location(&new("url", URL), None).await.unwrap();
    let input = LocationInput { kind: "url".to_owned(), target: other.to_owned() };
    fixture.catalog.update_location(&moved.id, &input).await.unwrap();
    let again = fixture.catalog.register_location(&new("url", URL), None).await.unwrap();
    assert_ne!((&again.id, &again.entity_ref), (&moved.id, &moved.entity_ref));
    assert!(again.entity_ref.starts_with("location:default/generated-"), "{again:?}");
    let mut expected = [moved.entity_ref.as_str(), &again.entity_ref, "component:default/a", "component:default/b"];
    expected.sort_unstable();
    assert_eq!(fixture.refs().await, expected);
    assert_eq!(fixture.get(&again.entity_ref).await.unwrap()["spec"]["target"], URL);
    // The next start takes both as they are, and each goes by itself.
    let fixture = fixture.restart(json!({})).await;
    fixture.settles().await;
    assert_eq!(fixture.refs().await, expected);
    fixture.catalog.delete_location(&moved.id).await.unwrap();
    let mut rest = ["component:default/a", &again.entity_ref];
    rest.sort_unstable();
    assert_eq!(fixture.refs().await, rest);
}

#[tokio::test]
async fn pages_of_locations() {
    let fixture = Fixture::start(json!({})).await;
    for name in ["a", "b", "c", "d", "e"] {
        let location = new("url", &format!("https://x.example/{name}.yaml"));
        fixture.catalog.register_location(&location, None).await.unwrap();
    }
    let all = fixture.catalog.locations().await.unwrap();
    let page = async |limit: Option<u64>, cursor: Option<String>, query: Option<Value>| {
        fixture.catalog.query_locations(&LocationQuery { limit, cursor, query }).await.unwrap()
    };
    let everything = page(None, None, None).await;
    assert_eq!((everything.total_items, &everything.items), (5, &all));
    assert_eq!(everything.page_info.next_cursor, None);
    let query = json!({ "$not": { "target": "https://x.example/A.yaml" } });
    let first = page(Some(3), None, Some(query.clone())).await;
    assert_eq!((first.total_items, first.items.len()), (4, 3));
    // The cursor knows the query and the limit.
    let second = page(None, first.page_info.next_cursor.clone(), Some(json!({ "id": "none" }))).await;
    assert_eq!((second.total_items, second.items.len(), second.page_info.next_cursor), (4, 1, None));
    let together: Vec<_> = first.items.iter().chain(&second.items).cloned().collect();
    let expected: Vec<_> =
        all.iter().filter(|location| location.target != "https://x.example/a.yaml").cloned().collect();
    assert_eq!(together, expected);
    let refused = fixture.catalog.query_locations(&LocationQuery { limit: Some(0), ..LocationQuery::default() }).await;
    assert!(matches!(refused, Err(Error::Input(_))));
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
