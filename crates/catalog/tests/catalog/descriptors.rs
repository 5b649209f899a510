//! From a descriptor file to what is served: which files count as read, how an entity is told where it is from, what the
//! catalog itself sets, how the fields of every kind become relations, and what is said of one that is not valid.

use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, component, component_value, location, location_ref, provided};

const URL: &str = "https://x.example/org/a.yaml";

async fn with_page(settings: Value, text: &str) -> Fixture {
    let fixture = Fixture::start(settings).await;
    fixture.web.put(URL, text);
    register(&fixture, URL).await;
    fixture.settles().await;
    fixture
}

async fn register(fixture: &Fixture, url: &str) {
    let location = serde_json::from_value(json!({ "type": "url", "target": url })).unwrap();
    fixture.catalog.register_location(&location, None).await.unwrap();
}

async fn with_entities(entities: Vec<Value>) -> Fixture {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.items(entities.into_iter().map(provided).collect());
    fixture.run_provider().await;
    fixture
}

/// The first time, so that there is no good version to fall back to: nothing can be seen, the Location neither.
#[tokio::test]
async fn one_bad_document_of_a_file_that_is_read_for_the_first_time() {
    let good = component("a", "");
    let check = async |text: &str, expected: &[&str]| {
        let fixture = with_page(json!({}), text).await;
        assert_eq!(fixture.refs().await, [""; 0], "{text}");
        let errors: Value = serde_json::from_str(&fixture.fails(&location_ref(URL)).await).unwrap();
        let messages: Vec<&str> =
            errors.as_array().unwrap().iter().map(|error| error["message"].as_str().unwrap()).collect();
        assert_eq!(messages.len(), expected.len(), "{messages:?}");
        for (message, expected) in messages.iter().zip(expected) {
            assert!(message.contains(expected), "{text}: {message}");
        }
    };
    check(&format!("{good}---\na: [\n"), &[&format!("YAML error at url:{URL}, ")]).await;
    check(&format!("{good}---\na: 1\na: 2\n"), &[&format!("YAML error at url:{URL}, ")]).await;
    check(&format!("{good}---\ntext\n"), &["Expected object at root, got string"]).await;
    check(&format!("{good}---\n5\n"), &["Expected object at root, got number"]).await;
    check(&format!("{good}---\n[a]\n"), &["Expected object at root, got object"]).await;
    check(&format!("{good}---\nkind: X\n"), &["Malformed envelope, <root> must have required property"]).await;
    // Each thing that is wrong is told of.
    check(&format!("text\n---\n{good}---\n7\n"), &["got string", "got number"]).await;
}

#[tokio::test]
async fn documents_that_are_empty_are_none() {
    let text = format!("---\n---\n{}---\nnull\n---\n# only a comment\n---\n", component("a", ""));
    let fixture = with_page(json!({}), &text).await;
    assert_eq!(fixture.refs().await, ["component:default/a".to_owned(), location_ref(URL)]);
}

/// As an author would like to pass for somebody else.
#[tokio::test]
async fn what_the_server_says_wins_over_the_file() {
    let text = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: A\n  uid: mine\n  etag: own\n  annotations:\n    \
                backstage.io/managed-by-location: url:https://elsewhere.example/\n    \
                backstage.io/managed-by-origin-location: url:https://elsewhere.example/\n    \
                backstage.io/orphan: 'true'\n    backstage.io/edit-url: https://own.example/edit\nspec: {type: t, lifecycle: l, owner: o}\n";
    let fixture = with_page(json!({}), text).await;
    let a = fixture.get("component:default/a").await.unwrap();
    let metadata = &a["metadata"];
    assert_eq!(metadata["namespace"], "default");
    assert_eq!((&metadata["name"], &metadata["etag"]), (&json!("A"), &json!("own")));
    assert_eq!(metadata["uid"].as_str().unwrap().len(), 36);
    assert_eq!(
        metadata["annotations"],
        json!({
            "backstage.io/managed-by-location": format!("url:{URL}"),
            "backstage.io/managed-by-origin-location": format!("url:{URL}"),
            "backstage.io/view-url": URL,
            "backstage.io/edit-url": "https://own.example/edit",
            "backstage.io/source-location": "url:https://x.example/org/",
        })
    );
    // The Location that was registered says the same of itself.
    let location = fixture.get(&location_ref(URL)).await.unwrap();
    assert_eq!(location["metadata"]["annotations"]["backstage.io/managed-by-location"], format!("url:{URL}"));
    assert_eq!(location["metadata"]["annotations"]["backstage.io/managed-by-origin-location"], format!("url:{URL}"));
    assert_eq!(location["spec"], json!({ "type": "url", "target": URL, "presence": "required" }));
    assert_eq!(location["relations"], json!([]));
}

