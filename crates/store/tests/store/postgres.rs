//! What only PostgreSQL has: a server that may be away, and somebody else's settings.

use std::sync::Arc;
use std::time::{Duration, Instant};

use callboard_store::limits::{CONNECT, QUIET};
use callboard_store::{
    DatabaseConfig, Db, Error, Migration, Notification, Pem, PostgresConfig, Secret, Seen, Tls, TlsMode, args, migrate,
    query,
};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::support::{create_t, first};
use crate::proxy::Proxy;
use crate::server;

async fn open(config: &PostgresConfig) -> Result<Db, Error> {
    Db::open(&DatabaseConfig::Postgres(Box::new(config.clone()))).await
}

/// A name by which the connections of one test can be told from all others.
fn named() -> PostgresConfig {
    let config = server::fresh();
    PostgresConfig { application_name: config.schema.clone().unwrap(), ..config }
}

/// Ends every connection of a test, as a restart of the server would.
async fn terminate(other: &Db, config: &PostgresConfig) {
    let sql = query(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1",
        args![&config.application_name],
    );
    assert!(first::<i64>(other, sql).await > 0);
}

#[tokio::test]
async fn lost_connections_are_replaced() {
    let config = named();
    let db = open(&config).await.unwrap();
    let other = open(&server::fresh()).await.unwrap();
    create_t(&db).await;
    let mut heard = db.notifications("channel");
    assert_eq!(heard.next().await, Some(Notification::Missed));
    // Several idle connections, each of which will be found dead.
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let db = db.clone();
        tasks.spawn(async move { db.fetch_all(query("SELECT pg_sleep(0.01)", args![])).await.map(|_| ()) });
    }
    assert!(tasks.join_all().await.into_iter().all(|done| done.is_ok()));
    for round in 0..3_i64 {
        terminate(&other, &config).await;
        assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM t", args![])).await, round);
        db.execute(query("INSERT INTO t(id) VALUES ($1)", args![round])).await.unwrap();
        let mut read = db.read().await.unwrap();
        read.fetch_all(query("SELECT count(*) FROM t", args![])).await.unwrap();
        assert_eq!(heard.next().await, Some(Notification::Missed), "what was told meanwhile is lost, and it says so");
    }
    let mut tx = db.begin().await.unwrap();
    tx.notify("channel", "still here").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(heard.next().await, Some(Notification::Payload("still here".to_owned())));
}

#[tokio::test]
async fn a_transaction_that_loses_its_connection_fails_and_the_next_one_works() {
    let config = named();
    let db = open(&config).await.unwrap();
    let other = open(&server::fresh()).await.unwrap();
    create_t(&db).await;
    let mut tx = db.begin().await.unwrap();
    tx.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap();
    terminate(&other, &config).await;
    let lost = tx.execute(query("INSERT INTO t(id) VALUES (2)", args![])).await.unwrap_err();
    assert!(matches!(lost, Error::Unavailable(_)) && lost.is_retryable(), "{lost:?}");
    let again = tx.execute(query("INSERT INTO t(id) VALUES (3)", args![])).await.unwrap_err();
    assert!(matches!(again, Error::Unavailable(_)), "{again:?}");
    assert!(tx.commit().await.is_err());

    let mut tx = db.begin().await.unwrap();
    tx.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap();
    terminate(&other, &config).await;
    let lost = tx.commit().await.unwrap_err();
    assert!(matches!(lost, Error::Unavailable(_)), "{lost:?}");
    assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM t", args![])).await, 0);
    db.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap();
}

/// A way to the server that can be cut.
async fn way(config: &PostgresConfig) -> (Proxy, PostgresConfig) {
    let proxy = Proxy::to(&config.host, config.port).await.unwrap();
    let over = proxy.address();
    (proxy, PostgresConfig { host: over.ip().to_string(), port: over.port(), ..config.clone() })
}

