//! The contract of the store, on SQLite.
#![allow(
    clippy::unwrap_used,
    reason = "tests may stop at the first surprise; clippy.toml allows it only inside of test functions"
)]

use std::time::Duration;

use callboard_store::kv::{KvError, KvLimits};
use callboard_store::{DatabaseConfig, Db, Error, Kv, Migration, Value, args, lease, migrate, query};
use chrono::{TimeDelta, Utc};

async fn memory() -> Db {
    Db::open(&DatabaseConfig::Memory).await.unwrap()
}

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    let db = memory().await;
    db.execute(query("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", args![])).await.unwrap();
    let values = [
        Value::Null,
        Value::Integer(i64::MIN),
        Value::Real(1.5),
        Value::Text("a'\"; -- \u{1F600}".to_owned()),
        Value::Text(String::new()),
        Value::Blob(vec![0, 255]),
    ];
    for value in &values {
        db.execute(query("INSERT INTO t(v) VALUES ($1)", vec![value.clone()])).await.unwrap();
    }
    let rows = db.fetch_all(query("SELECT v FROM t ORDER BY id", args![])).await.unwrap();
    assert_eq!(rows.len(), values.len());
    assert_eq!(rows[0].get::<Option<i64>>("v").unwrap(), None);
    assert_eq!(rows[1].get::<i64>(0).unwrap(), i64::MIN);
    assert!((rows[2].get::<f64>(0).unwrap() - 1.5).abs() < f64::EPSILON);
    assert_eq!(rows[3].get::<String>(0).unwrap(), "a'\"; -- \u{1F600}");
    assert_eq!(rows[4].get::<String>(0).unwrap(), "");
    assert_eq!(rows[5].get::<Vec<u8>>(0).unwrap(), [0, 255]);
    let wrong = rows[1].get::<String>("v").unwrap_err();
    assert!(wrong.to_string().contains("whole number"), "{wrong}");
    assert!(rows[1].get::<i64>("w").unwrap_err().to_string().contains("is not there"));
}

#[tokio::test]
async fn transactions_are_all_or_nothing_and_readers_do_not_wait() {
    let db = memory().await;
    db.execute(query("CREATE TABLE t(id INTEGER PRIMARY KEY)", args![])).await.unwrap();
    let count = |rows: Vec<callboard_store::Row>| rows[0].get::<i64>(0).unwrap();
    let mut tx = db.begin().await.unwrap();
    tx.execute(query("INSERT INTO t VALUES (1)", args![])).await.unwrap();
    assert_eq!(count(db.fetch_all(query("SELECT count(*) FROM t", args![])).await.unwrap()), 0);
    assert_eq!(count(tx.fetch_all(query("SELECT count(*) FROM t", args![])).await.unwrap()), 1);
    drop(tx);
    let mut tx = db.begin().await.unwrap();
    assert_eq!(count(tx.fetch_all(query("SELECT count(*) FROM t", args![])).await.unwrap()), 0);
    tx.execute(query("INSERT INTO t VALUES (1)", args![])).await.unwrap();
    tx.commit().await.unwrap();
    let duplicate = db.execute(query("INSERT INTO t VALUES (1)", args![])).await.unwrap_err();
    assert!(matches!(duplicate, Error::Duplicate(_)), "{duplicate}");
    // One reading transaction sees one moment.
    let mut read = db.read().await.unwrap();
    assert_eq!(count(read.fetch_all(query("SELECT count(*) FROM t", args![])).await.unwrap()), 1);
    db.execute(query("INSERT INTO t VALUES (2)", args![])).await.unwrap();
    assert_eq!(count(read.fetch_all(query("SELECT count(*) FROM t", args![])).await.unwrap()), 1);
    let written = read.execute(query("INSERT INTO t VALUES (3)", args![])).await;
    assert!(written.is_err());
}

#[tokio::test]
async fn the_file_is_as_the_design_says() {
    let folder = tempfile::tempdir().unwrap();
    let config = DatabaseConfig::File(folder.path().join("data/callboard.sqlite"));
    let db = Db::open(&config).await.unwrap();
    let pragma = async |text: &'static str| db.fetch_all(query(text, args![])).await.unwrap();
    assert_eq!(pragma("PRAGMA journal_mode").await[0].get::<String>(0).unwrap(), "wal");
    assert_eq!(pragma("PRAGMA page_size").await[0].get::<i64>(0).unwrap(), 8192);
    assert_eq!(pragma("PRAGMA synchronous").await[0].get::<i64>(0).unwrap(), 1);
    db.execute(query("CREATE TABLE t(id INTEGER PRIMARY KEY)", args![])).await.unwrap();
    db.close().await;
    let db = Db::open(&config).await.unwrap();
    db.execute(query("INSERT INTO t VALUES (1)", args![])).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Db::open(&DatabaseConfig::File(file.join("callboard.sqlite"))).await.err().unwrap();
    let message = error.to_string();
    assert!(message.contains("file/callboard.sqlite") && message.contains("could not be opened"), "{message}");
}

const ONE: Migration =
    Migration { version: 1, name: "one", sqlite: "CREATE TABLE a(x); CREATE TABLE b(x);", postgres: "" };
