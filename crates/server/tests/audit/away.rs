//! A database that is away: no change is recorded, and no denied attempt is forgotten.

use std::time::{Duration, Instant};

use callboard::audit::{AuditError, AuditLog};
use callboard_store::{DatabaseConfig, Db, PostgresConfig};

use super::support::{all, entry, verify};
use crate::proxy::Proxy;
use crate::server;

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres() {
    let config = server::fresh();
    let mut proxy = Proxy::to(&config.host, config.port).await.unwrap();
    let address = proxy.address();
    let through = PostgresConfig { host: address.ip().to_string(), port: address.port(), ..config };
    let db = Db::open(&DatabaseConfig::Postgres(Box::new(through))).await.unwrap();
    let log = AuditLog::open(db).await.unwrap();
    let recorder = log.start();
    let begun = log.allowed(entry("user:default/ada", "/a")).await.unwrap();
    proxy.refuse().await;
    let refused = log.allowed(entry("user:default/ada", "/b")).await.err().unwrap();
    assert!(matches!(&refused, AuditError::Store(error) if error.is_retryable()), "{refused}");
    for _ in 0..10 {
        log.denied(entry("user:default/eve", "/c"));
    }
    begun.ended(503);
    proxy.restore().unwrap();
    let waiting = Instant::now();
    while all(&log).await.len() < 3 {
        assert!(waiting.elapsed() < Duration::from_secs(60), "{:?}", all(&log).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    recorder.finish().await;
    let rows = all(&log).await;
    assert_eq!(verify(&log, None).await, None);
    let paths: Vec<(&str, Option<u16>)> = rows.iter().map(|row| (row.path.as_str(), row.status)).collect();
    assert!(paths.contains(&("/a", None)) && paths.contains(&("/a", Some(503))), "{paths:?}");
    assert!(!paths.iter().any(|(path, _)| *path == "/b"), "what was refused was not recorded: {paths:?}");
    assert_eq!(rows.iter().filter(|row| row.path == "/c").map(|row| row.count).sum::<u64>(), 10, "{rows:?}");
}

#[tokio::test]
async fn on_sqlite() {
    let db = Db::open(&DatabaseConfig::Memory).await.unwrap();
    let log = AuditLog::open(db.clone()).await.unwrap();
    db.close().await;
    assert!(log.allowed(entry("user:default/ada", "/a")).await.is_err());
}
