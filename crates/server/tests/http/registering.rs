//! Locations, and what is said of them and of entities beforehand.

use serde_json::{Value, json};

use crate::client::Client;
use crate::portal::TestPortal;
use crate::web::{Web, component};

async fn portal(more: Value) -> (TestPortal, Client, Web) {
    let web = Web::start().await;
    let mut config = json!({
        "backend": { "reading": web.reading() },
        "permission": { "policy": [{ "allow": ["*"], "to": ["signed-in"] }] },
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let portal = TestPortal::start(&config, "").await;
    let client = portal.signed_in("user:default/guest").await;
    (portal, client, web)
}

/// Status, and the message of the error that there must be.
async fn refused(client: &Client, method: &str, path: &str, body: &Value) -> (u16, String) {
    let answer = client.mutate(method, &format!("/api/catalog{path}"), body.to_string().as_bytes()).await;
    let error = answer.json();
    assert_eq!(error["response"]["statusCode"], answer.status, "{error}");
    assert_eq!(error["request"], json!({ "method": method, "url": path }), "{error}");
    (answer.status, error["error"]["message"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_registered_can_be_read_when_the_answer_comes() {
    let (_portal, client, web) = portal(json!({})).await;
    let target = web.put("/a.yaml", &component("a"));
    let created = client.post("/api/catalog/locations", &json!({ "type": "url", "target": target })).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let created = created.json();
    let path = "/api/catalog/entities/by-name/component/default/a";
    assert_eq!(client.get(path).await.status, 200);
    let by_entity = client.get("/api/catalog/locations/by-entity/component/default/a").await;
    assert_eq!(by_entity.json(), created["location"]);

    let id = created["location"]["id"].as_str().unwrap();
    let other = web.put("/b.yaml", &component("b"));
    let location = format!("/api/catalog/locations/{id}");
    let updated =
        client.mutate("PUT", &location, json!({ "type": "url", "target": other }).to_string().as_bytes()).await;
    let expected = json!({ "id": id, "type": "url", "target": other, "entityRef": created["location"]["entityRef"] });
    assert_eq!((updated.status, updated.json()), (200, expected.clone()));
    assert_eq!(client.get(&location).await.json(), expected);
    assert_eq!(client.get(path).await.status, 404);
    assert_eq!(client.get("/api/catalog/entities/by-name/component/default/b").await.status, 200);

    assert_eq!(client.mutate("DELETE", &location, b"").await.status, 204);
    assert_eq!(client.get("/api/catalog/entities/by-name/component/default/b").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_location() {
    let (_portal, client, web) = portal(json!({})).await;
    let target = web.put("/a.yaml", &component("a"));
    let good = json!({ "type": "url", "target": target });
    let created = client.post("/api/catalog/locations", &good).await.json();
    let id = created["location"]["id"].as_str().unwrap();
    let second = client.post("/api/catalog/locations", &json!({ "type": "url", "target": format!("{target}x") })).await;
    let second = second.json()["location"]["id"].as_str().unwrap().to_owned();
    let check = async |method: &str, path: &str, body: Value, status: u16, message: &str| {
        let found = refused(&client, method, path, &body).await;
        assert_eq!(found.0, status, "{method} {path} {body}: {}", found.1);
        assert!(found.1.contains(message), "{method} {path} {body}: {}", found.1);
    };
    let allowed = "Registered locations must be of an allowed type [\"url\"]";
    let exists = format!("Location url:{target} already exists");
    check("POST", "/locations", good.clone(), 409, &exists).await;
    check("POST", "/locations?onConflict=reject", good.clone(), 409, &exists).await;
    check("POST", "/locations?onConflict=maybe", good.clone(), 400, "request/query/onConflict must be equal to one of")
        .await;
    check("POST", "/locations?dryRun=", good.clone(), 400, "Empty value found for query parameter 'dryRun'").await;
    check("POST", "/locations?x=1", good.clone(), 400, "Unknown query parameter 'x'").await;
    check("POST", "/locations", json!({ "type": "file", "target": "/x" }), 400, allowed).await;
    check("POST", "/locations", json!({ "type": "url" }), 400, "request/body must have required property 'target'")
        .await;
    check("POST", "/locations", json!({ "target": target }), 400, "request/body must have required property 'type'")
        .await;
    check("POST", "/locations", json!({ "type": 1, "target": target }), 400, "request/body/type must be string").await;
    let more = json!({ "type": "url", "target": target, "more": 1 });
    check("POST", "/locations", more.clone(), 400, "must NOT have additional properties").await;
    let presence = json!({ "type": "url", "target": target, "presence": "perhaps" });
    check("POST", "/locations", presence, 400, "perhaps").await;

    let path = format!("/locations/{second}");
    check("PUT", &path, good.clone(), 409, &exists).await;
    check("PUT", "/locations/none", good.clone(), 404, "Found no location with ID none").await;
    check("PUT", &path, json!({ "type": "file", "target": "/x" }), 400, allowed).await;
    check("PUT", &path, json!({}), 400, "request/body must have required property 'type'").await;
    check("PUT", &path, more, 400, "must NOT have additional properties").await;
    check("PUT", &format!("{path}?x=1"), good.clone(), 400, "Unknown query parameter 'x'").await;
    check("DELETE", &format!("/locations/{id}?x=1"), json!({}), 400, "Unknown query parameter 'x'").await;
    check("DELETE", "/locations/none", json!({}), 404, "Found no location with ID none").await;

    let by_query = "/locations/by-query";
    check("POST", by_query, json!({ "limit": 0 }), 400, "request/body/limit must be >= 1").await;
    check("POST", by_query, json!({ "limit": "x" }), 400, "request/body/limit must be number").await;
    check("POST", by_query, json!({ "cursor": "" }), 400, "request/body/cursor").await;
    check("POST", by_query, json!({ "cursor": "%" }), 400, "Malformed cursor").await;
    check("POST", by_query, json!({ "query": { "kind": "x" } }), 400, "Invalid query").await;
    check("POST", by_query, json!({ "query": [] }), 400, "Invalid query").await;
    let of_entity = "/api/catalog/locations/by-entity/component/default";
    let none = client.get(&format!("{of_entity}/none")).await.json();
    assert_eq!(none["error"]["message"], "found no entity for ref component:default/none");
    let lamp = client.get(&format!("{of_entity}/lamp")).await.json();
    let message = lamp["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("Found no location with type file and target"), "{message}");
}

/// Whoever may read entities and not Locations sees none of the latter, and cannot tell which there are.
#[tokio::test(flavor = "multi_thread")]
async fn locations_that_may_not_be_read_are_not_there() {
    let policy = json!([
        { "allow": ["*"], "to": ["user:default/guest"] },
        { "allow": ["catalog.entity.read"], "to": ["signed-in"] },
    ]);
    let (portal, guest, web) = portal(json!({ "permission": { "policy": policy } })).await;
    let target = web.put("/a.yaml", &component("a"));
    let created = guest.post("/api/catalog/locations", &json!({ "type": "url", "target": target })).await.json();
    let location = &created["location"];
    let id = location["id"].as_str().unwrap();
    let bob = portal.signed_in("user:default/bob").await;
    assert_eq!(bob.get("/api/catalog/entities/by-name/component/default/a").await.status, 200);
    let single = [format!("/locations/{id}"), "/locations/by-entity/component/default/a".to_owned()];
    for path in &single {
        let path = format!("/api/catalog{path}");
        assert_eq!((guest.get(&path).await.json(), bob.get(&path).await.status), (location.clone(), 404), "{path}");
    }
    // As if it did not exist, to the letter.
    let missing = refused(&bob, "GET", "/locations/00000000-0000-0000-0000-000000000000", &Value::Null).await.1;
    let hidden = refused(&bob, "GET", &single[0], &Value::Null).await.1;
    assert_eq!(hidden.replace(id, ""), missing.replace("00000000-0000-0000-0000-000000000000", ""));
    let list = "/api/catalog/locations";
    assert_eq!(guest.get(list).await.json(), json!([{ "data": location }]));
    assert_eq!(bob.get(list).await.json(), json!([]));
    let by_query = format!("{list}/by-query");
    let none = json!({ "items": [], "totalItems": 0, "pageInfo": {} });
    assert_eq!(guest.post(&by_query, &json!({})).await.json()["totalItems"], 1);
    assert_eq!(bob.post(&by_query, &json!({})).await.json(), none);
}

#[tokio::test(flavor = "multi_thread")]
async fn locations_by_query() {
    let (_portal, client, web) = portal(json!({})).await;
    for name in ["a", "b", "c"] {
        let target = web.put(&format!("/{name}.yaml"), &component(name));
        client.post("/api/catalog/locations", &json!({ "type": "url", "target": target })).await;
    }
    let ask = async |body: Value| {
        let answer = client.post("/api/catalog/locations/by-query", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let all = ask(json!({})).await;
    assert_eq!((&all["totalItems"], &all["pageInfo"]), (&json!(3), &json!({})));
    let listed = client.get("/api/catalog/locations").await.json();
    let listed: Vec<&Value> = listed.as_array().unwrap().iter().map(|location| &location["data"]).collect();
    assert_eq!(all["items"].as_array().unwrap().iter().collect::<Vec<_>>(), listed);
    let first = ask(json!({ "limit": 2, "query": { "type": "URL" } })).await;
    assert_eq!((&first["totalItems"], first["items"].as_array().unwrap().len()), (&json!(3), 2));
    let second = ask(json!({ "cursor": first["pageInfo"]["nextCursor"] })).await;
    assert_eq!(second["items"], json!([all["items"][2]]));
    assert_eq!(second["pageInfo"], json!({}));
    assert_eq!(ask(json!({ "query": { "$all": [] } })).await["totalItems"], 0);
    // Without a body, as with an empty one.
    let bare = client.send("POST", "/api/catalog/locations/by-query", &[], b"").await;
    assert_eq!(bare.status, 403, "a session without an origin: {}", bare.text());
    let origin = client.base.origin().ascii_serialization();
    let bare = client.send("POST", "/api/catalog/locations/by-query", &[("Origin", &origin)], b"").await;
    assert_eq!(bare.json(), all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_come() {
    let (_portal, client, web) = portal(json!({ "catalog": { "readonly": true } })).await;
    let target = web.put("/a.yaml", &component("a"));
    let body = json!({ "type": "url", "target": target });
    for word in ["true", "1", "y", "YES", "on"] {
        let answer = client.post(&format!("/api/catalog/locations?dryRun={word}"), &body).await;
        assert_eq!(answer.status, 201, "{word}: {}", answer.text());
        let answer = answer.json();
        assert_eq!((&answer["exists"], &answer["location"]["id"]), (&json!(false), &json!(format!("url:{target}"))));
        let entities = answer["entities"].as_array().unwrap();
        assert_eq!(entities.len(), 2, "{word}");
        assert_eq!((&entities[0]["kind"], &entities[1]["metadata"]["name"]), (&json!("Location"), &json!("a")));
        assert_eq!((entities[1]["metadata"].get("uid"), entities[1].get("relations")), (None, None));
    }
    let message = "This operation not allowed in readonly mode";
    for (method, path) in [("POST", "/locations"), ("POST", "/locations?dryRun=no"), ("PUT", "/locations/x")] {
        assert_eq!(refused(&client, method, path, &body).await, (403, message.to_owned()), "{method} {path}");
    }
    assert_eq!(refused(&client, "DELETE", "/locations/x", &json!({})).await, (403, message.to_owned()));
    web.put("/a.yaml", "a: [");
    let (status, message) = refused(&client, "POST", "/locations?dryRun=true", &body).await;
    assert!(status == 400 && message.contains("YAML error at"), "{status} {message}");
    web.put(
        "/a.yaml",
        &format!(
            "{}---\n{}",
            "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: l}\nspec: {target: ./b.yaml}\n",
            component("a")
        ),
    );
    web.put("/b.yaml", &component("A"));
    let (status, message) = refused(&client, "POST", "/locations?dryRun=true", &body).await;
    assert_eq!((status, message.as_str()), (400, "Duplicate nested entity: component:default/a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn entities_are_validated() {
    let (_portal, client, web) = portal(json!({})).await;
    let at = format!("url:{}", web.put("/a.yaml", ""));
    web.put("/text.md", "fine");
    let path = "/validate-entity";
    let entity = |spec: Value| json!({ "apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": { "name": "new" }, "spec": spec });
    let good = json!({ "type": "service", "lifecycle": "x", "owner": "y" });
    let validate = async |body: Value| {
        let answer = client.post(&format!("/api/catalog{path}"), &body).await;
        (answer.status, answer.text())
    };
    assert_eq!(validate(json!({ "entity": entity(good.clone()), "location": at })).await, (200, String::new()));
    let placeholder = |target: &str| {
        let mut spec = good.clone();
        spec["text"] = json!({ "$text": target });
        json!({ "entity": entity(spec), "location": at })
    };
    assert_eq!(validate(placeholder("./text.md")).await.0, 200);
    for (body, name, part) in [
        (placeholder("./none.md"), "InputError", "Placeholder $text could not read location"),
        (json!({ "entity": entity(json!({ "type": "service" })), "location": at }), "InputError", "'lifecycle'"),
        (json!({ "entity": {}, "location": at }), "TypeError", "Malformed envelope"),
        (
            json!({ "entity": entity(good.clone()), "location": "file:/x" }),
            "TypeError",
            "only 'url:<target>' is supported",
        ),
    ] {
        let (status, text) = validate(body.clone()).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(status, 400, "{body}: {text}");
        assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), ["errors"]);
        assert_eq!(answer["errors"][0]["name"], name, "{body}: {text}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(part), "{body}: {text}");
    }
    let check = async |body: Value, message: &str| {
        assert_eq!(refused(&client, "POST", path, &body).await, (400, message.to_owned()));
    };
    check(json!({ "location": at }), "request/body must have required property 'entity'").await;
    check(json!({ "entity": {} }), "request/body must have required property 'location'").await;
    check(json!({ "entity": 1, "location": at }), "request/body/entity must be object").await;
    check(json!({ "entity": {}, "location": 1 }), "request/body/location must be string").await;
    assert_eq!(client.get("/api/catalog/entities/by-name/component/default/new").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn locations_are_analyzed() {
    let (_portal, client, web) =
        portal(json!({ "integrations": { "gitlab": [{ "host": "git.example" }], "github": [{ "host": "ghe.example:8443" }] } })).await;
    let path = "/analyze-location";
    let analyze = async |target: &str| {
        let body = json!({ "location": { "type": "url", "target": target }, "catalogFilename": "catalog-info.yaml" });
        let answer = client.post(&format!("/api/catalog{path}"), &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    for (target, annotations) in [
        ("https://github.com/a/b", json!({ "github.com/project-slug": "a/b" })),
        ("https://ghe.example:8443/a/b", json!({ "github.com/project-slug": "a/b" })),
        ("https://git.example/group/a/b", json!({ "gitlab.com/project-slug": "group/a/b" })),
        ("https://bitbucket.org/a/b", json!({ "bitbucket.org/project-slug": "a/b" })),
        ("https://dev.azure.com/org/a/_git/b", json!({ "dev.azure.com/project-slug": "a/b" })),
        ("https://other.example/a/b", Value::Null),
    ] {
        let found = analyze(target).await;
        assert_eq!(found["existingEntityFiles"], json!([]), "{target}");
        let generated = &found["generateEntities"][0];
        assert_eq!(
            (&generated["entity"]["metadata"]["name"], &generated["fields"]),
            (&json!("b"), &json!([])),
            "{target}"
        );
        assert_eq!(
            generated["entity"]["metadata"].get("annotations").unwrap_or(&Value::Null),
            &annotations,
            "{target}"
        );
    }
    let target = web.put("/a.yaml", &component("a"));
    client.post("/api/catalog/locations", &json!({ "type": "url", "target": target })).await;
    let found = analyze(&target).await;
    assert_eq!(found["generateEntities"], json!([]));
    let file = &found["existingEntityFiles"][0];
    assert_eq!((&file["location"], &file["isRegistered"]), (&json!({ "type": "url", "target": target }), &json!(true)));
    assert_eq!(file["entity"]["metadata"]["name"], "a");

    let check = async |body: Value, message: &str| {
        assert_eq!(refused(&client, "POST", path, &body).await, (400, message.to_owned()));
    };
    let url = |target: &str| json!({ "location": { "type": "url", "target": target } });
    check(url("a/b"), "The given location.target is not a URL").await;
    check(json!({}), "request/body must have required property 'location'").await;
    check(json!({ "location": { "type": "url" } }), "request/body/location must have required property 'target'").await;
    check(json!({ "location": "x" }), "request/body/location must be object").await;
    let more = json!({ "location": { "type": "url", "target": "https://a.example", "more": 1 } });
    check(more, "request/body/location must NOT have additional properties: 'more'").await;
    let name = json!({ "location": { "type": "url", "target": "https://a.example" }, "catalogFilename": 1 });
    check(name, "request/body/catalogFilename must be string").await;
}
