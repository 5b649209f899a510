//! URLs with wildcards: what they bring, what that costs, and what fails alone.

use callboard_catalog::NewLocation;
use callboard_model::access::Access;
use callboard_model::api::LocationInput;
use callboard_model::location_ref::LocationRef;
use callboard_store::{args, query};
use serde_json::{Value, json};

use crate::support::{Fixture, Web, component, database, location_ref};

const PATTERN: &str = "https://x.example/org/**/info.yaml";

fn at(path: &str) -> String {
    format!("https://x.example/org/{path}/info.yaml")
}

fn web(paths: &[&str]) -> Web {
    let web = Web::default();
    for path in paths {
        web.put(&at(path), &component(path, ""));
    }
    web
}

/// The pattern is configured, and looked at every second.
async fn started(web: Web, more: Value) -> Fixture {
    let mut settings = json!({"locations": [{"type": "url", "target": PATTERN}], "processingInterval": {"seconds": 1}});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Fixture::start_with(tempfile::tempdir().unwrap(), database().await, web, settings).await
}

/// The same, looked at again only when somebody says so.
async fn patient(web: Web) -> Fixture {
    started(web, json!({"processingInterval": {"hours": 10}})).await
}

fn components(refs: Vec<String>) -> Vec<String> {
    refs.into_iter().filter_map(|name| name.strip_prefix("component:default/").map(ToOwned::to_owned)).collect()
}

async fn refresh(fixture: &Fixture, key: &str) -> usize {
    let count = fixture.catalog.refresh_keys(&[key.to_owned()]).await.unwrap();
    fixture.settles().await;
    count
}

#[tokio::test]
async fn a_pattern_brings_the_files_that_it_stands_for() {
    let web = web(&["a", "b"]);
    web.put("https://x.example/org/other.yaml", &component("other", ""));
    let fixture = started(web, json!({})).await;
    let a = fixture.appears("component:default/a").await;
    fixture.appears("component:default/b").await;
    let annotation = |entity: &Value, name: &str| entity["metadata"]["annotations"][name].clone();
    assert_eq!(annotation(&a, "backstage.io/managed-by-location"), format!("url:{}", at("a")));
    assert_eq!(annotation(&a, "backstage.io/managed-by-origin-location"), format!("url:{PATTERN}"));
    assert_eq!(annotation(&a, "backstage.io/view-url"), at("a"));
    // In between is a Location for the file, as if a processor had emitted it.
    let between = fixture.get(&location_ref(&at("a"))).await.unwrap();
    assert_eq!(annotation(&between, "backstage.io/managed-by-location"), format!("url:{PATTERN}"));
    assert_eq!(between["spec"], json!({"type": "url", "target": at("a"), "presence": "optional"}));

    // As long as the listing is the same, it is all that is asked for, and nothing is written.
    fixture.settles().await;
    fixture.web.reads();
    let audit = fixture.audit().await;
    let listed = format!("=?{PATTERN}");
    let mut seen = Vec::new();
    fixture
        .until("it was listed three times", async || {
            seen.extend(fixture.web.reads());
            (seen.len() >= 3).then_some(())
        })
        .await;
    assert!(seen.iter().all(|read| *read == listed), "{seen:?}");
    assert_eq!(audit.written().await, Vec::<String>::new());

    // What changed is read, what is new comes, what is gone goes.
    fixture.web.put(&at("a"), &component("a", "  system: s\n"));
    fixture.becomes("component:default/a", |entity| entity["spec"]["system"] == "s").await;
    fixture.web.put(&at("c/d"), &component("d", ""));
    fixture.appears("component:default/d").await;
    fixture.web.remove(&at("b"));
    fixture.disappears("component:default/b").await;
    fixture.settles().await;
    assert_eq!(components(fixture.refs().await), ["a", "d"]);
    let mut read = fixture.web.reads();
    read.retain(|read| !read.contains('?'));
    assert_eq!(read, [at("a"), at("c/d")]);
}