/// What people see where a repository's pages are, on a public host and on one of `integrations`.
#[tokio::test]
async fn pages_of_repositories() {
    let at = "https://github.com/acme/shop/blob/main/docs/a.yaml";
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put(at, &component("a", ""));
    register(&fixture, at).await;
    let a = fixture.get("component:default/a").await.unwrap();
    let annotation = |key: &str| a["metadata"]["annotations"][format!("backstage.io/{key}")].as_str().unwrap();
    assert_eq!(annotation("view-url"), at);
    assert_eq!(annotation("edit-url"), "https://github.com/acme/shop/edit/main/docs/a.yaml");
    assert_eq!(annotation("source-location"), "url:https://github.com/acme/shop/blob/main/docs/");
}

#[tokio::test]
async fn the_etag_follows_what_is_served_and_nothing_else() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    let mut etags = Vec::new();
    for lifecycle in ["one", "two", "one"] {
        provider.items(vec![provided(component_value("a", json!({ "lifecycle": lifecycle })))]);
        fixture.run_provider().await;
        let a = fixture.get("component:default/a").await.unwrap();
        assert_eq!(a["spec"]["lifecycle"], lifecycle);
        etags.push(a["metadata"]["etag"].as_str().unwrap().to_owned());
    }
    assert!(etags[0].len() == 40 && etags[0].chars().all(|c| c.is_ascii_hexdigit()), "{etags:?}");
    assert_eq!((etags[0] == etags[2], etags[0] == etags[1]), (true, false), "{etags:?}");
}

#[tokio::test]
async fn a_location_that_names_itself_or_one_entity_twice() {
    let own = location_ref(URL);
    let itself = format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {{name: {}}}\nspec: {{target: ./other.yaml}}\n",
        own.rsplit('/').next().unwrap()
    );
    // Within one file the last one counts.
    let text = format!("{itself}---\n{}---\n{}", component("a", "  system: one\n"), component("A", "  system: two\n"));
    let fixture = with_page(json!({}), &text).await;
    assert_eq!(fixture.refs().await, ["component:default/a".to_owned(), own.clone()]);
    assert_eq!(fixture.get("component:default/a").await.unwrap()["spec"]["system"], "two");
    let location = fixture.get(&own).await.unwrap();
    assert_eq!((&location["spec"]["target"], location.get("status")), (&json!(URL), None));
    assert_eq!(fixture.web.reads(), [URL]);
    // Between files it is the first.
    let files = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: l}\nspec: {target: ./2.yaml, targets: [./1.yaml]}\n";
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put("https://x.example/org/1.yaml", &component("a", "  system: one\n"));
    fixture.web.put("https://x.example/org/2.yaml", &component("a", "  system: two\n"));
    fixture.web.put(URL, files);
    register(&fixture, URL).await;
    assert_eq!(fixture.get("component:default/a").await.unwrap()["spec"]["system"], "two");
}

