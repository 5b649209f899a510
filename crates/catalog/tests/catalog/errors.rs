//! What is wrong stays beside what was good; rules, conflicts, orphans, relations.

use callboard_model::access::Access;
use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, component, component_value, provided};

#[tokio::test]
async fn one_bad_document_holds_its_file_back() {
    let settings =
        json!({"locations": [{"type": "file", "target": "one.yaml"}, {"type": "file", "target": "two.yaml"}]});
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("one.yaml"), format!("{}---\n{}", component("a", ""), component("b", ""))).unwrap();
    std::fs::write(dir.path().join("two.yaml"), component("c", "")).unwrap();
    let fixture = Fixture::start_in(dir, settings).await;
    for name in ["a", "b", "c"] {
        fixture.appears(&format!("component:default/{name}")).await;
    }
    let location = |name: &str| {
        let target = format!("file:{}", fixture.dir.path().join(name).display());
        format!(
            "location:default/{}",
            callboard_model::location_ref::LocationRef::parse(&target).unwrap().generated_name()
        )
    };
    let check = async |text: String, expected: &str| {
        fixture.write("one.yaml", &text);
        let entity = fixture
            .becomes(&location("one.yaml"), |entity| {
                entity["status"]["items"].as_array().is_some_and(|items| {
                    items.iter().any(|item| item["message"].as_str().is_some_and(|text| text.contains(expected)))
                })
            })
            .await;
        let item = &entity["status"]["items"][0];
        assert_eq!((&item["type"], &item["level"]), (&json!("backstage.io/catalog-processing"), &json!("error")));
        let a = fixture.get("component:default/a").await.unwrap();
        assert_eq!(a["spec"].get("system"), None, "{expected}");
        assert!(fixture.get("component:default/b").await.is_some(), "{expected}");
    };
    let edited = component("a", "  system: edited\n");
    check(format!("{edited}---\na: [\n"), "YAML").await;
    check(format!("{edited}---\n- list\n"), "Expected object at root, got object").await;
    check(format!("{edited}---\nkind: Component\n"), "Malformed envelope").await;
    check(format!("{edited}---\n{edited}spec: twice\n"), "stands twice").await;
    fixture.write("two.yaml", &component("c", "  system: edited\n"));
    fixture.becomes("component:default/c", |entity| entity["spec"]["system"] == "edited").await;
    fixture.write("one.yaml", &edited);
    fixture.becomes("component:default/a", |entity| entity["spec"]["system"] == "edited").await;
    fixture.becomes(&location("one.yaml"), |entity| entity.get("status").is_none()).await;
    fixture.disappears("component:default/b").await;
}

#[tokio::test]
async fn an_invalid_entity_keeps_its_last_good_version() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.items(vec![
        provided(component_value("a", json!({}))),
        provided(component_value("never", json!({"owner": 7}))),
    ]);
    fixture.run_provider().await;
    let good = fixture.appears("component:default/a").await;
    assert_eq!(fixture.get("component:default/never").await, None);
    provider.items(vec![provided(component_value("a", json!({"lifecycle": ""})))]);
    fixture.run_provider().await;
    let bad = fixture.becomes("component:default/a", |entity| entity.get("status").is_some()).await;
    assert_eq!((&bad["spec"], &bad["metadata"]["uid"]), (&good["spec"], &good["metadata"]["uid"]));
    assert_ne!(bad["metadata"]["etag"], good["metadata"]["etag"]);
    let message = bad["status"]["items"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("InputError: ") && message.contains("lifecycle"), "{message}");
    let status = fixture.status().await;
    assert_eq!((status.problem_count, status.problems[0].entity_ref.as_str()), (1, "component:default/a"));
    provider.items(vec![provided(component_value("a", json!({})))]);
    fixture.run_provider().await;
    let again = fixture.becomes("component:default/a", |entity| entity.get("status").is_none()).await;
    assert_eq!(again, good);
}

