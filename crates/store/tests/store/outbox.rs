//! What happened is told to those who want to know: once it is kept, at least once, and under the same name each time.

use std::collections::BTreeSet;
use std::time::Duration;

use callboard_store::limits::{DEAD, DELIVERIES_CLAIMED, RECEIVED, WAITING};
use callboard_store::outbox::{Backlog, CHANNEL, Delivery, NewEvent, Settled, Subscription, Tried, Which};
use callboard_store::{Db, Engine, Notification, Outbox};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinSet;

use super::support::{Place, on_both};

on_both!(
    nobody_wants_it_and_nothing_is_written,
    kept_with_what_it_tells_of,
    subscriptions_outlive_the_process,
    of_a_lane_one_after_the_other,
    a_claim_is_one_s_own_until_it_ends,
    many_claim_and_each_gets_its_own,
    what_was_tried_goes_alone,
    a_batch_has_a_size,
    the_dead_are_kept_and_come_back,
    what_came_before_is_known,
    nothing_is_kept_for_ever,
);

const CLAIM: Duration = Duration::from_secs(60);
const ALL: usize = usize::MAX;

fn now() -> DateTime<Utc> {
    // As the tables have it.
    DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap()
}

fn event(group: &str, lane: Option<&str>, payload: &str) -> NewEvent {
    let payload = format!("\"{payload}\"");
    NewEvent { group: group.to_owned(), lane: lane.map(str::to_owned), headers: None, payload }
}

fn subscription(subscriber: &str, topic: &str, groups: &[&str]) -> Subscription {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    Subscription { subscriber: subscriber.to_owned(), topic: topic.to_owned(), groups }
}

