//! What things cost, counted: rows that are written, statements that are carried out, entities that are processed.
//!
//! A number here is a promise to whoever runs a large portal. One that becomes smaller is changed with joy; one that grows
//! needs a reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use callboard_catalog::{Order, Query};
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::Predicate;
use callboard_model::provided::ProvidedItem;
use callboard_store::{Engine, args, query};
use serde_json::{Value, json};

use super::counted::{Counts, Noting, Written, set};
use crate::support::{
    Answer, FakeProvider, Fixture, component, component_value, location, location_ref, provided, versioned,
};

/// Of whatever kind.
fn entity(kind: &str, name: &str, title: &str, spec: Value) -> ProvidedItem {
    let mut value = component_value(name, json!({}));
    value["kind"] = json!(kind);
    value["metadata"]["title"] = json!(title);
    value["spec"] = spec;
    provided(value)
}

fn group(name: &str, title: &str) -> ProvidedItem {
    entity("Group", name, title, json!({ "type": "team", "children": [] }))
}

fn member(group: &str, number: usize, title: &str) -> ProvidedItem {
    entity("User", &format!("{group}-{number}"), title, json!({ "profile": {}, "memberOf": [group] }))
}

fn rows(counts: &Counts, table: &str) -> u64 {
    counts.get(table).map_or(0, |count| count.rows)
}

/// Brings entities in, a thousand at a time.
async fn bring(fixture: &Fixture, provider: &Arc<FakeProvider>, items: Vec<ProvidedItem>) {
    for items in items.chunks(1_000) {
        provider.pages(vec![Answer::Delta(items.to_vec())]);
        fixture.run_provider().await;
    }
}

async fn with_provider() -> (Fixture, Arc<FakeProvider>) {
    let fixture = Fixture::start(json!({ "processingInterval": { "hours": 1 } })).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    (fixture, provider)
}

/// The etags of everything that there is: what changes for whoever reads.
async fn etags(fixture: &Fixture) -> BTreeMap<String, String> {
    let refs = fixture.refs().await;
    let mut etags = BTreeMap::new();
    for refs in refs.chunks(1_000) {
        let found = fixture.catalog.by_refs(&Access::All, refs, None, &[]).await.unwrap();
        for (name, document) in refs.iter().zip(found) {
            let document: Value = serde_json::from_str(document.unwrap().get()).unwrap();
            etags.insert(name.clone(), document["metadata"]["etag"].as_str().unwrap().to_owned());
        }
    }
    etags
}

#[tokio::test]
async fn one_of_five_thousand_members_costs_what_one_of_ten_does() {
    let (fixture, provider) = with_provider().await;
    let sizes = [("small", 10), ("large", 5_000)];
    let mut items = Vec::new();
    for (name, size) in sizes {
        items.push(group(name, name));
        items.extend((0..size).map(|number| member(name, number, "before")));
    }
    bring(&fixture, &provider, items).await;
    assert_eq!(fixture.refs().await.len(), 5_012);
    let written = Written::watch(&fixture.db).await.unwrap();
    let mut before = etags(&fixture).await;
    type Change = fn(&str) -> ProvidedItem;
    let changes: [(&str, Change, &[&str], u64); 4] = [
        ("a member is called otherwise", |group| member(group, 7, "after"), &["user:default/{}-7"], 0),
        (
            "a member leaves",
            |group| entity("User", &format!("{group}-7"), "after", json!({ "profile": {}, "memberOf": [] })),
            &["group:default/{}", "user:default/{}-7"],
            1,
        ),
        ("a member comes back", |group| member(group, 7, "after"), &["group:default/{}", "user:default/{}-7"], 1),
        ("the group is called otherwise", |name| group(name, "after"), &["group:default/{}"], 0),
    ];
    for (what, change, read_otherwise, relations) in changes {
        let mut costs = Vec::new();
        for (name, _) in sizes {
            bring(&fixture, &provider, vec![change(name)]).await;
            let counts = written.take().await.unwrap();
            let after = etags(&fixture).await;
            let changed: Vec<&String> =
                after.iter().filter(|(name, tag)| before[*name] != **tag).map(|one| one.0).collect();
            let expected: Vec<String> = read_otherwise.iter().map(|text| text.replace("{}", name)).collect();
            assert_eq!(changed, expected.iter().collect::<Vec<_>>(), "{what}");
            // What its neighbours say of it is joined when they are read: no document is written but its own.
            assert_eq!(["document", "entity", "entity_source"].map(|table| rows(&counts, table)), [1; 3], "{what}");
            assert_eq!(rows(&counts, "relation"), relations, "{what}: {counts:?}");
            before = after;
            costs.push(counts);
        }
        assert_eq!(costs[0], costs[1], "{what}");
        let all: u64 = costs[1].values().map(|count| count.inserts + count.updates + count.deletes).sum();
        assert!(all <= 30, "{what}: {:?}", costs[1]);
    }
}