#[tokio::test]
async fn rules_hold_back_a_whole_location() {
    let group =
        "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: g}\nspec: {type: team, children: []}\n";
    let dir = tempfile::tempdir().unwrap();
    for name in ["plain.yaml", "allowed.yaml"] {
        let text = format!(
            "{}---\n{}",
            component(name.trim_end_matches(".yaml"), ""),
            group.replace("name: g", &format!("name: g-{}", name.trim_end_matches(".yaml")))
        );
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let settings = json!({"locations": [
        {"type": "file", "target": "plain.yaml"},
        {"type": "file", "target": "allowed.yaml", "rules": [{"allow": ["Group"]}]},
    ]});
    let fixture = Fixture::start_in(dir, settings.clone()).await;
    fixture.appears("group:default/g-allowed").await;
    fixture.appears("component:default/allowed").await;
    fixture.settles().await;
    assert_eq!(fixture.get("component:default/plain").await, None);
    // Other rules at the next start: everything is looked at again.
    let mut settings = settings;
    settings["rules"] = json!([{"allow": ["Component", "Group"]}]);
    let fixture = fixture.restart(settings).await;
    fixture.appears("group:default/g-plain").await;
}

#[tokio::test]
async fn relations_go_both_ways_and_need_no_other_side() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    let relations = async |name: &str| fixture.get(name).await.unwrap()["relations"].clone();
    let list = |pairs: &[(&str, &str)]| -> Value {
        pairs.iter().map(|(kind, target)| json!({"type": kind, "targetRef": target})).collect()
    };
    let a =
        || provided(component_value("a", json!({"dependsOn": ["component:b", "component:nobody"], "owner": "Team-A"})));
    provider.items(vec![a(), provided(component_value("b", json!({})))]);
    fixture.run_provider().await;
    assert_eq!(
        relations("component:default/a").await,
        list(&[
            ("dependsOn", "component:default/b"),
            ("dependsOn", "component:default/nobody"),
            ("ownedBy", "group:default/team-a"),
        ])
    );
    assert_eq!(
        relations("component:default/b").await,
        list(&[("dependencyOf", "component:default/a"), ("ownedBy", "group:default/team-a")])
    );
    let etag = async |name: &str| fixture.get(name).await.unwrap()["metadata"]["etag"].clone();
    let before = etag("component:default/b").await;
    // A neighbour's change is no write to this one, and still another etag.
    let audit = fixture.audit().await;
    provider.items(vec![provided(component_value("a", json!({}))), unchanged_b()]);
    fixture.run_provider().await;
    assert_eq!(relations("component:default/b").await, list(&[("ownedBy", "group:default/team-a")]));
    assert_ne!(etag("component:default/b").await, before);
    assert_eq!(audit.written().await.iter().filter(|name| *name == "document").count(), 1);
    // What is removed takes its relations along, and comes back with them.
    provider.items(vec![unchanged_b()]);
    fixture.run_provider().await;
    provider.items(vec![a(), unchanged_b()]);
    fixture.run_provider().await;
    assert_eq!(etag("component:default/b").await, before);
}

fn unchanged_b() -> callboard_model::provided::ProvidedItem {
    crate::support::unchanged("component:default/b")
}

#[tokio::test]
async fn orphans() {
    for strategy in ["delete", "keep"] {
        let settings = json!({"locations": [{"type": "file", "target": "a.yaml"}], "orphanStrategy": strategy});
        let dir = tempfile::tempdir().unwrap();
        let both = format!("{}---\n{}", component("a", ""), component("b", ""));
        std::fs::write(dir.path().join("a.yaml"), &both).unwrap();
        let fixture = Fixture::start_in(dir, settings).await;
        fixture.appears("component:default/b").await;
        fixture.write("a.yaml", &component("a", "  system: s\n"));
        fixture.becomes("component:default/a", |entity| entity["spec"]["system"] == "s").await;
        if strategy == "delete" {
            fixture.disappears("component:default/b").await;
            continue;
        }
        let orphan = |entity: &Value| entity["metadata"]["annotations"]["backstage.io/orphan"] == "true";
        fixture.becomes("component:default/b", orphan).await;
        fixture.write("a.yaml", &both);
        fixture.becomes("component:default/b", |entity| !orphan(entity)).await;
    }
}

#[tokio::test]
async fn what_loses_a_ref_gets_it_when_it_is_free() {
    let settings = json!({"locations": [{"type": "file", "target": "1.yaml"}, {"type": "file", "target": "2.yaml"}]});
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("1.yaml"), component("a", "  system: one\n")).unwrap();
    let fixture = Fixture::start_in(dir, settings).await;
    fixture.appears("component:default/a").await;
    fixture.write("2.yaml", &format!("{}---\n{}", component("a", "  system: two\n"), component("b", "")));
    fixture.appears("component:default/b").await;
    assert_eq!(fixture.get("component:default/a").await.unwrap()["spec"]["system"], "one");
    fixture.write("1.yaml", &component("c", ""));
    fixture.becomes("component:default/a", |entity| entity["spec"]["system"] == "two").await;
}

#[tokio::test]
async fn what_is_deleted_by_uid_comes_back_while_something_names_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.yaml"), component("a", "")).unwrap();
    let settings = json!({"locations": [{"type": "file", "target": "a.yaml"}]});
    let fixture = Fixture::start_in(dir, settings).await;
    let uid = fixture.appears("component:default/a").await["metadata"]["uid"].as_str().unwrap().to_owned();
    assert!(!fixture.catalog.delete_by_uid(&Access::None, &uid).await.unwrap());
    assert!(fixture.catalog.delete_by_uid(&Access::All, &uid).await.unwrap());
    assert!(!fixture.catalog.delete_by_uid(&Access::All, &uid).await.unwrap());
    let again = fixture.appears("component:default/a").await;
    assert_ne!(again["metadata"]["uid"], uid);
}

#[tokio::test]
async fn a_script_is_no_view_url() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    let mut entity = component_value("a", json!({}));
    entity["metadata"]["annotations"]["backstage.io/view-url"] = json!(" JavaScript:alert(1)");
    provider.items(vec![provided(entity)]);
    fixture.run_provider().await;
    let entity = fixture.appears("component:default/a").await;
    assert_eq!(
        entity["metadata"]["annotations"]["backstage.io/view-url"],
        "https://backstage.io/annotation-rejected-for-security-reasons"
    );
}
