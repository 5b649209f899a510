//! What a caller may not see is in no item, count, facet, ancestor or position.

use std::collections::BTreeMap;

use callboard_catalog::{Direction, Document, ListQuery, Order, Query};
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::{Predicate, SearchRows, search_rows};
use callboard_store::{args, query};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, component_value, location, location_ref, provided};

const VALUES: [&str; 6] = ["a", "B", "aB", "c%", "", "Ä"];

fn random_entity(random: &mut StdRng, number: usize) -> Value {
    let mut value = component_value(&format!("e{number}"), json!({}));
    if number % 5 == 1 {
        value["kind"] = json!("Resource");
    }
    let mut pick = |values: &[&str]| values[random.random_range(0..values.len())].to_owned();
    value["spec"]["lifecycle"] = json!(pick(&["a", "B", "b"]));
    value["spec"]["owner"] = json!(pick(&["team-a", "Team-B", "user:guest"]));
    value["spec"]["x"] = json!(pick(&VALUES));
    value["spec"]["list"] = json!([pick(&VALUES), pick(&VALUES)]);
    value["spec"]["targets"] = json!([pick(&VALUES), pick(&VALUES), pick(&VALUES)]);
    value["spec"]["long"] = json!(pick(&["y", ""]).repeat(199 + number % 3));
    if number.is_multiple_of(3) {
        value["metadata"]["title"] = json!(pick(&VALUES));
        value["spec"]["system"] = json!(pick(&["one", "two"]));
        value["spec"]["maybe"] = Value::Null;
    }
    if value["metadata"]["title"] == "" {
        value["metadata"].as_object_mut().unwrap().remove("title");
    }
    value
}

