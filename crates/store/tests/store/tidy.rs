//! Giving back the room of rows that are gone.

use std::time::{Duration, Instant};

use callboard_store::{Db, args, query};

use super::support::{Place, on_both};

on_both!(what_is_gone_takes_no_room);

async fn what_is_gone_takes_no_room(place: Place) {
    let db = place.open().await;
    db.execute(query("CREATE TABLE \"T 1\"(id BIGINT, t TEXT)", args![])).await.unwrap();
    let rows = (0..5_000).map(|id| args![id, "x".repeat(100)]);
    let mut tx = db.begin().await.unwrap();
    tx.insert("INSERT INTO \"T 1\"(id, t) VALUES ", rows, "").await.unwrap();
    tx.commit().await.unwrap();
    if db.engine() == callboard_store::Engine::Sqlite {
        return db.tidy().await.unwrap();
    }
    assert!(bytes(&db).await > 500_000);
    // What is left is at the end, where it holds the room before it.
    db.execute(query("DELETE FROM \"T 1\" WHERE id < 4990", args![])).await.unwrap();
    // The server tells what was written only a moment later.
    let begun = Instant::now();
    while bytes(&db).await > 8_192 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{} bytes are left of ten rows", bytes(&db).await);
        db.tidy().await.unwrap();
    }
    let left = db.fetch_all(query("SELECT id FROM \"T 1\"", args![])).await.unwrap();
    assert_eq!(left.len(), 10);
}

async fn bytes(db: &Db) -> i64 {
    let size = query("SELECT pg_relation_size('\"T 1\"')", args![]);
    db.fetch_optional(size).await.unwrap().unwrap().get(0).unwrap()
}
