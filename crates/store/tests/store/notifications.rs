//! What is told is heard, once it is kept.

use callboard_store::{Db, Engine, Error, Notification, Notifications};

use super::support::{Place, on_both};

on_both!(
    told_when_it_is_kept,
    said_twice_is_heard_once,
    what_cannot_be_told,
    who_comes_later_looks_once,
    closing_ends_it,
    one_too_slow_is_told_so,
);

const CHANNEL: &str = "queue";

fn payload(text: &str) -> Option<Notification> {
    Some(Notification::Payload(text.to_owned()))
}

async fn tell(db: &Db, payloads: &[&str]) {
    let mut tx = db.begin().await.unwrap();
    for payload in payloads {
        tx.notify(CHANNEL, payload).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn listen(db: &Db) -> Notifications {
    let mut heard = db.notifications(CHANNEL);
    assert_eq!(heard.next().await, Some(Notification::Missed), "the first thing is to look");
    heard
}

async fn told_when_it_is_kept(place: Place) {
    let db = place.open().await;
    let mut heard = listen(&db).await;
    let mut elsewhere = db.notifications("elsewhere");
    assert_eq!(elsewhere.next().await, Some(Notification::Missed));
    let mut tx = db.begin().await.unwrap();
    tx.notify(CHANNEL, "rolled back").await.unwrap();
    drop(tx);
    tell(&db, &["", "1", "ä\u{1F600}'\"$1"]).await;
    assert_eq!(heard.next().await, payload(""));
    assert_eq!(heard.next().await, payload("1"));
    assert_eq!(heard.next().await, payload("ä\u{1F600}'\"$1"));
    let mut tx = db.begin().await.unwrap();
    tx.notify("elsewhere", "x").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(elsewhere.next().await, payload("x"), "a channel hears its own");
    if db.engine() == Engine::Postgres {
        let other = place.open().await;
        let mut there = listen(&other).await;
        tell(&db, &["from one"]).await;
        assert_eq!(there.next().await, payload("from one"));
        tell(&other, &["from the other"]).await;
        assert_eq!(heard.next().await, payload("from one"));
        assert_eq!(heard.next().await, payload("from the other"));
    }
}

async fn said_twice_is_heard_once(place: Place) {
    let db = place.open().await;
    let mut heard = listen(&db).await;
    tell(&db, &["a", "b", "a"]).await;
    tell(&db, &["a"]).await;
    for expected in ["a", "b", "a"] {
        assert_eq!(heard.next().await, payload(expected));
    }
}

async fn what_cannot_be_told(place: Place) {
    let db = place.open().await;
    let mut tx = db.begin().await.unwrap();
    assert!(matches!(tx.notify(CHANNEL, "a\0").await, Err(Error::Nul)));
    drop(tx);
    let mut tx = db.begin().await.unwrap();
    tx.notify(CHANNEL, &"x".repeat(1024)).await.unwrap();
    assert!(matches!(tx.notify(CHANNEL, &"x".repeat(1025)).await, Err(Error::Statement(_))));
}

async fn who_comes_later_looks_once(place: Place) {
    let db = place.open().await;
    let mut first = listen(&db).await;
    let mut second = listen(&db).await;
    tell(&db, &["x"]).await;
    assert_eq!(first.next().await, payload("x"));
    assert_eq!(second.next().await, payload("x"));
}

async fn closing_ends_it(place: Place) {
    let db = place.open().await;
    let mut heard = listen(&db).await;
    db.close().await;
    assert_eq!(heard.next().await, None);
    assert!(db.begin().await.is_err());
}

async fn one_too_slow_is_told_so(place: Place) {
    let db = place.open().await;
    let mut slow = listen(&db).await;
    let mut quick = listen(&db).await;
    let many: Vec<String> = (0..300).map(|number| number.to_string()).collect();
    tell(&db, &many.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // Where the last one is heard, all before it were told.
    while quick.next().await != payload("299") {}
    assert_eq!(slow.next().await, Some(Notification::Missed));
    assert!(matches!(slow.next().await, Some(Notification::Payload(_))));
}