#[tokio::test]
async fn a_cut_is_told_at_once_and_work_resumes_by_itself() {
    let (mut way, config) = way(&server::fresh()).await;
    let db = open(&config).await.unwrap();
    create_t(&db).await;
    let mut heard = db.notifications("channel");
    assert_eq!(heard.next().await, Some(Notification::Missed));
    let mut tx = db.begin().await.unwrap();
    tx.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap();
    way.refuse().await;
    let begun = Instant::now();
    let lost = tx.commit().await.unwrap_err();
    assert!(matches!(lost, Error::Unavailable(_)), "{lost:?}");
    for _ in 0..5 {
        let read = db.fetch_all(query("SELECT id FROM t", args![])).await.unwrap_err();
        assert!(matches!(read, Error::Unavailable(_)), "{read:?}");
        let place = format!("127.0.0.1:{}", config.port);
        assert!(read.to_string().contains(&place), "{read}");
        assert!(db.begin().await.is_err());
        assert!(db.read().await.is_err());
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "nobody waits for what is not there");
    way.restore().unwrap();
    assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM t", args![])).await, 0);
    db.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap();
    assert_eq!(heard.next().await, Some(Notification::Missed));
    let mut tx = db.begin().await.unwrap();
    tx.notify("channel", "back").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(heard.next().await, Some(Notification::Payload("back".to_owned())));
}

/// A server that froze, or a network that swallows everything, says nothing; whoever waits finds out all the same.
#[tokio::test]
async fn silence_is_noticed_and_work_resumes_by_itself() {
    let (mut way, config) = way(&server::fresh()).await;
    let db = open(&config).await.unwrap();
    create_t(&db).await;
    let mut tx = db.begin().await.unwrap();
    tx.execute(query("INSERT INTO t(id) VALUES (1)", args![])).await.unwrap();
    way.silence();
    let begun = Instant::now();
    let mut lost = JoinSet::new();
    // More than there are connections, so that some wait for one.
    for _ in 0..20 {
        let db = db.clone();
        lost.spawn(async move { db.fetch_all(query("SELECT id FROM t", args![])).await.map(|_| ()) });
    }
    lost.spawn(tx.commit());
    for write in [true, false] {
        let db = db.clone();
        lost.spawn(async move { if write { db.begin().await } else { db.beside().await }.map(|_| ()) });
    }
    for lost in lost.join_all().await {
        let error = lost.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)) && error.to_string().contains("does not answer"), "{error}");
    }
    // The silence that is believed, an attempt to connect, and then one more for the last of them; and a busy machine.
    let most = 2 * (QUIET + CONNECT) + Duration::from_secs(5);
    assert!(begun.elapsed() < most, "{:?}", begun.elapsed());
    way.restore().unwrap();
    db.execute(query("INSERT INTO t(id) VALUES (2)", args![])).await.unwrap();
    let ids = db.fetch_all(query("SELECT id FROM t ORDER BY id", args![])).await.unwrap();
    // Nobody knows of a commit that was not answered; what was asked for after it is there.
    assert_eq!(ids.last().unwrap().get::<i64>(0).unwrap(), 2, "{ids:?}");
}

/// Who comes while others wait for a server that is gone waits no longer than they do.
#[tokio::test]
async fn silence_is_waited_for_once() {
    let (way, config) = way(&server::fresh()).await;
    let db = open(&config).await.unwrap();
    Seen::now(&db).await.unwrap();
    way.silence();
    let ask = || {
        let db = db.clone();
        tokio::spawn(async move {
            let lost = Seen::now(&db).await.unwrap_err();
            assert!(matches!(lost, Error::Unavailable(_)), "{lost:?}");
            Instant::now()
        })
    };
    let first = ask();
    tokio::time::sleep(QUIET / 5).await;
    let later = ask();
    let (first, later) = (first.await.unwrap(), later.await.unwrap());
    assert!(later.duration_since(first) < CONNECT / 2, "{:?}", later - first);
}

