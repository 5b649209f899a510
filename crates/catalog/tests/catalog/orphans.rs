//! What goes with what: everything below a source that is removed, unless something else names it, and what becomes of
//! entities that nothing names any more.

use std::sync::Arc;

use callboard_catalog::{EntityProvider, NewLocation, OnConflict};
use callboard_model::access::Access;
use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, component, location, location_ref, provided};

fn at(name: &str) -> String {
    format!("https://x.example/{name}.yaml")
}

/// A Location of that name, for pages of these names.
fn names(name: &str, pages: &[&str]) -> String {
    let targets: Vec<String> = pages.iter().map(|page| format!("./{page}.yaml")).collect();
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {{name: {name}}}\nspec: {{targets: [{}]}}\n",
        targets.join(", ")
    )
}

async fn register(fixture: &Fixture, page: &str) {
    let location: NewLocation = serde_json::from_value(json!({ "type": "url", "target": at(page) })).unwrap();
    fixture.catalog.register_location(&location, Some(OnConflict::Refresh)).await.unwrap();
}

async fn unregister(fixture: &Fixture, page: &str) {
    let all = fixture.catalog.locations().await.unwrap();
    let id = all.iter().find(|location| location.target == at(page)).unwrap().id.clone();
    fixture.catalog.delete_location(&id).await.unwrap();
}

async fn components(fixture: &Fixture) -> Vec<String> {
    let refs = fixture.refs().await;
    refs.iter().filter_map(|name| name.strip_prefix("component:default/")).map(str::to_owned).collect()
}

fn is_orphan(entity: &Value) -> bool {
    entity["metadata"]["annotations"]["backstage.io/orphan"] == "true"
}

/// `one` and `two` both lead to `shared`, and to one of their own.
async fn overlapping(settings: Value) -> Fixture {
    let fixture = Fixture::start(settings).await;
    fixture.web.put(&at("one"), &names("one", &["shared", "a"]));
    fixture.web.put(&at("two"), &names("two", &["shared", "b"]));
    fixture.web.put(&at("shared"), &format!("{}---\n{}", component("s", ""), names("deep", &["deep"])));
    fixture.web.put(&at("deep"), &component("d", ""));
    fixture.web.put(&at("a"), &component("a", ""));
    fixture.web.put(&at("b"), &component("b", ""));
    register(&fixture, "one").await;
    register(&fixture, "two").await;
    assert_eq!(components(&fixture).await, ["a", "b", "d", "s"]);
    fixture
}

#[tokio::test]
async fn what_goes_takes_everything_along_that_nothing_else_names() {
    let fixture = overlapping(json!({})).await;
    unregister(&fixture, "one").await;
    assert_eq!(components(&fixture).await, ["b", "d", "s"]);
    // Dropped by the file that named it, level by level.
    fixture.web.put(&at("two"), &names("two", &["b"]));
    register(&fixture, "two").await;
    fixture.disappears("component:default/d").await;
    assert_eq!(
        fixture.refs().await,
        ["component:default/b".to_owned(), location_ref(&at("two")), "location:default/two".to_owned()]
    );
    unregister(&fixture, "two").await;
    assert_eq!(fixture.refs().await, [""; 0]);
    for select in [
        "SELECT 1 FROM entity",
        "SELECT 1 FROM entity_source",
        "SELECT 1 FROM document",
        "SELECT 1 FROM reference",
        "SELECT 1 FROM provided",
        "SELECT 1 FROM relation",
        "SELECT 1 FROM queue",
        "SELECT 1 FROM dependency",
        "SELECT 1 FROM contender",
    ] {
        assert!(fixture.db.fetch_optional(callboard_store::query(select, vec![])).await.unwrap().is_none(), "{select}");
    }
}

/// Locations that name each other hold nobody up.
#[tokio::test]
async fn circles_go_as_well() {
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put(&at("one"), &names("one", &["two"]));
    fixture.web.put(&at("two"), &format!("{}---\n{}", names("two", &["one"]), component("a", "")));
    register(&fixture, "one").await;
    assert_eq!(components(&fixture).await, ["a"]);
    unregister(&fixture, "one").await;
    assert_eq!(fixture.refs().await, [""; 0]);
}

