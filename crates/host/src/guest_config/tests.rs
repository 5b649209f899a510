use serde_json::json;

use super::*;

/// `(what the guest sees, how many credentials)`, or a part of the message.
type Expected<'a> = Result<(Value, usize), &'a str>;

fn check(schema: Value, config: Value, expected: Expected<'_>) {
    let manifest: Manifest = serde_json::from_value(json!({
        "format": 1, "id": "t", "name": "T", "version": "0.1.0",
        "needs": { "host": "^0.1", "plugin": "^0.1" },
        "rights": { "config": ["a.b"] },
        "configSchema": { "a.b": schema },
    }))
    .unwrap();
    let result = GuestConfig::project(&manifest, &manifest.rights, &config);
    match (result, expected) {
        (Ok(projected), Ok((value, credentials))) => {
            let seen = projected.get("a.b").expect("granted").cloned().unwrap_or(Value::Null);
            assert_eq!(seen, value, "{config}");
            assert_eq!(projected.bindings.len(), credentials);
        }
        (Err(message), Err(part)) => assert!(message.contains(part), "{message}"),
        (result, _) => panic!("{config}: {result:?}"),
    }
}

#[test]
fn only_what_is_described_is_delivered() {
    let schema = json!({ "type": "object", "properties": { "x": { "type": "string" }, "list": { "items": {} } } });
    check(schema.clone(), json!({ "a": { "b": { "x": "1", "y": "2" } } }), Ok((json!({ "x": "1" }), 0)));
    check(schema.clone(), json!({ "a": {} }), Ok((Value::Null, 0)));
    check(schema.clone(), json!({ "a": { "b": { "list": [1, { "y": 2 }] } } }), Ok((json!({ "list": [1, {}] }), 0)));
    check(schema, json!({ "a": { "b": { "x": { "canary": 1 } } } }), Err("a.b.x: what is there is not of type"));
    check(json!({}), json!({ "a": { "b": { "x": 1 } } }), Ok((json!({}), 0)));
    check(json!({}), json!({ "a": { "b": 5 } }), Ok((json!(5), 0)));
}

#[test]
fn maps_and_alternatives() {
    let one = json!({ "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } });
    let schema = json!({ "anyOf": [one, { "type": "object", "additionalProperties": one }] });
    check(schema.clone(), json!({ "a": { "b": { "name": "n", "z": 1 } } }), Ok((json!({ "name": "n" }), 0)));
    check(
        schema.clone(),
        json!({ "a": { "b": { "p": { "name": "n", "z": 1 }, "q": { "name": "m" } } } }),
        Ok((json!({ "p": { "name": "n" }, "q": { "name": "m" } }), 0)),
    );
    check(schema, json!({ "a": { "b": { "p": { "z": "canary" } } } }), Err("app-config does not fit"));
}

#[test]
fn secrets_become_handles() {
    let token = json!({ "x-credential": { "kind": "bearer", "origin": "https://api.example.com" } });
    let schema = json!({ "properties": { "token": token, "url": { "type": "string" } } });
    check(
        schema,
        json!({ "a": { "b": { "token": "canary", "url": "u" } } }),
        Ok((json!({ "token": "credential:1", "url": "u" }), 1)),
    );
    let basic = json!({ "x-credential": { "kind": "basic", "origin": "config:a.b.url" } });
    let schema = json!({ "properties": { "login": basic, "url": { "type": "string" } } });
    let config = json!({ "a": { "b": {
        "url": "https://x.example/", "login": { "username": "u", "password": "canary" },
    } } });
    check(schema.clone(), config, Ok((json!({ "url": "https://x.example/", "login": "credential:1" }), 1)));
    check(schema, json!({ "a": { "b": { "login": { "username": "u", "password": "p" } } } }), Err("a.b.url"));
    // A map's keys are not known beforehand, so their names are looked at.
    let schema = json!({ "additionalProperties": { "type": "string" } });
    let config = json!({ "a": { "b": { "clientSecret": "canary", "API_KEY": "canary", "colour": "red" } } });
    check(schema, config, Ok((json!({ "colour": "red" }), 0)));
}

#[test]
fn a_signature_needs_no_leaf() {
    let schema = json!({ "additionalProperties": { "type": "object", "properties": {
        "bucketName": { "type": "string" },
        "credential": { "x-credential": { "kind": "sigv4", "service": "s3" } },
    } } });
    check(
        schema,
        json!({ "a": { "b": { "p": { "bucketName": "x" }, "q": { "bucketName": "y", "credential": "canary" }, "r": {} } } }),
        Ok((
            json!({
                "p": { "bucketName": "x", "credential": "credential:1" },
                "q": { "bucketName": "y", "credential": "credential:2" },
                "r": {},
            }),
            2,
        )),
    );
}

#[test]
fn schemas_that_leave_things_open_are_refused() {
    let check = |schema: Value, expected: Option<&str>| {
        let problem = schema_problem(&schema);
        match expected {
            None => assert_eq!(problem, None),
            Some(part) => assert!(problem.as_ref().is_some_and(|text| text.contains(part)), "{schema}: {problem:?}"),
        }
    };
    check(json!({ "type": "string", "pattern": "^a+$" }), None);
    check(json!({ "type": "sting" }), Some("not a JSON Schema"));
    check(json!({ "properties": { "x": { "$ref": "#" } } }), Some("`$ref`"));
    check(json!({ "anyOf": [{ "allOf": [] }] }), Some("a JSON Schema"));
    check(json!({ "anyOf": [{ "allOf": [{}] }] }), Some("`allOf`"));
    check(json!({ "items": { "x-credential": { "kind": "magic" } } }), Some("x-credential"));
    check(json!({ "pattern": "(?=a)" }), Some("not a JSON Schema"));
}

#[test]
fn names_of_secrets() {
    for name in
        ["secretAccessKey", "token", "password", "private-key", "client_secret", "apiKey", "webhookSecret", "API_TOKEN"]
    {
        assert!(is_secret_name(name), "{name}");
    }
    for name in ["accessKeyId", "tokens", "bucketName", "credential", "secretName", "url"] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn texts_at_a_path() {
    let config = json!({ "i": { "one": { "e": "x" }, "list": [{ "e": "x" }, {}, { "e": "y" }], "e": 5 } });
    let check = |path: &str, expected: &[&str]| assert_eq!(texts_at(&config, path), expected, "{path}");
    check("i.one.e", &["x"]);
    check("i.list.e", &["x", "y"]);
    check("i.e", &[]);
    check("i.one", &[]);
    check("i.nothing.e", &[]);
}
