//! Placeholders: where they may stand, what they leave alone, what their content depends on, and API descriptions that
//! are written as several files.

use callboard_catalog::{NewLocation, OnConflict};
use serde_json::{Value, json};

use crate::support::{FakeProvider, Fixture, location_ref, provided};

const URL: &str = "https://x.example/api/pets.yaml";

fn at(name: &str) -> String {
    format!("https://x.example/api/{name}")
}

fn api(spec: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {{name: pets}}\nspec:\n  type: openapi\n  lifecycle: l\n  \
         owner: o\n{spec}"
    )
}

async fn register(fixture: &Fixture) {
    let location: NewLocation = serde_json::from_value(json!({ "type": "url", "target": URL })).unwrap();
    fixture.catalog.register_location(&location, Some(OnConflict::Refresh)).await.unwrap();
}

async fn with_pages(spec: &str, pages: &[(&str, &str)]) -> Fixture {
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put(URL, &api(spec));
    for (name, text) in pages {
        fixture.web.put(&at(name), text);
    }
    register(&fixture).await;
    fixture.settles().await;
    fixture
}

#[tokio::test]
async fn anywhere_but_not_in_what_comes_in() {
    let text = "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: pets\n  description: {$text: ./d.txt}\n  \
                annotations: {example.com/a: {$text: ./d.txt}}\n  tags: {$yaml: ./tags.yaml}\nspec:\n  type: openapi\n  \
                lifecycle: {$json: ./l.json}\n  owner: o\n  definition: {$text: ./d.txt}\n  list: [1, {$json: ./inner.json}, [{$yaml: ./inner.yaml}]]\n  \
                other: {$text: ./d.txt, beside: 1}\n  schema: {$ref: '#/x'}\n  unknown: {$file: ./d.txt}\n  \
                deep: {$text2: {$text: ./d.txt}}\n";
    let fixture = Fixture::start(json!({})).await;
    fixture.web.put(URL, text);
    for (name, content) in [
        ("d.txt", "words"),
        ("tags.yaml", "- a\n- b\n"),
        ("l.json", "\"production\""),
        ("inner.json", "{\"$text\": \"./d.txt\"}"),
        ("inner.yaml", "base: &base {a: 1}\nmore:\n  <<: *base\n"),
    ] {
        fixture.web.put(&at(name), content);
    }
    register(&fixture).await;
    let pets = fixture.appears("api:default/pets").await;
    let metadata = &pets["metadata"];
    assert_eq!(
        (&metadata["description"], &metadata["annotations"]["example.com/a"]),
        (&json!("words"), &json!("words"))
    );
    assert_eq!(metadata["tags"], json!(["a", "b"]));
    assert_eq!(
        pets["spec"],
        json!({
            "type": "openapi", "lifecycle": "production", "owner": "o", "definition": "words",
            "list": [1, { "$text": "./d.txt" }, [{ "base": { "a": 1 }, "more": { "<<": { "a": 1 } } }]],
            "other": { "$text": "./d.txt", "beside": 1 },
            "schema": { "$ref": "#/x" },
            "unknown": { "$file": "./d.txt" },
            "deep": { "$text2": "words" },
        })
    );
}

#[tokio::test]
async fn each_file_is_a_refresh_key() {
    let spec = "  definition: {$text: ./d.txt}\n  more: {$json: ../m.json}\n";
    let fixture = with_pages(spec, &[("d.txt", "one")]).await;
    fixture.web.put("https://x.example/m.json", "1");
    for (key, expected) in [("https://x.example/m.json", 1), (&at("d.txt"), 1), (URL, 1), (&at("none"), 0)] {
        assert_eq!(fixture.catalog.refresh_keys(&[format!("url:{key}")]).await.unwrap(), expected, "{key}");
    }
    fixture.appears("api:default/pets").await;
    fixture.web.put(&at("d.txt"), "two");
    fixture.catalog.refresh_keys(&[format!("url:{}", at("d.txt"))]).await.unwrap();
    fixture.becomes("api:default/pets", |entity| entity["spec"]["definition"] == "two").await;
}

