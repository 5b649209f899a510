//! Where a test's database is.

use callboard_store::{DatabaseConfig, Db, Engine, PostgresConfig, Row, Sql, Value, query_on};

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

    pub(crate) fn in_postgres(config: PostgresConfig) -> Place {
        Place { config: DatabaseConfig::Postgres(Box::new(config)), _folder: None }
    }

    /// Opens it; again for what another replica would see.
    pub(crate) async fn open(&self) -> Db {
        Db::open(&self.config).await.unwrap()
    }
}

/// Runs tests on both engines.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::store::support::Place::on(callboard_store::Engine::Sqlite)).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::store::support::Place::on(callboard_store::Engine::Postgres)).await;
            })*
        }
    };
}
pub(crate) use on_both;

/// A statement that is one text on SQLite and another on PostgreSQL, such as CREATE TABLE.
pub(crate) async fn create(db: &Db, sqlite: &'static str, postgres: &'static str) {
    db.execute(query_on(sqlite, postgres, Vec::new())).await.unwrap();
}

/// `CREATE TABLE t(id, i, r, t, b)`, a column of each type.
pub(crate) async fn create_t(db: &Db) {
    create(
        db,
        "CREATE TABLE t(id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, b BLOB)",
        "CREATE TABLE t(id BIGINT PRIMARY KEY, i BIGINT, r DOUBLE PRECISION, t TEXT COLLATE \"C\", b BYTEA)",
    )
    .await;
}

/// The first value of the first row.
pub(crate) async fn first<T: callboard_store::FromValue>(db: &Db, sql: Sql) -> T {
    value(&db.fetch_all(sql).await.unwrap())
}

pub(crate) fn value<T: callboard_store::FromValue>(rows: &[Row]) -> T {
    rows.first().unwrap().get(0).unwrap()
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
