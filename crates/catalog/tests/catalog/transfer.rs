//! A catalog that moves between databases.

use std::collections::BTreeMap;

use callboard_catalog::{NewLocation, TransferError, Transferred, export, import};
use callboard_model::access::Access;
use callboard_model::location_ref::Presence;
use callboard_store::{DatabaseConfig, Db, args, query};
use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, Web, component, database, location, provided, versioned};

const REGISTERED: &str = "https://git.example/registered.yaml";
const OTHER: &str = "https://git.example/other.yaml";

async fn in_memory() -> Db {
    Db::open(&DatabaseConfig::Memory).await.unwrap()
}

fn settings() -> Value {
    json!({"processingInterval": {"hours": 1}, "orphanStrategy": "keep"})
}

fn web() -> Web {
    let web = Web::default();
    web.put(REGISTERED, &format!("{}\n---\n{}", component("one", ""), component("two", "")));
    web.put(OTHER, &component("one", "  system: x\n"));
    web
}

fn from() -> Value {
    let from = "url:https://git.example/provided.yaml";
    json!({"backstage.io/managed-by-location": from, "backstage.io/managed-by-origin-location": from})
}

fn items() -> Vec<callboard_model::provided::ProvidedItem> {
    let entity = |name: &str, more: Value| {
        let mut entity = json!({"apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": {"name": name, "annotations": from()},
            "spec": {"type": "service", "lifecycle": "x", "owner": "group:default/people"}});
        entity["metadata"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        entity
    };
    let text = "ünï 漢字 😀\u{1}\n---\n  a: b\n...\n# no\t\n\n";
    vec![
        provided(entity(
            "unicode",
            json!({"description": text, "labels": {"a": "yes"}, "x-other": {"~": [text, "017", 1.0]}}),
        )),
        versioned(entity("facts", json!({})), Some("\"1\""), &[("example.com/fact", "no: comment #1")]),
        provided(
            json!({"apiVersion": "v1", "kind": "Group", "metadata": {"name": "people", "annotations": from()}, "spec": {"type": "t", "children": []},
            "x-callboard": {"mine": true}}),
        ),
        provided(location(OTHER)),
        provided(entity("fails", json!({"description": {"$text": "https://git.example/text"}}))),
    ]
}

async fn filled() -> Fixture {
    let fixture = Fixture::start_with(tempfile::tempdir().unwrap(), in_memory().await, web(), settings()).await;
    fixture.web.put("https://git.example/text", "read once");
    let new = NewLocation { kind: "url".to_owned(), target: REGISTERED.to_owned(), presence: Presence::Required };
    fixture.catalog.register_location(&new, None).await.unwrap();
    fixture.appears("component:default/two").await;
    let provider = FakeProvider::new("fake");
    provider.items(items());
    fixture.set_provider(&provider).await;
    fixture.run_provider().await;
    // Two has no parent any more, and what fails keeps what it was.
    fixture.web.put(REGISTERED, &component("one", ""));
    fixture.web.fail("https://git.example/text", "no");
    for name in ["component:default/two", "component:default/fails"] {
        let entity_ref = callboard_model::entity_ref::EntityRef::parse(name, None, None).unwrap();
        fixture.catalog.refresh(&Access::All, &entity_ref).await.unwrap();
    }
    fixture
        .becomes("component:default/two", |two| two["metadata"]["annotations"]["backstage.io/orphan"] == "true")
        .await;
    fixture.becomes("component:default/fails", |fails| fails.get("status").is_some()).await;
    fixture.settles().await;
    fixture
}

async fn exported(db: &Db) -> String {
    let mut text = Vec::new();
    export(db, "test", &mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

async fn imported(db: &Db, text: &str, replace: bool) -> Result<Transferred, TransferError> {
    import(db, || Ok(text.as_bytes()), replace).await
}

/// All but when it was written.
fn rest(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("created:")).map(|line| format!("{line}\n")).collect()
}

/// Says the first line that differs.
fn assert_same(found: &str, expected: &str, what: &str) {
    let (found, expected) = (rest(found), rest(expected));
    let differs = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert_eq!(differs, None, "{what}");
    assert_eq!(found.len(), expected.len(), "{what}");
}

async fn all(fixture: &Fixture) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for name in fixture.refs().await {
        let entity = fixture.get(&name).await.unwrap();
        let uid = entity["metadata"]["uid"].as_str().unwrap();
        let by_uid = fixture.catalog.by_uid(&Access::All, uid).await.unwrap().unwrap();
        assert_eq!(serde_json::from_str::<Value>(by_uid.get()).unwrap(), entity);
        all.insert(name, entity);
    }
    all
}

#[tokio::test]
async fn there_and_back() {
    let mut first = filled().await;
    first.stop().await;
    let (entities, locations) = (all(&first).await, first.catalog.locations().await.unwrap());
    let contenders = query("SELECT 1 FROM contender", args![]);
    assert!(first.db.fetch_optional(contenders).await.unwrap().is_some(), "the other `one` lost");
    let text = exported(&first.db).await;
    let web = first.web.clone();
    let mut dir = first.dir;

    // One was never good, because `x-callboard` is no key of an entity, and nobody sees it.
    let count = u64::try_from(entities.len()).unwrap() + 1;
    let mut text_before = text;
    for db in [database().await, in_memory().await] {
        let moved = imported(&db, &text_before, false).await.unwrap();
        assert_eq!((moved.entities, moved.locations), (count, 1));
        assert_same(&exported(&db).await, &text_before, "before anything is processed");
        let mut fixture = Fixture::start_with(dir, db, web.clone(), settings()).await;
        fixture.settles().await;
        let now = all(&fixture).await;
        for (name, entity) in &entities {
            assert_eq!(now.get(name), Some(entity), "{name}");
        }
        assert_eq!(now.len(), entities.len());
        assert_eq!(fixture.catalog.locations().await.unwrap(), locations);
        let provider = FakeProvider::new("fake");
        provider.items(items());
        fixture.set_provider(&provider).await;
        let counts = fixture.run_provider().await.counts;
        assert_eq!((counts.unchanged, counts.added, counts.changed, counts.removed), (5, 0, 0, 0));
        fixture.stop().await;
        text_before = exported(&fixture.db).await;
        dir = fixture.dir;
    }
}

#[tokio::test]
async fn what_is_there_stays() {
    let mut fixture = filled().await;
    fixture.stop().await;
    let text = exported(&fixture.db).await;
    let error = imported(&fixture.db, &text, false).await.unwrap_err();
    assert!(matches!(error, TransferError::NotEmpty { locations: 1, .. }), "{error}");
    imported(&fixture.db, &text, true).await.unwrap();
    assert_same(&exported(&fixture.db).await, &text, "replaced");

    let mark = query("INSERT INTO setting(name, value) VALUES ('import', '')", args![]);
    fixture.db.execute(mark).await.unwrap();
    assert!(matches!(imported(&fixture.db, &text, false).await, Err(TransferError::CutOff)));
    assert!(matches!(export(&fixture.db, "test", &mut Vec::new()).await, Err(TransferError::CutOff)));
    imported(&fixture.db, &text, true).await.unwrap();
    assert_same(&exported(&fixture.db).await, &text, "replaced");
}

#[tokio::test]
async fn damaged_files_change_nothing() {
    let mut fixture = filled().await;
    fixture.stop().await;
    let before = exported(&fixture.db).await;
    let end = before.rfind("---\n").unwrap();
    let middle = before[..end].rfind("---\n").unwrap();
    let uid = before.lines().find(|line| line.trim_start().starts_with("uid:")).unwrap();
    let cases = [
        (String::new(), "line 0 (document 0): the file is empty".to_owned()),
        (before[..end].to_owned(), "the file was cut off: the document that says `end` is missing".to_owned()),
        (before[..middle].to_owned() + &before[end..], "a part of it is missing".to_owned()),
        (before[..before.len() - 5].to_owned(), "document".to_owned()),
        (before.clone() + &before, "nothing may come after the document that says `end`".to_owned()),
        (
            before[before.find("---\n").unwrap() + 4..].replacen("format: 1", "format: 2", 1),
            "is of format 2".to_owned(),
        ),
        (before.replacen(uid, "    uuid: x", 1), "unknown field `uuid`".to_owned()),
        (before.replacen("kind: Component", "kind: [", 1), "while parsing a flow mapping".to_owned()),
        (before.replacen("- fake", "- nobody", 1), "the file has no provider \"nobody\" above".to_owned()),
        ("kind: API\n".to_owned(), "line 1 (document 1): has no `x-callboard`".to_owned()),
    ];
    for (text, expected) in cases {
        let error = imported(&fixture.db, &text, true).await.unwrap_err();
        assert!(matches!(error, TransferError::Document { .. }), "{error}");
        assert!(error.to_string().contains(&expected), "{expected}: {error}");
        assert_same(&exported(&fixture.db).await, &before, &expected);
    }
}