#[tokio::test]
async fn one_that_cannot_be_read_fails_alone() {
    let web = web(&["a", "b", "c"]);
    web.fail(&at("b"), "the server is on fire");
    web.put(&at("c"), "kind: [");
    let fixture = started(web, json!({})).await;
    fixture.appears("component:default/a").await;
    assert!(fixture.fails(&location_ref(&at("b"))).await.contains("on fire"));
    assert!(fixture.fails(&location_ref(&at("c"))).await.contains("YAML"));
    assert_eq!(fixture.get(&location_ref(PATTERN)).await.unwrap().get("status"), None);
    // It comes when it can be read, and stays when it no longer can.
    fixture.web.put(&at("b"), &component("b", ""));
    fixture.appears("component:default/b").await;
    fixture.web.fail(&at("b"), "on fire again");
    let location = fixture.becomes(&location_ref(&at("b")), |entity| entity.get("status").is_some()).await;
    assert!(location["status"]["items"][0]["message"].as_str().unwrap().contains("on fire again"));
    // So does everything when nothing can be listed.
    fixture.web.fail(PATTERN, "no listing today");
    let location = fixture.becomes(&location_ref(PATTERN), |entity| entity.get("status").is_some()).await;
    let message = location["status"]["items"][0]["message"].as_str().unwrap();
    assert!(message.contains("Unable to read url, no listing today"), "{message}");
    fixture.settles().await;
    assert_eq!(components(fixture.refs().await), ["a", "b"]);
    fixture.web.remove(PATTERN);
    fixture.becomes(&location_ref(PATTERN), |entity| entity.get("status").is_none()).await;
}

#[tokio::test]
async fn nothing_that_matches() {
    let fixture = started(Web::default(), json!({})).await;
    let errors = fixture.fails(&location_ref(PATTERN)).await;
    assert!(
        errors.contains(&format!(
            "NotFoundError\",\"message\":\"Unable to read url, no matching files found for {PATTERN}"
        )),
        "{errors}"
    );
    // It is looked for again soon.
    let due = query("SELECT attempts FROM queue", args![]);
    assert!(fixture.db.fetch_optional(due).await.unwrap().unwrap().get::<i64>(0).unwrap() > 0);
    let optional: NewLocation =
        serde_json::from_value(json!({"type": "url", "target": "https://x.example/*/none", "presence": "optional"}))
            .unwrap();
    let registered = fixture.catalog.register_location(&optional, None).await.unwrap();
    assert_eq!(fixture.get(&registered.entity_ref).await.unwrap().get("status"), None);
    // What was there stays when everything is gone at once: that is rather a mistake.
    fixture.web.put(&at("a"), &component("a", ""));
    fixture.catalog.refresh_keys(&[format!("url:{PATTERN}")]).await.unwrap();
    fixture.appears("component:default/a").await;
    fixture.web.remove(&at("a"));
    fixture.becomes(&location_ref(PATTERN), |entity| entity.get("status").is_some()).await;
    fixture.settles().await;
    assert_eq!(components(fixture.refs().await), ["a"]);
}

/// An entity whose file is gone is an orphan itself, and not only the Location for the file.
#[tokio::test]
async fn orphans_are_marked_where_they_are_kept() {
    let fixture = started(web(&["a", "b"]), json!({"orphanStrategy": "keep"})).await;
    fixture.appears("component:default/a").await;
    fixture.appears("component:default/b").await;
    fixture.web.remove(&at("b"));
    let orphan = |entity: &Value| entity["metadata"]["annotations"]["backstage.io/orphan"] == "true";
    fixture.becomes("component:default/b", orphan).await;
    assert!(!orphan(&fixture.get("component:default/a").await.unwrap()));
    fixture.web.put(&at("b"), &component("b", ""));
    fixture.becomes("component:default/b", |entity| !orphan(entity)).await;
}

#[tokio::test]
async fn rules_are_about_what_is_in_the_files() {
    let web = web(&["a"]);
    let user = "apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: u}\nspec: {memberOf: []}\n";
    web.put(&at("u"), user);
    let fixture = started(web, json!({"rules": [{"allow": ["Component"]}]})).await;
    fixture.appears("component:default/a").await;
    let errors = fixture.fails(&location_ref(&at("u"))).await;
    assert!(
        errors.contains("not of an allowed kind") && errors.contains(&format!("originated at url:{PATTERN}")),
        "{errors}"
    );
}

