//! What an operator reads of plugins and of the server while it runs, and who may.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::portal::TestPortal;

const TOKEN: &str = "token-of-the-monitoring";

fn config() -> Value {
    json!({
        "plugins": { "gone": { "source": "gone.wasm", "grant": {} } },
        "backend": { "auth": { "externalAccess": [{
            "type": "static",
            "options": { "token": TOKEN, "subject": "monitoring" },
            "accessRestrictions": [{ "plugin": "metrics" }],
        }] } },
    })
}

async fn with_token(client: &Client, path: &str) -> Answer {
    client.send("GET", path, &[("Authorization", &format!("Bearer {TOKEN}"))], b"").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_never_ran_has_no_numbers() {
    let portal = TestPortal::start(&config(), "").await;
    let guest = portal.signed_in("user:default/guest").await;
    let statistics = guest.get("/api/plugins/gone/statistics").await.json();
    assert_eq!((&statistics["pluginId"], &statistics["since"]), (&json!("gone"), &Value::Null));
    assert_eq!((&statistics["calls"], &statistics["denialCount"]), (&json!([]), &json!(0)));
    let log = guest.get("/api/plugins/gone/log").await.json();
    assert_eq!((&log["lines"], &log["lastFault"]), (&json!([]), &Value::Null));
    for what in ["statistics", "log"] {
        assert_eq!(guest.get(&format!("/api/plugins/none/{what}")).await.status, 404);
        assert_eq!(portal.anonymous().get(&format!("/api/plugins/gone/{what}")).await.status, 401);
        assert_eq!(with_token(&portal.anonymous(), &format!("/api/plugins/gone/{what}")).await.status, 403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugins_words_need_more_than_its_numbers() {
    let rule = json!({ "permission": { "policy": [{ "allow": ["plugin.read"], "to": ["user:default/bob"] },
        { "allow": ["*"], "to": ["user:default/guest"] }] } });
    let mut config = config();
    config.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    let portal = TestPortal::start(&config, "").await;
    let bob = portal.signed_in("user:default/bob").await;
    assert_eq!(bob.get("/api/plugins/gone/statistics").await.status, 200);
    let refused = bob.get("/api/plugins/gone/log").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"]["permission"], "plugin.log.read");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_the_monitoring() {
    let portal = TestPortal::start(&config(), "").await;
    let (nobody, guest) = (portal.anonymous(), portal.signed_in("user:default/guest").await);
    assert_eq!(nobody.get("/metrics").await.status, 401);
    let refused = guest.get("/metrics").await;
    assert_eq!((refused.status, &refused.json()["error"]["permission"]), (403, &json!("metrics.read")));

    guest.get("/api/plugins/none").await;
    guest.get("/api/plugins/none").await;
    nobody.get("/made-up/1").await;
    nobody.send("GET", "/api/made-up/2", &[], b"").await;
    nobody.send("GET", "/api", &[], b"").await;
    let answer = with_token(&nobody, "/metrics").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let text = answer.text();
    let series =
        r#"callboard_http_request_duration_seconds_count{method="GET",route="/api/plugins/{id}",status="404"} 2"#;
    for line in [
        series,
        "# TYPE callboard_plugin_calls counter",
        r#"callboard_catalog_entities{kind="Component"} 2"#,
        r#"route="other",status="404""#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.contains("process_start_time_seconds ") && text.contains("callboard_build_info{version="), "{text}");
    assert!(!text.contains("made-up"), "whoever asks must not choose labels");
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert_eq!(text.matches("# EOF").count(), 1);
    for line in text.lines() {
        let is_series =
            line.rsplit_once(' ').is_some_and(|(name, value)| !name.is_empty() && value.parse::<f64>().is_ok());
        assert!(line.starts_with('#') || is_series, "{line}");
    }
}