/// Each field that names other entities, seen from both ends.
#[tokio::test]
async fn the_fields_of_every_kind_are_relations_at_both_ends() {
    let entity = |kind: &str, name: &str, spec: Value| {
        let mut entity = component_value(name, json!({}));
        entity["kind"] = json!(kind);
        if kind == "Template" {
            entity["apiVersion"] = json!("scaffolder.backstage.io/v1beta3");
        }
        entity["spec"] = spec;
        entity
    };
    let fixture = with_entities(vec![
        entity(
            "Component",
            "c",
            json!({
                "type": "t", "lifecycle": "l", "owner": "g", "system": "s", "subcomponentOf": "c2",
                "providesApis": ["a"], "consumesApis": ["a2"], "dependsOn": ["resource:r"],
                "dependencyOf": ["component:c2"],
            }),
        ),
        entity("Component", "c2", json!({ "type": "t", "lifecycle": "l", "owner": "user:u" })),
        entity("API", "a", json!({ "type": "t", "lifecycle": "l", "owner": "g", "system": "s", "definition": "d" })),
        entity("API", "a2", json!({ "type": "t", "lifecycle": "l", "owner": "default/G", "definition": "d" })),
        entity(
            "Resource",
            "r",
            json!({
                "type": "t", "owner": "g", "system": "s", "dependsOn": ["resource:r2"],
                "dependencyOf": ["component:c2"],
            }),
        ),
        entity("Resource", "r2", json!({ "type": "t", "owner": "g" })),
        entity("System", "s", json!({ "owner": "g", "domain": "d" })),
        entity("Domain", "d", json!({ "owner": "g", "subdomainOf": "d2" })),
        entity("Domain", "d2", json!({ "owner": "g" })),
        entity("Group", "g", json!({ "type": "t", "children": ["g2"], "parent": "g3", "members": ["u"] })),
        entity("Group", "g2", json!({ "type": "t", "children": [] })),
        entity("Group", "g3", json!({ "type": "t", "children": [] })),
        entity("User", "u", json!({ "memberOf": ["g2"] })),
        entity("Template", "t", json!({ "type": "t", "steps": [], "owner": "g2" })),
    ])
    .await;
    let check = async |name: &str, expected: &[&str]| {
        let found = fixture.appears(name).await["relations"].clone();
        let found: Vec<String> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                format!(
                    "{} {}",
                    one["type"].as_str().unwrap(),
                    one["targetRef"].as_str().unwrap().replace(":default/", ":")
                )
            })
            .collect();
        assert_eq!(found, expected, "{name}");
    };
    check(
        "component:default/c",
        &[
            "consumesApi api:a2",
            "dependencyOf component:c2",
            "dependsOn resource:r",
            "ownedBy group:g",
            "partOf component:c2",
            "partOf system:s",
            "providesApi api:a",
        ],
    )
    .await;
    check(
        "component:default/c2",
        &["dependsOn component:c", "dependsOn resource:r", "hasPart component:c", "ownedBy user:u"],
    )
    .await;
    check("api:default/a", &["apiProvidedBy component:c", "ownedBy group:g", "partOf system:s"]).await;
    check("api:default/a2", &["apiConsumedBy component:c", "ownedBy group:g"]).await;
    check(
        "resource:default/r",
        &[
            "dependencyOf component:c",
            "dependencyOf component:c2",
            "dependsOn resource:r2",
            "ownedBy group:g",
            "partOf system:s",
        ],
    )
    .await;
    check("resource:default/r2", &["dependencyOf resource:r", "ownedBy group:g"]).await;
    check(
        "system:default/s",
        &["hasPart api:a", "hasPart component:c", "hasPart resource:r", "ownedBy group:g", "partOf domain:d"],
    )
    .await;
    check("domain:default/d", &["hasPart system:s", "ownedBy group:g", "partOf domain:d2"]).await;
    check("domain:default/d2", &["hasPart domain:d", "ownedBy group:g"]).await;
    check(
        "group:default/g",
        &[
            "childOf group:g3",
            "hasMember user:u",
            "ownerOf api:a",
            "ownerOf api:a2",
            "ownerOf component:c",
            "ownerOf domain:d",
            "ownerOf domain:d2",
            "ownerOf resource:r",
            "ownerOf resource:r2",
            "ownerOf system:s",
            "parentOf group:g2",
        ],
    )
    .await;
    check("group:default/g2", &["childOf group:g", "hasMember user:u", "ownerOf template:t"]).await;
    check("group:default/g3", &["parentOf group:g"]).await;
    check("user:default/u", &["memberOf group:g", "memberOf group:g2", "ownerOf component:c2"]).await;
    check("template:default/t", &["ownedBy group:g2"]).await;
}

