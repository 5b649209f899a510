//! How sessions age, and how their secrets take over from each other, by a clock of our own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use callboard::config::SessionLifetimes;
use callboard::identity::session::secret::OFFERS;
use callboard::identity::session::{Begin, Found};
use callboard::identity::{Clock, Sessions};
use callboard_model::entity_ref::EntityRef;
use callboard_store::{Db, Seen, args, query};
use chrono::{DateTime, Utc};

use crate::portal::empty_database;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

struct Fixture {
    db: Db,
    sessions: Sessions,
    seconds: Arc<AtomicI64>,
}

impl Fixture {
    async fn new() -> Fixture {
        Fixture::with(SessionLifetimes::default()).await
    }

    async fn with(lifetimes: SessionLifetimes) -> Fixture {
        let db = empty_database().await;
        let seconds = Arc::new(AtomicI64::new(1_800_000_000));
        let now = seconds.clone();
        let clock = Clock::of(move || DateTime::from_timestamp(now.load(Ordering::SeqCst), 0).unwrap());
        let sessions = Sessions::open(db.clone(), lifetimes, clock).await.unwrap();
        Fixture { db, sessions, seconds }
    }

    fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.seconds.load(Ordering::SeqCst), 0).unwrap()
    }

    async fn start(&self, name: &str) -> String {
        self.begin(name, None).await
    }

    async fn begin(&self, name: &str, instead_of: Option<&str>) -> String {
        let begin = Begin {
            user: &user(name),
            provider: "development",
            display_name: name,
            user_agent: Some("Browser/1.0"),
            lifetime: None,
            instead_of,
        };
        self.sessions.start(begin).await.unwrap().secret
    }

    async fn find(&self, secret: &str) -> Option<Found> {
        self.sessions.find(secret, Seen::now(&self.db).await.unwrap()).await.unwrap()
    }

    async fn is_in(&self, secret: &str) -> bool {
        self.find(secret).await.is_some()
    }

    /// The secret that comes with the answer, if one does. Whoever asks is signed in.
    async fn offer(&self, secret: &str) -> Option<String> {
        self.find(secret).await.expect("a session").offer.map(|offer| offer.secret)
    }

    async fn count(&self, table: &'static str) -> i64 {
        let mut count = query("SELECT count(*) FROM ", args![]);
        count.push(table);
        self.db.fetch_optional(count).await.unwrap().unwrap().get(0).unwrap()
    }
}

fn user(name: &str) -> EntityRef {
    EntityRef::new("user", "default", name)
}

#[tokio::test]
async fn in_and_out() {
    let test = Fixture::new().await;
    let secret = test.start("ada").await;
    let other = test.start("ada").await;
    assert_ne!(secret, other);
    let found = test.find(&secret).await.expect("a session");
    assert_eq!(found.session.user, user("ada"));
    assert_eq!(
        (found.session.provider.as_str(), found.session.user_agent.as_deref()),
        ("development", Some("Browser/1.0"))
    );
    assert!(!found.session.id.contains(&secret), "the id is no secret");
    assert!(!test.is_in(&found.session.id).await, "the id opens nothing");
    let kept = test.db.fetch_all(query("SELECT sha256 FROM session_secret", args![])).await.unwrap();
    for row in kept {
        let kept: String = row.get(0).unwrap();
        assert!(!test.is_in(&kept).await, "what is kept opens nothing");
    }
    test.sessions.end(&secret).await.unwrap();
    assert!(!test.is_in(&secret).await);
    assert!(test.is_in(&other).await);
    assert_eq!(test.sessions.by_id(&found.session.id).await.unwrap(), None);
}

#[tokio::test]
async fn everywhere_and_elsewhere() {
    let test = Fixture::new().await;
    let (first, second, of_bob) = (test.start("ada").await, test.start("ada").await, test.start("bob").await);
    let id = |found: Option<Found>| found.unwrap().session.id;
    let (first_id, bob_id) = (id(test.find(&first).await), id(test.find(&of_bob).await));
    let of_ada = test.sessions.of_user(&user("ada")).await.unwrap();
    assert_eq!(of_ada.len(), 2);
    assert!(!test.sessions.end_by_id(&user("ada"), &bob_id).await.unwrap(), "the session of somebody else");
    assert!(test.is_in(&of_bob).await);
    assert!(test.sessions.end_by_id(&user("ada"), &first_id).await.unwrap());
    assert!(!test.sessions.end_by_id(&user("ada"), &first_id).await.unwrap());
    assert!(!test.is_in(&first).await && test.is_in(&second).await);
    test.start("ada").await;
    assert_eq!(test.sessions.end_all(&user("ada")).await.unwrap(), 2);
    assert!(!test.is_in(&second).await && test.is_in(&of_bob).await);
    assert_eq!(test.count("session_secret").await, 1, "nothing is left of a session that ended");
}

