use http::HeaderValue;
use serde_json::json;

use super::*;

const SECRET: &str = "It's a Secret to Everybody";
const BODY: &[u8] = b"Hello, World!";
const NOW: i64 = 1_800_000_000;

/// Of the body with the secret, as GitHub's documentation has it.
const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

fn sign(text: &[u8]) -> String {
    hex::encode(key(SECRET.as_bytes()).unwrap().chain_update(text).finalize().into_bytes())
}

fn webhook(contributed: Value) -> Webhook {
    with_config(contributed, &json!({"hook": {"secret": SECRET}}), &["hook"]).unwrap()
}

fn with_config(contributed: Value, config: &Value, granted: &[&str]) -> Result<Webhook, String> {
    let effective = serde_json::from_value(json!({"config": granted})).unwrap();
    Webhook::new(&serde_json::from_value(contributed).unwrap(), &effective, config)
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// What is wrong with a request, as a word; `fine` where nothing is.
fn found(webhook: &Webhook, pairs: &[(&str, &str)], body: &[u8]) -> &'static str {
    match webhook.verify(&headers(pairs), body, NOW) {
        Ok(_) => "fine",
        Err(Refusal::NotThere) => "not there",
        Err(Refusal::NoSecret(_)) => "no secret",
        Err(Refusal::Header(_)) => "header",
        Err(Refusal::Signature { .. }) => "signature",
        Err(Refusal::Time { .. }) => "time",
    }
}

#[test]
fn as_github_signs() {
    let webhook = webhook(json!({
        "topic": "github", "signature": {"scheme": "hmac-sha256", "secret": "hook.secret"},
        "deliveryId": "X-GitHub-Delivery", "headers": ["X-GitHub-Event", "User-Agent"],
    }));
    let id = ("x-github-delivery", "72d3162e");
    let check = |pairs: &[(&str, &str)], body: &[u8], expected: &str| {
        assert_eq!(found(&webhook, pairs, body), expected, "{pairs:?}");
    };
    let name = "x-hub-signature-256";
    check(&[(name, SIGNATURE), id], BODY, "fine");
    check(&[(name, SIGNATURE), id], b"Hello, World?", "signature");
    check(&[(name, SIGNATURE), id], b"", "signature");
    check(&[id], BODY, "header");
    check(&[(name, SIGNATURE)], BODY, "header");
    check(&[(name, SIGNATURE), ("x-github-delivery", "")], BODY, "header");
    check(&[(name, SIGNATURE), id, id], BODY, "header");
    check(&[(name, ""), id], BODY, "header");
    check(&[(name, SIGNATURE), (name, SIGNATURE), id], BODY, "header");
    check(&[(name, &SIGNATURE.replace("sha256=", "SHA256=")), id], BODY, "signature");
    check(&[(name, &SIGNATURE.replace("sha256=", "sha1=")), id], BODY, "signature");
    check(&[(name, &SIGNATURE.replace("sha256=", "")), id], BODY, "signature");
    check(&[(name, &format!("{SIGNATURE},{SIGNATURE}")), id], BODY, "signature");
    check(&[(name, &SIGNATURE.replace("757", "756")), id], BODY, "signature");
    check(&[(name, "sha256=zz"), id], BODY, "signature");
    check(&[(name, "sha256="), id], BODY, "signature");
    check(&[(name, SIGNATURE.get(..40).unwrap()), id], BODY, "signature");
    check(&[(name, &format!("{SIGNATURE}{}", "0".repeat(10_000))), id], BODY, "header");
    check(&[("x-hub-signature", SIGNATURE), id], BODY, "header");

    let pairs = [(name, SIGNATURE), id, ("X-GitHub-Event", "push"), ("x-forwarded-for", "10.0.0.7")];
    let verified = webhook.verify(&headers(&pairs), BODY, NOW).unwrap();
    assert_eq!(verified.headers, BTreeMap::from([("x-github-event".to_owned(), "push".to_owned())]));
    let again = webhook.verify(&headers(&[(name, SIGNATURE), ("x-github-delivery", "other")]), BODY, NOW).unwrap();
    assert_eq!(verified.marks.intersection(&again.marks).count(), 1, "the same body under another id is the same");
}

#[test]
fn under_another_name() {
    let webhook = webhook(json!({
        "topic": "own", "signature": {"scheme": "hmac-sha256", "secret": "hook.secret", "header": "X-Own"},
    }));
    assert_eq!(found(&webhook, &[("x-own", SIGNATURE)], BODY), "fine");
    assert_eq!(found(&webhook, &[("x-hub-signature-256", SIGNATURE)], BODY), "header");
}

