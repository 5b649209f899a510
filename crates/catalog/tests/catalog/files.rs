//! Locations of type `file`, edits on disk, and the edges of what may be read.

use serde_json::json;

use crate::support::{Fixture, component};

const ALL: &str = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec:\n  targets: [./a.yaml, ./sub/b.yaml]\n";

#[tokio::test]
async fn files_and_what_they_name() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("org/all.yaml", ALL);
    write("org/a.yaml", &format!("---\n{}---\n---\n{}---\n", component("a1", ""), component("a2", "")));
    write("org/sub/b.yaml", &component("b", ""));
    let fixture = Fixture::start_in(dir, json!({"locations": [{"type": "file", "target": "./org/all.yaml"}]})).await;
    let b = fixture.appears("component:default/b").await;
    fixture.appears("component:default/a2").await;
    let path = |name: &str| fixture.dir.path().join(name).display().to_string();
    assert_eq!(
        b["metadata"]["annotations"]["backstage.io/managed-by-location"],
        format!("file:{}", path("org/sub/b.yaml"))
    );
    assert_eq!(
        b["metadata"]["annotations"]["backstage.io/managed-by-origin-location"],
        format!("file:{}", path("org/all.yaml"))
    );
    assert_eq!(fixture.get("location:default/all").await.unwrap()["kind"], "Location");

    // An edit shows, a document that goes is gone, and what it was keeps its uid.
    let uid = fixture.get("component:default/a1").await.unwrap()["metadata"]["uid"].clone();
    fixture.write("org/a.yaml", &component("a1", "  system: edited\n"));
    let a1 = fixture.becomes("component:default/a1", |entity| entity["spec"]["system"] == "edited").await;
    assert_eq!(a1["metadata"]["uid"], uid);
    fixture.disappears("component:default/a2").await;
    // So does a file that is taken out of the list.
    fixture.write("org/all.yaml", &ALL.replace(", ./sub/b.yaml", ""));
    fixture.disappears("component:default/b").await;
}

#[tokio::test]
async fn patterns_take_files_up_and_let_them_go() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("org/x")).unwrap();
    std::fs::write(dir.path().join("org/a.yaml"), component("a", "")).unwrap();
    let settings = json!({"locations": [{"type": "file", "target": "org/**/*.yaml"}]});
    let fixture = Fixture::start_in(dir, settings).await;
    fixture.appears("component:default/a").await;
    fixture.write("org/x/b.yaml", &component("b", ""));
    fixture.appears("component:default/b").await;
    std::fs::remove_file(fixture.dir.path().join("org/a.yaml")).unwrap();
    fixture.disappears("component:default/a").await;
}

#[tokio::test]
async fn a_file_that_comes_later() {
    let settings = json!({"locations": [{"type": "file", "target": "later.yaml"}]});
    let fixture = Fixture::start(settings).await;
    fixture.settles().await;
    assert_eq!(fixture.refs().await, Vec::<String>::new());
    fixture.write("later.yaml", &component("late", ""));
    fixture.appears("component:default/late").await;
    // It stays when the file goes: the last good version.
    std::fs::remove_file(fixture.dir.path().join("later.yaml")).unwrap();
    let location = fixture.refs().await.into_iter().find(|name| name.starts_with("location:")).unwrap();
    let location = fixture.becomes(&location, |entity| entity.get("status").is_some()).await;
    let message = location["status"]["items"][0]["message"].as_str().unwrap();
    assert!(message.contains("later.yaml does not exist"), "{message}");
    assert!(fixture.get("component:default/late").await.is_some());
}

#[tokio::test]
async fn optional_files_may_be_missing() {
    let settings = json!({"locations": [{"type": "file", "target": "later.yaml", "presence": "optional"}]});
    let fixture = Fixture::start(settings).await;
    let location = fixture.until("the location appears", async || fixture.refs().await.pop()).await;
    assert_eq!(fixture.get(&location).await.unwrap().get("status"), None);
    fixture.write("later.yaml", &component("late", ""));
    fixture.appears("component:default/late").await;
}