#[tokio::test]
async fn whoever_signs_in_again_has_one_session() {
    let test = Fixture::new().await;
    let before = test.start("eve").await;
    let after = test.begin("ada", Some(&before)).await;
    assert!(!test.is_in(&before).await, "a session that somebody else began is not gone on with");
    assert_eq!(test.find(&after).await.unwrap().session.user, user("ada"));
    test.begin("ada", Some("nothing")).await;
    assert!(test.is_in(&after).await);
}

#[tokio::test]
async fn idle() {
    let test = Fixture::new().await;
    let secret = test.start("ada").await;
    for _ in 0..5 {
        test.pass(12 * HOUR - 1);
        assert!(test.is_in(&secret).await, "somebody who does something now and then stays");
    }
    assert!(test.is_in(&secret).await);
    test.pass(12 * HOUR);
    assert!(!test.is_in(&secret).await, "also where it was found a moment ago");
    assert_eq!(test.sessions.of_user(&user("ada")).await.unwrap(), []);
    assert_eq!(test.count("session").await, 1);
    test.start("bob").await;
    assert_eq!(test.count("session").await, 1, "what is over is forgotten");
    assert_eq!(test.count("session_secret").await, 1);
}

#[tokio::test]
async fn at_last() {
    let test = Fixture::new().await;
    let secret = test.start("ada").await;
    for _ in 0..7 * 24 - 1 {
        test.pass(HOUR);
        assert!(test.is_in(&secret).await);
    }
    test.pass(HOUR - 1);
    assert!(test.is_in(&secret).await);
    test.pass(1);
    assert!(!test.is_in(&secret).await, "whatever is done with it");

    let short = SessionLifetimes { absolute: Duration::from_secs(600), ..SessionLifetimes::default() };
    let test = Fixture::with(short).await;
    let begin = Begin {
        user: &user("ada"),
        provider: "oidc",
        display_name: "Ada",
        user_agent: None,
        lifetime: Some(Duration::from_secs(60)),
        instead_of: None,
    };
    let secret = test.sessions.start(begin).await.unwrap();
    assert_eq!(secret.seconds, 60);
    let longer = Begin { lifetime: Some(Duration::from_secs(6000)), ..begin };
    assert_eq!(test.sessions.start(longer).await.unwrap().seconds, 600, "a provider does not make it longer");
    test.pass(60);
    assert!(!test.is_in(&secret.secret).await);
}

#[tokio::test]
async fn shorter_lifetimes_hold_for_older_sessions() {
    let test = Fixture::new().await;
    let secret = test.start("ada").await;
    let shorter = SessionLifetimes { absolute: Duration::from_secs(60), ..SessionLifetimes::default() };
    let now = test.now() + chrono::TimeDelta::seconds(60);
    let sessions = Sessions::open(test.db.clone(), shorter, Clock::of(move || now)).await.unwrap();
    assert!(sessions.find(&secret, Seen::now(&test.db).await.unwrap()).await.unwrap().is_none());
}

#[tokio::test]
async fn use_is_written_down_every_five_minutes() {
    let test = Fixture::new().await;
    let secret = test.start("ada").await;
    let seen = async || test.sessions.of_user(&user("ada")).await.unwrap()[0].seen_at;
    let begun = seen().await;
    for _ in 0..4 {
        test.pass(MINUTE);
        assert!(test.is_in(&secret).await);
        assert_eq!(seen().await, begun);
    }
    test.pass(MINUTE);
    assert!(test.is_in(&secret).await);
    assert_eq!(seen().await, test.now());
}