#[tokio::test]
async fn patterns_in_files_and_in_several_locations() {
    let web = web(&["a", "b"]);
    let list = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: l}\nspec: {targets: ['./*/info.{yaml,yml}']}\n";
    web.put("https://x.example/org/l.yaml", list);
    let fixture = started(web, json!({"locations": [{"type": "url", "target": "https://x.example/org/l.yaml"}]})).await;
    let a = fixture.appears("component:default/a").await;
    let origin = &a["metadata"]["annotations"]["backstage.io/managed-by-origin-location"];
    assert_eq!(origin, "url:https://x.example/org/l.yaml");
    fixture.appears("component:default/b").await;
    // Who comes second to a file does not get it, loses nothing by that, and takes it over when the first one goes.
    let second: NewLocation = serde_json::from_value(json!({"type": "url", "target": PATTERN})).unwrap();
    let second = fixture.catalog.register_location(&second, None).await.unwrap();
    assert_eq!(components(fixture.refs().await), ["a", "b"]);
    assert_eq!(fixture.get(&second.entity_ref).await.unwrap().get("status"), None);
    fixture.web.put("https://x.example/org/l.yaml", &list.replace("./*/", "./b*/"));
    fixture
        .becomes("component:default/a", |entity| {
            entity["metadata"]["annotations"]["backstage.io/managed-by-origin-location"] == format!("url:{PATTERN}")
        })
        .await;
    fixture.catalog.delete_location(&second.id).await.unwrap();
    fixture.disappears("component:default/a").await;
    assert!(fixture.get("component:default/b").await.is_some());
}

#[tokio::test]
async fn registered_and_dry_run() {
    let fixture =
        Fixture::start_with(tempfile::tempdir().unwrap(), database().await, web(&["a", "b"]), json!({})).await;
    let location: NewLocation = serde_json::from_value(json!({"type": "url", "target": PATTERN})).unwrap();
    let dry = fixture.catalog.dry_run_location(&location).await.unwrap();
    let names = |entities: &[callboard_catalog::Document]| -> Vec<String> {
        let name = |text: &str| {
            let entity: Value = serde_json::from_str(text).unwrap();
            (entity["kind"] == "Component").then(|| entity["metadata"]["name"].as_str().unwrap().to_owned())
        };
        entities.iter().filter_map(|entity| name(entity.get())).collect()
    };
    assert_eq!(names(&dry.entities), ["a", "b"]);
    // What is in files that nobody registered is told without their Locations.
    let analyze = async |target: &str| {
        let location = LocationInput { kind: "url".to_owned(), target: target.to_owned() };
        serde_json::to_value(fixture.catalog.analyze_location(&Access::All, &location).await.unwrap()).unwrap()
    };
    let files = |found: &Value| -> Vec<(String, bool)> {
        let one =
            |file: &Value| (file["location"]["target"].as_str().unwrap().to_owned(), file["isRegistered"] == true);
        found["existingEntityFiles"].as_array().unwrap().iter().map(one).collect()
    };
    assert_eq!(files(&analyze(PATTERN).await), [(at("a"), false), (at("b"), false)]);
    assert_eq!(files(&analyze(&at("a")).await), [(at("a"), false)]);
    // With read-your-writes.
    let registered = fixture.catalog.register_location(&location, None).await.unwrap();
    assert_eq!(components(fixture.refs().await), ["a", "b"]);
    assert_eq!(files(&analyze(&at("a")).await), [(at("a"), true)]);
    fixture.catalog.delete_location(&registered.id).await.unwrap();
    assert_eq!(fixture.refs().await, Vec::<String>::new());
}