#[tokio::test]
async fn text_beside_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let api = |text: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {{name: pets}}\nspec:\n  type: openapi\n  lifecycle: l\n  \
             owner: o\n  definition:\n    {text}\n"
        )
    };
    std::fs::create_dir_all(dir.path().join("org/apis")).unwrap();
    std::fs::write(dir.path().join("org/apis/pets.yaml"), api("$text: ../shared/pets.json")).unwrap();
    let settings = json!({"locations": [{"type": "file", "target": "org/**/*.yaml"}]});
    let fixture = Fixture::start_in(dir, settings).await;
    // The Location is fine; the entity fails, and comes once the file is there.
    fixture.settles().await;
    assert_eq!(fixture.get("api:default/pets").await, None);
    fixture.write("org/shared/pets.json", "{\"openapi\": \"3.0.0\"}");
    assert_eq!(fixture.appears("api:default/pets").await["spec"]["definition"], "{\"openapi\": \"3.0.0\"}");
    fixture.write("org/shared/pets.json", "{\"openapi\": \"3.1.0\"}");
    fixture.becomes("api:default/pets", |entity| entity["spec"]["definition"] == "{\"openapi\": \"3.1.0\"}").await;
    fixture.write("org/apis/pets.yaml", &api("$json: ../shared/pets.json"));
    // A definition is a string: the parsed JSON is refused beside the last good version.
    let pets = fixture.becomes("api:default/pets", |entity| entity.get("status").is_some()).await;
    assert_eq!(pets["spec"]["definition"], "{\"openapi\": \"3.1.0\"}");
}

/// Runs one API with this `$text` in `open/api.yaml`, beside a file that is none of its business.
async fn refused(text: &str, expected: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::create_dir_all(path("open")).unwrap();
    std::fs::create_dir_all(path("closed")).unwrap();
    std::fs::write(path("closed/secret.txt"), "canary").unwrap();
    std::os::unix::fs::symlink(path("closed/secret.txt"), path("open/link.txt")).unwrap();
    std::os::unix::fs::symlink("../closed", path("open/folder")).unwrap();
    let text = text.replace("{dir}", &dir.path().display().to_string());
    let api = format!(
        "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {{name: a}}\nspec: {{type: t, lifecycle: l, owner: o, \
         definition: {{$text: '{text}'}}}}\n"
    );
    std::fs::write(path("open/api.yaml"), api).unwrap();
    let fixture = Fixture::start_in(dir, json!({"locations": [{"type": "file", "target": "open/api.yaml"}]})).await;
    let errors = fixture
        .until("it fails", async || {
            let select = "SELECT e.errors FROM entity e JOIN ref r ON r.id = e.id WHERE r.ref = 'api:default/a'";
            let row = fixture.db.fetch_optional(callboard_store::query(select, vec![])).await.unwrap()?;
            row.get::<Option<String>>(0).unwrap()
        })
        .await;
    assert!(errors.contains(expected), "{text}: {errors}");
    assert!(!errors.contains("canary"), "{errors}");
    assert_eq!(fixture.get("api:default/a").await, None);
}

#[tokio::test]
async fn text_from_elsewhere_is_refused() {
    const OUTSIDE: &str = "outside of the folders that the catalog may read";
    refused("../closed/secret.txt", OUTSIDE).await;
    refused("./x/../../closed/secret.txt", OUTSIDE).await;
    refused("./link.txt", OUTSIDE).await;
    refused("./folder/secret.txt", OUTSIDE).await;
    refused("{dir}/closed/secret.txt", "write a path that is relative").await;
    refused("/etc/hostname", "write a path that is relative").await;
    refused("file:///etc/hostname", "only http and https URLs and relative paths").await;
    refused("./none.txt", "does not exist").await;
}

#[tokio::test]
async fn locations_elsewhere_are_refused() {
    let check = async |spec: &str, expected: &str| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("open")).unwrap();
        std::fs::create_dir_all(dir.path().join("closed")).unwrap();
        std::fs::write(dir.path().join("closed/c.yaml"), component("c", "")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("closed/c.yaml"), dir.path().join("open/link.yaml")).unwrap();
        let spec = spec.replace("{dir}", &dir.path().display().to_string());
        let location =
            format!("apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {{name: l}}\nspec: {spec}\n");
        std::fs::write(dir.path().join("open/l.yaml"), location).unwrap();
        let fixture = Fixture::start_in(dir, json!({"locations": [{"type": "file", "target": "open/l.yaml"}]})).await;
        let errors = fixture
            .until("it fails", async || {
                let select =
                    "SELECT e.errors FROM entity e JOIN ref r ON r.id = e.id WHERE r.ref = 'location:default/l'";
                let row = fixture.db.fetch_optional(callboard_store::query(select, vec![])).await.unwrap()?;
                row.get::<Option<String>>(0).unwrap()
            })
            .await;
        assert!(errors.contains(expected), "{spec}: {errors}");
        assert_eq!(fixture.get("component:default/c").await, None);
    };
    check("{target: ../closed/c.yaml}", "outside of the folders").await;
    check("{target: '{dir}/closed/c.yaml'}", "outside of the folders").await;
    check("{target: ./link.yaml}", "outside of the folders").await;
    check("{target: ../closed/*.yaml}", "outside of the folders").await;
    check("{target: ./}", "is a folder").await;
    check("{target: x, type: git}", "must be of an allowed type").await;
}