const TWO: Migration = Migration { version: 2, name: "two", sqlite: "ALTER TABLE a ADD COLUMN y;", postgres: "" };

#[tokio::test]
async fn migrations_go_forward_only() {
    let db = memory().await;
    migrate(&db, "owner", &[ONE]).await.unwrap();
    migrate(&db, "owner", &[ONE, TWO]).await.unwrap();
    migrate(&db, "owner", &[ONE, TWO]).await.unwrap();
    db.execute(query("INSERT INTO a(x, y) VALUES (1, 2)", args![])).await.unwrap();
    // Somebody else's versions are their own.
    migrate(&db, "other", &[Migration { version: 1, name: "c", sqlite: "CREATE TABLE c(x);", postgres: "" }])
        .await
        .unwrap();

    let newer = migrate(&db, "owner", &[ONE]).await.unwrap_err();
    assert!(matches!(newer, Error::Newer { found: 2, known: 1, .. }), "{newer}");
    assert!(newer.to_string().contains("newer than this version of Callboard"), "{newer}");
    let renamed = Migration { name: "another", ..TWO };
    let foreign = migrate(&db, "owner", &[ONE, renamed]).await.unwrap_err();
    assert!(foreign.to_string().contains("\"two\" there and \"another\" here"), "{foreign}");

    let broken = Migration { version: 3, name: "three", sqlite: "CREATE TABLE d(x); CREATE TABLE a(x);", postgres: "" };
    let failed = migrate(&db, "owner", &[ONE, TWO, broken]).await.unwrap_err();
    assert!(failed.to_string().contains("migration 3 (three) of the owner tables failed"), "{failed}");
    // Nothing of it stays.
    db.execute(query("CREATE TABLE d(x)", args![])).await.unwrap();
}

#[tokio::test]
async fn leases() {
    let db = memory().await;
    let start = Utc::now();
    let check = async |holder: &str, after: i64, expected: bool| {
        let now = start + TimeDelta::seconds(after);
        let got = lease::acquire(&db, "work", holder, Duration::from_secs(10), now).await.unwrap();
        assert_eq!(got, expected, "{holder} at {after}");
    };
    check("a", 0, true).await;
    check("b", 5, false).await;
    check("a", 8, true).await;
    check("b", 17, false).await;
    check("b", 18, true).await;
    lease::release(&db, "work", "a").await.unwrap();
    check("a", 19, false).await;
    lease::release(&db, "work", "b").await.unwrap();
    check("a", 20, true).await;
}

#[tokio::test]
async fn plugins_keep_their_own() {
    let kv = Kv::new(memory().await);
    kv.set("one", "a", b"1").await.unwrap();
    kv.set("two", "a", b"2").await.unwrap();
    kv.set("one", "a/b", b"3").await.unwrap();
    kv.set("one", "a%", b"4").await.unwrap();
    assert_eq!(kv.get("one", "a").await.unwrap().as_deref(), Some(b"1".as_slice()));
    assert_eq!(kv.get("two", "a/b").await.unwrap(), None);
    let check = async |prefix: &str, after: Option<&str>, expected: &[&str]| {
        assert_eq!(kv.keys("one", prefix, after).await.unwrap(), expected, "{prefix} {after:?}");
    };
    check("", None, &["a", "a%", "a/b"]).await;
    check("a", Some("a"), &["a%", "a/b"]).await;
    check("a/", None, &["a/b"]).await;
    check("%", None, &[]).await;
    kv.delete("one", "a").await.unwrap();
    kv.delete("one", "a").await.unwrap();
    assert_eq!(kv.get("one", "a").await.unwrap(), None);
    assert_eq!(kv.get("two", "a").await.unwrap().as_deref(), Some(b"2".as_slice()));
}

#[tokio::test]
async fn plugins_have_quotas() {
    let kv = Kv::with_limits(memory().await, KvLimits { value_bytes: 10, plugin_bytes: 30 });
    kv.set("p", "a", &[0; 10]).await.unwrap();
    assert!(matches!(kv.set("p", "b", &[0; 11]).await, Err(KvError::Value { bytes: 11, limit: 10 })));
    kv.set("p", "b", &[0; 10]).await.unwrap();
    let full = kv.set("p", "c", &[0; 8]).await.unwrap_err();
    assert!(matches!(full, KvError::Full { bytes: 31, limit: 30 }), "{full}");
    kv.set("p", "c", &[0; 7]).await.unwrap();
    // Replacing counts the difference, deleting gives back, and nobody else is concerned.
    kv.set("p", "a", &[0; 10]).await.unwrap();
    kv.set("q", "a", &[0; 10]).await.unwrap();
    kv.delete("p", "b").await.unwrap();
    kv.set("p", "d", &[0; 10]).await.unwrap();
    for key in ["", "a\0b", &"k".repeat(513)] {
        assert!(matches!(kv.set("p", key, b"x").await, Err(KvError::Key(_))), "{key:?}");
        assert!(matches!(kv.get("p", key).await, Err(KvError::Key(_))), "{key:?}");
    }
    kv.delete("p", "a").await.unwrap();
    kv.set("p", &"k".repeat(9), b"x").await.unwrap();
}