fn random_predicate(random: &mut StdRng, depth: usize) -> Value {
    const KEYS: [&str; 13] = [
        "kind",
        "metadata.name",
        "metadata.title",
        "spec.targets",
        "spec.targets.ab",
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
        "resource",
        "e1",
        "e2",
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

/// An entity as it is read, with what can be asked of it.
struct Known {
    entity: Value,
    rows: SearchRows,
    /// By key: each value once, in lower case and as it is written.
    values: BTreeMap<String, Vec<(String, String)>>,
}

impl Known {
    fn of(entity: Value) -> Known {
        let mut values = BTreeMap::<_, Vec<_>>::new();
        for row in search_rows(&entity).unwrap() {
            if let (Some(value), Some(original)) = (row.value, row.original) {
                values.entry(row.key).or_default().push((value, original));
            }
        }
        Known { rows: SearchRows::of(&entity).unwrap(), entity, values }
    }

    fn name(&self) -> String {
        self.entity["metadata"]["name"].as_str().unwrap().to_owned()
    }

    fn uid(&self) -> &str {
        self.entity["metadata"]["uid"].as_str().unwrap()
    }

    fn entity_ref(&self) -> String {
        format!("{}:default/{}", self.entity["kind"].as_str().unwrap().to_lowercase(), self.name())
    }

    fn values(&self, key: &str) -> &[(String, String)] {
        self.values.get(key).map_or(&[], Vec::as_slice)
    }
}

fn parse(items: &[Document]) -> Vec<Value> {
    items.iter().map(|item| serde_json::from_str(item.get()).unwrap()).collect()
}

fn uids(items: &[Document]) -> Vec<String> {
    parse(items).iter().map(|item| item["metadata"]["uid"].as_str().unwrap().to_owned()).collect()
}

const FACETS: [&str; 8] = [
    "kind",
    "metadata.title",
    "relations.ownedby",
    "spec.lifecycle",
    "spec.list",
    "spec.list.ab",
    "spec.targets",
    "spec.targets.ab",
];

/// What facets have to be, counted one by one.
fn counted(expected: &[&Known], key: &str) -> BTreeMap<String, u64> {
    let mut counted = BTreeMap::new();
    for known in expected {
        for (_, original) in known.values(key) {
            *counted.entry(original.clone()).or_default() += 1;
        }
    }
    counted
}

/// The uids in the order of a field: of several values the first in the order counts, and ties are by uid.
fn ordered(expected: &[&Known], key: &str, descending: bool) -> Vec<String> {
    let mut places: Vec<(&str, &str)> = expected
        .iter()
        .filter_map(|known| {
            let values = known.values(key).iter().map(|(value, _)| value.as_str());
            Some((if descending { values.max() } else { values.min() }?, known.uid()))
        })
        .collect();
    places.sort();
    if descending {
        places.reverse();
    }
    places.into_iter().map(|(_, uid)| uid.to_owned()).collect()
}

/// Asks in every way, and compares with what was filtered one by one.
async fn agree(fixture: &Fixture, random: &mut StdRng, known: &[Known], what: &str) {
    let access_json = random_predicate(random, 3);
    let filter_json = random_predicate(random, 2);
    let (condition, filter) =
        (Predicate::from_value(&access_json).unwrap(), Predicate::from_value(&filter_json).unwrap());
    let free = random.random_bool(0.3);
    let filter = Some(filter).filter(|_| random.random_bool(0.8));
    let meant = |known: &&Known| {
        (free || condition.matches(&known.rows)) && filter.as_ref().is_none_or(|filter| filter.matches(&known.rows))
    };
    let expected: Vec<&Known> = known.iter().filter(meant).collect();
    let what = format!("{what}: access {access_json} (not asked: {free}), filter {filter:?}");
    let access = if free { Access::All } else { Access::Where(condition.clone()) };
    let query = Query { filter: filter.clone(), ..Query::default() };
    let page = fixture.catalog.query(&access, &query).await.unwrap();
    let mut by_uid: Vec<String> = expected.iter().map(|known| known.uid().to_owned()).collect();
    by_uid.sort();
    assert_eq!((uids(&page.items), page.total_items), (by_uid, expected.len() as u64), "{what}");
    let list = ListQuery { filter: filter.clone(), ..ListQuery::default() };
    assert_eq!(fixture.catalog.list(&access, &list).await.unwrap().items.len(), expected.len(), "{what}");

    let facets = FACETS.map(str::to_owned);
    let facets = fixture.catalog.facets(&access, &facets, filter.as_ref()).await.unwrap();
    for (key, found) in &facets.facets {
        let found: BTreeMap<_, _> = found.iter().map(|facet| (facet.value.clone(), facet.count)).collect();
        assert_eq!(found, counted(&expected, key), "{key} {what}");
    }

    let key = [FACETS.as_slice(), &["metadata.name", "metadata.uid", "spec.none"]].concat();
    let key = key[random.random_range(0..key.len())];
    let (descending, limit) = (random.random_bool(0.5), random.random_range(1..12));
    let order =
        vec![Order { field: key.to_owned(), direction: if descending { Direction::Desc } else { Direction::Asc } }];
    let in_order = ordered(&expected, key, descending);
    let what = format!("{what} by {order:?}, {limit} at once");
    let mut query = Query { filter: filter.clone(), order: order.clone(), limit, ..Query::default() };
    let (mut pages, mut back) = (Vec::new(), Vec::new());
    loop {
        let page = fixture.catalog.query(&access, &query).await.unwrap();
        assert_eq!(page.total_items, in_order.len() as u64, "{what}");
        pages.push(uids(&page.items));
        query.cursor = page.page_info.next_cursor;
        if query.cursor.is_none() {
            query.cursor = page.page_info.prev_cursor;
            break;
        }
    }
    assert_eq!(pages.concat(), in_order, "{what}");
    while query.cursor.is_some() {
        let page = fixture.catalog.query(&access, &query).await.unwrap();
        back.push(uids(&page.items));
        query.cursor = page.page_info.prev_cursor;
    }
    pages.pop();
    back.reverse();
    assert_eq!(back, pages, "back: {what}");
    // In pages, those without the field come last.
    let list = ListQuery { filter: filter.clone(), order, limit: Some(1_000), ..ListQuery::default() };
    let listed = uids(&fixture.catalog.list(&access, &list).await.unwrap().items);
    assert_eq!((listed.len(), listed.get(..in_order.len())), (expected.len(), Some(in_order.as_slice())), "{what}");

    let refs: Vec<String> = known.iter().map(Known::entity_ref).collect();
    let by_refs = fixture.catalog.by_refs(&access, &refs, filter.as_ref(), &[]).await.unwrap();
    assert_eq!(by_refs.iter().flatten().count(), expected.len(), "{what}");
    let one = &known[random.random_range(0..known.len())];
    let by_uid = fixture.catalog.by_uid(&access, one.uid()).await.unwrap();
    assert_eq!(by_uid.is_some(), free || condition.matches(&one.rows), "{what}");
}

/// Counters and bitmaps say the same.
async fn counters_are_right(fixture: &Fixture) {
    let recount = "WITH p(term_id, kind_id, n) AS (SELECT term_id, kind_id, sum(count) FROM posting GROUP BY term_id, kind_id \
         UNION ALL SELECT term_id, 0, sum(count) FROM posting GROUP BY term_id) \
         SELECT (SELECT count(*) FROM p), (SELECT count(*) FROM facet_count), \
         (SELECT count(*) FROM p JOIN facet_count f ON f.term_id = p.term_id AND f.kind_id = p.kind_id AND f.n = p.n)";
    let row = fixture.db.fetch_optional(query(recount, args![])).await.unwrap().unwrap();
    let counts: [i64; 3] = [row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap()];
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

/// The database and the program decide alike, for what a caller may see and for what is asked, for items, counts, facets
/// and orders, whatever was added, changed and removed before. The seed makes a failure come again.
#[tokio::test]
async fn the_database_agrees_with_filtering_one_by_one() {
    let mut random = StdRng::seed_from_u64(20_261_120);
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    let mut entities: BTreeMap<usize, Value> = BTreeMap::new();
    for round in 0..6 {
        for _ in 0..if round == 0 { 60 } else { 12 } {
            let number = random.random_range(0..60);
            match random.random_range(0..3) {
                0 if round > 0 => drop(entities.remove(&number)),
                _ => drop(entities.insert(number, random_entity(&mut random, number))),
            }
        }
        provider.items(entities.values().cloned().map(provided).collect());
        fixture.run_provider().await;
        let everything = fixture.catalog.list(&Access::All, &ListQuery::default()).await.unwrap();
        let known: Vec<Known> = parse(&everything.items).into_iter().map(Known::of).collect();
        assert_eq!(known.len(), entities.len());
        counters_are_right(&fixture).await;
        for question in 0..50 {
            agree(&fixture, &mut random, &known, &format!("round {round}, question {question}")).await;
        }
    }
    // What goes leaves nothing.
    provider.items(vec![]);
    fixture.run_provider().await;
    for table in ["posting", "facet_count", "wide", "relation", "document", "entity"] {
        let select = query_all(table);
        assert_eq!(fixture.db.fetch_all(select).await.unwrap().len(), 0, "{table}");
    }
}

fn query_all(table: &str) -> callboard_store::Sql {
    let select = match table {
        "posting" => "SELECT 1 FROM posting",
        "facet_count" => "SELECT 1 FROM facet_count",
        "wide" => "SELECT 1 FROM wide",
        "relation" => "SELECT 1 FROM relation",
        "document" => "SELECT 1 FROM document",
        _ => "SELECT 1 FROM entity",
    };
    query(select, args![])
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
