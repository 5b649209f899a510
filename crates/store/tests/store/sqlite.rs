//! What only SQLite has: a file.

use callboard_store::{DatabaseConfig, Db, Error, Migration, args, migrate, query};

use super::support::first;

#[tokio::test]
async fn the_file_is_as_the_design_says() {
    let folder = tempfile::tempdir().unwrap();
    let config = DatabaseConfig::File(folder.path().join("data/callboard.sqlite"));
    let db = Db::open(&config).await.unwrap();
    assert_eq!(first::<String>(&db, query("PRAGMA journal_mode", args![])).await, "wal");
    assert_eq!(first::<i64>(&db, query("PRAGMA page_size", args![])).await, 8192);
    assert_eq!(first::<i64>(&db, query("PRAGMA synchronous", args![])).await, 1);
    db.execute(query("CREATE TABLE t(id INTEGER PRIMARY KEY)", args![])).await.unwrap();
    db.close().await;
    let db = Db::open(&config).await.unwrap();
    db.execute(query("INSERT INTO t VALUES (1)", args![])).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Db::open(&DatabaseConfig::File(file.join("callboard.sqlite"))).await.err().unwrap();
    let message = error.to_string();
    assert!(message.contains("file/callboard.sqlite") && message.contains("could not be opened"), "{message}");
}

const ONE: Migration = Migration {
    version: 1,
    name: "one",
    sqlite: "CREATE TABLE a(id INTEGER PRIMARY KEY); CREATE TABLE b(a INTEGER REFERENCES a(id) DEFERRABLE);",
    postgres: "",
};
const TWO: Migration = Migration { version: 2, name: "two", sqlite: "CREATE TABLE c(x);", postgres: "" };

fn files(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    names
}

#[tokio::test]
async fn a_migration_is_tried_on_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&DatabaseConfig::File(folder.path().join("x.sqlite"))).await.unwrap();
    migrate(&db, "owner", &[ONE]).await.unwrap();
    // What a start that was cut off left behind is no obstacle.
    std::fs::write(folder.path().join("x.sqlite.migrating"), "not a database").unwrap();
    migrate(&db, "owner", &[ONE, TWO]).await.unwrap();
    assert_eq!(files(folder.path()), ["x.sqlite"]);

    let broken = Migration { version: 3, name: "three", sqlite: "CREATE TABLE a(x);", postgres: "" };
    let failed = migrate(&db, "owner", &[ONE, TWO, broken]).await.unwrap_err();
    assert!(matches!(failed, Error::Copy { .. }), "{failed}");
    let message = failed.to_string();
    assert!(message.contains("was not touched") && message.contains("migration 3 (three)"), "{message}");
    assert_eq!(files(folder.path()), ["x.sqlite"]);
}

/// What a migration leaves behind is looked at before the database itself is migrated.
#[tokio::test]
async fn rows_that_refer_to_nothing_stop_a_migration() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&DatabaseConfig::File(folder.path().join("x.sqlite"))).await.unwrap();
    migrate(&db, "owner", &[ONE]).await.unwrap();
    // A table that is rebuilt with other references keeps its rows unchecked.
    let careless = Migration {
        version: 2,
        name: "careless",
        sqlite: "CREATE TABLE d(x INTEGER); INSERT INTO d VALUES (7); PRAGMA writable_schema = on; \
                 UPDATE sqlite_schema SET sql = 'CREATE TABLE d(x INTEGER REFERENCES a(id))' WHERE name = 'd'; \
                 PRAGMA writable_schema = reset;",
        postgres: "",
    };
    let failed = migrate(&db, "owner", &[ONE, careless]).await.unwrap_err();
    assert!(failed.to_string().contains("1 rows refer to nothing"), "{failed}");
    assert_eq!(first::<i64>(&db, query("SELECT count(*) FROM sqlite_schema WHERE name = 'd'", args![])).await, 0);
}
