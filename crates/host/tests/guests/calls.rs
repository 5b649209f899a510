//! Faults of a guest: each costs one call, is named, and leaves the host and every other plugin as they were.

use std::time::{Duration, Instant};

use callboard_host::{ErrorKind, GuestError, LimitOverrides, Limits, Plugin, PluginError};
use callboard_model::api::PluginState;
use serde_json::json;

use crate::fixture::{Fixture, attack, nobody, shared_cache, spec};

/// The deadline of the fixture's UI calls, and what a loaded machine may add to it.
const DEADLINE: Duration = Duration::from_secs(2);
const SLACK: Duration = Duration::from_secs(2);

async fn check(name: &str, kind: ErrorKind, message: &str) {
    let fixture = Fixture::new().await;
    let plugin = fixture.load(name).await;
    let bystander = fixture.load("read_env").await;
    let started = Instant::now();
    let (result, beside) = tokio::join!(attack(&plugin), attack(&bystander));
    let error = result.expect_err(name);
    assert!(started.elapsed() < DEADLINE + SLACK, "{name} took {:?}", started.elapsed());
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(message), "{error}");
    assert_eq!((error.plugin.as_str(), error.extension_point, error.function), (plugin.id(), "ui", "render"));
    beside.expect("another plugin goes on");
    // The other way in ends the same way.
    let error = plugin.read(&nobody(), plugin.id(), None).await.expect_err(name);
    assert_eq!((error.kind, error.extension_point, error.function), (kind, "entity-provider", "read"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_ends_at_its_deadline() {
    check("loop_forever", ErrorKind::Deadline, "did not answer within 2s").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn host_calls_without_end_end_at_the_deadline() {
    check("host_call_flood", ErrorKind::Deadline, "did not answer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_capped() {
    check("memory_bomb", ErrorKind::Memory, "bytes of memory, may have 67108864 bytes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recursion_is_capped() {
    check("recursion", ErrorKind::Stack, "too deeply").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_told_in_its_own_words() {
    check("panic", ErrorKind::Trap, "the guest says no").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_ends_a_call_and_nothing_else() {
    check("exit", ErrorKind::Trap, "called exit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn giant_output_does_not_cross() {
    check("giant_output", ErrorKind::TooMuchData, "more than 16777216 bytes at once").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trees_are_bounded() {
    let fixture = Fixture::new().await;
    for name in ["deep_tree", "huge_tree"] {
        let plugin = fixture.load(name).await;
        let error = attack(&plugin).await.expect_err(name);
        assert_eq!(error.kind, ErrorKind::Output, "{error}");
        assert!(error.message.contains("may have at most 1048576"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn environment_and_input_are_empty() {
    let fixture = Fixture::new().await;
    let plugin = fixture.load("read_env").await;
    assert_eq!(attack(&plugin).await.unwrap(), "variables [], arguments [], input \"\" Ok(0)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_log_is_dropped_and_no_fault() {
    let fixture = Fixture::new().await;
    let plugin = fixture.load("log_flood").await;
    assert_eq!(attack(&plugin).await.unwrap(), "flooded");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_other_plugins_are_out_of_reach() {
    let fixture = Fixture::new().await;
    fixture.kv.of("victim", 0).set("secret", b"canary").await.unwrap();
    let plugin = fixture.load("other_plugin_kv").await;
    let seen = attack(&plugin).await.unwrap();
    let canary = format!("{:?}", b"canary");
    assert!(!seen.contains(&canary) && !seen.contains("canary"), "{seen}");
    assert!(seen.contains("all: Ok([])"), "{seen}");
    assert!(seen.contains("long: Err(Invalid(") && seen.contains("large: Err(TooLarge("), "{seen}");
    assert_eq!(fixture.kv.of("victim", 0).get("secret").await.unwrap().as_deref(), Some(b"canary".as_slice()));
    assert_eq!(fixture.kv.of("victim", 0).keys("", None).await.unwrap(), ["secret"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_suspend_the_plugin_alone() {
    let fixture = Fixture::new().await;
    let mut suspended_early = spec("panic", json!({}));
    suspended_early.limits = LimitOverrides {
        faults_before_suspension: Some(2),
        first_suspension: Some(Duration::from_millis(300)),
        ..LimitOverrides::default()
    };
    let plugin = fixture.host.load(suspended_early).await.unwrap();
    let other = fixture.load("read_env").await;
    let kind = async |plugin: &Plugin| attack(plugin).await.map_err(|error| error.kind);
    assert_eq!(kind(&plugin).await, Err(ErrorKind::Trap));
    assert_eq!(plugin.state(), PluginState::Running);
    assert_eq!(kind(&plugin).await, Err(ErrorKind::Trap));
    assert_eq!(plugin.state(), PluginState::Suspended);
    let error = attack(&plugin).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Suspended { .. }), "{error}");
    assert!(error.message.contains("the guest says no"), "{error}");
    assert!(plugin.suspension().unwrap().reason.contains("the guest says no"));
    attack(&other).await.expect("another plugin goes on");

    // When it is over, one more fault is enough, and the pause is longer.
    let over = Instant::now() + Duration::from_secs(10);
    while plugin.state() == PluginState::Suspended {
        assert!(Instant::now() < over, "the suspension does not end");
        tokio::task::yield_now().await;
    }
    assert_eq!(kind(&plugin).await, Err(ErrorKind::Trap));
    assert!(plugin.suspension().unwrap().remaining > Duration::from_millis(300));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_reports_is_no_fault() {
    let fixture = Fixture::new().await;
    let plugin = fixture.load("read_env").await;
    for _ in 0..10 {
        let error: PluginError = plugin.read(&nobody(), "read-env", None).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Guest(GuestError::Other { code: "outcome".to_owned() }));
    }
    assert_eq!(plugin.state(), PluginState::Running);
    let providers = plugin.providers(&nobody()).await.unwrap();
    assert_eq!(providers.iter().map(|provider| provider.name.as_str()).collect::<Vec<_>>(), ["read-env"]);
    let error = plugin.render(&nobody(), "nothing", &callboard_model::ui::Input::default()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotThere);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_beyond_the_limit_wait_and_then_give_up() {
    let limits = Limits {
        ui_deadline: Duration::from_millis(500),
        concurrent_calls: 2,
        faults_before_suspension: 100,
        ..Limits::default()
    };
    let fixture = Fixture::with(limits, &shared_cache()).await;
    let plugin = fixture.load("loop_forever").await;
    let results = futures::future::join_all((0..8).map(|_| attack(&plugin))).await;
    let count = |wanted: fn(&ErrorKind) -> bool| {
        results.iter().filter(|result| result.as_ref().is_err_and(|error| wanted(&error.kind))).count()
    };
    let stopped = count(|kind| *kind == ErrorKind::Deadline);
    let busy = count(|kind| *kind == ErrorKind::Busy);
    assert_eq!((stopped, busy), (2, 6), "{results:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_leaves_nothing_to_the_next() {
    let fixture = Fixture::new().await;
    let plugin = fixture.load("memory_bomb").await;
    let quiet = fixture.load("read_env").await;
    for _ in 0..4 {
        assert_eq!(attack(&plugin).await.unwrap_err().kind, ErrorKind::Memory);
        assert_eq!(attack(&quiet).await.unwrap(), "variables [], arguments [], input \"\" Ok(0)");
    }
}
