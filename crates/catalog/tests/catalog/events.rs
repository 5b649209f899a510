//! What becomes of entities is told to those who want to know, with what it tells of, and costs nobody anything else.

use callboard_model::events::{CATALOG_ENTITY, Change, EntityChange};
use callboard_store::Outbox;
use callboard_store::outbox::{Settled, Subscription, Tried};
use chrono::Utc;
use serde_json::json;

use super::support::Fixture;

fn subscription(subscriber: &str, kinds: &[&str]) -> Subscription {
    let groups = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    Subscription { subscriber: subscriber.to_owned(), topic: CATALOG_ENTITY.to_owned(), groups }
}

/// What a subscriber is told until nothing more waits, in its order.
async fn told(fixture: &Fixture, subscriber: &str) -> Vec<EntityChange> {
    let outbox = Outbox::new(fixture.db.clone());
    let mut told = Vec::new();
    loop {
        let claimed = outbox
            .claim(subscriber, Tried::Not, usize::MAX, std::time::Duration::from_secs(60), Utc::now())
            .await
            .unwrap();
        if claimed.is_empty() {
            return told;
        }
        told.extend(claimed.iter().map(|one| serde_json::from_str::<EntityChange>(&one.payload).unwrap()));
        let done: Vec<_> = claimed.iter().map(|one| (one.name, Settled::Delivered)).collect();
        outbox.settle(&done, Utc::now()).await.unwrap();
    }
}

fn short(told: &[EntityChange]) -> Vec<(Change, &str)> {
    told.iter().map(|one| (one.change, one.entity_ref.as_str())).collect()
}

fn component(owner: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{ name: a }}\n\
         spec: {{ type: service, lifecycle: production, owner: {owner} }}\n---\n\
         apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {{ name: g }}\nspec: {{ type: team, children: [] }}\n"
    )
}

#[tokio::test]
async fn what_becomes_of_entities_is_told() {
    let settings = json!({
        "rules": [{ "allow": ["Component", "Group", "Location"] }],
        "locations": [{ "type": "file", "target": "all.yaml" }],
    });
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("all.yaml"), component("g")).unwrap();
    let db = super::support::database().await;
    db.subscribe(vec![subscription("all", &[]), subscription("groups", &["group"])]).await.unwrap();
    let fixture = Fixture::start_with(dir, db, Default::default(), settings.clone()).await;
    let entity = fixture.appears("component:default/a").await;
    fixture.appears("group:default/g").await;

    let all = told(&fixture, "all").await;
    let mut refs = short(&all);
    refs.sort_by_key(|(_, entity_ref)| *entity_ref);
    assert!(refs.iter().all(|(change, _)| *change == Change::Added), "{refs:?}");
    let refs: Vec<&str> = refs.into_iter().map(|(_, entity_ref)| entity_ref).collect();
    assert_eq!(refs.len(), 3, "and the location: {refs:?}");
    assert_eq!(refs[..2], ["component:default/a", "group:default/g"]);
    let first = all.iter().find(|one| one.entity_ref == "component:default/a").unwrap();
    assert_eq!(entity["metadata"]["uid"], first.uid);
    assert!(first.version.is_some());
    let groups = told(&fixture, "groups").await;
    assert_eq!(short(&groups), [(Change::Added, "group:default/g")]);

    // Another content is told, and nothing else: the group is as it was, though a relation of it is not.
    fixture.write("all.yaml", &component("other"));
    fixture.becomes("component:default/a", |entity| entity["spec"]["owner"] == "other").await;
    let changed = told(&fixture, "all").await;
    assert_eq!(short(&changed), [(Change::Changed, "component:default/a")]);
    assert_eq!(changed[0].uid, first.uid);
    assert_ne!(changed[0].version, first.version);
    assert_eq!(told(&fixture, "groups").await, []);

    // A location that is taken out between two starts takes its entities with it, and that is told as well.
    let fixture = fixture.restart(json!({ "rules": settings["rules"] })).await;
    fixture.disappears("component:default/a").await;
    let gone = told(&fixture, "all").await;
    assert!(gone.iter().all(|one| one.change == Change::Removed && one.version.is_none()), "{gone:?}");
    assert_eq!(gone.len(), 3);
    assert!(gone.iter().any(|one| one.uid == first.uid));
    assert_eq!(short(&told(&fixture, "groups").await), [(Change::Removed, "group:default/g")]);
}
