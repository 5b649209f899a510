//! What is kept of what was read.

use std::future::{Future as _, poll_fn};
use std::task::Poll;

use callboard_store::{Db, Engine, Memo, Seen, args, query};

use super::support::{Place, create_t, on_both};

on_both!(values_hold_until_something_is_written, nothing_read_before_a_write_is_kept_after_it);

fn memo() -> Memo<&'static str, i64> {
    Memo::new(1024, |_, _| 1)
}

async fn write(db: &Db, id: i64) {
    let mut tx = db.begin().await.unwrap();
    tx.execute(query("INSERT INTO t(id) VALUES ($1)", args![id])).await.unwrap();
    tx.commit().await.unwrap();
}

/// Keeps 1 until it is found again. At once, unless somebody wrote in between: other tests do, in the same PostgreSQL.
async fn keep(db: &Db, memo: &Memo<&'static str, i64>) {
    for _ in 0..1_000 {
        let seen = Seen::now(db).await.unwrap();
        match memo.at(&seen, &"a") {
            Some(value) => return assert_eq!(value, 1),
            None => memo.keep("a", seen, 1),
        }
    }
    panic!("nothing is ever kept");
}

async fn is_known(db: &Db, memo: &Memo<&'static str, i64>) -> bool {
    let seen = Seen::now(db).await.unwrap();
    memo.at(&seen, &"a").is_some()
}

async fn values_hold_until_something_is_written(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let memo = memo();
    keep(&db, &memo).await;
    // What is taken back is no write.
    let mut tx = db.begin().await.unwrap();
    tx.execute(query("INSERT INTO t(id) VALUES ($1)", args![1])).await.unwrap();
    drop(tx);
    if db.engine() == Engine::Sqlite {
        assert!(is_known(&db, &memo).await);
    }
    keep(&db, &memo).await;
    write(&db, 1).await;
    assert!(!is_known(&db, &memo).await);
}

/// A SQLite file belongs to one program.
#[tokio::test]
async fn what_another_replica_wrote_is_seen_at_once() {
    let place = Place::on(Engine::Postgres);
    let db = place.open().await;
    create_t(&db).await;
    let other = place.open().await;
    let memo = memo();
    for id in 0..100 {
        keep(&db, &memo).await;
        write(&other, id).await;
        assert!(!is_known(&db, &memo).await);
    }
}

async fn nothing_read_before_a_write_is_kept_after_it(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let memo = memo();
    let seen = Seen::now(&db).await.unwrap();
    // Whoever begins a write and no longer waits for its end has written nevertheless.
    let mut tx = db.begin().await.unwrap();
    tx.execute(query("INSERT INTO t(id) VALUES ($1)", args![1])).await.unwrap();
    let mut commit = Box::pin(tx.commit());
    poll_fn(|context| {
        // One look may already find it done.
        let _ = commit.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
    drop(commit);
    // The one writer's place is free again once it is kept.
    drop(db.begin().await.unwrap());
    memo.keep("a", seen, 1);
    assert!(!is_known(&db, &memo).await);
}
