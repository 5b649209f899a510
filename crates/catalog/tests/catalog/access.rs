//! What a caller may not see is in no item, count, facet, ancestor or position.

use std::collections::BTreeMap;

use callboard_catalog::{ListQuery, Order, Query};
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::{Predicate, SearchRows};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, component_value, location, location_ref, provided};

const VALUES: [&str; 6] = ["a", "B", "aB", "c%", "", "Ä"];

fn random_entity(random: &mut StdRng, number: usize) -> Value {
    let mut value = component_value(&format!("e{number}"), json!({}));
    let mut pick = |values: &[&str]| values[random.random_range(0..values.len())].to_owned();
    value["spec"]["lifecycle"] = json!(pick(&["a", "B", "b"]));
    value["spec"]["owner"] = json!(pick(&["team-a", "Team-B", "user:guest"]));
    value["spec"]["x"] = json!(pick(&VALUES));
    value["spec"]["list"] = json!([pick(&VALUES), pick(&VALUES)]);
    value["spec"]["long"] = json!(pick(&["y", ""]).repeat(199 + number % 3));
    if number.is_multiple_of(3) {
        value["spec"]["system"] = json!(pick(&["one", "two"]));
        value["spec"]["maybe"] = Value::Null;
    }
    value
}

fn random_predicate(random: &mut StdRng, depth: usize) -> Value {
    const KEYS: [&str; 9] = [
        "kind",
        "spec.lifecycle",
        "spec.x",
        "spec.list",
        "spec.list.ab",
        "spec.long",
        "spec.maybe",
        "relations.ownedBy",
        "relations.partof",
    ];
    let key = KEYS[random.random_range(0..KEYS.len())];
    let values = [
        "a",
        "b",
        "AB",
        "c%",
        "",
        "ä",
        "true",
        "component",
        "group:default/team-a",
        "user:default/guest",
        "system:default/one",
    ];
    let value = values[random.random_range(0..values.len())];
    match random.random_range(0..if depth == 0 { 5 } else { 9 }) {
        0 => json!({key: value}),
        1 => json!({key: {"$exists": random.random_bool(0.5)}}),
        2 => json!({key: {"$in": [value, values[random.random_range(0..values.len())]]}}),
        3 => json!({key: {"$hasPrefix": value}}),
        4 => json!({"relations": {"$contains": {"type": "ownedBy", "targetRef": value}}}),
        5 => json!({"$not": random_predicate(random, depth - 1)}),
        6 | 7 => {
            let count = random.random_range(0..4);
            let all: Vec<Value> = (0..count).map(|_| random_predicate(random, depth - 1)).collect();
            json!({"$any": all})
        }
        _ => {
            let count = random.random_range(0..3);
            let all: Vec<Value> = (0..count).map(|_| random_predicate(random, depth - 1)).collect();
            json!({"$all": all})
        }
    }
}