async fn publish(db: &Db, events: &[NewEvent]) {
    let mut tx = db.begin().await.unwrap();
    tx.publish("t", events, now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// An outbox with one subscriber, to whom these are told.
async fn outbox(place: &Place, events: &[NewEvent]) -> (Db, Outbox) {
    let db = place.open().await;
    db.subscribe(vec![subscription("a", "t", &[])]).await.unwrap();
    publish(&db, events).await;
    (db.clone(), Outbox::new(db))
}

async fn claim(outbox: &Outbox, tried: Tried, at: DateTime<Utc>) -> Vec<Delivery> {
    outbox.claim("a", tried, ALL, CLAIM, at).await.unwrap()
}

fn payloads(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery.payload.trim_matches('"')).collect()
}

async fn settle(outbox: &Outbox, deliveries: &[Delivery], settled: Settled, at: DateTime<Utc>) {
    let outcomes: Vec<_> = deliveries.iter().map(|delivery| (delivery.name, settled.clone())).collect();
    outbox.settle(&outcomes, at).await.unwrap();
}

fn again(due: DateTime<Utc>) -> Settled {
    Settled::Again { due, error: "it was away".to_owned() }
}

async fn nobody_wants_it_and_nothing_is_written(place: Place) {
    let db = place.open().await;
    db.subscribe(vec![subscription("a", "other", &[]), subscription("b", "t", &["api"])]).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    assert!(tx.is_wanted("t") && !tx.is_wanted("T") && !tx.is_wanted("nothing"));
    let before = db.statements();
    tx.publish("t", &[event("component", None, "x")], now()).await.unwrap();
    tx.publish("nothing", &[event("api", None, "x")], now()).await.unwrap();
    assert_eq!(db.statements(), before, "nobody is asked for it");
    tx.commit().await.unwrap();
    assert_eq!(Outbox::new(db).backlog("b").await.unwrap(), Backlog::default());
}

async fn kept_with_what_it_tells_of(place: Place) {
    let (db, outbox) = outbox(&place, &[]).await;
    let mut heard = db.notifications(CHANNEL);
    assert_eq!(heard.next().await, Some(Notification::Missed));
    let mut tx = db.begin().await.unwrap();
    tx.publish("t", &[event("api", None, "rolled back")], now()).await.unwrap();
    drop(tx);
    assert_eq!(payloads(&claim(&outbox, Tried::Not, now()).await), [""; 0]);
    let happened = now();
    let mut tx = db.begin().await.unwrap();
    let headers = Some("{\"x\":\"y\"}".to_owned());
    tx.publish("t", &[NewEvent { headers: headers.clone(), ..event("api", None, "kept") }], happened).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(heard.next().await, Some(Notification::Payload("a".to_owned())));
    let found = claim(&outbox, Tried::Not, now()).await;
    assert_eq!(payloads(&found), ["kept"]);
    let Delivery { subscriber, topic, headers: kept, created_at, attempts, .. } = &found[0];
    assert_eq!((subscriber.as_str(), topic.as_str(), kept, *attempts), ("a", "t", &headers, 0));
    assert_eq!(*created_at, happened);
    settle(&outbox, &found, Settled::Delivered, now()).await;
    assert_eq!(outbox.backlog("a").await.unwrap(), Backlog::default());
}

async fn subscriptions_outlive_the_process(place: Place) {
    let db = place.open().await;
    let wanted = vec![subscription("a", "t", &["api", "group"]), subscription("b", "t", &[])];
    db.subscribe(vec![wanted[1].clone(), wanted[0].clone()]).await.unwrap();
    assert_eq!(*db.subscriptions(), wanted);
    let other = place.open().await;
    assert_eq!(*other.subscriptions(), wanted);
    other.subscribe(vec![wanted[1].clone()]).await.unwrap();
    assert_eq!(*place.open().await.subscriptions(), wanted[1..]);
    // What waits for one who does not want more is still theirs.
    publish(&db, &[event("api", None, "x")]).await;
    db.subscribe(Vec::new()).await.unwrap();
    assert_eq!(Outbox::new(db).backlog("a").await.unwrap(), Backlog { waiting: 1, dead: 0 });
}

async fn of_a_lane_one_after_the_other(place: Place) {
    let events = [
        event("api", Some("one"), "1"),
        event("api", Some("two"), "a"),
        event("api", Some("one"), "2"),
        event("api", None, "x"),
        event("api", None, "y"),
    ];
    let (_, outbox) = outbox(&place, &events).await;
    let at = now();
    let first = claim(&outbox, Tried::Not, at).await;
    assert_eq!(payloads(&first), ["1", "a", "x", "y"], "2 is behind 1");
    assert_eq!(payloads(&claim(&outbox, Tried::Not, at).await), [""; 0]);
    settle(&outbox, &first[..1], again(at + TimeDelta::seconds(5)), at).await;
    settle(&outbox, &first[1..], Settled::Delivered, at).await;
    // As long as 1 waits, 2 does.
    assert_eq!(payloads(&claim(&outbox, Tried::Not, at).await), [""; 0]);
    assert_eq!(outbox.next_due("a", at).await.unwrap(), Some(at + TimeDelta::seconds(5)));
    let later = at + TimeDelta::seconds(5);
    assert_eq!(payloads(&claim(&outbox, Tried::Not, later).await), [""; 0]);
    let once_more = claim(&outbox, Tried::Before, later).await;
    assert_eq!((payloads(&once_more), once_more[0].attempts), (vec!["1"], 1));
    assert_eq!(once_more[0].name, first[0].name, "the name stays");
    settle(&outbox, &once_more, Settled::Dead { error: "no".to_owned() }, later).await;
    assert_eq!(payloads(&claim(&outbox, Tried::Not, later).await), ["2"], "one that is given up holds nobody up");
    assert_eq!(outbox.next_due("a", later).await.unwrap(), None);
}

async fn a_claim_is_one_s_own_until_it_ends(place: Place) {
    let (db, dies) = outbox(&place, &[event("api", None, "x")]).await;
    let at = now();
    let lost = claim(&dies, Tried::Not, at).await;
    let heir = Outbox::new(place.open().await);
    assert_eq!(payloads(&claim(&heir, Tried::Not, at + TimeDelta::seconds(59)).await), [""; 0]);
    let found = claim(&heir, Tried::Not, at + TimeDelta::seconds(60)).await;
    assert_eq!((payloads(&found), found[0].name), (vec!["x"], lost[0].name));
    // What the first one says about it now counts for nothing.
    settle(&dies, &lost, Settled::Delivered, at).await;
    settle(&dies, &lost, Settled::Dead { error: "late".to_owned() }, at).await;
    assert_eq!(heir.backlog("a").await.unwrap(), Backlog { waiting: 1, dead: 0 });
    // One that ends in order leaves nothing behind that would have to be waited for.
    heir.let_go().await.unwrap();
    let next = Outbox::new(db.clone());
    assert_eq!(payloads(&claim(&next, Tried::Not, at).await), ["x"]);
    // A file belongs to one process, so that the next one need not wait either.
    let successor = Outbox::new(db.clone());
    successor.take_over().await.unwrap();
    let expected: &[&str] = if db.engine() == Engine::Sqlite { &["x"] } else { &[] };
    assert_eq!(payloads(&claim(&successor, Tried::Not, at).await), expected);
}

async fn many_claim_and_each_gets_its_own(place: Place) {
    let events: Vec<NewEvent> = (0..450).map(|number| event("api", None, &number.to_string())).collect();
    let (_, one) = outbox(&place, &events).await;
    let two = Outbox::new(place.open().await);
    let at = now();
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let outbox = if number % 2 == 0 { one.clone() } else { two.clone() };
        tasks.spawn(async move { claim(&outbox, Tried::Not, at).await });
    }
    let mut seen = BTreeSet::new();
    for found in tasks.join_all().await {
        assert!(found.len() <= usize::try_from(DELIVERIES_CLAIMED).unwrap());
        for delivery in found {
            assert!(seen.insert(delivery.name), "{:?} was claimed twice", delivery.name);
        }
    }
    // Whoever came while others were at the rows may have found none; nothing is lost.
    loop {
        let rest = claim(&one, Tried::Not, at).await;
        if rest.is_empty() {
            break;
        }
        seen.extend(rest.iter().map(|delivery| delivery.name));
    }
    assert_eq!(seen.len(), events.len());
}

