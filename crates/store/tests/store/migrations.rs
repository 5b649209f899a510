//! Forward only, and all or nothing.

use callboard_store::{Error, Migration, args, migrate, query};
use tokio::task::JoinSet;

use super::support::{Place, first, on_both};

on_both!(forward_only, what_fails_leaves_nothing, with_rows_in_the_tables, together);

const ONE: Migration = Migration {
    version: 1,
    name: "one",
    sqlite: "CREATE TABLE a(x INTEGER); CREATE TABLE b(x INTEGER);",
    postgres: "CREATE TABLE a(x BIGINT); CREATE TABLE b(x BIGINT);",
};
const TWO: Migration = Migration {
    version: 2,
    name: "two",
    sqlite: "ALTER TABLE a ADD COLUMN y INTEGER;",
    postgres: "ALTER TABLE a ADD COLUMN y BIGINT;",
};
const BROKEN: Migration = Migration {
    version: 3,
    name: "three",
    sqlite: "UPDATE a SET y = 7; CREATE TABLE d(x INTEGER); CREATE TABLE a(x INTEGER);",
    postgres: "UPDATE a SET y = 7; CREATE TABLE d(x BIGINT); CREATE TABLE a(x BIGINT);",
};

async fn forward_only(place: Place) {
    let db = place.open().await;
    migrate(&db, "owner", &[ONE]).await.unwrap();
    migrate(&db, "owner", &[ONE, TWO]).await.unwrap();
    migrate(&db, "owner", &[ONE, TWO]).await.unwrap();
    db.execute(query("INSERT INTO a(x, y) VALUES (1, 2)", args![])).await.unwrap();
    // Somebody else's versions are their own.
    let other = Migration {
        version: 1,
        name: "c",
        sqlite: "CREATE TABLE c(x INTEGER);",
        postgres: "CREATE TABLE c(x BIGINT);",
    };
    migrate(&db, "other", &[other]).await.unwrap();

    let newer = migrate(&db, "owner", &[ONE]).await.unwrap_err();
    assert!(matches!(newer, Error::Newer { found: 2, known: 1, .. }), "{newer}");
    assert!(newer.to_string().contains("newer than this version of Callboard"), "{newer}");
    let renamed = Migration { name: "another", ..TWO };
    let foreign = migrate(&db, "owner", &[ONE, renamed]).await.unwrap_err();
    assert!(foreign.to_string().contains("\"two\" there and \"another\" here"), "{foreign}");
}

async fn what_fails_leaves_nothing(place: Place) {
    let db = place.open().await;
    migrate(&db, "owner", &[ONE, TWO]).await.unwrap();
    db.execute(query("INSERT INTO a(x, y) VALUES (1, 2)", args![])).await.unwrap();
    let failed = migrate(&db, "owner", &[ONE, TWO, BROKEN]).await.unwrap_err();
    assert!(failed.to_string().contains("migration 3 (three) of the owner tables failed"), "{failed}");
    assert_eq!(first::<i64>(&db, query("SELECT y FROM a", args![])).await, 2);
    migrate(&db, "owner", &[ONE, TWO]).await.unwrap();
    let mended = Migration { sqlite: "CREATE TABLE d(x INTEGER);", postgres: "CREATE TABLE d(x BIGINT);", ..BROKEN };
    migrate(&db, "owner", &[ONE, TWO, mended]).await.unwrap();
}

async fn with_rows_in_the_tables(place: Place) {
    let db = place.open().await;
    migrate(&db, "owner", &[ONE]).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    tx.insert("INSERT INTO a(x) VALUES ", (0..10_000).map(|x| args![x]), "").await.unwrap();
    tx.commit().await.unwrap();
    migrate(&db, "owner", &[ONE, TWO]).await.unwrap();
    assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM a WHERE y IS NULL", args![])).await, 10_000);
}

/// To open a new file takes it for oneself alone for a moment, and whoever comes in that moment waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_is_opened_by_several_at_once() {
    for _ in 0..100 {
        let place = std::sync::Arc::new(Place::on(callboard_store::Engine::Sqlite));
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let place = std::sync::Arc::clone(&place);
            tasks.spawn(async move { place.open().await.close().await });
        }
        tasks.join_all().await;
    }
}

/// Replicas that start at the same moment.
async fn together(place: Place) {
    let mut tasks = JoinSet::new();
    let place = std::sync::Arc::new(place);
    for _ in 0..4 {
        let place = std::sync::Arc::clone(&place);
        tasks.spawn(async move {
            let db = place.open().await;
            migrate(&db, "owner", &[ONE, TWO]).await.unwrap();
            db.execute(query("INSERT INTO a(x, y) VALUES (1, 2)", args![])).await.unwrap();
        });
    }
    tasks.join_all().await;
    let db = place.open().await;
    assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM a", args![])).await, 4);
}
