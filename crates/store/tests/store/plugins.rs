//! What is decided about plugins.

use callboard_store::kv::Kept;
use callboard_store::plugins::{CHANNEL, Decided, Decisions, Generation, MadeOf, Report, State};
use callboard_store::{Db, Kv, Notification};
use chrono::{TimeDelta, Utc};

use super::support::{Place, on_both};

on_both!(
    an_upgrade_works_on_a_copy,
    what_failed_leaves_nothing,
    the_way_back,
    the_same_component_keeps_what_it_kept,
    a_trial_that_was_cut_off,
    old_generations_are_forgotten,
    switches_and_components,
    replicas_say_what_they_run,
);

fn made_of(version: &str) -> MadeOf {
    MadeOf {
        wish: format!("wish {version}"),
        source: "p.wasm".to_owned(),
        version: version.to_owned(),
        digest: format!("sha256:{version}"),
        rights: "{}".to_owned(),
        limits: "null".to_owned(),
    }
}

/// Tries and accepts a version.
async fn upgrade(decisions: &Decisions, version: &str) -> Generation {
    let tried = decisions.begin("p", &made_of(version), "app-config").await.unwrap();
    decisions.accept("p", &tried).await.unwrap();
    tried
}

async fn decided(decisions: &Decisions) -> Decided {
    decisions.all().await.unwrap().remove("p").unwrap_or_default()
}

fn kept(db: &Db, generation: &Generation) -> Kept {
    Kv::new(db.clone()).of("p", generation.kv)
}

async fn value(db: &Db, generation: &Generation) -> Option<String> {
    let value = kept(db, generation).get("key").await.unwrap();
    value.map(|value| String::from_utf8(value).unwrap())
}

fn states(decided: &Decided) -> Vec<(i64, &'static str)> {
    decided.generations.iter().map(|generation| (generation.number, generation.state.name())).collect()
}

async fn an_upgrade_works_on_a_copy(place: Place) {
    let db = place.open().await;
    let decisions = Decisions::new(db.clone());
    // What an older version of the portal kept.
    Kv::new(db.clone()).of("p", 0).set("key", b"old").await.unwrap();
    let one = upgrade(&decisions, "1.0.0").await;
    assert_eq!((one.number, one.kv), (1, 0));
    let two = decisions.begin("p", &made_of("1.1.0"), "app-config").await.unwrap();
    assert_eq!(value(&db, &two).await.as_deref(), Some("old"));
    kept(&db, &two).set("key", b"new").await.unwrap();
    assert_eq!(value(&db, &one).await.as_deref(), Some("old"), "the one that runs does not see the trial");
    decisions.accept("p", &two).await.unwrap();
    let three = upgrade(&decisions, "1.2.0").await;
    assert_eq!(value(&db, &three).await.as_deref(), Some("new"));
    assert_eq!(value(&db, &two).await.as_deref(), Some("new"), "the way back keeps its own");
    assert_eq!(value(&db, &one).await, None, "and what was before that is forgotten");
    let found = decided(&decisions).await;
    assert_eq!(states(&found), [(3, "accepted"), (2, "previous"), (1, "past")]);
    assert_eq!(found.accepted().unwrap().made_of, made_of("1.2.0"));
}

async fn what_failed_leaves_nothing(place: Place) {
    let db = place.open().await;
    let decisions = Decisions::new(db.clone());
    let first = decisions.begin("p", &made_of("0.9.0"), "app-config").await.unwrap();
    decisions.fail("p", &first, "no").await.unwrap();
    assert_eq!(decided(&decisions).await.accepted(), None);
    let one = upgrade(&decisions, "1.0.0").await;
    kept(&db, &one).set("key", b"one").await.unwrap();
    let two = decisions.begin("p", &made_of("2.0.0"), "user:default/ann").await.unwrap();
    kept(&db, &two).set("key", b"two").await.unwrap();
    decisions.fail("p", &two, "it trapped:\0unreachable").await.unwrap();
    assert_eq!(value(&db, &two).await, None);
    assert_eq!(value(&db, &one).await.as_deref(), Some("one"));
    let found = decided(&decisions).await;
    assert_eq!(states(&found), [(3, "failed"), (2, "accepted"), (1, "failed")]);
    assert_eq!(found.last().unwrap().reason, "it trapped:\u{fffd}unreachable");
    assert_eq!(found.last().unwrap().decided_by, "user:default/ann");
}

async fn the_way_back(place: Place) {
    let db = place.open().await;
    let decisions = Decisions::new(db.clone());
    assert_eq!(decisions.roll_back("p", 0, "portal", "").await.unwrap(), None);
    let one = upgrade(&decisions, "1.0.0").await;
    kept(&db, &one).set("key", b"one").await.unwrap();
    assert_eq!(decisions.roll_back("p", one.number, "portal", "").await.unwrap(), None, "there is nothing before it");
    let two = upgrade(&decisions, "2.0.0").await;
    kept(&db, &two).set("key", b"two").await.unwrap();
    assert_eq!(decisions.roll_back("p", one.number, "portal", "").await.unwrap(), None, "somebody decided meanwhile");
    let back = decisions.roll_back("p", two.number, "portal", "it trapped").await.unwrap().unwrap();
    assert_eq!((back.number, back.made_of.version.as_str()), (3, "1.0.0"));
    assert_eq!(back.made_of.wish, made_of("2.0.0").wish, "so that what was given up is not tried again by itself");
    assert_eq!(value(&db, &back).await.as_deref(), Some("one"));
    assert_eq!(value(&db, &two).await, None);
    let found = decided(&decisions).await;
    assert_eq!(states(&found), [(3, "accepted"), (2, "rolled-back"), (1, "past")]);
    assert_eq!(found.generations[1].reason, "it trapped");
    assert_eq!(decisions.roll_back("p", back.number, "portal", "").await.unwrap(), None, "it does not go to and fro");
}