#[tokio::test]
async fn what_fails_says_why() {
    let check = async |spec: &str, pages: &[(&str, &str)], expected: &str| {
        let fixture = with_pages(spec, pages).await;
        let errors = fixture.fails("api:default/pets").await;
        assert!(errors.contains(expected), "{spec}: {errors}");
        assert_eq!(fixture.get("api:default/pets").await, None);
        // The Location is not to blame.
        assert_eq!(fixture.get(&location_ref(URL)).await.unwrap().get("status"), None);
    };
    check("  definition: {$yaml: ./d}\n", &[("d", "")], "expected to find exactly one document, found none").await;
    check("  definition: {$yaml: ./d}\n", &[("d", "a\n---\nb\n")], "expected to find exactly one document").await;
    check("  definition: {$json: ./d}\n", &[("d", "{a: 1}")], "Placeholder $json failed to parse JSON data").await;
    check("  definition: {$yaml: ./d}\n", &[("d", "a: [")], "Placeholder $yaml failed to parse YAML data").await;
    check("  definition: {$text: [./d]}\n", &[("d", "x")], "expected a string value parameter").await;
    check("  definition: {$openapi: ./d}\n", &[], "Placeholder $openapi could not read location").await;
    check("  definition: {$openapi: ./d}\n", &[("d", "- a")], "expected ./d to be an API description").await;
    check("  definition: {$openapi: ./d}\n", &[("d", "a: {$ref: ./none}")], "could not read location").await;
    check("  definition: {$openapi: ./d}\n", &[("d", "a: {$ref: './e#/x'}"), ("e", "y: 1")], "./e#/x is not there")
        .await;
    check("  definition: {$openapi: ./d}\n", &[("d", "a: {$ref: 'file:///etc/hostname'}")], "only http and https")
        .await;
    let many: String = (0..101).map(|number| format!("  p{number}: {{$text: ./d}}\n")).collect();
    check(&many, &[("d", "x")], "101 placeholders").await;
    let many: String = (0..101).map(|number| format!("p{number}: {{$ref: './d?{number}'}}\n")).collect();
    let fixture = with_pages("  definition: {$openapi: ./many}\n", &[("many", &many)]).await;
    for number in 0..101 {
        fixture.web.put(&format!("{}?{number}", at("d")), "x: 1");
    }
    register(&fixture).await;
    fixture.catalog.refresh_keys(&[format!("url:{}", at("many"))]).await.unwrap();
    fixture
        .until("there are too many", async || {
            fixture.fails("api:default/pets").await.contains("refers to more than 100 files").then_some(())
        })
        .await;
}

/// Without a location that a path could be relative to.
#[tokio::test]
async fn a_relative_path_needs_a_place_to_start_from() {
    let fixture = Fixture::start(json!({})).await;
    let provider = FakeProvider::new("p");
    fixture.set_provider(&provider).await;
    let entity = |name: &str, text: &str| {
        let mut entity = crate::support::component_value(name, json!({ "note": { "$text": text } }));
        entity["metadata"]["name"] = json!(name);
        provided(entity)
    };
    fixture.web.put("https://x.example/n.txt", "words");
    provider.items(vec![entity("relative", "./n.txt"), entity("absolute", "https://x.example/n.txt")]);
    fixture.run_provider().await;
    assert_eq!(fixture.appears("component:default/absolute").await["spec"]["note"], "words");
    let errors = fixture.fails("component:default/relative").await;
    assert!(errors.contains("could not form a URL out of test:x and ./n.txt"), "{errors}");
}

