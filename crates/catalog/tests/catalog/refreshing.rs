//! When something is read again: because somebody asks, because it failed, because its time has come, or not at all.

use callboard_catalog::{Error, NewLocation, OnConflict};
use callboard_model::access::Access;
use callboard_model::entity_ref::EntityRef;
use callboard_store::{args, query};
use serde_json::json;

use crate::support::{FakeProvider, Fixture, component, component_value, location, location_ref, provided, versioned};

fn at(name: &str) -> String {
    format!("https://x.example/{name}")
}

fn location_for(target: &str, presence: &str) -> NewLocation {
    serde_json::from_value(json!({ "type": "url", "target": at(target), "presence": presence })).unwrap()
}

async fn register(fixture: &Fixture, target: &str) {
    let location = location_for(target, "required");
    fixture.catalog.register_location(&location, Some(OnConflict::Refresh)).await.unwrap();
}

fn parse(name: &str) -> EntityRef {
    EntityRef::parse(name, None, None).unwrap()
}

fn now() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}

/// When an entity is due again, and how often its reading has failed.
async fn due(fixture: &Fixture, name: &str) -> Option<(i64, i64)> {
    let select = "SELECT q.due_at, q.attempts FROM queue q JOIN ref r ON r.id = q.entity_id WHERE r.ref = $1";
    let row = fixture.db.fetch_optional(query(select, args![name])).await.unwrap()?;
    Some((row.get(0).unwrap(), row.get(1).unwrap()))
}

/// Everything above an entity is asked again as well, up to what a source brought; what is beside it is not.
#[tokio::test]
async fn a_refresh_goes_up_to_the_source() {
    let fixture = Fixture::start(json!({})).await;
    let nested = |name: &str, target: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {{name: {name}}}\nspec: {{targets: [{target}]}}\n"
        )
    };
    fixture
        .web
        .put(&at("root.yaml"), &format!("{}---\n{}", nested("more", "./more.yaml"), nested("other", "./other.yaml")));
    fixture.web.put(&at("more.yaml"), &component("a", "  note: {$text: ./note.txt}\n"));
    fixture.web.put(&at("other.yaml"), &component("b", ""));
    fixture.web.put(&at("note.txt"), "one");
    register(&fixture, "root.yaml").await;
    fixture.settles().await;
    fixture.web.reads();
    let ask = async || {
        fixture.catalog.refresh(&Access::All, &parse("Component:Default/A")).await.unwrap();
        fixture.settles().await;
        let mut reads = fixture.web.reads();
        reads.sort();
        reads
    };
    assert_eq!(ask().await, ["more.yaml", "note.txt", "root.yaml"].map(|name| format!("={}", at(name))));
    fixture.web.put(&at("note.txt"), "two");
    assert!(ask().await.contains(&at("note.txt")));
    assert_eq!(fixture.get("component:default/a").await.unwrap()["spec"]["note"], "two");
    let missing = fixture.catalog.refresh(&Access::All, &parse("component:default/none")).await.unwrap_err();
    assert!(matches!(&missing, Error::NotFound(message) if message == "Entity component:default/none not found"));
    let hidden = fixture.catalog.refresh(&Access::None, &parse("component:default/a")).await.unwrap_err();
    assert!(matches!(hidden, Error::NotFound(_)));
}

#[tokio::test]
async fn what_failed_is_tried_again_with_longer_and_longer_pauses() {
    let fixture = Fixture::start(json!({ "processingInterval": { "seconds": 12 } })).await;
    let name = location_ref(&at("a.yaml"));
    let mut before = now();
    register(&fixture, "a.yaml").await;
    // Up to the interval, which is between 12 and 18 seconds.
    for (attempts, from, to) in [(1, 5_000, 5_000), (2, 10_000, 10_000), (3, 12_000, 18_000), (4, 12_000, 18_000)] {
        let due_at = fixture
            .until("it failed", async || due(&fixture, &name).await.filter(|due| due.1 == attempts).map(|due| due.0))
            .await;
        assert!(due_at - before >= from && due_at - now() <= to, "{attempts}: {} after {before}", due_at);
        before = now();
        fixture.db.execute(query("UPDATE queue SET due_at = 0", args![])).await.unwrap();
        // Nothing depends on it: whoever waits for work looks.
        fixture.catalog.refresh_keys(&["nothing".to_owned()]).await.unwrap();
    }
    fixture.until("it failed again", async || due(&fixture, &name).await.filter(|due| due.1 == 5)).await;
    fixture.web.put(&at("a.yaml"), &component("a", ""));
    fixture.db.execute(query("UPDATE queue SET due_at = 0", args![])).await.unwrap();
    fixture.catalog.refresh_keys(&["nothing".to_owned()]).await.unwrap();
    fixture.appears("component:default/a").await;
    // And from then on at the interval.
    let (due_at, attempts) = due(&fixture, &name).await.unwrap();
    assert!(attempts == 0 && due_at - now() <= 18_000 && due_at - before >= 12_000, "{due_at} {attempts}");
}