/// Its own namespace is the one that a ref without one means; a kind where none is implied fails the entity.
#[tokio::test]
async fn refs_are_read_from_where_the_entity_is() {
    let mut a = component_value("a", json!({ "owner": "team", "dependsOn": ["component:b", "component:default/c"] }));
    a["metadata"]["namespace"] = json!("other");
    let bare = component_value("bare", json!({ "dependsOn": ["b"] }));
    let fixture = with_entities(vec![a, bare]).await;
    let relations = fixture.appears("component:other/a").await["relations"].clone();
    let targets: Vec<_> = relations.as_array().unwrap().iter().map(|one| one["targetRef"].as_str().unwrap()).collect();
    assert_eq!(targets, ["component:default/c", "component:other/b", "group:other/team"]);
    let errors = fixture.fails("component:default/bare").await;
    assert!(errors.contains("Processor BuiltinKindsEntityProcessor threw an error while postprocessing"), "{errors}");
    assert!(errors.contains("had missing or empty kind"), "{errors}");
    assert_eq!(fixture.get("component:default/bare").await, None);
}

#[tokio::test]
async fn lists_of_refs_are_kept_in_order() {
    let spec = json!({ "dependsOn": ["component:b", "component:B", "component:a"], "tags": ["b", "a"] });
    let fixture = with_entities(vec![component_value("c", spec)]).await;
    let c = fixture.appears("component:default/c").await;
    assert_eq!(c["spec"]["dependsOn"], json!(["component:B", "component:a", "component:b"]));
    assert_eq!(c["spec"]["tags"], json!(["b", "a"]));
}

#[tokio::test]
async fn what_is_wrong_is_told_with_the_entity_and_the_field() {
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut entity = component_value("a", json!({}));
        change(&mut entity);
        entity
    };
    let check = async |entity: Value, expected: &str| {
        let name = entity["kind"].as_str().unwrap().to_lowercase();
        let fixture = with_entities(vec![entity]).await;
        let errors: Value = serde_json::from_str(&fixture.fails(&format!("{name}:default/a")).await).unwrap();
        assert_eq!((&errors[0]["name"], errors.as_array().unwrap().len()), (&json!("InputError"), 1));
        let message = errors[0]["message"].as_str().unwrap();
        assert!(message.starts_with(expected), "{message}");
        assert_eq!(fixture.refs().await, [""; 0]);
    };
    check(
        changed(&|entity| entity["metadata"]["labels"] = json!({ "a": "no spaces" })),
        "Policy check failed for component:default/a; caused by Error: \"labels.a\" is not valid; expected a string",
    )
    .await;
    check(
        changed(&|entity| entity["relations"] = json!([])),
        "Policy check failed for component:default/a; caused by Error: Unknown field relations",
    )
    .await;
    check(
        changed(&|entity| entity["spec"] = json!({ "type": "t", "owner": "o" })),
        "Processor BuiltinKindsEntityProcessor threw an error while validating the entity component:default/a; caused by \
         TypeError: /spec must have required property 'lifecycle' - missingProperty: lifecycle",
    )
    .await;
    check(
        changed(&|entity| entity["kind"] = json!("Gadget")),
        "No processor recognized the entity gadget:default/a as valid, possibly caused by a foreign kind or apiVersion",
    )
    .await;
    check(
        changed(&|entity| {
            entity["metadata"]["annotations"].as_object_mut().unwrap().remove("backstage.io/managed-by-location");
        }),
        "Entity envelope failed validation before processing",
    )
    .await;
    check(
        changed(&|entity| {
            entity["metadata"]["annotations"]
                .as_object_mut()
                .unwrap()
                .remove("backstage.io/managed-by-origin-location");
        }),
        "Entity envelope failed validation before processing",
    )
    .await;
    // Keys that no search could tell apart.
    check(
        changed(&|entity| entity["spec"]["Owner"] = json!("o")),
        "Entity has duplicate keys that vary only in casing, spec.owner",
    )
    .await;
}

#[tokio::test]
async fn a_version_that_cannot_be_indexed_leaves_the_last_one() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    provider.items(vec![provided(component_value("a", json!({ "dependsOn": ["component:b"] })))]);
    fixture.run_provider().await;
    let good = fixture.appears("component:default/a").await;
    provider.items(vec![provided(component_value("a", json!({ "dependsOn": ["component:c"], "x": 1, "X": 2 })))]);
    fixture.run_provider().await;
    let bad = fixture.becomes("component:default/a", |entity| entity.get("status").is_some()).await;
    assert_eq!((&bad["spec"], &bad["relations"]), (&good["spec"], &good["relations"]));
    assert_eq!(
        bad["status"]["items"][0]["message"],
        "InputError: Entity has duplicate keys that vary only in casing, spec.x"
    );
    assert_eq!(bad["status"]["items"][0]["error"]["name"], "InputError");
}

