//! Where a test's log is, and what is written to it.

use callboard::audit::{AuditLog, Break, Entry, Fault, Filter, Head};
use callboard_model::api::AuditEntry;
use callboard_store::{DatabaseConfig, Db, Engine};

/// Room for one test on one engine.
pub(crate) struct Place {
    pub(crate) config: DatabaseConfig,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    pub(crate) fn on(engine: Engine) -> Place {
        match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let config = DatabaseConfig::File(folder.path().join("callboard.sqlite"));
                Place { config, _folder: Some(folder) }
            }
            Engine::Postgres => Place { config: crate::server::database(), _folder: None },
        }
    }

    pub(crate) async fn open(&self) -> (Db, AuditLog) {
        let db = Db::open(&self.config).await.unwrap();
        (db.clone(), AuditLog::open(db).await.unwrap())
    }
}

/// Runs tests on both engines.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::audit::support::Place::on(callboard_store::Engine::Sqlite)).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::audit::support::Place::on(callboard_store::Engine::Postgres)).await;
            })*
        }
    };
}
pub(crate) use on_both;

pub(crate) fn entry(actor: &str, path: &str) -> Entry {
    Entry {
        actor: actor.to_owned(),
        credential: "session".to_owned(),
        permission: "catalog.entity.delete".to_owned(),
        method: "DELETE".to_owned(),
        path: path.to_owned(),
        resource: Some(format!("component:default{path}")),
        remote: Some("10.0.0.7".to_owned()),
        rule: "default".to_owned(),
        request_id: "00ff00ff".to_owned(),
    }
}

/// Three changes of which the second fails, and a denied attempt without much to say: five rows.
pub(crate) const ROWS: u64 = 5;

pub(crate) async fn fill(log: &AuditLog) {
    log.allowed(entry("user:default/ada", "/a")).await.unwrap().ended(204);
    let failing = log.allowed(entry("push:ci", "/ä\n\"")).await.unwrap();
    log.allowed(entry("user:default/bob", "/c")).await.unwrap().ended(200);
    failing.ended(404);
    log.denied(Entry { resource: None, remote: None, ..entry("anonymous", "/d") });
    log.start().finish().await;
    assert_eq!(log.head().await.unwrap().seq, ROWS);
}

pub(crate) async fn all(log: &AuditLog) -> Vec<AuditEntry> {
    log.oldest(&Filter::default(), 0, u64::MAX, 10_000).await.unwrap()
}

/// The fault and its row; none where the log is whole.
pub(crate) async fn verify(log: &AuditLog, expected: Option<&Head>) -> Option<(i64, Fault)> {
    let verified = log.verify(expected).await.unwrap();
    verified.err().map(|Break { seq, fault }| (seq, fault))
}