async fn what_was_tried_goes_alone(place: Place) {
    let events: Vec<NewEvent> = ["a", "b", "c"].map(|payload| event("api", None, payload)).to_vec();
    let (_, outbox) = outbox(&place, &events).await;
    let at = now();
    let batch = claim(&outbox, Tried::Not, at).await;
    assert_eq!(batch.len(), 3);
    settle(&outbox, &batch, Settled::Back { due: at, alone: true }, at).await;
    assert_eq!(payloads(&claim(&outbox, Tried::Not, at).await), [""; 0]);
    for expected in ["a", "b", "c"] {
        let one = claim(&outbox, Tried::Before, at).await;
        assert_eq!((payloads(&one), one[0].attempts), (vec![expected], 0), "a turn that was none is not counted");
    }
    outbox.let_go().await.unwrap();
    let one = claim(&outbox, Tried::Before, at).await;
    settle(&outbox, &one, Settled::Back { due: at + TimeDelta::hours(1), alone: false }, at).await;
    assert_eq!(payloads(&claim(&outbox, Tried::Before, at).await), ["b"], "once alone, always alone");
}

async fn a_batch_has_a_size(place: Place) {
    let events: Vec<NewEvent> = [40, 40, 40, 500, 3].map(|size| event("api", None, &"x".repeat(size - 2))).to_vec();
    let (_, outbox) = outbox(&place, &events).await;
    let at = now();
    for expected in [vec![40, 40], vec![40], vec![500], vec![3]] {
        let found = outbox.claim("a", Tried::Not, 100, CLAIM, at).await.unwrap();
        let sizes: Vec<usize> = found.iter().map(|delivery| delivery.payload.len()).collect();
        assert_eq!(sizes, expected);
    }
}

