//! All or nothing, one writer, one moment.

use std::sync::Arc;

use callboard_store::{Engine, Error, Row, args, query};
use tokio::task::JoinSet;

use super::support::{Place, create_t, first, on_both, value};

on_both!(
    all_or_nothing_and_readers_do_not_wait,
    what_only_reads_cannot_write,
    after_a_failure_nothing_is_kept,
    one_writer_over_all_handles,
    beside_the_writer,
    dropped_halfway,
    many_at_once,
    statements_are_counted,
);

fn count(rows: &[Row]) -> i64 {
    value(rows)
}

async fn all_or_nothing_and_readers_do_not_wait(place: Place) {
    let db = place.open().await;
    let other = place.open().await;
    create_t(&db).await;
    let select = || query("SELECT count(*) FROM t", args![]);
    let mut tx = db.begin().await.unwrap();
    tx.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap();
    assert_eq!(first::<i64>(&db, select()).await, 0);
    assert_eq!(first::<i64>(&other, select()).await, 0);
    assert_eq!(count(&tx.fetch_all(select()).await.unwrap()), 1);
    drop(tx);
    let mut tx = db.begin().await.unwrap();
    assert_eq!(count(&tx.fetch_all(select()).await.unwrap()), 0);
    tx.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(first::<i64>(&other, select()).await, 1);
    let duplicate = other.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap_err();
    assert!(matches!(duplicate, Error::Duplicate(_)), "{duplicate}");
    // One reading transaction sees one moment.
    let mut read = db.read().await.unwrap();
    assert_eq!(count(&read.fetch_all(select()).await.unwrap()), 1);
    other.execute(query("INSERT INTO t(id) VALUES (2)", args![])).await.unwrap();
    assert_eq!(count(&read.fetch_all(select()).await.unwrap()), 1);
    drop(read);
    assert_eq!(first::<i64>(&db, select()).await, 2);
}

async fn what_only_reads_cannot_write(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let insert = || query("INSERT INTO t(id) VALUES (3)", args![]);
    let mut read = db.read().await.unwrap();
    read.execute(insert()).await.unwrap_err();
    drop(read);
    db.fetch_all(insert()).await.unwrap_err();
    assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM t", args![])).await, 0);
}

async fn after_a_failure_nothing_is_kept(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let mut tx = db.begin().await.unwrap();
    tx.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap();
    tx.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap_err();
    let refused = tx.commit().await.unwrap_err();
    assert!(matches!(refused, Error::Statement(_)), "{refused}");
    assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM t", args![])).await, 0);
    db.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap();
}

/// A counter that is read and written back loses nothing, however many do it.
async fn one_writer_over_all_handles(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    create_t(&one).await;
    one.execute(query("INSERT INTO t(id, i) VALUES (1, 0)", args![])).await.unwrap();
    let mut tasks = JoinSet::new();
    for db in [&one, &two, &one, &two, &one, &two] {
        let db = db.clone();
        tasks.spawn(async move {
            for _ in 0..10 {
                let mut tx = db.begin().await.unwrap();
                let before = count(&tx.fetch_all(query("SELECT i FROM t WHERE id = 1", args![])).await.unwrap());
                tokio::task::yield_now().await;
                tx.execute(query("UPDATE t SET i = $1 WHERE id = 1", args![before + 1])).await.unwrap();
                tx.commit().await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(first::<i64>(&two, query("SELECT i FROM t", args![])).await, 60);
}

/// A request whose client is gone: its future is dropped wherever it was.
async fn dropped_halfway(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    for polls in 0..40 {
        let work = async {
            let mut tx = db.begin().await.unwrap();
            tx.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap();
            tx.fetch_all(query("SELECT count(*) FROM t", args![])).await.unwrap();
            std::future::pending::<()>().await;
        };
        let mut work = Box::pin(work);
        for _ in 0..polls {
            // Lets the driver's own tasks get on, one step at a time.
            assert!(futures_poll(&mut work).await);
            tokio::task::yield_now().await;
        }
        drop(work);
        assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM t", args![])).await, 0, "after {polls} steps");
    }
    db.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap();
}

/// Polls it once; true where it is not done.
async fn futures_poll(work: &mut (impl Future<Output = ()> + Unpin)) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(std::pin::Pin::new(&mut *work).poll(context).is_pending()))
        .await
}

async fn many_at_once(place: Place) {
    let db = Arc::new(place.open().await);
    create_t(&db).await;
    let mut tasks = JoinSet::new();
    for id in 0..200_i64 {
        let db = Arc::clone(&db);
        tasks.spawn(async move {
            match id % 4 {
                0 => drop(db.execute(query("INSERT INTO t(id) VALUES ($1)", args![id])).await.unwrap()),
                1 => {
                    let mut tx = db.read().await.unwrap();
                    tx.fetch_all(query("SELECT id FROM t", args![])).await.unwrap();
                }
                _ => drop(db.fetch_all(query("SELECT id FROM t WHERE id < $1", args![id])).await.unwrap()),
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM t", args![])).await, 50);
}

async fn statements_are_counted(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let (handle, before) = (db.clone(), db.statements());
    let counted = || handle.statements() - before;
    db.fetch_all(query("SELECT id FROM t", args![])).await.unwrap();
    assert_eq!(counted(), 1);
    let mut tx = db.begin().await.unwrap();
    assert_eq!(counted(), 1);
    let rows = (0..3_i64).map(|id| args![id]);
    tx.insert("INSERT INTO t(id) VALUES ", rows, "").await.unwrap();
    tx.fetch_optional(query("SELECT id FROM t", args![])).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(counted(), 3);
    db.execute(query("DELETE FROM t", args![])).await.unwrap();
    assert_eq!(counted(), 4);
}

/// What is written beside the one writer is kept before that one ends, and on SQLite after it.
async fn beside_the_writer(place: Place) {
    let db = place.open().await;
    create_t(&db).await;
    let insert = |id: i64| query("INSERT INTO t(id) VALUES ($1)", args![id]);
    let mut writer = db.begin().await.unwrap();
    writer.execute(insert(1)).await.unwrap();
    let other = db.clone();
    let beside = tokio::spawn(async move {
        let mut tx = other.beside().await.unwrap();
        tx.execute(insert(2)).await.unwrap();
        tx.commit().await.unwrap();
    });
    if db.engine() == Engine::Postgres {
        beside.await.unwrap();
        assert_eq!(first::<i64>(&db, query("SELECT max(id) FROM t", args![])).await, 2);
        writer.commit().await.unwrap();
    } else {
        writer.commit().await.unwrap();
        beside.await.unwrap();
    }
    assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM t", args![])).await, 2);
    // Without a commit nothing of it stays.
    let mut tx = db.beside().await.unwrap();
    tx.execute(insert(3)).await.unwrap();
    drop(tx);
    assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM t", args![])).await, 2);
}