#[tokio::test]
async fn a_new_secret_takes_over() {
    let test = Fixture::new().await;
    let old = test.start("ada").await;
    test.pass(HOUR - 1);
    assert_eq!(test.offer(&old).await, None);
    test.pass(1);
    let new = test.offer(&old).await.expect("a new secret");
    assert_ne!(new, old);
    // Other requests are under way, and go on for as long as nobody came with the new one.
    test.pass(30 * MINUTE);
    assert!(test.is_in(&old).await);
    assert_eq!(test.offer(&new).await, None);
    test.pass(59);
    assert_eq!(test.offer(&old).await, None, "a moment longer, and no offer for it");
    assert!(test.is_in(&new).await);
    let id = test.find(&new).await.unwrap().session.id;
    assert_eq!(test.find(&old).await.unwrap().session.id, id, "it is the same session");
    test.pass(1);
    assert!(!test.is_in(&old).await, "now only somebody who copied it has it");
    assert!(!test.is_in(&new).await, "so the session has ended");
    assert_eq!(test.count("session_secret").await, 0);
}

#[tokio::test]
async fn an_old_secret_long_after() {
    let test = Fixture::new().await;
    let mut secrets = vec![test.start("ada").await];
    for _ in 0..5 {
        test.pass(HOUR);
        let new = test.offer(secrets.last().unwrap()).await.expect("a new secret");
        assert!(test.is_in(&new).await);
        secrets.push(new);
    }
    test.pass(MINUTE);
    assert!(test.is_in(&secrets[5]).await);
    assert!(!test.is_in(&secrets[0]).await, "the first one");
    assert!(!test.is_in(&secrets[5]).await);
}

#[tokio::test]
async fn a_lost_answer_signs_nobody_out() {
    let test = Fixture::new().await;
    let old = test.start("ada").await;
    test.pass(HOUR);
    let mut offers = Vec::new();
    for _ in 0..5 {
        offers.extend(test.offer(&old).await);
        assert_eq!(test.offer(&old).await, None, "at most one a minute");
        test.pass(59);
        assert_eq!(test.offer(&old).await, None, "at most one a minute");
        test.pass(1);
    }
    assert_eq!(offers.len(), 5);
    // The last answer arrives, and after it, late, one of those that seemed to be lost.
    assert!(test.is_in(&offers[4]).await);
    test.pass(10 * MINUTE);
    assert!(test.is_in(&offers[2]).await);
    assert!(test.is_in(&offers[4]).await, "it was the current one a moment ago");
    test.pass(MINUTE);
    assert!(test.is_in(&offers[2]).await);
    assert!(!test.is_in(&offers[4]).await);
}

#[tokio::test]
async fn requests_at_once() {
    let test = Fixture::new().await;
    let old = test.start("ada").await;
    test.pass(HOUR);
    let all = (0..10).map(|_| test.offer(&old));
    let offers: Vec<String> = futures::future::join_all(all).await.into_iter().flatten().collect();
    let [new] = offers.as_slice() else { panic!("one offer for all of them, not {}", offers.len()) };
    let mixed = (0..10).map(|i| test.is_in(if i % 2 == 0 { new } else { &old }));
    assert_eq!(futures::future::join_all(mixed).await, [true; 10]);
    let states = test.db.fetch_all(query("SELECT state FROM session_secret ORDER BY state", args![])).await.unwrap();
    let states: Vec<String> = states.iter().map(|row| row.get(0).unwrap()).collect();
    assert_eq!(states, ["current", "retired"]);
}

/// Whoever copied a cookie and the one whose it is cannot both go on, whoever of them is first to take a new secret.
#[tokio::test]
async fn a_thief_is_found_out() {
    for thief_first in [true, false] {
        let test = Fixture::new().await;
        let copied = test.start("ada").await;
        test.pass(HOUR);
        let (mut of_ada, mut of_thief) = (copied.clone(), copied);
        let mut both = true;
        for round in 0..6 {
            for is_thief in [thief_first, !thief_first] {
                let secret = if is_thief { &mut of_thief } else { &mut of_ada };
                match test.find(secret).await {
                    Some(found) => *secret = found.offer.map_or_else(|| secret.clone(), |offer| offer.secret),
                    None => both = false,
                }
                test.pass(2 * MINUTE);
            }
            assert!(round < 4 || !both, "both are signed in in round {round}, thief first: {thief_first}");
        }
    }
}

#[tokio::test]
async fn a_program_that_takes_no_offer_fills_no_table() {
    let test = Fixture::new().await;
    let secret = test.start("ada").await;
    test.pass(HOUR);
    for _ in 0..OFFERS + 10 {
        assert!(test.offer(&secret).await.is_some());
        test.pass(MINUTE);
    }
    assert_eq!(test.count("session_secret").await, i64::try_from(OFFERS).unwrap() + 1);
}
