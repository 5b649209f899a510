//! What is said of entities and locations before they are in the catalog.

use callboard_model::access::Access;
use callboard_model::api::{EntityError, LocationInput};
use callboard_model::filter::Predicate;
use serde_json::{Value, json};

use crate::support::{Fixture, component, component_value};

const URL: &str = "https://x.example/a.yaml";

fn location(annotations: Value, target: &str) -> Value {
    json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Location",
        "metadata": { "name": "l", "annotations": annotations },
        "spec": { "targets": [target] },
    })
}

#[tokio::test]
async fn entities_are_checked_as_the_engine_would() {
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put("https://x.example/openapi.yaml", "openapi: 3.1.0");
    fixture.web.put("https://x.example/b.yaml", &component("b", ""));
    fixture.web.put(
        "https://x.example/user.yaml",
        "apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: u}\nspec: {memberOf: []}\n",
    );
    fixture.write("private.yaml", "secret: 1");
    let check = async |entity: Value, location: &str, expected: &[(&str, &str)]| {
        let errors = fixture.catalog.validate_entity(entity.clone(), location).await;
        assert_eq!(errors.len(), expected.len(), "{entity}: {errors:?}");
        for (EntityError { name, message }, (expected_name, part)) in errors.iter().zip(expected) {
            assert_eq!(name, expected_name, "{message}");
            assert!(message.contains(part), "{message}");
        }
    };
    let url = format!("url:{URL}");
    let api = |definition: Value| {
        json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "API",
            "metadata": { "name": "a" },
            "spec": { "type": "openapi", "lifecycle": "production", "owner": "x", "definition": definition },
        })
    };
    check(component_value("a", json!({})), &url, &[]).await;
    check(api(json!({ "$text": "./openapi.yaml" })), &url, &[]).await;
    check(api(json!({ "$text": "./none.yaml" })), &url, &[("InputError", "could not read location")]).await;
    check(api(json!(5)), &url, &[("InputError", "/spec/definition")]).await;
    check(location(json!({}), "./b.yaml"), &url, &[]).await;
    check(location(json!({}), "./none.yaml"), &url, &[("NotFoundError", "no matching files found")]).await;
    check(location(json!({}), "./user.yaml"), &url, &[("NotAllowedError", "not of an allowed kind")]).await;
    check(json!({ "kind": "X" }), &url, &[("TypeError", "Malformed envelope")]).await;
    check(component_value("a", json!({})), "https://x.example/", &[("TypeError", "please prefix it with 'url:'")])
        .await;
    check(component_value("a", json!({})), "file:/etc/hostname", &[("TypeError", "only 'url:<target>' is supported")])
        .await;
    // Its own annotations say where it is from, but never that it is from a file of the server's.
    let annotation = |at: &str| json!({ "backstage.io/managed-by-location": at });
    let elsewhere = annotation("url:https://x.example/folder/a.yaml");
    fixture.web.put("https://x.example/folder/c.yaml", &component("c", ""));
    check(location(elsewhere, "./c.yaml"), &url, &[]).await;
    let private = annotation(&format!("file:{}", fixture.dir.path().join("x.yaml").display()));
    fixture.web.reads();
    check(location(private, "./private.yaml"), &url, &[("NotFoundError", "https://x.example/private.yaml")]).await;
    assert_eq!(fixture.web.reads(), ["https://x.example/private.yaml"]);
    check(location(annotation("nonsense"), "./b.yaml"), &url, &[("InputError", "nonsense")]).await;
    assert_eq!(fixture.refs().await, Vec::<String>::new());
}

#[tokio::test]
async fn locations_are_analyzed() {
    let fixture = Fixture::start(json!({})).await;
    let analyze = async |access: &Access, target: &str| {
        let location = LocationInput { kind: "url".to_owned(), target: target.to_owned() };
        let found = fixture.catalog.analyze_location(access, &location).await;
        found.map(|found| serde_json::to_value(found).unwrap()).map_err(|error| error.to_string())
    };
    let repository = "https://github.com/acme/shop";
    let generated = json!({
        "existingEntityFiles": [],
        "generateEntities": [{
            "entity": {
                "apiVersion": "backstage.io/v1alpha1",
                "kind": "Component",
                "metadata": { "name": "shop", "annotations": { "github.com/project-slug": "acme/shop" } },
                "spec": { "type": "other", "lifecycle": "unknown" },
            },
            "fields": [],
        }],
    });
    assert_eq!(analyze(&Access::All, repository).await.unwrap(), generated);
    let file = format!("{repository}/blob/main/catalog-info.yaml");
    fixture.web.put(&file, &component("shop", ""));
    fixture.web.put("https://github.com/acme/shopping/blob/main/catalog-info.yaml", &component("shopping", ""));
    for target in [&file, "https://github.com/acme/shopping/blob/main/catalog-info.yaml"] {
        let location = serde_json::from_value(json!({ "type": "url", "target": target })).unwrap();
        fixture.catalog.register_location(&location, None).await.unwrap();
    }
    for target in [repository, &file, "https://github.com/acme/shop/tree/main/docs"] {
        let found = analyze(&Access::All, target).await.unwrap();
        assert_eq!(found["generateEntities"], json!([]), "{target}");
        let files = found["existingEntityFiles"].as_array().unwrap();
        assert_eq!(files.len(), 1, "{target}: {found:#}");
        assert_eq!(files[0]["location"], json!({ "type": "url", "target": file }));
        assert_eq!(
            (&files[0]["isRegistered"], &files[0]["entity"]["metadata"]["name"]),
            (&json!(true), &json!("shop"))
        );
    }
    // Whoever may not see what is there is told what they could write.
    let apis = Access::Where(Predicate::equals("kind", "api"));
    assert_eq!(analyze(&apis, repository).await.unwrap(), generated);
    for target in ["", "shop", "file:///etc/passwd", "git@github.com:acme/shop.git"] {
        assert_eq!(
            analyze(&Access::All, target).await.unwrap_err(),
            "The given location.target is not a URL",
            "{target}"
        );
    }
}