async fn the_same_component_keeps_what_it_kept(place: Place) {
    let db = place.open().await;
    let decisions = Decisions::new(db.clone());
    let one = upgrade(&decisions, "1.0.0").await;
    kept(&db, &one).set("key", b"one").await.unwrap();
    let narrower = MadeOf { rights: r#"{"log":true}"#.to_owned(), ..made_of("1.0.0") };
    let two = decisions.begin("p", &narrower, "app-config").await.unwrap();
    assert_eq!(two.kv, one.kv);
    decisions.fail("p", &two, "no").await.unwrap();
    assert_eq!(value(&db, &one).await.as_deref(), Some("one"));
    let three = decisions.begin("p", &narrower, "app-config").await.unwrap();
    decisions.accept("p", &three).await.unwrap();
    decisions.roll_back("p", three.number, "portal", "").await.unwrap().unwrap();
    assert_eq!(value(&db, &one).await.as_deref(), Some("one"));
}

async fn a_trial_that_was_cut_off(place: Place) {
    let db = place.open().await;
    let decisions = Decisions::new(db.clone());
    let one = upgrade(&decisions, "1.0.0").await;
    kept(&db, &one).set("key", b"one").await.unwrap();
    let cut = decisions.begin("p", &made_of("2.0.0"), "app-config").await.unwrap();
    let again = decisions.begin("p", &made_of("2.0.0"), "app-config").await.unwrap();
    assert_eq!(value(&db, &cut).await, None);
    assert_eq!(value(&db, &again).await.as_deref(), Some("one"));
    assert_eq!(states(&decided(&decisions).await), [(3, "trial"), (2, "failed"), (1, "accepted")]);
}

async fn old_generations_are_forgotten(place: Place) {
    let decisions = Decisions::new(place.open().await);
    for number in 0..30 {
        decisions.keep_artifact(&format!("sha256:1.0.{number}"), b"component", "[]").await.unwrap();
        upgrade(&decisions, &format!("1.0.{number}")).await;
    }
    let found = decided(&decisions).await;
    assert!((20..=22).contains(&found.generations.len()), "{}", found.generations.len());
    for (number, expected) in [(29, true), (28, true), (27, false), (0, false)] {
        let artifact = decisions.artifact(&format!("sha256:1.0.{number}")).await.unwrap();
        assert_eq!(artifact.is_some(), expected, "{number}");
    }
}

async fn switches_and_components(place: Place) {
    let db = place.open().await;
    let decisions = Decisions::new(db.clone());
    let mut heard = db.notifications(CHANNEL);
    assert_eq!(heard.next().await, Some(Notification::Missed));
    decisions.switch("p", false, "user:default/ann").await.unwrap();
    assert_eq!(heard.next().await, Some(Notification::Payload("p".to_owned())));
    assert_eq!(decided(&decisions).await.switch, Some((false, "user:default/ann".to_owned())));
    decisions.switch("p", true, "user:default/bob").await.unwrap();
    assert_eq!(decided(&decisions).await.switch, Some((true, "user:default/bob".to_owned())));
    decisions.keep_artifact("sha256:a", b"one", "[]").await.unwrap();
    decisions.keep_artifact("sha256:a", b"two", "[1]").await.unwrap();
    assert_eq!(decisions.artifact("sha256:a").await.unwrap(), Some((b"one".to_vec(), "[1]".to_owned())));
    assert_eq!(decisions.artifact("sha256:b").await.unwrap(), None);
}

async fn replicas_say_what_they_run(place: Place) {
    let decisions = Decisions::new(place.open().await);
    let report =
        |generation| Report { plugin: "p".to_owned(), generation, state: "running".to_owned(), reason: String::new() };
    let (now, minute) = (Utc::now(), TimeDelta::minutes(1));
    decisions.report("a", &[report(1)], now - minute * 3, now - minute * 4).await.unwrap();
    decisions.report("b", &[report(1)], now, now - minute * 4).await.unwrap();
    decisions.report("b", &[report(2)], now, now - minute * 4).await.unwrap();
    let found = decisions.reports(now - minute * 4).await.unwrap();
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        [("a".to_owned(), vec![report(1)]), ("b".to_owned(), vec![report(2)])]
    );
    // One that is silent is gone.
    assert_eq!(decisions.reports(now - minute).await.unwrap().len(), 1);
    decisions.leave("b").await.unwrap();
    assert_eq!(decisions.reports(now - minute).await.unwrap().len(), 0);
    assert_eq!(State::RolledBack.name(), "rolled-back");
}