/// The database and the program decide alike, for what a caller may see and for what is asked, for items, counts and
/// facets. The seed makes a failure come again.
#[tokio::test]
async fn the_database_agrees_with_filtering_one_by_one() {
    let mut random = StdRng::seed_from_u64(20_261_120);
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.items((0..40).map(|number| provided(random_entity(&mut random, number))).collect());
    fixture.run_provider().await;
    let everything = fixture.catalog.list(&Access::All, &ListQuery::default()).await.unwrap();
    let entities: Vec<Value> = everything.items.iter().map(|item| serde_json::from_str(item.get()).unwrap()).collect();
    assert_eq!(entities.len(), 40);
    let rows: Vec<SearchRows> = entities.iter().map(|entity| SearchRows::of(entity).unwrap()).collect();
    let name = |entity: &Value| entity["metadata"]["name"].as_str().unwrap().to_owned();
    for round in 0..300 {
        let access_json = random_predicate(&mut random, 3);
        let filter_json = random_predicate(&mut random, 2);
        let access = Predicate::from_value(&access_json).unwrap();
        let filter = Predicate::from_value(&filter_json).unwrap();
        let expected: Vec<&Value> = entities
            .iter()
            .zip(&rows)
            .filter(|(_, rows)| access.matches(rows) && filter.matches(rows))
            .map(|(entity, _)| entity)
            .collect();
        let what = format!("round {round}: access {access_json}, filter {filter_json}");
        let access = Access::Where(access);
        let query = Query { filter: Some(filter.clone()), ..Query::default() };
        let page = fixture.catalog.query(&access, &query).await.unwrap();
        let found: Vec<Value> = page.items.iter().map(|item| serde_json::from_str(item.get()).unwrap()).collect();
        assert_eq!(
            found.iter().map(name).collect::<Vec<_>>(),
            expected.iter().map(|entity| name(entity)).collect::<Vec<_>>(),
            "{what}"
        );
        assert_eq!(page.total_items, expected.len() as u64, "{what}");
        let list = ListQuery { filter: Some(filter.clone()), ..ListQuery::default() };
        assert_eq!(fixture.catalog.list(&access, &list).await.unwrap().items.len(), expected.len(), "{what}");
        let facets = fixture.catalog.facets(&access, &["spec.lifecycle".to_owned()], Some(&filter)).await.unwrap();
        let mut counted = BTreeMap::<String, u64>::new();
        for entity in &expected {
            *counted.entry(entity["spec"]["lifecycle"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let found: BTreeMap<_, _> =
            facets.facets["spec.lifecycle"].iter().map(|facet| (facet.value.clone(), facet.count)).collect();
        assert_eq!(found, counted, "{what}");
        let refs: Vec<String> = entities.iter().map(|entity| format!("component:default/{}", name(entity))).collect();
        let by_refs = fixture.catalog.by_refs(&access, &refs, Some(&filter), &[]).await.unwrap();
        assert_eq!(by_refs.iter().flatten().count(), expected.len(), "{what}");
    }
}

#[tokio::test]
async fn a_cursor_does_not_carry_what_may_be_seen() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.items(
        (0..6).map(|number| provided(component_value(&format!("e{number}"), json!({"x": number % 2})))).collect(),
    );
    fixture.run_provider().await;
    let order = vec![Order::parse_suffixed("metadata.name").unwrap()];
    let first = fixture.catalog.query(&Access::All, &Query { order, limit: 1, ..Query::default() }).await.unwrap();
    let odd = Access::Where(Predicate::equals("spec.x", "1"));
    let query = Query { cursor: first.page_info.next_cursor, ..Query::default() };
    let page = fixture.catalog.query(&odd, &query).await.unwrap();
    assert_eq!(page.items.len(), 3);
    assert!(page.items.iter().all(|item| item.get().contains("\"x\":1")));
    let none = fixture.catalog.query(&Access::None, &query).await.unwrap();
    assert!(none.items.is_empty());
}

#[tokio::test]
async fn ancestors() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    let url = "https://b.example/a.yaml";
    fixture.web.put(url, &crate::support::component("a", ""));
    provider.items(vec![provided(location(url))]);
    fixture.run_provider().await;
    fixture.appears("component:default/a").await;
    let a = EntityRef::parse("component:default/a", None, None).unwrap();
    let all = fixture.catalog.ancestry(&Access::All, &a).await.unwrap();
    assert_eq!(all.root_entity_ref, "component:default/a");
    let parents: Vec<_> = all.items.iter().map(|item| item.parent_entity_refs.clone()).collect();
    assert_eq!(parents, [vec![location_ref(url)], vec![]]);
    let components = Access::Where(Predicate::equals("kind", "component"));
    let some = fixture.catalog.ancestry(&components, &a).await.unwrap();
    assert_eq!(some.items.len(), 1);
    assert!(some.items[0].parent_entity_refs.is_empty());
    assert!(
        fixture
            .catalog
            .ancestry(&Access::None, &a)
            .await
            .unwrap_err()
            .to_string()
            .contains("No such entity component:default/a")
    );
    assert!(fixture.catalog.refresh(&Access::None, &a).await.unwrap_err().to_string().contains("not found"));
}
