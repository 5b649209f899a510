//! What the database is filled with: from an earlier shape, by an earlier rule, and what it cannot take.

use callboard_catalog::{NewLocation, Query};
use callboard_model::access::Access;
use callboard_model::filter::Predicate;
use callboard_store::{Migration, args, migrate, query};
use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, Web, component, component_value, database, location_ref, provided};

const URL: &str = "https://x.example/a.yaml";

#[tokio::test]
async fn what_was_registered_in_version_1_is_read_again() {
    let db = database().await;
    let first = Migration {
        version: 1,
        name: "entities",
        sqlite: include_str!("../../migrations/0001.sqlite.sql"),
        postgres: include_str!("../../migrations/0001.postgres.sql"),
    };
    migrate(&db, "catalog", &[first]).await.unwrap();
    db.execute(query(
        "INSERT INTO location(id, type, target, entity_ref, optional) VALUES ('1', 'url', $1, $2, 0)",
        args![URL, location_ref(URL)],
    ))
    .await
    .unwrap();
    db.execute(query("INSERT INTO setting(name, value) VALUES ('digest', 'x')", args![])).await.unwrap();
    let web = Web::default();
    web.put(URL, &component("a", ""));
    let fixture = Fixture::start_with(tempfile::tempdir().unwrap(), db, web, json!({})).await;
    fixture.appears("component:default/a").await;
    assert_eq!(fixture.catalog.location("1").await.unwrap().target, URL);
}

#[tokio::test]
async fn what_version_4_kept_is_found_and_processed() {
    let db = database().await;
    macro_rules! migration {
        ($version:literal, $name:literal, $file:literal) => {
            Migration {
                version: $version,
                name: $name,
                sqlite: include_str!(concat!("../../migrations/", $file, ".sqlite.sql")),
                postgres: include_str!(concat!("../../migrations/", $file, ".postgres.sql")),
            }
        };
    }
    let migrations = [
        migration!(1, "entities", "0001"),
        migration!(2, "sets of entities", "0002"),
        migration!(3, "processors of plugins", "0003"),
        migration!(4, "claims of replicas", "0004"),
    ];
    migrate(&db, "catalog", &migrations).await.unwrap();
    let (id, uid) = (1i64 << 32, "00010000-0000-88ee-baba-525ba729b2c4");
    let mut source = component_value("a", json!({}));
    source["metadata"]["description"] = json!("As Written");
    source["metadata"]["annotations"] =
        json!({ "backstage.io/managed-by-location": "test:x", "backstage.io/managed-by-origin-location": "test:x" });
    let text = source.to_string();
    let mut tx = db.begin().await.unwrap();
    for statement in [
        query("INSERT INTO kind(id, name, next) VALUES (1, 'component', 1)", args![]),
        query("INSERT INTO ref(id, ref) VALUES ($1, 'component:default/a')", args![id]),
        query("INSERT INTO entity(id, uid, source_hash, hash) VALUES ($1, $2, 'x', 'x')", args![id, uid]),
        query("INSERT INTO entity_source(entity_id, source) VALUES ($1, $2)", args![id, text.as_str()]),
        query("INSERT INTO document(entity_id, document) VALUES ($1, $2)", args![id, text.as_str()]),
        query("INSERT INTO key(id, name) VALUES (1, 'metadata.name')", args![]),
        query("INSERT INTO wide(key_id, kind_id, value, entity_id, flags) VALUES (1, 1, 'a of old', $1, 3)", args![id]),
        query("INSERT INTO setting(name, value) VALUES ('index', '1')", args![]),
    ] {
        tx.execute(statement).await.unwrap();
    }
    tx.commit().await.unwrap();
    let settings = json!({ "processingInterval": false });
    let fixture = Fixture::start_with(tempfile::tempdir().unwrap(), db, Web::default(), settings).await;
    let total = async |fixture: &Fixture, key: &str, value: &str| {
        let query = Query { filter: Some(Predicate::equals(key, value)), ..Query::default() };
        fixture.catalog.query(&Access::All, &query).await.unwrap().total_items
    };
    for (key, value, expected) in [
        ("metadata.name", "a of old", 0),
        ("metadata.name", "a", 1),
        ("metadata.description", "as written", 1),
        ("metadata.annotations.backstage.io/managed-by-location", "test:x", 1),
    ] {
        assert_eq!(total(&fixture, key, value).await, expected, "{key}: {value}");
    }
    let facets = ["metadata.description".to_owned()];
    let found = fixture.catalog.facets(&Access::All, &facets, None).await.unwrap();
    assert_eq!(found.facets[&facets[0]][0].value, "As Written");
    // Its source is read as it was kept, and its index follows.
    let fixture = fixture.restart(json!({})).await;
    fixture.becomes("component:default/a", |entity| entity["metadata"]["uid"] == uid).await;
    assert_eq!(total(&fixture, "metadata.uid", uid).await, 1);
    assert_eq!(total(&fixture, "metadata.description", "as written").await, 1);
}

