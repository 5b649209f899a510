//! What is written, by many at once.

use std::collections::BTreeSet;

use callboard::audit::{AuditError, AuditLog, Entry, Filter, SEVERAL};
use callboard_model::api::{AuditDecision, AuditEntry};
use callboard_store::{Db, Engine};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinSet;

use super::support::{Place, ROWS, all, entry, fill, on_both, verify};

on_both!(
    what_a_row_says,
    many_at_once_make_one_chain,
    attempts_that_are_alike_are_one_row,
    odd_texts_are_kept_as_far_as_they_can_be,
    filters_and_pages,
    more_rows_than_are_read_at_once,
    a_database_without_a_log,
);

async fn what_a_row_says(place: Place) {
    let (_, log) = place.open().await;
    let before = Utc::now() - TimeDelta::milliseconds(1);
    fill(&log).await;
    let rows = all(&log).await;
    let [first, second, third, end, denied] = rows.as_slice() else { panic!("{rows:?}") };
    let at: DateTime<Utc> = first.at.parse().unwrap();
    assert!(before <= at && at <= Utc::now(), "{}", first.at);
    let expected = AuditEntry {
        seq: 1,
        at: first.at.clone(),
        actor: "user:default/ada".to_owned(),
        credential: "session".to_owned(),
        permission: "catalog.entity.delete".to_owned(),
        method: "DELETE".to_owned(),
        path: "/a".to_owned(),
        resource: Some("component:default/a".to_owned()),
        remote: Some("10.0.0.7".to_owned()),
        decision: AuditDecision::Allowed,
        rule: "default".to_owned(),
        request_id: "00ff00ff".to_owned(),
        count: 1,
        follows: None,
        status: None,
        previous: "0".repeat(64),
        hash: first.hash.clone(),
    };
    assert_eq!(first, &expected);
    assert_eq!((second.path.as_str(), second.status, second.previous.as_str()), ("/ä\n\"", None, first.hash.as_str()));
    assert_eq!(third.actor, "user:default/bob");
    let again = AuditEntry { follows: Some(2), status: Some(404), seq: 4, ..second.clone() };
    let again = AuditEntry { at: end.at.clone(), previous: end.previous.clone(), hash: end.hash.clone(), ..again };
    assert_eq!(end, &again, "the end of a change says again what it was");
    assert_eq!((denied.decision, denied.count, denied.follows), (AuditDecision::Denied, 1, None));
    assert_eq!((denied.resource.as_ref(), denied.remote.as_ref()), (None, None));
}

async fn many_at_once_make_one_chain(place: Place) {
    const TASKS: u64 = 8;
    const EACH: u64 = 12;
    let (db, log) = place.open().await;
    // On PostgreSQL two replicas, on SQLite two logs of the one process.
    let other = match db.engine() {
        Engine::Postgres => place.open().await.1,
        Engine::Sqlite => AuditLog::open(db).await.unwrap(),
    };
    let recorders = [log.start(), other.start()];
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let log = if task % 2 == 0 { log.clone() } else { other.clone() };
        tasks.spawn(async move {
            let mut rows = Vec::new();
            for number in 0..EACH {
                let begun = log.allowed(entry(&format!("user:default/{task}"), &format!("/{number}"))).await.unwrap();
                rows.push(begun.seq());
                begun.ended(if number % 2 == 0 { 200 } else { 500 });
                log.denied(entry(&format!("user:default/{task}"), "/denied"));
            }
            assert!(rows.is_sorted(), "what one does after the other is in this order: {rows:?}");
            rows
        });
    }
    let rows: BTreeSet<u64> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(rows.len() as u64, TASKS * EACH, "each has a row of its own");
    for recorder in recorders {
        recorder.finish().await;
    }
    assert_eq!(verify(&log, None).await, None);
    let entries = all(&log).await;
    let count = |wanted: fn(&AuditEntry) -> bool| -> u64 {
        entries.iter().filter(|entry| wanted(entry)).map(|entry| entry.count).sum()
    };
    assert_eq!(count(|entry| entry.status.is_some()), TASKS * EACH / 2);
    assert_eq!(count(|entry| entry.decision == AuditDecision::Denied), TASKS * EACH);
}

