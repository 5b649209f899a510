//! What is kept of what was read.

use std::future::{Future as _, poll_fn};
use std::task::Poll;

use callboard_store::{Engine, Known, Memo, args, query};

use super::support::{Place, create_t, on_both};

on_both!(values_hold_until_something_is_written, nothing_read_before_a_write_is_kept_after_it);

fn memo() -> Memo<&'static str, i64> {
    Memo::new(1024, |_, _| 1)
}

async fn values_hold_until_something_is_written(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let memo = memo();
    let Known::Nothing(seen) = memo.get(&db, &"a") else { panic!("there is nothing yet") };
    assert_eq!(seen.is_some(), db.engine() == Engine::Sqlite, "other replicas write to PostgreSQL");
    memo.keep("a", seen, 1);
    let known = |memo: &Memo<&'static str, i64>| matches!(memo.get(&db, &"a"), Known::Value(1));
    assert_eq!(known(&memo), db.engine() == Engine::Sqlite);
    // What is taken back is no write.
    let mut tx = db.begin().await.unwrap();
    tx.execute(query("INSERT INTO t(id) VALUES ($1)", args![1])).await.unwrap();
    drop(tx);
    assert_eq!(known(&memo), db.engine() == Engine::Sqlite);
    let mut tx = db.begin().await.unwrap();
    tx.execute(query("INSERT INTO t(id) VALUES ($1)", args![1])).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!known(&memo));
}

async fn nothing_read_before_a_write_is_kept_after_it(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let memo = memo();
    let Known::Nothing(seen) = memo.get(&db, &"a") else { panic!("there is nothing yet") };
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
    assert!(matches!(memo.get(&db, &"a"), Known::Nothing(_)));
}
