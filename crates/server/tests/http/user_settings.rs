//! `/api/user-settings`: what a user keeps for themselves.

use callboard::user_settings::{KEYS, NAME_BYTES, USER_BYTES, UserSettings, VALUE_BYTES};
use callboard_model::api::UserSettingName;
use callboard_model::entity_ref::EntityRef;
use callboard_store::args;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::portal::TestPortal;

const ROOT: &str = "/api/user-settings";

async fn put(client: &Client, path: &str, body: &str) -> Answer {
    client.mutate("PUT", &format!("{ROOT}{path}"), body.as_bytes()).await
}

/// The status, the name of the error, and its message.
fn error(answer: &Answer) -> (u16, String, String) {
    let error = &answer.json()["error"];
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    (answer.status, text("name"), text("message"))
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_kept() {
    let portal = TestPortal::start(&json!({}), "").await;
    let ada = portal.signed_in("user:default/ada").await;
    let check = async |path: &str, bucket: &str, key: &str, value: &str| {
        let absent = ada.get(&format!("{ROOT}{path}")).await;
        let expected = (404, "NotFoundError".to_owned(), format!("Unable to find '{key}' in bucket '{bucket}'"));
        assert_eq!(error(&absent), expected, "{path}");
        assert_eq!(absent.json()["request"], json!({ "method": "GET", "url": path }));
        let answer = put(&ada, path, &format!("{{\"value\": {value}}}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let expected = json!({ "bucket": bucket, "key": key, "value": serde_json::from_str::<Value>(value).unwrap() });
        assert_eq!(answer.json(), expected, "{path}");
        let found = ada.get(&format!("{ROOT}{path}")).await;
        assert_eq!((found.status, found.json()), (200, expected), "{path}");
        assert!(found.text().contains(value), "as it was sent: {}", found.text());
        let many = ada.post(&format!("{ROOT}/multiget"), &json!({ "items": [{ "bucket": bucket, "key": key }] })).await;
        assert_eq!(many.json(), json!({ "items": [{ "value": found.json()["value"] }] }), "{path}");
        assert!(many.text().contains(value), "as it was sent: {}", many.text());
        assert_eq!(put(&ada, path, r#"{"value": "another"}"#).await.json()["value"], "another");
        for _ in 0..2 {
            let gone = ada.mutate("DELETE", &format!("{ROOT}{path}"), b"").await;
            assert_eq!((gone.status, gone.body.len()), (204, 0), "{path}");
        }
        assert_eq!(ada.get(&format!("{ROOT}{path}")).await.status, 404, "{path}");
    };
    let plain = "/buckets/starredEntities/keys/entityRefs";
    let values = [
        "null",
        "true",
        "0",
        "-1.50",
        "1E300",
        "123456789012345678901234567890",
        "\"\"",
        "\"ä\\u0000\\ud83d\\ude00\u{2028}\"",
        "[]",
        "{}",
        r#"["component:default/lamp", "component:default/shelf"]"#,
        r#"{"b": 1, "a": {"d": [null], "c": 2}}"#,
    ];
    for value in values {
        check(plain, "starredEntities", "entityRefs", value).await;
    }
    check("/buckets/default.theme/keys/mode", "default.theme", "mode", "1").await;
    check("/buckets/a/keys/b/c/d", "a", "b/c/d", "1").await;
    check("/buckets/a/keys/b%2Fc", "a", "b/c", "1").await;
    check("/buckets/a%2Fb/keys/c", "a/b", "c", "1").await;
    check("/buckets/a/keys//", "a", "/", "1").await;
    check("/buckets/a/keys/b/", "a", "b/", "1").await;
    check("/buckets/a/keys/../../multiget", "a", "../../multiget", "1").await;
    check("/buckets/a/keys/keys/b", "a", "keys/b", "1").await;
    check("/buckets/%C3%A4%20%27/keys/%25%27%3B--", "ä '", "%';--", "1").await;
    let long = "k".repeat(NAME_BYTES);
    check(&format!("/buckets/{long}/keys/{long}"), &long, &long, "1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_what_another_keeps() {
    let portal = TestPortal::start(&json!({}), "").await;
    let (ada, bob) = (portal.signed_in("user:default/ada").await, portal.signed_in("user:default/bob").await);
    let path = "/buckets/b/keys/k";
    let whole = format!("{ROOT}{path}");
    let many = json!({ "items": [{ "bucket": "b", "key": "k" }] });
    assert_eq!(put(&ada, path, r#"{"value": "ada's"}"#).await.status, 200);
    assert_eq!(bob.get(&whole).await.status, 404);
    assert_eq!(bob.post(&format!("{ROOT}/multiget"), &many).await.json(), json!({ "items": [null] }));
    assert_eq!(bob.mutate("DELETE", &whole, b"").await.status, 204);
    assert_eq!(put(&bob, path, r#"{"value": "bob's"}"#).await.status, 200);
    assert_eq!(ada.get(&whole).await.json()["value"], "ada's");
    assert_eq!(bob.get(&whole).await.json()["value"], "bob's");
    assert_eq!(ada.post(&format!("{ROOT}/multiget"), &many).await.json(), json!({ "items": [{ "value": "ada's" }] }));
    assert_eq!(bob.mutate("DELETE", &whole, b"").await.status, 204);
    assert_eq!(ada.get(&whole).await.json()["value"], "ada's");
    // Who signs in again is the same, on whatever device.
    assert_eq!(portal.signed_in("user:default/ada").await.get(&whole).await.json()["value"], "ada's");
}

/// However somebody's ref is written, it is the same user, and no part of it runs into the next.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_known_by_the_canonical_ref() {
    let portal = TestPortal::start_lasting(&json!({}), "").await;
    let settings = UserSettings::open(portal.database().await).await.unwrap();
    let user = |text: &str| EntityRef::parse(text, None, None).unwrap();
    let name = |bucket: &str, key: &str| UserSettingName { bucket: bucket.to_owned(), key: key.to_owned() };
    let value = serde_json::value::to_raw_value(&1).unwrap();
    settings.set(&user("user:default/ada"), &name("b", "k"), &value).await.unwrap();
    for (text, bucket, key, there) in [
        ("user:default/ada", "b", "k", true),
        ("User:Default/ADA", "b", "k", true),
        ("user:ada", "b", "k", true),
        ("user:default/ada2", "b", "k", false),
        ("user:default/ad", "ab", "k", false),
        ("group:default/ada", "b", "k", false),
        ("user:other/ada", "b", "k", false),
        ("user:default/ada", "B", "k", false),
        ("user:default/ada", "b", "K", false),
        ("user:default/ada", "k", "b", false),
    ] {
        let found = settings.get(&user(text), &name(bucket, key)).await.unwrap();
        assert_eq!(found.is_some(), there, "{text} {bucket} {key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once() {
    let portal = TestPortal::start(&json!({}), "").await;
    let ada = portal.signed_in("user:default/ada").await;
    for (path, value) in [("/buckets/a/keys/x", "1"), ("/buckets/a/keys/y/z", "null"), ("/buckets/b/keys/x", "[2]")] {
        assert_eq!(put(&ada, path, &format!("{{\"value\":{value}}}")).await.status, 200);
    }
    let check = async |items: Value, expected: Value| {
        let answer = ada.post(&format!("{ROOT}/multiget"), &json!({ "items": items })).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "items": expected })), "{items}");
    };
    let item = |bucket: &str, key: &str| json!({ "bucket": bucket, "key": key });
    check(json!([]), json!([])).await;
    check(
        json!([item("b", "x"), item("b", "y/z"), item("a", "y/z"), item("a", "x"), item("b", "x")]),
        json!([{ "value": [2] }, null, { "value": null }, { "value": 1 }, { "value": [2] }]),
    )
    .await;
    check(json!([item("\0", "x"), item(&"b".repeat(5_000), "x"), item("", "")]), json!([null, null, null])).await;
    let many: Vec<Value> = (0..2_500).map(|number| item("a", &number.to_string())).collect();
    check(json!(many), json!(vec![Value::Null; 2_500])).await;
    for (body, part) in [
        ("{}", "missing field `items`"),
        (r#"{"items": {}}"#, "expected a sequence"),
        (r#"{"items": [{"bucket": "a"}]}"#, "missing field `key`"),
        (r#"{"items": [{"bucket": "a", "key": 1}]}"#, "expected a string"),
        ("[]", "request/body must be object"),
    ] {
        let answer = ada.mutate("POST", &format!("{ROOT}/multiget"), body.as_bytes()).await;
        let (status, name, message) = error(&answer);
        assert!((status, name.as_str()) == (400, "InputError") && message.contains(part), "{body}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused() {
    let portal = TestPortal::start(&json!({}), "").await;
    let ada = portal.signed_in("user:default/ada").await;
    let check = async |path: &str, body: &str, status: u16, part: &str| {
        let answer = put(&ada, path, body).await;
        assert_eq!(answer.status, status, "{path} {}", answer.text());
        assert!(error(&answer).2.contains(part), "{path}: {}", answer.text());
    };
    let path = "/buckets/a/keys/b";
    let missing = "Missing required field \"value\"";
    check(path, "{}", 400, missing).await;
    check(path, r#"{"values": 1}"#, 400, missing).await;
    check(path, "", 400, "request/body is not JSON").await;
    check(path, "[1]", 400, "request/body").await;
    check(path, r#"{"value": }"#, 400, "request/body").await;
    check(path, r#"{"value": 1"#, 400, "request/body").await;
    check(path, r#"{"value": 1} 2"#, 400, "request/body").await;
    let value = |bytes: usize| format!("{{\"value\": \"{}\"}}", "v".repeat(bytes - 2));
    check(path, &value(VALUE_BYTES + 1), 413, "the value has 102401 bytes as JSON, and one value may have 102400")
        .await;
    check(path, &value(VALUE_BYTES + 2_000), 413, "request/body is too large").await;
    assert_eq!(put(&ada, path, &value(VALUE_BYTES)).await.status, 200);
    let long = "k".repeat(NAME_BYTES + 1);
    let name = "must have at most 1024 bytes, none of which is NUL";
    check(&format!("/buckets/{long}/keys/b"), r#"{"value": 1}"#, 400, &format!("the bucket {name}")).await;
    check(&format!("/buckets/a/keys/{long}"), r#"{"value": 1}"#, 400, &format!("the key {name}")).await;
    check("/buckets/a/keys/%00", r#"{"value": 1}"#, 400, &format!("the key {name}")).await;
    for path in ["/buckets/a/keys/%00", &format!("/buckets/{long}/keys/b")] {
        assert_eq!(ada.get(&format!("{ROOT}{path}")).await.status, 404, "{path}");
        assert_eq!(ada.mutate("DELETE", &format!("{ROOT}{path}"), b"").await.status, 204, "{path}");
    }
    let origin = ada.base.origin().ascii_serialization();
    let plain = [("Origin", origin.as_str()), ("Content-Type", "text/plain")];
    assert_eq!(ada.send("PUT", &format!("{ROOT}{path}"), &plain, br#"{"value": 1}"#).await.status, 415);
    for path in ["", "/buckets", "/buckets/a", "/buckets/a/keys", "/buckets/a/keys/", "/multiget/a"] {
        let answer = ada.get(&format!("{ROOT}{path}")).await;
        assert_eq!((answer.status, answer.body.len()), (404, 0), "{path}");
    }
}

/// One user cannot fill the database, and does not count for another.
#[tokio::test(flavor = "multi_thread")]
async fn how_much_one_user_may_keep() {
    let portal = TestPortal::start_lasting(&json!({}), "").await;
    let (ada, bob) = (portal.signed_in("user:default/ada").await, portal.signed_in("user:default/bob").await);
    let db = portal.database().await;
    let fill = async |user: &str, keys: u64, bytes: u64| {
        let value = format!("\"{}\"", "v".repeat(usize::try_from(bytes).unwrap() - 2)).into_bytes();
        let rows: Vec<_> = (0..keys).map(|key| args![user, "full", key.to_string(), value.clone()]).collect();
        let mut tx = db.begin().await.unwrap();
        tx.insert("INSERT INTO user_settings(user_entity_ref, bucket, key, value) VALUES ", rows, "").await.unwrap();
        tx.commit().await.unwrap();
    };
    let one = r#"{"value": 1}"#;
    fill("user:default/ada", KEYS, 10).await;
    let (status, name, message) = error(&put(&ada, "/buckets/a/keys/b", one).await);
    assert_eq!((status, name.as_str()), (400, "InputError"));
    assert!(message.starts_with("you have 1000 settings already"), "{message}");
    assert_eq!(put(&ada, "/buckets/full/keys/7", one).await.status, 200, "what is there may change");
    assert_eq!(ada.mutate("DELETE", &format!("{ROOT}/buckets/full/keys/7"), b"").await.status, 204);
    assert_eq!(put(&ada, "/buckets/a/keys/b", one).await.status, 200, "there is room again");
    assert_eq!(put(&bob, "/buckets/a/keys/b", one).await.status, 200, "others have their own");

    let most = u64::try_from(VALUE_BYTES).unwrap();
    fill("user:default/bob", USER_BYTES / most, most).await;
    let large = format!("{{\"value\": \"{}\"}}", "v".repeat(30_000 - 2));
    let (status, name, message) = error(&put(&bob, "/buckets/a/keys/b", &large).await);
    assert_eq!((status, name.as_str()), (400, "InputError"));
    let expected =
        "with this value your settings would have 5252400 bytes, and they may have 5242880; delete some first";
    assert_eq!(message, expected);
    assert_eq!(put(&bob, "/buckets/full/keys/7", one).await.status, 200, "what is there may become smaller");
    assert_eq!(put(&bob, "/buckets/a/keys/b", &large).await.status, 200, "and there is room again");
    // All of it in one answer, and no more than that however often it is asked for.
    let names = |count: u64| -> Vec<Value> {
        (0..count).map(|key| json!({ "bucket": "full", "key": (key % 51).to_string() })).collect()
    };
    let many = async |count: u64| bob.post(&format!("{ROOT}/multiget"), &json!({ "items": names(count) })).await;
    assert_eq!(many(51).await.status, 200);
    let (status, _, message) = error(&many(1_000).await);
    assert!(status == 400 && message.ends_with("name each key once"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_settings() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let routes = [
        ("GET", "/buckets/a/keys/b", ""),
        ("PUT", "/buckets/a/keys/b", r#"{"value": 1}"#),
        ("DELETE", "/buckets/a/keys/b", ""),
        ("POST", "/multiget", r#"{"items": []}"#),
    ];
    let check = async |portal: &TestPortal, ada: [u16; 4]| {
        let client = portal.signed_in("user:default/ada").await;
        let nobody = portal.anonymous();
        for ((method, path, body), status) in routes.into_iter().zip(ada) {
            let path = format!("{ROOT}{path}");
            let answer = client.mutate(method, &path, body.as_bytes()).await;
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
            let answer = nobody.mutate(method, &path, body.as_bytes()).await;
            let missing = (401, "AuthenticationError".to_owned(), "Missing credentials".to_owned());
            assert_eq!(error(&answer), missing, "{method} {path}");
            let token = format!("Bearer {TOKEN}");
            let headers = [("Authorization", token.as_str()), ("Content-Type", "application/json")];
            let (status, name, _) = error(&nobody.send(method, &path, &headers, body.as_bytes()).await);
            assert_eq!((status, name.as_str()), (403, "NotAllowedError"), "{method} {path} with a pipeline's token");
            if method != "GET" {
                let foreign = [("Origin", "https://evil.example"), ("Content-Type", "application/json")];
                let answer = client.send(method, &path, &foreign, body.as_bytes()).await;
                assert_eq!(answer.status, 403, "{method} {path} from another site");
            }
        }
    };
    let push = json!({ "push": { "ci": { "token": TOKEN } } });
    check(&TestPortal::start(&json!({ "catalog": push }), "").await, [404, 200, 204, 200]).await;
    // Even where a rule is for everybody, only users have settings.
    let all = json!([{ "allow": ["*"], "to": ["anyone"] }]);
    let portal = TestPortal::start(&json!({ "catalog": push, "permission": { "policy": all } }), "").await;
    check(&portal, [404, 200, 204, 200]).await;
}
