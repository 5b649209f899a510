//! Who of several does a piece of work.

use std::time::Duration;

use callboard_store::{Db, Engine, lease};
use chrono::{TimeDelta, Utc};
use tokio::task::JoinSet;

use super::support::{Place, on_both};

on_both!(a_lease_has_one_holder, one_of_many_wins, whoever_ends_gives_everything_up, a_writer_costs_nobody_a_lease);

async fn a_lease_has_one_holder(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    let start = Utc::now();
    let check = async |holder: &str, after: i64, expected: bool| {
        let now = start + TimeDelta::seconds(after);
        let db = if holder == "a" { &one } else { &two };
        let got = lease::acquire(db, "work", holder, Duration::from_secs(10), now).await.unwrap();
        assert_eq!(got, expected, "{holder} at {after}");
    };
    check("a", 0, true).await;
    check("b", 5, false).await;
    check("a", 8, true).await;
    check("b", 17, false).await;
    check("b", 18, true).await;
    lease::release(&one, "work", "a").await.unwrap();
    check("a", 19, false).await;
    lease::release(&two, "work", "b").await.unwrap();
    check("a", 20, true).await;
}

async fn one_of_many_wins(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    let now = Utc::now();
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let db = if number % 2 == 0 { one.clone() } else { two.clone() };
        let holder = number.to_string();
        tasks.spawn(async move { lease::acquire(&db, "work", &holder, Duration::from_secs(10), now).await.unwrap() });
    }
    let won = tasks.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
}

async fn whoever_ends_gives_everything_up(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    let now = Utc::now();
    let take = async |db: &Db, name: &str, holder: &str| {
        lease::acquire(db, name, holder, Duration::from_secs(10), now).await.unwrap()
    };
    for name in ["a", "b"] {
        assert!(take(&one, name, "one").await);
    }
    assert!(take(&two, "c", "two").await);
    lease::release_all(&one, "one").await.unwrap();
    for name in ["a", "b"] {
        assert!(take(&two, name, "two").await, "{name}");
    }
    assert!(!take(&one, "c", "one").await, "it is somebody else's");
}

/// Whoever holds a lease says so again and again, whatever is being written; on SQLite there is nobody else to say it to.
async fn a_writer_costs_nobody_a_lease(place: Place) {
    let db = place.open().await;
    if db.engine() == Engine::Sqlite {
        return;
    }
    let writer = place.open().await.begin().await.unwrap();
    assert!(lease::acquire(&db, "work", "me", Duration::from_secs(10), Utc::now()).await.unwrap());
    writer.commit().await.unwrap();
}