/// Its children and its relations are those of the last good run.
#[tokio::test]
async fn what_fails_keeps_what_it_brought() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    fixture.web.put(URL, &component("a", "  dependsOn: [component:b]\n"));
    provider.items(vec![provided(location(URL)), provided(component_value("b", json!({})))]);
    fixture.run_provider().await;
    let relation = json!({ "type": "dependencyOf", "targetRef": "component:default/a" });
    let b = fixture.becomes("component:default/b", |b| b["relations"].as_array().unwrap().contains(&relation)).await;
    fixture.web.fail(URL, &"the server is on fire ".repeat(500));
    assert_eq!(fixture.catalog.refresh_keys(&[format!("url:{URL}")]).await.unwrap(), 1);
    let failed = fixture.becomes(&location_ref(URL), |entity| entity.get("status").is_some()).await;
    let message = failed["status"]["items"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("Error: Unable to read url, the server is on fire"), "{message}");
    assert_eq!(failed["status"]["items"][0]["error"]["message"].as_str().unwrap().chars().count(), 5_000);
    assert!(fixture.get("component:default/a").await.is_some());
    assert_eq!(fixture.get("component:default/b").await.unwrap(), b);
}

/// From a file, where its own type and that of the file differ, and where its path is not relative to it.
#[tokio::test]
async fn targets_of_locations() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let names = |name: &str, spec: &str| {
        format!("apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {{name: {name}}}\nspec: {spec}\n---\n")
    };
    let all = [
        names("url", &format!("{{type: url, target: '{URL}'}}")),
        names("relative", "{type: url, target: ./a.yaml}"),
        names("beside", "{target: ./beside.yaml}"),
        // Only what begins with a dot is relative to the file; else it is as in app-config.
        names("base", "{target: sub/base.yaml}"),
        names("binary", "{target: ./binary.yaml}"),
        names("list", "{type: file, target: ./list.yaml, targets: [./none.yaml, ./first.yaml]}"),
    ];
    write("sub/all.yaml", &all.concat());
    write("sub/beside.yaml", &component("beside", ""));
    write("sub/base.yaml", &component("base", ""));
    write("sub/sub/base.yaml", &component("wrong", ""));
    write("sub/list.yaml", &component("list", ""));
    write("sub/first.yaml", &component("first", ""));
    std::fs::write(dir.path().join("sub/binary.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    let web = crate::support::Web::default();
    web.put(URL, &component("a", ""));
    let db = crate::support::database().await;
    let settings = json!({ "locations": [{ "type": "file", "target": "sub/all.yaml" }] });
    let fixture = Fixture::start_with(dir, db, web, settings).await;
    for name in ["a", "beside", "base"] {
        fixture.appears(&format!("component:default/{name}")).await;
    }
    let check = async |name: &str, expected: &str| {
        let errors = fixture.fails(&format!("location:default/{name}")).await;
        assert!(errors.contains(expected), "{name}: {errors}");
    };
    check("relative", "Unable to read url, ./a.yaml").await;
    check("binary", "Failed to parse YAML at file:").await;
    // One target that is missing holds back the others.
    check("list", "none.yaml does not exist").await;
    fixture.settles().await;
    assert_eq!(fixture.get("component:default/list").await, None);
    fixture.write("sub/none.yaml", "");
    fixture.appears("component:default/list").await;
    fixture.appears("component:default/first").await;
    assert_eq!(fixture.get("component:default/wrong").await, None);
}

#[tokio::test]
async fn a_location_that_nothing_can_read() {
    let mut entity = component_value("l", json!({}));
    entity["kind"] = json!("Location");
    entity["spec"] = json!({ "target": "somewhere" });
    let fixture = with_entities(vec![entity]).await;
    let errors = fixture.fails("location:default/l").await;
    assert!(errors.contains("No processor was able to handle reading of test:somewhere"), "{errors}");
}