/// A statement that takes its time is not taken for silence.
#[tokio::test]
async fn what_takes_long_is_waited_for() {
    let db = open(&server::fresh()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let long = QUIET.as_secs_f64() + 1.0;
    tx.fetch_all(query("SELECT pg_sleep($1)", args![long])).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_server_that_comes_late_is_waited_for() {
    let (mut way, config) = way(&server::fresh()).await;
    way.refuse().await;
    let opened = tokio::spawn(async move { open(&config).await.map(|_| ()) });
    tokio::task::yield_now().await;
    way.restore().unwrap();
    opened.await.unwrap().unwrap();
}

/// Every way in which a start can fail names the place and the way out, and never the password.
#[tokio::test]
async fn a_start_that_fails_says_what_to_do() {
    const CANARY: &str = "canary-password";
    let there = PostgresConfig { patience: Duration::ZERO, ..server::server() };
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let canary = Some(Secret::new(CANARY));
    for (config, expected) in [
        (PostgresConfig { port: nobody, password: canary.clone(), ..there.clone() }, "Check `host` and `port`"),
        (
            PostgresConfig { host: "no-such-host.invalid".to_owned(), password: canary.clone(), ..there.clone() },
            "Check `host` and `port`",
        ),
        (PostgresConfig { password: canary.clone(), ..there.clone() }, "Check `user` and `password`"),
        (PostgresConfig { user: Some("nobody".to_owned()), password: canary, ..there.clone() }, "Check `user`"),
        (
            PostgresConfig { database: Some("not there".to_owned()), creates_database: false, ..there.clone() },
            "`ensureExists: true`",
        ),
        (PostgresConfig { tls: Tls { mode: TlsMode::Verified, ..Tls::default() }, ..there.clone() }, "Check `ssl`"),
    ] {
        let error = open(&config).await.err().unwrap();
        let message = format!("{error} {error:?} {config:?}");
        assert!(matches!(error, Error::Connect { .. }) && message.contains(expected), "{message}");
        assert!(message.contains(&format!("{}:{}", config.host, config.port)), "{message}");
        assert!(message.contains(config.database.as_deref().unwrap()), "{message}");
        assert!(message.contains(config.user.as_deref().unwrap()), "{message}");
        assert!(!message.contains(CANARY), "{message}");
    }
}

/// Whether the connection is encrypted, and who may be at its other end.
#[tokio::test]
async fn encryption() {
    let ca = std::env::var(server::VARIABLE_CA).unwrap_or_else(|_| {
        panic!("{} is not set: `cargo xtask test` sets it, beside {}", server::VARIABLE_CA, server::VARIABLE)
    });
    let text = Some(Pem::Text(std::fs::read_to_string(&ca).unwrap()));
    let file = Some(Pem::File(ca.into()));
    let encrypted = query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", args![]);
    for (host, mode, ca, expected) in [
        ("localhost", TlsMode::Off, None, Ok(false)),
        ("localhost", TlsMode::Offered, None, Ok(true)),
        ("localhost", TlsMode::Unverified, None, Ok(true)),
        ("localhost", TlsMode::Verified, text.clone(), Ok(true)),
        ("localhost", TlsMode::Verified, file.clone(), Ok(true)),
        ("localhost", TlsMode::Verified, None, Err(())),
        // The certificate is for the name alone.
        ("127.0.0.1", TlsMode::Authority, file.clone(), Ok(true)),
        ("127.0.0.1", TlsMode::Verified, file, Err(())),
    ] {
        let case = format!("{host} {mode:?} {ca:?}");
        let tls = Tls { mode, ca, ..Tls::default() };
        // At once: what is wrong with a certificate does not pass.
        let config = PostgresConfig { host: host.to_owned(), tls, ..server::fresh() };
        match (open(&config).await, expected) {
            (Ok(db), Ok(expected)) => assert_eq!(first::<bool>(&db, encrypted.clone()).await, expected, "{case}"),
            (Err(error), Err(())) => assert!(error.to_string().contains("Check `ssl`"), "{case}: {error}"),
            (Ok(_), Err(())) => panic!("{case} was taken"),
            (Err(error), Ok(_)) => panic!("{case}: {error}"),
        }
    }
}

#[tokio::test]
async fn databases_and_schemas_are_created_with_any_name() {
    let base = server::own_database();
    let name = format!("{} \"quoted\" ä", base.database.as_deref().unwrap());
    let config = PostgresConfig { database: Some(name.clone()), schema: Some("It's \"ours\"".to_owned()), ..base };
    let config = Arc::new(config);
    // At once, as replicas do.
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let config = Arc::clone(&config);
        tasks.spawn(async move { open(&config).await.unwrap() });
    }
    let opened = tasks.join_all().await;
    assert_eq!(first::<String>(&opened[0], query("SELECT current_database()::text", args![])).await, name);
    assert_eq!(first::<String>(&opened[1], query("SELECT current_schema()::text", args![])).await, "It's \"ours\"");
}

/// Whatever collation the database was created with, texts are compared by their bytes.
#[tokio::test]
async fn the_collation_of_the_database_does_not_matter() {
    let maintenance = open(&server::fresh()).await.unwrap();
    let config = server::own_database();
    let name = config.database.clone().unwrap();
    let with_icu = format!(
        "CREATE DATABASE \"{name}\" TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'"
    );
    // A database cannot be created in a transaction; this is what the store itself would never do.
    let created = std::process::Command::new("psql").args([&url(&server::server()), "-c", &with_icu]).output();
    if !created.is_ok_and(|created| created.status.success()) {
        // Neither psql nor ICU are part of every PostgreSQL. That each column says its collation is checked for all.
        drop(maintenance);
        return;
    }
    let place = super::support::Place::in_postgres(config);
    super::statements::order_is_by_bytes(place).await;
}

fn url(config: &PostgresConfig) -> String {
    let url = std::env::var(server::VARIABLE).unwrap();
    assert!(url.contains(&config.port.to_string()));
    url
}

#[tokio::test]
async fn columns_that_would_differ_are_refused() {
    let db = open(&server::fresh()).await.unwrap();
    for (postgres, expected) in [
        ("CREATE TABLE x(name TEXT)", "column name of table x is text; write BIGINT, TEXT COLLATE \"C\""),
        ("CREATE TABLE x(id BIGINT, n NUMERIC)", "column n of table x is numeric"),
        ("CREATE TABLE x(t TIMESTAMPTZ)", "column t of table x is timestamp with time zone"),
    ] {
        let wrong = Migration { version: 1, name: "x", sqlite: "", postgres };
        let error = migrate(&db, "owner", &[wrong]).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let right = Migration {
        version: 1,
        name: "x",
        sqlite: "",
        postgres: "CREATE TABLE x(id BIGINT, i INTEGER, s SMALLINT, t TEXT COLLATE \"C\", b BYTEA, r DOUBLE PRECISION)",
    };
    migrate(&db, "owner", &[right]).await.unwrap();
    let text = Migration { version: 2, name: "y", sqlite: "", postgres: "ALTER TABLE x ADD COLUMN u TEXT" };
    migrate(&db, "owner", &[right, text]).await.unwrap_err();
}

/// The same text with arguments of other types is another statement, and never misread.
#[tokio::test]
async fn a_text_where_a_number_was_is_refused() {
    let db = open(&server::fresh()).await.unwrap();
    create_t(&db).await;
    let select = |value: callboard_store::Value| query("SELECT count(*) FROM t WHERE i = $1", vec![value]);
    db.fetch_all(select(1.into())).await.unwrap();
    // Eight bytes, as a number has.
    let error = db.fetch_all(select("12345678".into())).await.unwrap_err();
    assert!(matches!(error, Error::Failed(_)), "{error:?}");
    db.fetch_all(select(1.into())).await.unwrap();
}

/// A statement that fails says so without the values, which may be anybody's.
#[tokio::test]
async fn errors_do_not_quote_values() {
    let db = open(&server::fresh()).await.unwrap();
    create_t(&db).await;
    let insert = || query("INSERT INTO t(id, t) VALUES (1, $1)", args!["canary"]);
    db.execute(insert()).await.unwrap();
    let error = db.execute(insert()).await.unwrap_err();
    assert!(matches!(error, Error::Duplicate(_)) && !format!("{error:?}").contains("canary"), "{error:?}");
}

/// Somebody else who holds the lock of all writers for too long.
#[tokio::test]
async fn two_schemas_do_not_wait_for_each_other() {
    let (one, two) = (open(&server::fresh()).await.unwrap(), open(&server::fresh()).await.unwrap());
    let held = one.begin().await.unwrap();
    two.begin().await.unwrap().commit().await.unwrap();
    held.commit().await.unwrap();
}