async fn attempts_that_are_alike_are_one_row(place: Place) {
    let (_, log) = place.open().await;
    let recorder = log.start();
    for number in 0..1_000 {
        log.denied(Entry { request_id: number.to_string(), ..entry("anonymous", "/a") });
    }
    for number in 0..1_000 {
        log.denied(entry("user:default/eve", &format!("/{number}")));
    }
    recorder.finish().await;
    assert_eq!(verify(&log, None).await, None);
    let entries = all(&log).await;
    let of = |actor: &str| entries.iter().filter(|entry| entry.actor == actor).collect::<Vec<_>>();
    let sum = |entries: &[&AuditEntry]| entries.iter().map(|entry| entry.count).sum::<u64>();
    let alike = of("anonymous");
    // The first may be written before the others come.
    assert!(alike.len() <= 2 && sum(&alike) == 1_000, "{alike:?}");
    assert_eq!(alike[0].request_id, "0");
    let different = of("user:default/eve");
    assert!(different.len() <= 2 * (callboard::audit::KINDS + 1) && sum(&different) == 1_000, "{}", different.len());
    assert!(different.iter().any(|entry| entry.path == SEVERAL && entry.method == SEVERAL), "{different:?}");
}

/// No request is too odd to be recorded: otherwise its change would be refused, or its denial forgotten.
async fn odd_texts_are_kept_as_far_as_they_can_be(place: Place) {
    let (_, log) = place.open().await;
    let long = "ä".repeat(100_000);
    for text in ["", "\0", "a\0b", "\u{202e}\u{feff}\u{7f}\r\n\t\u{1}", "'; DROP TABLE audit; --", "\u{10ffff}", &long]
    {
        let odd = Entry {
            actor: text.to_owned(),
            credential: text.to_owned(),
            permission: text.to_owned(),
            method: text.to_owned(),
            path: text.to_owned(),
            resource: Some(text.to_owned()),
            remote: Some(text.to_owned()),
            rule: text.to_owned(),
            request_id: text.to_owned(),
        };
        log.allowed(odd.clone()).await.unwrap().ended(200);
        log.denied(odd);
        log.start().finish().await;
        assert_eq!(verify(&log, None).await, None);
        let newest = log.newest(&Filter::default(), None, 2).await.unwrap();
        let kept = text.replace('\0', "\u{fffd}");
        for entry in newest {
            let fields = [Some(&entry.path), entry.resource.as_ref(), Some(&entry.actor), entry.remote.as_ref()];
            for field in fields.into_iter().flatten() {
                let whole = *field == kept;
                let begins =
                    field.strip_suffix('…').is_some_and(|start| kept.starts_with(start) && start.len() == 1_000);
                assert!(whole || begins, "{} bytes", field.len());
            }
        }
    }
}