/// Whoever hears of a push knows which file it was, and not who read it, or that nobody has yet.
#[tokio::test]
async fn a_refresh_by_key_finds_what_a_file_belongs_to() {
    let fixture = patient(web(&["a", "b"])).await;
    fixture.appears("component:default/a").await;
    fixture.appears("component:default/b").await;
    fixture.settles().await;
    fixture.web.put(&at("new"), &component("new", ""));
    fixture.web.put(&at("a"), &component("a", "  system: s\n"));
    fixture.web.reads();
    assert_eq!(refresh(&fixture, "url:https://elsewhere.example/org/x/info.yaml").await, 0);
    assert_eq!(refresh(&fixture, "url:https://x.example/org/readme.md").await, 0);
    assert_eq!(fixture.web.reads(), Vec::<String>::new());
    // New: the pattern alone. It finds the other change as well.
    assert_eq!(refresh(&fixture, &format!("url:{}", at("new"))).await, 1);
    fixture.appears("component:default/new").await;
    fixture.becomes("component:default/a", |entity| entity["spec"]["system"] == "s").await;
    fixture.settles().await;
    let mut reads = fixture.web.reads();
    reads.sort();
    assert_eq!(reads, [format!("?{PATTERN}"), at("a"), at("new")]);
    // Known: its own Location too. Written in another way it is the same.
    fixture.web.put(&at("a"), &component("a", "  system: t\n"));
    assert_eq!(refresh(&fixture, "url:HTTPS://x.example/org/./a/info.yaml").await, 2);
    fixture.becomes("component:default/a", |entity| entity["spec"]["system"] == "t").await;
    // Gone.
    fixture.web.remove(&at("b"));
    refresh(&fixture, &format!("url:{}", at("b"))).await;
    fixture.disappears("component:default/b").await;
}

#[tokio::test]
async fn a_refresh_by_the_other_page_of_a_repository() {
    let repository = |verb: &str, path: &str| format!("https://github.com/acme/shop/{verb}/main/{path}");
    let web = Web::default();
    web.put(&repository("blob", "a.yaml"), &component("a", ""));
    web.put(&repository("tree", "x/b.yaml"), &component("b", ""));
    let locations = json!([
        {"type": "url", "target": repository("blob", "a.yaml")},
        {"type": "url", "target": repository("tree", "**/b.yaml")},
    ]);
    let fixture = started(web, json!({"locations": locations, "processingInterval": {"hours": 10}})).await;
    fixture.appears("component:default/a").await;
    fixture.appears("component:default/b").await;
    fixture.settles().await;
    assert_eq!(refresh(&fixture, &format!("url:{}", repository("tree", "a.yaml"))).await, 1);
    assert_eq!(refresh(&fixture, &format!("url:{}", repository("blob", "x/b.yaml"))).await, 2);
    let generated = LocationRef::parse(&format!("url:{}", repository("blob", "a.yaml"))).unwrap().generated_name();
    assert!(fixture.get(&format!("location:default/{generated}")).await.is_some());
}

#[tokio::test]
async fn a_refresh_by_a_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("org")).unwrap();
    std::fs::write(dir.path().join("org/a.yaml"), component("a", "")).unwrap();
    std::fs::write(dir.path().join("b.yaml"), component("b", "")).unwrap();
    let settings =
        json!({"locations": [{"type": "file", "target": "org/*.yaml"}, {"type": "file", "target": "b.yaml"}]});
    let fixture = Fixture::start_in(dir, settings).await;
    fixture.appears("component:default/a").await;
    fixture.appears("component:default/b").await;
    fixture.settles().await;
    let path = |name: &str| format!("file:{}", fixture.dir.path().join(name).display());
    for (key, count) in [("file:org/a.yaml", 1), (&path("org/new.yaml"), 1), (&path("b.yaml"), 1), (&path("c.yaml"), 0)]
    {
        assert_eq!(refresh(&fixture, key).await, count, "{key}");
    }
}

/// People look at the page after they saved.
#[tokio::test]
async fn an_edit_shows_within_a_second() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.yaml"), component("a", "")).unwrap();
    let fixture = Fixture::start_in(dir, json!({"locations": [{"type": "file", "target": "*.yaml"}]})).await;
    fixture.appears("component:default/a").await;
    let mut times = Vec::new();
    for number in 0..5 {
        fixture.settles().await;
        let system = format!("s{number}");
        let saved = std::time::Instant::now();
        fixture.write("a.yaml", &component("a", &format!("  system: {system}\n")));
        fixture.becomes("component:default/a", |entity| entity["spec"]["system"] == system.as_str()).await;
        times.push(saved.elapsed());
    }
    times.sort();
    // The middle one: a machine that builds something beside this may hold one of them up.
    assert!(times[2] < std::time::Duration::from_secs(1), "{times:?}");
}