#[tokio::test]
async fn a_processors_upgrade_runs_once_for_each_that_it_is_for() {
    let (fixture, provider) = with_provider().await;
    let spec_type = |number: usize| if number.is_multiple_of(7) { "library" } else { "service" };
    let component = |number| component_value(&format!("c{number:03}"), json!({ "type": spec_type(number) }));
    let libraries: Vec<String> = (0..300).step_by(7).map(|number| format!("c{number:03}")).collect();
    bring(&fixture, &provider, (0..300).map(|number| provided(component(number))).collect()).await;
    let everything = Noting::new("x/everything", "1", None);
    let filter = || Some(json!({ "kind": "Component", "spec.type": "library" }));
    let of_libraries = |digest| Noting::new("x/library", digest, filter());
    let first = of_libraries("1");
    set(&fixture, &[&everything, &first]).await;
    assert_eq!((everything.asked().len(), first.asked()), (300, libraries.clone()));
    let written = Written::watch(&fixture.db).await.unwrap();
    // The digest is of the plugin's program, what it is granted and how it is configured: see the host's own tests.
    for digest in ["another program", "another grant", "another configuration"] {
        let upgraded = of_libraries(digest);
        set(&fixture, &[&everything, &upgraded]).await;
        // Those that run for the same entity run with it.
        assert_eq!((everything.asked(), upgraded.asked()), (libraries.clone(), libraries.clone()), "{digest}");
        let counts = written.take().await.unwrap();
        let count = u64::try_from(libraries.len()).unwrap();
        assert_eq!(
            ["queue", "entity", "chained"].map(|table| rows(&counts, table)),
            [count; 3],
            "{digest}: {counts:?}"
        );
        // They came to the same as before.
        let expected = ["chain", "chained", "entity", "queue", "setting"];
        assert_eq!(counts.keys().collect::<Vec<_>>(), expected, "{digest}: {counts:?}");
    }
    // Nobody is asked about what nobody changed.
    let again = of_libraries("another configuration");
    set(&fixture, &[&everything, &again]).await;
    assert_eq!((everything.asked().len(), again.asked().len(), written.take().await.unwrap()), (0, 0, Counts::new()));
}

#[tokio::test]
async fn questions_take_as_many_statements_whatever_there_is() {
    let mut costs: Vec<Vec<(&str, u64)>> = Vec::new();
    for size in [800, 2_400] {
        let (mut fixture, provider) = with_provider().await;
        let url = "https://x.example/a.yaml";
        fixture.web.put(url, &component("below", ""));
        let mut items = vec![provided(location(url)), group("team-a", "A")];
        items.extend((0..size).map(|number| {
            provided(component_value(&format!("c{number:04}"), json!({ "type": format!("t{}", number % 10) })))
        }));
        bring(&fixture, &provider, items).await;
        fixture.appears("component:default/below").await;
        fixture.stop().await;
        costs.push(questions(&fixture).await);
    }
    assert_eq!(costs[0], costs[1]);
    let expected = [
        ("by ref", 1),
        ("by uid", 1),
        ("by refs", 1),
        ("the first page", 2),
        ("the first page of what a filter leaves", 4),
        ("facets", 3),
        ("facets under a filter", 3),
        ("ancestry", 1),
        ("the first of a list", 2),
    ];
    assert_eq!(costs[1], expected);
}

async fn questions(fixture: &Fixture) -> Vec<(&'static str, u64)> {
    let (catalog, all) = (&fixture.catalog, &Access::All);
    let mut costs = Vec::new();
    let mut before = fixture.db.statements();
    let mut note = |what| {
        let now = fixture.db.statements();
        costs.push((what, now - std::mem::replace(&mut before, now)));
    };
    let entity_ref = |name: &str| EntityRef::parse(name, None, None).unwrap();
    let found = catalog.by_ref(all, &entity_ref("component:default/c0007")).await.unwrap().unwrap();
    note("by ref");
    let found: Value = serde_json::from_str(found.get()).unwrap();
    catalog.by_uid(all, found["metadata"]["uid"].as_str().unwrap()).await.unwrap().unwrap();
    note("by uid");
    let refs: Vec<String> = (0..100).map(|number| format!("component:default/c{number:04}")).collect();
    let found = catalog.by_refs(all, &refs, None, &[]).await.unwrap();
    assert_eq!(found.iter().flatten().count(), 100);
    note("by refs");
    let components = Predicate::equals("kind", "component");
    let page = Query {
        filter: Some(components.clone()),
        order: vec![Order::parse_suffixed("metadata.name").unwrap()],
        limit: 20,
        ..Query::default()
    };
    assert_eq!(catalog.query(all, &page).await.unwrap().items.len(), 20);
    note("the first page");
    let some = Predicate::All(vec![components.clone(), Predicate::equals("spec.type", "t3")]);
    let page = Query { filter: Some(some.clone()), limit: 10, ..page };
    assert_eq!(catalog.query(all, &page).await.unwrap().items.len(), 10);
    note("the first page of what a filter leaves");
    let facets = ["kind", "spec.type", "metadata.tags"].map(str::to_owned);
    assert_eq!(catalog.facets(all, &facets, None).await.unwrap().facets["spec.type"].len(), 13);
    note("facets");
    let facets = ["spec.type", "spec.lifecycle"].map(str::to_owned);
    assert_eq!(catalog.facets(all, &facets, Some(&some)).await.unwrap().facets["spec.type"].len(), 1);
    note("facets under a filter");
    assert_eq!(catalog.ancestry(all, &entity_ref("component:default/below")).await.unwrap().items.len(), 2);
    note("ancestry");
    let list = callboard_catalog::ListQuery { filter: Some(components), limit: Some(20), ..Default::default() };
    assert_eq!(catalog.list(all, &list).await.unwrap().items.len(), 20);
    note("the first of a list");
    costs
}