async fn the_dead_are_kept_and_come_back(place: Place) {
    let events: Vec<NewEvent> = ["a", "b", "c"].map(|payload| event("api", None, payload)).to_vec();
    let (db, outbox) = outbox(&place, &events).await;
    let at = now();
    let batch = claim(&outbox, Tried::Not, at).await;
    settle(&outbox, &batch, Settled::Dead { error: "no\0pe".to_owned() }, at).await;
    assert_eq!(outbox.backlog("a").await.unwrap(), Backlog { waiting: 0, dead: 3 });
    let first = outbox.dead_letters(Some("a"), None, 2).await.unwrap();
    let shown = |letters: &[callboard_store::outbox::DeadLetter]| {
        letters.iter().map(|letter| letter.payload.clone()).collect::<Vec<_>>()
    };
    assert_eq!(shown(&first), ["\"c\"", "\"b\""]);
    assert_eq!((first[0].error.as_str(), first[0].died_at, first[0].attempts), ("no\u{fffd}pe", at, 1));
    let rest = outbox.dead_letters(None, Some(first[1].name), 2).await.unwrap();
    assert_eq!(shown(&rest), ["\"a\""]);
    assert_eq!(outbox.dead_letters(Some("b"), None, 2).await.unwrap(), []);
    // One comes back, one goes, and of somebody else's there are none.
    let mut heard = db.notifications(CHANNEL);
    assert_eq!(heard.next().await, Some(Notification::Missed));
    assert_eq!(outbox.revive(&Which::One(batch[0].name), at).await.unwrap(), 1);
    assert_eq!(heard.next().await, Some(Notification::Payload("a".to_owned())));
    assert_eq!(outbox.revive(&Which::One(batch[0].name), at).await.unwrap(), 0, "it is not dead any more");
    assert_eq!(outbox.discard(&Which::One(batch[0].name)).await.unwrap(), 0);
    assert_eq!(outbox.discard(&Which::One(batch[1].name)).await.unwrap(), 1);
    assert_eq!(outbox.revive(&Which::Of("b".to_owned()), at).await.unwrap(), 0);
    let once_more = claim(&outbox, Tried::Before, at).await;
    assert_eq!((once_more[0].name, once_more[0].attempts), (batch[0].name, 0));
    assert_eq!(outbox.discard(&Which::Of("a".to_owned())).await.unwrap(), 1);
    assert_eq!(outbox.backlog("a").await.unwrap(), Backlog { waiting: 1, dead: 0 });
}

async fn what_came_before_is_known(place: Place) {
    let (_, outbox) = outbox(&place, &[]).await;
    let at = now();
    let check = async |topic: &str, marks: &[&str], at: DateTime<Utc>, expected: bool| {
        let marks: BTreeSet<String> = marks.iter().map(|mark| (*mark).to_owned()).collect();
        let found = outbox.receive("a", topic, &marks, &event("", None, "x"), at).await.unwrap();
        assert_eq!(found, expected, "{topic} {marks:?}");
    };
    check("hook", &["id:1", "body:1"], at, true).await;
    check("hook", &["id:1", "body:1"], at, false).await;
    check("hook", &["id:2", "body:1"], at, false).await;
    check("hook", &["id:1", "body:2"], at, false).await;
    // What was refused left no mark.
    check("hook", &["id:2", "body:2"], at, true).await;
    check("other", &["id:1", "body:1"], at, true).await;
    check("hook", &["id:1", "body:1"], at + RECEIVED, true).await;
    check("hook", &["id:1", "body:1"], at + RECEIVED, false).await;
    assert_eq!(outbox.backlog("a").await.unwrap().waiting, 4);
    // Of many at once, one is taken.
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let outbox = outbox.clone();
        tasks.spawn(async move {
            let marks = BTreeSet::from(["id:many".to_owned(), "body:many".to_owned()]);
            outbox.receive("a", "hook", &marks, &event("", None, "many"), at).await.unwrap()
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|taken| *taken).count(), 1);
}

async fn nothing_is_kept_for_ever(place: Place) {
    let (_, outbox) = outbox(&place, &[event("api", None, "x")]).await;
    let marks = BTreeSet::from(["id:1".to_owned()]);
    let at = now();
    assert!(outbox.receive("b", "hook", &marks, &event("", None, "y"), at).await.unwrap());
    let over = at + WAITING + TimeDelta::seconds(5);
    outbox.upkeep(over - TimeDelta::seconds(10)).await.unwrap();
    assert_eq!(outbox.backlog("a").await.unwrap(), Backlog { waiting: 1, dead: 0 });
    outbox.upkeep(over).await.unwrap();
    assert_eq!(outbox.backlog("a").await.unwrap(), Backlog { waiting: 0, dead: 1 });
    let letters = outbox.dead_letters(Some("a"), None, 1).await.unwrap();
    assert!(letters[0].error.contains("waited for 7 days"), "{}", letters[0].error);
    // Tried again, it waits anew.
    assert_eq!(outbox.revive(&Which::Of("a".to_owned()), over).await.unwrap(), 1);
    outbox.upkeep(over).await.unwrap();
    assert_eq!(outbox.backlog("a").await.unwrap(), Backlog { waiting: 1, dead: 0 });
    outbox.upkeep(over + DEAD).await.unwrap();
    assert_eq!(outbox.backlog("b").await.unwrap(), Backlog::default());
}