fn parsed(entity: &Value) -> Value {
    callboard_model::yaml::value(entity["spec"]["definition"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn api_descriptions_of_several_files_come_as_one() {
    let fixture = with_pages(
        "  definition: {$openapi: ./spec/openapi.yaml}\n",
        &[
            (
                "spec/openapi.yaml",
                "openapi: 3.1.0\npaths:\n  /pets: {$ref: './paths/pets.yaml'}\ncomponents:\n  schemas:\n    \
                 Local: {type: string}\n    Pet: {$ref: './schemas.json#/Pet'}\n",
            ),
            (
                "spec/paths/pets.yaml",
                "get: {schema: {$ref: '../schemas.json#/Pet'}, local: {$ref: '../openapi.yaml#/components/schemas/Local'}}\n",
            ),
            ("spec/schemas.json", "{\"Pet\": {\"type\": \"object\", \"properties\": {\"mother\": {\"$ref\": \"#/Pet\"}}}}"),
        ],
    )
    .await;
    let pets = fixture.appears("api:default/pets").await;
    assert_eq!(
        parsed(&pets),
        json!({
            "openapi": "3.1.0",
            "paths": { "/pets": { "get": {
                "schema": { "$ref": "#/components/schemas/Pet" },
                "local": { "$ref": "#/components/schemas/Local" },
            } } },
            "components": { "schemas": {
                "Local": { "type": "string" },
                "Pet": { "type": "object", "properties": { "mother": { "$ref": "#/components/schemas/Pet" } } },
            } },
        })
    );
    // It follows each of its files.
    for (key, expected) in [("spec/schemas.json", 1), ("spec/paths/pets.yaml", 1)] {
        assert_eq!(fixture.catalog.refresh_keys(&[format!("url:{}", at(key))]).await.unwrap(), expected);
    }
    fixture.settles().await;
    fixture.web.put(&at("spec/schemas.json"), "{\"Pet\": {\"type\": \"string\"}}");
    let entity_ref = callboard_model::entity_ref::EntityRef::parse("api:default/pets", None, None).unwrap();
    fixture.catalog.refresh(&callboard_model::access::Access::All, &entity_ref).await.unwrap();
    let changed = fixture.becomes("api:default/pets", |entity| parsed(entity) != parsed(&pets)).await;
    assert_eq!(parsed(&changed)["components"]["schemas"]["Pet"], json!({ "type": "string" }));
}

#[tokio::test]
async fn async_api_descriptions_keep_what_they_refer_to_themselves() {
    let description = json!({
        "asyncapi": "3.0.0",
        "channels": { "pets": { "messages": { "born": { "$ref": "#/components/messages/born" } } } },
        "operations": { "on": { "channel": { "$ref": "#/channels/pets" } } },
        "components": { "messages": { "born": { "payload": { "$ref": "./born.json" } } } },
    });
    let fixture = with_pages(
        "  definition: {$asyncapi: ./asyncapi.json}\n",
        &[("asyncapi.json", &description.to_string()), ("born.json", "{\"type\": \"object\"}")],
    )
    .await;
    let mut expected = description;
    expected["components"]["messages"]["born"]["payload"] = json!({ "type": "object" });
    assert_eq!(parsed(&fixture.appears("api:default/pets").await), expected);
}

/// The same holds of files as of URLs: what lies below the configured folder, and nothing else.
#[tokio::test]
async fn descriptions_in_folders() {
    let check = async |text: &str, expected: Result<Value, &str>| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("open")).unwrap();
        std::fs::write(dir.path().join("secret.yaml"), "canary: 1").unwrap();
        std::fs::write(dir.path().join("open/pets.yaml"), api("  definition: {$openapi: ./openapi.yaml}\n")).unwrap();
        std::fs::write(dir.path().join("open/openapi.yaml"), format!("a: {{$ref: '{text}'}}")).unwrap();
        std::fs::write(dir.path().join("open/b.yaml"), "c: {d: 1}").unwrap();
        let settings = json!({ "locations": [{ "type": "file", "target": "open/pets.yaml" }] });
        let fixture = Fixture::start_in(dir, settings).await;
        match expected {
            Ok(expected) => assert_eq!(parsed(&fixture.appears("api:default/pets").await), expected),
            Err(expected) => {
                let errors = fixture.fails("api:default/pets").await;
                assert!(errors.contains(expected) && !errors.contains("canary"), "{errors}");
            }
        }
    };
    check("./b.yaml#/c", Ok(json!({ "a": { "d": 1 } }))).await;
    check("../secret.yaml", Err("outside of the folders")).await;
    check("/etc/hostname", Err("write a path that is relative")).await;
}