#[tokio::test]
async fn what_a_run_found_unchanged_counts_with_what_it_finds_later() {
    let (fixture, provider) = with_provider().await;
    let items = |names: &[&str]| Answer::Items(names.iter().map(|name| group(name, "A group")).collect());
    let written = Written::watch(&fixture.db).await.unwrap();
    for (pages, expected) in [
        (vec![items(&["a", "b", "c"])], [3, 3, 0, 0]),
        (vec![items(&["a"]), items(&["b"]), items(&["c"])], [3, 0, 0, 3]),
        (vec![items(&["a"]), items(&["b", "d"]), items(&["a"])], [3, 1, 1, 2]),
        (vec![items(&["a"]), items(&["b"])], [2, 0, 1, 2]),
        (vec![items(&["a"]), items(&[]), items(&["b", "a"])], [2, 0, 0, 2]),
        (vec![items(&[])], [0, 0, 2, 0]),
        (vec![items(&[])], [0, 0, 0, 0]),
    ] {
        provider.pages(pages);
        let counts = fixture.run_provider().await.counts;
        assert_eq!([counts.listed, counts.added, counts.removed, counts.unchanged], expected);
        let mut rows = written.take().await.unwrap();
        if counts.listed == counts.unchanged && counts.removed == 0 {
            rows.remove("lease");
            let source = rows.remove("source").unwrap();
            assert_eq!((source.rows, source.updates, rows), (1, 2, Counts::new()));
        }
    }
}

/// Waits until nothing is due, and answers with how many statements that was since `before`: those of the waiting are not
/// counted.
async fn statements_until_settled(fixture: &Fixture, before: u64) -> u64 {
    let mut looks = 0;
    let due = "SELECT 1 FROM queue WHERE due_at <= $1";
    let now = i64::MAX / 2;
    fixture
        .until("everything is processed", async || {
            looks += 1;
            fixture.db.fetch_optional(query(due, args![now])).await.unwrap().is_none().then_some(())
        })
        .await;
    fixture.db.statements() - before - looks
}

#[tokio::test]
async fn what_locations_bring_is_stored_in_a_few_statements_for_all_of_them() {
    let (fixture, provider) = with_provider().await;
    let url = |number: usize| format!("https://x.example/{number}.yaml");
    let count = 100;
    let load = |text: &str, version: &'static str| {
        for number in 0..count {
            let parts = (0..3).map(|part| component(&format!("c{number}-{part}"), text)).collect::<Vec<_>>();
            fixture.web.put(&url(number), &parts.join("---\n"));
        }
        provider.items((0..count).map(|number| versioned(location(&url(number)), Some(version), &[])).collect());
    };
    for (what, text, version) in [("new", "", "1"), ("changed", "  system: s\n", "2"), ("gone", "", "3")] {
        load(text, version);
        if what == "gone" {
            for number in 0..count {
                fixture.web.put(&url(number), &component(&format!("c{number}-0"), text));
            }
        }
        let before = fixture.db.statements();
        fixture.catalog.trigger("p").unwrap();
        let last = location_ref(&url(count - 1));
        fixture
            .until("the run was applied", async || {
                let versions =
                    "SELECT 1 FROM entity e JOIN ref r ON r.id = e.id WHERE r.ref = $1 AND e.read_version = $2";
                fixture.db.fetch_optional(query(versions, args![&last, version])).await.unwrap()
            })
            .await;
        let statements = statements_until_settled(&fixture, before).await;
        assert!(statements < 300, "{what}: {statements} statements for {count} Locations with 300 entities");
    }
}

#[tokio::test]
async fn an_entity_goes_in_a_few_statements() {
    let (mut fixture, provider) = with_provider().await;
    let items = (0..20).map(|number| provided(component_value(&format!("c{number}"), json!({ "system": "s" }))));
    bring(&fixture, &provider, items.collect()).await;
    fixture.stop().await;
    let entity = fixture.get("component:default/c7").await.unwrap();
    let before = fixture.db.statements();
    assert!(fixture.catalog.delete_by_uid(&Access::All, entity["metadata"]["uid"].as_str().unwrap()).await.unwrap());
    // Most of them are about the index.
    let most = match fixture.db.engine() {
        Engine::Sqlite => 25,
        Engine::Postgres => 14,
    };
    let statements = fixture.db.statements() - before;
    assert!(statements <= most, "{statements} statements");
    assert_eq!(fixture.get("component:default/c7").await, None);
}