#[tokio::test]
async fn another_rule_is_another_index() {
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put(URL, &component("a", "  system: s\n"));
    let location: NewLocation = serde_json::from_value(json!({"type": "url", "target": URL})).unwrap();
    fixture.catalog.register_location(&location, None).await.unwrap();
    fixture.appears("component:default/a").await;
    fixture.settles().await;
    for statement in [
        "UPDATE setting SET value = 'of old' WHERE name = 'index'",
        "DELETE FROM wide",
        "DELETE FROM long",
        "DELETE FROM posting",
    ] {
        fixture.db.execute(query(statement, args![])).await.unwrap();
    }
    let found = async |fixture: &Fixture, key: &str, value: &str| {
        let query = Query { filter: Some(Predicate::equals(key, value)), ..Query::default() };
        fixture.catalog.query(&Access::All, &query).await.unwrap().total_items
    };
    assert_eq!(found(&fixture, "metadata.name", "a").await, 0);
    let fixture = fixture.restart(json!({})).await;
    assert_eq!((found(&fixture, "metadata.name", "a").await, found(&fixture, "spec.system", "s").await), (1, 1));
}

#[tokio::test]
async fn what_cannot_be_kept_is_an_error_of_its_entity() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.items(vec![
        provided(component_value("nul", json!({"note": "a\u{0}b"}))),
        provided(component_value("long", json!({"dependsOn": [format!("component:{}", "x".repeat(2_000))]}))),
        provided(component_value("good", json!({}))),
    ]);
    fixture.run_provider().await;
    assert_eq!(fixture.refs().await, ["component:default/good"]);
    let problems = fixture.status().await.problems;
    let of = |name: &str| problems.iter().find(|problem| problem.entity_ref.ends_with(name)).unwrap().message.clone();
    assert!(of("/nul").contains("NUL"), "{problems:?}");
    assert!(of("/long").contains("1,000 bytes"), "{problems:?}");
}

#[tokio::test]
async fn questions_with_a_nul_have_no_answer() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.items(vec![provided(component_value("a", json!({})))]);
    fixture.run_provider().await;
    let check = async |filter: Value, expected: u64| {
        let query = Query { filter: Some(Predicate::from_value(&filter).unwrap()), ..Query::default() };
        assert_eq!(fixture.catalog.query(&Access::All, &query).await.unwrap().total_items, expected, "{filter}");
    };
    for key in ["kind", "metadata.name", "spec.type", "spec.x\u{0}", "relations.ownedBy"] {
        check(json!({key: "a\u{0}"}), 0).await;
        check(json!({key: {"$hasPrefix": "a\u{0}"}}), 0).await;
        check(json!({"$not": {key: {"$in": ["\u{0}", "a\u{0}"]}}}), 1).await;
    }
    assert!(fixture.catalog.by_uid(&Access::All, "\u{0}").await.unwrap().is_none());
    let refs = ["component:default/\u{0}".to_owned(), "component:default/a".to_owned()];
    let found = fixture.catalog.by_refs(&Access::All, &refs, None, &[]).await.unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
    let facets = ["spec.\u{0}".to_owned()];
    assert!(fixture.catalog.facets(&Access::All, &facets, None).await.unwrap().facets[&facets[0]].is_empty());
}