#[test]
fn as_gitlab_sends_a_token() {
    let webhook = webhook(json!({
        "topic": "gitlab", "signature": {"scheme": "gitlab-token", "secret": "hook.secret"},
        "deliveryId": "X-Gitlab-Event-UUID",
    }));
    let id = ("x-gitlab-event-uuid", "1");
    let check = |token: &str, expected: &str| {
        assert_eq!(found(&webhook, &[("x-gitlab-token", token), id], BODY), expected, "{token}");
    };
    check(SECRET, "fine");
    check("It's a Secret to Nobody", "signature");
    check(SECRET.get(1..).unwrap(), "signature");
    check(&format!("{SECRET} "), "signature");
    check(&SECRET.to_uppercase(), "signature");
    check("", "header");
    assert_eq!(found(&webhook, &[id], BODY), "header");
    assert_eq!(found(&webhook, &[("x-gitlab-token", SECRET)], BODY), "header");
}

#[test]
fn as_pagerduty_signs() {
    let webhook = webhook(json!({
        "topic": "pagerduty", "signature": {"scheme": "pagerduty", "secret": "hook.secret"},
    }));
    let check = |value: &str, expected: &str| {
        assert_eq!(found(&webhook, &[("x-pagerduty-signature", value)], BODY), expected, "{value}");
    };
    let good = format!("v1={}", sign(BODY));
    let old = format!("v1={}", sign(b"other"));
    check(&good, "fine");
    check(&format!("{old},{good}"), "fine");
    check(&format!("{old}, {good}"), "fine");
    check(&old, "signature");
    check(&format!("{old},{old}"), "signature");
    check(&good.replace("v1=", "v2="), "signature");
    check(&good.replace("v1=", "V1="), "signature");
    check(&[old.as_str(); 8].join(","), "signature");
    check(&format!("{},{good}", ["v1=00"; 8].join(",")), "header");
}

#[test]
fn as_slack_signs_with_the_time() {
    let contributed = |window: Value| json!({"topic": "slack", "signature": {"scheme": "slack", "secret": "hook.secret", "windowSeconds": window}});
    let signed = |time: i64| format!("v0={}", sign(&[format!("v0:{time}:").as_bytes(), BODY].concat()));
    let check = |window: Value, at: i64, time: &str, signature: &str, expected: &str| {
        let webhook = webhook(contributed(window));
        let pairs = [("x-slack-request-timestamp", time), ("x-slack-signature", signature)];
        assert_eq!(found(&webhook, &pairs, BODY), expected, "{at} {time}");
    };
    let at = |window: Value, away: i64, expected: &str| {
        let time = NOW + away;
        check(window, time, &time.to_string(), &signed(time), expected);
    };
    at(Value::Null, 0, "fine");
    at(Value::Null, -300, "fine");
    at(Value::Null, 300, "fine");
    at(Value::Null, -301, "time");
    at(Value::Null, 301, "time");
    at(json!(10), -10, "fine");
    at(json!(10), -11, "time");
    // Another time than the one that was signed.
    check(Value::Null, NOW, &(NOW + 1).to_string(), &signed(NOW), "signature");
    check(Value::Null, NOW, &format!("+{NOW}"), &signed(NOW), "signature");
    check(Value::Null, NOW, "now", &signed(NOW), "header");
    check(Value::Null, NOW, "99999999999999999999", &signed(NOW), "header");
    check(Value::Null, NOW, &NOW.to_string(), &signed(NOW).replace("v0=", "v1="), "header");
    let far = i64::MIN;
    check(Value::Null, far, &far.to_string(), &signed(far), "time");
}

#[test]
fn secrets_are_where_both_sides_say() {
    let contributed = json!({"topic": "a", "signature": {"scheme": "hmac-sha256", "secret": "hook.secret"}});
    let check =
        |config: Value, granted: &[&str], expected: &str| match with_config(contributed.clone(), &config, granted) {
            Ok(webhook) => assert_eq!(found(&webhook, &[("x-hub-signature-256", SIGNATURE)], BODY), expected),
            Err(message) => assert!(message.contains(expected) && !message.contains(SECRET), "{message}"),
        };
    let config = json!({"hook": {"secret": SECRET}});
    check(config.clone(), &["hook"], "fine");
    check(config.clone(), &["hook.secret"], "fine");
    check(config.clone(), &[], "no secret");
    check(config, &["hook.sec", "other"], "no secret");
    check(json!({}), &["hook"], "no secret");
    check(json!({"hook": {"secret": null}}), &["hook"], "no secret");
    check(json!({"hook": {"secret": "other"}}), &["hook"], "signature");
    check(json!({"hook": {"secret": ""}}), &["hook"], "must be a text");
    check(json!({"hook": {"secret": 5}}), &["hook"], "must be a text");
}

#[test]
fn a_refusal_tells_no_secret() {
    let webhook = webhook(json!({"topic": "a", "signature": {"scheme": "gitlab-token", "secret": "hook.secret"}}));
    let refusal = webhook.verify(&headers(&[("x-gitlab-token", "guess")]), BODY, NOW).unwrap_err().to_string();
    assert!(refusal.contains("hook.secret") && !refusal.contains(SECRET) && !refusal.contains("guess"), "{refusal}");
}