/// The strategy is about what parents no longer name. What a provider removes goes with all below it, whatever it says.
#[tokio::test]
async fn what_a_source_removes_is_no_orphan() {
    let fixture = overlapping(json!({ "orphanStrategy": "keep" })).await;
    unregister(&fixture, "one").await;
    assert_eq!(components(&fixture).await, ["b", "d", "s"]);
    let provider = FakeProvider::new("p");
    // Before the provider is there: it runs at once, and what it is told later comes with its next run.
    provider.items(vec![provided(location(&at("a")))]);
    fixture.catalog.set_providers(vec![Arc::clone(&provider) as Arc<dyn EntityProvider>]).await.unwrap();
    fixture.run_provider().await;
    fixture.appears("component:default/a").await;
    assert_eq!(components(&fixture).await, ["a", "b", "d", "s"]);
    provider.items(vec![]);
    fixture.run_provider().await;
    assert_eq!(components(&fixture).await, ["b", "d", "s"]);
    unregister(&fixture, "two").await;
    assert_eq!(fixture.refs().await, [""; 0]);
}

#[tokio::test]
async fn orphans_that_are_kept_keep_what_they_brought() {
    let fixture = overlapping(json!({ "orphanStrategy": "keep" })).await;
    for page in ["one", "two"] {
        fixture.web.put(&at(page), &names(page, &[]));
        register(&fixture, page).await;
    }
    fixture.becomes("component:default/s", is_orphan).await;
    fixture.becomes("location:default/deep", is_orphan).await;
    fixture.settles().await;
    // What an orphan names is none.
    assert!(!is_orphan(&fixture.get("component:default/d").await.unwrap()));
    assert!(!is_orphan(&fixture.get("location:default/one").await.unwrap()));
    // It goes when somebody says so, and then what it named is one.
    let uid = async |name: &str| fixture.get(name).await.unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    assert!(fixture.catalog.delete_by_uid(&Access::All, &uid("location:default/deep").await).await.unwrap());
    fixture.becomes("component:default/d", is_orphan).await;
    // Under the other strategy nothing of that kind is left.
    let old = uid("component:default/s").await;
    assert!(fixture.catalog.delete_by_uid(&Access::All, &old).await.unwrap());
    assert_eq!(fixture.get("component:default/s").await, None);
    register(&fixture, "shared").await;
    let again = fixture.appears("component:default/s").await;
    assert!(again["metadata"]["uid"] != old && !is_orphan(&again));
    fixture.becomes("component:default/d", |entity| !is_orphan(entity)).await;
}

/// Exactly one entity is deleted by its uid: what it brought is then named by nothing.
#[tokio::test]
async fn what_is_deleted_leaves_its_children_to_the_strategy() {
    for (strategy, left) in [("delete", [""; 0].as_slice()), ("keep", ["a", "s", "d"].as_slice())] {
        let fixture = Fixture::start(json!({ "orphanStrategy": strategy })).await;
        fixture.web.put(&at("one"), &format!("{}---\n{}", component("a", ""), component("s", "")));
        fixture.web.put(&at("two"), &component("d", "  dependsOn: [component:a]\n"));
        let provider = FakeProvider::new("p");
        fixture.set_provider(&provider).await;
        provider.items(vec![provided(location(&at("one"))), provided(location(&at("two")))]);
        fixture.run_provider().await;
        for page in ["one", "two"] {
            let uid = fixture.get(&location_ref(&at(page))).await.unwrap()["metadata"]["uid"].clone();
            assert!(fixture.catalog.delete_by_uid(&Access::All, uid.as_str().unwrap()).await.unwrap());
        }
        for name in left {
            fixture.becomes(&format!("component:default/{name}"), is_orphan).await;
        }
        assert_eq!(fixture.refs().await.len(), left.len(), "{strategy}");
        // The next run brings the Locations back, and with them what they name.
        fixture.run_provider().await;
        for name in ["a", "s", "d"] {
            fixture.becomes(&format!("component:default/{name}"), |entity| !is_orphan(entity)).await;
        }
    }
}

/// Neighbours by relation forget it at once, and know it again when it is back.
#[tokio::test]
async fn neighbours_see_what_is_deleted() {
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put(&at("one"), &component("a", "  dependsOn: [component:b]\n"));
    fixture.web.put(&at("two"), &component("b", ""));
    register(&fixture, "one").await;
    register(&fixture, "two").await;
    let relation = json!({ "type": "dependencyOf", "targetRef": "component:default/a" });
    let knows = |entity: &Value| entity["relations"].as_array().unwrap().contains(&relation);
    assert!(knows(&fixture.get("component:default/b").await.unwrap()));
    unregister(&fixture, "one").await;
    assert!(!knows(&fixture.get("component:default/b").await.unwrap()));
    register(&fixture, "one").await;
    assert!(knows(&fixture.get("component:default/b").await.unwrap()));
}