/// Only what cannot tell of its changes is looked at again.
#[tokio::test]
async fn what_depends_on_nothing_is_not_due() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.yaml"), component("file", "")).unwrap();
    let settings = json!({ "locations": [{ "type": "file", "target": "a.yaml" }] });
    let fixture = Fixture::start_in(dir, settings).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    for name in ["versioned.yaml", "plain.yaml"] {
        fixture.web.put(&at(name), &component(name.trim_end_matches(".yaml"), ""));
    }
    fixture.web.put(&at("note.txt"), "words");
    let note = json!({ "note": { "$text": at("note.txt") } });
    provider.items(vec![
        versioned(location(&at("versioned.yaml")), Some("1"), &[]),
        provided(location(&at("plain.yaml"))),
        provided(component_value("pure", json!({}))),
        provided(component_value("reads", note)),
    ]);
    let before = now();
    fixture.run_provider().await;
    for name in ["file", "versioned", "plain"] {
        fixture.appears(&format!("component:default/{name}")).await;
    }
    fixture.settles().await;
    let rows = fixture
        .db
        .fetch_all(query(
            "SELECT r.ref, q.due_at FROM queue q JOIN ref r ON r.id = q.entity_id ORDER BY r.ref",
            args![],
        ))
        .await
        .unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.get(0).unwrap()).collect();
    assert_eq!(names, ["component:default/reads".to_owned(), location_ref(&at("plain.yaml"))]);
    // Where app-config says nothing, between 100 and 150 seconds later.
    for row in &rows {
        let due_at: i64 = row.get(1).unwrap();
        assert!(due_at - before >= 100_000 && due_at - now() <= 150_000, "{due_at}");
    }
}

#[tokio::test]
async fn a_page_that_may_be_missing() {
    let fixture = Fixture::start(json!({})).await;
    let registered = fixture.catalog.register_location(&location_for("a.yaml", "optional"), None).await.unwrap();
    let location = fixture.get(&registered.entity_ref).await.unwrap();
    assert_eq!((&location["spec"]["presence"], location.get("status")), (&json!("optional"), None));
    fixture.web.put(&at("a.yaml"), &component("a", ""));
    register(&fixture, "a.yaml").await;
    assert!(fixture.get("component:default/a").await.is_some());
    // Gone is not the same as failed.
    fixture.web.fail(&at("a.yaml"), "the server is on fire");
    register(&fixture, "a.yaml").await;
    fixture.becomes(&registered.entity_ref, |entity| entity.get("status").is_some()).await;
    assert!(fixture.get("component:default/a").await.is_some());
    fixture.web.remove(&at("a.yaml"));
    register(&fixture, "a.yaml").await;
    assert_eq!(fixture.get("component:default/a").await, None);
    assert_eq!(fixture.get(&registered.entity_ref).await.unwrap().get("status"), None);
}

/// A catalog that leaves the work to others, and takes in what they will do.
#[tokio::test]
async fn without_an_interval_nothing_is_processed() {
    let fixture = Fixture::start(json!({ "processingInterval": false })).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.items(vec![provided(component_value("a", json!({})))]);
    fixture.catalog.trigger("p").unwrap();
    let counts = fixture.until("the provider ran", async || fixture.status().await.last_success.and(Some(()))).await;
    assert_eq!(counts, ());
    let (due_at, attempts) = due(&fixture, "component:default/a").await.unwrap();
    assert!(due_at <= now() && attempts == 0);
    assert_eq!(fixture.refs().await, [""; 0]);
    let fixture = fixture.restart(json!({})).await;
    fixture.appears("component:default/a").await;
}
