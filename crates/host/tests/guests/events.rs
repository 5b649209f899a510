//! Subscribers: what happened reaches them as it is, what they answer is checked, and the secret of a webhook stays with the
//! host.

use std::time::{Duration, Instant};

use callboard_host::{ErrorKind, GuestError, Limits, Plugin, PluginError, Refusal};
use callboard_model::events::{CATALOG_ENTITY, Event, EventOutcome};
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::fixture::{Fixture, nobody, shared_cache, spec};

const SECRET: &str = "a secret of the test's";
const DEADLINE: Duration = Duration::from_secs(1);

async fn fixture() -> Fixture {
    Fixture::with(Limits { event_deadline: DEADLINE, ..Limits::default() }, &shared_cache()).await
}

fn config() -> Value {
    json!({ "hook": { "secret": SECRET } })
}

fn event(id: &str, topic: &str, payload: Value) -> Event {
    Event {
        delivery_id: id.to_owned(),
        topic: topic.to_owned(),
        attempt: 1,
        time: "2026-11-21T10:00:00.000Z".to_owned(),
        headers: [("x-github-event".to_owned(), "push".to_owned())].into(),
        payload,
    }
}

async fn kept(fixture: &Fixture, key: &str) -> Option<String> {
    let value = fixture.kv.of("good-subscriber", 0).get(key).await.unwrap();
    value.map(|value| String::from_utf8(value).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_reaches_the_guest() {
    let fixture = fixture().await;
    let plugin = fixture.load_with("good_subscriber", config()).await;
    assert_eq!(plugin.extension_points(), ["event-subscriber"]);
    let topics = callboard_host::topics(plugin.manifest(), plugin.effective());
    assert_eq!(topics.iter().map(|topic| topic.topic.as_str()).collect::<Vec<_>>(), [CATALOG_ENTITY]);
    assert_eq!(topics[0].kinds, ["component"]);
    let change = json!({ "change": "added", "entityRef": "component:default/a", "uid": "u", "version": "v" });
    let events = [
        event("1-a", CATALOG_ENTITY, change),
        event("2-b", "hook", json!({ "word": "hello" })),
        event("3-c", "hook", json!({ "word": "later" })),
        event("4-d", "hook", json!({ "word": "broken" })),
        event("5-e", CATALOG_ENTITY, json!({ "change": "exploded" })),
        event("6-f", "other", json!(null)),
    ];
    let outcomes = plugin.on_events(&nobody(), &events).await.unwrap();
    let [
        EventOutcome::Ok,
        EventOutcome::Ok,
        EventOutcome::Retry(retry),
        EventOutcome::Dead(one),
        EventOutcome::Dead(two),
        EventOutcome::Dead(three),
    ] = outcomes.as_slice()
    else {
        panic!("{outcomes:?}")
    };
    assert!(retry.reason.contains("attempt 1") && retry.after_ms.is_none(), "{retry:?}");
    assert!(one.reason.contains("nobody could take this"), "{one:?}");
    assert!(two.reason.contains("5-e (catalog.entity)"), "{two:?}");
    assert!(three.reason.contains("nobody asked for other"), "{three:?}");
    assert_eq!(kept(&fixture, "entity component:default/a").await.unwrap(), "Added u true denied\n");
    assert_eq!(kept(&fixture, "webhook 2-b").await.unwrap(), "hook hello x-github-event=push\n");
}

/// Hands one event to the hostile subscriber, beside another one that nothing is wrong with.
async fn attack(word: &str) -> Result<Vec<EventOutcome>, PluginError> {
    let fixture = fixture().await;
    let plugin = fixture.load_with("hostile_subscriber", config()).await;
    let events = [event("1-a", "hostile", json!({ "word": word })), event("2-b", "hostile", json!({ "word": "" }))];
    let begun = Instant::now();
    let outcomes = plugin.on_events(&nobody(), &events).await;
    assert!(begun.elapsed() < DEADLINE * 10, "{word} took {:?}", begun.elapsed());
    // And the next one is none the worse for it.
    let fine = plugin.on_events(&nobody(), &events[1..]).await.unwrap();
    assert_eq!(fine, [EventOutcome::Ok], "{word}");
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_checked() {
    for (word, kind, part) in [
        ("panic", ErrorKind::Trap, "the subscriber says no"),
        ("loop-forever", ErrorKind::Deadline, "within 1s"),
        ("error", ErrorKind::Guest(GuestError::Unavailable), "the upstream is away"),
        ("no-json", ErrorKind::Output, "not a JSON list of outcomes"),
        ("deep-answer", ErrorKind::Output, "not a JSON list of outcomes"),
        ("giant-output", ErrorKind::TooMuchData, "handed over more than"),
        ("too-many", ErrorKind::Output, "handed 2 events and answered with 3"),
        ("none", ErrorKind::Output, "answered with 0"),
        ("other-word", ErrorKind::Output, "unknown variant"),
    ] {
        let error = attack(word).await.expect_err(word);
        assert_eq!(error.kind, kind, "{word}: {error}");
        assert!(error.message.contains(part), "{word}: {error}");
        assert!(!error.message.contains('\u{1b}'), "{word}: {error:?}");
        assert_eq!((error.extension_point, error.function), ("event-subscriber", "on-events"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_are_short_and_plain() {
    for (word, most) in [("wide-reason", 2_100), ("coloured-reason", 100)] {
        let outcomes = attack(word).await.unwrap();
        let EventOutcome::Dead(dead) = &outcomes[0] else { panic!("{outcomes:?}") };
        assert!(dead.reason.len() < most && !dead.reason.contains(['\u{1b}', '\n', '\r']), "{:?}", dead.reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_does_not_cross() {
    let fixture = fixture().await;
    let plugin = fixture.load_with("hostile_subscriber", config()).await;
    let large = event("1-a", "hostile", json!("x".repeat(5 * 1024 * 1024)));
    let error = plugin.on_events(&nobody(), &[large]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input);
    assert!(error.message.contains("at most 4194304"), "{error}");
}

fn signed(body: &[u8]) -> HeaderMap {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(body).finalize().into_bytes();
    let pairs = [
        ("x-hub-signature-256", format!("sha256={}", hex::encode(mac))),
        ("x-github-delivery", "1".to_owned()),
        ("x-gitlab-token", SECRET.to_owned()),
        ("x-gitlab-event-uuid", "2".to_owned()),
    ];
    let header =
        |(name, value): (&'static str, String)| (HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
    pairs.into_iter().map(header).collect()
}

fn is_taken(plugin: &Plugin, topic: &str) -> Result<(), Refusal> {
    plugin.verify_webhook(topic, &signed(b"{}"), b"{}", 0).map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_needs_grant_and_secret() {
    let fixture = fixture().await;
    let plugin = fixture.load_with("good_subscriber", config()).await;
    assert_eq!(is_taken(&plugin, "hook"), Ok(()));
    assert_eq!(is_taken(&plugin, "token"), Ok(()));
    assert_eq!(is_taken(&plugin, "other"), Err(Refusal::NotThere));
    assert_eq!(is_taken(&plugin, CATALOG_ENTITY), Err(Refusal::NotThere));
    assert!(plugin.has_webhook("hook") && !plugin.has_webhook(CATALOG_ENTITY));

    // Of what is not granted it is not told, and the rest goes on.
    let mut narrow = spec("good_subscriber", config());
    narrow.grant.event_subscriber.topics = vec!["token".to_owned()];
    let plugin = fixture.host.load(narrow).await.unwrap();
    assert_eq!(is_taken(&plugin, "hook"), Err(Refusal::NotThere));
    assert_eq!(is_taken(&plugin, "token"), Ok(()));
    assert_eq!(callboard_host::topics(plugin.manifest(), plugin.effective()), []);

    let mut blind = spec("good_subscriber", config());
    blind.grant.config.clear();
    let plugin = fixture.host.load(blind).await.unwrap();
    assert_eq!(is_taken(&plugin, "hook"), Err(Refusal::NoSecret("hook.secret".to_owned())));
    let plugin = fixture.load_with("good_subscriber", json!({})).await;
    assert_eq!(is_taken(&plugin, "hook"), Err(Refusal::NoSecret("hook.secret".to_owned())));
    let refused = fixture.refused(spec("good_subscriber", json!({ "hook": { "secret": "" } }))).await;
    assert!(refused.contains("hook.secret in app-config must be a text"), "{refused}");
}