async fn filters_and_pages(place: Place) {
    let (_, log) = place.open().await;
    fill(&log).await;
    let check = async |filter: Filter, expected: &[u64]| {
        let newest = log.newest(&filter, None, 100).await.unwrap();
        let mut found: Vec<u64> = newest.iter().map(|entry| entry.seq).collect();
        found.reverse();
        assert_eq!(found, expected, "{filter:?}");
        let oldest = log.oldest(&filter, 0, u64::MAX, 100).await.unwrap();
        assert_eq!(oldest.iter().map(|entry| entry.seq).collect::<Vec<_>>(), expected, "{filter:?}");
        // One at a time, both ways.
        let mut before = None;
        for seq in expected.iter().rev() {
            let page = log.newest(&filter, before, 1).await.unwrap();
            assert_eq!(page.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [*seq], "{filter:?} before {before:?}");
            before = Some(*seq);
        }
        assert!(log.newest(&filter, Some(expected.first().copied().unwrap_or(1)), 1).await.unwrap().is_empty());
        let after = expected.last().copied().unwrap_or(ROWS);
        assert!(log.oldest(&filter, after, u64::MAX, 1).await.unwrap().is_empty());
        let until_third = expected.iter().filter(|seq| **seq <= 3).count();
        assert_eq!(log.oldest(&filter, 0, 3, 100).await.unwrap().len(), until_third, "{filter:?}");
    };
    let some = |text: &str| Some(text.to_owned());
    let any = Filter::default;
    check(any(), &[1, 2, 3, 4, 5]).await;
    check(Filter { actor: some("user:default/ada"), ..any() }, &[1]).await;
    check(Filter { actor: some("push:ci"), ..any() }, &[2, 4]).await;
    check(Filter { actor: some("push:CI"), ..any() }, &[]).await;
    check(Filter { actor: some("%"), ..any() }, &[]).await;
    check(Filter { permission: some("catalog.entity.delete"), ..any() }, &[1, 2, 3, 4, 5]).await;
    for (pattern, matches) in [
        ("*", true),
        ("catalog.*", true),
        ("*.delete", true),
        ("catalog.*.delete", true),
        ("c*delete", true),
        ("Catalog.*", false),
        ("catalog.", false),
        ("catalog_entity.*", false),
        ("catalog%", false),
        ("[c]atalog.*", false),
        ("?atalog.*", false),
        ("*.read", false),
    ] {
        let expected: &[u64] = if matches { &[1, 2, 3, 4, 5] } else { &[] };
        check(Filter { permission: some(pattern), ..any() }, expected).await;
    }
    check(Filter { decision: Some(AuditDecision::Denied), ..any() }, &[5]).await;
    check(Filter { decision: Some(AuditDecision::Allowed), ..any() }, &[1, 2, 3, 4]).await;
    check(Filter { resource: some("component:default/c"), ..any() }, &[3]).await;
    check(Filter { resource: some("component:default"), ..any() }, &[]).await;
    check(Filter { path: some("/"), ..any() }, &[1, 2, 3, 4, 5]).await;
    check(Filter { path: some("/ä"), ..any() }, &[2, 4]).await;
    check(Filter { path: some("/ä\n\""), ..any() }, &[2, 4]).await;
    check(Filter { path: some("/ä\n\"b"), ..any() }, &[]).await;
    check(Filter { path: some("/C"), ..any() }, &[]).await;
    check(Filter { path: some("%"), ..any() }, &[]).await;
    let third: DateTime<Utc> = all(&log).await[2].at.parse().unwrap();
    let far = TimeDelta::days(1);
    check(Filter { since: Some(third - far), until: Some(third + far), ..any() }, &[1, 2, 3, 4, 5]).await;
    check(Filter { since: Some(third + far), ..any() }, &[]).await;
    check(Filter { until: Some(third - far), ..any() }, &[]).await;
    let now = Filter { since: Some(third), until: Some(third + TimeDelta::milliseconds(1)), ..any() };
    assert!(log.newest(&now, None, 10).await.unwrap().iter().any(|entry| entry.seq == 3), "the first moment counts");
    let before = Filter { until: Some(third), ..any() };
    assert!(log.newest(&before, None, 10).await.unwrap().iter().all(|entry| entry.seq != 3), "the last one does not");
    let both = Filter { actor: some("push:ci"), path: some("/"), decision: Some(AuditDecision::Allowed), ..any() };
    check(both, &[2, 4]).await;
}

async fn more_rows_than_are_read_at_once(place: Place) {
    let (db, log) = place.open().await;
    fill(&log).await;
    // Much is denied to a thousand people at once.
    for number in 0..1_200 {
        log.denied(entry(&format!("user:default/{}", number % 600), &format!("/{}", number / 600)));
    }
    log.start().finish().await;
    let head = log.head().await.unwrap();
    assert_eq!(head.seq, ROWS + 1_200);
    assert_eq!(verify(&log, Some(&head)).await, None);
    remove(&db, 1_100).await;
    assert_eq!(verify(&log, None).await, Some((1_100, callboard::audit::Fault::Missing)));
}

async fn remove(db: &Db, seq: i64) {
    use callboard_store::{args, query};
    db.execute(query("DELETE FROM audit WHERE seq = $1", args![seq])).await.unwrap();
}

/// To look is not to change: a command that only reads makes no tables.
async fn a_database_without_a_log(place: Place) {
    let db = Db::open(&place.config).await.unwrap();
    for _ in 0..2 {
        let absent = AuditLog::existing(db.clone()).await.err().unwrap();
        assert!(matches!(absent, AuditError::Absent), "{absent}");
    }
    AuditLog::open(db.clone()).await.unwrap();
    let log = AuditLog::existing(db).await.unwrap();
    assert_eq!(log.head().await.unwrap().seq, 0);
    assert_eq!(verify(&log, None).await, None, "an empty log is whole");
}
